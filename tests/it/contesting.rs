//! Predictions of parts in the session, what a stopped one keeps, two networks on one ground, and one
//! that takes the other's place.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use orthobrush::disk::replace_file;
use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{CellKey, CellState, Encoding, Mask, UNLABELED, WantedCells, load_mask};
use orthobrush::session::{
    Command, CopiedCommand, KeptPlace, LayerKind, PlaceCommand, Predicting, PredictionCommand,
    ScoreScope, SelectHow, SelectionCommand, Session,
};
use orthobrush::train::{DeviceChoice, Flips, SavedModel};

use crate::fixture::{finish, opened, own_sample, settle};
use crate::improving::activate;
use crate::keeping::stroke;
use crate::predicting::{painted, run, trained};
use crate::program::{json, refused, succeeded, text};

pub fn predict(run: &Path, on: ScoreScope) -> Command {
    Command::Prediction(PredictionCommand::Predict {
        run: Some(run.to_owned()),
        on,
        near: Some(ImagePoint::new(10.0, 10.0)),
    })
}

pub fn on_cpu(image: &Path) -> Session {
    let mut session = opened(image);
    finish(
        &mut session,
        Command::SetPredicting(Predicting::Device(DeviceChoice::Cpu)),
    );
    session
}

#[track_caller]
pub fn prediction(session: &Session) -> Mask {
    let layer = session.layer(LayerKind::Prediction);
    layer.expect("a prediction").mask.clone()
}

pub fn predicted_pixels(mask: &Mask) -> u64 {
    mask.histogram()[..usize::from(UNLABELED)].iter().sum()
}

#[test]
fn parts_add_up_to_the_prediction_of_the_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(2_100, 1_100));
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    let whole = prediction(&session);
    assert_eq!(predicted_pixels(&whole), 2_100 * 1_100);

    let mut session = on_cpu(&image);
    let view = PixelRect::new(900, 100, 300, 200);
    finish(&mut session, predict(run(), ScoreScope::Within(view)));
    let part = prediction(&session);
    assert_eq!(predicted_pixels(&part), view.num_pixels());
    assert!(part.read_rect(view) == whole.read_rect(view));
    assert!(!session.prediction_state().is_complete);

    let done = CellKey { row: 0, col: 1 };
    finish(
        &mut session,
        Command::Place(PlaceCommand::MarkCell {
            cell: done,
            state: Some(CellState::Done),
        }),
    );
    finish(
        &mut session,
        predict(run(), ScoreScope::Cells(WantedCells::Done)),
    );
    let both = prediction(&session);
    // What is in view and left of the cell stays.
    assert_eq!(predicted_pixels(&both), 1_024 * 1_024 + 124 * 200);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert!(prediction(&session) == whole);
    assert!(session.prediction_state().is_complete);
}

/// Begins a prediction of more than two blocks and stops it.
pub fn predict_in_part(session: &mut Session, run: &Path, on: ScoreScope) {
    session.apply(predict(run, on)).expect("accepted");
    let job = session.prediction_state().job.expect("a job");
    while session.prediction_state().blocks.0 < 2 {
        session.pump(64);
        std::thread::sleep(Duration::from_millis(2));
    }
    session.apply(Command::StopJob(job)).expect("accepted");
    assert!(settle(session).is_empty());
}

/// Selects a polygon; how many pixels that are.
pub fn select(session: &mut Session, corners: &[(f64, f64)]) -> u64 {
    let corners = corners.iter().map(|&(x, y)| ImagePoint::new(x, y));
    let select = SelectionCommand::Polygon {
        corners: corners.collect(),
        how: SelectHow::Replace,
    };
    finish(session, Command::Selection(select));
    session.selected().expect("a selection").pixels.num_pixels()
}

#[test]
fn a_stopped_prediction_goes_on_with_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(3_200, 2_100));
    let mut session = on_cpu(&image);
    predict_in_part(&mut session, run(), ScoreScope::Whole);
    let kept = predicted_pixels(&prediction(&session));
    assert!(kept > 0 && kept < 3_200 * 2_100, "{kept}");

    session
        .apply(predict(run(), ScoreScope::Whole))
        .expect("accepted");
    assert_eq!(predicted_pixels(&prediction(&session)), kept);
    assert!(settle(&mut session).is_empty());
    let went_on = prediction(&session);
    let mut other = on_cpu(&image);
    finish(&mut other, predict(run(), ScoreScope::Whole));
    assert!(went_on == prediction(&other));
}

/// What another model predicted, where nothing came in its place yet.
fn replaced(session: &Session) -> Option<&Mask> {
    session.layer(LayerKind::Replaced).map(|layer| &layer.mask)
}

/// A painted image of which all is predicted by the run of all tests.
pub fn wholly_predicted(folder: &Path, size: ImageSize) -> Session {
    let image = folder.join("image.tif");
    painted(&image, size);
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert!(replaced(&session).is_none());
    session
}

#[test]
fn what_another_model_predicted_is_seen_until_blocks_come_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = trained(folder.path(), 7);
    let mut session = wholly_predicted(folder.path(), ImageSize::new(3_200, 2_100));
    let by_first = prediction(&session);
    session.apply(activate(&other)).expect("accepted");
    // What is counted and taken over is of the new one alone.
    assert_eq!(predicted_pixels(&prediction(&session)), 0);
    assert!(replaced(&session) == Some(&by_first));

    let mut between = 0;
    loop {
        session.pump(1);
        session.check_invariants();
        if session.prediction_state().job.is_none() {
            break;
        }
        let there = predicted_pixels(&prediction(&session));
        let before = replaced(&session).map_or(0, predicted_pixels);
        assert_eq!(
            there + before,
            3_200 * 2_100,
            "each pixel is of one of them"
        );
        between += u32::from(there > 0 && before > 0);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(between > 0);
    assert!(replaced(&session).is_none());
    assert!(settle(&mut session).is_empty());
    let mut alone = on_cpu(&folder.path().join("image.tif"));
    finish(&mut alone, predict(&other, ScoreScope::Whole));
    assert!(prediction(&session) == prediction(&alone));
}

/// Calls the first class of a run's model something else.
fn rename_class(run: &Path) {
    let model = SavedModel::load(run).expect("a model");
    let path = model.folder().join("model.json");
    let text = std::fs::read(&path).expect("a file");
    let mut card: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    card["classes"][0]["name"] = "something else".into();
    let text = serde_json::to_vec(&card).expect("JSON");
    replace_file(&path, &text).expect("written");
}

#[test]
fn classes_that_mean_something_else_are_seen_until_the_first_block() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = trained(folder.path(), 7);
    rename_class(&other);
    let mut session = wholly_predicted(folder.path(), ImageSize::new(2_100, 1_100));
    let by_first = prediction(&session);
    session.apply(activate(&other)).expect("accepted");
    while predicted_pixels(&prediction(&session)) == 0 {
        assert!(replaced(&session) == Some(&by_first));
        session.pump(1);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(replaced(&session).is_none());
    let job = session.prediction_state().job.expect("more blocks to come");
    session.apply(Command::StopJob(job)).expect("accepted");
    assert!(settle(&mut session).is_empty());
    assert!(predicted_pixels(&prediction(&session)) < 2_100 * 1_100);
}

#[test]
fn a_stopped_prediction_of_a_selection_goes_on_there_whatever_is_selected_since() {
    let here = [(30.0, 60.0), (3_170.0, 20.0), (1_600.0, 2_080.0)];
    let elsewhere = [(2_900.0, 1_900.0), (3_050.0, 1_900.0), (3_050.0, 2_000.0)];
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(3_200, 2_100));
    let mut unbroken = on_cpu(&image);
    let held = select(&mut unbroken, &here);
    finish(&mut unbroken, predict(run(), ScoreScope::Selection));
    assert_eq!(predicted_pixels(&prediction(&unbroken)), held);

    let mut session = on_cpu(&image);
    select(&mut session, &here);
    predict_in_part(&mut session, run(), ScoreScope::Selection);
    let (there, all) = session.unfinished_prediction().expect("a part");
    assert!(predicted_pixels(&prediction(&session)) < held);
    select(&mut session, &elsewhere);
    let words = session.as_command(CopiedCommand::Predict).expect("words");
    let go_on = PredictionCommand::GoOn { near: None };
    finish(&mut session, Command::Prediction(go_on));
    let computed = session.prediction_state().computed;
    assert!(computed > 0 && computed <= all - there, "{computed}");
    assert!(prediction(&session) == prediction(&unbroken));
    assert_eq!(session.unfinished_prediction(), None);
    for session in [&session, &unbroken] {
        let said = session.as_command(CopiedCommand::Predict).expect("words");
        assert_eq!(said, words);
    }

    finish(&mut session, predict(run(), ScoreScope::Selection));
    assert_eq!(session.prediction_state().computed, 1);
    select(&mut session, &here);
    finish(&mut session, predict(run(), ScoreScope::Selection));
    assert_eq!(session.prediction_state().computed, 0);
}

#[test]
fn cells_are_predicted_by_what_is_said_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(2_100, 1_100));
    let mut session = on_cpu(&image);
    for (col, state) in [(0, CellState::Done), (1, CellState::NeedsReview)] {
        let mark = PlaceCommand::MarkCell {
            cell: CellKey { row: 0, col },
            state: Some(state),
        };
        finish(&mut session, Command::Place(mark));
    }
    let review = ScoreScope::Cells(WantedCells::Review);
    finish(&mut session, predict(run(), review));
    let all = 2_100 * 1_100;
    assert_eq!(predicted_pixels(&prediction(&session)), 1_024 * 1_024);
    let open = ScoreScope::Cells(WantedCells::Open);
    finish(&mut session, predict(run(), open));
    assert_eq!(session.prediction_state().computed, 4, "one was there");
    assert_eq!(predicted_pixels(&prediction(&session)), all - 1_024 * 1_024);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, 1, "whole cells stay");
    assert_eq!(predicted_pixels(&prediction(&session)), all);
}

#[test]
fn two_networks_are_held_against_each_other_and_the_label() {
    let (folder, image) = own_sample();
    let other: PathBuf = trained(folder.path(), 7);
    let mut session = on_cpu(&image);
    let flips = |flips| Command::SetPredicting(Predicting::Flips(flips));
    finish(&mut session, flips(Flips::All));
    finish(&mut session, predict(run(), ScoreScope::Whole));
    let a = prediction(&session);
    finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    finish(&mut session, predict(&other, ScoreScope::Whole));
    let b = prediction(&session);
    let found = session.comparison_of(ScoreScope::Whole).expect("counted");
    let all = a.size().bounds();
    let pairs = a.read_rect(all).into_iter().zip(b.read_rect(all));
    let changed = pairs.filter(|(a, b)| a != b).count() as u64;
    assert_eq!(found.changed, changed);
    assert!(changed > 0, "two seeds, two networks");
    let truth = found.truth.expect("the label");
    assert!(truth.a.mean_iou.is_some() && truth.mean_iou_delta.is_some());
    assert_eq!(session.contest_run(), Some(run()));

    let copied = CopiedCommand::Compare(ScoreScope::Whole);
    let compare = session.as_command(copied).expect("words");
    assert!(compare.contains(" --tta"), "{compare}");
    let report = done(&format!("{compare} --device cpu --json"));
    let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["changed"], changed);
    assert_eq!(report["truth"]["mended"], truth.mended);
    let map = folder.path().join("ortho_changed.tif");
    let map = load_mask(&map, Some(a.size()), Encoding::Auto, None).expect("a map");
    assert_eq!(predicted_pixels(&map.mask), changed);

    finish(&mut session, flips(Flips::None));
    finish(&mut session, predict(&other, ScoreScope::Whole));
    let why_not = session.as_command(copied);
    let why_not = why_not.expect_err("not alike").to_string();
    assert!(why_not.contains("mirror images"), "{why_not}");

    finish(
        &mut session,
        Command::Prediction(PredictionCommand::DropKept(KeptPlace::First)),
    );
    assert!(session.kept_places().next().is_none());
    assert_eq!(session.comparison_of(ScoreScope::Whole), None);
}

/// What a copied command prints.
#[track_caller]
pub fn done(words: &str) -> Vec<u8> {
    let (name, rest) = words.split_once(' ').expect("a command");
    assert_eq!(name, "orthobrush");
    let words = format!("exec \"$0\" {rest}");
    let program = env!("CARGO_BIN_EXE_orthobrush");
    succeeded(Process::new("sh").args(["-c", &words, program])).stdout
}

#[test]
fn a_copied_command_predicts_the_same() {
    let (folder, sample) = own_sample();
    let image = folder.path().join("it's an image.tif");
    std::fs::rename(&sample, &image).expect("renamed");
    let mut session = on_cpu(&image);
    assert!(session.as_command(CopiedCommand::Predict).is_err());
    let view = PixelRect::new(100, 60, 400, 300);
    finish(&mut session, predict(run(), ScoreScope::Within(view)));
    let words = session.as_command(CopiedCommand::Predict).expect("words");
    done(&format!("{words} --device cpu"));
    let out = folder.path().join("it's an image_prediction.tif");
    let size = session.image().expect("an image").size();
    let written = load_mask(&out, Some(size), Encoding::Auto, None).expect("a mask");
    assert!(written.mask.read_rect(view) == prediction(&session).read_rect(view));
    assert_eq!(predicted_pixels(&written.mask), view.num_pixels());
    let again = session.as_command(CopiedCommand::Predict).expect("words");
    assert_eq!(again, words, "the command's own file may be replaced");
    save_prediction(&mut session, &out);
    let other = session.as_command(CopiedCommand::Predict).expect("words");
    assert!(other.contains("an image_prediction-2.tif"), "{other}");
    done(&format!("{other} --device cpu"));
}

#[test]
fn a_copied_command_holds_the_selected_polygon_and_the_ground_of_the_scores() {
    let (folder, image) = own_sample();
    let mut session = on_cpu(&image);
    let corners = [(300.0, 200.0), (700.0, 260.0), (420.0, 600.0)];
    let held = select(&mut session, &corners);
    finish(&mut session, predict(run(), ScoreScope::Selection));
    let words = session.as_command(CopiedCommand::Predict).expect("words");
    assert!(
        words.contains(" --polygon ") && !words.contains("--area"),
        "{words}"
    );
    done(&format!("{words} --device cpu"));
    let out = folder.path().join("ortho_prediction.tif");
    let size = session.image().expect("an image").size();
    let written = load_mask(&out, Some(size), Encoding::Auto, None).expect("a mask");
    assert!(written.mask.read_rect(size.bounds()) == prediction(&session).read_rect(size.bounds()));
    assert_eq!(predicted_pixels(&written.mask), held);

    let file = folder.path().join("saved.tif");
    save_prediction(&mut session, &file);
    for scope in [
        ScoreScope::Selection,
        ScoreScope::Within(PixelRect::new(350, 210, 90, 200)),
    ] {
        let evaluate = CopiedCommand::Evaluate(scope);
        let words = session.as_command(evaluate).expect("words");
        let said: serde_json::Value =
            serde_json::from_slice(&done(&format!("{words} --json"))).expect("JSON");
        let scores = session.scores_of(scope).expect("scores");
        assert_eq!(said["pixels"], scores.pixels, "{words}");
        assert_eq!(said["unpredicted"], scores.unpredicted);
    }
    let training = CopiedCommand::Evaluate(ScoreScope::Training);
    assert!(session.as_command(training).is_err());
}

fn save_prediction(session: &mut Session, path: &Path) {
    let layer = LayerKind::Prediction;
    let path = path.to_owned();
    finish(session, Command::SaveAs { layer, path });
}

#[test]
fn scores_are_copied_only_of_files_that_have_what_is_shown() {
    let (folder, image) = own_sample();
    let file = folder.path().join("saved.tif");
    let mut session = on_cpu(&image);
    let refused = |session: &Session, word: &str| {
        let words = session.as_command(CopiedCommand::Evaluate(ScoreScope::Whole));
        let why_not = words.expect_err("no words").to_string();
        assert!(why_not.contains(word), "{why_not}");
    };
    refused(&session, "There is no prediction");
    let part = ScoreScope::Within(PixelRect::new(40, 50, 300, 200));
    finish(&mut session, predict(run(), part));
    refused(&session, "Save prediction as");
    save_prediction(&mut session, &file);
    let evaluate = CopiedCommand::Evaluate(ScoreScope::Whole);
    let words = session.as_command(evaluate).expect("words");
    let said: serde_json::Value =
        serde_json::from_slice(&done(&format!("{words} --json"))).expect("JSON");
    let scores = session.scores().expect("scores");
    assert_eq!(said["pixels"], scores.pixels);
    assert_eq!(said["unpredicted"], scores.unpredicted);

    finish(&mut session, predict(run(), ScoreScope::Whole));
    refused(&session, "Save prediction as");
    save_prediction(&mut session, &file);
    assert!(session.as_command(evaluate).is_ok());
    stroke(&mut session, (100.0, 100.0), (700.0, 600.0), 4);
    assert!(settle(&mut session).is_empty());
    refused(&session, "Save label");
    finish(&mut session, Command::SaveLabel);
    assert!(session.as_command(evaluate).is_ok());
    std::fs::remove_file(&file).expect("removed");
    refused(&session, "Save prediction as");
}

#[test]
fn commands_name_cells_and_polygons_of_an_image() {
    let (folder, image) = own_sample();
    let at = |name: &str| folder.path().join(name);
    let (truth, label) = (at("label_true.tif"), at("label.tif"));
    let eval = [
        "eval",
        "--json",
        "--truth",
        text(&truth),
        "--pred",
        text(&label),
    ];
    let none = ["--image", text(&image), "--cells", "done"];
    refused(&[&eval[..], &none].concat(), &["ortho.orthobrush"]);
    let mut session = crate::keeping::opened(&image);
    stroke(&mut session, (100.0, 100.0), (700.0, 600.0), 4);
    let mark = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::NeedsReview),
    };
    finish(&mut session, Command::Place(mark));
    drop(session);
    let of =
        |state: &'static str| [&eval[..], &["--image", text(&image), "--cells", state]].concat();
    let all = json(&eval)["pixels"].clone();
    for state in ["review", "open"] {
        assert_eq!(json(&of(state))["pixels"], all, "{state}");
    }
    let by_cells = json(&[&of("review")[..], &["--by", "cells"]].concat());
    assert_eq!(by_cells["cells"].as_array().map(Vec::len), Some(1));
    assert_eq!(by_cells["cells"][0]["scores"]["pixels"], all);
    refused(&of("done"), &["no such cell"]);

    std::fs::copy(at("classes.toml"), at("label_true.classes.toml")).expect("a copy");
    let pair = ["--a", text(&truth), "--b", text(&label), "--image"];
    let compare = [&["compare", "--json"], &pair[..], &[text(&image)]].concat();
    let pixels = |more: &[&str]| json(&[&compare[..], more].concat())["pixels"].clone();
    assert_eq!(pixels(&["--polygon", "0,0,10,0,10,20,0,20"]), 200);
    assert_eq!(pixels(&["--area", "5,6,7,8"]), 56);
    assert_eq!(pixels(&["--cells", "review"]), pixels(&[]));
}
