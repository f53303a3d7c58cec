use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use rayon::prelude::*;

use super::certainty::Certainty;
use super::device::{ChosenDevice, choose};
use super::flips::Flips;
use super::grid::{WindowGrid, blocks};
use super::logits::WindowLogits;
use super::self_test::Workload;
use super::{DeviceChoice, PredictEvent, PredictReport, SavedModel, TrainError};
use crate::dataset::{BandFacts, GridScale, Scene, image_meters, scale_for_model};
use crate::geom::{ImagePoint, PixelRect};
use crate::job::{CancelToken, Cancelled, JobContext};
use crate::label::{ClassTable, Mask, UNLABELED};
use crate::nn::Network;
use crate::raster::TileSource;

/// In which order blocks are predicted; the pixels are the same in any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum BlockOrder {
    /// From the upper left to the lower right.
    #[default]
    Rows,
    /// Outwards from a point of the image, for example what the user looks at.
    NearestFirst(ImagePoint),
}

/// Columns and rows of the blocks that are reported, in the finer of the image's and the run's
/// grids.
const BLOCK: u32 = 512;
/// Windows that the network looks at in one go.
const BATCH: usize = 8;
/// Bytes for decoded tiles, and as many again for what windows said.
const CACHE_BYTES: usize = 192 << 20;

/// A prediction that can start.
#[derive(Clone)]
pub struct PredictPlan {
    model: SavedModel,
    source: Arc<dyn TileSource>,
    /// How the image becomes what the model learned from.
    scale: GridScale,
    notes: Vec<String>,
    device: DeviceChoice,
    area: PixelRect,
    order: BlockOrder,
    flips: Flips,
    certainty: Certainty,
    cache_bytes: usize,
}

impl PredictPlan {
    /// Predicts all of `source` by rows with the model in `model`: a run folder (its best
    /// checkpoint, else its last) or one checkpoint's folder.
    ///
    /// # Errors
    /// When the model cannot be read, the image is empty or lacks bands that the model learned
    /// from, or its pixels are of another size beyond reason.
    pub fn new(
        model: &Path,
        source: Arc<dyn TileSource>,
        device: DeviceChoice,
    ) -> Result<Self, TrainError> {
        Self::with(SavedModel::load(model)?, source, device)
    }

    /// As [`PredictPlan::new`] for a model that was read before.
    ///
    /// # Errors
    /// When the image is empty or lacks bands that the model learned from, or its pixels are of
    /// another size beyond reason.
    pub fn with(
        model: SavedModel,
        source: Arc<dyn TileSource>,
        device: DeviceChoice,
    ) -> Result<Self, TrainError> {
        let area = source.info().size.bounds();
        let image = image_meters(source.info());
        let (scale, note) = scale_for_model(model.card().pixel_size, image)?;
        let bands_note = model.card().bands.fit(&BandFacts::of(&*source))?;
        let plan = Self {
            model,
            source,
            scale,
            notes: note.into_iter().chain(bands_note).collect(),
            device,
            area,
            order: BlockOrder::Rows,
            flips: Flips::None,
            certainty: Certainty::default(),
            cache_bytes: CACHE_BYTES,
        };
        plan.within(area)
    }

    /// Predicts only the pixels of `area`.
    ///
    /// # Errors
    /// When it is empty or not inside the image.
    pub fn within(mut self, area: PixelRect) -> Result<Self, TrainError> {
        if area.is_empty() || area.intersect(self.source.info().size.bounds()) != area {
            return Err(TrainError::Recipe(
                "the area to predict is not inside the image; choose one that is".to_owned(),
            ));
        }
        self.area = area;
        Ok(self)
    }

    /// Predicts blocks in another order; their pixels are the same.
    #[must_use]
    pub const fn in_order(mut self, order: BlockOrder) -> Self {
        self.order = order;
        self
    }

    /// Looks at mirror images of each window as well.
    #[must_use]
    pub const fn flipped(mut self, flips: Flips) -> Self {
        self.flips = flips;
        self
    }

    /// Says in another way how sure the network is.
    #[must_use]
    pub const fn measured_by(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// The classes that predicted indices stand for.
    pub const fn classes(&self) -> &ClassTable {
        self.model.classes()
    }

    /// The model.
    pub const fn model(&self) -> &SavedModel {
        &self.model
    }

    /// Says how the model's classes differ from `classes`; empty when a predicted index means the
    /// same in both.
    pub fn differences(&self, classes: &ClassTable) -> Vec<String> {
        self.model.card().class_differences(classes)
    }

    /// What the user should know before starting.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of blocks that will be reported.
    pub fn num_blocks(&self) -> u64 {
        self.blocks(BlockOrder::Rows).len() as u64
    }

    fn blocks(&self, order: BlockOrder) -> Vec<PixelRect> {
        // Of coarse images fewer pixels at once, since each is many of the run's.
        let side = f64::from(BLOCK) * self.scale.step().min(1.0);
        blocks(self.area, side as u32, order)
    }
}

impl PredictPlan {
    /// The image in the grid of the model's run.
    fn scene(&self) -> Scene {
        let source = Arc::clone(&self.source);
        let unlabelled = Mask::new(source.info().size);
        let bands = &self.model.card().bands;
        let scene = Scene::tiled_as(bands, String::new(), source, unlabelled, self.cache_bytes);
        scene.scaled(self.scale)
    }
}

impl std::fmt::Debug for PredictPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PredictPlan")
            .field("model", &self.model.folder())
            .field("area", &self.area)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// Predicts as `plan` says.
pub(super) fn run(plan: &PredictPlan, job: &JobContext<PredictEvent>) -> anyhow::Result<()> {
    job.check()?;
    let started = Instant::now();
    let predictor = Predictor::of(&plan.model, &plan.device)?;
    let ChosenDevice { name, reason, .. } = predictor.chosen.clone();
    job.tell(PredictEvent::DeviceChosen {
        name: name.clone(),
        reason,
    })?;
    let (mut done_blocks, total_blocks) = (0, plan.num_blocks());
    let windows = predictor.each_block(plan, job.cancel_token(), |rect, classes, sure| {
        job.tell(PredictEvent::Block {
            rect,
            classes,
            sure,
        })?;
        done_blocks += 1;
        job.mention(PredictEvent::Progress {
            done_blocks,
            total_blocks,
        });
        Ok(())
    })?;
    let report = PredictReport {
        blocks: total_blocks,
        windows,
        device: name,
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok(job.tell(PredictEvent::Finished(report))?)
}

/// A model on its device, for as many images as there are.
pub(super) struct Predictor {
    network: Network,
    chosen: ChosenDevice,
}

impl Predictor {
    /// Chooses the device and puts the model there.
    pub(super) fn of(model: &SavedModel, device: &DeviceChoice) -> Result<Self, TrainError> {
        let workload = Workload {
            batch: BATCH,
            side: model.card().patch as usize,
        };
        let chosen = choose(device, workload)?;
        let network = model.network(&chosen.device)?.valid();
        Ok(Self { network, chosen })
    }

    /// The device's name.
    pub(super) fn device_name(&self) -> &str {
        &self.chosen.name
    }

    /// Hands the classes and their certainty to `take`, block by block; the number of windows that
    /// the network looked at. The plan's model must be this one.
    pub(super) fn each_block(
        &self,
        plan: &PredictPlan,
        cancel: &CancelToken,
        mut take: impl FnMut(PixelRect, Vec<u8>, Vec<u8>) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let card = plan.model.card();
        let scene = plan.scene();
        let grid = WindowGrid::new(scene.size(), card.patch);
        // A batch is always filled up; a small image has no use for a large one.
        let area = scene.scale().grid_rect(plan.area, scene.size());
        let batch = grid.touching(area).len().clamp(1, BATCH);
        let mut logits = WindowLogits {
            network: self.network.clone(),
            device: self.chosen.device.clone(),
            scene: &scene,
            normalization: card.normalization.clone(),
            grid,
            flips: plan.flips,
            certainty: plan.certainty,
            batch,
            budget: plan.cache_bytes,
            looked_at: 0,
            known: HashMap::new(),
            bytes: 0,
            clock: 0,
        };
        for rect in plan.blocks(plan.order) {
            let (classes, sure) = predict_block(rect, card.num_classes, &mut logits, cancel)?;
            take(rect, classes, sure)?;
        }
        Ok(logits.looked_at)
    }
}

/// The classes of the image's pixels `rect`, the greatest of the logits blended from every window
/// that touches them, and how sure they are.
fn predict_block(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    cancel: &CancelToken,
) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let area = rect.num_pixels() as usize;
    let ground = logits.scene.read_image(rect)?;
    let is_void = |pixel: &[u8]| pixel[3] == 0;
    if ground.chunks_exact(4).all(is_void) {
        return Ok((vec![UNLABELED; area], vec![UNLABELED; area]));
    }
    let (sums, shares) = blended_on_image(rect, num_classes, logits, cancel)?;
    let mut classes = greatest(&sums, area);
    let mut sure = logits.certainty.of(&sums, &shares, &classes);
    for (place, pixel) in ground.chunks_exact(4).enumerate() {
        if is_void(pixel) {
            (classes[place], sure[place]) = (UNLABELED, UNLABELED);
        }
    }
    Ok((classes, sure))
}

/// The sums of weighted logits by class, and of the weights, at the image's pixels `rect`. From a
/// run's grid that is another they are carried over as lines between its pixels, or means of them:
/// what is chosen is a class of the image's own pixels.
fn blended_on_image(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    cancel: &CancelToken,
) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let (scale, size) = (logits.scene.scale(), logits.scene.size());
    let grid_rect = scale.grid_rect(rect, size);
    let (sums, shares) = blended(grid_rect, num_classes, logits, cancel)?;
    if scale.is_own() {
        return Ok((sums, shares));
    }
    let onto_image = |plane: &[f32]| scale.onto_image(plane, rect, size);
    let planes = sums.par_chunks_exact(shares.len());
    let sums: Vec<Vec<f32>> = planes.map(onto_image).collect();
    Ok((sums.concat(), onto_image(&shares)))
}

/// The sums of weighted logits by class, and of the weights, at the run's pixels `rect`.
fn blended(
    rect: PixelRect,
    num_classes: usize,
    logits: &mut WindowLogits<'_>,
    cancel: &CancelToken,
) -> anyhow::Result<(Vec<f32>, Vec<f32>)> {
    let area = rect.num_pixels() as usize;
    let weights = logits.grid.weights();
    let mut sums = vec![0.0_f32; num_classes * area];
    let mut shares = vec![0.0_f32; area];
    let whole = vec![1.0_f32; weights.len() * weights.len()];
    let windows = logits.grid.touching(rect);
    for at in 0..windows.len() {
        if cancel.is_cancelled() {
            return Err(Cancelled.into());
        }
        let Some(window) = logits.first_of(&windows[at..])? else {
            continue;
        };
        let place = logits.grid.window(windows[at]);
        let offset = (i64::from(rect.x) - place.x, i64::from(rect.y) - place.y);
        let side = place.side as usize;
        let planes = window.par_chunks_exact(side * side);
        sums.par_chunks_exact_mut(area)
            .zip(planes)
            .for_each(|(sums, plane)| {
                add_window(sums, rect.width as usize, plane, &weights, offset);
            });
        add_window(&mut shares, rect.width as usize, &whole, &weights, offset);
    }
    Ok((sums, shares))
}

/// Adds the weighted logits of one class of a window to a block's sums of that class. `offset` is
/// where the block's corner lies in the window.
fn add_window(sums: &mut [f32], width: usize, plane: &[f32], weights: &[f32], offset: (i64, i64)) {
    let side = weights.len() as i64;
    let shared = |offset: i64, length: usize| {
        let low = (-offset).max(0);
        let high = (side - offset).min(length as i64).max(low);
        low as usize..high as usize
    };
    let (cols, rows) = (
        shared(offset.0, width),
        shared(offset.1, sums.len() / width),
    );
    if cols.is_empty() {
        return;
    }
    let left = (cols.start as i64 + offset.0) as usize;
    for row in rows {
        let y = (row as i64 + offset.1) as usize;
        let from = &plane[y * weights.len() + left..][..cols.len()];
        let to = &mut sums[row * width..][cols.clone()];
        for ((sum, logit), weight) in to.iter_mut().zip(from).zip(&weights[left..]) {
            *sum += logit * (weight * weights[y]);
        }
    }
}

/// The class with the greatest sum at each pixel; the first of equals.
fn greatest(sums: &[f32], area: usize) -> Vec<u8> {
    let mut classes = vec![0; area];
    let mut most = sums[..area].to_vec();
    for (class, plane) in sums.chunks_exact(area).enumerate().skip(1) {
        for ((best, most), &sum) in classes.iter_mut().zip(&mut most).zip(plane) {
            if sum > *most {
                *most = sum;
                *best = class as u8;
            }
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn a_constant_window_field_leaves_no_seam() {
        let size = ImageSize::new(100, 90);
        let grid = WindowGrid::new(size, 32);
        let weights = grid.weights();
        let ones = vec![1.0; 32 * 32];
        let rect = PixelRect::new(20, 10, 70, 80);
        let (mut once, mut twice) = (vec![0.0; 5600], vec![0.0; 5600]);
        for at in grid.touching(rect) {
            let place = grid.window(at);
            let offset = (20 - place.x, 10 - place.y);
            add_window(&mut once, 70, &ones, &weights, offset);
            add_window(&mut twice, 70, &vec![2.0; 1024], &weights, offset);
        }
        for (once, twice) in once.iter().zip(&twice) {
            assert!(*once > 0.2, "every pixel has weight");
            assert!((twice / once - 2.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(
            greatest(&[1.0, 0.0, 3.0, 1.0, 2.0, 3.0, 0.0, 2.0, 4.0], 3),
            [0, 1, 2]
        );
    }
}
