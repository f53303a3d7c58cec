//! Why a training ended: in its folder, its report and the window.

use std::fs;
use std::path::Path;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use orthobrush::session::TrainingPhase;
use orthobrush::train::{Recipe, RunEnd, RunRecord};

use crate::fixture::{finish, opened, own_sample, settle, turn};
use crate::training::{quick, start, until};
use crate::window;

fn words(run: &Path) -> String {
    let record = RunRecord::load(run).expect("a run");
    record.end_words().expect("an end")
}

#[track_caller]
fn check_reports(run: &Path, words: &str) {
    for name in ["report.md", "report.html", "curves.svg"] {
        let text = fs::read_to_string(run.join(name)).expect("written");
        assert!(text.contains(words), "{words} is missing in {name}");
    }
}

#[test]
fn a_time_limited_and_a_failed_training_say_so() {
    let _turn = turn();
    let (folder, ortho) = own_sample();
    let runs = folder.path().join("orthobrush-runs");
    let [limited, broken] = ["limited", "broken"].map(|name| runs.join(name));
    let mut session = opened(&ortho);
    let recipe = Recipe {
        epochs: 50,
        time_limit_minutes: 1e-4,
        ..quick()
    };
    finish(&mut session, start(recipe, &limited));
    let limit = "The time limit of 0.0001 min is reached, ended after epoch 1";
    assert_eq!(words(&limited), limit);
    check_reports(&limited, limit);

    let recipe = Recipe {
        epochs: 5_000,
        ..quick()
    };
    session.apply(start(recipe, &broken)).expect("it starts");
    until(&mut session, |session| !session.training().rows.is_empty());
    // Where the next epoch's table is to go lies a folder.
    let table = broken.join("per_class.csv");
    while fs::create_dir(&table).is_err() {
        fs::remove_file(&table).expect("a table");
    }
    assert!(!settle(&mut session).is_empty(), "it went on");
    assert!(matches!(session.training().phase, TrainingPhase::Failed(_)));
    let failure = words(&broken);
    for part in [
        "Failed after epoch ",
        "per_class.csv",
        "Check that the disk",
    ] {
        assert!(failure.contains(part), "{failure}");
    }
    check_reports(&broken, "Failed after epoch ");
    let end = RunRecord::load(&broken).expect("a run").end;
    assert!(matches!(end, Some(RunEnd::Failed { .. })), "{end:?}");
    drop(session);

    let mut harness = window::window(Some(&ortho));
    harness.key_press(Key::F8);
    harness.run_steps(2);
    window::settle(&mut harness);
    // The newest is shown at first.
    harness.get_by_label(&failure);
    harness.get_by_label("limited").click_accesskit();
    harness.run_steps(3);
    window::settle(&mut harness);
    harness.get_by_label(limit);
}
