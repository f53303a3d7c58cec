use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::ensure;
use serde_json::json;

use super::args::DemoArgs;
use super::drive::Drive;
use super::evaluate::table_text;
use super::picture::Picture;
use super::predict::predict;
use super::train::{open_pair, train};
use crate::disk::{path_text, replace_file};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Encoding, LoadedMask, load_mask};
use crate::metrics::{Confusion, Scores};
use crate::raster::Look;
use crate::sample::{SampleConfig, SamplePaths, write_sample};
use crate::session::{LayerKind, TrainOn};
use crate::train::Recipe;

/// Large enough to learn from, small enough for two cores and ten minutes.
const TRAIN_WORLD: ImageSize = ImageSize::new(2_048, 2_048);
const TEST_WORLD: ImageSize = ImageSize::new(1_536, 1_536);
/// The network is scored on a landscape it has never seen.
const TRAIN_SEED: u64 = 1;
const TEST_SEED: u64 = 2;
const PICTURE: ImageSize = ImageSize::new(1_800, 600);
const CLOSE_UP: u32 = 512;

/// What a demo wrote.
struct Written {
    train_world: SamplePaths,
    test_world: SamplePaths,
    run: PathBuf,
    prediction: PathBuf,
    picture: PathBuf,
    close_up: PathBuf,
    report: PathBuf,
}

/// Does the whole job: two made-up landscapes, a training on one, a prediction and scores of the
/// other, pictures and a report.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let out = &args.out;
    let there = out
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some());
    ensure!(
        !there,
        "The folder holds files, and a demo takes the place of none; name a new one: {}",
        out.display()
    );
    let written = Written {
        train_world: world(&out.join("train-world"), TRAIN_WORLD, TRAIN_SEED)?,
        test_world: world(&out.join("test-world"), TEST_WORLD, TEST_SEED)?,
        run: out.join("run"),
        prediction: out.join("prediction.tif"),
        picture: out.join("comparison.png"),
        close_up: out.join("close-up.png"),
        report: out.join("report.md"),
    };
    let training = train_on_first(args, &written)?;
    eprintln!("Predicting a landscape of another seed…");
    let mut drive = Drive::new("Predict");
    open_pair(&mut drive, &written.test_world.ortho, None)?;
    predict(&mut drive, &written.run, &written.prediction)?;
    let truth = load_mask(&written.test_world.label_true, None, Encoding::Auto, None)?;
    let scores = score(&drive, &truth)?;
    draw(&drive, &truth, &written)?;
    let seconds = began.elapsed().as_secs_f64();
    let report = report_text(&scores, &training, seconds);
    replace_file(&written.report, report.as_bytes())?;
    if args.json {
        say!(
            "{}",
            json!({ "eval": scores, "paths": paths_json(&written), "seconds": seconds })
        );
    } else {
        say!("{}", table_text(&scores).trim_end());
        say!("\n{seconds:.0} s in all; see {}", written.report.display());
    }
    Ok(())
}

fn world(folder: &Path, size: ImageSize, seed: u64) -> anyhow::Result<SamplePaths> {
    eprintln!("Making a landscape of {size} pixels, seed {seed}…");
    let config = SampleConfig {
        size,
        seed,
        ..SampleConfig::default()
    };
    Ok(write_sample(
        folder,
        &config,
        |_| ControlFlow::Continue(()),
    )?)
}

fn train_on_first(args: &DemoArgs, written: &Written) -> anyhow::Result<serde_json::Value> {
    eprintln!("Training a U-Net on the first landscape…");
    let mut recipe = Recipe::default();
    recipe.epochs = args.epochs.unwrap_or(recipe.epochs);
    recipe.device = args.device.clone().unwrap_or(recipe.device);
    let mut drive = Drive::new("Train");
    let world = &written.train_world;
    open_pair(&mut drive, &world.ortho, Some(&world.label_true))?;
    train(
        &mut drive,
        recipe,
        TrainOn::OpenImage,
        written.run.clone(),
        false,
    )
}

fn score(drive: &Drive, truth: &LoadedMask) -> anyhow::Result<Scores> {
    let predicted = drive.session().layer(LayerKind::Prediction);
    let predicted = predicted.ok_or_else(|| anyhow::anyhow!("The prediction is missing"))?;
    let num_classes = truth.classes.num_classes();
    let confusion = Confusion::between(&truth.mask, &predicted.mask, num_classes);
    Ok(Scores::new(&confusion, &truth.classes))
}

fn draw(drive: &Drive, truth: &LoadedMask, written: &Written) -> anyhow::Result<()> {
    let predicted = drive.session().layer(LayerKind::Prediction);
    let predicted = predicted.ok_or_else(|| anyhow::anyhow!("The prediction is missing"))?;
    let mut picture = Picture::open(&written.test_world.ortho, &Look::default())?;
    picture.add_mask(truth.mask.clone(), truth.classes.clone());
    picture.add_mask(predicted.mask.clone(), truth.classes.clone());
    picture.save(None, PICTURE, &written.picture)?;
    let middle = (TEST_WORLD.width - CLOSE_UP) / 2;
    let part = PixelRect::new(middle, middle, CLOSE_UP, CLOSE_UP);
    picture.save(Some(part), PICTURE, &written.close_up)
}

fn report_text(scores: &Scores, training: &serde_json::Value, seconds: f64) -> String {
    let mut text = String::from("# Orthobrush demo\n\n");
    let lines = [
        format!(
            "A U-Net was trained on a made-up landscape (seed {TRAIN_SEED}, {TRAIN_WORLD} px) and"
        ),
        format!("predicted another that it had never seen (seed {TEST_SEED}, {TEST_WORLD} px)."),
        format!(
            "Device: {}. All of it took {seconds:.0} s.",
            training["device"].as_str().unwrap_or("?")
        ),
    ];
    for line in lines {
        writeln!(text, "{line}").expect("a string takes any text");
    }
    let table = table_text(scores);
    write!(text, "\n```text\n{table}```\n\n").expect("a string takes any text");
    text.push_str("Original, truth and prediction:\n\n");
    text.push_str("![comparison](comparison.png)\n\n![close-up](close-up.png)\n\n");
    text.push_str("The run with its recipe, metrics and network lies in `run`.\n");
    text
}

fn paths_json(written: &Written) -> serde_json::Value {
    json!({
        "train_world": super::sample::paths_json(&written.train_world),
        "test_world": super::sample::paths_json(&written.test_world),
        "run": path_text(&written.run),
        "prediction": path_text(&written.prediction),
        "comparison": path_text(&written.picture),
        "close_up": path_text(&written.close_up),
        "report": path_text(&written.report),
    })
}
