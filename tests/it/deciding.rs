//! Of two classes the second one is predicted from a probability on that a person chooses, in the
//! window and on the command line, without another look at the image.

use std::path::{Path, PathBuf};

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{
    Class, ClassTable, Encoding, Mask, SaveAs, UNLABELED, load_mask, save_mask,
};
use orthobrush::session::{
    Command, CopiedCommand, LayerKind, Predicting, PredictionCommand, ScoreScope, Session,
};
use orthobrush::train::{Certainty, DeviceChoice, Recipe};

use crate::fixture::finish;
use crate::kept_predictions::{on_cpu, predict};
use crate::predicting::{painted, run as five_classes};
use crate::program::{done, refused, text};

const SIZE: ImageSize = ImageSize::new(1_500, 700);
const LOW: f64 = 0.3;

/// An image, and a run that learned two classes from it.
fn image_and_run(folder: &Path) -> (PathBuf, PathBuf) {
    let at = |name: &str| folder.join(name);
    let (image, label) = (at("image.tif"), at("truth.tif"));
    painted(&image, SIZE);
    let classes = vec![
        Class::new(0, "ground", [0; 3]),
        Class::new(1, "road", [200; 3]),
    ];
    let classes = ClassTable::new(Some(0), classes).expect("a table");
    let mut mask = Mask::new(SIZE);
    let of_road = |at: u32| u8::from((at % SIZE.width / 97 + at / SIZE.width / 61) % 5 < 2);
    let labels: Vec<u8> = (0..SIZE.num_pixels() as u32).map(of_road).collect();
    mask.set_rect(SIZE.bounds(), &labels);
    save_mask(&label, &mask, &classes, None, SaveAs::GeoTiff).expect("written");
    classes
        .save(&label.with_extension("classes.toml"))
        .expect("written");
    let mut recipe = Recipe {
        epochs: 1,
        steps_per_epoch: 4,
        batch: 4,
        patch: 64,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    (recipe.model.base_filters, recipe.model.depth) = (1, 1);
    let (file, run) = (at("recipe.toml"), at("run"));
    recipe.save(&file).expect("written");
    let words = ["train", "--image", text(&image), "--label", text(&label)];
    let more = ["--recipe", text(&file), "--out", text(&run)];
    done(&[&words[..], &more].concat());
    (image, run)
}

fn pixels(session: &Session, kind: LayerKind) -> Vec<u8> {
    let layer = session.layer(kind).expect("a layer");
    layer.mask.read_rect(SIZE.bounds())
}

fn decide_at(session: &mut Session, probability: f64) {
    let command = PredictionCommand::DecideAt(probability);
    finish(session, Command::Prediction(command));
}

/// The second class where its probability is at least [`LOW`], of the likelier class and how likely
/// that is.
fn expected(likelier: &[u8], probabilities: &[u8]) -> Vec<u8> {
    let decided = |(&class, &of): (&u8, &u8)| {
        let of_second = match class {
            UNLABELED => return UNLABELED,
            1 => of,
            _ => 254 - of,
        };
        u8::from(f64::from(of_second) >= (LOW * 254.0).round())
    };
    likelier.iter().zip(probabilities).map(decided).collect()
}

#[test]
fn a_threshold_decides_anew_without_a_look_at_the_image_and_outlives_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, run) = image_and_run(folder.path());
    let mut session = on_cpu(&image);
    finish(&mut session, predict(&run, ScoreScope::Whole));
    let certainty = LayerKind::Certainty(Certainty::Probability);
    let likelier = pixels(&session, LayerKind::Prediction);
    let probabilities = pixels(&session, certainty);
    let (threshold, name) = session.decision_threshold().expect("two classes");
    assert!(threshold.is_half() && name == "road");
    let lower = expected(&likelier, &probabilities);
    let mut pairs = lower.iter().zip(&likelier);
    assert!(pairs.all(|(lower, likelier)| lower >= likelier));
    assert!(lower != likelier, "more of the second class");

    decide_at(&mut session, LOW);
    assert_eq!(session.prediction_state().computed, 0, "no look");
    assert!(session.prediction_state().is_complete);
    assert!(pixels(&session, LayerKind::Prediction) == lower);
    assert!(pixels(&session, certainty) == probabilities);
    let command = session.as_command(CopiedCommand::Predict);
    let command = command.expect("a command line");
    assert!(command.contains(" --threshold 0.2992"), "{command}");
    drop(session);

    let mut session = on_cpu(&image);
    assert!(pixels(&session, LayerKind::Prediction) == lower, "restart");
    let (threshold, _) = session.decision_threshold().expect("two classes");
    assert!((threshold.probability() - LOW).abs() < 0.002);
    let wrong = Command::Prediction(PredictionCommand::DecideAt(1.0));
    let why = session.apply(wrong).expect_err("no threshold").to_string();
    assert!(why.contains("between 0 and 1"), "{why}");
    decide_at(&mut session, 0.5);
    assert!(pixels(&session, LayerKind::Prediction) == likelier);
}

#[test]
fn a_prediction_that_nothing_keeps_is_decided_anew_without_a_look_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, run) = image_and_run(folder.path());
    let mut session = crate::fixture::opened(&image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    let part = ScoreScope::Within(PixelRect::new(200, 100, 1_100, 500));
    finish(&mut session, predict(&run, part));
    let likelier = pixels(&session, LayerKind::Prediction);
    let probabilities = pixels(&session, LayerKind::Certainty(Certainty::Probability));
    decide_at(&mut session, LOW);
    assert_eq!(session.prediction_state().computed, 0, "no look");
    let lower = pixels(&session, LayerKind::Prediction);
    assert!(lower != likelier && lower == expected(&likelier, &probabilities));
}

#[test]
fn the_command_line_decides_as_the_window_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, run) = image_and_run(folder.path());
    let at = |name: &str| folder.path().join(name);
    let predicted = |name: &str, more: &[&str]| {
        let (out, model) = (at(name), text(&run));
        let words = ["predict", "--device", "cpu", "--model", model];
        let paths = ["--image", text(&image), "--out", text(&out)];
        done(&[&words[..], &paths, more].concat());
    };
    let read = |name: &str| {
        let loaded = load_mask(&at(name), Some(SIZE), Encoding::Auto, None);
        loaded.expect("a mask").mask.read_rect(SIZE.bounds())
    };
    predicted("likelier.tif", &["--uncertainty"]);
    let lower = expected(&read("likelier.tif"), &read("likelier.probability.tif"));
    for (name, more) in [
        ("low.tif", &["--threshold", "0.3"][..]),
        ("margins.tif", &["--threshold", "0.3", "--uncertainty"]),
    ] {
        predicted(name, more);
        assert!(read(name) == lower, "{name}");
    }
    assert!(!at("low.probability.tif").exists());
    let part = PixelRect::new(0, 0, 1_500, 10).num_pixels() as usize;
    let same = read("margins.probability.tif")[..part] == read("likelier.probability.tif")[..part];
    assert!(same, "how likely the likelier class is stays");

    for (model, threshold, words) in [
        (&*run, "1.5", &["between 0 and 1"][..]),
        (five_classes(), "0.3", &["two classes", "the model has 5"]),
    ] {
        let asked = ["predict", "--device", "cpu", "--model", text(model)];
        let out = at("refused.tif");
        let paths = ["--image", text(&image), "--out", text(&out)];
        refused(
            &[&asked[..], &paths, &["--threshold", threshold]].concat(),
            words,
        );
    }
}
