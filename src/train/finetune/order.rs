use std::path::PathBuf;
use std::sync::Arc;

use crate::label::{ClassTable, Coverage, Mask, Origin};
use crate::raster::TileSource;
use crate::train::{DeviceChoice, Unlabeled};

/// What a fine-tuning is given: the open image as it is now, frozen.
#[derive(Clone)]
pub struct FinetuneOrder {
    /// The image's file, absolute.
    pub image: PathBuf,
    /// Its pixels.
    pub source: Arc<dyn TileSource>,
    /// Its label.
    pub label: Mask,
    /// Who made the label.
    pub origins: Option<Mask>,
    /// The models that origins name, by their numbers.
    pub models: Vec<String>,
    /// Which cells are done.
    pub coverage: Coverage,
    /// The classes.
    pub classes: ClassTable,
    /// The run of the model to go on from; `None` begins with the embedded encoder's weights.
    pub parent: Option<PathBuf>,
    /// How.
    pub options: FinetuneOptions,
    /// Bytes for decoded images.
    pub cache_bytes: usize,
}

/// How a fine-tuning goes.
#[derive(Clone, Debug, PartialEq)]
pub struct FinetuneOptions {
    /// What is drawn at random follows from this.
    pub seed: u64,
    /// Epochs at most.
    pub epochs: u32,
    /// Steps in an epoch.
    pub steps_per_epoch: u32,
    /// Patches in a step.
    pub batch: usize,
    /// The learning rate of the chain's first training is multiplied by this.
    pub rate_share: f64,
    /// Share of the patches that come from what earlier trainings of the chain learned from.
    pub replay_share: f64,
    /// What the rate is multiplied by for a pretrained encoder; `None`: it holds still as the
    /// chain's first training had it.
    pub encoder_share: Option<f64>,
    /// How ground without labels is learned from; `None`: as the chain's first training did.
    pub unlabeled: Option<Unlabeled>,
    /// Where to compute; `None`: where the parent was trained.
    pub device: Option<DeviceChoice>,
}

impl Default for FinetuneOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 12,
            steps_per_epoch: 8,
            batch: 8,
            rate_share: 1.0,
            replay_share: 0.25,
            encoder_share: None,
            unlabeled: None,
            device: None,
        }
    }
}

impl FinetuneOptions {
    /// The encoder learns as well, which takes more steps and goes further (docs/loop/results.md).
    pub fn thorough() -> Self {
        let quick = Self::default();
        Self {
            epochs: 6 * quick.epochs,
            encoder_share: Some(0.1),
            ..quick
        }
    }
}

impl FinetuneOrder {
    /// The origins that say "accepted from a model", of any model or of those whose names `is_named`
    /// accepts.
    pub(super) fn accepted(&self, is_named: impl Fn(&str) -> bool) -> Vec<u8> {
        let models = self.models.iter().enumerate();
        let named = models.filter(|(_, name)| is_named(name));
        named
            .map(|(place, _)| Origin::model(place).index())
            .collect()
    }
}

impl std::fmt::Debug for FinetuneOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FinetuneOrder")
            .field("image", &self.image)
            .field("parent", &self.parent)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
