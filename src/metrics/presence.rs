use serde::{Deserialize, Serialize};

use super::ranking::{Group, auroc, average_precision};
use super::{BinaryCounts, ProbabilityHistogram};

/// How an image tells whether it holds a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The highest probability of its pixels, 0 to 1.
    MaxProbability,
    /// The mean probability of its pixels, 0 to 1.
    MeanProbability,
    /// The number of its pixels that have at least this level.
    PixelsOfLevel(u16),
}

impl Evidence {
    /// The evidence of one image from its ranked pixels; `None` when it has none.
    pub fn of(self, image: &ProbabilityHistogram) -> Option<f64> {
        let highest = image.highest_level()?;
        match self {
            Self::MaxProbability => Some(image.probability_of(highest)),
            Self::MeanProbability => image.mean_probability(),
            Self::PixelsOfLevel(level) => Some(image.counts_at(level).predicted() as f64),
        }
    }
}

/// Whether images hold a class at all, against the evidence that they do: what matters to somebody
/// who looks for the images worth opening.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presence {
    /// The evidence of each image, by whether the class is there.
    present: Vec<f64>,
    absent: Vec<f64>,
}

/// What [`Presence`] found; the field names are those of the JSON reports.
///
/// Ratios go from 0 to 1 and are `None` where they would divide by nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresenceScores {
    /// Images that were scored.
    pub images: u64,
    /// Images that hold the class.
    pub present: u64,
    /// An image is said to hold the class when its evidence is above this.
    pub threshold: f64,
    /// Share of the images that were judged right.
    pub presence_accuracy: Option<f64>,
    /// The accuracy of giving all images the answer that is right more often.
    pub presence_baseline: Option<f64>,
    /// Harmonic mean of precision and recall of the images; `None` when none holds the class.
    pub presence_f1: Option<f64>,
    /// The chance that an image with the class has more evidence than one without, ties counting
    /// half; `None` without images of either kind.
    pub presence_auroc: Option<f64>,
    /// Average precision of the images in descending order of evidence.
    pub presence_average_precision: Option<f64>,
}

impl Presence {
    /// Counts an image with `truth_pixels` pixels of the class. Evidence that is no number is
    /// taken for none (negative infinity).
    ///
    /// From masks alone, the evidence can be the number of predicted pixels
    /// ([`BinaryCounts::predicted`] of the image).
    pub fn add(&mut self, truth_pixels: u64, evidence: f64) {
        let evidence = if evidence.is_nan() {
            f64::NEG_INFINITY
        } else {
            evidence
        };
        if truth_pixels > 0 {
            self.present.push(evidence);
        } else {
            self.absent.push(evidence);
        }
    }

    /// Counts an image by the probabilities of its pixels; one without ranked pixels is left out.
    pub fn add_image(&mut self, image: &ProbabilityHistogram, evidence: Evidence) {
        if let Some(evidence) = evidence.of(image) {
            self.add(image.positives(), evidence);
        }
    }

    /// Adds the images of another count.
    pub fn merge(&mut self, other: &Self) {
        self.present.extend_from_slice(&other.present);
        self.absent.extend_from_slice(&other.absent);
    }

    /// Right and wrong answers when an image holds the class for evidence above `threshold`.
    pub fn counts_at(&self, threshold: f64) -> BinaryCounts {
        let above = |evidence: &[f64]| evidence.iter().filter(|&&found| found > threshold).count();
        let (hits, false_alarms) = (above(&self.present), above(&self.absent));
        BinaryCounts {
            hits: hits as u64,
            false_alarms: false_alarms as u64,
            misses: (self.present.len() - hits) as u64,
            rejections: (self.absent.len() - false_alarms) as u64,
        }
    }

    /// The scores of the images so far with an image holding the class for evidence above
    /// `threshold`.
    pub fn scores(&self, threshold: f64) -> PresenceScores {
        let counts = self.counts_at(threshold);
        let groups = self.descending();
        let groups = || groups.iter().map(|(_, group)| *group);
        PresenceScores {
            images: counts.total(),
            present: counts.support(),
            threshold,
            presence_accuracy: counts.accuracy(),
            presence_baseline: counts.majority_baseline(),
            presence_f1: counts.f1().filter(|_| counts.support() > 0),
            presence_auroc: auroc(groups()),
            presence_average_precision: average_precision(groups()),
        }
    }

    /// The threshold with the best F1 of these images, halfway to the next lower evidence; the
    /// highest of equally good ones. `None` when none holds the class.
    ///
    /// Chosen on the images it is then scored on, it flatters: choose it on validation images.
    pub fn best_threshold(&self) -> Option<f64> {
        let groups = self.descending();
        let next_lower = groups.iter().skip(1).map(|(evidence, _)| *evidence);
        let next_lower = next_lower.chain(groups.last().map(|(lowest, _)| lowest - 1.0));
        let (mut hits, mut taken) = (0_u64, 0_u64);
        let mut best: Option<(f64, f64)> = None;
        for ((evidence, group), lower) in groups.iter().zip(next_lower) {
            hits += group.positives;
            taken += group.positives + group.negatives;
            let threshold = f64::midpoint(*evidence, lower);
            let f1 = (2 * hits) as f64 / (self.present.len() as u64 + taken) as f64;
            let is_better = best.is_none_or(|(_, best)| f1 > best);
            if threshold.is_finite() && is_better && hits > 0 {
                best = Some((threshold, f1));
            }
        }
        best.map(|(threshold, _)| threshold)
    }

    /// Images of equal evidence together, with that evidence, most evidence first.
    fn descending(&self) -> Vec<(f64, Group)> {
        let group = |positives, negatives| Group {
            positives,
            negatives,
        };
        let present = self.present.iter().map(|&evidence| (evidence, group(1, 0)));
        let absent = self.absent.iter().map(|&evidence| (evidence, group(0, 1)));
        let mut images: Vec<(f64, Group)> = present.chain(absent).collect();
        // Adding 0 makes one zero of both.
        images.sort_unstable_by(|(a, _), (b, _)| (b + 0.0).total_cmp(&(a + 0.0)));
        let together = images.chunk_by(|(a, _), (b, _)| a == b);
        let sum = |images: &[(f64, Group)]| {
            let counted = images.iter().fold(Group::default(), |sum, (_, image)| {
                group(
                    sum.positives + image.positives,
                    sum.negatives + image.negatives,
                )
            });
            (images[0].0, counted)
        };
        together.map(sum).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_judged_by_their_evidence() {
        let mut images = Presence::default();
        for (truth, evidence) in [(0, 0.0), (0, 12.0), (3, 12.0), (1, 40.0), (9, f64::NAN)] {
            images.add(truth, evidence);
        }
        let scores = images.scores(12.0);
        assert_eq!((scores.images, scores.present), (5, 3));
        // One hit, two misses, two rightly refused.
        assert_eq!(scores.presence_accuracy, Some(0.6));
        assert_eq!(scores.presence_baseline, Some(0.6));
        assert_eq!(scores.presence_f1, Some(0.5));
        // Of six pairs: 40 wins two, 12 wins one and ties one, none loses two.
        assert_eq!(scores.presence_auroc, Some(3.5 / 6.0));
        assert_eq!(Presence::default().scores(0.5).presence_accuracy, None);
    }

    #[test]
    fn probabilities_give_three_kinds_of_evidence() {
        let mut image = ProbabilityHistogram::new(1, 254);
        assert_eq!(Evidence::MaxProbability.of(&image), None);
        image.add(&[0, 1, 1, 255], &[0_u8, 127, 254, 200]);
        assert_eq!(Evidence::MaxProbability.of(&image), Some(1.0));
        assert_eq!(Evidence::MeanProbability.of(&image), Some(0.5));
        assert_eq!(Evidence::PixelsOfLevel(127).of(&image), Some(2.0));
        let (mut images, mut others) = (Presence::default(), Presence::default());
        images.add_image(&image, Evidence::MaxProbability);
        others.add(0, 0.25);
        images.merge(&others);
        assert_eq!(images.scores(0.5).presence_accuracy, Some(1.0));
    }

    #[test]
    fn the_best_threshold_lies_between_images_and_is_none_without_the_class() {
        let mut images = Presence::default();
        assert_eq!(images.best_threshold(), None);
        for (truth, evidence) in [(0, 0.0), (0, 12.0), (3, 20.0), (1, 40.0), (0, 30.0)] {
            images.add(truth, evidence);
        }
        // Above 16 two hits and one false alarm, F1 0.8; above 35 one hit alone, 2/3.
        assert_eq!(images.best_threshold(), Some(16.0));
        assert_eq!(images.scores(16.0).presence_f1, Some(0.8));
        let mut all = Presence::default();
        all.add(1, 0.0);
        assert_eq!(all.best_threshold(), Some(-0.5));
        assert_eq!(all.scores(-0.5).presence_accuracy, Some(1.0));
        let mut absent = Presence::default();
        absent.add(0, 5.0);
        absent.add(1, f64::NAN);
        assert_eq!(absent.best_threshold(), None);
    }

    #[test]
    fn both_zeros_are_the_same_evidence() {
        let mut images = Presence::default();
        images.add(1, -0.0);
        images.add(0, 0.0);
        assert_eq!(images.scores(0.0).presence_auroc, Some(0.5));
    }
}
