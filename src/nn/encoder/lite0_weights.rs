use std::collections::BTreeMap;

use burn::tensor::{TensorData, f16};
use serde::Deserialize;

/// The encoder's weights as published, in half precision; see the license beside the file.
static FILE: &[u8] = include_bytes!("../../../assets/weights/efficientnet-lite0.safetensors");

/// Bytes of the number that a safetensors file begins with: the length of its header.
const LENGTH_BYTES: usize = size_of::<u64>();

/// Channels of the images that the published network reads: red, green and blue.
const COLORS: usize = 3;

/// Where one tensor lies in a safetensors file.
#[derive(Deserialize)]
struct Entry {
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The weights of EfficientNet-Lite0 that the program carries, by their published names.
pub(super) struct PretrainedLite0 {
    entries: BTreeMap<String, Entry>,
    values: &'static [u8],
}

impl PretrainedLite0 {
    /// Reads the header of the embedded file.
    pub(super) fn new() -> Self {
        let (length, rest) = FILE.split_at(LENGTH_BYTES);
        let length = u64::from_le_bytes(length.try_into().expect("it was split there"));
        let (header, values) = rest.split_at(length as usize);
        let entries = serde_json::from_slice(header).expect("the embedded file is well formed");
        Self { entries, values }
    }

    /// The crc32c of the embedded file.
    pub(super) fn checksum() -> u32 {
        crc32c::crc32c(FILE)
    }

    /// The tensor called `name`, in single precision.
    pub(super) fn tensor(&self, name: &str) -> TensorData {
        let entry = self
            .entries
            .get(name)
            .expect("the embedded file holds the whole network");
        let [begin, end] = entry.data_offsets;
        let (halves, _) = self.values[begin..end].as_chunks();
        let values: Vec<f32> = halves
            .iter()
            .map(|&half| f16::from_le_bytes(half).to_f32())
            .collect();
        TensorData::new(values, entry.shape.clone())
    }

    /// The first convolution's kernels `[32, in_channels, 3, 3]`.
    ///
    /// With three channels they are the published ones. With fewer, each channel gets its share
    /// of their sum over red, green and blue; with more, the further ones get the mean of the
    /// three, and all are scaled by 3 / `in_channels`. So the sum over the channels stays, and an
    /// image whose channels are all alike is answered as the gray image that it is.
    pub(super) fn stem(&self, in_channels: usize) -> TensorData {
        let published = self.tensor("_conv_stem.weight");
        if in_channels == COLORS {
            return published;
        }
        let [outputs, _, rows, columns] = published.shape().dims();
        let kernel = rows * columns;
        let of_colors: Vec<f32> = published.iter().collect();
        let scale = COLORS as f32 / in_channels as f32;
        let mut values = Vec::with_capacity(outputs * in_channels * kernel);
        for colors in of_colors.chunks_exact(COLORS * kernel) {
            let mean = |at: usize| {
                (0..COLORS)
                    .map(|color| colors[color * kernel + at])
                    .sum::<f32>()
                    / COLORS as f32
            };
            for channel in 0..in_channels {
                let has_color = in_channels > COLORS && channel < COLORS;
                values.extend((0..kernel).map(|at| {
                    let value = if has_color {
                        colors[channel * kernel + at]
                    } else {
                        mean(at)
                    };
                    value * scale
                }));
            }
        }
        TensorData::new(values, [outputs, in_channels, rows, columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_the_published_encoder() {
        let weights = PretrainedLite0::new();
        let names: Vec<&String> = weights.entries.keys().collect();
        let num_values: usize = (names.iter())
            .map(|name| weights.tensor(name).num_elements())
            .sum();
        assert_eq!((names.len(), num_values), (240, 2_998_304));
        assert!(
            names
                .iter()
                .all(|name| weights.tensor(name).iter::<f32>().all(f32::is_finite))
        );
    }

    #[test]
    fn the_kernels_sum_over_channels_whatever_their_number() {
        let weights = PretrainedLite0::new();
        let sums = |in_channels: usize| {
            let stem: Vec<f32> = weights.stem(in_channels).iter().collect();
            assert_eq!(stem.len(), 32 * in_channels * 9);
            stem.chunks_exact(in_channels * 9)
                .flat_map(|kernels| {
                    (0..9).map(|at| kernels.iter().skip(at).step_by(9).sum::<f32>())
                })
                .collect::<Vec<f32>>()
        };
        let expected = sums(3);
        for in_channels in [1, 2, 4, 8] {
            let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-5;
            assert!(!sums(in_channels).iter().zip(&expected).any(differs));
        }
    }

    #[test]
    fn red_green_and_blue_keep_their_kernels_beside_further_channels() {
        let weights = PretrainedLite0::new();
        let of_colors: Vec<f32> = weights.stem(3).iter().collect();
        let of_four: Vec<f32> = weights.stem(4).iter().collect();
        for at in 0..27 {
            assert_eq!(of_four[at], of_colors[at] * 0.75);
        }
    }
}
