use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use orthobrush::dataset::{Ground, Scene};
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::job::{JobEvent, Waker};
use orthobrush::label::{Class, ClassTable, Encoding, Mask, load_mask};
use orthobrush::raster::{TileSource, open_raster};
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::train::{
    DeviceChoice, EncoderKind, Engine, PredictEvent, PredictPlan, Recipe, TrainData, TrainPlan,
};

/// Side in pixels of the cells that are corrected or not.
pub const CELL: u32 = 128;
/// Side of a training patch, and the distance that judged ground keeps from corrected cells.
pub const PATCH: u32 = 128;

/// An image to correct, and a model that was trained elsewhere.
pub struct Area {
    pub name: String,
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
            make(name, &elsewhere, &here)?;
        }
        let engine = Engine::start().expect("a thread");
        let parent = folder.join("parent");
        if !parent.join("report.md").is_file() {
            drop(fs::remove_dir_all(&parent));
            train(&engine, plan_of(&elsewhere, &parent));
        }
        let (image, truth, classes) = read(&here);
        let source = open_raster(&image).expect("an image");
        let (said, certainty) = predicted(&engine, &parent, source);
        Some(Self {
            name: name.to_owned(),
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

    /// All whole cells.
    pub fn cells(&self) -> Vec<PixelRect> {
        let size = self.truth.size();
        let rows = 0..size.height / CELL;
        let cell = |(col, row): (u32, u32)| PixelRect::new(col * CELL, row * CELL, CELL, CELL);
        rows.flat_map(|row| (0..size.width / CELL).map(move |col| (col, row)))
            .map(cell)
            .collect()
    }
}

fn make(name: &str, elsewhere: &Path, here: &Path) -> Option<()> {
    if name == "roads" {
        return mosaics(elsewhere, here);
    }
    let first = if name == "tuning" { 21 } else { 11 };
    for (seed, folder) in [(first, elsewhere), (first + 1, here)] {
        let config = SampleConfig {
            size: ImageSize::new(2_560, 2_560),
            seed,
            has_overviews: false,
        };
        let paths = write_sample(folder, &config, |_| ControlFlow::Continue(()));
        let paths = paths.expect("a sample");
        fs::rename(&paths.label_true, folder.join("truth.tif")).expect("renamed");
        fs::rename(&paths.ortho, folder.join("image.tif")).expect("renamed");
    }
    Some(())
}

/// Tiles of the Massachusetts roads, those of one half of the parent images on one mosaic, those of
/// the other half on another.
fn mosaics(elsewhere: &Path, here: &Path) -> Option<()> {
    const TILE: u32 = 512;
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/roads_sagemaker_layout/sagemaker/seg-data");
    let mut tiles: Vec<(String, PathBuf, PathBuf)> = Vec::new();
    for part in ["train", "test"] {
        for entry in fs::read_dir(data.join(part).join("images")).ok()? {
            let image = entry.ok()?.path();
            let stem = image.file_stem()?.to_string_lossy().into_owned();
            let masks = data.join(part).join("masks");
            let mask = ["png", "jpg", "tif"].map(|kind| masks.join(format!("{stem}.{kind}")));
            let mask = mask.into_iter().find(|path| path.is_file())?;
            tiles.push((stem, image, mask));
        }
    }
    tiles.sort();
    let parent = |stem: &str| stem[..8].to_owned();
    let mut parents: Vec<String> = tiles.iter().map(|tile| parent(&tile.0)).collect();
    parents.dedup();
    for (half, folder) in [elsewhere, here].into_iter().enumerate() {
        let its = |tile: &&(String, PathBuf, PathBuf)| {
            let at = parents.iter().position(|it| *it == parent(&tile.0));
            at.is_some_and(|at| at % 2 == half)
        };
        let its: Vec<_> = tiles.iter().filter(its).collect();
        let cols = (its.len() as f64).sqrt().ceil() as u32;
        let rows = (its.len() as u32).div_ceil(cols);
        let mut image = image::RgbImage::new(cols * TILE, rows * TILE);
        let mut mask = image::GrayImage::from_pixel(cols * TILE, rows * TILE, image::Luma([255]));
        for (at, (_, color, label)) in (0..).zip(its) {
            let (x, y) = (at % cols * TILE, at / cols * TILE);
            let color = image::open(color).ok()?.to_rgb8();
            let label = image::open(label).ok()?.to_luma8();
            image::imageops::replace(&mut image, &color, x.into(), y.into());
            for (dx, dy, pixel) in label.enumerate_pixels() {
                mask.put_pixel(x + dx, y + dy, image::Luma([u8::from(pixel.0[0] > 127)]));
            }
        }
        fs::create_dir_all(folder).ok()?;
        let classes = vec![
            Class::new(0, "background", [60; 3]),
            Class::new(1, "road", [240, 228, 66]),
        ];
        let table = ClassTable::new(Some(0), classes).expect("two classes");
        table.save(&folder.join("classes.toml")).expect("saved");
        image.save(folder.join("image.png")).ok()?;
        mask.save(folder.join("truth.png")).ok()?;
    }
    Some(())
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
fn recipe() -> Recipe {
    let mut recipe = Recipe {
        epochs: 10,
        steps_per_epoch: 24,
        batch: 8,
        patch: PATCH,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    recipe.model.encoder = EncoderKind::Lite0;
    recipe
}

fn plan_of(folder: &Path, out: &Path) -> TrainPlan {
    let (image, truth, classes) = read(folder);
    let source = open_raster(&image).expect("an image");
    let scene = Scene::tiled("elsewhere".to_owned(), source, truth, 1 << 28);
    let ground = Ground::Image(Arc::new(scene));
    let plan = TrainPlan::new(recipe(), ground, classes, out.to_owned()).expect("a plan");
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
    let plan = PredictPlan::new(run, source, DeviceChoice::Cpu).expect("a plan");
    let job = engine.predict(plan, Waker::none());
    let (mut said, mut certainty) = (Mask::new(size), Mask::new(size));
    while let Some(event) = job.next_within(Duration::from_hours(2)) {
        match event {
            JobEvent::Said(PredictEvent::Block {
                rect,
                classes,
                sure,
            }) => {
                said.set_rect(rect, &classes);
                certainty.set_rect(rect, &sure);
            }
            JobEvent::Said(_) => {}
            JobEvent::Finished => break,
            ended => panic!("{ended:?}"),
        }
    }
    (said, certainty)
}
