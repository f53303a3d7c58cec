//! Networks that learn from other bands than colors, and from samples of 16 bits.

use std::path::{Path, PathBuf};

use super::test_world::{SIZE, class_at, classes, events_of, recipe, truth};
use super::{DeviceChoice, Engine, PredictEvent, PredictPlan, Recipe, SavedModel, TrainPlan};
use crate::dataset::{Augment, BandReading, Bands, Ground, Scene};
use crate::disk::replace_file;
use crate::job::{JobEvent, Waker};
use crate::label::Mask;
use crate::metrics::{Confusion, Scores};
use crate::nn::{EncoderKind, ModelConfig};
use crate::raster::{MadeBands, open_raster};

/// A number in 0 to 39 that says nothing of the class.
fn grain(x: u32, y: u32, band: u16) -> f64 {
    f64::from((x * 7 + y * 13 + u32::from(band) * 5) % 40)
}

fn image(folder: &Path, made: &MadeBands, value: impl Fn(u32, u32, u16) -> f64) -> PathBuf {
    let path = folder.join(format!("{}x{}.tif", made.bands, made.bits));
    replace_file(&path, &made.file(value)).expect("written");
    path
}

/// Four bands of a byte, of which only the last knows the class.
fn near_infrared(folder: &Path) -> PathBuf {
    let made = MadeBands::new(SIZE.width, SIZE.height, 4, 8);
    image(folder, &made, |x, y, band| {
        let signal = if band == 3 { class_at(x, y) } else { 0 };
        60.0 + 120.0 * f64::from(signal) + grain(x, y, band)
    })
}

/// Samples of 16 bits in 200 to 1200 whose last band knows the class.
fn dim(folder: &Path, bands: u16, is_planar: bool) -> PathBuf {
    let made = MadeBands {
        is_planar,
        ..MadeBands::new(SIZE.width, SIZE.height, bands, 16)
    };
    image(folder, &made, |x, y, band| {
        let signal = if band + 1 == bands { class_at(x, y) } else { 0 };
        200.0 + 600.0 * f64::from(signal) + 10.0 * grain(x, y, band)
    })
}

fn plan(path: &Path, recipe: Recipe, run: PathBuf) -> Result<TrainPlan, super::TrainError> {
    let source = open_raster(path).expect("an image");
    let name = path.file_name().expect("a name").to_string_lossy();
    let scene = Scene::tiled(name.into_owned(), source, truth(), 1 << 22);
    TrainPlan::new(recipe, Ground::Image(scene.into()), classes(), run)
}

fn with(bands: Bands, epochs: u32) -> Recipe {
    Recipe {
        epochs,
        bands,
        ..recipe()
    }
}

fn trained(engine: &Engine, path: &Path, recipe: Recipe, run: &Path) -> SavedModel {
    let plan = plan(path, recipe, run.to_owned()).expect("a plan");
    for event in events_of(&engine.train(plan, Waker::none())) {
        if let JobEvent::Failed(why) = event {
            panic!("{why}");
        }
    }
    SavedModel::load(run).expect("a model")
}

fn predicted(engine: &Engine, model: &SavedModel, path: &Path) -> Mask {
    let source = open_raster(path).expect("an image");
    let plan = PredictPlan::with(model.clone(), source, DeviceChoice::Cpu).expect("a plan");
    let mut mask = Mask::new(SIZE);
    for event in events_of(&engine.predict(plan, Waker::none())) {
        match event {
            JobEvent::Said(PredictEvent::Block { rect, classes, .. }) => {
                mask.set_rect(rect, &classes);
            }
            JobEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    mask
}

fn mean_iou(mask: &Mask) -> f64 {
    let scores = Scores::new(&Confusion::between(&truth(), mask, 2), &classes());
    scores.mean_iou.expect("pixels of both classes")
}

#[test]
fn what_the_fourth_band_knows_is_learned_from_all_bands_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = near_infrared(folder.path());
    let engine = Engine::start().expect("a thread");
    let [all, color, swapped] = [
        ("all", Bands::All),
        ("color", Bands::Color),
        ("swapped", Bands::List(vec![4, 1])),
    ]
    .map(|(name, bands)| {
        let run = folder.path().join(name);
        trained(&engine, &path, with(bands, 8), &run)
    });
    let score = |model: &SavedModel| mean_iou(&predicted(&engine, model, &path));
    assert!(score(&all) > 0.9, "{}", score(&all));
    assert!(score(&color) < 0.6, "{}", score(&color));
    assert!(score(&swapped) > 0.9, "{}", score(&swapped));
    assert_eq!(all.card().bands.bands, [1, 2, 3, 4]);
    assert_eq!(all.card().model.in_channels, 4);
    assert_eq!(all.card().normalization.mean.len(), 4);
    assert_eq!(swapped.card().model.in_channels, 2);
    // What was written down reads and predicts the same, and its pictures are the colors.
    let again = SavedModel::load(&folder.path().join("all")).expect("a model");
    assert_eq!(again.card(), all.card());
    let twice = [&all, &again].map(|model| predicted(&engine, model, &path));
    let bounds = SIZE.bounds();
    assert_eq!(twice[0].read_rect(bounds), twice[1].read_rect(bounds));
    let recipe = Recipe::load(&folder.path().join("all/recipe.toml")).expect("a recipe");
    assert_eq!((recipe.bands, recipe.model.in_channels), (Bands::All, 4));
    let cards = std::fs::read_to_string(color.folder().join("model.json")).expect("a card");
    assert!(
        !cards.contains("\"bands\""),
        "cards of colors are as before"
    );
    // Another image must have the bands.
    let other = image(folder.path(), &MadeBands::new(64, 64, 3, 8), grain);
    let source = open_raster(&other).expect("an image");
    let refused = PredictPlan::with(all, source, DeviceChoice::Cpu).expect_err("too few");
    let words = refused.to_string();
    assert!(
        words.contains("Band 4") && words.contains("bands 1 to 3"),
        "{words}"
    );
}

#[test]
fn samples_of_16_bits_are_learned_from_by_one_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start().expect("a thread");
    for (bands, is_planar, choice, channels) in [
        (1, false, Bands::Color, 3),
        (1, false, Bands::All, 1),
        (5, true, Bands::All, 5),
    ] {
        let path = dim(folder.path(), bands, is_planar);
        let run = folder.path().join(format!("{bands} {channels}"));
        let model = trained(&engine, &path, with(choice, 8), &run);
        let reading = &model.card().bands;
        assert_eq!(reading.ranges.len(), channels);
        let [low, high] = reading.ranges[channels - 1];
        assert!(
            low >= 200.0 && (1_150.0..=1_200.0).contains(&high),
            "{reading:?}"
        );
        let mask = predicted(&engine, &model, &path);
        assert!(mean_iou(&mask) > 0.9, "{bands} {}", mean_iou(&mask));
    }
}

#[test]
fn what_was_stopped_or_begun_by_another_model_reads_the_same_bands() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = dim(folder.path(), 5, false);
    let engine = Engine::start().expect("a thread");
    let bands = Bands::List(vec![5, 1]);
    let model = trained(
        &engine,
        &path,
        with(bands.clone(), 1),
        &folder.path().join("one"),
    );
    let next = plan(&path, with(Bands::Color, 1), folder.path().join("two")).expect("a plan");
    let next = next.starting_from(model.clone()).expect("a fit");
    assert_eq!(next.recipe().bands, bands);
    assert_eq!(next.recipe().model.in_channels, 2);
    assert_eq!(next.card().bands, model.card().bands);
    let text = serde_json::to_string(&next.card().bands).expect("text");
    let read: BandReading = serde_json::from_str(&text).expect("a reading");
    assert_eq!(read, model.card().bands, "every bit of a range comes back");
    let bytes = near_infrared(folder.path());
    let colors = plan(&bytes, with(Bands::Color, 1), folder.path().join("three"));
    let refused = colors
        .expect("a plan")
        .starting_from(model)
        .expect_err("four of five bands");
    assert!(refused.to_string().contains("Band 5"), "{refused}");
}

#[test]
fn variations_of_colors_are_left_out_and_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = near_infrared(folder.path());
    let strong = |bands| Recipe {
        augment: Augment::strong(),
        ..with(bands, 1)
    };
    let notes = |bands, name: &str| {
        let plan = plan(&path, strong(bands), folder.path().join(name)).expect("a plan");
        plan.step_batch(1, 0).expect("varied patches");
        plan.notes().join("\n")
    };
    let all = notes(Bands::All, "all");
    assert!(all.contains("left out: saturation, hue, jpeg"), "{all}");
    assert!(notes(Bands::List(vec![4]), "one").ends_with("left out: saturation, hue"));
    assert!(!notes(Bands::List(vec![1, 2, 3]), "three").contains("left out"));
}

#[test]
fn bands_that_an_image_lacks_are_refused_by_name_and_old_recipes_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = near_infrared(folder.path());
    let bands = Bands::List(vec![1, 6]);
    let error = plan(&path, with(bands, 1), folder.path().join("run")).expect_err("a refusal");
    let words = error.to_string();
    assert!(
        words.contains("Band 6") && words.ends_with("4x8.tif"),
        "{words}"
    );
    let old = Recipe::from_toml("[model]\nin_channels = 3\n").expect("an old recipe");
    assert_eq!(old, Recipe::default());
    // What a recipe says of channels follows from its bands.
    let wrong = Recipe {
        model: ModelConfig {
            in_channels: 7,
            ..recipe().model
        },
        ..with(Bands::All, 1)
    };
    let made = plan(&path, wrong, folder.path().join("run")).expect("a plan");
    assert_eq!(made.recipe().model.in_channels, 4);
}

#[test]
fn a_pretrained_encoder_that_holds_still_sees_four_channels() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = near_infrared(folder.path());
    let engine = Engine::start().expect("a thread");
    let recipe = Recipe {
        steps_per_epoch: 2,
        batch: 2,
        model: ModelConfig {
            encoder: EncoderKind::Lite0,
            ..recipe().model
        },
        ..with(Bands::All, 1)
    };
    let model = trained(&engine, &path, recipe, &folder.path().join("run"));
    assert_eq!(model.card().normalization.mean.len(), 4);
    assert!(mean_iou(&predicted(&engine, &model, &path)) > 0.0);
}
