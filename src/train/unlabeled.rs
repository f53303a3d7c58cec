use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::dataset::Rng;

/// How ground without labels is learned from: a teacher, which is the running mean of the learning
/// network (Tarvainen and Valpola 2017), says how likely each class is; the network has to say the
/// same of the same patches mixed (`CutMix`; French et al. 2020) and in other colors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unlabeled {
    /// Patches of any training ground for each labelled patch of a step; 0: none.
    pub share: f64,
    /// Weight of the loss on them, beside 1 for that on labels. It rises from 0 in the first tenth
    /// of the training.
    pub weight: f64,
}

impl Default for Unlabeled {
    fn default() -> Self {
        Self {
            share: 0.0,
            weight: 1.0,
        }
    }
}

/// The training's share in which the weight rises.
const RISE: f64 = 0.1;
/// Sides of the rectangle that is taken from another patch, as shares of a patch's side.
const HOLE: [f32; 2] = [0.3, 0.7];
/// Contrast of other colors.
const GAIN: [f32; 2] = [0.85, 1.2];
/// Brightness of other colors, in deviations of the data.
const OFFSET: [f32; 2] = [-0.2, 0.2];

impl Unlabeled {
    /// The greatest share.
    pub const MOST_SHARE: f64 = 16.0;

    /// Patches beside `batch` labelled ones.
    pub fn patches(&self, batch: usize) -> usize {
        (self.share * batch as f64).round() as usize
    }

    /// The weight at `step` of so many.
    pub(super) fn weight_at(&self, step: u64, steps: u64) -> f64 {
        let rise = (RISE * steps as f64).max(1.0);
        self.weight * ((step as f64 + 1.0) / rise).min(1.0)
    }

    /// Says what does not work, if anything; `ema` is that of the weights.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub(super) fn check(&self, ema: Option<f64>) -> Result<(), TrainError> {
        for (field, value, [least, most]) in [
            ("share", self.share, [0.0, Self::MOST_SHARE]),
            ("weight", self.weight, [0.0, 100.0]),
        ] {
            if !(least..=most).contains(&value) {
                return Err(TrainError::Recipe(format!(
                    "unlabeled.{field} is {value}, it must be in {least} to {most}"
                )));
            }
        }
        if self.share > 0.0 && ema.is_none() {
            return Err(TrainError::Recipe(
                "unlabeled.share needs a teacher, which is the running mean of the weights: set \
                 updates.ema, such as 0.99"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// A rectangle of each patch that is taken from the next one.
pub(super) struct Mixing {
    side: usize,
    holes: Vec<[Range<usize>; 2]>,
}

impl Mixing {
    /// One for so many patches of `side`.
    pub(super) fn drawn((len, side): (usize, usize), rng: &mut Rng) -> Self {
        let hole = |_| [drawn_span(side, rng), drawn_span(side, rng)];
        Self {
            side,
            holes: (0..len).map(hole).collect(),
        }
    }

    /// `planes` of all patches, equally many of each, mixed.
    pub(super) fn mixed<T: Copy>(&self, planes: &[T]) -> Vec<T> {
        let mut mixed = planes.to_vec();
        let of_patch = planes.len() / self.holes.len().max(1);
        let area = self.side * self.side;
        for (patch, [rows, columns]) in self.holes.iter().enumerate() {
            let next = (patch + 1) % self.holes.len();
            for plane in (0..of_patch).step_by(area) {
                for row in rows.clone() {
                    let at = plane + row * self.side + columns.start;
                    let [to, from] = [patch, next].map(|patch| patch * of_patch + at);
                    mixed[to..to + columns.len()]
                        .copy_from_slice(&planes[from..from + columns.len()]);
                }
            }
        }
        mixed
    }
}

/// Normalised images of so many patches of `side` in other colors.
pub(super) fn tint(images: &mut [f32], (len, side): (usize, usize), rng: &mut Rng) {
    let of_patch = images.len() / len.max(1);
    for patch in images.chunks_mut(of_patch.max(1)) {
        let gain = rng.between(GAIN[0], GAIN[1]);
        for plane in patch.chunks_mut(side * side) {
            let gain = gain * rng.between(0.95, 1.05);
            let offset = rng.between(OFFSET[0], OFFSET[1]);
            for value in plane {
                *value = *value * gain + offset;
            }
        }
    }
}

fn drawn_span(side: usize, rng: &mut Rng) -> Range<usize> {
    let length = (rng.between(HOLE[0], HOLE[1]) * side as f32) as usize;
    let length = length.clamp(1, side);
    let start = rng.below((side - length + 1) as u64) as usize;
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Batch;

    /// Three patches of 8 × 8 with two channels; each patch is all of one number.
    fn batch() -> Batch {
        Batch {
            images: (0..3).flat_map(|patch| [patch as f32; 128]).collect(),
            labels: (0..3).flat_map(|patch| [patch; 64]).collect(),
            len: 3,
            side: 8,
        }
    }

    fn harder(seed: u64) -> Batch {
        let mut rng = Rng::of(&[seed]);
        let batch = batch();
        let mixing = Mixing::drawn((batch.len, batch.side), &mut rng);
        let mut images = mixing.mixed(&batch.images);
        tint(&mut images, (batch.len, batch.side), &mut rng);
        Batch {
            images,
            labels: mixing.mixed(&batch.labels),
            ..batch
        }
    }

    #[test]
    fn labels_go_with_the_pixels_that_are_mixed_in() {
        for seed in 0..50 {
            let mixed = harder(seed);
            assert_eq!(mixed, harder(seed));
            for patch in 0..3_u8 {
                let at = usize::from(patch);
                let labels = &mixed.labels[at * 64..][..64];
                let next = (patch + 1) % 3;
                assert!(labels.iter().all(|&label| label == patch || label == next));
                let taken: usize = labels.iter().map(|&label| usize::from(label == next)).sum();
                assert!((4..=25).contains(&taken), "{taken}");
                for channel in 0..2 {
                    let plane = &mixed.images[(at * 2 + channel) * 64..][..64];
                    let own = labels.iter().position(|&label| label == patch);
                    let other = labels.iter().position(|&label| label == next);
                    let (own, other) = (own.expect("own"), other.expect("other"));
                    for (value, &label) in plane.iter().zip(labels) {
                        let like = if label == patch { own } else { other };
                        assert!((value - plane[like]).abs() < 1e-6);
                    }
                    assert!((plane[own] - plane[other]).abs() > 0.5, "{plane:?}");
                }
            }
        }
    }

    #[test]
    fn the_weight_rises_in_the_first_tenth() {
        let usual = Unlabeled::default();
        assert!((usual.weight_at(0, 100) - 0.1).abs() < 1e-12);
        assert!((usual.weight_at(4, 100) - 0.5).abs() < 1e-12);
        assert!((usual.weight_at(9, 100) - 1.0).abs() < 1e-12);
        assert!((usual.weight_at(99, 100) - 1.0).abs() < 1e-12);
        assert!((usual.weight_at(0, 3) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let with = |share, weight| Unlabeled { share, weight };
        assert!(with(1.0, 0.5).check(Some(0.99)).is_ok());
        assert!(with(0.0, 0.5).check(None).is_ok());
        for (wrong, ema, named) in [
            (with(1.0, 0.5), None, "updates.ema"),
            (with(-1.0, 0.5), Some(0.9), "unlabeled.share"),
            (with(1.0, f64::NAN), Some(0.9), "unlabeled.weight"),
        ] {
            let error = wrong.check(ema).expect_err("refused").to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
