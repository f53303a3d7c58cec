//! The loop: correct, mark as done, learn from it, take or refuse the new model, go back.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use orthobrush::geom::{ImagePoint, PixelRect};
use orthobrush::job::Waker;
use orthobrush::label::{CellKey, CellState};
use orthobrush::session::{
    Command, CommandError, CopiedCommand, FinetuneCommand, FinetunePhase, LayerKind, PlaceCommand,
    ProjectPlace, Session, SessionConfig, TrainOn,
};
use orthobrush::train::{Decision, DeviceChoice, FinetuneOptions, Recipe, SavedModel};

use crate::fixture::{finish, own_sample, settle};

/// A session whose work is kept beside the image.
pub fn kept(ortho: &Path) -> Session {
    let mut session = Session::new(SessionConfig {
        waker: Waker::none(),
        settings_path: None,
        projects: ProjectPlace::Beside { fallback: None },
    });
    let path = ortho.to_owned();
    finish(&mut session, Command::Open { path });
    session
}

fn train(session: &mut Session, run: &Path) {
    let mut recipe = Recipe {
        epochs: 1,
        steps_per_epoch: 3,
        batch: 5,
        patch: 64,
        device: DeviceChoice::Cpu,
        ..Recipe::default()
    };
    recipe.model.base_filters = 4;
    recipe.model.depth = 2;
    let start = Command::StartTraining {
        recipe: Box::new(recipe),
        on: TrainOn::OpenImage,
        out: Some(run.to_owned()),
    };
    finish(session, start);
}

fn improve(out: &Path) -> Command {
    let options = FinetuneOptions {
        epochs: 2,
        steps_per_epoch: 2,
        batch: 4,
        ..FinetuneOptions::default()
    };
    Command::Finetune(FinetuneCommand::Start {
        options: Box::new(options),
        parent: None,
        out: Some(out.to_owned()),
    })
}

fn activate(run: &Path) -> Command {
    let run = run.to_owned();
    Command::Finetune(FinetuneCommand::Activate { run })
}

fn mark_done(session: &mut Session) {
    let mark = PlaceCommand::MarkCell {
        cell: CellKey { row: 0, col: 0 },
        state: Some(CellState::Done),
    };
    finish(session, Command::Place(mark));
}

/// Strokes of two classes.
fn paint(session: &mut Session) {
    for (class, y) in [(2, 100.0), (0, 400.0)] {
        let (at, to) = (ImagePoint::new(100.0, y), ImagePoint::new(300.0, y + 100.0));
        for command in [
            Command::BeginStroke { at, class },
            Command::ExtendStroke { to },
            Command::EndStroke,
        ] {
            session.apply(command).expect("accepted");
        }
    }
    settle(session);
}

/// The command line for the next improvement names the project and the model in use.
fn check_words(session: &Session, [project, model]: [&Path; 2]) {
    let thorough = session.as_command(CopiedCommand::FinetuneThoroughly);
    let words = session.as_command(CopiedCommand::Finetune).expect("words");
    assert_eq!(
        thorough.map(|words| words.replace(" --thorough", "")),
        Some(words.clone())
    );
    for part in [
        "orthobrush finetune --project ",
        &project.display().to_string(),
        &format!("--model {}", model.display()),
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
}

/// The names of the chain's runs.
fn chain(session: &Session) -> Vec<String> {
    let runs = session.finetuning().chain.iter();
    let names = runs.filter_map(|model| model.run.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_model_is_judged_taken_by_hand_and_given_back_and_the_choice_survives() {
    let (folder, ortho) = own_sample();
    let [parent, child] = ["parent", "child"].map(|name| folder.path().join(name));
    let mut session = kept(&ortho);
    train(&mut session, &parent);
    let nothing = session.apply(improve(&child));
    let errors = settle(&mut session);
    assert!(
        nothing.is_ok()
            && errors
                .iter()
                .any(|why| why.contains("nothing was corrected"))
    );
    assert!(matches!(
        session.finetuning().phase,
        FinetunePhase::Failed(_)
    ));

    mark_done(&mut session);
    let view = PixelRect::new(100, 200, 300, 250);
    let look = Command::Finetune(FinetuneCommand::Look(view));
    finish(&mut session, look);
    session.apply(improve(&child)).expect("accepted");
    let busy = session.apply(improve(&child));
    assert!(matches!(busy, Err(CommandError::Busy(_))));
    assert!(settle(&mut session).is_empty());
    let state = session.finetuning();
    let FinetunePhase::Judged(verdict) = &state.phase else {
        panic!("{:?}", state.phase);
    };
    // The parent learned from nearly all of the one cell.
    assert!(matches!(verdict.decision, Decision::NotMeasured(_)));
    assert_eq!(state.active.as_deref(), Some(&*parent));
    assert_eq!(session.model_in_use().as_deref(), Some(&*parent));
    assert_eq!(chain(&session), ["child", "parent"]);
    // What is looked at was predicted meanwhile, and nothing else.
    let prediction = &session.layer(LayerKind::Prediction).expect("a layer").mask;
    assert!(prediction.read_rect(view).iter().all(|&class| class < 255));
    let predicted = prediction.size().num_pixels() - prediction.histogram()[255];
    assert_eq!(predicted, view.num_pixels());

    finish(&mut session, activate(&child));
    drop(session);
    let mut session = kept(&ortho);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*child));
    assert_eq!(chain(&session), ["child", "parent"]);
    finish(&mut session, activate(&parent));
    let held_out = session.held_out_ground().concat();
    assert!(
        !held_out.is_empty(),
        "known after a start, before any training"
    );
    assert_eq!(chain(&session), ["parent"]);
    let lineage = SavedModel::card_of(&child).expect("a model").lineage;
    let lineage = lineage.expect("a fine-tuned one");
    assert_eq!(lineage.parent.expect("a parent").run, parent);
    check_words(&session, [&ortho.with_extension("orthobrush"), &parent]);
    let gone = session.apply(activate(&folder.path().join("nowhere")));
    assert!(matches!(gone, Err(CommandError::Refused(_))));
}

#[test]
fn a_project_is_learned_from_without_a_window() {
    let (folder, ortho) = own_sample();
    let mut session = kept(&ortho);
    paint(&mut session);
    drop(session);
    let project: PathBuf = ortho.with_extension("orthobrush");
    let run = folder.path().join("first");
    let output = Process::new(env!("CARGO_BIN_EXE_orthobrush"))
        .args(["finetune", "--epochs", "1", "--steps", "2", "--json"])
        .args(["--device", "cpu", "--project"])
        .arg(&project)
        .arg("--out")
        .arg(&run)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["verdict"]["decision"], "first");
    assert!(last["learned"]["trusted_pixels"].as_u64() > Some(0));
    for none in ["accepted_pixels", "not_judged_pixels"] {
        assert_eq!(last["learned"][none], 0, "{none}");
    }
    assert_eq!(last["active"], run.display().to_string());
    let session = kept(&ortho);
    assert_eq!(session.finetuning().active.as_deref(), Some(&*run));
    let words = session.as_command(CopiedCommand::Queue).expect("words");
    assert!(words.starts_with("orthobrush queue --project "), "{words}");
    drop(session);
    check_queue(&project, &run);
}

/// Where to look next is ranked without a window: squares, none of them twice.
fn check_queue(project: &Path, run: &Path) {
    let ranked = |by: &str| {
        let output = Process::new(env!("CARGO_BIN_EXE_orthobrush"))
            .args(["queue", "--count", "3", "--json", "--by", by, "--project"])
            .arg(project)
            .output()
            .expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let found = ranked("doubt");
    assert_eq!(found["model"], run.display().to_string());
    let places = found["places"].as_array().expect("places");
    assert_eq!(places.len(), 3);
    for (at, place) in places.iter().enumerate() {
        assert_eq!(place["rank"], at + 1);
        assert!(
            places[..at]
                .iter()
                .all(|other| other["rect"] != place["rect"])
        );
    }
    // Two strokes cover little of what is predicted, so the largest difference has its class.
    let found = ranked("differences");
    assert!(found["places"][0]["predicted"].is_string(), "{found}");
}
