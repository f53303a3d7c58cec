use serde::{Deserialize, Serialize};

use super::augment::ColorShift;
use super::bands::PICTURE_CHANNELS;

/// Mean and standard deviation of each channel of the training ground, values in 0 to 1. Part of
/// a model: images are read with the same numbers ever after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of each channel: red, green and blue where nothing else is said.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel; never 0.
    pub std: Vec<f32>,
}

/// So that a flat image is not blown up to noise.
const LEAST_STD: f64 = 0.02;

impl Normalization {
    /// Measures the opaque pixels among RGBA8 `samples`; middling numbers when there are none.
    pub fn measured<'a>(samples: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::of_channels(PICTURE_CHANNELS, samples)
    }

    /// As [`Self::measured`] for any number of channels: each sample is the RGBA8 pictures of a
    /// piece of ground, three channels each, one after another.
    pub(super) fn of_channels<'a>(
        num_channels: usize,
        samples: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let num_pictures = num_channels.div_ceil(PICTURE_CHANNELS);
        let mut sums = vec![([0_u64; 3], [0_u64; 3], 0_u64); num_pictures];
        for sample in samples {
            let picture_len = (sample.len() / num_pictures).max(1);
            for (picture, sums) in sample.chunks_exact(picture_len).zip(&mut sums) {
                add_opaque(picture, sums);
            }
        }
        if sums[0].2 == 0 {
            return Self {
                mean: vec![0.5; num_channels],
                std: vec![0.25; num_channels],
            };
        }
        let of_channel = |channel: usize| {
            let (sum, square, count) = &sums[channel / PICTURE_CHANNELS];
            let (slot, count) = (channel % PICTURE_CHANNELS, *count as f64);
            let mean = sum[slot] as f64 / count / 255.0;
            let of_squares = square[slot] as f64 / count / (255.0 * 255.0);
            let variance = (of_squares - mean * mean).max(0.0);
            (mean as f32, variance.sqrt().max(LEAST_STD) as f32)
        };
        let (mean, std) = (0..num_channels).map(of_channel).unzip();
        Self { mean, std }
    }

    /// Channels.
    pub const fn num_channels(&self) -> usize {
        self.mean.len()
    }

    /// The mean as a color of each picture.
    pub(super) fn mean_colors(&self) -> Vec<[u8; 3]> {
        let last = self.mean.len() - 1;
        let color = |first: usize| {
            [first, first + 1, first + 2]
                .map(|channel| (self.mean[channel.min(last)] * 255.0).round() as u8)
        };
        (0..self.mean.len())
            .step_by(PICTURE_CHANNELS)
            .map(color)
            .collect()
    }

    /// Writes RGBA8 `pixels`, of as many pictures as the channels need, as a normalised plane for
    /// each channel to `planes`. Transparent pixels become 0, the mean.
    pub fn fill_planes(&self, pixels: &[u8], planes: &mut [f32]) {
        self.fill_shifted(pixels, &ColorShift::NONE, planes);
    }

    /// As [`Self::fill_planes`] after `gain * value + offset` on values in 0 to 1.
    pub(super) fn fill_shifted(&self, pixels: &[u8], shift: &ColorShift, planes: &mut [f32]) {
        let length = planes.len() / self.mean.len();
        let pictures: Vec<&[u8]> = pixels.chunks_exact((length * 4).max(4)).collect();
        for (channel, plane) in planes.chunks_exact_mut(length.max(1)).enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let (gain, offset) = shift.of_channel(channel);
            let table: Vec<f32> = (0..256u16)
                .map(|value| {
                    let value = f32::from(value) / 255.0 * gain + offset;
                    (value.clamp(0.0, 1.0) - mean) / std
                })
                .collect();
            let picture = pictures[channel / PICTURE_CHANNELS];
            let slot = channel % PICTURE_CHANNELS;
            for (value, pixel) in plane.iter_mut().zip(picture.chunks_exact(4)) {
                *value = if pixel[3] > 0 {
                    table[usize::from(pixel[slot])]
                } else {
                    0.0
                };
            }
        }
    }
}

/// Sums of the colors of opaque pixels, of their squares, and how many there are.
fn add_opaque(rgba: &[u8], (sum, square, count): &mut ([u64; 3], [u64; 3], u64)) {
    for pixel in rgba.chunks_exact(4) {
        if pixel[3] > 0 {
            *count += 1;
            for channel in 0..3 {
                let value = u64::from(pixel[channel]);
                sum[channel] += value;
                square[channel] += value * value;
            }
        }
    }
}

/// How a class's weight follows from how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassBalance {
    /// By the square root of the inverse frequency; at most 10 times the least.
    SqrtInverse,
    /// By the inverse frequency; at most 100 times the least.
    Inverse,
    /// By the median of the frequencies over the class's own; not limited, as published.
    MedianFrequency,
}

/// Class weights that make rare classes count, from the labelled pixels of each. All but those by
/// the median have a mean of 1 over the pixels. Classes that do not occur have weight 1 (no pixel
/// asks for it).
pub fn class_weights(pixels: &[u64], balance: ClassBalance) -> Vec<f32> {
    let raw: Vec<f64> = match balance {
        ClassBalance::SqrtInverse => limited(pixels, f64::sqrt, 10.0),
        ClassBalance::Inverse => limited(pixels, |count| count, 100.0),
        ClassBalance::MedianFrequency => {
            let mut seen: Vec<u64> = pixels.iter().copied().filter(|&count| count > 0).collect();
            seen.sort_unstable();
            let upper = seen.get(seen.len() / 2).copied().unwrap_or(1);
            let lower = seen.get(seen.len().saturating_sub(1) / 2).copied();
            let median = f64::midpoint(lower.unwrap_or(1) as f64, upper as f64);
            pixels
                .iter()
                .map(|&count| median / count.max(1) as f64)
                .collect()
        }
    };
    let total: f64 = pixels.iter().map(|&count| count as f64).sum();
    let weighted = pixels
        .iter()
        .zip(&raw)
        .map(|(&count, raw)| count as f64 * raw);
    let sum: f64 = weighted.sum();
    let scale = match balance {
        ClassBalance::MedianFrequency => 1.0,
        _ if sum > 0.0 => total / sum,
        _ => 1.0,
    };
    let weight = |(&count, raw): (&u64, &f64)| match count {
        0 => 1.0,
        _ => (raw * scale) as f32,
    };
    pixels.iter().zip(&raw).map(weight).collect()
}

/// The most frequent class's measure over each class's, at most `most`.
fn limited(pixels: &[u64], measure: fn(f64) -> f64, most: f64) -> Vec<f64> {
    let measured = |&count: &u64| measure(count as f64);
    let greatest = pixels.iter().map(measured).fold(0.0, f64::max);
    let weight = |count: &u64| (greatest / measured(count).max(1.0)).min(most);
    pixels.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_by_hand() {
        let pixels = [0, 51, 255, 255, 255, 153, 255, 255, 9, 9, 9, 0];
        let found = Normalization::measured([&pixels[..]]);
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(
            near(found.mean[0], 0.5) && near(found.std[0], 0.5),
            "{found:?}"
        );
        assert!(
            near(found.mean[1], 0.4) && near(found.std[1], 0.2),
            "{found:?}"
        );
        assert!(
            near(found.mean[2], 1.0) && near(found.std[2], 0.02),
            "{found:?}"
        );
    }

    #[test]
    fn transparent_pixels_become_the_mean() {
        let normalization = Normalization {
            mean: vec![0.0, 0.5, 1.0],
            std: vec![1.0, 0.5, 1.0],
        };
        let mut planes = [9.0; 6];
        normalization.fill_planes(&[255, 255, 255, 255, 255, 255, 255, 0], &mut planes);
        let expected = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0_f32];
        let is_near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-6;
        assert!(planes.iter().zip(&expected).all(is_near), "{planes:?}");
    }

    #[test]
    fn channels_behind_the_third_are_those_of_further_pictures() {
        // Two pixels, the second without data, of two pictures.
        let sample = [51, 0, 0, 255, 9, 9, 9, 0, 102, 204, 0, 255, 9, 9, 9, 0];
        let found = Normalization::of_channels(5, [&sample[..]]);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        let means = [0.2, 0.0, 0.0, 0.4, 0.8];
        assert!(found.mean.iter().zip(&means).all(near), "{found:?}");
        assert_eq!(found.mean_colors(), [[51, 0, 0], [102, 204, 204]]);
        let unit = Normalization {
            mean: vec![0.0; 5],
            std: vec![1.0; 5],
        };
        let mut planes = [9.0; 10];
        unit.fill_planes(&sample, &mut planes);
        let expected = [0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.8, 0.0];
        assert!(planes.iter().zip(&expected).all(near), "{planes:?}");
    }

    #[test]
    fn rare_classes_weigh_more_with_a_mean_of_one() {
        let weights = class_weights(&[400, 100, 0], ClassBalance::SqrtInverse);
        // Ratio 2; 400 a + 100 (2 a) = 500.
        assert!((weights[0] - 5.0 / 6.0).abs() < 1e-6 && (weights[1] - 5.0 / 3.0).abs() < 1e-6);
        assert!((weights[2] - 1.0).abs() < 1e-6);
        let capped = class_weights(&[1_000_000_000, 1], ClassBalance::SqrtInverse);
        assert!((capped[1] / capped[0] - 10.0).abs() < 1e-3);
        assert!(
            class_weights(&[0, 0], ClassBalance::Inverse)
                .iter()
                .all(|weight| (weight - 1.0).abs() < 1e-6)
        );
    }

    #[test]
    fn inverse_and_median_frequencies_are_as_published() {
        // Ratio 4; 400 a + 100 (4 a) = 500.
        let inverse = class_weights(&[400, 100, 0], ClassBalance::Inverse);
        assert!((inverse[0] - 0.625).abs() < 1e-6 && (inverse[1] - 2.5).abs() < 1e-6);
        let median = class_weights(&[400, 100, 200, 0], ClassBalance::MedianFrequency);
        assert_eq!(median, [0.5, 2.0, 1.0, 1.0]);
    }
}
