use serde::{Deserialize, Serialize};

use super::BinaryCounts;
use super::ratio::ratio;

/// Number of IoU thresholds: 0.50, 0.55 … 0.95.
pub const NUM_THRESHOLDS: usize = 10;

/// The first threshold in twentieths: 0.50.
const FIRST_TWENTIETH: u64 = 10;

/// The score of the TGS Salt Identification Challenge (Kaggle, 2018): for each image the share of
/// the IoU thresholds 0.50, 0.55 … 0.95 that its mask exceeds, then the mean over images.
///
/// An image whose truth and prediction are both empty scores 1, one in which only one of them is
/// empty scores 0. The comparison is strict (an IoU of exactly 0.5 passes nothing) and done in
/// integers, so that no rounding decides. Images without a labeled pixel are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaltPrecision {
    /// Images that were scored.
    pub images: u64,
    /// Images without a labeled pixel.
    pub left_out: u64,
    /// Images whose truth is empty.
    pub empty_truth: u64,
    /// Images that pass each threshold, the lowest threshold first.
    pub passed: [u64; NUM_THRESHOLDS],
}

impl SaltPrecision {
    /// Counts one image from the pixel counts of the class in it
    /// ([`Confusion::binary`](super::Confusion::binary)) and answers with its score, 0 to 1;
    /// `None` when no pixel is labeled.
    pub fn add(&mut self, image: BinaryCounts) -> Option<f64> {
        if image.total() == 0 {
            self.left_out += 1;
            return None;
        }
        let num_passed = num_passed(image);
        self.images += 1;
        self.empty_truth += u64::from(image.support() == 0);
        for passed in &mut self.passed[..num_passed] {
            *passed += 1;
        }
        Some(num_passed as f64 / NUM_THRESHOLDS as f64)
    }

    /// Adds the images of another count.
    pub fn merge(&mut self, other: &Self) {
        self.images += other.images;
        self.left_out += other.left_out;
        self.empty_truth += other.empty_truth;
        for (ours, theirs) in self.passed.iter_mut().zip(other.passed) {
            *ours += theirs;
        }
    }

    /// The mean over the images; `None` when there is none.
    pub fn mean(&self) -> Option<f64> {
        let passed = self.passed.iter().sum();
        ratio(passed, self.images * NUM_THRESHOLDS as u64)
    }

    /// What always answering with an empty mask would score; `None` when there is no image.
    pub fn empty_baseline(&self) -> Option<f64> {
        ratio(self.empty_truth, self.images)
    }

    /// The thresholds, lowest first.
    pub fn thresholds() -> [f64; NUM_THRESHOLDS] {
        std::array::from_fn(|at| (FIRST_TWENTIETH + at as u64) as f64 / 20.0)
    }
}

fn num_passed(image: BinaryCounts) -> usize {
    if image.union() == 0 {
        return NUM_THRESHOLDS;
    }
    // 128 bits: twenty times a count of pixels may be more than 64 bits hold.
    let (hits, union) = (u128::from(image.hits), u128::from(image.union()));
    let exceeds = |twentieths: u64| 20 * hits > u128::from(twentieths) * union;
    (FIRST_TWENTIETH..)
        .take(NUM_THRESHOLDS)
        .take_while(|&threshold| exceeds(threshold))
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(hits: u64, false_alarms: u64, misses: u64) -> BinaryCounts {
        BinaryCounts {
            hits,
            false_alarms,
            misses,
            rejections: 1,
        }
    }

    #[test]
    fn thresholds_are_exceeded_not_met() {
        for (counts, expected) in [
            (image(0, 0, 0), 1.0),
            (image(0, 1, 0), 0.0),
            (image(0, 0, 1), 0.0),
            (image(1, 1, 0), 0.0),
            (image(51, 49, 0), 0.1),
            (image(3, 1, 1), 0.2),
            (image(13, 4, 3), 0.3),
            (image(19, 1, 0), 0.9),
            (image(96, 4, 0), 1.0),
            (image(u64::MAX / 2, 0, 0), 1.0),
        ] {
            assert_eq!(SaltPrecision::default().add(counts), Some(expected));
        }
    }

    #[test]
    fn empty_answers_score_the_share_of_empty_images() {
        let mut counted = SaltPrecision::default();
        for truth in [0, 0, 40, 7] {
            counted.add(image(0, 0, truth));
        }
        assert_eq!(counted.add(BinaryCounts::default()), None);
        assert_eq!(counted.mean(), Some(0.5));
        assert_eq!(counted.empty_baseline(), counted.mean());
        assert_eq!((counted.images, counted.left_out), (4, 1));
        assert_eq!(SaltPrecision::thresholds()[..3], [0.5, 0.55, 0.6]);
    }

    proptest! {
        #[test]
        fn the_order_and_grouping_of_images_do_not_matter(
            images in prop::collection::vec((0_u64..40, 0_u64..20, 0_u64..20), 1..20),
            cut in 0_usize..20,
        ) {
            let counted = |images: &[(u64, u64, u64)]| {
                let mut counted = SaltPrecision::default();
                for &(hits, alarms, misses) in images {
                    counted.add(image(hits, alarms, misses));
                }
                counted
            };
            let (front, back) = images.split_at(cut.min(images.len()));
            let mut merged = counted(back);
            merged.merge(&counted(front));
            prop_assert_eq!(&merged, &counted(&images));
            let mean = merged.mean().expect("images");
            prop_assert!((0.0..=1.0).contains(&mean));
            prop_assert!(merged.passed.is_sorted_by(|a, b| a >= b));
        }
    }
}
