//! A prediction of the window outlives it: after a kill its finished blocks are there, and only the
//! others are computed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use orthobrush::geom::{ImagePoint, ImageSize, PixelRect};
use orthobrush::label::{Mask, UNLABELED, WantedCells};
use orthobrush::session::{
    Command, CopiedCommand, FinetuneCommand, LayerKind, Predicting, PredictionCommand, ScoreScope,
    SelectHow, SelectionCommand, Session,
};
use orthobrush::train::{Certainty, DeviceChoice, Flips};
use orthobrush::ui::PaneContent;

use crate::fixture::{finish, settle};
use crate::improving::mark_done;
use crate::keeping::opened;
use crate::predicting::{painted, run, trained};

/// Tell the child which image to predict with which run.
const CHILD: [&str; 2] = ["ORTHOBRUSH_PREDICTED_IMAGE", "ORTHOBRUSH_PREDICTING_RUN"];
const PATIENCE: Duration = Duration::from_mins(2);
/// Of the grid of 1,024 pixels.
const BLOCKS: u64 = 12;

fn image_in(folder: &Path) -> PathBuf {
    let image = folder.join("image.tif");
    painted(&image, ImageSize::new(3_200, 2_100));
    image
}

pub fn on_cpu(image: &Path) -> Session {
    let mut session = opened(image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    session
}

pub fn predict(run: &Path, on: ScoreScope) -> Command {
    Command::Prediction(PredictionCommand::Predict {
        run: Some(run.to_owned()),
        on,
        near: None,
    })
}

fn mask(session: &Session, kind: LayerKind) -> &Mask {
    &session.layer(kind).expect("a layer").mask
}

/// Classes and certainty of the image, predicted without a break.
fn unbroken(image: &Path) -> [Mask; 2] {
    let mut session = crate::fixture::opened(image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, BLOCKS);
    both(&session)
}

fn both(session: &Session) -> [Mask; 2] {
    let sure = LayerKind::Certainty(Certainty::default());
    [LayerKind::Prediction, sure].map(|kind| mask(session, kind).clone())
}

/// The blocks that are there, each of them as in `whole`.
fn blocks_there(session: &Session, whole: &[Mask; 2]) -> u64 {
    let Some((there, all)) = session.unfinished_prediction() else {
        assert!(both(session) == *whole && session.prediction_state().is_complete);
        return BLOCKS;
    };
    assert_eq!(all, BLOCKS);
    for (found, whole) in both(session).iter().zip(whole) {
        let bounds = whole.size().bounds();
        let pairs = found
            .read_rect(bounds)
            .into_iter()
            .zip(whole.read_rect(bounds));
        let (bare, there): (Vec<_>, Vec<_>) = pairs.partition(|(found, _)| *found == UNLABELED);
        assert!(there.iter().all(|(found, whole)| found == whole));
        assert!(!there.is_empty() && !bare.is_empty());
    }
    there
}

/// Waits until the prediction of a session that is gone has ended.
fn await_end(image: &Path) {
    let lock = image.with_file_name(".image.orthobrush.predictions/lock");
    let began = Instant::now();
    while lock.exists() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_session_that_is_gone_leaves_what_it_predicted_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image_in(folder.path());
    let whole = unbroken(&image);
    let mut session = on_cpu(&image);
    assert!(session.layer(LayerKind::Prediction).is_none());
    predict_two_blocks(&mut session, ScoreScope::Whole);
    drop(session);
    await_end(&image);

    let mut session = on_cpu(&image);
    let there = blocks_there(&session, &whole);
    assert!((2..BLOCKS).contains(&there), "{there}");
    // Its own choices count, not those that were made since.
    let flips = Predicting::Flips(Flips::All);
    finish(&mut session, Command::SetPredicting(flips));
    let go_on = PredictionCommand::GoOn { near: None };
    finish(&mut session, Command::Prediction(go_on));
    assert!(both(&session) == whole);
    assert_eq!(session.prediction_state().computed, BLOCKS - there);
    assert_eq!(session.unfinished_prediction(), None);
    drop(session);

    let mut session = on_cpu(&image);
    assert!(both(&session) == whole && session.prediction_state().is_complete);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, 0);
}

#[test]
fn other_measures_are_of_all_ground_that_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image_in(folder.path());
    let margin = LayerKind::Certainty(Certainty::Margin);
    let by_margin = Command::SetPredicting(Predicting::Certainty(Certainty::Margin));
    let mut session = crate::fixture::opened(&image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    for command in [
        Command::SetPredicting(device),
        by_margin.clone(),
        predict(run(), ScoreScope::Whole),
    ] {
        finish(&mut session, command);
    }
    let whole = mask(&session, margin).clone();

    let (kept, cells) = (
        PixelRect::new(0, 0, 900, 700),
        PixelRect::new(1_024, 0, 1_024, 2_048),
    );
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Within(kept)));
    drop(session);
    let mut session = on_cpu(&image);
    for cell in [(0, 1), (1, 1)] {
        mark_done(&mut session, cell);
    }
    let done = ScoreScope::Cells(WantedCells::Done);
    finish(&mut session, predict(run(), done));
    finish(&mut session, by_margin);
    let at_once = mask(&session, margin).clone();
    drop(session);
    let mut session = on_cpu(&image);
    let beside = PredictionCommand::Measures(vec![Certainty::Margin]);
    finish(&mut session, Command::Prediction(beside));
    assert!(*mask(&session, margin) == at_once);
    let found = at_once;
    for part in [kept, cells] {
        assert!(found.read_rect(part) == whole.read_rect(part));
    }
    let bare = found.histogram()[usize::from(UNLABELED)];
    let there = found.size().num_pixels() - bare;
    assert_eq!(there, kept.num_pixels() + cells.num_pixels());
}

/// Begins a prediction of more blocks than two.
fn predict_two_blocks(session: &mut Session, on: ScoreScope) {
    session.apply(predict(run(), on)).expect("accepted");
    while session.prediction_state().blocks.0 < 2 {
        session.pump(64);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Selects ground that touches all columns of blocks and holds one block whole.
fn select(session: &mut Session) {
    let corners = [
        (900.0, 1_000.0),
        (2_200.0, 1_000.0),
        (3_100.0, 2_090.0),
        (100.0, 2_090.0),
    ];
    let select = SelectionCommand::Polygon {
        corners: corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec(),
        how: SelectHow::Replace,
    };
    finish(session, Command::Selection(select));
}

#[test]
fn a_selection_that_was_predicted_in_part_goes_on_in_the_next_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image_in(folder.path());
    let whole = unbroken(&image);
    let mut session = crate::fixture::opened(&image);
    let device = Predicting::Device(DeviceChoice::Cpu);
    finish(&mut session, Command::SetPredicting(device));
    select(&mut session);
    finish(&mut session, predict(run(), ScoreScope::Selection));
    let selection = both(&session);
    let words = |session: &Session| session.as_command(CopiedCommand::Predict).expect("words");
    let said = words(&session);

    let mut session = on_cpu(&image);
    select(&mut session);
    predict_two_blocks(&mut session, ScoreScope::Selection);
    drop(session);
    await_end(&image);
    let mut session = on_cpu(&image);
    assert!(session.selected().is_none());
    let (there, all) = session.unfinished_prediction().expect("a part");
    assert!((2..all).contains(&there), "{there} of {all}");
    assert_eq!(words(&session), said);
    let go_on = PredictionCommand::GoOn { near: None };
    finish(&mut session, Command::Prediction(go_on));
    assert_eq!(session.prediction_state().computed, all - there);
    assert!(both(&session) == selection);
    drop(session);

    let mut session = on_cpu(&image);
    assert!(both(&session) == selection && !session.prediction_state().is_complete);
    assert_eq!(session.unfinished_prediction(), None);
    select(&mut session);
    finish(&mut session, predict(run(), ScoreScope::Selection));
    assert_eq!(session.prediction_state().computed, 0);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, BLOCKS - 1);
    assert!(both(&session) == whole);
    drop(session);
    let session = on_cpu(&image);
    assert!(both(&session) == whole && session.prediction_state().is_complete);
}

/// Predicts, and says how many blocks are finished. The test below starts it as a process of its
/// own and kills it.
#[test]
#[ignore = "the child of the next test"]
fn scripted_predictor() {
    let [Some(image), Some(run)] = CHILD.map(std::env::var_os) else {
        return;
    };
    let mut session = on_cpu(Path::new(&image));
    let begin = predict(Path::new(&run), ScoreScope::Whole);
    session.apply(begin).expect("accepted");
    let mut told = 0;
    while !session.is_idle() {
        session.pump(64);
        let (done, _) = session.prediction_state().blocks;
        if done > told {
            println!("done {done}");
            told = done;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lets the predictor finish a block more than `there`, kills it after `patience`, and gives the
/// number of blocks that it said were finished.
fn predict_and_kill(image: &Path, there: u64, patience: Duration) -> u64 {
    let mut child = Process::new(std::env::current_exe().expect("this program"))
        .args([
            "kept_predictions::scripted_predictor",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .envs(CHILD.into_iter().zip([image, run()]))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut told = 0;
    for line in lines.map_while(Result::ok) {
        let done = line
            .split_once("done ")
            .and_then(|(_, n)| n.trim().parse().ok());
        told = done.unwrap_or(told);
        if told > there {
            break;
        }
    }
    std::thread::sleep(patience);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    told
}

#[test]
fn a_killed_prediction_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image_in(folder.path());
    let whole = unbroken(&image);
    let (mut there, mut kills_in_the_middle) = (0, 0);
    for round in 0..3 {
        let told = predict_and_kill(&image, there, Duration::from_millis(round * 37));
        let session = on_cpu(&image);
        let found = blocks_there(&session, &whole);
        assert!(found >= told && found > there, "{found} of {told}");
        kills_in_the_middle += u32::from(found < BLOCKS);
        there = found;
        if there == BLOCKS {
            break;
        }
    }
    assert!(kills_in_the_middle > 0);
    let mut session = on_cpu(&image);
    finish(&mut session, predict(run(), ScoreScope::Whole));
    assert_eq!(session.prediction_state().computed, BLOCKS - there);
    assert!(both(&session) == whole);
}

#[test]
fn the_prediction_that_was_asked_for_last_is_shown_whichever_model_made_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().join("project");
    let shelf = project.join("orthobrush-runs");
    std::fs::create_dir_all(&shelf).expect("folders");
    let image = project.join("image.tif");
    painted(&image, ImageSize::new(1_500, 600));
    let [first, second] = [(1, "first"), (7, "second")].map(|(seed, name)| {
        let run = shelf.join(name);
        std::fs::rename(trained(folder.path(), seed), &run).expect("moved");
        run
    });
    let mut session = on_cpu(&image);
    let activate = FinetuneCommand::Activate { run: first.clone() };
    finish(&mut session, Command::Finetune(activate));
    for run in [&first, &second, &first, &second] {
        finish(&mut session, predict(run, ScoreScope::Whole));
    }
    let shown = both(&session);
    drop(session);

    let by = |session: &Session| session.prediction_state().run.clone();
    let session = on_cpu(&image);
    assert_eq!(session.model_in_use(), Some(first));
    assert_eq!(by(&session), Some(second));
    assert_eq!(PaneContent::Prediction.hint(&session), "of second");
    assert!(both(&session) == shown);
    drop(session);

    // All of it lies elsewhere by now.
    let moved = folder.path().join("moved");
    std::fs::rename(&project, &moved).expect("moved");
    let session = on_cpu(&moved.join("image.tif"));
    assert_eq!(by(&session), Some(moved.join("orthobrush-runs/second")));
    assert!(both(&session) == shown);
}

#[test]
fn blocks_of_another_model_choice_or_image_are_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("image.tif");
    painted(&image, ImageSize::new(1_500, 600));
    let (run, other) = (trained(folder.path(), 1), trained(other.path(), 7));
    let part = ScoreScope::Within(PixelRect::new(10, 20, 90, 80));
    let mut session = on_cpu(&image);
    let computed = |session: &mut Session, command: Command| {
        finish(session, command);
        session.prediction_state().computed
    };
    assert_eq!(computed(&mut session, predict(&run, ScoreScope::Whole)), 2);
    assert_eq!(computed(&mut session, predict(&run, part)), 0);
    drop(session);

    let mut session = on_cpu(&image);
    assert_eq!(session.model_in_use().as_deref(), Some(run.as_path()));
    assert_eq!(computed(&mut session, predict(&run, part)), 0);
    assert_eq!(computed(&mut session, predict(&other, part)), 1);
    for (choice, expected) in [
        (Predicting::Flips(Flips::All), 1),
        (Predicting::Certainty(Certainty::Margin), 0),
    ] {
        finish(&mut session, Command::SetPredicting(choice));
        assert_eq!(computed(&mut session, predict(&run, part)), expected);
    }
    drop(session);

    // The file is another one, whatever it shows.
    painted(&image, ImageSize::new(1_500, 600));
    let mut session = on_cpu(&image);
    assert!(session.layer(LayerKind::Prediction).is_none());
    assert_eq!(computed(&mut session, predict(&run, ScoreScope::Whole)), 2);
    drop(session);
    assert!(on_cpu(&image).layer(LayerKind::Prediction).is_some());
    std::fs::remove_dir_all(&run).expect("removed");
    std::fs::rename(&other, &run).expect("renamed");
    let mut session = on_cpu(&image);
    assert!(session.layer(LayerKind::Prediction).is_none(), "it learned");
    assert!(settle(&mut session).is_empty());
}
