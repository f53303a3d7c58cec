use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::jobs::{JobId, Leash};
use super::labels::new_layer;
use super::state::{Layer, OpenImage, Session};
use super::{CommandError, LayerKind, Notice};
use crate::geom::PixelRect;
use crate::label::Mask;
use crate::train::{Certainty, DeviceChoice, Flips, PredictEvent, PredictPlan};

/// The prediction that runs or ran last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictionState {
    /// Its job while it runs.
    pub job: Option<JobId>,
    /// Blocks finished and blocks in all.
    pub blocks: (u64, u64),
    /// The run whose network predicts.
    pub run: Option<PathBuf>,
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

/// How predictions are made.
#[derive(Clone, Debug, Default)]
pub(super) struct PredictHow {
    /// Where, if not where the network was trained.
    pub device: Option<DeviceChoice>,
    pub flips: Flips,
    pub certainty: Certainty,
}

impl Session {
    pub(super) fn set_predicting(&mut self, choice: Predicting) -> Result<(), CommandError> {
        match choice {
            Predicting::Device(device) => self.predict_how.device = Some(device),
            Predicting::Flips(flips) => self.predict_how.flips = flips,
            Predicting::Certainty(certainty) => self.predict_how.certainty = certainty,
        }
        Ok(())
    }

    /// Which mirror images predictions look at as well.
    pub const fn flips(&self) -> Flips {
        self.predict_how.flips
    }

    /// How predictions say how sure they are.
    pub const fn certainty_measure(&self) -> Certainty {
        self.predict_how.certainty
    }

    pub(super) fn predict(&mut self, run: Option<PathBuf>) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if self.prediction_state.job.is_some() {
            return Err(CommandError::Busy("A prediction"));
        }
        let run = run
            .or_else(|| self.model_in_use())
            .ok_or(CommandError::NoRun)?;
        let plan = self.prediction_plan(&run)?;
        let differences = plan.differences(self.classes()).into_iter();
        for warning in differences.chain(plan.notes().iter().cloned()) {
            self.notify(Notice::warning(warning));
        }
        if self.label.is_none() {
            self.set_classes(plan.classes().clone());
        }
        self.start_prediction(plan, run)?;
        self.clear_prediction();
        Ok(())
    }

    /// Predicts a part of the image, in level-0 pixels, and leaves the rest of the prediction.
    pub(super) fn predict_within(
        &mut self,
        run: PathBuf,
        part: PixelRect,
    ) -> Result<(), CommandError> {
        let size = self.image.as_ref().ok_or(CommandError::NoImage)?.size();
        let plan = self
            .prediction_plan(&run)?
            .within(part.intersect(size.bounds()))
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        self.start_prediction(plan, run)?;
        if self.prediction.is_none() {
            self.clear_prediction();
        }
        Ok(())
    }

    /// A prediction of the whole image by the model of `run`, as it is set.
    fn prediction_plan(&self, run: &Path) -> Result<PredictPlan, CommandError> {
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let recipe = self.training.recipe.as_ref();
        let trained_on = recipe.map(|recipe| recipe.device.clone());
        let device = self.predict_how.device.clone().or(trained_on);
        let plan = PredictPlan::new(run, Arc::clone(&image.source), device.unwrap_or_default())
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        Ok(plan
            .flipped(self.predict_how.flips)
            .measured_by(self.predict_how.certainty))
    }

    fn start_prediction(&mut self, plan: PredictPlan, run: PathBuf) -> Result<(), CommandError> {
        let waker = self.config.waker.clone();
        let job = self.engine()?.predict(plan, waker);
        let id = self.list_job("Predicting", Leash::Prediction(job));
        self.prediction_state = PredictionState {
            job: Some(id),
            run: Some(run),
            ..PredictionState::default()
        };
        Ok(())
    }

    /// Nothing is predicted yet.
    fn clear_prediction(&mut self) {
        let Some(size) = self.image.as_ref().map(OpenImage::size) else {
            return;
        };
        let layer = new_layer(self.next_number(), Mask::new(size));
        self.replace_layer(LayerKind::Prediction, Some(layer));
        let certainty = Layer {
            is_visible: false,
            ..new_layer(self.next_number(), Mask::new(size))
        };
        self.put_layer(LayerKind::Certainty, Some(certainty));
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
                let layers = [
                    (LayerKind::Prediction, classes),
                    (LayerKind::Certainty, sure),
                ];
                for (kind, values) in layers {
                    if let Some(layer) = self.layer_mut(kind) {
                        layer.mask.set_rect(rect, &values);
                        self.mask_changed(kind, &[rect]);
                    }
                }
            }
            PredictEvent::Finished(report) => {
                let seconds = report.seconds;
                self.prediction_state.is_complete = true;
                self.notify(Notice::info(format!(
                    "Predicted the whole image in {seconds:.0} s"
                )));
            }
        }
    }

    pub(super) fn prediction_ended(&mut self, why: Option<String>) {
        self.prediction_state.job = None;
        if !self.prediction_state.is_complete && why.is_some() {
            self.notify(Notice::warning(
                "The prediction was stopped; what is finished stays",
            ));
        }
    }
}
