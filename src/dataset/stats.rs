use serde::{Deserialize, Serialize};

/// Mean and standard deviation of each channel of the training ground, values in 0 to 1. Part of
/// a model: images are read with the same numbers ever after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of red, green and blue.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue; never 0.
    pub std: [f32; 3],
}

/// So that a flat image is not blown up to noise.
const LEAST_STD: f64 = 0.02;

impl Normalization {
    /// Measures the opaque pixels among RGBA8 `samples`; middling numbers when there are none.
    pub fn measured<'a>(samples: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut sum, mut square, mut count) = ([0u64; 3], [0u64; 3], 0u64);
        for pixel in samples.into_iter().flat_map(|rgba| rgba.chunks_exact(4)) {
            if pixel[3] > 0 {
                count += 1;
                for channel in 0..3 {
                    let value = u64::from(pixel[channel]);
                    sum[channel] += value;
                    square[channel] += value * value;
                }
            }
        }
        if count == 0 {
            return Self {
                mean: [0.5; 3],
                std: [0.25; 3],
            };
        }
        let mean = sum.map(|sum| sum as f64 / count as f64 / 255.0);
        let mut std = [0.0; 3];
        for channel in 0..3 {
            let of_squares = square[channel] as f64 / count as f64 / (255.0 * 255.0);
            let variance = (of_squares - mean[channel] * mean[channel]).max(0.0);
            std[channel] = variance.sqrt().max(LEAST_STD) as f32;
        }
        Self {
            mean: mean.map(|mean| mean as f32),
            std,
        }
    }

    /// The mean as a color.
    pub(super) fn mean_color(&self) -> [u8; 3] {
        self.mean.map(|mean| (mean * 255.0).round() as u8)
    }

    /// Writes RGBA8 `pixels` as three normalised planes to `planes`, which has three floats a
    /// pixel. Transparent pixels become 0, the mean.
    pub fn fill_planes(&self, pixels: &[u8], planes: &mut [f32]) {
        self.fill_shifted(pixels, ([1.0; 3], [0.0; 3]), planes);
    }

    /// As [`Self::fill_planes`] after `gain * value + offset` on values in 0 to 1.
    pub(super) fn fill_shifted(
        &self,
        pixels: &[u8],
        (gain, offset): ([f32; 3], [f32; 3]),
        planes: &mut [f32],
    ) {
        let length = pixels.len() / 4;
        for (channel, plane) in planes.chunks_exact_mut(length).enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let table: Vec<f32> = (0..256u16)
                .map(|value| {
                    let value = f32::from(value) / 255.0 * gain[channel] + offset[channel];
                    (value.clamp(0.0, 1.0) - mean) / std
                })
                .collect();
            for (value, pixel) in plane.iter_mut().zip(pixels.chunks_exact(4)) {
                *value = if pixel[3] > 0 {
                    table[usize::from(pixel[channel])]
                } else {
                    0.0
                };
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
            mean: [0.0, 0.5, 1.0],
            std: [1.0, 0.5, 1.0],
        };
        let mut planes = [9.0; 6];
        normalization.fill_planes(&[255, 255, 255, 255, 255, 255, 255, 0], &mut planes);
        let expected = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0_f32];
        let is_near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-6;
        assert!(planes.iter().zip(&expected).all(is_near), "{planes:?}");
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
