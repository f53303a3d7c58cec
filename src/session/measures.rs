use std::sync::Arc;

use super::jobs::Report;
use super::labels::new_layer;
use super::state::{Layer, LayerId, Session};
use super::{Change, LayerKind, Notice};
use crate::geom::PixelRect;
use crate::label::{Mask, MaskLevels, UNLABELED};
use crate::raster::BandMeaning;
use crate::train::{Certainty, KeptBlocks, PredictPlan};

/// How sure a prediction is: one measure is in memory as a layer, all are on the disk.
#[derive(Clone, Debug)]
pub(super) struct Measures {
    kept: Arc<KeptBlocks>,
    /// The one that the layer shows.
    shown: Certainty,
}

/// A measure that was read back.
pub(super) struct ReadMeasure {
    mask: Mask,
    levels: MaskLevels,
}

impl Measures {
    /// Those of a prediction that was made before; the usual one is shown.
    pub(super) fn read(kept: KeptBlocks) -> Self {
        Self {
            kept: Arc::new(kept),
            shown: Certainty::default(),
        }
    }
}

impl Session {
    /// Whether the layer of certainty can show another measure without another prediction.
    pub fn can_remeasure(&self) -> bool {
        self.maker().is_some() || self.instant().is_some()
    }

    /// What the numbers of the layer of certainty stand for.
    pub(super) fn shown_meaning(&self) -> BandMeaning {
        let classes = self.maker().map(|made| made.classes.num_classes());
        self.certainty_measure().meaning(classes)
    }

    /// Nothing is measured yet of what `plan` predicts.
    pub(super) fn measures_of(&self, plan: &PredictPlan) -> Measures {
        Measures {
            kept: Arc::new(KeptBlocks::new(plan.model().folder())),
            shown: self.certainty_measure(),
        }
    }

    /// Where the prediction that runs next keeps its blocks.
    pub(super) fn kept_blocks(&self) -> Option<Arc<KeptBlocks>> {
        let measures = self.coming_measures();
        measures.map(|measures| Arc::clone(&measures.kept))
    }

    /// What of a block that was measured in all ways belongs to the layer of certainty.
    pub(super) fn measured(&self, mut sure: Vec<Vec<u8>>) -> Vec<u8> {
        let shown = self.maker().map(|made| made.measures.shown);
        let place = Certainty::ALL.iter().position(|&one| Some(one) == shown);
        sure.swap_remove(place.unwrap_or_default())
    }

    /// Shows the chosen measure of what is predicted: read from the disk, or answered anew.
    pub(super) fn follow_measure(&mut self) {
        let chosen = self.certainty_measure();
        let Some(measures) = self.maker_mut().map(|made| &mut made.measures) else {
            return self.answer_anew();
        };
        if measures.shown == chosen {
            return;
        }
        measures.shown = chosen;
        let kept = Arc::clone(&measures.kept);
        let Some(old) = &self.certainty else { return };
        let (size, is_visible, opacity) = (old.mask.size(), old.is_visible, old.opacity);
        let fresh = Layer {
            is_visible,
            opacity,
            is_loading: true,
            ..new_layer(self.next_number(), Mask::new(size))
        };
        let id = fresh.id;
        self.put_layer(LayerKind::Certainty, Some(fresh));
        self.start_quiet_job("Reading how sure the prediction is", move |job| {
            let read = kept.mask(chosen, size, &|| job.check().is_ok());
            job.check()?;
            let read = read.map(|mask| ReadMeasure::of(mask.unwrap_or_else(|| Mask::new(size))));
            let read = read.map_err(|error| error.to_string());
            job.tell(Report::MeasureRead(id, Box::new(read)))?;
            Ok(())
        });
    }

    /// Blocks that came while it was read are newer.
    pub(super) fn measure_read(&mut self, id: LayerId, read: Result<ReadMeasure, String>) {
        let Some(layer) = self.certainty.as_mut().filter(|layer| layer.id == id) else {
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
        self.mask_changed(LayerKind::Certainty, &newer);
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
