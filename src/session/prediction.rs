use std::path::PathBuf;
use std::sync::Arc;

use super::jobs::{JobId, Leash};
use super::labels::new_layer;
use super::state::{Layer, Session};
use super::{CommandError, LayerKind, Notice};
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

/// How predictions are made.
#[derive(Clone, Debug, Default)]
pub(super) struct PredictHow {
    /// Where, if not where the network was trained.
    pub device: Option<DeviceChoice>,
    pub flips: Flips,
    pub certainty: Certainty,
}

impl Session {
    /// Chooses where predictions are computed.
    pub(super) fn set_prediction_device(
        &mut self,
        device: DeviceChoice,
    ) -> Result<(), CommandError> {
        self.predict_how.device = Some(device);
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

    pub(super) fn set_certainty(&mut self, certainty: Certainty) -> Result<(), CommandError> {
        self.predict_how.certainty = certainty;
        Ok(())
    }

    pub(super) fn set_flips(&mut self, flips: Flips) -> Result<(), CommandError> {
        self.predict_how.flips = flips;
        Ok(())
    }

    pub(super) fn predict(&mut self, run: Option<PathBuf>) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if self.prediction_state.job.is_some() {
            return Err(CommandError::Busy("A prediction"));
        }
        let run = run.or_else(|| self.last_run()).ok_or(CommandError::NoRun)?;
        let image = self.image.as_ref().ok_or(CommandError::NoImage)?;
        let size = image.size();
        let source = Arc::clone(&image.source);
        let trained_on = self
            .training
            .recipe
            .as_ref()
            .map(|recipe| recipe.device.clone());
        let device = self
            .predict_how
            .device
            .clone()
            .or(trained_on)
            .unwrap_or_default();
        let plan = PredictPlan::new(&run, source, device)
            .map_err(|error| CommandError::Refused(error.to_string()))?
            .flipped(self.predict_how.flips)
            .measured_by(self.predict_how.certainty);
        let differences = plan.differences(self.classes()).into_iter();
        for warning in differences.chain(plan.notes().iter().cloned()) {
            self.notify(Notice::warning(warning));
        }
        if self.label.is_none() {
            self.set_classes(plan.classes().clone());
        }
        let waker = self.config.waker.clone();
        let job = self.engine()?.predict(plan, waker);
        let id = self.list_job("Predicting", Leash::Prediction(job));
        let layer = new_layer(self.next_number(), Mask::new(size));
        self.replace_layer(LayerKind::Prediction, Some(layer));
        let certainty = Layer {
            is_visible: false,
            ..new_layer(self.next_number(), Mask::new(size))
        };
        self.put_layer(LayerKind::Certainty, Some(certainty));
        self.prediction_state = PredictionState {
            job: Some(id),
            run: Some(run),
            ..PredictionState::default()
        };
        Ok(())
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
