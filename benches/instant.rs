//! How fast and how good answers from a few scribbles are.
//!
//! Times are of the sample landscape. Scores are of images whose truth is known, where
//! `../shared/data` has them: strokes are drawn inside the truth by a seeded rule, and the answer for
//! the whole image is compared with it.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::job::{JobEvent, Waker};
use orthobrush::label::{Encoding, Mask, Origin, UNLABELED, load_mask};
use orthobrush::nn::Lite0;
use orthobrush::raster::{TileSource, open_raster};
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::train::{Engine, InstantEvent, InstantMind, InstantOrder, Sight};

/// What a window of usual size shows at 1:1.
const VIEW: (u32, u32) = (1_280, 800);
const STROKES: [u64; 3] = [1, 3, 10];
/// Half the width of a stroke, in pixels.
const REACH: i64 = 3;
const LONGEST_STROKE: i64 = 80;
/// Classes of less than this share of an image are left out.
const LEAST_SHARE: f64 = 0.01;

fn main() {
    // `cargo test --benches` asks for a run that only shows that it works.
    let is_measuring = std::env::args().any(|arg| arg == "--bench");
    let engine = Engine::start().expect("a thread");
    times(&engine, if is_measuring { 7 } else { 1 });
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if is_measuring && data.is_dir() {
        qualities(&engine, &data);
    }
}

/// An image, its truth, and a label that grows by strokes.
#[derive(Clone)]
struct Scene {
    number: u64,
    source: Arc<dyn TileSource>,
    size: ImageSize,
    /// Row by row; 255 where nobody knows.
    truth: Arc<Vec<u8>>,
}

impl Scene {
    fn of(number: u64, image: &Path, truth: Vec<u8>) -> Self {
        let source = open_raster(image).expect("an image");
        Self {
            number,
            size: source.info().size,
            source,
            truth: Arc::new(truth),
        }
    }

    fn truth_at(&self, x: i64, y: i64) -> u8 {
        let is_inside =
            x >= 0 && y >= 0 && x < i64::from(self.size.width) && y < i64::from(self.size.height);
        if is_inside {
            self.truth[y as usize * self.size.width as usize + x as usize]
        } else {
            UNLABELED
        }
    }

    /// Classes that have their share of `area`.
    fn classes(&self, area: PixelRect) -> Vec<u8> {
        let mut numbers = [0_u64; 256];
        for y in area.y..area.bottom() {
            for x in area.x..area.right() {
                numbers[usize::from(self.truth_at(x.into(), y.into()))] += 1;
            }
        }
        let least = area.num_pixels() as f64 * LEAST_SHARE;
        (0..UNLABELED)
            .filter(|&class| numbers[usize::from(class)] as f64 >= least)
            .collect()
    }

    fn has_room(&self, (x, y): (i64, i64), class: u8) -> bool {
        let around = -REACH..=REACH;
        (around.clone()).all(|dy| {
            around
                .clone()
                .all(|dx| self.truth_at(x + dx, y + dy) == class)
        })
    }

    /// Draws a stroke of `class` in `area` as far as the class reaches from a drawn place.
    fn stroke(&self, label: &mut Mask, area: PixelRect, class: u8, seed: u64) {
        let draws = (0..20_000).map(|draw| hash(seed * 100_003 + draw));
        let place = |bits: u64| {
            let x = area.x + (bits >> 32) as u32 % area.width;
            (i64::from(x), i64::from(area.y + bits as u32 % area.height))
        };
        let Some(start) = draws.map(place).find(|&at| self.has_room(at, class)) else {
            return;
        };
        let along = |(dx, dy): (i64, i64)| {
            let steps = (0..LONGEST_STROKE).map(|step| (start.0 + step * dx, start.1 + step * dy));
            steps
                .take_while(|&at| self.has_room(at, class))
                .collect::<Vec<_>>()
        };
        let ways = [
            (1, 0),
            (0, 1),
            (1, 1),
            (1, -1),
            (-1, 0),
            (0, -1),
            (-1, -1),
            (-1, 1),
        ];
        let turn = hash(seed) as usize % ways.len();
        let longest = (0..ways.len()).map(|way| along(ways[(way + turn) % ways.len()]));
        for (x, y) in longest.max_by_key(Vec::len).unwrap_or_default() {
            let side = (2 * REACH + 1) as u32;
            let dab = PixelRect::new((x - REACH) as u32, (y - REACH) as u32, side, side);
            label.set_rect(dab, &vec![class; dab.num_pixels() as usize]);
        }
    }

    /// A label of so many strokes of each class.
    fn scribbled(&self, area: PixelRect, strokes: u64, seed: u64) -> Mask {
        let mut label = Mask::new(self.size);
        for class in self.classes(area) {
            for stroke in 0..strokes {
                let seed = (seed * 256 + u64::from(class)) * 64 + stroke;
                self.stroke(&mut label, area, class, seed);
            }
        }
        label
    }

    fn order(&self, mind: Box<InstantMind>, label: &Mask, area: PixelRect) -> InstantOrder {
        InstantOrder {
            mind,
            image: self.number,
            source: Arc::clone(&self.source),
            origins: label.origins_from(Origin::HAND),
            label: label.clone(),
            area,
            measures: vec![Default::default()],
        }
    }
}

/// Looks random and is not: `SplitMix64`.
const fn hash(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The answer, the mind, and the seconds from the order to the last block.
fn answered(engine: &Engine, order: InstantOrder) -> (Mask, Box<InstantMind>, f64) {
    let mut answer = Mask::new(order.source.info().size);
    let began = Instant::now();
    let mut seconds = 0.0;
    let job = engine.answer(order, Waker::none());
    loop {
        match job.next_within(Duration::from_mins(5)) {
            Some(JobEvent::Said(InstantEvent::Block { rect, classes, .. })) => {
                answer.set_rect(rect, &classes);
            }
            Some(JobEvent::Said(InstantEvent::Looked { .. })) => {}
            Some(JobEvent::Said(InstantEvent::Ended(_))) => seconds = began.elapsed().as_secs_f64(),
            Some(JobEvent::Said(InstantEvent::Back(mind))) => return (answer, mind, seconds),
            other => panic!("no answer: {other:?}"),
        }
    }
}

fn median_and_p95(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize] * 1e3;
    format!("{:.0} ms | {:.0} ms", at(0.5), at(0.95))
}

fn times(engine: &Engine, repeats: u64) {
    println!("| what | median | p95 |\n|---|---|---|");
    let encoder = Lite0::new(3, &Device::flex()).frozen();
    for side in [384, 512] {
        let times = (0..=repeats).map(|_| {
            let images = Tensor::<4>::ones([1, 3, side, side], &Device::flex());
            let began = Instant::now();
            for map in encoder.features(images) {
                drop(map.into_data());
            }
            began.elapsed().as_secs_f64()
        });
        let row = median_and_p95(times.skip(1).collect());
        println!("| encoder, {side} × {side} | {row} |");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = SampleConfig {
        size: ImageSize::new(4_096, 2_048),
        ..SampleConfig::default()
    };
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let paths = write_sample(folder.path(), &config, go_on).expect("a sample");
    let truth = load_mask(&paths.label_true, None, Encoding::Auto, None).expect("a truth");
    let truth = truth.mask.read_rect(config.size.bounds());
    let scene = Scene::of(0, &paths.ortho, truth);
    let [mut unprepared, mut prepared, mut first, mut further] = [(); 4].map(|()| Vec::new());
    for place in 0..repeats as u32 {
        let view = PixelRect::new(100 + place * 380, 90 + place * 130, VIEW.0, VIEW.1);
        let (nothing, label) = (Mask::new(scene.size), scene.scribbled(view, 1, 1));
        let blank = || Box::new(InstantMind::new(Sight::Pretrained));
        let (_, _, seconds) = answered(engine, scene.order(blank(), &label, view));
        unprepared.push(seconds);
        // As in the window: the view is looked at before there is a stroke.
        let (_, mind, seconds) = answered(engine, scene.order(blank(), &nothing, view));
        prepared.push(seconds);
        let (_, mut mind, seconds) = answered(engine, scene.order(mind, &label, view));
        first.push(seconds);
        for strokes in 2..5 {
            let label = scene.scribbled(view, strokes, 1);
            let (_, back, seconds) = answered(engine, scene.order(mind, &label, view));
            mind = back;
            further.push(seconds);
        }
    }
    for (what, times) in [
        ("view of 1280 × 800 prepared, no label", prepared),
        ("first stroke on a prepared view", first),
        ("a further stroke", further),
        ("label there already, nothing prepared", unprepared),
    ] {
        println!("| {what} | {} |", median_and_p95(times));
    }
}

fn qualities(engine: &Engine, data: &Path) {
    println!(
        "\n| images | number | strokes a class | colors alone | pretrained |\n|---|---|---|---|---|"
    );
    for (name, scenes) in [
        ("aerial, 6 classes and 7", aerial(data)),
        ("satellite, 6 classes", satellite(data)),
        ("roads, 2 classes", roads(data)),
    ] {
        for strokes in STROKES {
            let scores = [Sight::Colors, Sight::Pretrained].map(|sight| {
                let mut mind = Box::new(InstantMind::new(sight));
                let mut scores = Vec::new();
                for scene in &scenes {
                    let area = scene.size.bounds();
                    for seed in 0..3 {
                        let label = scene.scribbled(area, strokes, seed);
                        let (answer, back, _) = answered(engine, scene.order(mind, &label, area));
                        mind = back;
                        scores.push(mean_iou(scene, &answer));
                    }
                }
                scores.iter().sum::<f64>() / scores.len().max(1) as f64
            });
            let [colors, pretrained] = scores;
            let number = scenes.len();
            println!("| {name} | {number} | {strokes} | {colors:.3} | {pretrained:.3} |");
        }
    }
}

/// Over the classes that have their share of the image.
fn mean_iou(scene: &Scene, answer: &Mask) -> f64 {
    let area = scene.size.bounds();
    let answer = answer.read_rect(area);
    let classes = scene.classes(area);
    let ious = classes.iter().map(|&class| {
        let (mut both, mut either) = (0_u64, 0_u64);
        for (&truth, &answer) in scene.truth.iter().zip(&answer) {
            if truth != UNLABELED {
                both += u64::from(truth == class && answer == class);
                either += u64::from(truth == class || answer == class);
            }
        }
        both as f64 / either.max(1) as f64
    });
    ious.sum::<f64>() / classes.len().max(1) as f64
}

fn aerial(data: &Path) -> Vec<Scene> {
    const UNKNOWN: u8 = 0;
    let sets = ["potsdam", "vaihingen", "loveda"].map(|set| data.join("aerial_samples").join(set));
    let images = sets.iter().flat_map(|set| files(&set.join("img_dir")));
    let scene = |(number, image): (usize, PathBuf)| {
        let set = image.parent()?.parent()?;
        let truth = image::open(set.join("ann_dir").join(image.file_name()?)).ok()?;
        let truth = truth.to_luma8().into_raw().into_iter();
        let truth = truth.map(|class| if class == UNKNOWN { UNLABELED } else { class });
        Some(Scene::of(1_000 + number as u64, &image, truth.collect()))
    };
    images.enumerate().filter_map(scene).collect()
}

fn satellite(data: &Path) -> Vec<Scene> {
    const COLORS: [[u8; 3]; 6] = [
        [0, 255, 255],
        [255, 255, 0],
        [255, 0, 255],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
    ];
    let images = files(&data.join("deepglobe_style/train")).into_iter();
    let images = images.filter(|path| path.to_string_lossy().ends_with("_sat.jpg"));
    let scene = |(number, image): (usize, PathBuf)| {
        let truth = image.to_string_lossy().replace("_sat.jpg", "_mask.png");
        let truth = image::open(truth).ok()?.to_rgb8();
        let class = |color: &image::Rgb<u8>| {
            let found = COLORS.iter().position(|known| *known == color.0);
            found.map_or(UNLABELED, |class| class as u8)
        };
        let truth = truth.pixels().map(class).collect();
        Some(Scene::of(2_000 + number as u64, &image, truth))
    };
    images.enumerate().filter_map(scene).collect()
}

/// The first images by name.
fn roads(data: &Path) -> Vec<Scene> {
    const NUM_IMAGES: usize = 20;
    let folder = data.join("epfl_roads");
    let scene = |(number, image): (usize, PathBuf)| {
        let name = image.with_extension("png");
        let truth = image::open(folder.join("groundtruth").join(name.file_name()?)).ok()?;
        let truth = truth.to_luma8().into_raw().into_iter();
        let truth = truth.map(|value| u8::from(value > 127)).collect();
        Some(Scene::of(3_000 + number as u64, &image, truth))
    };
    let images = files(&folder.join("images")).into_iter().enumerate();
    images.filter_map(scene).take(NUM_IMAGES).collect()
}

/// Files of a folder by name; none where there is no folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
