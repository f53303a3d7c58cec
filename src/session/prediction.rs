use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::{JobId, Leash};
use super::labels::new_layer;
use super::state::{Layer, LayerId, Session};
use super::{CommandError, Contest, FinetunePhase, LayerKind, Notice, ScoreScope};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{CellState, Mask, UNLABELED};
use crate::train::{BlockOrder, Certainty, DeviceChoice, Flips, PredictEvent, PredictPlan};

/// The prediction that runs or ran last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionState {
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// Blocks finished and blocks in all.
    pub blocks: (u64, u64),
    /// The run whose network predicts.
    pub run: Option<PathBuf>,
    /// Which ground it is of.
    pub on: ScoreScope,
    /// The device and why it was chosen.
    pub device: Option<(String, String)>,
    /// Whether the layer covers the whole image.
    pub is_complete: bool,
}

/// A choice of how predictions are made.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicting {
    /// Where they are computed.
    Device(DeviceChoice),
    /// Which mirror images they look at as well.
    Flips(Flips),
    /// How they say how sure they are.
    Certainty(Certainty),
}

/// How predictions are made, what was made so, and what is kept of an earlier one.
#[derive(Debug, Default)]
pub(super) struct PredictHow {
    made: Option<Made>,
    pub contest: Contest,
    /// Where, if not where the network was trained.
    pub device: Option<DeviceChoice>,
    pub flips: Flips,
    pub certainty: Certainty,
}

/// Whose the prediction layer is, and how far it is.
#[derive(Clone, Debug)]
struct Made {
    layer: LayerId,
    by: ModelMark,
    /// Blocks that are finished.
    done: HashSet<PixelRect>,
    /// Where alone pixels are written by the prediction that runs.
    ground: Option<Mask>,
}

/// Predictions of equal marks have equal pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ModelMark {
    checksums: [u32; 2],
    flips: Flips,
    certainty: Certainty,
}

impl Session {
    pub(super) fn set_predicting(&mut self, choice: Predicting) -> Result<(), CommandError> {
        match choice {
            Predicting::Device(device) => self.predicting.device = Some(device),
            Predicting::Flips(flips) => self.predicting.flips = flips,
            Predicting::Certainty(certainty) => self.predicting.certainty = certainty,
        }
        Ok(())
    }

    /// Which mirror images predictions look at as well.
    pub const fn flips(&self) -> Flips {
        self.predicting.flips
    }

    /// How predictions say how sure they are.
    pub const fn certainty_measure(&self) -> Certainty {
        self.predicting.certainty
    }

    /// Predicts some ground with a run's best network. What the same network has predicted stays,
    /// and is not predicted again.
    pub(super) fn predict(
        &mut self,
        run: Option<PathBuf>,
        on: ScoreScope,
        near: Option<ImagePoint>,
    ) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if self.prediction_state.job.is_some() {
            return Err(CommandError::Busy("A prediction"));
        }
        let run = run
            .or_else(|| self.model_in_use())
            .ok_or(CommandError::NoRun)?;
        let plan = self.prediction_plan(&run)?;
        let plan = self.only_on(plan, on)?;
        let plan = match near {
            Some(point) => plan.in_order(BlockOrder::NearestFirst(point)),
            None => plan,
        };
        let differences = plan.differences(self.classes()).into_iter();
        for warning in differences.chain(plan.notes().iter().cloned()) {
            self.notify(Notice::warning(warning));
        }
        if self.label.is_none() {
            self.set_classes(plan.classes().clone());
        }
        self.start_prediction(plan, (run, on))
    }

    /// Predicts what is not known yet of what `plan` asks for.
    fn start_prediction(
        &mut self,
        plan: PredictPlan,
        (run, on): (PathBuf, ScoreScope),
    ) -> Result<(), CommandError> {
        let engine = self.engine()?.clone();
        let is_complete = self.prepare_layers(&plan);
        let done = self.predicting.made.as_ref().map(|made| made.done.clone());
        let plan = plan.without(done.unwrap_or_default());
        let job = engine.predict(plan, self.config.waker.clone());
        let id = self.list_job("Predicting", Leash::Prediction(job));
        self.prediction_state = PredictionState {
            job: Some(id),
            run: Some(run),
            on,
            is_complete,
            ..PredictionState::default()
        };
        Ok(())
    }

    /// Predicts a part of the image with a model that is being learned, in level-0 pixels. What was
    /// predicted here before stays elsewhere; a prediction from a file or from scribbles, which has
    /// other makers, does not.
    pub(super) fn predict_anew(
        &mut self,
        run: PathBuf,
        part: PixelRect,
    ) -> Result<(), CommandError> {
        let plan = self.prediction_plan(&run)?;
        let on = ScoreScope::Within(part);
        let plan = self.only_on(plan, on)?;
        let by = self.mark_of(&plan);
        if let Some(made) = &mut self.predicting.made
            && made.by != by
        {
            made.by = by;
            made.done.clear();
            self.prediction_state.is_complete = false;
        }
        self.start_prediction(plan, (run, on))
    }

    /// The run whose model made the prediction, if it was made here.
    pub(super) fn predicted_by(&self) -> Option<&Path> {
        let shown = self.prediction.as_ref()?.id;
        let made = self.predicting.made.as_ref();
        let run = self.prediction_state.run.as_deref();
        run.filter(|_| made.is_some_and(|made| made.layer == shown))
    }

    fn mark_of(&self, plan: &PredictPlan) -> ModelMark {
        ModelMark {
            checksums: plan.model().checksums(),
            flips: self.predicting.flips,
            certainty: self.predicting.certainty,
        }
    }

    fn prediction_plan(&self, run: &Path) -> Result<PredictPlan, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let source = Arc::clone(&image.source);
        let recipe = self.training.recipe.as_ref();
        let trained_on = recipe.map(|recipe| recipe.device.clone());
        let device = self.predicting.device.clone().or(trained_on);
        let plan = PredictPlan::new(run, source, device.unwrap_or_default())
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        Ok(plan
            .flipped(self.predicting.flips)
            .measured_by(&[self.predicting.certainty]))
    }

    fn only_on(&self, plan: PredictPlan, on: ScoreScope) -> Result<PredictPlan, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let bounds = image.size().bounds();
        let plan = match on {
            ScoreScope::Whole => Ok(plan),
            ScoreScope::Within(rect) => plan.within(rect.intersect(bounds)),
            ScoreScope::Selection => {
                let selected = self.selected.as_ref();
                let selected = selected.ok_or_else(|| refused("Nothing is selected"))?;
                plan.only_where(selected.ground.clone())
            }
            ScoreScope::DoneCells => {
                let coverage = self.coverage();
                let cells = coverage.cells_in(bounds);
                let done = cells.filter(|&cell| coverage.state(cell, None) == CellState::Done);
                let done: Vec<PixelRect> = done.map(|cell| coverage.rect(cell)).collect();
                if done.is_empty() {
                    return Err(refused("No cell is marked as done"));
                }
                plan.within_all(&done)
            }
            ScoreScope::HeldOut => {
                let blocks = self.held_out_ground().concat();
                if blocks.is_empty() {
                    return Err(refused("The model in use held no ground of this image out"));
                }
                plan.within_all(&blocks)
            }
            ScoreScope::Training => {
                let ground = self.scored_model();
                let ground = ground.ok_or_else(|| refused("It is not known what was learned from"));
                plan.only_where(ground?.learned.clone())
            }
        };
        plan.map_err(|error| CommandError::Refused(error.to_string()))
    }

    /// Keeps the layers of the same prediction, or puts new ones in place; whether they cover the
    /// whole image already.
    fn prepare_layers(&mut self, plan: &PredictPlan) -> bool {
        let by = self.mark_of(plan);
        let shown = self.prediction.as_ref().map(|layer| layer.id);
        let ground = plan.ground().cloned();
        if let Some(made) = &mut self.predicting.made
            && made.by == by
            && Some(made.layer) == shown
            && self.certainty.is_some()
        {
            made.ground = ground;
            return self.prediction_state.is_complete;
        }
        let size = plan.image_size();
        let layer = new_layer(self.next_number(), Mask::new(size));
        self.predicting.made = Some(Made {
            layer: layer.id,
            by,
            done: HashSet::new(),
            ground,
        });
        self.replace_layer(LayerKind::Prediction, Some(layer));
        let certainty = Layer {
            is_visible: false,
            ..new_layer(self.next_number(), Mask::new(size))
        };
        self.put_layer(LayerKind::Certainty, Some(certainty));
        false
    }

    pub(super) fn absorb_prediction(&mut self, id: JobId, event: PredictEvent) {
        match event {
            PredictEvent::DeviceChosen { name, reason } => {
                self.prediction_state.device = Some((name, reason));
            }
            PredictEvent::Progress {
                done_blocks,
                total_blocks,
            } => {
                self.prediction_state.blocks = (done_blocks, total_blocks);
                self.set_progress(id, done_blocks as f32 / total_blocks.max(1) as f32);
            }
            PredictEvent::Block {
                rect,
                classes,
                sure,
            } => {
                self.put_block(LayerKind::Prediction, rect, classes);
                self.put_block(LayerKind::Certainty, rect, sure);
                if let Some(made) = &mut self.predicting.made
                    && made.ground.is_none()
                {
                    made.done.insert(rect);
                }
            }
            PredictEvent::Finished(report) => {
                let state = &mut self.prediction_state;
                state.is_complete |= state.on == ScoreScope::Whole;
                if self.study.finetune.phase == FinetunePhase::Learning {
                    // One of many looks at a model that is being learned.
                    return;
                }
                let state = &self.prediction_state;
                let (what, seconds) = (words_of(state.on), report.seconds);
                self.notify(Notice::info(if report.blocks == 0 {
                    "That was predicted before, with the same network".to_owned()
                } else {
                    format!("Predicted {what} in {seconds:.0} s")
                }));
            }
        }
    }

    /// Writes what was predicted of a block, where it was asked for.
    fn put_block(&mut self, kind: LayerKind, rect: PixelRect, mut values: Vec<u8>) {
        let ground = self.predicting.made.as_ref();
        let wanted = ground.and_then(|made| Some(made.ground.as_ref()?.read_rect(rect)));
        let Some(layer) = self.layer_mut(kind) else {
            return;
        };
        if let Some(wanted) = wanted {
            let before = layer.mask.read_rect(rect);
            for ((value, before), wanted) in values.iter_mut().zip(before).zip(wanted) {
                if wanted == UNLABELED {
                    *value = before;
                }
            }
        }
        layer.mask.set_rect(rect, &values);
        self.mask_changed(kind, &[rect]);
    }

    pub(super) fn prediction_ended(&mut self, why: Option<String>) {
        self.prediction_state.job = None;
        self.contest_again();
        if !self.prediction_state.is_complete && why.is_some() {
            self.notify(Notice::warning(
                "The prediction was stopped; what is finished stays, and Predict goes on with the rest",
            ));
        }
    }
}

fn refused(why: &str) -> CommandError {
    CommandError::Refused(why.to_owned())
}

const fn words_of(on: ScoreScope) -> &'static str {
    match on {
        ScoreScope::Whole => "the whole image",
        ScoreScope::Within(_) => "what is in view",
        ScoreScope::Selection => "the selection",
        ScoreScope::DoneCells => "the cells that are done",
        ScoreScope::HeldOut => "the held-out ground",
        ScoreScope::Training => "the training ground",
    }
}
