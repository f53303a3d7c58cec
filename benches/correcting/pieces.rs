//! The images that areas are put together from.

use std::fs;
use std::path::{Path, PathBuf};

use orthobrush::label::{Class, ClassTable, default_color};
use orthobrush::train::opened_folder;

/// An image and its truth (255: not known) in a mosaic.
type Piece = (image::RgbImage, image::GrayImage);

/// The two areas of a pair, in the order "trained on" and "corrected".
struct Pair {
    areas: [Vec<Piece>; 2],
    classes: ClassTable,
}

/// Writes both areas of a pair; `None` when its data is not there.
pub fn write_pair(name: &str, elsewhere: &Path, here: &Path) -> Option<()> {
    let pair = match name {
        "roads" => roads([massachusetts(0)?, massachusetts(1)?]),
        "abroad" => roads([epfl(0..36)?, massachusetts(1)?]),
        "abroad_1m" => roads([at_one_meter(&epfl(0..80)?), massachusetts(1)?]),
        // Only to choose defaults; they share no corrected ground with the others.
        "tuning" => roads([massachusetts(0)?, epfl(36..72)?]),
        "back" => roads([epfl(0..36)?, massachusetts(0)?]),
        "back_1m" => roads([at_one_meter(&epfl(0..80)?), massachusetts(0)?]),
        "loveda" => loveda(),
        _ => deepglobe(),
    }?;
    let [there, corrected] = &pair.areas;
    write_mosaic(elsewhere, there, &pair.classes)?;
    write_mosaic(here, corrected, &pair.classes)
}

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

fn color_of(path: &Path) -> Option<image::RgbImage> {
    Some(image::open(path).ok()?.to_rgb8())
}

/// A mask file of two classes, softened by JPEG or by its maker, with class 1 where it is bright.
fn bright(path: &Path) -> Option<image::GrayImage> {
    let mut truth = image::open(path).ok()?.to_luma8();
    for pixel in truth.pixels_mut() {
        pixel.0[0] = u8::from(pixel.0[0] > 127);
    }
    Some(truth)
}

fn roads(areas: [Vec<Piece>; 2]) -> Option<Pair> {
    let classes = vec![
        Class::new(0, "background", [60; 3]),
        Class::new(1, "road", [240, 228, 66]),
    ];
    let classes = ClassTable::new(Some(0), classes).ok()?;
    Some(Pair { areas, classes })
}

/// Tiles of the Massachusetts roads of every other parent image, the first (0) or the second (1).
fn massachusetts(half: usize) -> Option<Vec<Piece>> {
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
    let is_its = |stem: &str| {
        let at = parents.iter().position(|it| *it == parent(stem));
        at.is_some_and(|at| at % 2 == half)
    };
    let its = tiles.iter().filter(|(stem, ..)| is_its(stem));
    its.map(|(_, color, label)| Some((color_of(color)?, bright(label)?)))
        .collect()
}

/// Some of the EPFL road images, in the order of their names.
fn epfl(which: std::ops::Range<usize>) -> Option<Vec<Piece>> {
    let data = data("epfl_roads");
    let entries = fs::read_dir(data.join("images")).ok()?;
    let mut images: Vec<PathBuf> = entries
        .map(|entry| Some(entry.ok()?.path()))
        .collect::<Option<_>>()?;
    images.sort();
    let piece = |image: &PathBuf| -> Option<Piece> {
        let stem = image.file_stem()?.to_string_lossy();
        let masks = data.join("groundtruth");
        let mask = ["png", "jpg"].map(|kind| masks.join(format!("{stem}.{kind}")));
        let mask = mask.into_iter().find(|path| path.is_file())?;
        Some((color_of(image)?, bright(&mask)?))
    };
    images.get(which)?.iter().map(piece).collect()
}

/// Side of a pixel of the EPFL images, in meters: the lines of a tennis court (23.77 m by 10.97 m) in
/// the fifth of them are 55 by 29 pixels.
const EPFL_PIXEL: f64 = 0.4;

/// EPFL images at 1 m a pixel; a pixel is road where most of it is.
fn at_one_meter(pieces: &[Piece]) -> Vec<Piece> {
    use image::imageops::{FilterType, resize};
    let reduced = |(color, truth): &Piece| {
        let side = |pixels: u32| (f64::from(pixels) * EPFL_PIXEL).round() as u32;
        let (width, height) = (side(color.width()), side(color.height()));
        let mut share = truth.clone();
        for pixel in share.pixels_mut() {
            pixel.0[0] *= 255;
        }
        let mut truth = resize(&share, width, height, FilterType::Triangle);
        for pixel in truth.pixels_mut() {
            pixel.0[0] = u8::from(pixel.0[0] > 127);
        }
        (resize(color, width, height, FilterType::Triangle), truth)
    };
    pieces.iter().map(reduced).collect()
}

/// Three images of `LoveDA`: two elsewhere, the third here.
fn loveda() -> Option<Pair> {
    let names = [
        "background",
        "building",
        "road",
        "water",
        "barren",
        "forest",
        "agriculture",
    ];
    let class = |(index, name): (u8, &str)| {
        Class::new(index, name, default_color(index.into(), names.len()))
    };
    let classes = (0..).zip(names).map(class).collect();
    let classes = ClassTable::new(Some(0), classes).ok()?;
    let piece = |at: u32| -> Option<Piece> {
        let folder = data("aerial_samples/loveda");
        let mut truth = image::open(folder.join(format!("ann_dir/{at}.png")))
            .ok()?
            .to_luma8();
        // In the files 0 is not known, and classes begin at 1.
        for pixel in truth.pixels_mut() {
            pixel.0[0] = pixel.0[0].wrapping_sub(1);
        }
        Some((color_of(&folder.join(format!("img_dir/{at}.png")))?, truth))
    };
    let areas = [vec![piece(0)?, piece(1)?], vec![piece(2)?]];
    Some(Pair { areas, classes })
}

/// Three images in `DeepGlobe`'s encoding: two elsewhere, the third here.
fn deepglobe() -> Option<Pair> {
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
    let areas = [vec![piece(0)?, piece(1)?], vec![piece(2)?]];
    Some(Pair { areas, classes })
}
