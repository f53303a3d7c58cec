//! A training that is stopped again and again ends as one that was not.

use std::time::Duration;

use super::test_world::{dropping_alone, events_of, ground, plan, recipe};
use super::{
    EncoderKind, Engine, EpochRow, Family, FeatureConfig, KeepFeatures, Recipe, SavedModel,
    TrainEvent, TrainPlan, Unlabeled, UpdateConfig,
};
use crate::job::{Job, JobEvent, Waker};
use crate::nn::ModelConfig;

/// The events of a training that is stopped after `steps` steps of this part, or ends before.
fn events_until(job: &Job<TrainEvent>, steps: u32) -> Vec<JobEvent<TrainEvent>> {
    let (mut events, mut taken) = (Vec::new(), 0);
    while let Some(event) = job.next_within(Duration::from_mins(1)) {
        taken += u32::from(matches!(event, JobEvent::Said(TrainEvent::Step { .. })));
        if taken == steps {
            job.cancel();
        }
        let is_last = !matches!(event, JobEvent::Said(_));
        events.push(event);
        if is_last {
            break;
        }
    }
    events
}

#[test]
fn a_stopped_training_goes_on_to_the_same_last_bit() {
    check_goes_on(&recipe());
}

#[test]
fn so_does_one_on_kept_features() {
    let features = FeatureConfig {
        variants: 1,
        // The smallest: the rest of the pool is in the file.
        memory_mb: 1,
        ..FeatureConfig::default()
    };
    check_goes_on(&Recipe {
        // More than two passes over the pool.
        steps_per_epoch: 12,
        features,
        model: ModelConfig {
            family: Family::Unet,
            encoder: EncoderKind::Lite0,
            width: Some(16),
            ..ModelConfig::default()
        },
        ..recipe()
    });
}

#[test]
fn so_does_one_whose_encoder_unfreezes() {
    for (keep, frozen_stages) in [(KeepFeatures::Auto, 0), (KeepFeatures::Never, 2)] {
        check_goes_on(&Recipe {
            // Gradients of an odd batch wait for the first with those of the encoder.
            steps_per_epoch: 5,
            unfreeze_after: 1,
            learning_rate: 1e-4,
            features: FeatureConfig {
                keep,
                ..FeatureConfig::default()
            },
            model: ModelConfig {
                family: Family::Fpn,
                encoder: EncoderKind::Lite0,
                width: Some(16),
                frozen_stages,
                ..ModelConfig::default()
            },
            ..recipe()
        });
    }
}

#[test]
fn so_does_one_that_learns_from_ground_without_labels() {
    check_goes_on(&Recipe {
        unlabeled: Unlabeled {
            share: 0.6,
            ..Unlabeled::default()
        },
        ..recipe()
    });
}

fn check_goes_on(base: &Recipe) {
    let _alone = dropping_alone();
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = || Recipe {
        epochs: 3,
        model: ModelConfig {
            dropout: 0.2,
            ..base.model.clone()
        },
        updates: UpdateConfig {
            ema: Some(0.9),
            clip_norm: Some(1.0),
            accumulate: 2,
            ..UpdateConfig::default()
        },
        ..base.clone()
    };
    let whole = folder.path().join("whole");
    let engine = Engine::start().expect("a thread");
    let events = events_of(&engine.train(plan(recipe(), &whole), Waker::none()));
    let rows_of = |events: Vec<JobEvent<TrainEvent>>| -> Vec<EpochRow> {
        let row = |event| match event {
            JobEvent::Said(TrainEvent::EpochEnded(row)) => Some(row.timeless()),
            _ => None,
        };
        events.into_iter().filter_map(row).collect()
    };
    let expected = rows_of(events);
    let run = folder.path().join("parts");
    let mut plan_of_part = plan(recipe(), &run);
    let mut stops = 0;
    let found = loop {
        let job = engine.train(plan_of_part, Waker::none());
        let events = events_until(&job, stops + 1);
        match events.last() {
            Some(JobEvent::Finished) => break rows_of(events),
            Some(JobEvent::Cancelled) => stops += 1,
            other => panic!("{other:?}"),
        }
        assert!(stops < 50, "it never ends");
        plan_of_part = TrainPlan::resume(ground(), run.clone()).expect("it can go on");
    };
    assert!(stops > 1, "it was never stopped");
    assert_eq!(found, expected);
    let [whole, parts] = [&whole, &run].map(|run| SavedModel::load(run).expect("a model"));
    assert_eq!(whole.folder().file_name(), parts.folder().file_name());
    let [whole, parts] = [whole, parts]
        .map(|model| std::fs::read(model.folder().join("weights.safetensors")).expect("weights"));
    assert!(whole == parts, "the weights differ");
    let error = TrainPlan::resume(ground(), run).expect_err("it is finished");
    assert!(error.to_string().contains("finished"), "{error}");
}
