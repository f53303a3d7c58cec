//! Run folders made by hand.

use tempfile::TempDir;

use super::{Environment, EpochFiles, RunRecord, write_run_files};
use crate::dataset::leaks::{Leak, LeakKind, LeakReport};
use crate::dataset::parts::Part;
use crate::dataset::{Normalization, SplitKind, SplitReport};
use crate::disk::replace_file;
use crate::label::{Class, ClassTable};
use crate::metrics::Confusion;
use crate::train::checkpoint::{CARD_FILE, WEIGHTS_FILE};
use crate::train::epoch::metrics_csv;
use crate::train::leak_check::LEAKS_FILE;
use crate::train::run_folder::{BEST, LAST};
use crate::train::{EpochRow, ModelCard, Recipe};

/// A run's folder that goes with the test.
pub(super) struct TestRun(TempDir);

impl TestRun {
    pub(super) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    pub(super) fn record(&self) -> RunRecord {
        RunRecord::load(self.path()).expect("a run")
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        replace_file(&self.path().join(name), bytes).expect("written");
    }
}

pub(super) fn row(epoch: u32, best: bool) -> EpochRow {
    EpochRow {
        epoch,
        train_loss: 0.4,
        val_loss: 0.5,
        mean_iou: Some(0.5),
        pixel_accuracy: Some(0.6),
        majority_baseline: Some(0.6),
        per_class_iou: vec![Some(2.0 / 3.0), Some(1.0 / 3.0)],
        lr: 1e-3,
        plateau_share: Some(1.0),
        seconds: 40.0,
        data_seconds: 4.0,
        compute_seconds: 30.0,
        peak_bytes: Some(u64::from(epoch) << 30),
        best,
    }
}

/// Three epochs of which the second is the best: IoU 2/3 and 1/3, three of five pixels right, of
/// which three are of class 0.
pub(super) fn plain_run() -> TestRun {
    run_with_classes(["ground", "road"])
}

/// The same with images of both held-out parts that are copied from others.
pub(super) fn leaking_run() -> TestRun {
    let run = plain_run();
    let leak = |count: usize, part: Part| Leak {
        kind: LeakKind::Copy,
        between: (Part::Train, part),
        sets: None,
        pairs: count,
        samples: count,
        examples: Vec::new(),
        sentence: format!("{count} {} images are copied; split before", part.word()),
    };
    let report = LeakReport {
        leaks: vec![leak(5, Part::Test), leak(2, Part::Validation)],
        ..LeakReport::default()
    };
    run.write(LEAKS_FILE, &json(&report));
    run
}

/// The same with names that want to be markup.
pub(super) fn hostile_run() -> TestRun {
    run_with_classes(["<script>alert(\"1\")</script>", "a|b'&\u{1}\nc"])
}

fn run_with_classes([ground, road]: [&str; 2]) -> TestRun {
    let run = TestRun(tempfile::tempdir().expect("a folder"));
    let classes = vec![
        Class::new(0, ground, [90, 120, 60]),
        Class::new(1, road, [200, 80, 60]),
    ];
    let classes = ClassTable::new(None, classes).expect("a table");
    let recipe = Recipe {
        epochs: 5,
        ..Recipe::default()
    };
    recipe
        .save(&run.path().join("recipe.toml"))
        .expect("written");
    classes
        .save(&run.path().join("classes.toml"))
        .expect("written");
    run.write("split.json", &json(&split()));
    let rows = [row(1, true), row(2, true), row(3, false)];
    run.write("metrics.csv", metrics_csv(&rows, &classes).as_bytes());
    let mut confusion = Confusion::new(2);
    confusion.add(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 255]);
    for row in &rows {
        let files = EpochFiles {
            epoch: row.epoch,
            is_best: row.best,
            confusion: &confusion,
            classes: &classes,
        };
        write_run_files(run.path(), &files).expect("written");
    }
    let environment = Environment::of_program(8, ["Test card", "Test driver 1.2"], "00ff");
    environment.save(run.path()).expect("written");
    for (name, step) in [(BEST, 100), (LAST, 150)] {
        let card = ModelCard {
            step,
            ..ModelCard::new(recipe.model.clone(), &classes, normalization(), 128, 1)
        };
        run.write(name, format!("{step:08}\n").as_bytes());
        run.write(&format!("ckpt/{step:08}/{CARD_FILE}"), &json(&card));
    }
    let header = br#"{"a.weight": {"shape": [8, 3, 3, 3]}}"#;
    let weights = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    run.write(&format!("ckpt/00000100/{WEIGHTS_FILE}"), &weights);
    run
}

fn normalization() -> Normalization {
    Normalization {
        mean: vec![0.5; 3],
        std: vec![0.2; 3],
    }
}

fn split() -> SplitReport {
    SplitReport {
        kind: SplitKind::Files,
        seed: 1,
        train_pixels: 900,
        validation_pixels: 100,
        validation_blocks: Vec::new(),
        test_blocks: Vec::new(),
        margin: 0,
        validation_files: vec!["a.tif".to_owned(), "b.tif".to_owned()],
        test_files: Vec::new(),
        train_files: 18,
        unreviewed: None,
        notes: Vec::new(),
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data")
}
