use super::BinaryCounts;
use crate::label::UNLABELED;

/// How often each probability of one class was given to pixels of that class and to others: all
/// that is needed for curves over every threshold, in a memory that does not grow with the ground.
///
/// Probabilities are whole levels from 0 to `top`, the level that stands for 1 (255 for bytes, 254
/// where 255 means no data, 65,535 for 16 bits). All pixels of a level are taken or left together,
/// so the figures are exact for the levels and lie near those of unrounded probabilities.
///
/// Pixels whose truth is [`UNLABELED`] are ignored. Pixels with a level above `top` have no
/// prediction: they cannot be ranked and are only counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbabilityHistogram {
    class: u8,
    /// By level: pixels of the class and pixels of others.
    levels: Vec<Group>,
    ignored: u64,
    unpredicted: u64,
}

/// What has one probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// Pixels (or images) of the class.
    pub positives: u64,
    /// Pixels (or images) of no or another class.
    pub negatives: u64,
}

/// A threshold and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The lowest level that is taken for the class.
    pub level: u16,
    /// What that gets right and wrong.
    pub counts: BinaryCounts,
}

impl ProbabilityHistogram {
    /// No pixels yet; `top` is the level that stands for probability 1, at least 1.
    pub fn new(class: u8, top: u16) -> Self {
        Self {
            class,
            levels: vec![Group::default(); usize::from(top.max(1)) + 1],
            ignored: 0,
            unpredicted: 0,
        }
    }

    /// Counts pixel by pixel: the class that is there and the level of this histogram's class.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add<L: Copy + Into<u16>>(&mut self, truth: &[u8], levels: &[L]) {
        assert_eq!(truth.len(), levels.len(), "one level a pixel of truth");
        for (&truth, &level) in truth.iter().zip(levels) {
            self.add_many(truth, level.into(), 1);
        }
    }

    /// Counts `pixels` pixels of one truth and one level.
    pub fn add_many(&mut self, truth: u8, level: u16, pixels: u64) {
        if truth == UNLABELED {
            self.ignored += pixels;
        } else if let Some(group) = self.levels.get_mut(usize::from(level)) {
            if truth == self.class {
                group.positives += pixels;
            } else {
                group.negatives += pixels;
            }
        } else {
            self.unpredicted += pixels;
        }
    }

    /// Adds the pixels of another count.
    ///
    /// # Panics
    /// When it is of another class or has another top level.
    pub fn merge(&mut self, other: &Self) {
        let kind = |counted: &Self| (counted.class, counted.top());
        assert_eq!(kind(self), kind(other), "levels of the same class");
        for (ours, theirs) in self.levels.iter_mut().zip(&other.levels) {
            ours.positives += theirs.positives;
            ours.negatives += theirs.negatives;
        }
        self.ignored += other.ignored;
        self.unpredicted += other.unpredicted;
    }

    /// The level that stands for probability 1.
    pub fn top(&self) -> u16 {
        (self.levels.len() - 1) as u16
    }

    /// The level nearest to a probability, which is cut to 0 … 1; 0 for NaN.
    pub fn level_of(&self, probability: f64) -> u16 {
        (probability * f64::from(self.top()))
            .round()
            .clamp(0.0, f64::from(self.top())) as u16
    }

    /// The probability that a level stands for.
    pub fn probability_of(&self, level: u16) -> f64 {
        f64::from(level) / f64::from(self.top())
    }

    /// Pixels without truth.
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Labeled pixels without a prediction; they are in none of the figures.
    pub const fn unpredicted(&self) -> u64 {
        self.unpredicted
    }

    /// Ranked pixels of the class.
    pub fn positives(&self) -> u64 {
        self.levels.iter().map(|group| group.positives).sum()
    }

    /// The highest level that a ranked pixel has.
    pub fn highest_level(&self) -> Option<u16> {
        let is_used = |group: &Group| group.positives + group.negatives > 0;
        self.levels
            .iter()
            .rposition(is_used)
            .map(|level| level as u16)
    }

    /// The mean probability of the ranked pixels, 0 to 1.
    pub fn mean_probability(&self) -> Option<f64> {
        let (mut pixels, mut levels) = (0_u64, 0_u128);
        for (level, group) in self.levels.iter().enumerate() {
            let here = group.positives + group.negatives;
            pixels += here;
            levels += here as u128 * level as u128;
        }
        (pixels > 0).then(|| levels as f64 / pixels as f64 / f64::from(self.top()))
    }

    /// Area under the curve of true over false positive rates: the chance that a pixel of the class
    /// has a higher level than another pixel, ties counting half.
    ///
    /// The trapezoids are summed up in integers. `None` without pixels of either kind.
    pub fn auroc(&self) -> Option<f64> {
        auroc(self.levels.iter().rev().copied())
    }

    /// Σ (Rₙ - Rₙ₋₁) · Pₙ over the thresholds from the highest down, without interpolation; `None`
    /// without pixels of the class.
    pub fn average_precision(&self) -> Option<f64> {
        average_precision(self.levels.iter().rev().copied())
    }

    /// What taking every pixel of at least `level` for the class gets right and wrong.
    pub fn counts_at(&self, level: u16) -> BinaryCounts {
        let at = usize::from(level).min(self.levels.len());
        let sum = |groups: &[Group]| {
            groups.iter().fold((0, 0), |(positives, negatives), group| {
                (positives + group.positives, negatives + group.negatives)
            })
        };
        let (misses, rejections) = sum(&self.levels[..at]);
        let (hits, false_alarms) = sum(&self.levels[at..]);
        BinaryCounts {
            hits,
            false_alarms,
            misses,
            rejections,
        }
    }

    /// Every level as a threshold, from the lowest up, each at the cost of one addition: the points
    /// of the ROC, precision-recall and F1 curves.
    pub fn sweep(&self) -> impl Iterator<Item = Threshold> {
        let below = |counts: &mut BinaryCounts, (level, group): (usize, &Group)| {
            let threshold = Threshold {
                level: level as u16,
                counts: *counts,
            };
            counts.hits -= group.positives;
            counts.misses += group.positives;
            counts.false_alarms -= group.negatives;
            counts.rejections += group.negatives;
            Some(threshold)
        };
        self.levels
            .iter()
            .enumerate()
            .scan(self.counts_at(0), below)
    }

    /// The threshold with the highest F1; the middle one where neighbors are equally good, the
    /// lowest such run where there are several. `None` without pixels of the class.
    ///
    /// Chosen on the ground it is then scored on, it flatters: choose it on validation ground.
    pub fn best_f1(&self) -> Option<Threshold> {
        let mut best: Option<(Threshold, u16)> = None;
        for candidate in self.sweep() {
            let Some((first, last)) = &mut best else {
                best = Some((candidate, candidate.level));
                continue;
            };
            match compare_f1(candidate.counts, first.counts) {
                std::cmp::Ordering::Greater => best = Some((candidate, candidate.level)),
                std::cmp::Ordering::Equal if candidate.level == *last + 1 => {
                    *last = candidate.level;
                }
                _ => {}
            }
        }
        let (first, last) = best.filter(|(first, _)| first.counts.support() > 0)?;
        let level = u16::midpoint(first.level, last);
        Some(Threshold {
            level,
            counts: self.counts_at(level),
        })
    }
}

/// Compares two F1 exactly; both have the same support, above 0.
fn compare_f1(a: BinaryCounts, b: BinaryCounts) -> std::cmp::Ordering {
    let parts = |counts: BinaryCounts| {
        let whole = counts.support() + counts.predicted();
        (u128::from(counts.hits), u128::from(whole))
    };
    let ((a_hits, a_whole), (b_hits, b_whole)) = (parts(a), parts(b));
    (a_hits * b_whole).cmp(&(b_hits * a_whole))
}

/// The area under the ROC curve of groups in descending order of evidence.
pub(super) fn auroc(descending: impl Iterator<Item = Group>) -> Option<f64> {
    let (mut positives, mut negatives, mut doubled_area) = (0_u64, 0_u64, 0_u128);
    for group in descending {
        doubled_area += u128::from(group.negatives) * u128::from(2 * positives + group.positives);
        positives += group.positives;
        negatives += group.negatives;
    }
    let whole = 2 * u128::from(positives) * u128::from(negatives);
    (whole > 0).then(|| doubled_area as f64 / whole as f64)
}

/// The average precision of groups in descending order of evidence.
pub(super) fn average_precision(descending: impl Iterator<Item = Group>) -> Option<f64> {
    let (mut hits, mut taken, mut sum) = (0_u64, 0_u64, 0.0);
    for group in descending.filter(|group| group.positives + group.negatives > 0) {
        hits += group.positives;
        taken += group.positives + group.negatives;
        sum += group.positives as f64 * (hits as f64 / taken as f64);
    }
    (hits > 0).then(|| sum / hits as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(pixels: &[(u8, u8)], top: u16) -> ProbabilityHistogram {
        let mut histogram = ProbabilityHistogram::new(1, top);
        let (truth, levels): (Vec<u8>, Vec<u8>) = pixels.iter().copied().unzip();
        histogram.add(&truth, &levels);
        histogram
    }

    #[test]
    fn four_pixels_are_as_computed_by_hand() {
        // By falling level: class, other, class, other; one pair of four is the wrong way round.
        let found = counted(&[(0, 26), (0, 102), (1, 90), (1, 204), (255, 9)], 255);
        assert_eq!(found.auroc(), Some(0.75));
        assert_eq!(
            found.average_precision(),
            Some(f64::midpoint(1.0, 2.0 / 3.0))
        );
        assert_eq!(found.counts_at(91).precision(), Some(0.5));
        let best = found.best_f1().expect("pixels of the class");
        // Levels 27 to 90 find both and take one wrongly.
        assert_eq!((best.level, best.counts.f1()), (58, Some(0.8)));
        assert_eq!((found.ignored(), found.positives()), (1, 2));
        assert_eq!(found.highest_level(), Some(204));
        assert_eq!(found.mean_probability(), Some(105.5 / 255.0));
    }

    #[test]
    fn ties_count_half_and_missing_kinds_are_none() {
        assert_eq!(counted(&[(0, 7), (1, 7)], 254).auroc(), Some(0.5));
        let only_others = counted(&[(0, 7), (2, 255)], 254);
        assert_eq!((only_others.auroc(), only_others.best_f1()), (None, None));
        assert_eq!(only_others.average_precision(), None);
        assert_eq!(only_others.unpredicted(), 1);
        assert_eq!(counted(&[(1, 3)], 254).auroc(), None);
    }

    #[test]
    fn levels_stand_for_probabilities() {
        let wide = ProbabilityHistogram::new(1, u16::MAX);
        for (probability, level) in [(0.0, 0), (1.0, 65_535), (2.0, 65_535), (f64::NAN, 0)] {
            assert_eq!(wide.level_of(probability), level);
        }
        assert_eq!(wide.probability_of(wide.level_of(0.2)), 0.2);
    }

    proptest! {
        #[test]
        fn curves_keep_their_promises(
            pixels in prop::collection::vec((0_u8..3, 0_u8..12), 1..60), cut in 0_usize..60
        ) {
            let (front, back) = pixels.split_at(cut.min(pixels.len()));
            let mut merged = counted(back, 10);
            merged.merge(&counted(front, 10));
            prop_assert_eq!(&merged, &counted(&pixels, 10));
            for point in merged.sweep() {
                prop_assert_eq!(point.counts, merged.counts_at(point.level));
                let best = merged.best_f1().and_then(|best| best.counts.f1());
                prop_assert!(best.is_none() || best >= point.counts.f1());
            }
            let found = [merged.auroc(), merged.average_precision(), merged.mean_probability()];
            prop_assert!(found.into_iter().flatten().all(|value| (0.0..=1.0).contains(&value)));
            let turned: Vec<_> = pixels.iter().filter(|pixel| pixel.1 <= 10)
                .map(|&(truth, level)| (truth, 10 - level)).collect();
            if let (Some(area), Some(turned)) = (merged.auroc(), counted(&turned, 10).auroc()) {
                prop_assert!((area + turned - 1.0).abs() < 1e-12);
            }
        }
    }
}
