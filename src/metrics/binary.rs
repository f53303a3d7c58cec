use serde::{Deserialize, Serialize};

use super::ratio::ratio;

/// What a yes-or-no answer got right and wrong: pixels of one class against all others, or images.
///
/// Ratios go from 0 to 1 and are `None` where they would divide by nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryCounts {
    /// True and answered yes ("true positives").
    pub hits: u64,
    /// Not true and answered yes ("false positives").
    pub false_alarms: u64,
    /// True and answered no, or not at all ("false negatives").
    pub misses: u64,
    /// Not true and answered no ("true negatives").
    pub rejections: u64,
}

impl BinaryCounts {
    /// Everything that was counted.
    pub const fn total(self) -> u64 {
        self.hits + self.false_alarms + self.misses + self.rejections
    }

    /// What is true.
    pub const fn support(self) -> u64 {
        self.hits + self.misses
    }

    /// What was answered yes.
    pub const fn predicted(self) -> u64 {
        self.hits + self.false_alarms
    }

    /// What is true, was answered yes, or both.
    pub const fn union(self) -> u64 {
        self.hits + self.false_alarms + self.misses
    }

    /// The counts of both.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            false_alarms: self.false_alarms + other.false_alarms,
            misses: self.misses + other.misses,
            rejections: self.rejections + other.rejections,
        }
    }

    /// Share of all that was answered right.
    pub fn accuracy(self) -> Option<f64> {
        ratio(self.hits + self.rejections, self.total())
    }

    /// The accuracy of always giving the answer that is right more often.
    pub fn majority_baseline(self) -> Option<f64> {
        let support = self.support();
        ratio(support.max(self.total() - support), self.total())
    }

    /// Share of the yes that are true.
    pub fn precision(self) -> Option<f64> {
        ratio(self.hits, self.predicted())
    }

    /// Share of what is true that was answered yes.
    pub fn recall(self) -> Option<f64> {
        ratio(self.hits, self.support())
    }

    /// Intersection over union; 0 when nothing is true but something was answered yes.
    pub fn iou(self) -> Option<f64> {
        ratio(self.hits, self.union())
    }

    /// Harmonic mean of precision and recall, the same as the Dice coefficient; 0 when nothing is
    /// true but something was answered yes.
    pub fn f1(self) -> Option<f64> {
        ratio(2 * self.hits, self.support() + self.predicted())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(hits: u64, false_alarms: u64, misses: u64, rejections: u64) -> BinaryCounts {
        BinaryCounts {
            hits,
            false_alarms,
            misses,
            rejections,
        }
    }

    #[test]
    fn ratios_are_as_computed_by_hand() {
        let found = counts(6, 2, 4, 8);
        assert_eq!(found.accuracy(), Some(0.7));
        assert_eq!(found.majority_baseline(), Some(0.5));
        assert_eq!(found.precision(), Some(0.75));
        assert_eq!(found.recall(), Some(0.6));
        assert_eq!(found.iou(), Some(0.5));
        assert_eq!(found.f1(), Some(12.0 / 18.0));
        let nothing = counts(0, 0, 0, 5);
        assert_eq!((nothing.precision(), nothing.recall()), (None, None));
        assert_eq!((nothing.iou(), nothing.f1()), (None, None));
        assert_eq!(counts(0, 3, 0, 0).iou(), Some(0.0));
    }

    proptest! {
        #[test]
        fn f1_follows_from_iou(hits in 0_u64..1000, alarms in 0_u64..1000, misses in 0_u64..1000) {
            let found = counts(hits, alarms, misses, 7);
            if let (Some(iou), Some(f1)) = (found.iou(), found.f1()) {
                prop_assert!((f1 - 2.0 * iou / (1.0 + iou)).abs() < 1e-12);
                prop_assert!((0.0..=1.0).contains(&iou) && iou <= f1 && f1 <= 1.0);
            }
        }
    }
}
