//! Trainings on kept features beside trainings that keep nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use burn::tensor::Device;

use super::{FeatureConfig, KeepFeatures, Precision};
use crate::job::{JobEvent, Waker};
use crate::nn::{EncoderKind, Family, ModelConfig};
use crate::train::learner::Learner;
use crate::train::test_world::{self, dropping_alone, events_of, plan};
use crate::train::{
    Engine, OptimizerConfig, Recipe, SavedModel, TrainError, TrainEvent, TrainPlan, UpdateConfig,
};

pub(super) fn recipe(keep: KeepFeatures, frozen_stages: usize) -> Recipe {
    Recipe {
        batch: 4,
        model: ModelConfig {
            family: Family::Fpn,
            encoder: EncoderKind::Lite0,
            width: Some(16),
            frozen_stages,
            ..ModelConfig::default()
        },
        features: FeatureConfig {
            keep,
            precision: Precision::Single,
            ..FeatureConfig::default()
        },
        ..test_world::recipe()
    }
}

/// The tensors of a safetensors file by name, as bytes.
pub(super) fn tensors(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&rest[..length]).expect("a header");
    let place = |value: &serde_json::Value| {
        let [begin, end] = [0, 1].map(|at| value["data_offsets"][at].as_u64());
        Some(begin? as usize..end? as usize)
    };
    let entries = header.into_iter().filter_map(|(name, value)| {
        let bytes = rest[length..][place(&value)?].to_vec();
        Some((name, bytes))
    });
    entries.collect()
}

pub(super) fn weights_of(learner: &Learner) -> BTreeMap<String, Vec<u8>> {
    tensors(&learner.state().expect("a state").network)
}

fn validated(learner: &mut Learner, plan: &TrainPlan) -> (f64, Vec<u8>) {
    let all = (plan.patches.num_validation(), plan.patches.shown());
    let validation = learner.validate(plan, all, || Ok::<_, TrainError>(None));
    let validation = validation.expect("a validation");
    assert!(!validation.looked_at.is_empty());
    let shown = validation.looked_at.into_iter();
    let predicted = shown.flat_map(|looked_at| {
        assert_eq!(looked_at.image.len(), 3 * looked_at.labels.len());
        looked_at.predicted
    });
    (validation.loss, predicted.collect())
}

#[track_caller]
fn check_equal(stages: usize, piece: usize, folder: &Path) {
    let _alone = dropping_alone();
    let updates = UpdateConfig {
        ema: Some(0.9),
        clip_norm: Some(1.0),
        ..UpdateConfig::default()
    };
    let with = |keep| {
        let mut recipe = recipe(keep, stages);
        recipe.model.dropout = 0.1;
        recipe.updates = updates.clone();
        recipe
    };
    let kept_plan = plan(with(KeepFeatures::Always), &folder.join("kept"));
    let fresh_plan = plan(with(KeepFeatures::Never), &folder.join("fresh"));
    let device = Device::flex();
    let learner = |plan, stages| Learner::new(plan, &device, stages).expect("a learner");
    let mut kept = learner(&kept_plan, stages).in_pieces_of(piece);
    let mut fresh = learner(&fresh_plan, 0).in_pieces_of(piece);
    let before = weights_of(&kept);
    assert!(before == weights_of(&fresh));
    let mut losses = Vec::new();
    for step in 0..8 {
        let loss = kept.step_at(&kept_plan, step, 1e-2).expect("a step");
        let patches = fresh_plan.patches.batch(1, 0, step * 4..step * 4 + 4);
        let expected = fresh.step(patches.expect("patches"), step, 1e-2);
        assert_eq!(Some(loss), expected.ok(), "step {step} of {stages}");
        losses.push(loss);
    }
    assert!(losses[7] < 0.8 * losses[0], "{losses:?}");
    let after = weights_of(&kept);
    assert!(after == weights_of(&fresh), "the weights differ");
    for (name, bytes) in &after {
        let is_held = (0..stages).any(|at| name.contains(&format!("encoder.network.stages.{at}.")));
        let is_weight = !name.contains("running");
        assert!(!is_held || *bytes == before[name], "{name} moved");
        assert!(
            is_held || !is_weight || *bytes != before[name],
            "{name} stayed"
        );
    }
    let first = validated(&mut kept, &kept_plan);
    assert_eq!(first, validated(&mut fresh, &fresh_plan));
    assert_eq!(first, validated(&mut kept, &kept_plan), "the second time");
    assert!(kept.weights().expect("weights") == fresh.weights().expect("weights"));
}

#[test]
fn on_kept_features_is_as_with_a_frozen_encoder_to_the_last_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    check_equal(5, 4, &folder.path().join("all"));
    check_equal(4, 3, &folder.path().join("most"));
}

#[test]
fn halves_hardly_change_the_loss() {
    let folder = tempfile::tempdir().expect("a folder");
    let device = Device::flex();
    let losses = [Precision::Half, Precision::Single].map(|precision| {
        let mut recipe = recipe(KeepFeatures::Always, 0);
        recipe.features.precision = precision;
        let plan = plan(recipe, &folder.path().join(format!("{precision:?}")));
        let mut learner = Learner::new(&plan, &device, 5).expect("a learner");
        // Without learning: the first steps of Adam make anything of a last bit.
        let steps = (0..6).map(|step| learner.step_at(&plan, step, 0.0));
        let losses: Vec<f64> = steps.map(|loss| loss.expect("a step")).collect();
        losses
    });
    for (half, single) in losses[0].iter().zip(&losses[1]) {
        assert!((half / single - 1.0).abs() < 1e-3, "{losses:?}");
    }
}

#[test]
fn the_pool_keeps_to_its_budget_and_returns() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recipe = recipe(KeepFeatures::Always, 0);
    recipe.epochs = 10_000;
    recipe.features = FeatureConfig {
        variants: 1000,
        memory_mb: 1,
        disk_mb: 1,
        ..recipe.features
    };
    let plan = plan(recipe, folder.path());
    let mut learner = Learner::new(&plan, &Device::flex(), 5).expect("a learner");
    let kept = learner.kept().expect("features");
    let room = 2 << 20;
    assert!(
        (room / 2..=room).contains(&kept.num_bytes()),
        "{}",
        kept.num_bytes()
    );
    let pass = kept.num_patches() / 4;
    assert!(pass > 10);
    // Without learning, the same patches in another order have the same losses.
    let loss = |learner: &mut Learner, step| {
        let loss = learner.step_at(&plan, step, 0.0);
        loss.expect("a step").to_bits()
    };
    let first = loss(&mut learner, 0);
    assert_ne!(first, loss(&mut learner, 1));
    assert_ne!(first, loss(&mut learner, pass + 1));
}

#[test]
fn the_last_stages_learn_at_a_rate_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[optimizer]\nkind = \"adam\"\n[features]\nkeep = \"never\"\n[updates]\n\
                groups = [{ prefix = \"encoder\", factor = 0.1 }]\n[model]\nfamily = \"fpn\"\n\
                encoder = \"lite0\"\nfrozen_stages = 3\nwidth = 16\n";
    let read = Recipe::from_toml(text).expect("a recipe");
    let recipe = Recipe {
        model: read.model,
        features: read.features,
        updates: read.updates,
        optimizer: read.optimizer,
        ..recipe(KeepFeatures::Never, 0)
    };
    assert!(matches!(recipe.optimizer, OptimizerConfig::Adam(_)));
    let plan = plan(recipe, folder.path());
    let mut learner = Learner::new(&plan, &Device::flex(), 0).expect("a learner");
    let before = weights_of(&learner);
    let batch = plan.patches.batch(1, 1, 0..4).expect("patches");
    learner.step(batch, 0, 1e-3).expect("a step");
    let after = weights_of(&learner);
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        let (numbers, _) = bytes.as_chunks();
        numbers
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect()
    };
    // The first step of Adam has the length of the rate.
    let most_moved = |prefix: &str| {
        let named = after.iter().filter(|(name, _)| name.starts_with(prefix));
        let weights = named.filter(|(name, _)| !name.contains("running"));
        let moved = weights.flat_map(|(name, bytes)| {
            let pairs = numbers(bytes).into_iter().zip(numbers(&before[name]));
            pairs
                .map(|(a, b)| f64::from(a - b).abs())
                .collect::<Vec<_>>()
        });
        moved.fold(0.0, f64::max)
    };
    for (prefix, expected) in [
        ("encoder.network.stages.0.", 0.0),
        ("encoder.network.stages.2.", 0.0),
        ("encoder.network.stages.3.", 1e-4),
        ("encoder.network.stages.4.", 1e-4),
        ("head.", 1e-3),
    ] {
        let moved = most_moved(prefix);
        assert!(
            (moved - expected).abs() <= 0.02 * expected,
            "{prefix} {moved}"
        );
    }
    let state = learner.state().expect("a state").optimizer;
    let remembered = tensors(&state);
    assert!(remembered.keys().any(|name| name.contains("stages.4")));
    assert!(!remembered.keys().any(|name| name.contains("stages.2")));
}

#[test]
fn a_second_head_learns_along_and_is_not_told() {
    let _alone = dropping_alone();
    let folder = tempfile::tempdir().expect("a folder");
    let learner_of = |auxiliary_weight: f64, keep| {
        let mut recipe = recipe(keep, 0);
        recipe.model.family = Family::Pspnet;
        recipe.model.auxiliary_weight = auxiliary_weight;
        let plan = plan(recipe, folder.path());
        let stages = plan.kept_stages(true);
        let learner = Learner::new(&plan, &Device::flex(), stages).expect("a learner");
        (learner, plan)
    };
    let step = |(learner, plan): &mut (Learner, TrainPlan)| {
        learner.step_at(plan, 0, 1e-3).expect("a step")
    };
    for keep in [KeepFeatures::Always, KeepFeatures::Never] {
        let mut alone = learner_of(0.0, keep);
        let mut beside = learner_of(0.4, keep);
        let before = weights_of(&beside.0);
        // The decoder is drawn before the second head, so both begin with the same one.
        assert_eq!(step(&mut alone), step(&mut beside));
        let after = weights_of(&beside.0);
        let name = "auxiliary.head.weight";
        assert_ne!(before[name], after[name]);
        assert!(!weights_of(&alone.0).contains_key(name));
    }
}

/// Runs to the end and gives what was said of a kind.
pub(super) fn said(plan: TrainPlan, of_kind: fn(TrainEvent) -> Option<String>) -> Vec<String> {
    let engine = Engine::start().expect("a thread");
    let events = events_of(&engine.train(plan, Waker::none()));
    assert_eq!(events.last(), Some(&JobEvent::Finished), "{events:?}");
    let said = |event| match event {
        JobEvent::Said(event) => of_kind(event),
        _ => None,
    };
    events.into_iter().filter_map(said).collect()
}

#[test]
fn encoding_is_forecast_apart_from_the_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = Recipe {
        epochs: 100,
        ..recipe(KeepFeatures::Always, 0)
    };
    let engine = Engine::start().expect("a thread");
    let job = engine.train(plan(recipe, &folder.path().join("run")), Waker::none());
    let forecast = loop {
        match job.next_within(Duration::from_mins(1)) {
            Some(JobEvent::Said(TrainEvent::Forecast(forecast))) => break forecast,
            Some(JobEvent::Said(event)) if !matches!(event, TrainEvent::EpochEnded(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    job.cancel();
    assert_eq!(events_of(&job).last(), Some(&JobEvent::Cancelled));
    assert_eq!((forecast.steps, forecast.data_seconds_per_step), (5, 0.0));
    assert!(forecast.encoding_seconds > 0.0);
    assert!(forecast.seconds_left > forecast.encoding_seconds);
    assert!(
        forecast
            .to_string()
            .contains("once for what the encoder sees")
    );
}

#[test]
fn too_little_memory_halves_what_is_computed_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = recipe(KeepFeatures::Always, 0);
    let mut plan = plan(recipe, &folder.path().join("run"));
    plan.fault = Some(|step, piece| assert!(step < 8 || piece <= 2, "Out of memory"));
    let notes = said(plan, |event| match event {
        TrainEvent::Note(note) => Some(note),
        _ => None,
    });
    let is_said = |note: &String| note.contains("2 patches are computed at once, 2 times");
    assert!(notes.iter().any(is_said), "{notes:?}");
}

#[test]
fn on_a_cpu_the_decoder_learns_alone_unless_told_otherwise_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let says = |keep, run: &str, words: [&str; 2]| {
        let recipe = Recipe {
            epochs: 1,
            ..recipe(keep, 0)
        };
        let plan = plan(recipe, &folder.path().join(run));
        let notes = said(plan, |event| match event {
            TrainEvent::Explained(note) => Some(note),
            _ => None,
        });
        let has = |note: &String| words.iter().all(|word| note.contains(word));
        assert!(notes.iter().any(has), "{notes:?}");
    };
    says(
        KeepFeatures::Auto,
        "auto",
        ["decoder learns alone", "default on a CPU"],
    );
    says(
        KeepFeatures::Never,
        "never",
        ["every patch anew", "recipe says so"],
    );
    // Whole networks are saved, and what holds still is chosen again by who goes on.
    let model = SavedModel::load(&folder.path().join("auto")).expect("a model");
    assert_eq!(model.card().model.frozen_stages, 0);
    let more = plan(recipe(KeepFeatures::Never, 3), &folder.path().join("more"));
    let more = more.starting_from(model).expect("a fit");
    assert_eq!(more.recipe().model.frozen_stages, 3);
    let mut learner = Learner::new(&more, &Device::flex(), 0).expect("a learner");
    let before = weights_of(&learner);
    let batch = more.patches.batch(1, 1, 0..4).expect("patches");
    learner.step(batch, 0, 1e-3).expect("a step");
    for (name, bytes) in weights_of(&learner) {
        let is_held = (0..3).any(|at| name.contains(&format!("stages.{at}.")));
        assert!(!is_held || bytes == before[&name], "{name} moved");
    }
}
