use std::sync::atomic::{AtomicU32, Ordering};

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{CommandError, InkChoice, LayerKind, Notice, PredictionInk};
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::label::{
    Cleanup, Control, Edit, EditKind, Mask, Paint, PaintOver, Selection, Stencil, Stroke,
    UNLABELED, clean_up, grouped,
};

/// What an operation on the whole label came to.
#[derive(Debug)]
pub(super) struct Operated {
    pub mask: Mask,
    pub origins: Mask,
    /// `None` when nothing changed.
    pub edit: Option<Edit>,
}

/// A change of the whole label, or of what a part or a selection holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wholesale {
    /// Cleaned up.
    CleanUp(Cleanup),
    /// One class becomes another; 255 is unlabeled ground.
    Replace {
        /// The class that goes.
        from: u8,
        /// The class that comes.
        to: u8,
    },
}

impl Wholesale {
    /// The mask after it, in `area` (level-0 pixels); `None` when cancelled.
    pub(super) fn carried_out(
        self,
        mask: &Mask,
        area: PixelRect,
        over: &PaintOver,
        control: &Control<'_>,
    ) -> Option<Mask> {
        match self {
            Self::CleanUp(what) => clean_up(mask, area, over, what, control),
            Self::Replace { from, to } => {
                let mut after = mask.clone();
                let mut stroke = Stroke::begin(EditKind::Replace);
                stroke.replace_class(&mut after, from, to, area);
                drop(stroke.commit(&after));
                Some(after)
            }
        }
    }

    /// `after` where there is `ground`, and `before` elsewhere; all of `after` without one.
    pub(super) fn within(before: &Mask, after: Mask, ground: Option<&Mask>) -> Mask {
        let Some(ground) = ground else { return after };
        let mut mixed = before.clone();
        let changed = Edit::between(before, &after, EditKind::Cleanup);
        for rect in changed.map(|edit| edit.dirty_rects()).unwrap_or_default() {
            let (old, inside) = (before.read_rect(rect), ground.read_rect(rect));
            let mut new = after.read_rect(rect);
            for ((new, old), inside) in new.iter_mut().zip(old).zip(inside) {
                if inside == UNLABELED {
                    *new = old;
                }
            }
            mixed.set_rect(rect, &new);
        }
        mixed
    }

    const fn title(self) -> &'static str {
        match self {
            Self::CleanUp(_) => "Cleaning up",
            Self::Replace { .. } => "Replacing a class",
        }
    }

    const fn kind(self) -> EditKind {
        match self {
            Self::CleanUp(_) => EditKind::Cleanup,
            Self::Replace { .. } => EditKind::Replace,
        }
    }
}

/// What a whole prediction is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Everything but cells that are done and what was made by hand.
    Rest,
    /// Everything.
    All,
}

impl Session {
    /// Changes the whole label, or `part` of it, within the selection when there is one.
    pub(super) fn change_wholesale(
        &mut self,
        change: Wholesale,
        part: Option<PixelRect>,
    ) -> Result<(), CommandError> {
        if let Wholesale::Replace { from, to } = change {
            self.check_replacement(from, to)?;
        }
        self.drop_preview();
        let (over, ground) = (self.unlocked(), self.selected_ground());
        self.operate(change.title(), change.kind(), move |mask, job| {
            let percent = AtomicU32::new(0);
            let progress = |share: f32| {
                let now = (share * 100.0) as u32;
                if percent.fetch_max(now, Ordering::Relaxed) < now {
                    job.mention(Report::Progress(share));
                }
            };
            let control = Control {
                progress: &progress,
                is_cancelled: &|| job.check().is_err(),
            };
            let all = mask.size().bounds();
            // Outside of the selection nothing changes, so nothing need be looked at there.
            let chosen = ground.as_ref().map_or(all, |(_, bounds)| *bounds);
            let area = part.unwrap_or(all).intersect(chosen);
            let after = change.carried_out(mask, area, &over, &control)?;
            let ground = ground.as_ref().map(|(ground, _)| ground);
            Some(Wholesale::within(mask, after, ground))
        })
    }

    /// The selection as ground, with the smallest rectangle around it.
    pub(super) fn selected_ground(&self) -> Option<(Mask, PixelRect)> {
        let selected = self.selected.as_ref()?;
        Some((selected.ground.clone(), selected.pixels.bounds()))
    }

    fn check_replacement(&self, from: u8, to: u8) -> Result<(), CommandError> {
        for class in [from, to] {
            if class != UNLABELED && self.classes().get(class).is_none() {
                return Err(CommandError::NoClass(class));
            }
        }
        if self.is_class_locked(from) {
            let why = "The class is locked; unlock it in the class list first";
            return Err(CommandError::Refused(why.to_owned()));
        }
        Ok(())
    }

    /// Takes the prediction over: all of it, or what ink and selection say.
    pub(super) fn accept_prediction(&mut self, over: Over) -> Result<(), CommandError> {
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let ink = match self.ink() {
            InkChoice::Prediction(ink) => ink,
            InkChoice::ActiveClass => PredictionInk::default(),
        };
        let stencil = Stencil {
            source: self.source(ink),
            ..self.stencil(UNLABELED)
        };
        let coverage = self.coverage().clone();
        let origins = self.origins.as_ref().map(|layer| layer.mask.clone());
        let area = prediction.mask.size().bounds();
        let all = Selection::of_rect(area);
        let paint = Paint {
            over: self.unlocked(),
            ..Paint::class(0)
        };
        self.operate(
            "Accepting the prediction",
            EditKind::Accept,
            move |mask, _| {
                let mut after = mask.clone();
                let mut stroke = Stroke::begin(EditKind::Accept).through(stencil);
                stroke.select(&mut after, &all, &paint);
                drop(stroke.commit(&after));
                if let (Over::Rest, Some(origins)) = (over, &origins) {
                    after.lay_over(&mask.made_by_hand(origins, &coverage));
                }
                Some(after)
            },
        )
    }

    /// Runs `work` on the label as a job; its result is one undo step. Painting waits meanwhile.
    fn operate(
        &mut self,
        title: &str,
        kind: EditKind,
        work: impl FnOnce(&Mask, &JobContext<Report>) -> Option<Mask> + Send + 'static,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.ready_label()?;
        let origin = self.origin_of(kind);
        let label = self.label.as_ref().ok_or(CommandError::NoLabel)?;
        let origins = self.origins.as_ref().ok_or(CommandError::NoLabel)?;
        let (id, before) = (label.id, label.mask.clone());
        let mut origins = origins.mask.clone();
        let job = self.start_job(title, move |job| {
            let Some(mask) = work(&before, job) else {
                return Ok(job.check()?);
            };
            let edit = Edit::between(&before, &mask, kind);
            let edit = edit.map(|edit| edit.with_origin(&mut origins, origin));
            let done = Operated {
                mask,
                origins,
                edit,
            };
            job.tell(Report::Operated(id, Box::new(done)))?;
            Ok(())
        });
        self.doing.operation = Some(job);
        Ok(())
    }

    pub(super) fn operated(&mut self, layer: LayerId, done: Operated) {
        self.doing.operation = None;
        // Another image may have been opened in the meantime.
        if self.kind_of(layer) != Some(LayerKind::Label) {
            return;
        }
        let Some(edit) = done.edit else {
            self.notify(Notice::info("Nothing had to be changed"));
            return;
        };
        if let Some(label) = self.label.as_mut() {
            label.mask = done.mask;
        }
        if let Some(origins) = self.origins.as_mut() {
            origins.mask = done.origins;
        }
        let (pixels, dirty) = (edit.num_pixels(), edit.dirty_rects());
        let area = self.square_meters(pixels);
        let kind = edit.kind.label();
        self.record(edit);
        self.label_changed(&dirty);
        self.class_left();
        self.notify(Notice::info(format!(
            "{kind}: {} pixels changed{area}",
            grouped(pixels)
        )));
    }

    /// The ground of so many pixels in words, empty when the image lies nowhere.
    pub fn square_meters(&self, pixels: u64) -> String {
        let pixel = self.image.as_ref().and_then(|image| image.pixel_meters);
        pixel.map_or_else(String::new, |[width, height]| {
            let area = pixels as f64 * width * height;
            format!(" ({} m²)", grouped(area.round() as u64))
        })
    }
}
