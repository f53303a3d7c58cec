use std::path::Path;
use std::time::Duration;

use super::super::test_world::{World, classes, events_of, plan, recipe, truth};
use super::super::{
    BlockOrder, DeviceChoice, EpochRow, PredictPlan, Recipe, SavedModel, TrainReport, TrainStatus,
};
use super::*;
use crate::geom::{ImagePoint, PixelRect};
use crate::job::JobEvent;
use crate::label::Mask;
use crate::metrics::{Confusion, Scores};
use crate::nn::{EncoderKind, Family, ModelConfig};

fn engine() -> Engine {
    Engine::start().expect("a thread")
}

/// Trains in a folder of its own and gives the rows (without times) and the weights' bytes.
fn trained(folder: &Path, recipe: Recipe) -> (Vec<EpochRow>, Vec<u8>, TrainReport) {
    let job = engine().train(plan(recipe, folder), Waker::none());
    let (mut rows, mut report) = (Vec::new(), None);
    for event in events_of(&job) {
        match event {
            JobEvent::Said(TrainEvent::EpochEnded(row)) => {
                rows.push(row.timeless());
            }
            JobEvent::Said(TrainEvent::Finished(found)) => report = Some(found),
            JobEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    let report = report.expect("a report");
    let weights = std::fs::read(report.checkpoint.join("weights.safetensors")).expect("weights");
    (rows, weights, report)
}

fn predicted(engine: &Engine, run: &Path, order: BlockOrder) -> Mask {
    let mut plan = PredictPlan::new(run, World::new(), DeviceChoice::Cpu).expect("a plan");
    plan = plan.in_patches();
    plan.block_side = 64;
    assert_eq!(plan.num_blocks(), 16);
    assert!(plan.differences(&classes()).is_empty());
    let job = engine.predict(plan.in_order(order), Waker::none());
    let mut mask = Mask::new(truth().size());
    for event in events_of(&job) {
        match event {
            JobEvent::Said(PredictEvent::Block { rect, classes, .. }) => {
                mask.set_rect(rect, &classes);
            }
            JobEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    mask
}

#[test]
fn one_seed_gives_one_run_to_the_last_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, two] = ["one", "two"].map(|name| trained(&folder.path().join(name), recipe()));
    assert_eq!(one.0.len(), 2);
    assert_eq!(one.0, two.0);
    assert!(one.1 == two.1, "the weights differ");
    let other = trained(
        &folder.path().join("three"),
        Recipe {
            seed: 2,
            ..recipe()
        },
    );
    assert!(one.1 != other.1);
}

#[test]
fn it_learns_and_any_order_of_blocks_predicts_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("a run");
    let (rows, _, report) = trained(
        &run,
        Recipe {
            epochs: 6,
            ..recipe()
        },
    );
    assert_eq!(report.status, TrainStatus::Finished);
    assert!(rows[5].train_loss < rows[0].train_loss);
    for file in [
        "recipe.toml",
        "classes.toml",
        "split.json",
        "metrics.csv",
        "best",
        "last",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    assert_eq!(
        SavedModel::load(&run).expect("a model").folder(),
        report.checkpoint
    );
    let engine = engine();
    let mask = predicted(&engine, &run, BlockOrder::Rows);
    let near = BlockOrder::NearestFirst(ImagePoint::new(200.0, 190.0));
    assert!(
        mask.read_rect(mask.size().bounds())
            == predicted(&engine, &run, near).read_rect(mask.size().bounds())
    );
    assert!(
        mask.read_rect(PixelRect::new(224, 0, 6, 200))
            .iter()
            .all(|&class| class == 255)
    );
    let confusion = Confusion::between(&truth(), &mask, 2);
    let scores = Scores::new(&confusion, &classes());
    assert!(scores.mean_iou > Some(0.8), "{scores:?}");
    assert_eq!(scores.unpredicted, 6 * 200);
}

#[test]
fn a_network_of_another_family_is_trained_and_predicts() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let model = ModelConfig {
        family: Family::DeepLabV3Plus,
        encoder: EncoderKind::Resnet18,
        stem_filters: 4,
        width: Some(16),
        ..ModelConfig::default()
    };
    let recipe = Recipe {
        model: model.clone(),
        ..recipe()
    };
    let (rows, _, _) = trained(&run, recipe);
    assert_eq!(rows.len(), 2);
    assert_eq!(SavedModel::load(&run).expect("a model").card().model, model);
    let mask = predicted(&engine(), &run, BlockOrder::Rows);
    let found = mask.read_rect(PixelRect::new(0, 0, 200, 200));
    assert!(found.iter().all(|&class| class < 2));
}

#[test]
fn a_stopped_training_keeps_what_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let job = engine().train(
        plan(
            Recipe {
                epochs: 1000,
                ..recipe()
            },
            &run,
        ),
        Waker::none(),
    );
    let mut events = Vec::new();
    while let Some(event) = job.next_within(Duration::from_mins(1)) {
        if matches!(event, JobEvent::Said(TrainEvent::EpochEnded(_))) {
            job.cancel();
        }
        events.push(event);
        if !matches!(events.last(), Some(JobEvent::Said(_))) {
            break;
        }
    }
    assert_eq!(events.last(), Some(&JobEvent::Cancelled));
    let stopped = events.iter().any(|event| {
        matches!(event, JobEvent::Said(TrainEvent::Finished(report))
            if report.status == TrainStatus::Stopped && report.best_epoch >= 1)
    });
    assert!(stopped);
    SavedModel::load(&run).expect("a model");
}

#[test]
fn a_training_stopped_at_once_keeps_its_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let recipe = Recipe {
        steps_per_epoch: 100_000,
        ..recipe()
    };
    let job = engine().train(plan(recipe, &run), Waker::none());
    while let Some(JobEvent::Said(event)) = job.next_within(Duration::from_mins(1)) {
        if matches!(event, TrainEvent::Step { .. }) {
            job.cancel();
        }
    }
    assert_eq!(
        SavedModel::load(&run).expect("a model").card().metrics,
        None
    );
}

#[test]
fn predictions_are_served_between_the_steps_of_a_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let (done, busy) = (folder.path().join("done"), folder.path().join("busy"));
    trained(&done, recipe());
    let engine = engine();
    let training = engine.train(
        plan(
            Recipe {
                epochs: 1000,
                ..recipe()
            },
            &busy,
        ),
        Waker::none(),
    );
    let mask = predicted(&engine, &done, BlockOrder::Rows);
    assert!(mask.histogram()[..2].iter().sum::<u64>() > 0);
    // The training ran all the while and can only end by being stopped.
    training.cancel();
    assert_eq!(events_of(&training).last(), Some(&JobEvent::Cancelled));
}

#[test]
fn a_training_goes_on_from_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (rows, ..) = trained(
        &first,
        Recipe {
            epochs: 6,
            ..recipe()
        },
    );
    let start = SavedModel::load(&first).expect("a model");
    let plan = plan(
        Recipe {
            epochs: 1,
            learning_rate: 1e-4,
            ..recipe()
        },
        &second,
    );
    let plan = plan.starting_from(start).expect("a fit");
    let events = events_of(&engine().train(plan, Waker::none()));
    let row = events.iter().find_map(|event| match event {
        JobEvent::Said(TrainEvent::EpochEnded(row)) => Some(row),
        _ => None,
    });
    assert!(row.expect("a row").val_loss < rows[0].val_loss);
}

#[test]
fn the_devices_are_told() {
    let events = events_of(&engine().devices(Waker::none()));
    assert!(
        matches!(&events[..], [JobEvent::Said(report), JobEvent::Finished]
        if !report.chosen.is_empty() && !report.reason.is_empty())
    );
}
