use std::path::PathBuf;

use super::maker::{MOST_ASIDE, Made};
use super::state::{Layer, LayerId, Session};
use super::{CommandError, LayerKind, Notice, PredictionState};
use crate::train::Certainty;

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
    /// How sure it is by one of the measures.
    sure: Option<(Certainty, Layer)>,
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
            Self::Held(held) => {
                bytes_of(&held.prediction, held.sure.as_ref().map(|(_, layer)| layer))
            }
            Self::OnDisk => 0,
        }
    }
}

fn bytes_of(prediction: &Layer, sure: Option<&Layer>) -> usize {
    prediction.mask.bytes_used() + sure.map_or(0, |layer| layer.mask.bytes_used())
}

impl Session {
    /// Holds the prediction that is shown, whose place instant answers take.
    pub(super) fn set_prediction_aside(&mut self) -> Result<(), CommandError> {
        let Some(prediction) = self.prediction.clone() else {
            return Ok(());
        };
        let sure = self.certainty().cloned();
        let is_loading = sure.as_ref().is_some_and(|layer| layer.is_loading);
        if prediction.is_loading || is_loading {
            return Err(CommandError::Busy("A prediction"));
        }
        let is_kept = self.maker().is_some() && self.block_store().is_some();
        let replaced = if bytes_of(&prediction, sure.as_ref()) <= MOST_ASIDE {
            Some(Replaced::Held(Box::new(Held {
                prediction,
                sure: sure.map(|layer| (self.certainty_measure(), layer)),
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
        let id = LayerId(self.next_number());
        let prediction = Layer {
            id,
            ..held.prediction
        };
        self.replace_layer(LayerKind::Prediction, Some(prediction));
        if let Some((measure, layer)) = held.sure {
            let id = LayerId(self.next_number());
            self.put_layer(LayerKind::Certainty(measure), Some(Layer { id, ..layer }));
        }
        self.prediction_state = held.state;
        self.live.list_anew();
        let Some(made) = held.made else { return };
        self.put_maker(made);
        // Other measures or another model may be wanted by now.
        self.follow_measures();
        let active = self.study.finetune.active.clone();
        if let Some(run) = active.filter(|run| held.active.as_ref() != Some(run)) {
            self.turn_prediction_to(run);
        }
    }
}
