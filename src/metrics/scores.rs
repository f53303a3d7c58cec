use serde::{Deserialize, Serialize};

use super::Confusion;
use crate::label::ClassTable;

/// Every score of one evaluation; the field names are those of the JSON reports.
///
/// Ratios go from 0 to 1 and are `None` where they would divide by nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Labeled pixels.
    pub pixels: u64,
    /// Pixels without truth.
    pub ignored: u64,
    /// Labeled pixels without a prediction; they count as wrong.
    pub unpredicted: u64,
    /// Share of the labeled pixels that were predicted right.
    pub pixel_accuracy: Option<f64>,
    /// The pixel accuracy of answering the most frequent class everywhere.
    pub majority_baseline: Option<f64>,
    /// Mean over the classes that have truth.
    pub mean_iou: Option<f64>,
    /// One row a class of the table, then classes that occur without being in it.
    pub per_class: Vec<ClassScores>,
    /// Pixel counts: rows are the truth, columns the prediction.
    pub confusion: Vec<Vec<u64>>,
}

/// The scores of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// The index in masks.
    pub index: u8,
    /// The name in the class table.
    pub name: String,
    /// Intersection over union; `None` without truth.
    pub iou: Option<f64>,
    /// Share of the pixels predicted so that are so; `None` when none was.
    pub precision: Option<f64>,
    /// Share of the true pixels that were found; `None` without truth.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall; `None` without truth.
    pub f1: Option<f64>,
    /// True pixels.
    pub support: u64,
}

impl Scores {
    /// The scores that follow from these counts.
    pub fn new(confusion: &Confusion, classes: &ClassTable) -> Self {
        let pixels = confusion.pixels();
        let largest = (0..confusion.num_classes())
            .map(|class| confusion.support(class))
            .max();
        let rows: Vec<ClassScores> = (0..confusion.num_classes())
            .map(|class| ClassScores::new(confusion, classes, class as u8))
            .collect();
        let ious: Vec<f64> = rows.iter().filter_map(|class| class.iou).collect();
        let mean_iou = (!ious.is_empty()).then(|| ious.iter().sum::<f64>() / ious.len() as f64);
        let is_shown = |row: &ClassScores| classes.get(row.index).is_some() || row.support > 0;
        Self {
            pixels,
            ignored: confusion.ignored(),
            unpredicted: confusion.unpredicted(),
            pixel_accuracy: ratio(confusion.correct(), pixels),
            majority_baseline: ratio(largest.unwrap_or(0), pixels),
            mean_iou,
            per_class: rows.into_iter().filter(is_shown).collect(),
            confusion: confusion.rows(),
        }
    }
}

impl ClassScores {
    fn new(confusion: &Confusion, classes: &ClassTable, index: u8) -> Self {
        let class = usize::from(index);
        let hits = confusion.count(class, class);
        let (support, predicted) = (confusion.support(class), confusion.predicted(class));
        let when_true = |value: Option<f64>| value.filter(|_| support > 0);
        Self {
            index,
            name: classes.name_of(index),
            iou: when_true(ratio(hits, support + predicted - hits)),
            precision: ratio(hits, predicted),
            recall: ratio(hits, support),
            f1: when_true(ratio(2 * hits, support + predicted)),
            support,
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(value: Option<f64>, expected: f64) {
        assert!(
            (value.expect("a number") - expected).abs() < 1e-12,
            "{value:?} is not {expected}"
        );
    }

    /// Truth 6 × class 0 and 4 × class 1; one false 1, one false 2, one unpredicted.
    fn counted_by_hand() -> Scores {
        let mut confusion = Confusion::new(3);
        confusion.add(
            &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 255],
            &[0, 0, 0, 0, 1, 2, 1, 1, 0, 255, 1],
        );
        Scores::new(&confusion, &ClassTable::from_values([0, 1, 2]))
    }

    #[test]
    fn scores_are_as_computed_by_hand() {
        let scores = counted_by_hand();
        assert_eq!(
            (scores.pixels, scores.ignored, scores.unpredicted),
            (10, 1, 1)
        );
        assert_near(scores.pixel_accuracy, 0.6);
        assert_near(scores.majority_baseline, 0.6);
        let [zero, one, two] = &scores.per_class[..] else {
            panic!("three classes");
        };
        assert_near(zero.iou, 4.0 / 7.0);
        assert_near(zero.precision, 0.8);
        assert_near(zero.recall, 4.0 / 6.0);
        assert_near(zero.f1, 8.0 / 11.0);
        assert_near(one.iou, 2.0 / 5.0);
        assert_eq!(
            (two.iou, two.recall, two.f1, two.support),
            (None, None, None, 0)
        );
        assert_near(two.precision, 0.0);
        assert_near(scores.mean_iou, f64::midpoint(4.0 / 7.0, 2.0 / 5.0));
        assert_eq!(scores.confusion, [[4, 1, 1], [1, 2, 0], [0, 0, 0]]);
    }

    #[test]
    fn no_ground_makes_no_numbers() {
        let scores = Scores::new(&Confusion::new(2), &ClassTable::road());
        assert_eq!(
            (
                scores.pixel_accuracy,
                scores.majority_baseline,
                scores.mean_iou
            ),
            (None, None, None)
        );
        assert_eq!(scores.per_class.len(), 2);
    }

    #[test]
    fn the_json_has_the_documented_names() {
        let json = serde_json::to_value(counted_by_hand()).expect("plain data");
        let names = |value: &serde_json::Value| -> Vec<String> {
            value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect()
        };
        let mut expected = [
            "pixels",
            "ignored",
            "unpredicted",
            "pixel_accuracy",
            "majority_baseline",
            "mean_iou",
            "per_class",
            "confusion",
        ];
        expected.sort_unstable();
        let mut found = names(&json);
        found.sort_unstable();
        assert_eq!(found, expected);
        let mut found = names(&json["per_class"][0]);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "f1",
                "index",
                "iou",
                "name",
                "precision",
                "recall",
                "support"
            ]
        );
        assert!(json["per_class"][2]["iou"].is_null());
    }
}
