//! What a person feels while looking: how long until a picture stands, and what a frame costs
//! while panning.
//!
//! The window is laid out as on a screen, 1280 × 800, over a tiled 9,500 × 9,000 orthophoto with
//! its label, and stops before the graphics card. The orthophoto is made once, in the system's folder for
//! temporary files.
#![expect(clippy::print_stdout, reason = "a benchmark talks")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use orthobrush::app::Stage;
use orthobrush::geom::{Camera, ImageSize};
use orthobrush::render::Gpu;
use orthobrush::sample::{SampleConfig, write_sample};
use orthobrush::session::{Command, TrainOn};
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

fn panning(_: &mut Criterion) {
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
    frames.sort_unstable();
    let at = |share: usize| frames[frames.len() * share / 100].as_secs_f64() * 1e3;
    println!(
        "own work of a frame while panning one screen a second and {meanwhile}: median {:.2} ms, \
         95 % {:.2} ms, 99 % {:.2} ms",
        at(50),
        at(95),
        at(99)
    );
}

criterion_group!(viewing, opening, panning);
criterion_main!(viewing);
