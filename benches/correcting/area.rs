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
    opened_folder,
};

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
            make(name, &elsewhere, &here)?;
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

    /// All whole cells.
    pub fn cells(&self) -> Vec<PixelRect> {
        let (size, side) = (self.truth.size(), self.cell);
        let rows = 0..size.height / side;
        let cell = |(col, row): (u32, u32)| PixelRect::new(col * side, row * side, side, side);
        rows.flat_map(|row| (0..size.width / side).map(move |col| (col, row)))
            .map(cell)
            .collect()
    }
}

fn make(name: &str, elsewhere: &Path, here: &Path) -> Option<()> {
    match name {
        "roads" => return mosaics(elsewhere, here),
        "loveda" => return loveda(elsewhere, here),
        "deepglobe" => return deepglobe(elsewhere, here),
        _ => {}
    }
    for (seed, folder) in [(21, elsewhere), (22, here)] {
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

/// An image and its truth (255: not known) in a mosaic.
type Piece = (image::RgbImage, image::GrayImage);

/// Writes pieces of the same size side by side, as an image with its truth.
fn write_mosaic(folder: &Path, pieces: &[Piece], classes: &ClassTable) -> Option<()> {
    let (width, height) = pieces.first()?.0.dimensions();
    let cols = (pieces.len() as f64).sqrt().ceil() as u32;
    let rows = (pieces.len() as u32).div_ceil(cols);
    let size = (cols * width, rows * height);
    let mut image = image::RgbImage::new(size.0, size.1);
    let mut mask = image::GrayImage::from_pixel(size.0, size.1, image::Luma([255]));
    for (at, (color, truth)) in (0..).zip(pieces) {
        let (x, y) = ((at % cols * width).into(), (at / cols * height).into());
        image::imageops::replace(&mut image, color, x, y);
        image::imageops::replace(&mut mask, truth, x, y);
    }
    fs::create_dir_all(folder).ok()?;
    classes.save(&folder.join("classes.toml")).ok()?;
    image.save(folder.join("image.png")).ok()?;
    mask.save(folder.join("truth.png")).ok()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name)
}

/// Three images of `LoveDA`: two elsewhere, the third here.
fn loveda(elsewhere: &Path, here: &Path) -> Option<()> {
    let names = [
        "background",
        "building",
        "road",
        "water",
        "barren",
        "forest",
        "agriculture",
    ];
    let class = |(index, name): (usize, &str)| {
        let index = index as u8;
        Class::new(
            index,
            name,
            orthobrush::label::default_color(index.into(), names.len()),
        )
    };
    let classes = names.into_iter().enumerate().map(class).collect();
    let classes = ClassTable::new(Some(0), classes).ok()?;
    let piece = |at: u32| -> Option<Piece> {
        let folder = data("aerial_samples/loveda");
        let color = image::open(folder.join(format!("img_dir/{at}.png")))
            .ok()?
            .to_rgb8();
        let mut truth = image::open(folder.join(format!("ann_dir/{at}.png")))
            .ok()?
            .to_luma8();
        // In the files 0 is not known, and classes begin at 1.
        truth
            .pixels_mut()
            .for_each(|pixel| pixel.0[0] = pixel.0[0].wrapping_sub(1));
        Some((color, truth))
    };
    write_mosaic(elsewhere, &[piece(0)?, piece(1)?], &classes)?;
    write_mosaic(here, &[piece(2)?], &classes)
}

/// Three images in `DeepGlobe`'s encoding: two elsewhere, the third here.
fn deepglobe(elsewhere: &Path, here: &Path) -> Option<()> {
    let (ground, classes) = opened_folder(&data("deepglobe_style"), 1 << 26).ok()?;
    let piece = |at: usize| -> Option<Piece> {
        let scene = ground.scene(at).ok()?;
        let bounds = scene.image_size().bounds();
        let rgba = scene.read_image(bounds).ok()?;
        let rgb = rgba
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        let truth = scene.image_mask().read_rect(bounds);
        Some((
            image::RgbImage::from_raw(bounds.width, bounds.height, rgb)?,
            image::GrayImage::from_raw(bounds.width, bounds.height, truth)?,
        ))
    };
    write_mosaic(elsewhere, &[piece(0)?, piece(1)?], &classes)?;
    write_mosaic(here, &[piece(2)?], &classes)
}

/// Tiles of the Massachusetts roads, those of one half of the parent images on one mosaic, those of
/// the other half on another.
fn mosaics(elsewhere: &Path, here: &Path) -> Option<()> {
    let data = data("roads_sagemaker_layout/sagemaker/seg-data");
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
    let classes = vec![
        Class::new(0, "background", [60; 3]),
        Class::new(1, "road", [240, 228, 66]),
    ];
    let classes = ClassTable::new(Some(0), classes).ok()?;
    for (half, folder) in [elsewhere, here].into_iter().enumerate() {
        let is_its = |tile: &&(String, PathBuf, PathBuf)| {
            let at = parents.iter().position(|it| *it == parent(&tile.0));
            at.is_some_and(|at| at % 2 == half)
        };
        let piece = |(_, color, label): &(String, PathBuf, PathBuf)| -> Option<Piece> {
            let mut label = image::open(label).ok()?.to_luma8();
            label
                .pixels_mut()
                .for_each(|pixel| pixel.0[0] = u8::from(pixel.0[0] > 127));
            Some((image::open(color).ok()?.to_rgb8(), label))
        };
        let pieces: Option<Vec<Piece>> = tiles.iter().filter(is_its).map(piece).collect();
        write_mosaic(folder, &pieces?, &classes)?;
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
