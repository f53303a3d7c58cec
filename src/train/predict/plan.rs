use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::blend::Predicted;
use super::blocks::KeptBlocks;
use super::kept::BlockStore;
use crate::dataset::{BandFacts, GridScale, Scene, image_meters, scale_for_model};
use crate::geom::{Georef, ImagePoint, ImageSize, PixelRect};
use crate::label::{ClassTable, MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};
use crate::raster::TileSource;
use crate::train::certainty::Certainty;
use crate::train::flips::Flips;
use crate::train::grid::{WindowGrid, blocks};
use crate::train::{DecisionThreshold, DeviceChoice, SavedModel, TrainError};

/// In which order blocks are predicted; the pixels are the same in any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum BlockOrder {
    /// From the upper left to the lower right.
    #[default]
    Rows,
    /// Outwards from a point of the image, for example what the user looks at.
    NearestFirst(ImagePoint),
}

/// The usual side of a block.
const BLOCK_SIDE: u32 = 1_024;
/// The usual least side of a window.
const LEAST_WINDOW: u32 = 256;
/// Bytes for decoded tiles, and as many again for what windows said.
const CACHE_BYTES: usize = 192 << 20;

/// A prediction that can start.
#[derive(Clone)]
pub struct PredictPlan {
    pub(super) model: SavedModel,
    source: Arc<dyn TileSource>,
    /// How the image becomes what the model learned from.
    scale: GridScale,
    notes: Vec<String>,
    pub(super) device: DeviceChoice,
    pub(super) area: PixelRect,
    pub(super) order: BlockOrder,
    pub(super) flips: Flips,
    pub(super) threshold: DecisionThreshold,
    /// In which ways it is said how sure the network is.
    pub(super) measures: Vec<Certainty>,
    pub(super) cache_bytes: usize,
    /// Columns and rows of the blocks that are reported, in the finer of the image's and the run's
    /// grids.
    pub(in crate::train) block_side: u32,
    /// Columns and rows that a window has at least, as far as the image has as many.
    pub(in crate::train) least_window: u32,
    /// Finished blocks with all measures.
    pub(super) kept: Option<Arc<KeptBlocks>>,
    /// Where those outlive this program.
    pub(super) store: Option<BlockStore>,
    /// Finished blocks of `kept` that are told first, as the threshold decides them now.
    pub(super) finished: HashSet<PixelRect>,
    /// Blocks that somebody has already.
    known: Arc<HashSet<PixelRect>>,
    /// What of the area is wanted: all but unlabeled pixels.
    ground: Option<Arc<Mask>>,
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
            threshold: DecisionThreshold::default(),
            measures: vec![Certainty::default()],
            cache_bytes: CACHE_BYTES,
            block_side: BLOCK_SIDE,
            least_window: LEAST_WINDOW,
            kept: None,
            store: None,
            finished: HashSet::new(),
            known: Arc::default(),
            ground: None,
        };
        plan.within(area)
    }

    /// Predicts only the pixels of `area`.
    ///
    /// # Errors
    /// When it is empty or not inside the image.
    pub fn within(mut self, area: PixelRect) -> Result<Self, TrainError> {
        if area.is_empty() || area.intersect(self.source.info().size.bounds()) != area {
            return Err(TrainError::Area);
        }
        self.area = area;
        self.ground = None;
        Ok(self)
    }

    /// Predicts only where `ground`, which has the image's extent, has any class.
    ///
    /// # Errors
    /// When it has none anywhere, or is of another extent.
    pub fn only_where(self, ground: Mask) -> Result<Self, TrainError> {
        let mut tiles = ground.tiles().filter(|(_, _, tile)| !is_empty(tile));
        let first = tiles.next().map(|(col, row, _)| ground.tile_rect(col, row));
        let around = tiles.fold(first.unwrap_or_default(), |around, (col, row, _)| {
            around.union(ground.tile_rect(col, row))
        });
        let plan = self.within(around)?;
        Ok(Self {
            ground: Some(Arc::new(ground)),
            ..plan
        })
    }

    /// Predicts only the pixels of `areas`; all where there are none.
    ///
    /// # Errors
    /// When one is empty or not inside the image.
    pub fn within_all(self, areas: &[PixelRect]) -> Result<Self, TrainError> {
        match areas {
            [] => Ok(self),
            [area] => self.within(*area),
            areas => {
                let mut ground = Mask::new(self.source.info().size);
                let mut plan = self;
                for &area in areas {
                    plan = plan.within(area)?;
                    ground.fill_rect(area, 0);
                }
                plan.only_where(ground)
            }
        }
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

    /// Predicts the second of two classes from this probability on. Blocks are kept as they are
    /// without, so that another threshold needs no other look at the image.
    #[must_use]
    pub fn decided_at(mut self, threshold: DecisionThreshold) -> Self {
        self.threshold = threshold.of_classes(self.model.card().num_classes);
        self
    }

    /// The probability from which on the second of two classes is predicted.
    pub const fn threshold(&self) -> DecisionThreshold {
        self.threshold
    }

    /// Looks through windows as large as what the network learned from, not the usual ones.
    #[must_use]
    pub const fn in_patches(mut self) -> Self {
        self.least_window = 0;
        self
    }

    /// Says in other ways how sure the network is, or in none.
    #[must_use]
    pub fn measured_by(mut self, measures: &[Certainty]) -> Self {
        self.measures = measures.to_vec();
        self
    }

    /// Measures in all ways, and keeps each block in `kept` before it is reported: in a `store`, if
    /// there is one, from which those are taken, too, that the same prediction left.
    #[must_use]
    pub fn keeping(mut self, kept: Arc<KeptBlocks>, store: Option<BlockStore>) -> Self {
        (self.kept, self.store) = (Some(kept), store);
        self.measured_by(&Certainty::ALL)
    }

    /// Decides these blocks anew, which the same prediction finished at another threshold and which
    /// lie where blocks are kept.
    #[must_use]
    pub fn deciding_anew(mut self, finished: HashSet<PixelRect>) -> Self {
        self.finished = finished;
        self
    }

    /// Leaves out blocks that were predicted before, or lie within one.
    #[must_use]
    pub fn without(mut self, known: HashSet<PixelRect>) -> Self {
        self.known = Arc::new(known);
        self
    }

    /// The same without more blocks.
    pub(super) fn also_without(mut self, known: HashSet<PixelRect>) -> Self {
        Arc::make_mut(&mut self.known).extend(known);
        self
    }

    /// The image.
    pub(super) fn source(&self) -> &dyn TileSource {
        &*self.source
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

    /// Extent of the image.
    pub fn image_size(&self) -> ImageSize {
        self.source.info().size
    }

    /// What of the image is wanted: all but unlabeled pixels; `None` when that is a rectangle.
    pub fn ground(&self) -> Option<&Mask> {
        self.ground.as_deref()
    }

    /// The rectangle of the image that is predicted, or that holds the ground which alone is.
    pub const fn area(&self) -> PixelRect {
        self.area
    }

    /// Where the image lies on the map.
    pub(in crate::train) fn georef(&self) -> Option<&Georef> {
        self.source.info().georef.as_ref()
    }

    /// What the user should know before starting.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Number of blocks in all, those that are known among them.
    pub fn num_blocks(&self) -> u64 {
        self.all_blocks(BlockOrder::Rows).len() as u64
    }

    /// The blocks that will be reported, in their order.
    pub(in crate::train) fn blocks(&self) -> Vec<PixelRect> {
        let mut blocks = self.all_blocks(self.order);
        blocks.retain(|block| !self.is_known(*block));
        blocks
    }

    /// All blocks, those that are known among them.
    pub(in crate::train) fn all_blocks(&self, order: BlockOrder) -> Vec<PixelRect> {
        // Of coarse images fewer pixels at once, since each is many of the run's.
        let side = f64::from(self.block_side) * self.scale.step().min(1.0);
        let mut all = blocks(self.area, side as u32, order);
        all.retain(|block| self.is_wanted(*block));
        all
    }

    pub(super) fn is_known(&self, block: PixelRect) -> bool {
        let holds = |known: &PixelRect| known.intersect(block) == block;
        self.known.contains(&block) || self.known.iter().any(holds)
    }

    /// Whether some pixel of `block` may be wanted.
    fn is_wanted(&self, block: PixelRect) -> bool {
        let Some(ground) = &self.ground else {
            return true;
        };
        let cols = block.x / MASK_TILE_SIZE..block.right().div_ceil(MASK_TILE_SIZE);
        let mut rows = block.y / MASK_TILE_SIZE..block.bottom().div_ceil(MASK_TILE_SIZE);
        rows.any(|row| cols.clone().any(|col| !is_empty(ground.tile(col, row))))
    }

    /// The classes that the threshold takes; the measures must have the probability.
    pub(in crate::train) fn decided(&self, mut predicted: Predicted) -> Predicted {
        let mut measured = self.measures.iter().zip(&predicted.sure);
        let probability = measured.find(|(measure, _)| **measure == Certainty::Probability);
        if let Some((_, probability)) = probability {
            self.threshold.decide(&mut predicted.classes, probability);
        }
        predicted
    }

    /// Takes away what is not wanted of what was predicted at `rect`.
    pub(super) fn erase_unwanted(&self, rect: PixelRect, predicted: &mut Predicted) {
        let Some(ground) = &self.ground else { return };
        let wanted = ground.read_rect(rect);
        for plane in std::iter::once(&mut predicted.classes).chain(&mut predicted.sure) {
            for (value, wanted) in plane.iter_mut().zip(&wanted) {
                if *wanted == UNLABELED {
                    *value = UNLABELED;
                }
            }
        }
    }
}

fn is_empty(tile: &MaskTile) -> bool {
    tile.uniform_class() == Some(UNLABELED)
}

impl PredictPlan {
    /// The windows over `scene`, which is [`PredictPlan::scene`].
    pub(super) fn windows(&self, scene: &Scene) -> WindowGrid {
        let card = self.model.card();
        let has_one_view = card.model.family.has_one_view();
        WindowGrid::usual(scene.size(), card.patch, self.least_window, has_one_view)
    }

    /// The image in the grid of the model's run.
    pub(super) fn scene(&self) -> Scene {
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
