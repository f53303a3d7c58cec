use std::collections::HashMap;
use std::sync::Arc;

use super::instant_aside::Replaced;
use super::jobs::{JobId, Leash};
use super::labels::new_layer;
use super::state::{ImageId, Layer, LayerId, OpenImage, Session};
use super::{CommandError, LayerKind, Notice, PredictionState};
use crate::geom::PixelRect;
use crate::label::{MASK_TILE_SIZE, Mask, StateMark, UNLABELED};
use crate::train::{
    Certainty, InstantEvent, InstantMind, InstantOrder, InstantOutcome, InstantReport, Sight,
};

/// Pixels of a view that are answered at most; 1:1 on a large screen is less.
pub const MOST_ANSWERED: u64 = 4 << 20;

/// What accepted answers are called.
pub(super) const ANSWERS_NAME: &str = "instant answers";

/// Answers from the scribbles at hand, for what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstantCommand {
    /// Answers from now on after each stroke and each change of view, as the prediction.
    On,
    /// Answers no more; the prediction whose place the answers took comes back, without one they
    /// stay.
    Off,
    /// Says what is seen, in level-0 pixels.
    Look(PixelRect),
}

/// Instant answers while they are on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstantState {
    /// Whether an answer is on its way.
    pub is_working: bool,
    /// Whether more is seen than [`MOST_ANSWERED`] pixels, so that nothing is answered.
    pub is_too_wide: bool,
    /// Tiles of the view that are seen, and all of them, while new ones are looked at: from the
    /// moment on that answers are on, scribbles or not.
    pub looked_at: Option<(usize, usize)>,
    /// How the last answer ended.
    pub report: Option<InstantReport>,
}

/// What is asked; another answer is due whenever it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    image: ImageId,
    label: Option<LayerId>,
    mark: StateMark,
    /// Whole tiles around what is seen.
    area: PixelRect,
}

/// What an answer is from: answers of the same are of one mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AnsweredFrom {
    mark: StateMark,
    /// See [`InstantReport::nearest`].
    nearest: Option<u32>,
}

/// Instant answers and what they remember.
#[derive(Debug, Default)]
pub(super) struct InstantWork {
    is_on: bool,
    view: Option<(ImageId, PixelRect)>,
    job: Option<JobId>,
    /// Whether the job was stopped since something else is asked by now.
    is_superseded: bool,
    /// What the running job answers, or the last one did.
    asked: Option<Question>,
    report: Option<InstantReport>,
    /// Tiles that the running job sees, and all of them.
    looked_at: Option<(usize, usize)>,
    /// What was seen; out while a job uses it.
    mind: Option<Box<InstantMind>>,
    bytes: usize,
    /// The layer that the answers go to.
    layer: Option<LayerId>,
    /// Columns and rows of answered tiles, with what they are from; `None` for those to be answered
    /// anew.
    answered: HashMap<(u32, u32), Option<AnsweredFrom>>,
    /// The prediction whose place the answers took.
    pub(super) replaced: Option<Replaced>,
}

impl InstantWork {
    /// Bytes of what was seen, and of the prediction whose place the answers took.
    pub(super) fn bytes_used(&self) -> usize {
        self.bytes + self.replaced.as_ref().map_or(0, Replaced::bytes_used)
    }

    /// The layer that the answers go to.
    pub(super) const fn layer(&self) -> Option<LayerId> {
        self.layer
    }
}

impl Session {
    /// Instant answers; `None` while they are off.
    pub fn instant(&self) -> Option<InstantState> {
        let work = &self.study.instant;
        work.is_on.then(|| InstantState {
            is_working: work.job.is_some(),
            is_too_wide: self.is_view_too_wide(),
            looked_at: work.looked_at,
            report: work.report,
        })
    }

    /// Whether instant answers are to be told that this is seen, in level-0 pixels.
    pub fn wants_look(&self, visible: PixelRect) -> bool {
        let image = self.image.as_ref().map(|image| image.id);
        self.study.instant.is_on && image.map(|image| (image, visible)) != self.study.instant.view
    }

    pub(super) fn apply_instant(&mut self, command: InstantCommand) -> Result<(), CommandError> {
        match command {
            InstantCommand::On => self.instant_on(),
            InstantCommand::Off => {
                self.refuse_during_stroke()?;
                self.instant_off();
                self.bring_replaced_back();
                Ok(())
            }
            InstantCommand::Look(view) => {
                let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
                self.study.instant.view = Some((image.id, view.intersect(image.size().bounds())));
                Ok(())
            }
        }
    }

    fn instant_on(&mut self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        self.image.as_ref().ok_or(CommandError::NoImage)?;
        if self.prediction_state.job.is_some() {
            return Err(CommandError::Busy("A prediction"));
        }
        self.engine()?;
        if self.is_prediction_anothers() {
            self.set_prediction_aside()?;
            self.new_answers();
        }
        self.study.instant.is_on = true;
        // Other measures may be wanted than when the answers were given that are shown.
        self.follow_measures();
        Ok(())
    }

    fn instant_off(&mut self) {
        if let Some(job) = self.study.instant.job {
            self.study.instant.is_superseded = true;
            self.stop_job(job);
        }
        let work = &mut self.study.instant;
        work.is_on = false;
        (work.mind, work.bytes, work.asked, work.report) = (None, 0, None, None);
    }

    /// Whether a prediction is shown that is not of instant answers.
    fn is_prediction_anothers(&self) -> bool {
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        shown.is_some() && shown != self.study.instant.layer
    }

    fn is_view_too_wide(&self) -> bool {
        let view = self.study.instant.view;
        view.is_some_and(|(_, view)| view.num_pixels() > MOST_ANSWERED)
    }

    /// What is to be answered now, if anything.
    fn question(&self) -> Option<Question> {
        let image = self.image.as_ref()?;
        let (of, view) = self.study.instant.view?;
        if of != image.id || view.is_empty() || self.is_view_too_wide() {
            return None;
        }
        let down = |at: u32| at / MASK_TILE_SIZE * MASK_TILE_SIZE;
        let up = |at: u32| at.next_multiple_of(MASK_TILE_SIZE);
        let (x, y) = (down(view.x), down(view.y));
        let area = PixelRect::new(x, y, up(view.right()) - x, up(view.bottom()) - y);
        Some(Question {
            image: image.id,
            label: self.label.as_ref().map(|label| label.id),
            mark: self.history.mark(),
            area: area.intersect(image.size().bounds()),
        })
    }

    /// Asks anew when label or view are other than when it was asked last. A stroke counts when it
    /// ends.
    pub(super) fn follow_instant(&mut self) {
        let is_changing = self.stroke.is_some() || self.doing.operation.is_some();
        let is_loading = self.label.as_ref().is_some_and(|label| label.is_loading);
        if !self.study.instant.is_on || is_changing || is_loading {
            return;
        }
        if self.is_prediction_anothers() {
            self.study.instant.replaced = None;
            self.instant_off();
            return self.notify(Notice::info(
                "Instant answers are off, since another prediction took their place",
            ));
        }
        let question = self.question();
        if question == self.study.instant.asked {
            return;
        }
        if let Some(job) = self.study.instant.job {
            self.study.instant.is_superseded = true;
            return self.stop_job(job);
        }
        self.study.instant.asked = question;
        if let Some(question) = question
            && !self.is_answered(question)
        {
            self.ask(question);
        }
    }

    /// Whether all of the ground is answered from the label as it is. Where only the nearest labels
    /// count, others may from another view, so that it is asked anew.
    fn is_answered(&self, question: Question) -> bool {
        let area = question.area;
        let span = |from: u32, to: u32| from / MASK_TILE_SIZE..to.div_ceil(MASK_TILE_SIZE);
        let all = Some(AnsweredFrom {
            mark: question.mark,
            nearest: None,
        });
        self.prediction.is_some()
            && span(area.y, area.bottom()).all(|row| {
                let mut columns = span(area.x, area.right());
                columns.all(|col| self.study.instant.answered.get(&(col, row)) == Some(&all))
            })
    }

    fn ask(&mut self, question: Question) {
        if self.prediction.is_none() {
            self.new_answers();
        }
        let engine = self.engine().cloned();
        let (Ok(engine), Some(image)) = (engine, &self.image) else {
            return self.give_up();
        };
        let mask_of = |layer: &Option<Layer>| {
            let mask = layer.as_ref().map(|layer| layer.mask.clone());
            mask.unwrap_or_else(|| Mask::new(image.size()))
        };
        let known = self.study.instant.mind.take();
        let order = InstantOrder {
            mind: known.unwrap_or_else(|| Box::new(InstantMind::new(Sight::default()))),
            image: image.id.0,
            source: Arc::clone(&image.source),
            label: mask_of(&self.label),
            origins: mask_of(&self.origins),
            area: question.area,
            measures: self.held_measures(),
        };
        let job = engine.answer(order, self.config.waker.clone());
        let id = self.list_job("Answering from scribbles", Leash::Instant(job));
        self.hush(id);
        self.study.instant.job = Some(id);
        self.study.instant.is_superseded = false;
    }

    /// Lets what is seen be answered again, with these measures, too; answers that are shown stay
    /// until then.
    pub(super) fn answer_anew(&mut self, missing: Vec<Certainty>) {
        let size = self.prediction.as_ref().map(|layer| layer.mask.size());
        let Some(size) =
            size.filter(|_| self.study.instant.is_on && !self.is_prediction_anothers())
        else {
            return;
        };
        let bare = missing
            .into_iter()
            .map(|measure| (measure, Mask::new(size)));
        self.put_measures(bare.collect());
        for from in self.study.instant.answered.values_mut() {
            *from = None;
        }
        self.study.instant.asked = None;
    }

    /// Makes a layer for answers.
    fn new_answers(&mut self) {
        let Some(size) = self.image.as_ref().map(OpenImage::size) else {
            return;
        };
        let layer = new_layer(self.next_number(), Mask::new(size));
        self.study.instant.layer = Some(layer.id);
        self.study.instant.answered.clear();
        self.replace_layer(LayerKind::Prediction, Some(layer));
        self.put_measures(self.bare_measures(size));
        self.prediction_state = PredictionState::default();
    }

    pub(super) fn absorb_instant(&mut self, event: InstantEvent) {
        match event {
            InstantEvent::Block {
                rect,
                classes,
                sure,
                nearest,
            } => self.put_answer(rect, &classes, (sure, nearest)),
            InstantEvent::Looked { tiles, of } => {
                self.study.instant.looked_at = Some((tiles, of));
            }
            InstantEvent::Ended(report) => {
                self.study.instant.report = self.study.instant.is_on.then_some(report);
                self.drop_old_answers(report);
            }
            InstantEvent::Back(mind) if self.study.instant.is_on => {
                self.study.instant.bytes = mind.bytes_used();
                self.study.instant.mind = Some(mind);
            }
            InstantEvent::Back(_) => {}
        }
    }

    fn put_answer(
        &mut self,
        rect: PixelRect,
        classes: &[u8],
        (sure, nearest): (Vec<(Certainty, Vec<u8>)>, Option<u32>),
    ) {
        let Some(question) = self.study.instant.asked else {
            return;
        };
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        let is_open = self.image.as_ref().map(|image| image.id) == Some(question.image);
        if !is_open || shown.is_none() || shown != self.study.instant.layer {
            return;
        }
        let tile = (rect.x / MASK_TILE_SIZE, rect.y / MASK_TILE_SIZE);
        let from = AnsweredFrom {
            mark: question.mark,
            nearest,
        };
        self.study.instant.answered.insert(tile, Some(from));
        self.show_answer(LayerKind::Prediction, rect, classes);
        for (measure, sure) in sure {
            self.show_answer(LayerKind::Certainty(measure), rect, &sure);
        }
    }

    fn show_answer(&mut self, kind: LayerKind, rect: PixelRect, values: &[u8]) {
        if let Some(layer) = self.layer_mut(kind) {
            layer.mask.set_rect(rect, values);
            self.mask_changed(kind, &[rect]);
        }
    }

    /// Takes answers away that other scribbles gave, so that all that is shown is of one mind.
    fn drop_old_answers(&mut self, report: InstantReport) {
        let (Some(question), Some(layer)) = (self.study.instant.asked, &self.prediction) else {
            return;
        };
        if Some(layer.id) != self.study.instant.layer {
            return;
        }
        let current = (report.outcome == InstantOutcome::Answered).then_some(AnsweredFrom {
            mark: question.mark,
            nearest: report.nearest,
        });
        let answered = self.study.instant.answered.iter();
        let old = answered.filter(|&(_, from)| from.is_none() || *from != current);
        let old: Vec<(u32, u32)> = old.map(|(&tile, _)| tile).collect();
        let rects: Vec<PixelRect> = old
            .iter()
            .map(|&(col, row)| layer.mask.tile_rect(col, row))
            .collect();
        for tile in old {
            self.study.instant.answered.remove(&tile);
        }
        for rect in rects {
            let nothing = vec![UNLABELED; rect.num_pixels() as usize];
            let measures = Certainty::ALL.map(LayerKind::Certainty);
            for kind in measures.into_iter().chain([LayerKind::Prediction]) {
                self.show_answer(kind, rect, &nothing);
            }
        }
    }

    /// `why` is the reason when the job did not finish.
    pub(super) fn instant_ended(&mut self, why: Option<String>) {
        (self.study.instant.job, self.study.instant.looked_at) = (None, None);
        if self.study.instant.is_superseded {
            self.study.instant.asked = None;
        } else if why.is_some() {
            // It would fail again after each stroke.
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.instant_off();
        if self.stroke.is_none() {
            self.bring_replaced_back();
        }
    }
}
