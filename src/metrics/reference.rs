//! Every figure against scikit-learn or all pairs of pixels, by the numbers that
//! `tests/reference/metrics.py` made.

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Class, ClassTable, Mask, UNLABELED};

#[derive(Deserialize)]
struct Reference {
    classes: Vec<ClassCase>,
    salt: SaltCase,
    ranking: Vec<RankingCase>,
    presence: Value,
    relaxed: Vec<RelaxedCase>,
}

#[derive(Deserialize)]
struct ClassCase {
    num_classes: usize,
    background: u8,
    images: Vec<Pair>,
    scores: Value,
    per_image: Value,
}

/// Rows of pixels, one character each.
#[derive(Deserialize)]
struct Pair {
    truth: Vec<String>,
    prediction: Vec<String>,
}

#[derive(Deserialize)]
struct SaltCase {
    images: Vec<SaltImage>,
    mean: f64,
    empty_baseline: f64,
}

#[derive(Deserialize)]
struct SaltImage {
    #[serde(flatten)]
    masks: Pair,
    score: f64,
}

#[derive(Deserialize)]
struct RankingCase {
    top: u16,
    truth: Vec<u8>,
    levels: Vec<u16>,
    auroc: f64,
    average_precision: f64,
    best_f1: f64,
    f1_at: Vec<(u16, f64)>,
}

#[derive(Deserialize)]
struct RelaxedCase {
    #[serde(flatten)]
    masks: Pair,
    /// Radius, precision, recall.
    relaxed: Vec<(u16, Option<f64>, Option<f64>)>,
}

impl Pair {
    fn counts(&self, num_classes: usize) -> Confusion {
        let mut counts = Confusion::new(num_classes);
        counts.add(&pixels(&self.truth), &pixels(&self.prediction));
        counts
    }
}

fn pixels(rows: &[String]) -> Vec<u8> {
    let pixel = |byte: u8| match byte {
        b'.' => UNLABELED,
        digit => digit - b'0',
    };
    rows.iter().flat_map(|row| row.bytes()).map(pixel).collect()
}

fn mask(rows: &[String]) -> Mask {
    let size = ImageSize::new(rows[0].len() as u32, rows.len() as u32);
    let mut mask = Mask::new(size);
    mask.set_rect(size.bounds(), &pixels(rows));
    mask
}

fn reference() -> Reference {
    serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/reference/metrics.json"
    )))
    .expect("the checked-in numbers")
}

#[track_caller]
fn assert_near(found: Option<f64>, expected: Option<f64>, what: &str) {
    let is_near = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
        (found, expected) => found == expected,
    };
    assert!(is_near, "{what}: {found:?} is not {expected:?}");
}

fn table(case: &ClassCase) -> ClassTable {
    let class = |index| Class::new(index, format!("class {index}"), [index; 3]);
    let classes = (0..case.num_classes as u8).map(class).collect();
    ClassTable::new(Some(case.background), classes).expect("classes of their own")
}

#[test]
fn scores_are_those_of_scikit_learn() {
    for case in &reference().classes {
        let mut counts = Confusion::new(case.num_classes);
        for image in &case.images {
            counts.merge(&image.counts(case.num_classes));
        }
        let scores = Scores::new(&counts, &table(case));
        for (figure, value) in scores.summary() {
            let key = figure.definition().key;
            assert_near(value, case.scores[key].as_f64(), key);
        }
        assert_eq!(
            scores.majority_class.map(u64::from),
            case.scores["majority_class"].as_u64()
        );
        for (at, class) in scores.per_class.iter().enumerate() {
            let expected = |key: &str| case.scores[key][at].as_f64();
            assert_near(class.iou, expected("iou"), "iou");
            assert_near(class.f1, expected("f1"), "f1");
            assert_near(class.precision, expected("precision"), "precision");
            assert_near(class.recall, expected("recall"), "recall");
            assert_eq!(Some(class.support as f64), expected("support"));
        }
    }
}

#[test]
fn means_over_images_are_those_of_scikit_learn() {
    for case in &reference().classes {
        let mut counted = PerImage::new(case.num_classes, Some(case.background));
        for image in &case.images {
            counted.add(&image.counts(case.num_classes));
        }
        let found = serde_json::to_value(counted.scores()).expect("plain data");
        for (key, expected) in case.per_image.as_object().expect("figures") {
            assert_near(found[key].as_f64(), expected.as_f64(), key);
        }
    }
}

#[test]
fn the_salt_score_is_that_of_the_competition() {
    let case = reference().salt;
    let mut counted = SaltPrecision::default();
    for (number, image) in case.images.iter().enumerate() {
        let score = counted.add(image.masks.counts(2).binary(1));
        assert_near(score, Some(image.score), &format!("image {number}"));
    }
    assert_near(counted.mean(), Some(case.mean), "mean");
    assert_near(counted.empty_baseline(), Some(case.empty_baseline), "empty");
}

#[test]
fn rankings_are_those_of_scikit_learn() {
    for case in &reference().ranking {
        let mut found = ProbabilityHistogram::new(1, case.top);
        found.add(&case.truth, &case.levels);
        assert_near(found.auroc(), Some(case.auroc), "auroc");
        let average = found.average_precision();
        assert_near(average, Some(case.average_precision), "average precision");
        let best = found.best_f1().and_then(|best| best.counts.f1());
        assert_near(best, Some(case.best_f1), "best F1");
        for &(level, f1) in &case.f1_at {
            assert_near(found.counts_at(level).f1(), Some(f1), "F1 at a level");
        }
    }
}

#[test]
fn presence_is_judged_as_by_scikit_learn() {
    let case = reference().presence;
    let mut counted = Presence::default();
    for image in case["images"].as_array().expect("images") {
        let truth_pixels = image[0].as_u64().expect("a count");
        counted.add(truth_pixels, image[1].as_f64().expect("evidence"));
    }
    let threshold = case["threshold"].as_f64().expect("a threshold");
    let found = serde_json::to_value(counted.scores(threshold)).expect("plain data");
    for key in ["accuracy", "f1", "auroc", "average_precision"].map(|key| format!("presence_{key}"))
    {
        assert_near(found[&key].as_f64(), case[&key].as_f64(), &key);
    }
}

#[test]
fn relaxed_figures_are_those_of_all_pairs_of_pixels() {
    for case in &reference().relaxed {
        let (truth, prediction) = (mask(&case.masks.truth), mask(&case.masks.prediction));
        for &(radius, precision, recall) in &case.relaxed {
            let mut found = RelaxedCounts::new(1, radius);
            // In two parts, so that their border is looked across.
            found.add(&truth, &prediction, PixelRect::new(0, 0, 17, 24));
            found.add(&truth, &prediction, PixelRect::new(17, 0, 23, 24));
            assert_near(found.precision(), precision, "relaxed precision");
            assert_near(found.recall(), recall, "relaxed recall");
        }
    }
}
