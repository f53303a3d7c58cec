use std::path::PathBuf;

use super::maker::{MOST_ASIDE, Made};
use super::state::{Layer, LayerId, Session};
use super::{CommandError, LayerKind, Notice, PredictionState};
use crate::label::Mask;

/// The prediction whose place instant answers took, until they are switched off.
#[derive(Debug)]
pub(super) enum Replaced {
    Held(Box<Held>),
    /// Too large to be held; its finished blocks are beside the project.
    OnDisk,
}

#[derive(Debug)]
pub(super) struct Held {
    prediction: Layer,
    certainty: Option<Layer>,
    /// Whose it is, if it was predicted here.
    made: Option<Made>,
    state: PredictionState,
    /// The model that was in use.
    active: Option<PathBuf>,
}

impl Replaced {
    /// Bytes of its masks.
    pub(super) fn bytes_used(&self) -> usize {
        match self {
            Self::Held(held) => bytes_of([Some(&held.prediction), held.certainty.as_ref()]),
            Self::OnDisk => 0,
        }
    }
}

fn bytes_of(layers: [Option<&Layer>; 2]) -> usize {
    let masks = layers.into_iter().flatten().map(|layer| &layer.mask);
    masks.map(Mask::bytes_used).sum()
}

impl Session {
    /// Holds the prediction that is shown, whose place instant answers take.
    pub(super) fn set_prediction_aside(&mut self) -> Result<(), CommandError> {
        let Some(prediction) = self.prediction.clone() else {
            return Ok(());
        };
        let certainty = self.certainty.clone();
        let is_loading = certainty.as_ref().is_some_and(|layer| layer.is_loading);
        if prediction.is_loading || is_loading {
            return Err(CommandError::Busy("A prediction"));
        }
        let is_kept = self.maker().is_some() && self.block_store().is_some();
        let replaced = if bytes_of([Some(&prediction), certainty.as_ref()]) <= MOST_ASIDE {
            Some(Replaced::Held(Box::new(Held {
                prediction,
                certainty,
                made: self.take_maker(),
                state: self.prediction_state.clone(),
                active: self.study.finetune.active.clone(),
            })))
        } else {
            is_kept.then_some(Replaced::OnDisk)
        };
        let comes_back = if replaced.is_some() {
            "; it comes back when they are switched off"
        } else {
            ", which is too large to be held meanwhile: predict or open it again afterwards"
        };
        self.notify(Notice::info(format!(
            "Instant answers took the place of the prediction that was shown{comes_back}"
        )));
        self.study.instant.replaced = replaced;
        Ok(())
    }

    /// Shows the prediction again whose place instant answers took.
    pub(super) fn bring_replaced_back(&mut self) {
        match self.study.instant.replaced.take() {
            Some(Replaced::Held(held)) => self.put_held(*held),
            Some(Replaced::OnDisk) => {
                self.replace_layer(LayerKind::Prediction, None);
                self.prediction_state = PredictionState::default();
                self.look_for_kept_prediction();
            }
            None => {}
        }
    }

    fn put_held(&mut self, held: Held) {
        let [prediction, certainty] = [Some(held.prediction), held.certainty].map(|layer| {
            let id = LayerId(self.next_number());
            layer.map(|layer| Layer { id, ..layer })
        });
        self.replace_layer(LayerKind::Prediction, prediction);
        self.put_layer(LayerKind::Certainty, certainty);
        self.prediction_state = held.state;
        self.live.list_anew();
        let Some(made) = held.made else { return };
        self.put_maker(made);
        // Another measure or another model may have been chosen meanwhile.
        self.follow_measure();
        let active = self.study.finetune.active.clone();
        if let Some(run) = active.filter(|run| held.active.as_ref() != Some(run)) {
            self.turn_prediction_to(run);
        }
    }
}
