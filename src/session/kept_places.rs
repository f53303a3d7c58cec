use std::path::Path;

use super::contest::MadeBy;
use super::labels::new_layer;
use super::state::{Layer, Session};
use super::{CommandError, LayerKind};
use crate::label::Mask;
use crate::train::Flips;

/// Kept predictions take no more than this together, in bytes; one is kept however large it is.
const MOST_KEPT: usize = 2 << 30;

/// Where a prediction is kept, so that panes can show it beside others; there are as many places as
/// panes. A prediction stays in its place until it is dropped or its network's next one is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeptPlace {
    /// Taken first.
    #[default]
    First,
    /// Taken when the first one is not free.
    Second,
    /// Taken when the first two are not free.
    Third,
    /// Taken last.
    Fourth,
}

impl KeptPlace {
    /// All of them, in the order in which they are taken.
    pub const ALL: [Self; 4] = [Self::First, Self::Second, Self::Third, Self::Fourth];
}

/// The predictions that are kept.
#[derive(Debug, Default)]
pub(super) struct KeptPlaces {
    layers: [Option<Layer>; KeptPlace::ALL.len()],
    made_by: [Option<MadeBy>; KeptPlace::ALL.len()],
}

impl KeptPlaces {
    pub const fn layer(&self, place: KeptPlace) -> Option<&Layer> {
        self.layers[place as usize].as_ref()
    }

    pub const fn layer_mut(&mut self, place: KeptPlace) -> &mut Option<Layer> {
        &mut self.layers[place as usize]
    }

    pub const fn made_by(&self, place: KeptPlace) -> Option<&MadeBy> {
        self.made_by[place as usize].as_ref()
    }

    pub fn masks(&self) -> impl Iterator<Item = &Mask> {
        self.layers.iter().flatten().map(|layer| &layer.mask)
    }

    /// The place of what `by` made before, else a free one.
    fn place_for(&self, by: Option<&MadeBy>) -> Option<KeptPlace> {
        let is_same = |&place: &KeptPlace| {
            let pair = self.made_by(place).zip(by);
            pair.is_some_and(|(kept, by)| {
                (&kept.run, kept.flips, kept.threshold) == (&by.run, by.flips, by.threshold)
            })
        };
        let is_free = |&place: &KeptPlace| self.layer(place).is_none();
        let mut places = KeptPlace::ALL.into_iter();
        places
            .clone()
            .find(is_same)
            .or_else(|| places.find(is_free))
    }
}

impl Session {
    /// Where predictions are kept.
    pub fn kept_places(&self) -> impl Iterator<Item = KeptPlace> {
        let kept = &self.predicting.kept;
        let places = KeptPlace::ALL.into_iter();
        places.filter(|&place| kept.layer(place).is_some())
    }

    /// The run whose network made a kept prediction, when it is known.
    pub fn kept_by(&self, place: KeptPlace) -> Option<&Path> {
        let made_by = self.predicting.kept.made_by(place);
        made_by.map(|by| by.run.as_path())
    }

    /// Whether the network saw mirror images, too, when it made a kept prediction.
    pub fn kept_flips(&self, place: KeptPlace) -> Flips {
        let made_by = self.predicting.kept.made_by(place);
        made_by.map_or(Flips::None, |by| by.flips)
    }

    /// Keeps the prediction beside those that are kept, and compares with it from now on.
    pub(super) fn keep_prediction(&mut self) -> Result<(), CommandError> {
        let prediction = self.prediction.as_ref().ok_or(CommandError::NoPrediction)?;
        if self.prediction_state.job.is_some() || prediction.is_loading {
            return Err(CommandError::Busy("A prediction"));
        }
        let (mask, path) = (prediction.mask.clone(), prediction.path.clone());
        let made_by = self.made_by();
        let place = self.place_to_keep(made_by.as_ref(), &mask)?;
        self.drop_kept(place);
        let layer = Layer {
            path,
            ..new_layer(self.next_number(), mask)
        };
        self.put_layer(LayerKind::Kept(place), Some(layer));
        self.predicting.kept.made_by[place as usize] = made_by;
        self.compare_with(place)
    }

    fn place_to_keep(&self, by: Option<&MadeBy>, mask: &Mask) -> Result<KeptPlace, CommandError> {
        let help = "Drop one first (Train › Drop kept prediction)";
        let kept = &self.predicting.kept;
        let place = kept.place_for(by).ok_or_else(|| {
            CommandError::Refused(format!("Four predictions are kept already. {help}"))
        })?;
        let others = self.kept_places().filter(|&other| other != place);
        let others: Vec<&Layer> = others.filter_map(|other| kept.layer(other)).collect();
        let bytes: usize = others.iter().map(|layer| layer.mask.bytes_used()).sum();
        if !others.is_empty() && bytes + mask.bytes_used() > MOST_KEPT {
            let why = "Kept predictions of an image as large as this one take too much memory";
            return Err(CommandError::Refused(format!("{why}. {help}")));
        }
        Ok(place)
    }

    pub(super) fn drop_all_kept(&mut self) {
        for place in KeptPlace::ALL {
            self.drop_kept(place);
        }
    }

    /// Lets go of a kept prediction; what was compared with it is compared with the last of the
    /// others.
    pub(super) fn drop_kept(&mut self, place: KeptPlace) {
        self.put_layer(LayerKind::Kept(place), None);
        self.predicting.kept.made_by[place as usize] = None;
        if self.contest().a() == place {
            self.end_contest();
            if let Some(other) = self.kept_places().last() {
                self.predicting.contest.turn_to(other);
            }
        }
    }
}
