use std::sync::atomic::{AtomicU32, Ordering};

use super::jobs::Report;
use super::state::{LayerId, Session};
use super::{CommandError, InkChoice, LayerKind, Notice, PredictionInk};
use crate::geom::PixelRect;
use crate::job::JobContext;
use crate::label::{
    Cleanup, Control, Edit, EditKind, Mask, Paint, Selection, Stencil, Stroke, UNLABELED, clean_up,
};

/// What an operation on the whole label came to.
#[derive(Debug)]
pub(super) struct Operated {
    pub mask: Mask,
    pub origins: Mask,
    /// `None` when nothing changed.
    pub edit: Option<Edit>,
}

impl Session {
    pub(super) fn clean_up(
        &mut self,
        what: Cleanup,
        within: Option<PixelRect>,
    ) -> Result<(), CommandError> {
        let over = self.unlocked();
        self.operate("Cleaning up", EditKind::Cleanup, move |mask, job| {
            let area = within.unwrap_or(mask.size().bounds());
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
            clean_up(mask, area, &over, what, &control)
        })
    }

    pub(super) fn replace_class(
        &mut self,
        from: u8,
        to: u8,
        within: Option<PixelRect>,
    ) -> Result<(), CommandError> {
        for class in [from, to] {
            if class != UNLABELED && self.classes().get(class).is_none() {
                return Err(CommandError::NoClass(class));
            }
        }
        if self.is_class_locked(from) {
            let why = "The class is locked; unlock it in the class list first";
            return Err(CommandError::Refused(why.to_owned()));
        }
        self.operate("Replacing a class", EditKind::Replace, move |mask, _| {
            let area = within.unwrap_or(mask.size().bounds());
            let mut after = mask.clone();
            let mut stroke = Stroke::begin(EditKind::Replace);
            stroke.replace_class(&mut after, from, to, area);
            drop(stroke.commit(&after));
            Some(after)
        })
    }

    /// Takes the prediction over: all of it, or what ink and selection say.
    pub(super) fn accept_prediction(&mut self) -> Result<(), CommandError> {
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        let ink = match self.ink() {
            InkChoice::Prediction(ink) => ink,
            InkChoice::ActiveClass => PredictionInk::default(),
        };
        let stencil = Stencil {
            source: self.source(ink),
            ..self.stencil(UNLABELED)
        };
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
        self.operation = Some(job);
        Ok(())
    }

    pub(super) fn operated(&mut self, layer: LayerId, done: Operated) {
        self.operation = None;
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
        self.notify(Notice::info(format!(
            "{kind}: {pixels} pixels changed{area}"
        )));
    }

    /// The ground of so many pixels in words, empty when the image lies nowhere.
    fn square_meters(&self, pixels: u64) -> String {
        let georef = self.image.as_ref().and_then(|image| image.georef());
        georef.map_or_else(String::new, |georef| {
            let [width, height] = georef.pixel_size();
            format!(" ({:.0} m²)", pixels as f64 * width * height)
        })
    }
}
