use std::path::Path;
use std::time::Duration;

use super::*;
use crate::job::{Job, JobEvent, Waker};
use crate::train::test_folder::{EIGHT, recipe_with_test, write_images};
use crate::train::test_world::events_of;
use crate::train::{
    Engine, EpochRow, Judgement, Recipe, RunRecord, SavedModel, ScoredOn, TrainEvent,
};

fn trial(name: &str, data: &Path) -> Trial {
    Trial {
        name: name.to_owned(),
        group: name.to_owned(),
        recipe: recipe_with_test(),
        data: data.to_owned(),
        judge: Some(ScoredOn::Test),
        until: None,
    }
}

fn queue(folder: &Path, trials: Vec<Trial>) -> QueuePlan {
    QueuePlan::new(folder.to_owned(), trials, 1 << 22).expect("a queue")
}

fn report_of(events: &[JobEvent<QueueEvent>]) -> QueueReport {
    let report = events.iter().find_map(|event| match event {
        JobEvent::Said(QueueEvent::Finished(report)) => Some(*report),
        _ => None,
    });
    report.unwrap_or_else(|| panic!("no report in {:?}", events.last()))
}

/// Weights, rows and judgement of a run, without times.
fn result(run: &Path) -> (Vec<u8>, Vec<EpochRow>, Judgement) {
    let model = SavedModel::load(run).expect("a model");
    let weights = std::fs::read(model.folder().join("weights.safetensors")).expect("weights");
    let rows = RunRecord::load(run).expect("a run").rows;
    let judgement = Judgement::load(run, ScoredOn::Test).expect("a judgement");
    let seconds = 0.0;
    (
        weights,
        rows.into_iter().map(EpochRow::timeless).collect(),
        Judgement {
            seconds,
            ..judgement
        },
    )
}

/// Stops the job after `steps` steps of training, or lets it end.
fn stop_after(job: &Job<QueueEvent>, steps: u32) -> JobEvent<QueueEvent> {
    let mut taken = 0;
    loop {
        let event = job.next_within(Duration::from_mins(1)).expect("an event");
        let is_step = matches!(
            &event,
            JobEvent::Said(QueueEvent::Training(event)) if matches!(**event, TrainEvent::Step { .. })
        );
        taken += u32::from(is_step);
        if taken == steps {
            job.cancel();
        }
        if !matches!(event, JobEvent::Said(_)) {
            return event;
        }
    }
}

#[test]
fn a_queue_that_is_stopped_again_and_again_ends_as_one_that_was_not() {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &EIGHT, 48);
    let engine = Engine::start().expect("a thread");
    let seeds = trial("disc", folder.path()).repeated(&[1, 2]);
    let whole = queue(&folder.path().join("whole"), seeds.clone());
    let report = report_of(&events_of(&engine.queue(whole.clone(), Waker::none())));
    assert_eq!((report.done, report.failed), (2, 0));
    let parts = queue(&folder.path().join("parts"), seeds);
    let mut stops = 0;
    while stop_after(&engine.queue(parts.clone(), Waker::none()), stops + 1) == JobEvent::Cancelled
    {
        stops += 1;
        assert!(stops < 30, "it never ends");
    }
    assert!(stops > 1, "it was never stopped");
    for trial in whole.trials() {
        let (expected, found) = (result(&whole.run_of(trial)), result(&parts.run_of(trial)));
        assert!(expected.0 == found.0, "the weights differ");
        assert_eq!((expected.1, expected.2), (found.1, found.2));
    }
    let again = QueuePlan::begun(parts.folder().to_owned(), 1 << 22).expect("it was begun");
    let events = events_of(&engine.queue(again, Waker::none()));
    assert_eq!(report_of(&events).left_alone, 2);
    let is_work = |event: &JobEvent<QueueEvent>| {
        matches!(
            event,
            JobEvent::Said(QueueEvent::Training(_) | QueueEvent::Judging(_))
        )
    };
    assert!(!events.iter().any(is_work), "what is done is left alone");
    let judgement = Judgement::load(&parts.run_of(&parts.trials()[0]), ScoredOn::Test);
    assert_eq!(judgement.map(|judgement| judgement.reads), Some(1));
}

#[test]
fn a_trial_that_fails_is_noted_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &EIGHT, 48);
    let engine = Engine::start().expect("a thread");
    let trials = vec![
        trial("nowhere", &folder.path().join("no such data")),
        trial("somewhere", folder.path()),
    ];
    let plan = queue(&folder.path().join("queue"), trials);
    let events = events_of(&engine.queue(plan.clone(), Waker::none()));
    let report = report_of(&events);
    assert_eq!((report.done, report.failed), (1, 1));
    let ledger = ledger::Ledger::read(plan.folder()).expect("a ledger");
    assert!(matches!(&ledger.ends["nowhere"], TrialEnd::Failed { why } if why.contains("no such")));
    assert_eq!(ledger.ends["somewhere"], TrialEnd::Done);
}

#[test]
fn a_queue_whose_folder_holds_other_runs_is_refused_as_a_whole() {
    let [folder, elsewhere] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for data in [&folder, &elsewhere] {
        write_images(data.path(), &EIGHT, 48);
    }
    let engine = Engine::start().expect("a thread");
    let queue_folder = folder.path().join("queue");
    let one = trial("one", folder.path());
    let first = queue(&queue_folder, vec![one.clone()]);
    let events = events_of(&engine.queue(first, Waker::none()));
    assert_eq!(report_of(&events).done, 1);
    let ledger = || std::fs::read(queue_folder.join("queue.json")).expect("a ledger");
    let before = ledger();
    let recipe = Recipe {
        learning_rate: 1e-4,
        ..recipe_with_test()
    };
    let other_recipe = Trial {
        recipe,
        ..one.clone()
    };
    let other_data = trial("one", elsewhere.path());
    for (other, word) in [(other_recipe, "another recipe"), (other_data, "other data")] {
        let plan = queue(&queue_folder, vec![trial("two", folder.path()), other]);
        let events = events_of(&engine.queue(plan, Waker::none()));
        let is_refusal = |event: &JobEvent<QueueEvent>| matches!(event, JobEvent::Failed(why) if why.contains(word));
        assert!(
            matches!(&events[..], [only] if is_refusal(only)),
            "{events:?}"
        );
        assert!(before == ledger() && !queue_folder.join("two").exists());
    }
    let again = queue(&queue_folder, vec![one]);
    let events = events_of(&engine.queue(again, Waker::none()));
    assert_eq!(report_of(&events).left_alone, 1);
}

#[test]
fn a_trial_that_was_killed_before_its_state_was_kept_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &EIGHT, 48);
    let engine = Engine::start().expect("a thread");
    let plan = queue(
        &folder.path().join("queue"),
        vec![trial("disc", folder.path())],
    );
    let run = plan.run_of(&plan.trials()[0]);
    std::fs::create_dir_all(run.join("ckpt")).expect("a folder");
    let recipe = &plan.trials()[0].recipe;
    recipe.save(&run.join("recipe.toml")).expect("saved");
    let events = events_of(&engine.queue(plan, Waker::none()));
    assert_eq!(report_of(&events).done, 1);
    let said = |event: &JobEvent<QueueEvent>| matches!(event, JobEvent::Said(QueueEvent::Note(note)) if note.contains("anew"));
    assert!(events.iter().any(said));
}

#[test]
fn a_trial_that_its_time_limit_ended_is_done_and_one_that_rests_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &EIGHT, 48);
    let engine = Engine::start().expect("a thread");
    let trial = |name: &str, time_limit_minutes, until| Trial {
        recipe: Recipe {
            time_limit_minutes,
            epochs: 3,
            ..recipe_with_test()
        },
        judge: None,
        until,
        ..trial(name, folder.path())
    };
    let epochs_after = |until| {
        let trials = vec![trial("short", 1e-6, None), trial("rests", 0.0, until)];
        let plan = queue(&folder.path().join("queue"), trials);
        let events = events_of(&engine.queue(plan.clone(), Waker::none()));
        let epochs = |trial| {
            let record = RunRecord::load(&plan.run_of(trial)).expect("a run");
            (record.rows.len(), record.can_go_on)
        };
        let [short, rests] = [0, 1].map(|at: usize| epochs(&plan.trials()[at]));
        (short, rests, report_of(&events).left_alone)
    };
    assert_eq!(epochs_after(Some(1)), ((1, false), (1, true), 0));
    assert_eq!(epochs_after(Some(1)), ((1, false), (1, true), 2));
    assert_eq!(epochs_after(Some(2)), ((1, false), (2, true), 1));
    assert_eq!(epochs_after(None), ((1, false), (3, false), 1));
}

#[test]
fn folds_of_files_keep_twins_together_and_validate_each_file_once() {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &[0, 0, 6, 9, 12, 15, 18], 48);
    let mut validated = Vec::new();
    let whole = Trial {
        judge: None,
        ..trial("disc", folder.path())
    };
    for fold in whole.folded(3) {
        let (ground, classes) =
            crate::train::opened_folder(folder.path(), 1 << 22).expect("ground");
        let run = folder.path().join(&fold.name);
        let plan = crate::train::TrainPlan::new(fold.recipe, ground, classes, run);
        let files = plan
            .expect("a plan")
            .split()
            .report
            .validation_files
            .clone();
        let has = |name: &str| files.contains(&format!("images/{name}.png"));
        assert_eq!(has("00"), has("01"), "twins part in {files:?}");
        validated.extend(files);
    }
    validated.sort();
    validated.dedup();
    assert_eq!(validated.len(), 7);
}

#[test]
fn a_queue_needs_trials_with_names_of_their_own() {
    let one = || trial("a", Path::new("data"));
    let folder = || "queue".into();
    assert!(QueuePlan::new(folder(), Vec::new(), 1).is_err());
    let other = Trial {
        name: "A".to_owned(),
        ..one()
    };
    assert!(QueuePlan::new(folder(), vec![one(), other], 1).is_err());
    let folder = tempfile::tempdir().expect("a folder");
    assert!(QueuePlan::begun(folder.path().to_owned(), 1).is_err());
    crate::disk::replace_file(&folder.path().join("queue.json"), b"{\"trials\": 3}")
        .expect("saved");
    let error = QueuePlan::begun(folder.path().to_owned(), 1).expect_err("damage");
    assert!(error.to_string().contains("queue.json"), "{error}");
}
