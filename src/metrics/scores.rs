use serde::{Deserialize, Serialize};

use super::kappa::kappa_with_truth;
use super::ratio::{Mean, ratio};
use super::{BinaryCounts, Confusion, Figure};
use crate::label::ClassTable;

/// Every score of one evaluation; the field names are those of the JSON reports.
///
/// Ratios go from 0 to 1 (kappa from -1) and are `None` where they would divide by nothing. Means
/// over classes leave out the classes without truth; what was wrongly predicted as one of those
/// still costs the classes it was taken from. [`Figure`] tells what each figure does not tell.
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
    /// The index of that class, the lowest of equals.
    #[serde(default)]
    pub majority_class: Option<u8>,
    /// Mean IoU over the classes that have truth.
    pub mean_iou: Option<f64>,
    /// The same without the background of the class table; `None` when that has none.
    #[serde(default)]
    pub mean_iou_without_background: Option<f64>,
    /// Mean of the IoU, each class weighing as much as its truth.
    #[serde(default)]
    pub frequency_weighted_iou: Option<f64>,
    /// Mean recall over the classes that have truth, also called class accuracy.
    #[serde(default)]
    pub mean_accuracy: Option<f64>,
    /// Mean F1 over the classes that have truth ("macro").
    #[serde(default)]
    pub mean_f1: Option<f64>,
    /// IoU of the counts of all classes added up ("micro").
    #[serde(default)]
    pub pooled_iou: Option<f64>,
    /// F1 of the counts of all classes added up; the pixel accuracy when every pixel is predicted.
    #[serde(default)]
    pub pooled_f1: Option<f64>,
    /// Pooled IoU of the classes that are not the background; `None` when the table has none.
    #[serde(default)]
    pub pooled_iou_without_background: Option<f64>,
    /// Pooled F1 of the classes that are not the background; `None` when the table has none.
    #[serde(default)]
    pub pooled_f1_without_background: Option<f64>,
    /// Cohen's kappa of prediction and truth; unpredicted pixels agree with nothing, other than in
    /// [`Kappa`](super::Kappa), where both are people and leave them out.
    #[serde(default)]
    pub kappa: Option<f64>,
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
        let rows: Vec<ClassScores> = (0..confusion.num_classes())
            .map(|class| ClassScores::new(confusion, classes, class as u8))
            .collect();
        let mean =
            |value: fn(&ClassScores) -> Option<f64>| rows.iter().map(value).collect::<Mean>();
        let all = pooled(confusion, None);
        let background = classes.background();
        let others = rows.iter().filter(|row| Some(row.index) != background);
        let mean_of_others: Mean = others.map(|row| row.iou).collect();
        let pooled_others = background.map(|_| pooled(confusion, background));
        let majority = confusion.majority();
        Self {
            pixels,
            ignored: confusion.ignored(),
            unpredicted: confusion.unpredicted(),
            pixel_accuracy: ratio(confusion.correct(), pixels),
            majority_baseline: majority.and_then(|(_, support)| ratio(support, pixels)),
            majority_class: majority.map(|(class, _)| class),
            mean_iou: mean(|row| row.iou).value(),
            mean_iou_without_background: background.and_then(|_| mean_of_others.value()),
            frequency_weighted_iou: frequency_weighted_iou(&rows, pixels),
            mean_accuracy: mean(|row| row.recall).value(),
            mean_f1: mean(|row| row.f1).value(),
            pooled_iou: all.iou(),
            pooled_f1: all.f1(),
            pooled_iou_without_background: pooled_others.and_then(BinaryCounts::iou),
            pooled_f1_without_background: pooled_others.and_then(BinaryCounts::f1),
            kappa: kappa_with_truth(confusion),
            confusion: confusion.rows(),
            per_class: rows
                .into_iter()
                .filter(|row| row.is_shown(classes))
                .collect(),
        }
    }

    /// The figures of the whole in the order to read them: each accuracy beside what answering one
    /// class everywhere would score.
    pub const fn summary(&self) -> [(Figure, Option<f64>); 12] {
        [
            (Figure::MeanIou, self.mean_iou),
            (
                Figure::MeanIouWithoutBackground,
                self.mean_iou_without_background,
            ),
            (Figure::PixelAccuracy, self.pixel_accuracy),
            (Figure::MajorityBaseline, self.majority_baseline),
            (Figure::MeanAccuracy, self.mean_accuracy),
            (Figure::MeanF1, self.mean_f1),
            (Figure::FrequencyWeightedIou, self.frequency_weighted_iou),
            (Figure::PooledIou, self.pooled_iou),
            (Figure::PooledF1, self.pooled_f1),
            (
                Figure::PooledIouWithoutBackground,
                self.pooled_iou_without_background,
            ),
            (
                Figure::PooledF1WithoutBackground,
                self.pooled_f1_without_background,
            ),
            (Figure::Kappa, self.kappa),
        ]
    }
}

/// The counts of all classes but `left_out` added up.
fn pooled(confusion: &Confusion, left_out: Option<u8>) -> BinaryCounts {
    (0..confusion.num_classes())
        .filter(|class| Some(*class) != left_out.map(usize::from))
        .map(|class| confusion.binary(class))
        .fold(BinaryCounts::default(), BinaryCounts::plus)
}

/// Σ support · IoU / pixels (Long, Shelhamer and Darrell, "Fully convolutional networks for
/// semantic segmentation", CVPR 2015, section 5).
fn frequency_weighted_iou(rows: &[ClassScores], pixels: u64) -> Option<f64> {
    let weighted = rows
        .iter()
        .filter_map(|row| Some(row.iou? * row.support as f64));
    (pixels > 0).then(|| weighted.sum::<f64>() / pixels as f64)
}

impl ClassScores {
    fn new(confusion: &Confusion, classes: &ClassTable, index: u8) -> Self {
        let counts = confusion.binary(usize::from(index));
        let when_true = |value: Option<f64>| value.filter(|_| counts.support() > 0);
        Self {
            index,
            name: classes.name_of(index),
            iou: when_true(counts.iou()),
            precision: counts.precision(),
            recall: counts.recall(),
            f1: when_true(counts.f1()),
            support: counts.support(),
        }
    }

    fn is_shown(&self, classes: &ClassTable) -> bool {
        classes.get(self.index).is_some() || self.support > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(scores.majority_class, Some(0));
        assert_near(scores.mean_iou, f64::midpoint(4.0 / 7.0, 2.0 / 5.0));
        assert_near(scores.frequency_weighted_iou, 0.6 * 4.0 / 7.0 + 0.4 * 0.4);
        assert_near(scores.mean_accuracy, f64::midpoint(4.0 / 6.0, 0.5));
        assert_near(scores.mean_f1, f64::midpoint(8.0 / 11.0, 4.0 / 7.0));
        // Hits 6, false alarms 1 + 1 + 1, misses 2 + 2.
        assert_near(scores.pooled_iou, 6.0 / 13.0);
        assert_near(scores.pooled_f1, 12.0 / 19.0);
        // pₑ = 6/10 · 5/10 + 4/10 · 3/10
        assert_near(scores.kappa, (0.6 - 0.42) / (1.0 - 0.42));
        assert_eq!(scores.confusion, [[4, 1, 1], [1, 2, 0], [0, 0, 0]]);
    }

    #[test]
    fn the_background_is_that_of_the_table() {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0, 0, 0, 0, 0, 0, 1, 1], &[0, 0, 0, 0, 0, 1, 1, 0]);
        let road = Scores::new(&confusion, &ClassTable::road());
        assert_near(road.mean_iou, f64::midpoint(5.0 / 7.0, 1.0 / 3.0));
        assert_near(road.mean_iou_without_background, 1.0 / 3.0);
        assert_near(road.pooled_iou_without_background, 1.0 / 3.0);
        assert_near(road.pooled_f1_without_background, 0.5);
        let without = Scores::new(&confusion, &ClassTable::default());
        assert_eq!(without.mean_iou_without_background, None);
        assert_eq!(without.pooled_iou_without_background, None);
    }

    #[test]
    fn reports_of_older_versions_are_read() {
        let mut json = serde_json::to_value(counted_by_hand()).expect("plain data");
        let fields = json.as_object_mut().expect("an object");
        fields.retain(|name, _| !name.starts_with("pooled") && name != "kappa");
        let read: Scores = serde_json::from_value(json).expect("the older fields");
        assert_eq!((read.kappa, read.pooled_iou), (None, None));
        assert_eq!(read.mean_iou, counted_by_hand().mean_iou);
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
            "majority_class",
            "mean_iou",
            "mean_iou_without_background",
            "frequency_weighted_iou",
            "mean_accuracy",
            "mean_f1",
            "pooled_iou",
            "pooled_f1",
            "pooled_iou_without_background",
            "pooled_f1_without_background",
            "kappa",
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

    fn scores_of(pixels: &[(u8, u8)]) -> Scores {
        let mut confusion = Confusion::new(4);
        for &(truth, prediction) in pixels {
            confusion.add_many(truth, prediction, 1);
        }
        Scores::new(&confusion, &ClassTable::from_values(0..4))
    }

    /// Pixels of the classes 0 to 3, a class that the table does not have, and 255.
    fn any_pixels() -> impl Strategy<Value = Vec<(u8, u8)>> {
        let class = || (0_u8..6).prop_map(|class| if class == 5 { 255 } else { class });
        prop::collection::vec((class(), class()), 1..80)
    }

    proptest! {
        #[test]
        fn figures_lie_between_their_bounds(pixels in any_pixels()) {
            let scores = scores_of(&pixels);
            for (figure, value) in scores.summary() {
                let least = if figure == Figure::Kappa { -1.0 } else { 0.0 };
                prop_assert!(value.is_none_or(|value| (least..=1.0).contains(&value)));
            }
            let support: u64 = scores.per_class.iter().map(|class| class.support).sum();
            prop_assert_eq!(support, scores.pixels);
            prop_assert_eq!(scores.pixels + scores.ignored, pixels.len() as u64);
            prop_assert!(scores.pooled_iou <= scores.pooled_f1);
            prop_assert!(scores.mean_iou <= scores.mean_f1);
        }

        #[test]
        fn the_order_of_pixels_and_the_names_of_classes_do_not_matter(
            mut pixels in any_pixels(), at in 0_usize..80, shift in 1_u8..4
        ) {
            let scores = scores_of(&pixels);
            let num_pixels = pixels.len();
            pixels.rotate_left(at % num_pixels);
            prop_assert_eq!(&scores, &scores_of(&pixels));
            let renamed = |class: u8| if class < 4 { (class + shift) % 4 } else { class };
            for (truth, prediction) in &mut pixels {
                (*truth, *prediction) = (renamed(*truth), renamed(*prediction));
            }
            let turned = scores_of(&pixels);
            let own = |figure: Figure| !figure.definition().key.ends_with("background");
            for ((figure, a), (_, b)) in scores.summary().into_iter().zip(turned.summary()) {
                let near = a.zip(b).map_or(a == b, |(a, b)| (a - b).abs() < 1e-12);
                prop_assert!(near || !own(figure), "{:?}: {:?} {:?}", figure, a, b);
            }
            for row in &scores.per_class {
                let other = &turned.per_class[usize::from(renamed(row.index))];
                prop_assert_eq!((row.iou, row.f1, row.support), (other.iou, other.f1, other.support));
            }
        }

        #[test]
        fn equal_masks_score_one(pixels in any_pixels()) {
            let same: Vec<_> = pixels.iter().map(|&(truth, _)| (truth, truth)).collect();
            let scores = scores_of(&same);
            let found = scores.summary().into_iter().filter(|&(figure, _)| {
                figure != Figure::MajorityBaseline
            });
            for (figure, value) in found {
                prop_assert!(value.is_none_or(|value| (value - 1.0).abs() < 1e-12), "{:?}", figure);
            }
            let num_used = scores.per_class.iter().filter(|class| class.support > 0).count();
            prop_assert_eq!(scores.kappa.is_some(), num_used > 1);
        }

        #[test]
        fn merged_counts_are_those_of_all_pixels(pixels in any_pixels(), cut in 0_usize..80) {
            let counted = |pixels: &[(u8, u8)]| {
                let mut confusion = Confusion::new(4);
                let (truth, prediction): (Vec<u8>, Vec<u8>) = pixels.iter().copied().unzip();
                confusion.add(&truth, &prediction);
                confusion
            };
            let (front, back) = pixels.split_at(cut.min(pixels.len()));
            let mut merged = counted(back);
            merged.merge(&counted(front));
            prop_assert_eq!(&merged, &counted(&pixels));
            for class in 0..4 {
                prop_assert_eq!(merged.binary(class).total(), merged.pixels());
            }
        }
    }
}
