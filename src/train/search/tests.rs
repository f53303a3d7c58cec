use std::path::Path;
use std::time::Duration;

use super::*;
use crate::job::{Job, JobEvent, Waker};
use crate::train::test_folder::{EIGHT, recipe_with_test, write_images};
use crate::train::test_world::events_of;
use crate::train::{
    Engine, EpochRow, Judgement, QueueEvent, Recipe, RunRecord, SavedModel, ScoredOn, TrainEvent,
};

/// Four trials: one to its end, two to the middle, and the winner anew from two seeds.
const SEARCH: &str = "\
    way = \"grid\"\n\
    [vary]\n\
    learning_rate = [1e-2, 3e-3]\n\
    optimizer = [{ kind = \"adam\" }, { kind = \"sgd\", momentum = 0.9 }]\n\
    [halving]\n\
    first_epochs = 1\n\
    keep = 0.5\n";

fn base() -> Recipe {
    Recipe {
        epochs: 4,
        ..recipe_with_test()
    }
}

/// The winner is trained anew only where `text` says so.
fn plan_of(text: &str, base: Recipe, data: &Path, folder: &Path) -> SearchPlan {
    let alone = if text.contains("[refit]") {
        ""
    } else {
        "[refit]\nseeds = []\n"
    };
    let spec = SearchSpec::from_toml(&format!("{text}{alone}")).expect("a search");
    SearchPlan::new(&spec, base, data.to_owned(), folder.to_owned(), 1 << 22).expect("a plan")
}

fn data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_images(folder.path(), &EIGHT, 48);
    folder
}

/// Whether a training says what is looked for.
fn is_training(event: &JobEvent<SearchEvent>, is_looked_for: impl Fn(&TrainEvent) -> bool) -> bool {
    let JobEvent::Said(SearchEvent::Queue(event)) = event else {
        return false;
    };
    matches!(&**event, QueueEvent::Training(event) if is_looked_for(event))
}

/// Stops the job after `steps` steps of training, or lets it end.
fn stop_after(job: &Job<SearchEvent>, steps: u32) -> JobEvent<SearchEvent> {
    let mut taken = 0;
    loop {
        let event = job.next_within(Duration::from_mins(1)).expect("an event");
        let is_step = is_training(&event, |event| matches!(event, TrainEvent::Step { .. }));
        taken += u32::from(is_step);
        if taken == steps {
            job.cancel();
        }
        if !matches!(event, JobEvent::Said(_)) {
            return event;
        }
    }
}

fn finished(events: &[JobEvent<SearchEvent>]) -> SearchResult {
    let result = events.iter().find_map(|event| match event {
        JobEvent::Said(SearchEvent::Finished(result)) => Some((**result).clone()),
        _ => None,
    });
    result.unwrap_or_else(|| panic!("no result in {:?}", events.last()))
}

/// A result without times.
fn timeless(mut result: SearchResult) -> SearchResult {
    for row in &mut result.rows {
        row.seconds = 0.0;
    }
    for row in result.refit.iter_mut().flat_map(|refit| &mut refit.rows) {
        row.seconds = None;
    }
    result
}

/// The weights of a run, and its rows without times.
fn learned(run: &Path) -> (Vec<u8>, Vec<EpochRow>) {
    let model = SavedModel::load(run).expect("a model");
    let weights = std::fs::read(model.folder().join("weights.safetensors")).expect("weights");
    let rows = RunRecord::load(run).expect("a run").rows;
    let rows = rows.into_iter().map(EpochRow::timeless);
    (weights, rows.collect())
}

#[test]
fn a_search_that_is_stopped_again_and_again_ends_as_one_that_was_not() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    let text = format!("{SEARCH}[refit]\nseeds = [1, 2]\n");
    let plan = |name| plan_of(&text, base(), data.path(), &data.path().join(name));
    let events = events_of(&engine.search(plan("whole"), Waker::none()));
    let whole = finished(&events);
    let epochs: Vec<u32> = whole.rows.iter().map(|row| row.epochs).collect();
    assert_eq!(epochs, [2, 2, 1, 1], "{whole:?}");
    let refit = whole.refit.clone().expect("a refit");
    assert_eq!((refit.rows.len(), refit.on), (2, Some(ScoredOn::Test)));
    let mut stops = 0;
    while stop_after(&engine.search(plan("parts"), Waker::none()), 2 * stops + 1)
        == JobEvent::Cancelled
    {
        stops += 1;
        assert!(stops < 40, "it never ends");
    }
    assert!(stops > 3, "it was stopped only {stops} times");
    // What is done is left alone, and the same result comes out of the folder again.
    let events = events_of(&engine.search(plan("parts"), Waker::none()));
    assert_eq!(timeless(finished(&events)), timeless(whole.clone()));
    assert!(!events.iter().any(|event| is_training(event, |_| true)));
    for name in whole
        .rows
        .iter()
        .map(|row| &row.name)
        .chain(refit.rows.iter().map(|row| &row.name))
    {
        let [one, other] =
            ["whole", "parts"].map(|folder| learned(&data.path().join(folder).join(name)));
        assert!(one.0 == other.0, "the weights of {name} differ");
        assert_eq!(one.1, other.1);
    }
    let judgement = Judgement::load(&data.path().join("parts/refit-seed-1"), ScoredOn::Test);
    assert_eq!(judgement.map(|judgement| judgement.reads), Some(1));
}

#[test]
fn a_trial_that_went_on_after_cuts_is_the_whole_training() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    let cut = plan_of(SEARCH, base(), data.path(), &data.path().join("cut"));
    let result = finished(&events_of(&engine.search(cut.clone(), Waker::none())));
    let epochs: Vec<u32> = result.rows.iter().map(|row| row.epochs).collect();
    assert_eq!(epochs, [4, 2, 1, 1]);
    let best = |row: &SearchRow| row.val_loss.expect("a loss");
    assert!(best(&result.rows[2]) <= best(&result.rows[3]));
    let uncut = SEARCH.replace("keep = 0.5", "keep = 1.0");
    let uncut = plan_of(&uncut, base(), data.path(), &data.path().join("uncut"));
    let all = finished(&events_of(&engine.search(uncut, Waker::none())));
    assert!(all.rows.iter().all(|row| row.epochs == 4));
    let name = &result.rows[0].name;
    let [cut_run, uncut_run] =
        ["cut", "uncut"].map(|folder| learned(&data.path().join(folder).join(name)));
    assert!(cut_run == uncut_run, "cuts change the training");
    let text = std::fs::read_to_string(cut.folder().join("search.md")).expect("a page");
    for part in [
        "| 1 | trial-",
        "sgd (momentum 0.9)",
        "at most 8 epochs, and would be 16 without cuts.",
        "| 2 | 2 | 2 | done |",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let table = std::fs::read_to_string(cut.folder().join("search.csv")).expect("a table");
    assert!(
        table.starts_with("place,name,learning_rate,optimizer,rungs,"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 5);
}

#[test]
fn a_trial_that_fails_is_the_last_and_the_search_goes_on() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    // The images have three bands.
    let text = "way = \"grid\"\n[vary]\nbands = [[7], \"color\", [1, 2, 3]]\n[halving]\n\
                first_epochs = 2\nkeep = 0.5\n";
    let folder = data.path().join("search");
    let plan = plan_of(text, base(), data.path(), &folder);
    let result = finished(&events_of(&engine.search(plan, Waker::none())));
    let last = result.rows.last().expect("a row");
    assert_eq!(last.name, "trial-1");
    assert!(
        last.failure
            .as_ref()
            .is_some_and(|why| why.contains("Band 7"))
    );
    assert_eq!(result.rows[0].epochs, 4);
    let text = std::fs::read_to_string(folder.join("search.md")).expect("a page");
    assert!(text.contains("- trial-1 failed: "), "{text}");
}

#[test]
fn a_trial_that_the_disk_refuses_ends_the_search_until_it_is_started_again() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    let folder = data.path().join("search");
    let plan = plan_of(SEARCH, base(), data.path(), &folder);
    // No folder can be made there.
    let in_the_way = folder.join("trial-2");
    crate::disk::replace_file(&in_the_way, b"").expect("saved");
    let events = events_of(&engine.search(plan.clone(), Waker::none()));
    let JobEvent::Failed(why) = events.last().expect("an end") else {
        panic!("{:?}", events.last());
    };
    assert!(why.contains("It ended at trial-2"), "{why}");
    assert!(!folder.join("search.md").exists(), "nothing was cut");
    assert!(!folder.join("trial-3").exists());
    std::fs::remove_file(&in_the_way).expect("it was there");
    let result = finished(&events_of(&engine.search(plan, Waker::none())));
    assert!(result.rows.iter().all(|row| row.failure.is_none()));
    let epochs: Vec<u32> = result.rows.iter().map(|row| row.epochs).collect();
    assert_eq!(epochs, [4, 2, 1, 1]);
}

#[test]
fn when_every_trial_fails_the_first_reason_is_said() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    let nowhere = data.path().join("nowhere");
    let plan = plan_of(SEARCH, base(), &nowhere, &data.path().join("search"));
    let events = events_of(&engine.search(plan, Waker::none()));
    let JobEvent::Failed(why) = events.last().expect("an end") else {
        panic!("{:?}", events.last());
    };
    assert!(
        why.contains("every trial failed") && why.contains("nowhere"),
        "{why}"
    );
}

#[test]
fn a_folder_with_another_search_is_refused() {
    let data = data();
    let engine = Engine::start().expect("a thread");
    let folder = data.path().join("search");
    let plan = plan_of(SEARCH, base(), data.path(), &folder);
    ledger::SearchLedger::begin(&plan).expect("a new one");
    ledger::SearchLedger::begin(&plan).expect("the same");
    let other = plan_of(&SEARCH.replace("0.5", "0.3"), base(), data.path(), &folder);
    let events = events_of(&engine.search(other, Waker::none()));
    let refused = |event: &JobEvent<SearchEvent>| matches!(event, JobEvent::Failed(why) if why.contains("another search"));
    assert!(events.iter().any(refused), "{events:?}");
    crate::disk::replace_file(&folder.join("search.json"), b"{").expect("saved");
    let error = ledger::SearchLedger::begin(&plan).expect_err("damage");
    assert!(error.to_string().contains("search.json"), "{error}");
}
