use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::asked::Asked;
use super::jobs::{JobId, Leash};
use super::kept_places::KeptPlaces;
use super::maker::{Made, Makers, ModelMark, TakesPlace};
use super::state::{Layer, LayerId, Session};
use super::{CommandError, Contest, FinetunePhase, LayerKind, Notice, ScoreScope};
use crate::geom::{ImagePoint, PixelRect};
use crate::label::{Mask, UNLABELED, WantedCells};
use crate::train::{
    BlockOrder, Certainty, DecisionThreshold, DeviceChoice, Flips, KeptBlocks, PredictEvent,
    PredictPlan,
};

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
    /// Blocks that were computed; the others were there before. Known when it has ended well.
    pub computed: u64,
    /// The title of what computed for long when it began.
    pub(super) beside: Option<String>,
}

impl PredictionState {
    /// The title of what waits between two of its steps, like a training, until the prediction that
    /// runs is there.
    pub fn waiting(&self) -> Option<&str> {
        self.beside.as_deref().filter(|_| self.job.is_some())
    }
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
    pub makers: Makers,
    pub contest: Contest,
    pub kept: KeptPlaces,
    /// Where, if not where the network was trained.
    pub device: Option<DeviceChoice>,
    pub flips: Flips,
    /// From which probability on the second of two classes is predicted.
    pub threshold: DecisionThreshold,
    pub certainty: Certainty,
    /// Measures that are held beside the chosen one.
    pub measures: Vec<Certainty>,
    /// What was predicted where the label, this layer, was found right, and where it was left
    /// without a class.
    pub refused: Option<(LayerId, [Mask; 2])>,
}

impl Session {
    pub(super) fn set_predicting(&mut self, choice: Predicting) -> Result<(), CommandError> {
        match choice {
            Predicting::Device(device) => self.predicting.device = Some(device),
            Predicting::Flips(flips) => self.predicting.flips = flips,
            Predicting::Certainty(certainty) => {
                self.predicting.certainty = certainty;
                self.follow_measures();
            }
        }
        Ok(())
    }

    /// Which mirror images predictions look at as well.
    pub const fn flips(&self) -> Flips {
        self.predicting.flips
    }

    /// The measure by which it is told how sure the prediction is.
    pub const fn certainty_measure(&self) -> Certainty {
        self.predicting.certainty
    }

    /// How sure the prediction is by that measure, where it is known.
    pub const fn certainty(&self) -> Option<&Layer> {
        self.layer(LayerKind::Certainty(self.certainty_measure()))
    }

    /// Predicts some ground with a run's best network. What the same network has predicted stays,
    /// and is not predicted again.
    pub(super) fn predict(
        &mut self,
        run: Option<PathBuf>,
        on: ScoreScope,
        near: Option<ImagePoint>,
    ) -> Result<(), CommandError> {
        self.refuse_while_predicting()?;
        let run = run
            .or_else(|| self.model_in_use())
            .ok_or(CommandError::NoRun)?;
        let plan = self.prediction_plan(&run)?;
        let plan = self.only_on(plan, on)?;
        self.begin_prediction(plan, (run, on), near)
    }

    pub(super) fn refuse_while_predicting(&self) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        match self.prediction_state.job {
            Some(_) => Err(CommandError::Busy("A prediction")),
            None => Ok(()),
        }
    }

    /// Begins what somebody asked for, and says what they should know.
    pub(super) fn begin_prediction(
        &mut self,
        plan: PredictPlan,
        (run, on): (PathBuf, ScoreScope),
        near: Option<ImagePoint>,
    ) -> Result<(), CommandError> {
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
        self.start_prediction(plan, (run, on), TakesPlace::AtOnce)?;
        self.show_layer(LayerKind::Prediction, true)
    }

    /// Predicts what is not known yet of what `plan` asks for.
    pub(super) fn start_prediction(
        &mut self,
        plan: PredictPlan,
        (run, on): (PathBuf, ScoreScope),
        place: TakesPlace,
    ) -> Result<(), CommandError> {
        let engine = self.engine()?.clone();
        let mut made = self.asked_of(&plan, &run, on);
        let by = made.by;
        let finished = self.decided_otherwise(&mut made);
        let known = self.prepare_layers(made, place);
        let shown = self.maker().filter(|shown| shown.by == by);
        let is_complete = shown.is_some_and(|shown| shown.is_whole);
        // One of many looks at a model that is being learned is not worth the disk.
        let is_lasting = place == TakesPlace::AtOnce;
        let store = self.store_for(&run).filter(|_| is_lasting);
        let plan = plan.without(known);
        let plan = match self.kept_blocks() {
            Some(kept) => plan.keeping(kept, store).deciding_anew(finished),
            None => plan,
        };
        // Looks at a model that is being learned are short.
        let beside = self.computes_long().filter(|_| is_lasting);
        let beside = beside.map(ToOwned::to_owned);
        let title = beside.as_ref().map_or_else(
            || "Predicting".to_owned(),
            |waits| format!("Predicting; “{waits}” waits"),
        );
        let job = engine.predict(plan, self.config.waker.clone());
        let id = self.list_job(title, Leash::Prediction(job));
        self.prediction_state = PredictionState {
            job: Some(id),
            run: Some(run),
            on,
            is_complete,
            beside,
            ..PredictionState::default()
        };
        Ok(())
    }

    /// Predicts a part of the image with a model that is being learned, in level-0 pixels. What
    /// another model predicted stays until its first block is there.
    pub(super) fn predict_anew(
        &mut self,
        run: PathBuf,
        part: PixelRect,
    ) -> Result<(), CommandError> {
        let plan = self.prediction_plan(&run)?;
        let on = ScoreScope::Within(part);
        let plan = self.only_on(plan, on)?;
        self.start_prediction(plan, (run, on), TakesPlace::WithFirstBlock)
    }

    /// The run whose model made the prediction, if it was made here.
    pub(super) fn predicted_by(&self) -> Option<&Path> {
        self.maker().map(|made| made.run.as_path())
    }

    /// What `plan` asks of the model of `run`; nothing of it is there yet.
    pub(super) fn asked_of(&self, plan: &PredictPlan, run: &Path, on: ScoreScope) -> Made {
        let by = ModelMark {
            checksums: plan.model().checksums(),
            flips: self.predicting.flips,
            threshold: plan.threshold(),
        };
        let asked = Asked::of(plan, on);
        let kept = Arc::new(KeptBlocks::new(plan.model().folder()));
        Made::new(by, run.to_owned(), asked, plan.classes().clone(), kept)
    }

    pub(super) fn prediction_plan(&self, run: &Path) -> Result<PredictPlan, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let source = Arc::clone(&image.source);
        let recipe = self.training.recipe.as_ref();
        let trained_on = recipe.map(|recipe| recipe.device.clone());
        let device = self.predicting.device.clone().or(trained_on);
        let plan = PredictPlan::new(run, source, device.unwrap_or_default())
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        let how = &self.predicting;
        Ok(plan.flipped(how.flips).decided_at(how.threshold))
    }

    pub(super) fn only_on(
        &self,
        plan: PredictPlan,
        on: ScoreScope,
    ) -> Result<PredictPlan, CommandError> {
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
            ScoreScope::Cells(wanted) => {
                let cells = self.coverage().rects(wanted);
                if cells.is_empty() {
                    return Err(refused(match wanted {
                        WantedCells::Done => "No cell is marked as done",
                        WantedCells::Review => "No cell is marked as in need of review",
                        WantedCells::Open => "All cells are marked as done",
                    }));
                }
                plan.within_all(&cells)
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

    pub(super) fn absorb_prediction(&mut self, id: JobId, event: PredictEvent) {
        if self.prediction_state.job != Some(id) {
            // It was stopped, since another model's is wanted by now.
            return;
        }
        match event {
            PredictEvent::DeviceChosen { name, reason } => {
                self.prediction_state.device = Some((name, reason));
            }
            PredictEvent::Progress {
                done_blocks,
                total_blocks,
            } => {
                self.prediction_state.blocks = (done_blocks, total_blocks);
                if let Some(made) = self.running_maker() {
                    made.blocks = (done_blocks, total_blocks);
                }
                self.set_progress(id, done_blocks as f32 / total_blocks.max(1) as f32);
            }
            PredictEvent::Share(share) => self.set_progress(id, share as f32),
            PredictEvent::Block {
                rect,
                classes,
                sure,
            } => {
                if !self.is_block_wanted() {
                    return;
                }
                if let Some(made) = self.maker_mut() {
                    made.done.note(rect, made.asked.sum, &classes);
                }
                self.put_block(LayerKind::Prediction, rect, classes);
                for (measure, sure) in Certainty::ALL.into_iter().zip(sure) {
                    self.put_block(LayerKind::Certainty(measure), rect, sure);
                }
                self.paint_over_replaced(rect);
            }
            PredictEvent::NotKept(why) => self.notify(Notice::warning(format!(
                "The prediction goes on, but its blocks are not kept: after a crash they are \
                 computed again ({why})"
            ))),
            PredictEvent::Finished(report) => {
                self.prediction_state.computed = report.blocks;
                self.ground_predicted();
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
        let ground = self.maker().and_then(|made| made.asked.ground.as_ref());
        let wanted = ground.map(|ground| ground.read_rect(rect));
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

    /// `why` is the reason when the job did not finish.
    pub(super) fn prediction_ended(&mut self, id: JobId, why: Option<String>) {
        if self.prediction_state.job != Some(id) {
            return;
        }
        if why.is_some() && self.prediction_state.on == ScoreScope::Whole {
            self.want_no_more();
        }
        self.prediction_state.job = None;
        if why.is_some() {
            self.look_no_further();
        }
        let is_as_before = why.is_some() && self.show_replaced_again();
        self.tell_maker();
        self.live.list_anew();
        if is_as_before {
            self.notify(Notice::info(
                "The prediction ended before its first block; the one before is shown again",
            ));
        } else if !self.prediction_state.is_complete && why.is_some() {
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
        ScoreScope::Cells(WantedCells::Done) => "the cells that are done",
        ScoreScope::Cells(WantedCells::Review) => "the cells that need review",
        ScoreScope::Cells(WantedCells::Open) => "the cells that are not done",
        ScoreScope::HeldOut => "the held-out ground",
        ScoreScope::Training => "the training ground",
    }
}
