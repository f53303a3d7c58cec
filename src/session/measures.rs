use std::sync::Arc;

use super::jobs::Report;
use super::labels::new_layer;
use super::prediction::PredictHow;
use super::state::{Layer, LayerId, Session};
use super::{Change, CommandError, LayerKind, Notice};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, MaskLevels, UNLABELED};
use crate::raster::BandMeaning;
use crate::train::{Certainty, KeptBlocks};

/// A measure that was read back.
pub(super) struct ReadMeasure {
    mask: Mask,
    levels: MaskLevels,
}

impl Session {
    /// Whether it can be shown how sure the prediction is by this measure, without another
    /// prediction.
    pub fn can_measure(&self, by: Certainty) -> bool {
        let is_there = self.layer(LayerKind::Certainty(by)).is_some();
        is_there || self.maker().is_some() || self.instant().is_some()
    }

    /// Whether [`PredictionCommand::Measures`](super::PredictionCommand::Measures) is due so that
    /// these are held.
    pub fn wants_measures(&self, measures: &[Certainty]) -> bool {
        self.predicting.measures != measures
    }

    pub(super) fn hold_measures(&mut self, measures: Vec<Certainty>) -> Result<(), CommandError> {
        self.predicting.measures = measures;
        self.follow_measures();
        Ok(())
    }

    /// The chosen measure, and those that are held beside it.
    pub(super) fn held_measures(&self) -> Vec<Certainty> {
        let PredictHow {
            certainty,
            measures,
            ..
        } = &self.predicting;
        let is_held = |one: &Certainty| one == certainty || measures.contains(one);
        Certainty::ALL.into_iter().filter(is_held).collect()
    }

    /// What the numbers of a layer stand for, if it says how sure the prediction is.
    pub(super) fn meaning_of(&self, kind: LayerKind) -> Option<BandMeaning> {
        let LayerKind::Certainty(measure) = kind else {
            return None;
        };
        let classes = self.maker().map(|made| made.classes.num_classes());
        Some(measure.meaning(classes))
    }

    /// Nothing is measured yet of an image of `size`.
    pub(super) fn bare_measures(&self, size: ImageSize) -> Vec<(Certainty, Mask)> {
        let held = self.held_measures().into_iter();
        held.map(|measure| (measure, Mask::new(size))).collect()
    }

    /// Makes layers of measures. They look like those that are there; the first is hidden.
    pub(super) fn put_measures(&mut self, measured: Vec<(Certainty, Mask)>) {
        for (measure, mask) in measured {
            let fresh = new_layer(self.next_number(), mask);
            let known = self.certainty.iter().flatten().next();
            let (is_visible, opacity) = known.map_or((false, fresh.opacity), |known| {
                (known.is_visible, known.opacity)
            });
            let fresh = Layer {
                is_visible,
                opacity,
                ..fresh
            };
            self.put_layer(LayerKind::Certainty(measure), Some(fresh));
        }
    }

    pub(super) fn drop_measures(&mut self) {
        for measure in Certainty::ALL {
            self.put_layer(LayerKind::Certainty(measure), None);
        }
    }

    /// Has layers of the measures that are wanted of what is predicted, read from the disk or
    /// answered anew, and no others.
    pub(super) fn follow_measures(&mut self) {
        let held = self.held_measures();
        let is_there = |&measure: &Certainty| self.layer(LayerKind::Certainty(measure)).is_some();
        let missing: Vec<Certainty> = held.iter().copied().filter(|one| !is_there(one)).collect();
        match self.maker().map(|made| Arc::clone(&made.kept)) {
            Some(kept) => {
                for measure in missing {
                    self.read_measure(measure, Arc::clone(&kept));
                }
            }
            None if missing.is_empty() => {}
            None => self.answer_anew(missing),
        }
        // Answers that are not answered anew keep what they have.
        if self.certainty().is_some() {
            for other in Certainty::ALL.into_iter().filter(|one| !held.contains(one)) {
                self.put_layer(LayerKind::Certainty(other), None);
            }
        }
    }

    fn read_measure(&mut self, measure: Certainty, kept: Arc<KeptBlocks>) {
        let Some(size) = self.prediction.as_ref().map(|layer| layer.mask.size()) else {
            return;
        };
        self.put_measures(vec![(measure, Mask::new(size))]);
        let Some(fresh) = self.layer_mut(LayerKind::Certainty(measure)) else {
            return;
        };
        fresh.is_loading = true;
        let id = fresh.id;
        self.start_quiet_job("Reading how sure the prediction is", move |job| {
            let read = kept.mask(measure, size, &|| job.check().is_ok());
            job.check()?;
            let read = read.map(|mask| ReadMeasure::of(mask.unwrap_or_else(|| Mask::new(size))));
            let read = read.map_err(|error| error.to_string());
            job.tell(Report::MeasureRead(id, Box::new(read)))?;
            Ok(())
        });
    }

    /// Blocks that came while it was read are newer.
    pub(super) fn measure_read(&mut self, id: LayerId, read: Result<ReadMeasure, String>) {
        // It may be wanted no more.
        let Some(kind) = self.kind_of(id) else { return };
        let Some(layer) = self.layer_mut(kind) else {
            return;
        };
        layer.is_loading = false;
        let ReadMeasure { mask, levels } = match read {
            Ok(read) => read,
            Err(why) => {
                layer.broken = Some(why.clone());
                return self.notify(Notice::error(why));
            }
        };
        let came = std::mem::replace(&mut layer.mask, mask);
        layer.mask.lay_over(&came);
        let newer = came.tiles();
        let newer = newer.filter(|(.., tile)| tile.uniform_class() != Some(UNLABELED));
        let newer: Vec<PixelRect> = newer
            .map(|(col, row, _)| came.tile_rect(col, row))
            .collect();
        let levels = Box::new(levels);
        self.changes.push(Change::MaskLoaded { layer: id, levels });
        self.mask_changed(kind, &newer);
    }
}

impl ReadMeasure {
    fn of(mask: Mask) -> Self {
        let mut levels = MaskLevels::new(mask.size());
        let root = levels.shape().root();
        levels.tile(&mask, root);
        Self { mask, levels }
    }
}
