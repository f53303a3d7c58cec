use serde::{Deserialize, Serialize};

use super::{BinaryCounts, Confusion};

/// A number with the range in which 95 % of what chance would have given lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number itself.
    pub value: f64,
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Estimate {
    /// A gain of a ratio in points, like "+3.1 points (+0.4 to +5.9)".
    pub fn in_points(&self) -> String {
        let [value, low, high] = [self.value, self.low, self.high].map(|ratio| ratio * 100.0);
        format!("{value:+.1} points ({low:+.1} to {high:+.1})")
    }
}

/// Two predictions of the same ground compared: the second less the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairedGain {
    /// Gain in mean `IoU` over the classes with truth; `None` without any.
    pub mean_iou: Option<Estimate>,
    /// Gain in `IoU` of each class, `None` for those without truth.
    pub per_class: Vec<Option<Estimate>>,
}

/// How often blocks are drawn anew.
const RESAMPLES: usize = 2_000;

/// Compares two predictions by the blocks of ground that both were counted on, which are drawn
/// anew with replacement (the percentile bootstrap of Efron and Tibshirani 1993; whole blocks,
/// since neighboring pixels err alike). `below` draws a number under the one it is given.
///
/// In each draw the mean goes over the classes that have truth there, the same for both.
pub fn paired_gain(blocks: &[[Confusion; 2]], mut below: impl FnMut(u64) -> u64) -> PairedGain {
    let counted: Vec<Block> = blocks.iter().map(Block::of).collect();
    let Some(first) = blocks.first() else {
        return PairedGain::default();
    };
    let num_classes = first[0].num_classes();
    let whole = gains(num_classes, counted.iter());
    let mut drawn_means = Vec::with_capacity(RESAMPLES);
    let mut drawn_classes = vec![Vec::with_capacity(RESAMPLES); num_classes];
    for _ in 0..RESAMPLES {
        let picks: Vec<usize> = (0..counted.len())
            .map(|_| below(counted.len() as u64) as usize)
            .collect();
        let gains = gains(num_classes, picks.iter().map(|&at| &counted[at]));
        drawn_means.extend(mean(&gains));
        for (drawn, gain) in drawn_classes.iter_mut().zip(&gains) {
            drawn.extend(*gain);
        }
    }
    let per_class = whole.iter().zip(drawn_classes);
    PairedGain {
        mean_iou: mean(&whole).map(|value| estimate(value, drawn_means)),
        per_class: per_class
            .map(|(value, drawn)| value.map(|value| estimate(value, drawn)))
            .collect(),
    }
}

/// What both predictions got right and wrong of each class in a block.
struct Block(Vec<[BinaryCounts; 2]>);

impl Block {
    fn of(both: &[Confusion; 2]) -> Self {
        let of_class = |class| [both[0].binary(class), both[1].binary(class)];
        Self((0..both[0].num_classes()).map(of_class).collect())
    }
}

/// The gain in `IoU` of each class over some blocks.
fn gains<'a>(num_classes: usize, blocks: impl Iterator<Item = &'a Block>) -> Vec<Option<f64>> {
    let mut sums = vec![[BinaryCounts::default(); 2]; num_classes];
    for block in blocks {
        for (sum, counts) in sums.iter_mut().zip(&block.0) {
            for (sum, counts) in sum.iter_mut().zip(counts) {
                *sum = sum.plus(*counts);
            }
        }
    }
    let gain = |[before, after]: [BinaryCounts; 2]| {
        if before.support() == 0 {
            return None;
        }
        Some(after.iou()? - before.iou()?)
    };
    sums.into_iter().map(gain).collect()
}

fn mean(gains: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = gains.iter().copied().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn estimate(value: f64, mut drawn: Vec<f64>) -> Estimate {
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (drawn.len().max(1) - 1) as f64;
        drawn.get(place.round() as usize).copied().unwrap_or(value)
    };
    Estimate {
        value,
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of a block of 100 pixels of two classes, half and half, with so many wrong.
    fn block(wrong: u64) -> Confusion {
        let mut counts = Confusion::new(3);
        for class in [0, 1] {
            counts.add_many(class, class, 50 - wrong);
            counts.add_many(class, 1 - class, wrong);
        }
        counts
    }

    /// A plain generator (Knuth's constants).
    fn dice() -> impl FnMut(u64) -> u64 {
        let mut state = 7_u64;
        move |end| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % end
        }
    }

    #[test]
    fn a_gain_in_every_block_is_above_zero_and_classes_without_truth_are_left_out() {
        let blocks: Vec<_> = (0..12).map(|at| [block(10 + at % 3), block(5)]).collect();
        let gain = paired_gain(&blocks, dice());
        let mean = gain.mean_iou.expect("truth");
        // IoU = 50 - w over 50 + w; w is 11 on average before and 5 after.
        let expected = 45.0 / 55.0 - 39.0 / 61.0;
        assert!((mean.value - expected).abs() < 1e-9, "{mean:?}");
        assert!(0.0 < mean.low && mean.low <= mean.value && mean.value <= mean.high);
        assert_eq!(gain.per_class.len(), 3);
        assert!(gain.per_class[2].is_none());
    }

    #[test]
    fn what_helps_here_and_hurts_there_is_no_gain_for_sure() {
        let blocks: Vec<_> = (0..10)
            .map(|at| match at % 2 {
                0 => [block(10), block(4)],
                _ => [block(5), block(9)],
            })
            .collect();
        let mean = paired_gain(&blocks, dice()).mean_iou.expect("truth");
        assert!(mean.low < 0.0 && mean.high > 0.0, "{mean:?}");
        assert_eq!(paired_gain(&blocks, dice()), paired_gain(&blocks, dice()));
    }

    #[test]
    fn equal_predictions_gain_exactly_nothing_and_no_ground_says_nothing() {
        let blocks: Vec<_> = (0..5).map(|at| [block(at), block(at)]).collect();
        let mean = paired_gain(&blocks, dice()).mean_iou.expect("truth");
        assert_eq!([mean.low, mean.value, mean.high], [0.0; 3]);
        assert_eq!(paired_gain(&[], dice()), PairedGain::default());
    }
}
