//! What happens around the steps: trials, pauses, ends and too little memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::super::learner::Learner;
use super::super::memory::peak_bytes;
use super::super::test_world::{classes, dropping_alone, events_of, ground, plan, recipe};
use super::super::{
    Engine, Environment, Plateau, Recipe, RunEnd, RunRecord, SavedModel, StopReason, TrainEvent,
    TrainPlan, TrainReport, TrainStatus, opened_folder,
};
use crate::disk::replace_file;
use crate::job::{Cancelled, Job, JobEvent, Waker};
use crate::nn::ModelConfig;

mod folders;

fn engine() -> Engine {
    Engine::start().expect("a thread")
}

/// What a training says, and its report or why it failed.
fn heard(plan: TrainPlan) -> (Vec<TrainEvent>, Result<TrainReport, String>) {
    let events = events_of(&engine().train(plan, Waker::none()));
    let mut ended = Err("no report".to_owned());
    let mut said = Vec::new();
    for event in events {
        match event {
            JobEvent::Said(TrainEvent::Finished(report)) => ended = Ok(report),
            JobEvent::Said(event) => said.push(event),
            JobEvent::Failed(why) => ended = Err(why),
            JobEvent::Finished | JobEvent::Cancelled => {}
        }
    }
    (said, ended)
}

fn notes(events: &[TrainEvent]) -> Vec<&str> {
    let notes = events.iter().filter_map(|event| match event {
        TrainEvent::Note(note) => Some(note.as_str()),
        _ => None,
    });
    notes.collect()
}

fn log_of(run: &Path) -> String {
    std::fs::read_to_string(run.join("log.txt")).expect("a log")
}

/// What the run's folder says of its end.
fn end_of(run: &Path) -> Option<String> {
    RunRecord::load(run).expect("a run").end_words()
}

fn weights_of(run: &Path) -> Vec<u8> {
    let model = SavedModel::load(run).expect("a model");
    std::fs::read(model.folder().join("weights.safetensors")).expect("weights")
}

#[test]
fn trials_and_threads_change_no_bit_of_what_is_learned() {
    let _alone = dropping_alone();
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = Recipe {
        epochs: 1,
        model: ModelConfig {
            dropout: 0.2,
            ..recipe().model
        },
        ..recipe()
    };
    let run = folder.path().join("run");
    heard(plan(recipe.clone(), &run)).1.expect("a report");
    let by_hand = plan(recipe.clone(), &folder.path().join("by hand"));
    let device = burn::tensor::Device::flex();
    let mut learner = Learner::new(&by_hand, &device, 0).expect("a learner");
    for step in 0..recipe.steps_per_epoch {
        let batch = by_hand.step_batch(1, step).expect("a batch");
        let factor = recipe.schedule.factor(step.into(), recipe.span());
        let rate = recipe.learning_rate * factor;
        learner.step(batch, step.into(), rate).expect("a loss");
    }
    assert!(weights_of(&run) == learner.weights().expect("weights"));
}

#[test]
fn pieces_learn_what_the_whole_batch_does() {
    let folder = tempfile::tempdir().expect("a folder");
    // Without statistics of the batch only the unlabeled pixels of a piece make a difference.
    let mut recipe = recipe();
    recipe.model.norm = crate::nn::NormKind::Group;
    recipe.class_weighting = super::super::ClassWeighting::None;
    let plan = plan(recipe, &folder.path().join("run"));
    let device = burn::tensor::Device::flex();
    let losses = |piece: usize| -> Vec<f64> {
        let learner = Learner::new(&plan, &device, 0).expect("a learner");
        let mut learner = learner.in_pieces_of(piece);
        let step = |step: u32| {
            let batch = plan.step_batch(1, step).expect("a batch");
            learner.step(batch, step.into(), 1e-3).expect("a loss")
        };
        (0..4).map(step).collect()
    };
    let whole = losses(5);
    for piece in [1, 2, 3] {
        for (one, other) in whole.iter().zip(losses(piece)) {
            assert!((one - other).abs() < 0.05 * one, "{one} {other}");
        }
    }
}

#[test]
fn what_is_computed_again_is_what_was_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let weights = [false, true].map(|gradient_checkpointing| {
        let run = folder.path().join(gradient_checkpointing.to_string());
        let recipe = Recipe {
            gradient_checkpointing,
            ..recipe()
        };
        heard(plan(recipe, &run)).1.expect("a report");
        weights_of(&run)
    });
    assert!(weights[0] == weights[1]);
}

#[test]
fn too_little_memory_halves_what_is_computed_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut plan = plan(recipe(), &run);
    plan.fault = Some(|step, piece| assert!(step < 8 || piece <= 2, "Out of memory"));
    let (events, ended) = heard(plan);
    let report = ended.expect("a report");
    assert_eq!((report.status, report.epochs), (TrainStatus::Finished, 2));
    let notes = notes(&events);
    let halvings: Vec<_> = notes
        .iter()
        .filter(|note| note.contains("ran out of memory"))
        .collect();
    assert_eq!(halvings.len(), 2, "{notes:?}");
    assert!(halvings[0].contains("epoch 2, step 0"), "{}", halvings[0]);
    assert!(halvings[0].contains("3 patches are computed at once, 2 times"));
    assert!(halvings[1].contains("2 patches are computed at once, 3 times"));
    let tight = events.iter().filter_map(|event| match event {
        TrainEvent::Tight(remedies) => Some(remedies.len()),
        _ => None,
    });
    assert_eq!(tight.collect::<Vec<_>>(), [3, 3]);
    let log = log_of(&run);
    for line in ["ran out of memory", "model.norm = \"frozen_batch\""] {
        assert!(log.contains(line), "{log}");
    }
    // Each epoch is said once.
    let epochs = events
        .iter()
        .filter(|event| matches!(event, TrainEvent::EpochEnded(_)));
    assert_eq!(epochs.count(), 2);
}

#[test]
fn too_little_memory_is_found_before_the_first_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut small = plan(recipe(), &run);
    small.fault = Some(|_, piece| assert!(piece <= 2, "Out of memory"));
    let (events, ended) = heard(small);
    ended.expect("a report");
    let is_said = |note: &&str| note.contains("2 patches are computed at once");
    assert!(notes(&events).iter().any(is_said));
    let mut none = plan(recipe(), &folder.path().join("none"));
    none.fault = Some(|_, _| panic!("Out of memory"));
    let why = heard(none).1.expect_err("no memory");
    assert!(why.contains("even one patch at a time"), "{why}");
    assert!(!folder.path().join("none").exists());
}

#[test]
fn other_failures_are_no_lack_of_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let mut plan = plan(recipe(), &run);
    // Behind the steps that are tried before the first epoch.
    plan.fault = Some(|step, _| assert!(step < 4, "no such kernel"));
    let why = heard(plan).1.expect_err("a failure");
    assert!(why.contains("no such kernel"), "{why}");
    assert!(log_of(&run).contains("Failed: "));
    let end = end_of(&run).expect("an end");
    let expected = "Failed in the first epoch: ";
    assert!(end.starts_with(expected) && end.contains(&why), "{end}");
    // It goes on, now without the fault, and to its end.
    let resumed = TrainPlan::resume(ground(), run.clone()).expect("it can go on");
    heard(resumed).1.expect("a report");
    assert_eq!(end_of(&run).as_deref(), Some("Finished all 2 epochs"));
}

#[test]
fn a_time_limit_ends_the_epoch_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let recipe = Recipe {
        epochs: 50,
        time_limit_minutes: 1e-9,
        ..recipe()
    };
    let (_, ended) = heard(plan(recipe, &run));
    let report = ended.expect("a report");
    assert_eq!((report.status, report.epochs), (TrainStatus::Finished, 1));
    assert_eq!(report.reason, StopReason::TimeLimit { minutes: 1e-9 });
    assert_eq!(SavedModel::load(&run).expect("a model").card().step, 1);
    assert!(log_of(&run).contains("time limit"));
    let record = RunRecord::load(&run).expect("a run");
    assert!(matches!(
        record.end,
        Some(RunEnd::Finished {
            reason: StopReason::TimeLimit { .. },
            ..
        })
    ));
    let end = "The time limit of 0.000000001 min is reached, ended after epoch 1";
    assert_eq!(record.end_words().as_deref(), Some(end));
}

#[test]
fn the_end_has_a_reason_and_the_log_tells_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let recipe = Recipe {
        epochs: 50,
        steps_per_epoch: 4,
        stop_patience: 1,
        learning_rate: 1e-12,
        ..recipe()
    };
    let (events, ended) = heard(plan(recipe, &run));
    let report = ended.expect("a report");
    assert_eq!(report.reason, StopReason::NoProgress { patience: 1 });
    let forecasts = events
        .iter()
        .filter(|event| matches!(event, TrainEvent::Forecast(_)));
    assert!(forecasts.count() <= 1);
    let log = log_of(&run);
    for line in [
        "Computes on CPU",
        "held out",
        "Epoch 1: ",
        "brought no progress",
    ] {
        assert!(log.contains(line), "{log}");
    }
    assert!(log.lines().all(|line| line.starts_with("0:0")), "{log}");
}

#[test]
fn a_plateau_and_the_rate_of_each_step_are_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let recipe = Recipe {
        epochs: 3,
        // No epoch is that much better than the first.
        plateau: Plateau {
            patience: 1,
            factor: 0.5,
            floor: 0.0,
            least_progress: 1.0,
        },
        ..recipe()
    };
    let (rate, schedule, span) = (recipe.learning_rate, recipe.schedule, recipe.span());
    heard(plan(recipe, &run)).1.expect("a report");
    let record = RunRecord::load(&run).expect("a run");
    let shares: Vec<Option<f64>> = record.rows.iter().map(|row| row.plateau_share).collect();
    assert_eq!(shares, [Some(1.0), Some(1.0), Some(0.5)]);
    let expected = (0..18).map(|step| {
        let share = if step < 12 { 1.0 } else { 0.5 };
        Some((rate * share * schedule.factor(step, span)) as f32)
    });
    let rates = record.step_losses.iter().map(|step| step.lr);
    assert_eq!(rates.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let log = std::fs::read_to_string(run.join("log.txt")).expect("a log");
    let falls = log.lines().filter(|line| line.contains("The rate falls"));
    let falls: Vec<&str> = falls.collect();
    assert_eq!(falls.len(), 1, "none after the last epoch: {log}");
    assert!(falls[0].ends_with("after epoch 2: no progress in an epoch"));
    let mut baselines = record.rows.iter().map(|row| row.majority_baseline);
    assert!(baselines.all(|share| share > Some(0.5)));
    assert_eq!(record.peak_bytes().is_some(), peak_bytes().is_some());
}

#[test]
fn short_epochs_are_measured_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let (events, _) = heard(plan(recipe(), &folder.path().join("run")));
    let at = |is_it: fn(&TrainEvent) -> bool| events.iter().position(is_it);
    let forecast = at(|event| matches!(event, TrainEvent::Forecast(_))).expect("a forecast");
    let step = at(|event| matches!(event, TrainEvent::Step { .. })).expect("a step");
    let epoch = at(|event| matches!(event, TrainEvent::EpochEnded(_))).expect("an epoch");
    assert!(forecast < step, "something is said before the first epoch");
    let forecasts = events[..epoch].iter().filter_map(|event| match event {
        TrainEvent::Forecast(forecast) => Some(forecast),
        _ => None,
    });
    let [rough, found] = forecasts.collect::<Vec<_>>()[..] else {
        panic!("a rough one and that of six steps: {events:?}");
    };
    assert!((1..=2).contains(&rough.steps), "{rough}");
    assert_eq!(found.steps, 6);
    for forecast in [rough, found] {
        assert!(forecast.seconds_per_step > 0.0 && forecast.estimated_bytes > 0);
    }
}

#[test]
fn a_long_training_is_measured_before_it_begins_and_learns_the_same() {
    let _alone = dropping_alone();
    let folder = tempfile::tempdir().expect("a folder");
    let [ahead, late] = ["ahead", "late"].map(|name| folder.path().join(name));
    let recipe = Recipe {
        // A twentieth of the steps is more than an epoch has.
        epochs: 34,
        model: ModelConfig {
            dropout: 0.2,
            ..recipe().model
        },
        ..recipe()
    };
    let (events, ended) = heard(plan(recipe.clone(), &ahead));
    ended.expect("a report");
    let is_forecast = |event: &&TrainEvent| matches!(event, TrainEvent::Forecast(_));
    assert_eq!(events.iter().filter(is_forecast).count(), 1);
    let is_step =
        |event: &TrainEvent| matches!(event, TrainEvent::Step { .. } | TrainEvent::EpochEnded(_));
    let first = events.iter().position(is_step).expect("a step");
    let forecast = events[..first].iter().find_map(|event| match event {
        TrainEvent::Forecast(forecast) => Some(forecast),
        _ => None,
    });
    let forecast = forecast.expect("a forecast before the first step");
    // Of an epoch of six, the first of which warms up.
    assert_eq!(forecast.steps, 5);
    assert!(forecast.seconds_per_step > 0.0 && forecast.seconds_left > 0.0);
    assert_eq!(forecast.encoding_seconds, 0.0);
    // What rests early is short, and what goes on is not tried again.
    heard(plan(recipe, &late).until(Some(1))).1.expect("a part");
    let resumed = TrainPlan::resume(ground(), late.clone()).expect("it can go on");
    heard(resumed).1.expect("a report");
    assert!(
        weights_of(&ahead) == weights_of(&late),
        "the weights differ"
    );
}

#[test]
fn a_run_that_goes_on_with_registers_of_another_width_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let part = |plan: TrainPlan, until| {
        let (events, ended) = heard(plan.until(Some(until)));
        ended.expect("a report");
        let notes = notes(&events).into_iter();
        notes.filter(|note| note.contains("registers of")).count()
    };
    let resumed = || TrainPlan::resume(ground(), run.clone()).expect("it can go on");
    let recipe = Recipe {
        epochs: 4,
        ..recipe()
    };
    let begun = plan(recipe, &run).timed(Some(|| UNIX_EPOCH));
    assert_eq!(part(begun, 1), 0);
    let before = Environment::of_run(&run).expect("written");
    assert_eq!(before.began.as_deref(), Some("1970-01-01T00:00:00.000Z"));
    assert!(before.device.starts_with("CPU (") && before.simd_bits > 0);
    assert_eq!(part(resumed(), 2), 0);
    let other = Environment {
        simd_bits: 2 * before.simd_bits,
        ..before
    };
    other.save(&run).expect("written");
    assert_eq!(part(resumed(), 3), 1);
    assert!(log_of(&run).contains("sums differ in their last bits"));
}

#[test]
fn a_pause_lets_others_compute_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine();
    let recipe = Recipe {
        epochs: 1000,
        ..recipe()
    };
    let job = engine.train(plan(recipe, &folder.path().join("run")), Waker::none());
    let patience = Duration::from_mins(1);
    let wait_for = |is_it: fn(&TrainEvent) -> bool| loop {
        match job.next_within(patience) {
            Some(JobEvent::Said(event)) if is_it(&event) => break,
            Some(JobEvent::Said(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    wait_for(|event| matches!(event, TrainEvent::Step { .. }));
    job.pause_token().pause();
    wait_for(|event| *event == TrainEvent::Paused);
    assert_eq!(job.next_within(Duration::from_millis(100)), None);
    let report = events_of(&engine.devices(Waker::none()));
    assert_eq!(report.last(), Some(&JobEvent::Finished));
    job.pause_token().go_on();
    wait_for(|event| *event == TrainEvent::GoesOn);
    wait_for(|event| matches!(event, TrainEvent::Step { .. }));
    // A training that rests can be stopped.
    job.pause_token().pause();
    wait_for(|event| *event == TrainEvent::Paused);
    job.cancel();
    assert_eq!(events_of(&job).last(), Some(&JobEvent::Cancelled));
}

#[test]
fn who_stops_a_trial_hears_that_and_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Arc::new(plan(recipe(), &folder.path().join("run")));
    let (job, context) = Job::pair(Waker::none());
    // The first look up is before anything is trained.
    let ended = super::run(&plan, &context, &mut || job.cancel());
    assert!(ended.expect_err("stopped").is::<Cancelled>());
    assert!(!folder.path().join("run").exists());
}

/// A data set of small pictures, half of each of another class.
fn data_set(folder: &Path) {
    for name in ["images", "masks"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    for number in 0..8_u8 {
        let shade = |x: u32| if x < 32 { 40 + number } else { 200 };
        let image = image::RgbImage::from_fn(64, 64, |x, y| {
            image::Rgb([shade(x), (y * 3) as u8, number * 20])
        });
        let mask = image::GrayImage::from_fn(64, 64, |x, _| image::Luma([u8::from(x >= 32)]));
        let [pair, label] =
            ["images", "masks"].map(|name| folder.join(name).join(format!("{number}.png")));
        image.save(pair).expect("written");
        mask.save(label).expect("written");
    }
    (classes().save(&folder.join("classes.toml"))).expect("written");
}

#[test]
fn an_image_that_cannot_be_read_is_named_before_anything_is_trained() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    data_set(&data);
    let run = folder.path().join("run");
    let (ground, classes) = opened_folder(&data, 0).expect("a data set");
    let plan = TrainPlan::new(recipe(), ground, classes, run.clone()).expect("a plan");
    let broken = data.join("images/5.png");
    replace_file(&broken, b"\x89PNG\r\n\x1a\nnothing more").expect("written");
    let why = heard(plan).1.expect_err("it cannot be read");
    for part in ["Nothing was trained yet", "Opening each image", "5.png"] {
        assert!(why.contains(part), "{why}");
    }
    assert!(!run.exists());
}
