use std::ops::Range;
use std::time::Instant;

use burn::tensor::Device;
use rayon::prelude::*;

use super::pace::Pace;
use super::packed::Packing;
use super::pool::{Pool, PoolSize};
use super::store::Store;
use crate::dataset::Batch;
use crate::nn::{Features, NUM_LEVELS, Network};
use crate::train::batch::{images_on, numbers};
use crate::train::{TrainError, TrainPlan};

/// Patches of the pool are those that a training without one would draw in this epoch; real
/// epochs begin at 1.
const POOL_EPOCH: u64 = 0;

/// Patches as an encoder that holds still sees them, each computed when it is first asked for.
#[derive(Debug)]
pub(in crate::train) struct KeptFeatures {
    /// The stages whose maps are kept.
    stages: usize,
    packing: Packing,
    pool: Pool,
    /// Training patches by their number in the pool, validation patches behind them.
    store: Store,
    /// Training and validation patches.
    num_records: u64,
    /// How long the encoder takes.
    pace: Pace,
}

/// Some patches, ready for a decoder.
pub(in crate::train) struct SeenBatch {
    /// What the encoder sees.
    pub(in crate::train) features: Features,
    /// Their labels; its images are left out.
    pub(in crate::train) batch: Batch,
}

impl KeptFeatures {
    /// For a training of `network` as `plan` says, whose first `stages` stages hold still; none
    /// where the network has no such stages.
    pub(in crate::train) fn new(
        plan: &TrainPlan,
        stages: usize,
        network: &Network,
    ) -> Option<Self> {
        let recipe = &plan.recipe;
        let config = &recipe.features;
        let levels = network.feature_levels(stages)?;
        let side = recipe.patch as usize;
        let packing = Packing::new(&recipe.model, &levels, side, config.precision);
        let [memory, disk] = [config.memory_mb, config.disk_mb].map(|mb| u64::from(mb) << 20);
        let store = Store::new(packing.record_bytes(), memory, disk, plan.folder.path());
        let capacity = store.capacity();
        // Held-out patches return each epoch, those of the pool each pass.
        let held_out = (plan.patches.num_validation() as u64).min(capacity / 2);
        let size = PoolSize {
            pixels: plan.class_pixels().iter().sum(),
            side: recipe.patch,
            variants: config.variants,
            draws: (recipe.steps_up_to(recipe.last_of_phase(1)))
                .saturating_mul(recipe.batch as u64),
            room: (capacity - held_out).max(recipe.batch as u64),
        };
        let pool = Pool::new(recipe.seed, size.patches());
        Some(Self {
            stages,
            packing,
            num_records: pool.len() + plan.patches.num_validation() as u64,
            pool,
            store,
            pace: Pace::default(),
        })
    }

    /// The stages whose maps are kept.
    pub(in crate::train) const fn stages(&self) -> usize {
        self.stages
    }

    /// Training patches that are kept.
    pub(in crate::train) const fn num_patches(&self) -> u64 {
        self.pool.len()
    }

    /// Bytes of the patches of the pool.
    pub(in crate::train) fn num_bytes(&self) -> u64 {
        self.pool.len() * self.packing.record_bytes() as u64
    }

    /// Bytes of main memory that they will take in the end.
    pub(in crate::train) fn bytes_in_memory(&self) -> u64 {
        self.store.shared_out(self.num_records)[0]
    }

    /// Bytes in the temporary file that they will take in the end.
    pub(in crate::train) fn bytes_on_disk(&self) -> u64 {
        self.store.shared_out(self.num_records)[1]
    }

    /// Seconds that reading and encoding took so far.
    pub(in crate::train) const fn seconds_encoding(&self) -> f64 {
        self.pace.seconds()
    }

    /// Seconds that encoding takes for all patches, and for those that are not kept yet; 0 where
    /// none was encoded.
    pub(in crate::train) fn seconds_to_encode(&self) -> [f64; 2] {
        let left = self.num_records.saturating_sub(self.store.len());
        [self.num_records, left].map(|patches| patches as f64 * self.pace.seconds_per_patch())
    }

    /// The training patches of `draws` (from 0, over the whole training), as tensors on `device`.
    ///
    /// # Errors
    /// When a file cannot be read any more or the device fails.
    pub(in crate::train) fn drawn(
        &mut self,
        plan: &TrainPlan,
        network: &Network,
        draws: Range<u64>,
        device: &Device,
    ) -> Result<SeenBatch, TrainError> {
        let wanted: Vec<u64> = draws.map(|draw| self.pool.drawn(draw)).collect();
        let records = self.records((network, device), &wanted, |index| {
            Ok(plan.patch(POOL_EPOCH, index)?)
        })?;
        Ok(self.seen(&records, device))
    }

    /// The held-out patches of `range`, as tensors on `device`.
    ///
    /// # Errors
    /// When a file cannot be read any more or the device fails.
    pub(in crate::train) fn held_out(
        &mut self,
        plan: &TrainPlan,
        network: &Network,
        range: Range<usize>,
        device: &Device,
    ) -> Result<SeenBatch, TrainError> {
        let first = self.pool.len();
        let wanted: Vec<u64> = range.map(|index| first + index as u64).collect();
        let records = self.records((network, device), &wanted, |number| {
            let index = (number - first) as usize;
            Ok(plan.patches.validation_batch(index..index + 1)?)
        })?;
        Ok(self.seen(&records, device))
    }

    /// The records of `wanted`; those that are not kept are made of the patches that `read` gives.
    fn records(
        &mut self,
        (network, device): (&Network, &Device),
        wanted: &[u64],
        read: impl Fn(u64) -> Result<Batch, TrainError> + Sync,
    ) -> Result<Vec<Box<[u8]>>, TrainError> {
        let mut records: Vec<Option<Box<[u8]>>> = wanted
            .iter()
            .map(|&number| self.store.read(number))
            .collect();
        let missing: Vec<usize> = (0..wanted.len())
            .filter(|&at| records[at].is_none())
            .collect();
        let began = Instant::now();
        let patches: Vec<Batch> = (missing.par_iter())
            .map(|&at| read(wanted[at]))
            .collect::<Result<_, _>>()?;
        if !patches.is_empty() {
            let made = self.encoded(network, &patches, device)?;
            for (at, record) in missing.into_iter().zip(made) {
                self.store.keep(wanted[at], &record);
                records[at] = Some(record.into_boxed_slice());
            }
            let seconds = began.elapsed().as_secs_f64();
            self.pace.hear(patches.len(), seconds);
        }
        Ok(records.into_iter().flatten().collect())
    }

    /// The records of some patches of one each, from one look of the encoder.
    fn encoded(
        &self,
        network: &Network,
        patches: &[Batch],
        device: &Device,
    ) -> Result<Vec<Vec<u8>>, TrainError> {
        let side = patches[0].side;
        let images: Vec<f32> = (patches.iter())
            .flat_map(|patch| patch.images.iter().copied())
            .collect();
        let images = images_on(&device.clone().inner(), images, patches.len(), side);
        let mut features = network
            .features(images, self.stages)
            .expect("a network with levels has features");
        let maps: Vec<Vec<f32>> = (0..NUM_LEVELS)
            .filter_map(|level| features.take(level))
            .map(numbers::<4>)
            .collect::<Result<_, _>>()?;
        let record = |(at, patch): (usize, &Batch)| {
            let of_patch = maps.iter().flat_map(|map| {
                let len = map.len() / patches.len();
                map[at * len..][..len].iter().copied()
            });
            self.packing.pack(&patch.labels, of_patch)
        };
        Ok(patches.par_iter().enumerate().map(record).collect())
    }

    fn seen(&self, records: &[Box<[u8]>], device: &Device) -> SeenBatch {
        let features = self.packing.features(records, device);
        let [side, _] = features.sides();
        SeenBatch {
            batch: Batch {
                images: Vec::new(),
                labels: self.packing.labels(records),
                len: records.len(),
                side,
            },
            features,
        }
    }
}
