use serde::{Deserialize, Serialize};

use super::SampleId;
use super::units::Unit;

/// What the parts are to have alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Strata {
    /// Which classes occur.
    Occurrence,
    /// How much of the labelled ground is of some classes, in bins of equally many samples; none
    /// at all is a bin of its own.
    Coverage {
        /// The classes whose pixels count, for example salt.
        classes: Vec<u8>,
        /// Number of bins, at least 1.
        bins: u32,
    },
}

impl Strata {
    /// `units` ordered so that those of one stratum stand together, by key within it, and the
    /// number of strata.
    pub(super) fn ordered(&self, units: Vec<Unit>, samples: &[SampleId<'_>]) -> (Vec<Unit>, usize) {
        let pixels: Vec<Vec<u64>> = units.iter().map(|unit| pixels_of(unit, samples)).collect();
        let strata = match self {
            Self::Occurrence => pixels.iter().map(|pixels| occurring(pixels)).collect(),
            Self::Coverage { classes, bins } => coverage_bins(&pixels, classes, *bins),
        };
        let mut tagged: Vec<([u64; 4], Unit)> = strata.into_iter().zip(units).collect();
        tagged.sort_by(|(a, x), (b, y)| (a, x.key, &x.name).cmp(&(b, y.key, &y.name)));
        let num_strata = tagged.chunk_by(|(a, _), (b, _)| a == b).count();
        (
            tagged.into_iter().map(|(_, unit)| unit).collect(),
            num_strata,
        )
    }
}

/// Pixels of each class of all members; the last label is no class.
fn pixels_of(unit: &Unit, samples: &[SampleId<'_>]) -> Vec<u64> {
    let mut sum = vec![0u64; 255];
    for pixels in unit
        .members
        .iter()
        .filter_map(|&at| samples[at].class_pixels)
    {
        for (sum, &pixels) in sum.iter_mut().zip(pixels) {
            *sum = sum.saturating_add(pixels);
        }
    }
    sum
}

/// One bit for each class.
fn occurring(pixels: &[u64]) -> [u64; 4] {
    let mut bits = [0; 4];
    for (class, _) in pixels.iter().enumerate().filter(|&(_, &pixels)| pixels > 0) {
        bits[class / 64] |= 1 << (class % 64);
    }
    bits
}

fn coverage_bins(pixels: &[Vec<u64>], classes: &[u8], bins: u32) -> Vec<[u64; 4]> {
    let share = |pixels: &Vec<u64>| {
        let all: f64 = pixels.iter().map(|&pixels| pixels as f64).sum();
        let chosen = (0..=254u8).filter(|class| classes.contains(class));
        let chosen: f64 = chosen.map(|class| pixels[usize::from(class)] as f64).sum();
        if all > 0.0 { chosen / all } else { 0.0 }
    };
    let shares: Vec<f64> = pixels.iter().map(share).collect();
    let mut some: Vec<f64> = shares
        .iter()
        .copied()
        .filter(|&share| share > 0.0)
        .collect();
    some.sort_by(f64::total_cmp);
    let bins = bins.clamp(1, 1000) as usize;
    let edges: Vec<f64> = (1..bins)
        .filter_map(|bin| some.get(bin * some.len() / bins).copied())
        .collect();
    let bin = |&share: &f64| {
        if share > 0.0 {
            1 + edges.iter().filter(|&&edge| share >= edge).count() as u64
        } else {
            0
        }
    };
    shares.iter().map(|share| [bin(share), 0, 0, 0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(pixels: &[u64]) -> Vec<u64> {
        let mut all = vec![0; 255];
        all[..pixels.len()].copy_from_slice(pixels);
        all
    }

    #[test]
    fn coverage_falls_into_bins_of_equal_size() {
        let pixels: Vec<Vec<u64>> = [0, 0, 10, 20, 30, 40]
            .iter()
            .map(|&salt| wide(&[100 - salt, salt]))
            .collect();
        let bins: Vec<u64> = coverage_bins(&pixels, &[1], 2)
            .iter()
            .map(|bin| bin[0])
            .collect();
        assert_eq!(bins, [0, 0, 1, 1, 2, 2]);
        assert!(coverage_bins(&[], &[1], 3).is_empty());
        assert_eq!(coverage_bins(&[wide(&[0, 0])], &[1, 200], 0), [[0; 4]]);
    }

    #[test]
    fn classes_that_occur_are_bits() {
        let mut pixels = vec![0; 255];
        pixels[0] = 5;
        pixels[65] = 1;
        assert_eq!(occurring(&pixels), [1, 2, 0, 0]);
    }
}
