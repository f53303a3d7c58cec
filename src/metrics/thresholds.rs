use serde::{Deserialize, Serialize};

use super::ProbabilityHistogram;
use crate::label::UNLABELED;

/// The level that stands for probability 1 where a network with two classes is counted.
const TOP: u16 = 255;
/// The least that the likelier of two classes can have, in 254ths.
const LEAST_SURE: u8 = 127;

/// How probable one of two classes was at pixels with truth: the likelier class and how sure it is
/// are all that a prediction says, and of two classes that is everything.
///
/// The upper half of the levels holds the pixels where the class is the likelier one, so that
/// taking the likelier class is exactly one of the thresholds, that of 0.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoClassRanking {
    class: u8,
    levels: ProbabilityHistogram,
}

/// What [`TwoClassRanking`] found; the field names are those of the JSON reports.
///
/// All go from 0 to 1 and are `None` where there is nothing to compute them from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RankingScores {
    /// [`ProbabilityHistogram::auroc`].
    pub auroc: Option<f64>,
    /// [`ProbabilityHistogram::average_precision`].
    pub average_precision: Option<f64>,
    /// F1 of taking the likelier class at each pixel, which is the threshold 0.5.
    pub f1_at_half: Option<f64>,
    /// The probability from which on pixels were taken for the class with the best F1 on the
    /// ground where thresholds are chosen.
    pub threshold: Option<f64>,
    /// F1 at that threshold. On the ground where it was chosen it is the best one, and flatters.
    pub f1_at_threshold: Option<f64>,
}

impl TwoClassRanking {
    /// No pixels yet, for the class that is looked for.
    pub fn new(class: u8) -> Self {
        Self {
            class,
            levels: ProbabilityHistogram::new(class, TOP),
        }
    }

    /// The class that is looked for.
    pub const fn class(&self) -> u8 {
        self.class
    }

    /// Counts pixel by pixel: the class that is there, the likelier of the two, and 254 times its
    /// probability. Where one of them is 255 there is no truth or no prediction, and the pixel is
    /// in none of the figures.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(&mut self, truth: &[u8], likelier: &[u8], sure: &[u8]) {
        assert_eq!(truth.len(), likelier.len(), "one class a pixel of truth");
        assert_eq!(truth.len(), sure.len(), "one probability a pixel of truth");
        for ((&truth, &likelier), &sure) in truth.iter().zip(likelier).zip(sure) {
            let is_known = likelier != UNLABELED && sure != UNLABELED;
            let level = if is_known {
                self.level_of(likelier, sure)
            } else {
                TOP + 1
            };
            self.levels.add_many(truth, level, 1);
        }
    }

    fn level_of(&self, likelier: u8, sure: u8) -> u16 {
        let sure = u16::from(sure.max(LEAST_SURE));
        if likelier == self.class {
            sure + 1
        } else {
            TOP - 1 - sure
        }
    }

    /// The threshold with the best F1 on this ground, in whole ten thousandths, so that a file
    /// says it exactly; `None` without pixels of the class.
    pub fn best_threshold(&self) -> Option<f64> {
        // The middle between what is taken and what is left: 0.5 for the upper half of the levels.
        let best = self.levels.best_f1()?;
        let middle = (f64::from(best.level) - 0.5) / f64::from(TOP);
        Some((middle.max(0.0) * 1e4).round() / 1e4)
    }

    /// The scores, with `threshold` as the one that was chosen.
    pub fn scores(&self, threshold: Option<f64>) -> RankingScores {
        RankingScores {
            auroc: self.levels.auroc(),
            average_precision: self.levels.average_precision(),
            f1_at_half: self.f1_from(0.5),
            threshold,
            f1_at_threshold: threshold.and_then(|threshold| self.f1_from(threshold)),
        }
    }

    /// F1 of taking every pixel of at least this probability for the class; `None` without pixels
    /// of the class.
    fn f1_from(&self, probability: f64) -> Option<f64> {
        let lowest = (probability * f64::from(TOP)).ceil() as u16;
        let counts = self.levels.counts_at(lowest);
        counts.f1().filter(|_| counts.support() > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::Confusion;

    fn counted(truth: &[u8], likelier: &[u8], sure: &[u8]) -> TwoClassRanking {
        let mut ranking = TwoClassRanking::new(1);
        ranking.add(truth, likelier, sure);
        ranking
    }

    #[test]
    fn a_perfect_ranking_has_an_area_of_1_and_a_threshold_that_gets_all_right() {
        // The class has 0.40 and more, other ground 0.35 and less: no pixel is drawn at 0.5.
        let ranking = counted(&[1, 1, 0, 0], &[0, 0, 0, 0], &[152, 150, 165, 254]);
        let threshold = ranking.best_threshold().expect("pixels of the class");
        assert!((0.35..0.40).contains(&threshold), "{threshold}");
        let scores = ranking.scores(Some(threshold));
        assert_eq!(
            (scores.auroc, scores.average_precision),
            (Some(1.0), Some(1.0))
        );
        assert_eq!(
            (scores.f1_at_half, scores.f1_at_threshold),
            (Some(0.0), Some(1.0))
        );
    }

    #[test]
    fn pixels_without_truth_or_prediction_are_in_no_figure() {
        let ranking = counted(
            &[1, 0, 255, 1, 0],
            &[1, 0, 1, 255, 1],
            &[254, 254, 254, 255, 255],
        );
        let scores = ranking.scores(None);
        assert_eq!((scores.auroc, scores.f1_at_half), (Some(1.0), Some(1.0)));
        assert_eq!((scores.threshold, scores.f1_at_threshold), (None, None));
        let nothing = counted(&[0], &[1], &[200]);
        assert_eq!(nothing.best_threshold(), None);
        assert_eq!(nothing.scores(Some(0.5)).f1_at_threshold, None);
    }

    #[test]
    fn a_threshold_from_elsewhere_may_be_any_number() {
        let ranking = counted(&[1, 0], &[1, 0], &[200, 200]);
        for (threshold, f1) in [(-3.0, 2.0 / 3.0), (0.0, 2.0 / 3.0), (0.5, 1.0), (7e9, 0.0)] {
            assert_eq!(ranking.scores(Some(threshold)).f1_at_threshold, Some(f1));
        }
    }

    proptest! {
        #[test]
        fn half_is_the_likelier_class_and_no_threshold_beats_the_best(
            pixels in prop::collection::vec((0_u8..2, 0_u8..2, 127_u8..=254), 1..60)
        ) {
            let truth: Vec<u8> = pixels.iter().map(|pixel| pixel.0).collect();
            let likelier: Vec<u8> = pixels.iter().map(|pixel| pixel.1).collect();
            let sure: Vec<u8> = pixels.iter().map(|pixel| pixel.2).collect();
            let ranking = counted(&truth, &likelier, &sure);
            let mut confusion = Confusion::new(2);
            confusion.add(&truth, &likelier);
            let binary = confusion.binary(1);
            let scores = ranking.scores(ranking.best_threshold());
            prop_assert_eq!(scores.f1_at_half, binary.f1().filter(|_| binary.support() > 0));
            // What was chosen is found again although it is rounded.
            let best = ranking.levels.best_f1().and_then(|best| best.counts.f1());
            prop_assert_eq!(scores.f1_at_threshold, best);
            prop_assert!(scores.f1_at_threshold >= scores.f1_at_half);
            prop_assert!(scores.threshold.is_none_or(|at| (0.0..=1.0).contains(&at)));
        }
    }
}
