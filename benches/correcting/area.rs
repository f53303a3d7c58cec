use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orthobrush::dataset::{Ground, Scene};
use orthobrush::geom::PixelRect;
use orthobrush::job::{JobEvent, Waker};
use orthobrush::label::{ClassTable, Encoding, Mask, UNLABELED, load_mask};
use orthobrush::raster::{TileSource, open_raster};
use orthobrush::train::{
    DeviceChoice, EncoderKind, Engine, PredictEvent, PredictPlan, Recipe, TrainData, TrainPlan,
};

use super::pieces;

/// An image to correct, and a model that was trained elsewhere.
pub struct Area {
    pub name: String,
    /// Side in pixels of the cells that are corrected or not.
    pub cell: u32,
    /// Side of a training patch, and the distance that judged ground keeps from corrected cells.
    pub patch: u32,
    pub folder: PathBuf,
    pub image: PathBuf,
    pub truth: Mask,
    pub classes: ClassTable,
    /// The model's run.
    pub parent: PathBuf,
    /// What the model says of the area, and how sure it is.
    pub said: Mask,
    pub certainty: Mask,
    pub engine: Engine,
}

impl Area {
    /// The area of a name with its model, made in `out` if it is not there yet; `None` when the
    /// data for it is missing.
    pub fn made(name: &str, out: &Path) -> Option<Self> {
        let folder = out.join(name);
        let [elsewhere, here] = ["elsewhere", "here"].map(|part| folder.join(part));
        if !here.join("truth.tif").is_file() && !here.join("truth.png").is_file() {
            pieces::write_pair(name, &elsewhere, &here)?;
        }
        let engine = Engine::start().expect("a thread");
        // Images of 1,024 pixels have room for smaller cells only.
        let (cell, patch) = if matches!(name, "loveda" | "deepglobe") {
            (128, 96)
        } else {
            (256, 128)
        };
        let parent = folder.join("parent");
        if !parent.join("report.md").is_file() {
            drop(fs::remove_dir_all(&parent));
            train(&engine, plan_of(&elsewhere, &parent, patch));
        }
        let (image, truth, classes) = read(&here);
        let source = open_raster(&image).expect("an image");
        let (said, certainty) = predicted(&engine, &parent, source);
        Some(Self {
            name: name.to_owned(),
            cell,
            patch,
            folder,
            image,
            truth,
            classes,
            parent,
            said,
            certainty,
            engine,
        })
    }

    /// All whole cells but those that are filler of the mosaic alone.
    pub fn cells(&self) -> Vec<PixelRect> {
        let (size, side) = (self.truth.size(), self.cell);
        let rows = 0..size.height / side;
        let cell = |(col, row): (u32, u32)| PixelRect::new(col * side, row * side, side, side);
        rows.flat_map(|row| (0..size.width / side).map(move |col| (col, row)))
            .map(cell)
            .filter(|&cell| !self.is_filler(cell))
            .collect()
    }

    /// Whether no image lies there.
    pub fn is_filler(&self, cell: PixelRect) -> bool {
        let truth = self.truth.read_rect(cell);
        truth.iter().all(|&class| class == UNLABELED)
    }
}

fn read(folder: &Path) -> (PathBuf, Mask, ClassTable) {
    let one = |stem: &str| {
        let paths = ["tif", "png"].map(|kind| folder.join(format!("{stem}.{kind}")));
        paths
            .into_iter()
            .find(|path| path.is_file())
            .expect("a file")
    };
    let truth = load_mask(&one("truth"), None, Encoding::Index, None).expect("a mask");
    let classes = ClassTable::load(&folder.join("classes.toml")).expect("classes");
    (one("image"), truth.mask, classes)
}

/// The recipe of the models that are corrected: a decoder on the embedded encoder.
fn recipe(patch: u32) -> Recipe {
    let mut recipe = Recipe {
        epochs: 10,
        steps_per_epoch: 24,
        batch: 8,
        patch,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    recipe.model.encoder = EncoderKind::Lite0;
    recipe.model.width = Some(128);
    recipe
}

fn plan_of(folder: &Path, out: &Path, patch: u32) -> TrainPlan {
    let (image, truth, classes) = read(folder);
    let source = open_raster(&image).expect("an image");
    let scene = Scene::tiled("elsewhere".to_owned(), source, truth, 1 << 28);
    let ground = Ground::Image(Arc::new(scene));
    let plan = TrainPlan::new(recipe(patch), ground, classes, out.to_owned()).expect("a plan");
    plan.reading(TrainData::Image { image })
}

/// Trains to the end.
pub fn train(engine: &Engine, plan: TrainPlan) {
    let job = engine.train(plan, Waker::none());
    while let Some(event) = job.next_within(Duration::from_hours(2)) {
        match event {
            JobEvent::Said(_) => {}
            JobEvent::Finished => return,
            ended => panic!("{ended:?}"),
        }
    }
}

/// What the best model of a run says of an image, and how sure it is.
pub fn predicted(engine: &Engine, run: &Path, source: Arc<dyn TileSource>) -> (Mask, Mask) {
    let size = source.info().size;
    // The windows of the first rows; larger ones are usual since.
    let plan = PredictPlan::new(run, source, DeviceChoice::Cpu).expect("a plan");
    let job = engine.predict(plan.in_patches(), Waker::none());
    let (mut said, mut certainty) = (Mask::new(size), Mask::new(size));
    while let Some(event) = job.next_within(Duration::from_hours(2)) {
        match event {
            JobEvent::Said(PredictEvent::Block {
                rect,
                classes,
                sure,
            }) => {
                said.set_rect(rect, &classes);
                certainty.set_rect(rect, &sure[0]);
            }
            JobEvent::Said(_) => {}
            JobEvent::Finished => break,
            ended => panic!("{ended:?}"),
        }
    }
    (said, certainty)
}
