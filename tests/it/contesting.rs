//! Predictions of parts in the session, what a stopped one keeps, two networks on one ground, and one
//! that takes the other's place.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use orthobrush::disk::replace_file;
use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{CellKey, CellState, Encoding, Mask, UNLABELED, load_mask};
use orthobrush::session::{
    Command, CopiedCommand, LayerKind, PlaceCommand, Predicting, PredictionCommand, ScoreScope,
    SelectHow, SelectionCommand, Session,
};
use orthobrush::train::{DeviceChoice, SavedModel};

use crate::fixture::{finish, opened, own_sample, settle};
use crate::improving::activate;
use crate::predicting::{painted, run, trained};
use crate::program::succeeded;

fn predict(run: &Path, on: ScoreScope) -> Command {
    Command::Prediction(PredictionCommand::Predict {
        run: Some(run.to_owned()),
        on,
        near: Some(ImagePoint::new(10.0, 10.0)),
    })
}

fn on_cpu(image: &Path) -> Session {
    let mut session = opened(image);
    finish(
        &mut session,
        Command::SetPredicting(Predicting::Device(DeviceChoice::Cpu)),
    );
    session
}

#[track_caller]
fn prediction(session: &Session) -> Mask {
    let layer = session.layer(LayerKind::Prediction);
    layer.expect("a prediction").mask.clone()
}

fn predicted_pixels(mask: &Mask) -> u64 {
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
    finish(&mut session, predict(run(), ScoreScope::DoneCells));
    let both = prediction(&session);
    // What is in view and left of the cell stays.
    assert_eq!(predicted_pixels(&both), 1_024 * 1_024 + 124 * 200);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert!(prediction(&session) == whole);
    assert!(session.prediction_state().is_complete);
}

#[test]
fn a_stopped_prediction_goes_on_with_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(3_200, 2_100));
    let mut session = on_cpu(&image);
    session
        .apply(predict(run(), ScoreScope::Whole))
        .expect("accepted");
    let job = session.prediction_state().job.expect("a job");
    while session.prediction_state().blocks.0 < 2 {
        session.pump(64);
        std::thread::sleep(Duration::from_millis(2));
    }
    session.apply(Command::StopJob(job)).expect("accepted");
    assert!(settle(&mut session).is_empty());
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
fn wholly_predicted(folder: &Path, size: ImageSize) -> Session {
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
fn two_networks_are_held_against_each_other_and_the_label() {
    let (folder, image) = own_sample();
    let other: PathBuf = trained(folder.path(), 7);
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    let a = prediction(&session);
    finish(&mut session, Command::Prediction(PredictionCommand::Keep));
    finish(&mut session, predict(&other, ScoreScope::Whole));
    let b = prediction(&session);
    let found = session.contest().found().expect("counted").clone();
    let all = a.size().bounds();
    let pairs = a.read_rect(all).into_iter().zip(b.read_rect(all));
    let changed = pairs.filter(|(a, b)| a != b).count() as u64;
    assert_eq!(found.changed, changed);
    assert!(changed > 0, "two seeds, two networks");
    let truth = found.truth.expect("the label");
    assert!(truth.a.mean_iou.is_some() && truth.mean_iou_delta.is_some());
    assert_eq!(session.contest().run(), Some(run()));

    let compare = session.as_command(CopiedCommand::Compare);
    let report = done(&format!("{} --device cpu --json", compare.expect("words")));
    let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["changed"], changed);
    assert_eq!(report["truth"]["mended"], truth.mended);

    finish(
        &mut session,
        Command::Prediction(PredictionCommand::DropKept),
    );
    assert!(session.layer(LayerKind::Kept).is_none() && session.contest().found().is_none());
}

/// What a copied command prints.
#[track_caller]
fn done(words: &str) -> Vec<u8> {
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
    assert_eq!(session.as_command(CopiedCommand::Predict), None);
    let view = PixelRect::new(100, 60, 400, 300);
    finish(&mut session, predict(run(), ScoreScope::Within(view)));
    let words = session.as_command(CopiedCommand::Predict).expect("words");
    done(&format!("{words} --device cpu"));
    let out = folder.path().join("it's an image_prediction.tif");
    let size = session.image().expect("an image").size();
    let written = load_mask(&out, Some(size), Encoding::Auto, None).expect("a mask");
    assert!(written.mask.read_rect(view) == prediction(&session).read_rect(view));
    assert_eq!(predicted_pixels(&written.mask), view.num_pixels());
}

#[test]
fn a_copied_command_holds_the_selected_polygon_and_the_ground_of_the_scores() {
    let (folder, image) = own_sample();
    let mut session = on_cpu(&image);
    let corners = [(300.0, 200.0), (700.0, 260.0), (420.0, 600.0)];
    let select = SelectionCommand::Polygon {
        corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        how: SelectHow::Replace,
    };
    finish(&mut session, Command::Selection(select));
    let held = session.selected().expect("a selection").pixels.num_pixels();
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
    assert_eq!(
        session.as_command(training),
        None,
        "no command line says it"
    );
}
