//! Who may train in which folder.

use super::*;
use crate::dataset::Watch;
use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::train::finetune::Replay;
use crate::train::folder_lock::taken;
use crate::train::resume::RunState;
use crate::train::test_folder::{EIGHT, write_images};
use crate::train::{ReplaySources, TrainData};

#[test]
fn a_folder_that_another_trains_into_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let one = plan(recipe(), &run);
    let late = plan(recipe(), &run);
    let lock = taken(&run).expect("free");
    let why = heard(plan(recipe(), &run)).1.expect_err("taken");
    assert!(
        why.contains("Another Orthobrush trains or judges in this folder"),
        "{why}"
    );
    assert!(!run.join("ckpt").exists() && !run.join("recipe.toml").exists());
    drop(lock);
    heard(one).1.expect("a report");
    let recipe = std::fs::read(run.join("recipe.toml")).expect("a recipe");
    // It was planned before the other began.
    let why = heard(late).1.expect_err("it holds a run now");
    assert!(why.contains("already holds a run"), "{why}");
    assert!(recipe == std::fs::read(run.join("recipe.toml")).expect("a recipe"));
}

#[test]
fn a_training_holds_its_folder_and_who_goes_on_with_it_asks_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let long = Recipe {
        epochs: 50,
        ..recipe()
    };
    let job = engine().train(plan(long, &run), Waker::none());
    let wait_for = |is_it: fn(&TrainEvent) -> bool| loop {
        let event = job.next_within(Duration::from_mins(1)).expect("an event");
        assert!(matches!(event, JobEvent::Said(_)), "{event:?}");
        if matches!(&event, JobEvent::Said(event) if is_it(event)) {
            break;
        }
    };
    wait_for(|event| matches!(event, TrainEvent::Step { .. }));
    job.pause_token().pause();
    wait_for(|event| *event == TrainEvent::Paused);
    assert!(taken(&run).is_err(), "nobody holds it");
    assert_eq!(end_of(&run), None);
    job.cancel();
    assert_eq!(events_of(&job).last(), Some(&JobEvent::Cancelled));
    let stopped = end_of(&run).expect("an end");
    assert!(
        stopped.starts_with("Stopped by hand in epoch "),
        "{stopped}"
    );
    let lock = taken(&run).expect("free");
    let resumed = || TrainPlan::resume(ground(), run.clone()).expect("it can go on");
    let why = heard(resumed()).1.expect_err("taken");
    assert!(
        why.contains("Another Orthobrush trains or judges in this folder"),
        "{why}"
    );
    assert_eq!(end_of(&run), Some(stopped), "it is not theirs");
    drop(lock);
    let mut short = resumed();
    short.until = Some(1);
    heard(short).1.expect("a report");
    let rests = "Rests after epoch 1 and can go on";
    assert_eq!(end_of(&run).as_deref(), Some(rests));
}

#[test]
fn a_run_of_an_older_version_goes_on_with_what_it_holds_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    write_images(&data, &EIGHT, 48);
    for (kind, at) in ["images", "masks"]
        .iter()
        .flat_map(|kind| (0..8).map(move |at| (kind, at)))
    {
        let name = |name: String| data.join(kind).join(name);
        let tile = name(format!("p{}_{}_0.png", at / 2, at % 2));
        std::fs::rename(name(format!("{at:02}.png")), tile).expect("renamed");
    }
    let ground = || opened_folder(&data, 1 << 22).expect("a data set").0;
    let fresh = |parts, run: &Path| {
        let recipe = Recipe { parts, ..recipe() };
        TrainPlan::new(recipe, ground(), classes(), run.to_owned()).expect("a plan")
    };
    let shares = Shares::default();
    let one_by_one = PartRule {
        seed: recipe().seed,
        split: PartWay::Ratio { shares },
        ..PartRule::default()
    };
    let begun = fresh(Some(one_by_one), &run);
    let fingerprint = begun.data_fingerprint();
    let held_out = begun.split().report.validation_files.clone();
    heard(begun.until(Some(1))).1.expect("a part");
    // As before there were groups: the recipe says nothing of it. The notes were worded otherwise.
    recipe().save(&run.join("recipe.toml")).expect("written");
    let mut state = RunState::load(&run).expect("a state");
    state.progress.ground.split.notes = vec!["Said otherwise".to_owned()];
    state.save(&run).expect("written");
    let of_today = fresh(None, &folder.path().join("new"));
    assert_ne!(of_today.split().report.validation_files, held_out);
    let resumed = TrainPlan::resume(ground(), run.clone()).expect("it can go on");
    assert_eq!(resumed.split().report.validation_files, held_out);
    assert_eq!(resumed.recipe().parts, None);
    assert_eq!(resumed.data_fingerprint(), fingerprint);
    heard(resumed).1.expect("a report");
    // Who repeats what it learned from leaves out what it held out.
    TrainData::folder(data).keep(&run, None).expect("written");
    let sources = ReplaySources {
        share: 1.0,
        runs: vec![run],
        ..ReplaySources::default()
    };
    let (recipe, classes) = (recipe(), classes());
    let (replay, notes) =
        Replay::read(&sources, None, (&recipe, &classes), &Watch::NOBODY).expect("read");
    let replay = replay.unwrap_or_else(|| panic!("{notes:?}"));
    let repeated = replay.source(1, 1, 1).expect("a source");
    assert_eq!(repeated.split().report.validation_files, held_out);
}
