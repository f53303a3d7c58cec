/// A figure that this layer can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// [`Scores::mean_iou`](super::Scores::mean_iou).
    MeanIou,
    /// [`Scores::mean_iou_without_background`](super::Scores::mean_iou_without_background).
    MeanIouWithoutBackground,
    /// [`Scores::pixel_accuracy`](super::Scores::pixel_accuracy).
    PixelAccuracy,
    /// [`Scores::majority_baseline`](super::Scores::majority_baseline).
    MajorityBaseline,
    /// [`Scores::mean_accuracy`](super::Scores::mean_accuracy).
    MeanAccuracy,
    /// [`Scores::mean_f1`](super::Scores::mean_f1).
    MeanF1,
    /// [`Scores::frequency_weighted_iou`](super::Scores::frequency_weighted_iou).
    FrequencyWeightedIou,
    /// [`Scores::pooled_iou`](super::Scores::pooled_iou).
    PooledIou,
    /// [`Scores::pooled_f1`](super::Scores::pooled_f1).
    PooledF1,
    /// [`Scores::pooled_iou_without_background`](super::Scores::pooled_iou_without_background).
    PooledIouWithoutBackground,
    /// [`Scores::pooled_f1_without_background`](super::Scores::pooled_f1_without_background).
    PooledF1WithoutBackground,
    /// [`Scores::kappa`](super::Scores::kappa) and [`Kappa::kappa`](super::Kappa::kappa).
    Kappa,
    /// [`ClassScores::iou`](super::ClassScores::iou).
    Iou,
    /// [`ClassScores::precision`](super::ClassScores::precision).
    Precision,
    /// [`ClassScores::recall`](super::ClassScores::recall).
    Recall,
    /// [`ClassScores::f1`](super::ClassScores::f1).
    F1,
    /// [`ClassScores::support`](super::ClassScores::support).
    Support,
    /// [`PerImageScores::per_image_mean_iou`](super::PerImageScores::per_image_mean_iou).
    PerImageMeanIou,
    /// [`SaltPrecision::mean`](super::SaltPrecision::mean).
    SaltPrecision,
    /// [`SaltPrecision::empty_baseline`](super::SaltPrecision::empty_baseline).
    SaltEmptyBaseline,
    /// [`ProbabilityHistogram::auroc`](super::ProbabilityHistogram::auroc).
    Auroc,
    /// [`ProbabilityHistogram::average_precision`](super::ProbabilityHistogram::average_precision).
    AveragePrecision,
    /// [`RankingScores::f1_at_half`](super::RankingScores::f1_at_half).
    F1AtHalf,
    /// [`RankingScores::f1_at_threshold`](super::RankingScores::f1_at_threshold).
    F1AtThreshold,
    /// [`PresenceScores::presence_accuracy`](super::PresenceScores::presence_accuracy).
    PresenceAccuracy,
    /// [`PresenceScores::presence_baseline`](super::PresenceScores::presence_baseline).
    PresenceBaseline,
    /// [`PresenceScores::presence_f1`](super::PresenceScores::presence_f1).
    PresenceF1,
    /// [`PresenceScores::presence_auroc`](super::PresenceScores::presence_auroc).
    PresenceAuroc,
    /// [`RelaxedCounts::precision`](super::RelaxedCounts::precision).
    RelaxedPrecision,
    /// [`RelaxedCounts::recall`](super::RelaxedCounts::recall).
    RelaxedRecall,
    /// [`RelaxedCounts::f1`](super::RelaxedCounts::f1).
    RelaxedF1,
}

/// What a figure is and is not, in the words of hover texts and reports. Texts are one sentence,
/// without a period at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name in JSON reports.
    pub key: &'static str,
    /// The name that people read.
    pub name: &'static str,
    /// The symbol for plots and narrow columns.
    pub symbol: &'static str,
    /// The formula in words.
    pub formula: &'static str,
    /// What it does not tell.
    pub does_not_tell: &'static str,
}

/// How pixels of several images come together in figures, in the words of hover texts and reports:
/// one sentence, without a period at the end.
pub const POOLED_OR_PER_IMAGE: &str = "Pooled or per image: the pixels of all images are counted \
    together before a figure is computed, so that a large image weighs more than a small one; only \
    a figure per image is computed in each image by itself and then averaged";

impl Definition {
    /// What the figure is and is not, in two sentences.
    pub fn words(&self) -> String {
        format!("{}. {}.", self.formula, self.does_not_tell)
    }
}

impl Figure {
    /// Every figure with its definition, in the order to read them.
    pub const ALL: &'static [(Self, Definition)] = &[
        (
            Self::MeanIou,
            define(
                ["mean_iou", "Mean IoU", "mIoU"],
                "Mean over the classes with truth of intersection over union",
                "Not which class is bad: a rare class weighs as much as a frequent one, and an easy background lifts the mean",
            ),
        ),
        (
            Self::MeanIouWithoutBackground,
            define(
                [
                    "mean_iou_without_background",
                    "Mean IoU without background",
                    "mIoU∖bg",
                ],
                "Mean over the classes with truth, other than the background, of intersection over union",
                "Not comparable with a mean that counts the background, which is mostly higher",
            ),
        ),
        (
            Self::PixelAccuracy,
            define(
                ["pixel_accuracy", "Pixel accuracy", "acc"],
                "Pixels predicted right divided by labeled pixels",
                "Not whether rare classes are found at all: compare it with the majority baseline",
            ),
        ),
        (
            Self::MajorityBaseline,
            define(
                ["majority_baseline", "Majority baseline", "acc₀"],
                "Pixels of the most frequent class divided by labeled pixels",
                "Nothing about the prediction: it is the pixel accuracy of answering one class everywhere",
            ),
        ),
        (
            Self::MeanAccuracy,
            define(
                ["mean_accuracy", "Mean class accuracy", "mAcc"],
                "Mean over the classes with truth of recall",
                "Not how much was wrongly taken for a class: overdrawing rare classes raises it",
            ),
        ),
        (
            Self::MeanF1,
            define(
                ["mean_f1", "Mean F1", "mF1"],
                "Mean over the classes with truth of F1",
                "Not comparable with mean IoU: of the same masks it is never lower",
            ),
        ),
        (
            Self::FrequencyWeightedIou,
            define(
                ["frequency_weighted_iou", "Frequency-weighted IoU", "fwIoU"],
                "Sum over the classes of their share of the labeled pixels times their IoU",
                "Little about rare classes: the frequent ones decide it",
            ),
        ),
        (
            Self::PooledIou,
            define(
                ["pooled_iou", "Pooled IoU", "IoUₚ"],
                "Intersections of all classes added up, divided by their unions added up",
                "Not a mean over classes: with every pixel predicted it is only the pixel accuracy on another scale",
            ),
        ),
        (
            Self::PooledF1,
            define(
                ["pooled_f1", "Pooled F1", "F1ₚ"],
                "Twice the hits of all classes divided by true and predicted pixels added up",
                "Nothing beyond pixel accuracy when every pixel is predicted: then the two are equal",
            ),
        ),
        (
            Self::PooledIouWithoutBackground,
            define(
                [
                    "pooled_iou_without_background",
                    "Pooled IoU without background",
                    "IoUₚ∖bg",
                ],
                "Intersections of all classes but the background added up, divided by their unions added up",
                "Not how the classes differ: the most frequent of them decides it",
            ),
        ),
        (
            Self::PooledF1WithoutBackground,
            define(
                [
                    "pooled_f1_without_background",
                    "Pooled F1 without background",
                    "F1ₚ∖bg",
                ],
                "Twice the hits of all classes but the background, divided by their true and predicted pixels added up",
                "Not how the classes differ: the most frequent of them decides it",
            ),
        ),
        (
            Self::Kappa,
            define(
                ["kappa", "Cohen's kappa", "κ"],
                "Agreement beyond chance divided by the most that is possible beyond chance",
                "Not where or in which class they disagree, and it depends on how frequent the classes are",
            ),
        ),
        (
            Self::Iou,
            define(
                ["iou", "IoU", "IoU"],
                "Pixels that are and were predicted as the class, divided by those that are, were predicted, or both",
                "Not whether too much or too little was drawn, and thin or small objects lose most by shifts of a pixel",
            ),
        ),
        (
            Self::Precision,
            define(
                ["precision", "Precision", "P"],
                "Pixels rightly predicted as the class divided by all that were predicted as it",
                "Not how much of the class was missed",
            ),
        ),
        (
            Self::Recall,
            define(
                ["recall", "Recall", "R"],
                "Pixels rightly predicted as the class divided by all that are of it",
                "Not how much was wrongly taken for the class",
            ),
        ),
        (
            Self::F1,
            define(
                ["f1", "F1", "F1"],
                "Harmonic mean of precision and recall, the same as the Dice coefficient",
                "Not comparable with IoU: it is 2·IoU / (1 + IoU), so never lower",
            ),
        ),
        (
            Self::Support,
            define(
                ["support", "True pixels", "n"],
                "Labeled pixels of the class",
                "Not in how many places they lie: neighboring pixels are not independent samples",
            ),
        ),
        (
            Self::PerImageMeanIou,
            define(
                ["per_image_mean_iou", "Mean IoU per image", "mIoUᵢ"],
                "Mean over images of the mean IoU of the classes that the image holds or shows",
                "Not the quality by area: a small image weighs as much as a large one, and one wrong pixel of an absent class weighs as a whole class",
            ),
        ),
        (
            Self::SaltPrecision,
            define(
                ["salt_precision", "Mean precision over IoU thresholds", "mP"],
                "Mean over images of the share of the IoU thresholds 0.50, 0.55 … 0.95 that the mask exceeds, 1 where truth and prediction are both empty",
                "Not how well masks fit where there is something: right empty answers count in full, so compare it with always answering empty",
            ),
        ),
        (
            Self::SaltEmptyBaseline,
            define(
                [
                    "salt_empty_baseline",
                    "Mean precision of empty answers",
                    "mP₀",
                ],
                "Images whose truth is empty divided by all images",
                "Nothing about the prediction: it is the mean precision of always answering with an empty mask",
            ),
        ),
        (
            Self::Auroc,
            define(
                ["auroc", "Area under the ROC curve", "AUROC"],
                "Chance that a pixel of the class has a higher probability than another pixel, ties counting half",
                "Not how good any mask is: with a rare class it is high even where most of what is drawn is wrong",
            ),
        ),
        (
            Self::AveragePrecision,
            define(
                ["average_precision", "Average precision", "AP"],
                "Sum over the thresholds of the gain in recall times precision",
                "Not which threshold to take, and it is not comparable between places where the class is more and less frequent",
            ),
        ),
        (
            Self::F1AtHalf,
            define(
                ["f1_at_half", "F1 at 0.5", "F1 at 0.5"],
                "F1 of taking the likelier of the two classes at each pixel",
                "Not what the probabilities allow: for a rare class another threshold is often better",
            ),
        ),
        (
            Self::F1AtThreshold,
            define(
                ["f1_at_threshold", "F1 at the chosen threshold", "F1 at t"],
                "F1 of taking pixels for the class from the probability on that was best on the validation part",
                "Nothing new on the validation part itself, where it is the best of all thresholds and flatters",
            ),
        ),
        (
            Self::PresenceAccuracy,
            define(
                ["presence_accuracy", "Image accuracy", "accᵢ"],
                "Images rightly said to hold the class or not, divided by all images",
                "Not whether the class was found in the right place, and compare it with the image majority baseline",
            ),
        ),
        (
            Self::PresenceBaseline,
            define(
                ["presence_baseline", "Image majority baseline", "accᵢ₀"],
                "Images that hold the class, or those that do not if they are more, divided by all images",
                "Nothing about the prediction: it is the image accuracy of giving all images the same answer",
            ),
        ),
        (
            Self::PresenceF1,
            define(
                ["presence_f1", "Image F1", "F1ᵢ"],
                "Harmonic mean of precision and recall of the images said to hold the class",
                "Not whether the class was found in the right place within an image",
            ),
        ),
        (
            Self::PresenceAuroc,
            define(
                ["presence_auroc", "Image AUROC", "AUROCᵢ"],
                "Chance that an image with the class has more evidence of it than one without, ties counting half",
                "Not at which evidence to say that the class is there",
            ),
        ),
        (
            Self::RelaxedPrecision,
            define(
                ["relaxed_precision", "Relaxed precision", "Pᵣ"],
                "Pixels predicted as the class within r pixels of a true one, divided by all that were predicted as it",
                "Not whether widths and edges are right: errors smaller than r do not count",
            ),
        ),
        (
            Self::RelaxedRecall,
            define(
                ["relaxed_recall", "Relaxed recall", "Rᵣ"],
                "True pixels of the class within r pixels of a predicted one, divided by all true ones",
                "Not whether roads are connected: a gap of up to twice r does not count",
            ),
        ),
        (
            Self::RelaxedF1,
            define(
                ["relaxed_f1", "Relaxed F1", "F1ᵣ"],
                "Harmonic mean of relaxed precision and relaxed recall, which forgive shifts of r pixels (3 unless it is said otherwise)",
                "Not comparable with F1, and with another pixel size or r it is another figure",
            ),
        ),
    ];

    /// What this figure is and is not.
    pub const fn definition(self) -> &'static Definition {
        &Self::ALL[self as usize].1
    }
}

/// The table has every figure, at its place.
const _: () = {
    let mut at = 0;
    while at < Figure::ALL.len() {
        assert!(Figure::ALL[at].0 as usize == at);
        at += 1;
    }
    assert!(at == Figure::RelaxedF1 as usize + 1);
};

const fn define(
    [key, name, symbol]: [&'static str; 3],
    formula: &'static str,
    does_not_tell: &'static str,
) -> Definition {
    Definition {
        key,
        name,
        symbol,
        formula,
        does_not_tell,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::label::ClassTable;
    use crate::metrics::{Confusion, Scores};

    #[test]
    fn keys_and_names_are_used_once_and_texts_are_one_sentence() {
        let (mut keys, mut names) = (HashSet::new(), HashSet::new());
        for (figure, definition) in Figure::ALL {
            assert_eq!(figure.definition(), definition);
            assert!(keys.insert(definition.key), "{}", definition.key);
            assert!(names.insert(definition.name), "{}", definition.name);
            assert!(
                definition.symbol.chars().count() <= 9,
                "{}",
                definition.symbol
            );
            for text in [definition.formula, definition.does_not_tell] {
                assert!(text.starts_with(char::is_uppercase), "{text}");
                assert!(!text.ends_with('.') && !text.contains(". "), "{text}");
            }
        }
    }

    #[test]
    fn keys_are_those_of_the_reports() {
        let mut counts = Confusion::new(2);
        counts.add(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 255]);
        let scores = Scores::new(&counts, &ClassTable::road());
        let json = serde_json::to_value(&scores).expect("plain data");
        for (figure, value) in scores.summary() {
            let found = json[figure.definition().key].as_f64();
            assert_eq!(found, value, "{figure:?}");
            assert!(found.is_some(), "{figure:?}");
        }
        for figure in [Figure::Iou, Figure::Precision, Figure::Recall, Figure::F1] {
            let key = figure.definition().key;
            assert!(json["per_class"][0][key].is_number(), "{figure:?}");
        }
    }
}
