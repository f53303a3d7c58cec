//! Training, prediction and what is left of them on the disk, through the session's commands.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use orthobrush::label::UNLABELED;
use orthobrush::session::{
    Command, CommandError, LayerKind, Pause, Session, TrainOn, TrainingPhase,
};
use orthobrush::train::{DeviceChoice, Recipe, TrainStatus};

use crate::fixture::{finish, opened, own_sample, settle};

/// Small enough for seconds; what is tested is the path, not the score.
pub fn quick() -> Recipe {
    let mut recipe = Recipe {
        epochs: 2,
        steps_per_epoch: 3,
        batch: 5,
        patch: 64,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    recipe.model.base_filters = 4;
    recipe.model.depth = 2;
    recipe
}

/// Learn from the open image.
pub fn start(recipe: Recipe, out: &Path) -> Command {
    Command::StartTraining {
        recipe: Box::new(recipe),
        on: TrainOn::OpenImage,
        out: Some(out.to_owned()),
    }
}

#[test]
fn a_training_leaves_curves_and_a_network_that_predicts() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let run = folder.path().join("run");
    finish(&mut session, start(quick(), &run));
    let state = session.training();
    assert_eq!(state.rows.len(), 2);
    assert!(
        state
            .rows
            .iter()
            .all(|row| row.train_loss.is_finite() && row.val_loss.is_finite())
    );
    assert!(state.best_row().is_some());
    assert!(!state.held_out().is_empty(), "whole blocks are held out");
    let TrainingPhase::Ended(report) = &state.phase else {
        panic!("{:?}", state.phase)
    };
    assert_eq!(report.status, TrainStatus::Finished);
    for file in [
        "recipe.toml",
        "classes.toml",
        "split.json",
        "metrics.csv",
        "best",
        "last",
    ] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }
    assert!(report.checkpoint.join("weights.safetensors").is_file());
    predict_and_accept(&mut session);
}

fn predict_and_accept(session: &mut Session) {
    finish(session, Command::predict(None));
    let prediction = session.layer(LayerKind::Prediction).expect("a prediction");
    assert_eq!(
        prediction.mask.histogram()[usize::from(UNLABELED)],
        0,
        "all of it is predicted"
    );
    finish(
        session,
        Command::AcceptPrediction(orthobrush::session::Over::All),
    );
    let label = session
        .layer(LayerKind::Label)
        .expect("a label")
        .mask
        .clone();
    assert_eq!(
        label,
        session
            .layer(LayerKind::Prediction)
            .expect("a prediction")
            .mask
    );
    finish(session, Command::Undo);
    assert_ne!(
        session.layer(LayerKind::Label).expect("a label").mask,
        label
    );
}

#[test]
fn painting_goes_on_while_a_training_runs_and_stop_keeps_the_best() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 500,
        ..quick()
    };
    let first = start(recipe.clone(), &folder.path().join("run"));
    session.apply(first).expect("started");
    let again = Command::StartTraining {
        recipe: Box::new(recipe),
        on: TrainOn::OpenImage,
        out: None,
    };
    assert!(matches!(session.apply(again), Err(CommandError::Busy(_))));
    while session.training().rows.is_empty() {
        session.pump(16);
        assert!(
            session.training().is_running(),
            "{:?}",
            session.training().phase
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let at = orthobrush::geom::ImagePoint::new(200.0, 200.0);
    finish_stroke(&mut session, at);
    let job = session.training().job.expect("a job");
    session.apply(Command::StopJob(job)).expect("stopped");
    assert!(settle(&mut session).is_empty());
    let TrainingPhase::Ended(report) = &session.training().phase else {
        panic!("{:?}", session.training().phase)
    };
    assert_eq!(report.status, TrainStatus::Stopped);
    assert!(report.checkpoint.join("weights.safetensors").is_file());
}

fn finish_stroke(session: &mut Session, at: orthobrush::geom::ImagePoint) {
    session
        .apply(Command::BeginStroke { at, class: 2 })
        .expect("begun");
    session.apply(Command::EndStroke).expect("ended");
    assert_eq!(
        session
            .layer(LayerKind::Label)
            .expect("a label")
            .mask
            .get(200, 200),
        2
    );
}

#[test]
fn a_training_that_cannot_work_says_why() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        batch: 0,
        ..quick()
    };
    session
        .apply(start(recipe, &folder.path().join("run")))
        .expect("it is checked in the background");
    let errors = settle(&mut session);
    assert!(
        errors.iter().any(|error| error.contains("batch")),
        "{errors:?}"
    );
    assert!(matches!(session.training().phase, TrainingPhase::Failed(_)));
}

#[test]
fn a_training_rests_while_others_predict_and_goes_on() {
    let (folder, ortho) = own_sample();
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 1000,
        ..quick()
    };
    let error = session.apply(Command::PauseTraining(Pause::Rest));
    assert!(matches!(error, Err(CommandError::Refused(_))));
    let start = start(recipe, &folder.path().join("run"));
    session.apply(start).expect("it starts");
    until(&mut session, |session| !session.training().rows.is_empty());
    session
        .apply(Command::PauseTraining(Pause::Rest))
        .expect("it rests");
    until(&mut session, |session| session.training().is_paused);
    let steps = session.training().step_losses.len();
    session
        .apply(Command::predict(None))
        .expect("the network so far");
    assert_eq!(session.prediction_state().waiting(), Some("Training"));
    let title = session.activities().last().map(|it| it.title.clone());
    assert_eq!(title.as_deref(), Some("Predicting; “Training” waits"));
    until(&mut session, |session| session.activities().count() == 1);
    assert_eq!(session.prediction_state().waiting(), None);
    assert!(session.training().is_paused && session.training().is_running());
    assert_eq!(session.training().step_losses.len(), steps);
    session
        .apply(Command::PauseTraining(Pause::GoOn))
        .expect("it goes on");
    until(&mut session, |session| !session.training().is_paused);
    let rows = session.training().rows.len();
    until(&mut session, |session| session.training().rows.len() > rows);
    let job = session.training().job.expect("a job");
    session.apply(Command::StopJob(job)).expect("it stops");
    settle(&mut session);
}

/// Takes events in until `is_so`.
pub fn until(session: &mut Session, is_so: impl Fn(&Session) -> bool) {
    let began = Instant::now();
    while !is_so(session) {
        assert!(began.elapsed() < Duration::from_mins(2), "it never comes");
        if session.pump(64) == 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}
