//! What whole predictions look like.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;

use super::{BlockOrder, PredictPlan, Predicted, Predictor};
use crate::dataset::{Watch, hash};
use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::job::Waker;
use crate::label::{Mask, UNLABELED};
use crate::nn::Network;
use crate::raster::{RasterInfo, ReadError, TileSource};
use crate::train::test_world::{SIZE, World, events_of, plan, recipe};
use crate::train::{Certainty, DeviceChoice, Engine, Recipe, SavedModel};

/// A network that has seen the world a few times.
fn trained(folder: &Path, epochs: u32) -> SavedModel {
    let recipe = Recipe { epochs, ..recipe() };
    let engine = Engine::start().expect("a thread");
    events_of(&engine.train(plan(recipe, folder), Waker::none()));
    SavedModel::load(folder).expect("a model")
}

/// The world without its first columns and rows.
struct Moved {
    world: Arc<World>,
    by: (u32, u32),
    info: RasterInfo,
}

impl Moved {
    fn new(by: (u32, u32)) -> Arc<Self> {
        let world = World::new();
        let size = ImageSize::new(SIZE.width - by.0, SIZE.height - by.1);
        let info = RasterInfo {
            size,
            level_sizes: vec![size],
            ..world.info().clone()
        };
        Arc::new(Self { world, by, info })
    }

    fn there(&self, rect: PixelRect) -> PixelRect {
        let (dx, dy) = self.by;
        PixelRect::new(rect.x + dx, rect.y + dy, rect.width, rect.height)
    }
}

impl TileSource for Moved {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.world.read_rgba(stored, self.there(rect))
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.world.read_index(self.there(rect))
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        self.world.block_size(stored)
    }
}

fn predicted(predictor: &Predictor, plan: &PredictPlan) -> [Mask; 2] {
    predicted_in(&plan.blocks(), predictor, plan).0
}

/// What is predicted block by block in this order, and how many windows were looked at.
fn predicted_in(
    blocks: &[PixelRect],
    predictor: &Predictor,
    plan: &PredictPlan,
) -> ([Mask; 2], u64) {
    let mut masks = [(); 2].map(|()| Mask::new(plan.image_size()));
    let put = |rect, predicted: Predicted| {
        masks[0].set_rect(rect, &predicted.classes);
        masks[1].set_rect(rect, &predicted.sure[0]);
        Ok(())
    };
    let windows = predictor.each_of(blocks, plan, &Watch::NOBODY, put);
    (masks, windows.expect("predicted"))
}

/// The plan in 4 × 4 blocks, those of the last row and column smaller.
fn in_small_blocks(mut plan: PredictPlan) -> PredictPlan {
    plan = plan.in_patches();
    plan.block_side = 64;
    assert_eq!(plan.num_blocks(), 16);
    plan
}

/// The same, remembering no more windows than it looks at in one go.
fn forgetting(plan: &PredictPlan) -> PredictPlan {
    let mut plan = plan.clone();
    plan.cache_bytes = 1;
    plan
}

#[test]
fn any_order_of_blocks_gives_the_same_pixels_however_little_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(&folder.path().join("run"), 6);
    let predictor = Predictor::of(&model, &DeviceChoice::Cpu).expect("a device");
    let whole = PredictPlan::with(model, World::new(), DeviceChoice::Cpu)
        .expect("a plan")
        .in_patches();
    assert_eq!(whole.num_blocks(), 1);
    let plan = in_small_blocks(whole.clone());
    let near = BlockOrder::NearestFirst(ImagePoint::new(150.0, 90.0));
    let rows = plan.all_blocks(BlockOrder::Rows);
    let nearest = plan.all_blocks(near);
    let mut shuffled = rows.clone();
    shuffled.sort_by_key(|block| hash(&[block.x.into(), block.y.into()]));
    assert!(rows != nearest && rows != shuffled && nearest != shuffled);

    let pixels = |masks: [Mask; 2]| masks.map(|mask| mask.read_rect(SIZE.bounds()));
    let (masks, once) = predicted_in(&whole.blocks(), &predictor, &whole);
    let expected = pixels(masks);
    for count in expected
        .iter()
        .map(|plane| plane.iter().collect::<HashSet<_>>().len())
    {
        assert!(count > 2, "what is all alike shows no order");
    }
    for (name, order) in [("rows", rows), ("nearest", nearest), ("shuffled", shuffled)] {
        let (masks, windows) = predicted_in(&order, &predictor, &plan);
        assert!(pixels(masks) == expected, "{name}");
        assert_eq!(windows, once, "{name}: each window is remembered");
        let (masks, windows) = predicted_in(&order, &predictor, &forgetting(&plan));
        assert!(pixels(masks) == expected, "{name}, forgetting");
        assert!(
            windows > once,
            "{name}: {windows} windows instead of {once}"
        );
    }
}

#[test]
fn a_constant_network_leaves_no_seam_between_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(&folder.path().join("run"), 1);
    let card = model.card().clone();
    let plan = PredictPlan::with(model.clone(), World::new(), DeviceChoice::Cpu).expect("a plan");
    let plan = forgetting(&in_small_blocks(plan));
    for measure in Certainty::ALL {
        let plan = plan.clone().measured_by(&[measure]);
        let mut predictor = Predictor::of(&model, &DeviceChoice::Cpu).expect("a device");
        // All weights are 0, so it says its last bias everywhere.
        let classes = card.num_classes;
        predictor.network = Network::new(&card.model, classes, &mut || 0.5, &Device::flex());
        let [classes, sure] = predicted(&predictor, &plan);
        for (mask, what) in [(classes, "classes"), (sure, "certainty")] {
            let counts = mask.histogram();
            let values: Vec<usize> = (0..255).filter(|&value| counts[value] > 0).collect();
            assert_eq!(values.len(), 1, "{what} by {}: {values:?}", measure.name());
        }
    }
}

#[test]
fn another_place_of_the_window_grid_changes_under_one_percent() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(&folder.path().join("run"), 8);
    let predictor = Predictor::of(&model, &DeviceChoice::Cpu).expect("a device");
    let plan = |source: Arc<dyn TileSource>| {
        PredictPlan::with(model.clone(), source, DeviceChoice::Cpu).expect("a plan")
    };
    let [whole, _] = predicted(&predictor, &plan(World::new()));
    for by in [(3, 5), (8, 8), (11, 2)] {
        let [moved, _] = predicted(&predictor, &plan(Moved::new(by)));
        // Beside the edges that moved, mirrored ground is another one.
        let inside = PixelRect::new(32, 32, SIZE.width - 32 - by.0, SIZE.height - 32 - by.1);
        let ours = moved.read_rect(inside);
        let theirs = whole.read_rect(PixelRect::new(
            inside.x + by.0,
            inside.y + by.1,
            inside.width,
            inside.height,
        ));
        let pairs = ours.iter().zip(&theirs);
        let counted = pairs
            .clone()
            .filter(|(ours, _)| **ours != UNLABELED)
            .count();
        let changed = pairs.filter(|(ours, theirs)| ours != theirs).count();
        let share = changed as f64 / counted as f64;
        assert!(share < 0.01, "moved by {by:?}: {:.2} %", share * 100.0);
    }
}

#[test]
fn a_part_of_any_shape_is_what_the_whole_has_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(&folder.path().join("run"), 2);
    let predictor = Predictor::of(&model, &DeviceChoice::Cpu).expect("a device");
    let plan = PredictPlan::with(model, World::new(), DeviceChoice::Cpu).expect("a plan");
    let [whole, _] = predicted(&predictor, &plan);
    let mut wanted = Mask::new(SIZE);
    for y in 40..120 {
        wanted.set_rect(PixelRect::new(20 + y / 2, y, 60, 1), &[0; 60]);
    }
    let some = plan.only_where(wanted.clone()).expect("a part");
    let [part, sure] = predicted(&predictor, &some);
    let all = SIZE.bounds();
    let pixels = whole.read_rect(all).into_iter().zip(wanted.read_rect(all));
    let expected: Vec<u8> = pixels
        .map(|(class, wanted)| {
            if wanted == UNLABELED {
                UNLABELED
            } else {
                class
            }
        })
        .collect();
    assert!(part.read_rect(all) == expected);
    assert_eq!(sure.histogram()[255], part.histogram()[255]);
}
