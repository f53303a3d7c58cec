//! How many clicks an object costs.
//!
//! A simulated person clicks into the middle of the largest error until the intersection over union
//! with the truth is 0.85, at most 20 times; objects that never get there count as 20. Buildings of
//! the sample landscape and, where `../shared/data` has them, buildings of aerial images and salt
//! bodies of seismic ones.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use orthobrush::exchange::{Region, polygonize};
use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{
    Hint, Mask, ObjectFinder, Selection, Superpixels, Wand, clicks_to_iou, intersection_over_union,
    wand,
};
use orthobrush::sample::{World, paint_band};
use rayon::prelude::*;

const TARGET_IOU: f64 = 0.85;
const MOST_CLICKS: u32 = 20;

/// Sizes of the buildings that are marked, in pixels.
const BUILDING_PIXELS: std::ops::RangeInclusive<u64> = 400..=100_000;

const WAND: Wand = Wand {
    tolerance: 24,
    contiguous: true,
    max_pixels: u64::MAX,
};

fn main() {
    // `cargo test --benches` asks for a run that only shows that it works.
    let is_measuring = std::env::args().any(|arg| arg == "--bench");
    let seeds = if is_measuring { 1..5 } else { 1..2 };
    let mut subjects = vec![("buildings, sample", sample_buildings(seeds))];
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if is_measuring && data.is_dir() {
        subjects.push(("buildings, aerial", aerial_buildings(&data)));
        subjects.push(("salt bodies", salt_bodies(&data)));
    }
    println!("mean clicks to IoU {TARGET_IOU} (never reached), mean IoU of the first click");
    println!("| objects | number | object finder | magic wand | superpixel brush |");
    println!("|---|---|---|---|---|");
    for (name, scenes) in subjects {
        println!("{}", row(name, &scenes));
    }
}

/// An image and the objects in it.
struct Scene {
    window: PixelRect,
    /// Row by row.
    rgba: Vec<u8>,
    objects: Vec<Selection>,
    /// Ground of which the truth says nothing.
    unknown: Selection,
    /// Width of the superpixels, in pixels.
    superpixel_px: u32,
}

/// What marking some objects cost.
#[derive(Clone, Copy, Default)]
struct Tally {
    clicks: u32,
    failures: u32,
    first_iou: f64,
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self {
            clicks: self.clicks + other.clicks,
            failures: self.failures + other.failures,
            first_iou: self.first_iou + other.first_iou,
        }
    }
}

fn row(name: &str, scenes: &[Scene]) -> String {
    let number: usize = scenes.iter().map(|scene| scene.objects.len()).sum();
    let scenes = scenes.par_iter().map(Scene::tallies);
    let tallies = scenes.reduce(Default::default, |one, other| {
        std::array::from_fn(|tool| one[tool].plus(other[tool]))
    });
    let mean = |sum: f64| sum / number.max(1) as f64;
    let cells = tallies.map(|tally| {
        let Tally {
            clicks,
            failures,
            first_iou,
        } = tally;
        let clicks = mean(f64::from(clicks));
        format!("{clicks:.2} ({failures}), {:.2}", mean(first_iou))
    });
    format!("| {name} | {number} | {} |", cells.join(" | "))
}

impl Scene {
    /// The costs by object finder, magic wand and superpixel brush.
    fn tallies(&self) -> [Tally; 3] {
        if self.objects.is_empty() {
            return Default::default();
        }
        let finder = ObjectFinder::of(self.window, &self.rgba);
        let superpixels = Superpixels::of(self.window, &self.rgba, self.superpixel_px, 10.0);
        // A little more than half of what is seen.
        let reach = f64::from(self.window.width) * 0.55;
        let find = |hints: &[Hint]| finder.find(hints, reach);
        let wand = |hints: &[Hint]| dabbed(hints, |x, y| self.wand_at(x, y));
        let superpixel = |hints: &[Hint]| {
            dabbed(hints, |x, y| {
                let number = superpixels.at(x, y);
                superpixels.selection(number.as_slice())
            })
        };
        [
            self.tally(&find),
            self.tally(&wand),
            self.tally(&superpixel),
        ]
    }

    fn tally(&self, tool: &dyn Fn(&[Hint]) -> Selection) -> Tally {
        let marked = |object: &Selection| {
            let mut first_iou = None;
            let (clicks, iou) = clicks_to_iou(object, TARGET_IOU, MOST_CLICKS, &mut |hints| {
                let found = tool(hints).without(&self.unknown);
                first_iou.get_or_insert_with(|| intersection_over_union(object, &found));
                found
            });
            let has_failed = iou < TARGET_IOU;
            Tally {
                clicks: if has_failed { MOST_CLICKS } else { clicks },
                failures: u32::from(has_failed),
                first_iou: first_iou.unwrap_or(0.0),
            }
        };
        let tallies = self.objects.iter().map(marked);
        tallies.fold(Tally::default(), Tally::plus)
    }

    fn wand_at(&self, x: u32, y: u32) -> Selection {
        let row = |y: u32, rect: PixelRect| {
            let first = (y * self.window.width + rect.x) as usize * 4;
            &self.rgba[first..first + rect.width as usize * 4]
        };
        let read = |rect: PixelRect| {
            let rows: Vec<&[u8]> = (rect.y..rect.bottom()).map(|y| row(y, rect)).collect();
            Ok(rows.concat())
        };
        wand(&read, self.window, (x, y), &WAND, &|| false).expect("a click inside")
    }
}

/// What clicks with a tool that knows no earlier click give: each adds its part or takes it away.
fn dabbed(hints: &[Hint], part: impl Fn(u32, u32) -> Selection) -> Selection {
    hints.iter().fold(Selection::default(), |all, hint| {
        let at = hint.points[0];
        hint.side.applied(&all, &part(at.x as u32, at.y as u32))
    })
}

/// The regions of one class in a picture of classes.
fn regions(size: ImageSize, classes: &[u8], class: u8) -> Vec<Region> {
    let mut mask = Mask::new(size);
    mask.set_rect(size.bounds(), classes);
    polygonize(&mask, size.bounds(), &|found| found == class, &|| false).expect("nobody cancels")
}

/// The pixels of a region.
fn selection(region: &Region, size: ImageSize) -> Selection {
    let point = |&(x, y): &(u32, u32)| ImagePoint::new(f64::from(x), f64::from(y));
    let mut rings = region.rings.iter().map(|ring| {
        let ring: Vec<ImagePoint> = ring.iter().map(point).collect();
        Selection::of_polygon(&ring, size)
    });
    let outer = rings.next().unwrap_or_default();
    rings.fold(outer, |all, hole| all.without(&hole))
}

/// All pixels of a class.
fn ground(size: ImageSize, classes: &[u8], class: u8) -> Selection {
    let regions = regions(size, classes, class);
    let parts = regions.iter().map(|region| selection(region, size));
    parts.fold(Selection::default(), |all, part| all.with(&part))
}

fn buildings(size: ImageSize, classes: &[u8], class: u8) -> Vec<Selection> {
    let regions = regions(size, classes, class);
    let fit = regions
        .iter()
        .filter(|region| BUILDING_PIXELS.contains(&region.pixels));
    fit.map(|region| selection(region, size)).collect()
}

fn sample_buildings(seeds: std::ops::Range<u64>) -> Vec<Scene> {
    const SIDE: u32 = 1_024;
    const BUILDING: u8 = 1;
    let size = ImageSize::new(SIDE, SIDE);
    let scene = |seed| {
        let band = paint_band(&World::new(seed), 0, SIDE, SIDE);
        let pixels = band.rgb.as_chunks::<3>().0;
        Scene {
            window: size.bounds(),
            rgba: pixels
                .iter()
                .flat_map(|&[r, g, b]| [r, g, b, 255])
                .collect(),
            objects: buildings(size, &band.truth, BUILDING),
            unknown: Selection::default(),
            superpixel_px: 20,
        }
    };
    seeds.map(scene).collect()
}

fn aerial_buildings(data: &Path) -> Vec<Scene> {
    // The three sets agree in these two.
    const UNKNOWN: u8 = 0;
    const BUILDING: u8 = 2;
    let scene = |set: &str, path: &Path| {
        let (window, rgba) = picture(path)?;
        let (size, classes) = classes(&data.join(set).join("ann_dir").join(path.file_name()?))?;
        Some(Scene {
            window,
            rgba,
            objects: buildings(size, &classes, BUILDING),
            unknown: ground(size, &classes, UNKNOWN),
            superpixel_px: 20,
        })
    };
    let sets = ["potsdam", "vaihingen", "loveda"].map(|set| format!("aerial_samples/{set}"));
    let scenes = sets.iter().flat_map(|set| {
        let images = files(&data.join(set).join("img_dir"));
        images.into_iter().filter_map(move |path| scene(set, &path))
    });
    scenes.collect()
}

/// The first images, by name, in which a tenth to nine tenths are salt.
fn salt_bodies(data: &Path) -> Vec<Scene> {
    const NUM_IMAGES: usize = 40;
    const SALT: u8 = 255;
    let folder = data.join("tgs_salt_1500/train");
    let scene = |path: PathBuf| {
        let (window, rgba) = picture(&path)?;
        let (size, classes) = classes(&folder.join("masks").join(path.file_name()?))?;
        let salt = ground(size, &classes, SALT);
        let share = salt.num_pixels() as f64 / window.num_pixels() as f64;
        (0.1..=0.9).contains(&share).then(|| Scene {
            window,
            rgba,
            objects: vec![salt],
            unknown: Selection::default(),
            superpixel_px: 10,
        })
    };
    let scenes = files(&folder.join("images")).into_iter().filter_map(scene);
    scenes.take(NUM_IMAGES).collect()
}

/// Files of a folder by name; none where there is no folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn picture(path: &Path) -> Option<(PixelRect, Vec<u8>)> {
    let image = image::open(path).ok()?.to_rgba8();
    let (width, height) = image.dimensions();
    Some((PixelRect::new(0, 0, width, height), image.into_raw()))
}

fn classes(path: &Path) -> Option<(ImageSize, Vec<u8>)> {
    let image = image::open(path).ok()?.to_luma8();
    let (width, height) = image.dimensions();
    Some((ImageSize::new(width, height), image.into_raw()))
}
