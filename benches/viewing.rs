//! What a person feels while looking: how long until a picture stands, and what a frame costs
//! while panning and while scrolling through a data set of 25,000 pairs.
//!
//! `cargo bench --bench viewing -- pairs` measures the data set alone, `-- panning` the panning.
//!
//! The window is laid out as on a screen, 1280 × 800, over a tiled 9,500 × 9,000 orthophoto with
//! its label, and stops before the graphics card. The orthophoto and the pairs are made once, in the
//! system's folder for temporary files.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use orthobrush::app::Stage;
use orthobrush::dataset::hash;
use orthobrush::geom::{Camera, ImageSize};
use orthobrush::render::Gpu;
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::session::{Command, DataSet, TrainOn};
use orthobrush::train::{DeviceChoice, Recipe};

const WINDOW: ImageSize = ImageSize::new(1_280, 800);
/// A screen that shows 60 pictures a second.
const FRAME: Duration = Duration::from_micros(16_667);
/// One screen a second.
const STEP: f64 = 1_280.0 / 60.0;

/// The orthophoto with its label beside it, and the same file where no label is found.
fn orthos() -> [PathBuf; 2] {
    let folder = std::env::temp_dir().join("orthobrush-bench-9500x9000");
    let (labeled, alone) = (folder.join("ortho.tif"), folder.join("alone/ortho.tif"));
    if !alone.exists() {
        println!("making {}", labeled.display());
        let config = SampleConfig {
            size: ImageSize::new(9_500, 9_000),
            ..SampleConfig::default()
        };
        write_sample(&folder, &config, |_| ControlFlow::Continue(())).expect("a sample");
        std::fs::create_dir_all(folder.join("alone")).expect("a folder");
        std::fs::hard_link(&labeled, &alone).expect("a link");
    }
    [labeled, alone]
}

fn opened(gpu: &Gpu, path: &Path) -> Stage {
    let mut stage = Stage::new(gpu.clone(), Some(path.to_owned()), WINDOW);
    stage.settle().expect("a picture");
    stage
}

fn opening(criterion: &mut Criterion) {
    let gpu = Gpu::headless().expect("a Vulkan driver");
    let [labeled, alone] = orthos();
    let mut group = criterion.benchmark_group("opening to the first full picture");
    group.sample_size(10);
    for (name, path) in [("image", alone), ("image and label", labeled)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| time_to_picture(&gpu, &path)).sum());
        });
    }
    group.finish();
}

fn time_to_picture(gpu: &Gpu, path: &Path) -> Duration {
    let began = Instant::now();
    let stage = opened(gpu, path);
    let spent = began.elapsed();
    drop(stage);
    spent
}

/// Whether the command line asks for this, or for nothing in particular.
fn is_asked(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    words.next().is_none_or(|word| name.contains(&word))
}

fn panning(_: &mut Criterion) {
    if !is_asked("panning") {
        return;
    }
    let gpu = Gpu::headless().expect("a Vulkan driver");
    let [path, _] = orthos();
    let folder = tempfile::tempdir().expect("a folder");
    let mut stage = opened(&gpu, &path);
    pan(&mut stage, "nothing else runs");
    let run = folder.path().join("run");
    stage.app_mut().perform(vec![training(&run)]);
    while stage.app_mut().session().training().rows.is_empty() {
        stage.frame();
        std::thread::sleep(FRAME);
    }
    pan(&mut stage, "a network is trained");
    let job = stage.app_mut().session().training().job.expect("it runs");
    stage.app_mut().perform(vec![Command::StopJob(job)]);
    while !stage.app_mut().session().is_idle() {
        stage.frame();
        std::thread::sleep(FRAME);
    }
    stage.app_mut().perform(vec![Command::predict(Some(run))]);
    pan(&mut stage, "an image is predicted");
}

/// A training on the processor that takes longer than anybody pans.
fn training(out: &Path) -> Command {
    Command::StartTraining {
        recipe: Box::new(Recipe {
            epochs: 10_000,
            steps_per_epoch: 10,
            device: DeviceChoice::Cpu,
            ..Recipe::default()
        }),
        on: TrainOn::OpenImage,
        out: Some(out.to_owned()),
    }
}

/// Pans from the left edge on and says what frames cost.
fn pan(stage: &mut Stage, meanwhile: &str) {
    fn camera(stage: &mut Stage) -> &mut Camera {
        let view = stage.app_mut().view_mut();
        view.camera.as_mut().expect("a camera")
    }
    let first = camera(stage);
    (first.scale, first.center.x, first.center.y) = (1.0, 700.0, 4_500.0);
    let mut frames: Vec<Duration> = (0..300)
        .map(|_| {
            camera(stage).center.x += STEP;
            let began = Instant::now();
            stage.frame();
            let own = began.elapsed();
            std::thread::sleep(FRAME.saturating_sub(own));
            own
        })
        .collect();
    let [median, most, rarely] = spread(&mut frames);
    println!(
        "own work of a frame while panning one screen a second and {meanwhile}: median \
         {median:.2} ms, 95 % {most:.2} ms, 99 % {rarely:.2} ms"
    );
}

/// Median, 95th and 99th percentile in milliseconds.
fn spread(frames: &mut [Duration]) -> [f64; 3] {
    frames.sort_unstable();
    [50, 95, 99].map(|share| frames[frames.len() * share / 100].as_secs_f64() * 1e3)
}

const PAIRS: u32 = 25_000;
/// As the tiles of the salt competition are.
const PAIR_SIDE: u32 = 101;

/// A data set of 25,000 pairs of small PNG files.
fn pairs() -> PathBuf {
    let folder = std::env::temp_dir().join("orthobrush-bench-25000-pairs");
    let is_made = folder.join(".made");
    if !is_made.exists() {
        println!("making {}", folder.display());
        for part in ["images", "masks"] {
            std::fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for number in 0..PAIRS {
            write_pair(&folder, number);
        }
        File::create(is_made).expect("a file");
    }
    folder
}

/// A disc of its own size and place on noise, and its mask.
fn write_pair(folder: &Path, number: u32) {
    let drawn = hash(&[u64::from(number)]).to_le_bytes();
    let (middle, radius) = (
        [drawn[0], drawn[1]].map(|at| u32::from(at) % PAIR_SIDE),
        drawn[2] % 50,
    );
    let place = |at: u32| (at % PAIR_SIDE, at / PAIR_SIDE);
    let is_inside = |at: u32| {
        let (x, y) = place(at);
        let across = x.abs_diff(middle[0]).pow(2) + y.abs_diff(middle[1]).pow(2);
        across < u32::from(radius).pow(2)
    };
    let noise = |at: u32| hash(&[u64::from(number), u64::from(at)]) as u8 / 2;
    let pixels = 0..PAIR_SIDE * PAIR_SIDE;
    let image = pixels
        .clone()
        .map(|at| noise(at) + if is_inside(at) { 120 } else { 0 });
    let mask = pixels.map(|at| if is_inside(at) { 255 } else { 0 });
    for (part, pixels) in [
        ("images", image.collect::<Vec<u8>>()),
        ("masks", mask.collect()),
    ] {
        let path = folder.join(part).join(format!("{number:05}.png"));
        let file = BufWriter::new(File::create(path).expect("a file"));
        let mut encoder = png::Encoder::new(file, PAIR_SIDE, PAIR_SIDE);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&pixels).expect("pixels");
    }
}

/// Opens the pairs as a data set and scrolls through all of them: while their files are read, and
/// after that.
fn listing(_: &mut Criterion) {
    if !is_asked("pairs") {
        return;
    }
    let folder = pairs();
    let mut stage = Stage::new(Gpu::headless().expect("a Vulkan driver"), None, WINDOW);
    stage.settle().expect("a window");
    let began = Instant::now();
    let look = stage.app_mut().view_mut().open_dataset(&folder);
    stage.app_mut().perform(vec![look]);
    until(&mut stage, |data| data.discovery.is_some());
    let recognized = began.elapsed().as_secs_f64();
    until(&mut stage, |data| !data.pictures.is_empty());
    let shown = began.elapsed().as_secs_f64();
    println!(
        "| opening a data set of 25,000 pairs of 101 × 101 (`cargo bench --bench viewing -- pairs`) \
         until it is recognized, until first samples are shown | {recognized:.1} s, {shown:.1} s |"
    );
    scroll(&mut stage, "while all files are read behind the window");
    let job = stage.app_mut().session().data().and_then(|data| data.job);
    stage
        .app_mut()
        .perform(job.map(Command::StopJob).into_iter().collect());
    while !stage.app_mut().session().is_idle() {
        frame(&mut stage);
    }
    scroll(&mut stage, "while nothing else runs");
}

fn until(stage: &mut Stage, is_there: fn(&DataSet) -> bool) {
    while !stage.app_mut().session().data().is_some_and(is_there) {
        frame(stage);
    }
}

/// One frame of a screen; what of it is our own work.
fn frame(stage: &mut Stage) -> Duration {
    let began = Instant::now();
    stage.frame();
    let own = began.elapsed();
    stage.flush();
    std::thread::sleep(FRAME.saturating_sub(began.elapsed()));
    own
}

/// Scrolls slowly, then through all to the end and back, and says what frames cost.
fn scroll(stage: &mut Stage, meanwhile: &str) {
    // All rows are some 430,000 points high.
    for (points, frames, how) in [
        (800.0 / 60.0, 300, "one screen a second"),
        (1_500.0, 300, "through all in 5 s"),
        (-1_500.0, 300, "back in 5 s"),
    ] {
        let frames = (0..frames).map(|_| {
            stage.scroll(points);
            frame(stage)
        });
        let mut frames: Vec<Duration> = frames.collect();
        let [median, most, rarely] = spread(&mut frames);
        println!(
            "| own work of a frame while scrolling the 25,000 samples, {how}, {meanwhile}: median, \
             95 %, 99 % | {median:.1}, {most:.1}, {rarely:.1} ms |"
        );
    }
}

criterion_group!(viewing, opening, panning, listing);
criterion_main!(viewing);
