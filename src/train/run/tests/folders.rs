//! Who may train in which folder.

use super::*;
use crate::train::folder_lock::taken;

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
