mod reading;
mod unlabeled;

use std::path::{Path, PathBuf};

use super::image_print::PRINT_FILE;
use super::*;
use crate::dataset::{Ground, Scene, Watch};
use crate::geom::{ImageSize, PixelRect};
use crate::job::{JobEvent, Waker};
use crate::label::{
    CellKey, CellMark, CellState, Coverage, Encoding, Mask, Origin, UNLABELED, load_mask,
};
use crate::nn::ModelConfig;
use crate::raster::open_raster;
use crate::train::test_folder::write_images;
use crate::train::test_world::{classes, events_of};
use crate::train::{
    DeviceChoice, Engine, FinetuneOptions, JudgePlan, Recipe, SavedModel, ScoredOn, TrainData,
    TrainError, TrainPlan,
};

const SIDE: u32 = 2_048;

fn mask(path: &Path) -> Mask {
    let size = Some(ImageSize::new(SIDE, SIDE));
    let mask = load_mask(path, size, Encoding::Index, None);
    mask.expect("a mask").mask
}

/// Two images on the disk, the first with a wrong label, and models that learned from them.
struct World {
    _folder: tempfile::TempDir,
    root: PathBuf,
    engine: Engine,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("project");
        write_images(&root, &[0, 7], SIDE);
        Self {
            _folder: folder,
            root,
            engine: Engine::start().expect("a thread"),
        }
    }

    fn image(&self) -> PathBuf {
        self.run("images").join("00.png")
    }

    fn truth(&self) -> Mask {
        mask(&self.run("masks").join("00.png"))
    }

    /// The truth without the discs of a corner.
    fn wrong(&self) -> Mask {
        let mut label = self.truth();
        let corner = PixelRect::new(1_200, 1_200, 300, 500);
        label.set_rect(corner, &vec![0; corner.num_pixels() as usize]);
        label
    }

    fn run(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Renames the folder that everything is in.
    fn moved(mut self, name: &str) -> Self {
        let root = self.root.with_file_name(name);
        std::fs::rename(&self.root, &root).expect("it moves");
        self.root = root;
        self
    }

    fn trained(&self, plan: TrainPlan) {
        let events = events_of(&self.engine.train(plan, Waker::none()));
        assert_eq!(events.last(), Some(&JobEvent::Finished), "{events:?}");
    }

    /// A model of the wrong label of the same image.
    fn parent(&self, name: &str) -> PathBuf {
        self.parent_of(name, (self.image(), self.wrong()))
    }

    /// A model of the wrong label of the same image, all of which is done; what is noted.
    fn parent_ahead(&self, name: &str) -> String {
        let order = self.order(None, &ALL_CELLS);
        let source = open_raster(&self.image()).expect("an image");
        let scene = Scene::tiled("now".to_owned(), source, self.wrong(), 1 << 24);
        let ground = (scene.into(), &order.coverage);
        let run = self.run(name);
        let plan = TrainPlan::of_image(quick(), ground, classes(), run, &Watch::NOBODY);
        let plan = plan.expect("a plan");
        let notes = plan.notes().join("\n");
        let image = self.image();
        self.trained(plan.reading(TrainData::Image { image }));
        notes
    }

    /// A model of the other image.
    fn parent_elsewhere(&self, name: &str) -> PathBuf {
        let [image, label] = ["images", "masks"].map(|kind| self.run(kind).join("01.png"));
        self.parent_of(name, (image, mask(&label)))
    }

    fn parent_of(&self, name: &str, (image, label): (PathBuf, Mask)) -> PathBuf {
        let source = open_raster(&image).expect("an image");
        let scene = Scene::tiled(name.to_owned(), source, label, 1 << 24);
        let ground = Ground::Image(scene.into());
        let plan = TrainPlan::new(quick(), ground, classes(), self.run(name)).expect("a plan");
        self.trained(plan.reading(TrainData::Image { image }));
        self.run(name)
    }

    /// Trains `name` from `parent` on all cells.
    fn learned(&self, name: &str, parent: &str) -> Lineage {
        let order = self.order(Some(&self.run(parent)), &ALL_CELLS);
        let plan = order.plan(self.run(name), &Watch::NOBODY).expect("a plan");
        self.trained(plan);
        lineage(&self.run(name))
    }

    /// What would be learned next from `parent` when all cells are done, and what is noted.
    fn next(&self, parent: &str) -> (Lineage, String) {
        let order = self.order(Some(&self.run(parent)), &ALL_CELLS);
        planned(order.plan(self.run("next"), &Watch::NOBODY))
    }

    /// The true label as it would be after somebody marked `cells` (column, row) as done.
    fn order(&self, parent: Option<&Path>, cells: &[(u32, u32)]) -> FinetuneOrder {
        let label = self.truth();
        let mut coverage = Coverage::new(label.size());
        for &(col, row) in cells {
            let mark = CellMark {
                state: Some(CellState::Done),
                note: String::new(),
            };
            coverage.set(CellKey { row, col }, mark);
        }
        FinetuneOrder {
            image: self.image(),
            source: open_raster(&self.image()).expect("an image"),
            origins: Some(label.origins_from(Origin::IMPORTED)),
            label,
            models: vec!["parent".to_owned(), "another".to_owned()],
            coverage,
            classes: classes(),
            parent: parent.map(Path::to_owned),
            options: FinetuneOptions {
                epochs: 2,
                steps_per_epoch: 3,
                batch: 4,
                rate_share: 0.25,
                device: Some(DeviceChoice::Cpu),
                ..FinetuneOptions::default()
            },
            cache_bytes: 1 << 24,
        }
    }

    fn verdict(&self, run: &Path) -> Verdict {
        let plan = VerdictPlan::new(run.to_owned(), DeviceChoice::Cpu, 1 << 24);
        let events = events_of(&self.engine.verdict(plan.expect("a plan"), Waker::none()));
        assert_eq!(events.last(), Some(&JobEvent::Finished), "{events:?}");
        Verdict::load(run).expect("a verdict")
    }
}

fn quick() -> Recipe {
    Recipe {
        epochs: 1,
        steps_per_epoch: 6,
        batch: 5,
        patch: 64,
        device: DeviceChoice::Cpu,
        model: ModelConfig {
            base_filters: 4,
            depth: 2,
            ..ModelConfig::default()
        },
        ..Recipe::default()
    }
}

const ALL_CELLS: [(u32, u32); 4] = [(0, 0), (1, 0), (0, 1), (1, 1)];

fn lineage(run: &Path) -> Lineage {
    let card = SavedModel::card_of(run).expect("a model");
    card.lineage.expect("a fine-tuned one")
}

fn planned(plan: Result<TrainPlan, TrainError>) -> (Lineage, String) {
    let plan = plan.expect("a plan");
    let lineage = plan.data.as_ref().and_then(TrainData::lineage);
    (lineage.expect("a lineage").clone(), plan.notes().join("\n"))
}

/// The blocks that chose the epoch of a plain run.
fn validation_of(run: &Path) -> Vec<PixelRect> {
    let split = crate::train::RunRecord::load(run).expect("a run").split;
    split.expect("a split").validation_blocks
}

fn is_within(blocks: &[PixelRect], block: PixelRect) -> bool {
    blocks.iter().any(|whole| whole.intersect(block) == block)
}

#[test]
fn a_chain_holds_the_same_ground_out_and_only_what_no_model_learned_from() {
    let world = World::new();
    let parent = world.parent("parent");
    let of_parent = validation_of(&parent);
    let order = world.order(Some(&parent), &ALL_CELLS);
    let plan = order
        .plan(world.run("child"), &Watch::NOBODY)
        .expect("a plan");
    assert!(plan.class_pixels().iter().sum::<u64>() > 0);
    world.trained(plan);
    let child = lineage(&world.run("child"));
    // Everything else was learned from by the parent.
    assert_eq!(child.held_out.judging.len(), of_parent.len());
    assert!(
        child
            .held_out
            .blocks()
            .all(|block| is_within(&of_parent, block))
    );
    assert!(child.held_out.choosing.is_empty());
    assert_eq!((child.generation, child.learned.done_cells), (1, 4));
    let verdict = world.verdict(&world.run("child"));
    assert_eq!((verdict.blocks, verdict.reads), (2, 1));
    assert!(verdict.before.is_some() && verdict.after.is_some());
    // Two blocks are no sample, however large they are.
    assert!(matches!(verdict.decision, Decision::NotMeasured(_)));

    let order = world.order(Some(&world.run("child")), &ALL_CELLS);
    let plan = order
        .plan(world.run("grandchild"), &Watch::NOBODY)
        .expect("a plan");
    world.trained(plan);
    let grandchild = lineage(&world.run("grandchild"));
    assert_eq!(grandchild.held_out, child.held_out);
    assert_eq!(grandchild.generation, 2);
    let rate = |name: &str| {
        let recipe = Recipe::load(&world.run(name).join("recipe.toml"));
        recipe.expect("a recipe").learning_rate
    };
    assert!((rate("child") - 0.25 * rate("parent")).abs() < 1e-12);
    assert!(
        (rate("grandchild") - rate("child")).abs() < 1e-12,
        "lowered once"
    );
    assert_eq!(world.verdict(&world.run("grandchild")).reads, 2);
    let chain = ancestors(&world.run("grandchild"));
    let names: Vec<_> = chain.iter().filter_map(|at| at.run.file_name()).collect();
    assert_eq!(names, ["grandchild", "child", "parent"]);
}

#[test]
fn a_first_training_on_done_cells_leaves_ground_that_judges_what_comes_of_it() {
    let world = World::new();
    let notes = world.parent_ahead("parent");
    assert!(notes.contains("8 blocks of cells that are done"), "{notes}");
    assert!(!notes.contains("unreviewed"), "{notes}");
    let child = world.learned("child", "parent");
    assert_eq!(child.held_out.judging.len(), 8);
    let verdict = world.verdict(&world.run("child"));
    assert_eq!(verdict.blocks, 8);
    assert!(!matches!(verdict.decision, Decision::NotMeasured(_)));
}

#[test]
fn each_reading_of_judging_ground_counts_and_the_first_ground_shows_what_is_forgotten() {
    let world = World::new();
    world.parent_elsewhere("parent");
    let one = world.learned("one", "parent");
    assert_eq!(one.held_out.judging.len(), 8);
    let of_one = world.verdict(&world.run("one"));
    assert_eq!((of_one.blocks, of_one.reads), (8, 1));
    assert!(!matches!(
        of_one.decision,
        Decision::NotMeasured(_) | Decision::First
    ));
    // Another click on the same model reads the same ground.
    world.learned("two", "parent");
    assert_eq!(world.verdict(&world.run("two")).reads, 2);
    world.learned("three", "one");
    let of_three = world.verdict(&world.run("three"));
    assert_eq!(of_three.reads, 3);
    let tree = family_tree(&world.run("two"));
    let names = tree.iter().map(|it| (it.model.run.clone(), it.depth));
    let expected = [("parent", 0), ("one", 1), ("three", 2), ("two", 1)];
    let expected = expected.map(|(name, depth)| (world.run(name), depth));
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let [before, after] = [of_one.forgetting, of_three.forgetting].map(|it| it.expect("ground"));
    assert_eq!(before.images, after.images);
    assert_eq!(before.after, after.before, "one model on the first ground");

    // What a refused model said of held-out ground judges no model of its parent.
    let mut order = world.order(Some(&world.run("one")), &ALL_CELLS);
    order.models = vec!["two".to_owned(), "another".to_owned()];
    let not_judged = |order: &FinetuneOrder, model| {
        let said = Origin::model(model).index();
        let order = FinetuneOrder {
            origins: Some(Mask::filled(order.label.size(), said)),
            ..order.clone()
        };
        let (next, _) = planned(order.plan(world.run("next"), &Watch::NOBODY));
        next.learned.not_judged_pixels
    };
    let held_out: u64 = one.held_out.blocks().map(PixelRect::num_pixels).sum();
    assert_eq!(not_judged(&order, 0), held_out);
    assert_eq!(not_judged(&order, 1), 0);
}

#[test]
fn what_was_learned_from_is_known_where_everything_was_moved() {
    let world = World::new();
    let parent = world.parent("parent");
    let of_parent = validation_of(&parent);
    let child = world.learned("child", "parent");
    let world = world.moved("renamed");
    let (grandchild, notes) = world.next("child");
    assert_eq!(grandchild.held_out, child.held_out);
    assert_eq!(grandchild.generation, 2);
    assert!(!notes.contains("cannot be told"), "{notes}");
    let chain = ancestors(&world.run("child"));
    let runs: Vec<PathBuf> = chain.into_iter().map(|at| at.run).collect();
    assert_eq!(runs, [world.run("child"), world.run("parent")]);

    // A run of a version that kept no prints.
    std::fs::remove_file(world.run("parent").join(PRINT_FILE)).expect("a print");
    let (again, notes) = world.next("parent");
    assert!(!again.held_out.is_empty());
    assert!(
        again
            .held_out
            .blocks()
            .all(|block| is_within(&of_parent, block))
    );
    assert!(notes.contains("cannot be told"), "{notes}");
    // One that is gone may have learned from anything.
    std::fs::rename(world.run("parent"), world.run("elsewhere")).expect("it moves");
    let (orphan, notes) = world.next("child");
    assert_eq!(orphan.held_out, child.held_out);
    assert!(notes.contains("parent is gone"), "{notes}");
}

#[test]
fn what_a_model_of_the_chain_said_is_not_judged_on_and_what_was_corrected_is_not_repeated() {
    let world = World::new();
    let parent = world.parent("parent");
    let mut order = world.order(Some(&parent), &ALL_CELLS[..3]);
    // The whole image was accepted from its parent but for a strip from another model.
    let strip = PixelRect::new(0, 0, SIDE, 700);
    let origins = order.origins.as_mut().expect("origins");
    *origins = Mask::filled(origins.size(), Origin::model(0).index());
    let other = vec![Origin::model(1).index(); strip.num_pixels() as usize];
    origins.set_rect(strip, &other);
    let plan = order
        .plan(world.run("child"), &Watch::NOBODY)
        .expect("a plan");
    world.trained(plan);
    let run = world.run("child");
    let lineage = lineage(&run);
    let learned = &lineage.learned;
    assert_eq!(learned.accepted_pixels, learned.trusted_pixels);
    let under_strip: u64 = (lineage.held_out.blocks())
        .map(|block| block.intersect(strip).num_pixels())
        .sum();
    let held_out: u64 = lineage.held_out.blocks().map(PixelRect::num_pixels).sum();
    assert!(held_out > 0);
    let [not_judged, all] = [learned.not_judged_pixels, learned.held_out_pixels];
    assert_eq!((not_judged, all), (held_out - under_strip, held_out));
    assert!(
        !run.join(REPLAY_FILE).exists(),
        "all is trusted, nothing is left to repeat"
    );

    // Where nobody vouches for anything, what the parent learned from is repeated if it still
    // stands.
    let order = world.order(Some(&parent), &ALL_CELLS[..3]);
    let plan = order
        .plan(world.run("other"), &Watch::NOBODY)
        .expect("a plan");
    let replay = plan.replay.as_ref().and_then(Replay::own_label);
    let (replay, now) = (replay.expect("a label"), world.truth());
    let before = world.wrong();
    let fourth = PixelRect::new(1_024, 1_024, 1_024, 1_024);
    let expected: Vec<u8> = (before
        .read_rect(fourth)
        .into_iter()
        .zip(now.read_rect(fourth)))
    .map(|(before, now)| if before == now { before } else { UNLABELED })
    .collect();
    assert!(replay.read_rect(fourth) == expected);
    assert!(expected.contains(&UNLABELED), "some of it was corrected");
    let labeled = replay.size().num_pixels() - replay.histogram()[usize::from(UNLABELED)];
    let stands = expected.iter().filter(|&&class| class != UNLABELED).count();
    assert_eq!(labeled, stands as u64);
}

#[test]
fn strokes_alone_are_learned_from_without_a_verdict() {
    let world = World::new();
    let mut order = world.order(None, &[]);
    let mut origins = Mask::filled(order.label.size(), Origin::IMPORTED.index());
    let stroke = PixelRect::new(300, 300, 400, 300);
    origins.set_rect(
        stroke,
        &vec![Origin::HAND.index(); stroke.num_pixels() as usize],
    );
    order.origins = Some(origins);
    let plan = order
        .plan(world.run("first"), &Watch::NOBODY)
        .expect("a plan");
    world.trained(plan);
    let run = world.run("first");
    let kept = mask(&run.join("label.tif"));
    let labeled = kept.size().num_pixels() - kept.histogram()[usize::from(UNLABELED)];
    assert_eq!(labeled, stroke.num_pixels());
    assert!(lineage(&run).held_out.is_empty());
    let verdict = world.verdict(&run);
    assert_eq!((verdict.decision, verdict.blocks), (Decision::First, 0));
    // The last epoch counts as the best, and reads back without a validation loss.
    let row = SavedModel::load(&run)
        .expect("a model")
        .card()
        .metrics
        .clone();
    let row = row.expect("a row");
    assert!(row.epoch == 2 && row.val_loss.is_nan());
    let error = world
        .order(None, &[])
        .plan(world.run("none"), &Watch::NOBODY);
    assert!(matches!(error, Err(TrainError::Recipe(why)) if why.contains("nothing was corrected")));
}

#[test]
fn a_fine_tuning_that_was_stopped_goes_on_to_the_same_weights() {
    let world = World::new();
    let parent = world.parent("parent");
    let plan = |name: &str| {
        let order = world.order(Some(&parent), &ALL_CELLS[..3]);
        order.plan(world.run(name), &Watch::NOBODY).expect("a plan")
    };
    world.trained(plan("whole"));
    world.trained(plan("parts").until(Some(1)));
    let run = world.run("parts");
    let data = TrainData::of_run(&run).expect("data");
    let ground = data.ground(&run, 1 << 24).expect("ground");
    world.trained(TrainPlan::resume(ground, run.clone()).expect("a plan"));
    let weights = |run: &Path| SavedModel::load(run).expect("a model").weights_print();
    assert_eq!(weights(&run), weights(&world.run("whole")));
    assert_eq!(lineage(&run), lineage(&world.run("whole")));
}

#[test]
fn another_image_of_the_same_size_is_neither_learned_from_nor_judged() {
    let world = World::new();
    let parent = world.parent("parent");
    let data = TrainData::of_run(&parent).expect("data");
    let own = std::fs::read(world.image()).expect("an image");
    let other = world.run("images").join("01.png");
    std::fs::copy(other, world.image()).expect("exchanged");
    let refused = data.ground(&parent, 1 << 24).err();
    let is_told = |why: &str| why.contains("another one than the training began on");
    assert!(is_told(&refused.expect("another image").to_string()));
    let plan = JudgePlan::new(parent.clone(), ScoredOn::Validation, 1 << 24).expect("a plan");
    match events_of(&world.engine.judge(plan, Waker::none())).pop() {
        Some(JobEvent::Failed(why)) => assert!(is_told(&why), "{why}"),
        other => panic!("{other:?}"),
    }
    crate::disk::replace_file(&world.image(), &own).expect("back");
    assert!(data.ground(&parent, 1 << 24).is_ok());
}
