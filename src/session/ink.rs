use super::CommandError;
use super::state::Session;
use crate::label::{PaintOver, Source, Stencil, UNLABELED};

/// What comes out of the brush.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum InkChoice {
    /// The active class.
    #[default]
    ActiveClass,
    /// What the prediction says of each pixel.
    Prediction(PredictionInk),
}

/// Which pixels of a prediction are taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PredictionInk {
    /// Only this class; `None`: all.
    pub only: Option<u8>,
    /// The smallest probability, 0 to 1; counts where the prediction was made here.
    pub least: f32,
}

impl Session {
    /// What tools paint with.
    pub const fn ink(&self) -> InkChoice {
        self.ink
    }

    /// Whether tools paint what the prediction says: it is chosen and there is one.
    pub const fn paints_prediction(&self) -> bool {
        matches!(self.ink, InkChoice::Prediction(_)) && self.prediction.is_some()
    }

    pub(super) fn set_ink(&mut self, ink: InkChoice) -> Result<(), CommandError> {
        self.refuse_during_stroke()?;
        if matches!(ink, InkChoice::Prediction(_)) && self.prediction.is_none() {
            return Err(CommandError::NoPrediction);
        }
        self.ink = ink;
        Ok(())
    }

    /// What `class` is painted through: the selection, and the prediction when it is the ink.
    pub(super) fn stencil(&self, class: u8) -> Stencil {
        Stencil {
            within: self
                .selected
                .as_ref()
                .map(|selected| selected.ground.clone()),
            source: match self.ink {
                InkChoice::Prediction(ink) if class != UNLABELED => self.source(ink),
                _ => None,
            },
        }
    }

    /// The part of the prediction that an ink takes over.
    pub(super) fn source(&self, ink: PredictionInk) -> Option<Source> {
        let prediction = self.prediction.as_ref()?;
        let sure = self.certainty().filter(|_| ink.least > 0.0);
        let least = (ink.least.clamp(0.0, 1.0) * 254.0).round() as u8;
        Some(Source {
            classes: prediction.mask.clone(),
            only: match ink.only {
                Some(class) => PaintOver::only([class]),
                None => PaintOver::everything(),
            },
            sure: sure.map(|sure| (sure.mask.clone(), least)),
        })
    }
}
