//! Trainings whose encoder holds still first and learns later.

use burn::tensor::Device;

use super::KeepFeatures;
use super::tests::{recipe, said, tensors, weights_of};
use crate::train::learner::Learner;
use crate::train::test_world::plan;
use crate::train::{Recipe, TrainEvent};

fn unfreezing(keep: KeepFeatures, frozen_stages: usize) -> Recipe {
    Recipe {
        unfreeze_after: 1,
        learning_rate: 1e-3,
        ..recipe(keep, frozen_stages)
    }
}

/// Whether a learner remembers gradients of a part of its network.
fn remembers(learner: &Learner, part: &str) -> bool {
    let state = learner.state().expect("a state").optimizer;
    tensors(&state).keys().any(|name| name.contains(part))
}

#[test]
fn the_encoder_stays_until_it_unfreezes_and_learns_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(unfreezing(KeepFeatures::Always, 0), folder.path());
    let mut learner = Learner::new(&plan, &Device::flex(), 5).expect("a learner");
    let before = weights_of(&learner);
    let first_later = u64::from(plan.recipe().steps_per_epoch);
    for step in 0..2 {
        learner.step_at(&plan, step, 1e-2).expect("a step");
    }
    let frozen = weights_of(&learner);
    assert!(learner.kept().is_some() && learner.frozen_stages() == 5);
    assert!(!remembers(&learner, "encoder"));
    learner.unfreeze(&plan).expect("it unfreezes");
    assert!(learner.kept().is_none() && learner.frozen_stages() == 0);
    assert!(weights_of(&learner) == frozen, "unfreezing moved a weight");
    for step in first_later..first_later + 2 {
        learner.step_at(&plan, step, 1e-3).expect("a step");
    }
    let after = weights_of(&learner);
    for (name, bytes) in &frozen {
        let is_encoder = name.starts_with("encoder.");
        assert!(!is_encoder || *bytes == before[name], "{name} moved");
        // The encoder's statistics rest for good.
        if is_encoder || !name.contains("running") {
            let stayed = after[name] == *bytes;
            assert_eq!(stayed, name.contains("running"), "{name}");
        }
    }
    for part in ["stages.0", "stages.4", "head"] {
        assert!(remembers(&learner, part), "{part}");
    }
}

/// What a training says of what learns, and of what is to come.
fn told(event: TrainEvent) -> Option<String> {
    match event {
        TrainEvent::Explained(note) => Some(note),
        TrainEvent::Forecast(forecast) => {
            let later = forecast.unfreezing;
            let later = later.map(|later| (later.epoch, later.seconds.is_some()));
            Some(format!("{later:?}"))
        }
        TrainEvent::EpochEnded(row) => Some(format!("epoch {}", row.epoch)),
        _ => None,
    }
}

#[test]
fn a_training_says_when_its_encoder_begins_to_learn() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        (KeepFeatures::Auto, 0, "once and kept"),
        (KeepFeatures::Auto, 2, "behind its frozen stages"),
    ];
    for (keep, frozen_stages, word) in cases {
        let run = folder.path().join(format!("{frozen_stages}"));
        let said = said(plan(unfreezing(keep, frozen_stages), &run), told);
        let outlook = "From epoch 2 on the whole encoder learns as well";
        // Roughly before the first epoch, and as soon as its steps were measured.
        let known = "Some((2, true))";
        assert_eq!(said[0], known, "{said:?}");
        assert!(said[1].contains(outlook), "{said:?}");
        assert!(said[1].contains(word), "{said:?}");
        assert_eq!(said[2..4], [known, "epoch 1"]);
        assert!(said[4].contains("learns from epoch 2 on"), "{said:?}");
        assert_eq!(said[5..], ["None", "epoch 2"]);
        let log = std::fs::read_to_string(run.join("log.txt")).expect("a log");
        assert!(log.contains("The encoder learns from epoch 2 on"), "{log}");
    }
}

#[test]
fn steps_with_the_encoder_are_tried_before_the_first_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = plan(
        unfreezing(KeepFeatures::Always, 0),
        &folder.path().join("run"),
    );
    // Six steps on kept features fit, those with the encoder do not.
    plan.fault = Some(|step, piece| assert!(step < 6 || piece <= 2, "Out of memory"));
    let notes = said(plan, |event| match event {
        TrainEvent::Note(note) => Some(note),
        _ => None,
    });
    let is_found = |note: &String| note.contains("too little memory for a step at once");
    assert!(notes.iter().any(is_found), "{notes:?}");
    let is_late = |note: &String| note.contains("ran out of memory");
    assert!(!notes.iter().any(is_late), "{notes:?}");
}
