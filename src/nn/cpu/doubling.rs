use rayon::prelude::*;

use super::correlate::{correlate, turned_weight};
use super::weight_slope::weight_slope;
use super::window::Window;

/// A transposed 2×2 convolution with stride 2 but its numbers: each pixel becomes four, by four
/// 1×1 convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubling {
    /// Number of images.
    pub images: usize,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Height and width of the images.
    pub size: [usize; 2],
}

impl Doubling {
    /// The four convolutions as one: for each output channel, that of the upper left pixel, upper
    /// right, lower left and lower right.
    const fn window(&self) -> Window {
        Window {
            images: self.images,
            channels: [self.channels[0], 4 * self.channels[1]],
            size: self.size,
            kernel: [1, 1],
            dilation: [1, 1],
            padding: [[0; 2]; 2],
        }
    }

    /// Twice as large images `[N, out, 2 H, 2 W]` of `x` `[N, in, H, W]` with `weight` `[in, out,
    /// 2, 2]` and `bias` `[out]`.
    pub fn doubled(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let window = self.window();
        let weight = turned_weight(weight, &window.turned());
        let bias: Vec<f32> = bias.iter().flat_map(|bias| [*bias; 4]).collect();
        self.joined(&correlate(x, &weight, Some(&bias), &window))
    }

    /// The slope at `x`, where that at the outputs is `slope` and [`Doubling::parted`].
    pub fn slope(&self, slope: &[f32], weight: &[f32]) -> Vec<f32> {
        correlate(slope, weight, None, &self.window().turned())
    }

    /// The slope at the weight, where that at the outputs is `slope` and [`Doubling::parted`].
    pub fn weight_slope(&self, x: &[f32], slope: &[f32]) -> Vec<f32> {
        let window = self.window();
        turned_weight(&weight_slope(x, slope, &window), &window)
    }

    /// `[N, out, 2 H, 2 W]` of four images `[N, out × 4, H, W]`.
    fn joined(&self, parts: &[f32]) -> Vec<f32> {
        let [height, width] = self.size;
        let mut joined = vec![0.0; parts.len()];
        let planes = joined.par_chunks_exact_mut(4 * height * width);
        planes
            .zip(parts.par_chunks_exact(4 * height * width))
            .for_each(|(to, from)| {
                let (upper, lower) = from.split_at(2 * height * width);
                for (row, to) in to.chunks_exact_mut(2 * width).enumerate() {
                    let from = if row % 2 == 0 { upper } else { lower };
                    let (left, right) = from.split_at(height * width);
                    let at = row / 2 * width;
                    let from = left[at..at + width].iter().zip(&right[at..at + width]);
                    for (to, (left, right)) in to.as_chunks_mut::<2>().0.iter_mut().zip(from) {
                        *to = [*left, *right];
                    }
                }
            });
        joined
    }

    /// Four images `[N, out × 4, H, W]` of `[N, out, 2 H, 2 W]`.
    pub fn parted(&self, joined: &[f32]) -> Vec<f32> {
        let [height, width] = self.size;
        let mut parts = vec![0.0; joined.len()];
        let planes = parts.par_chunks_exact_mut(4 * height * width);
        planes
            .zip(joined.par_chunks_exact(4 * height * width))
            .for_each(|(to, from)| {
                let (upper, lower) = to.split_at_mut(2 * height * width);
                for (row, from) in from.chunks_exact(2 * width).enumerate() {
                    let to = if row % 2 == 0 {
                        &mut *upper
                    } else {
                        &mut *lower
                    };
                    let (left, right) = to.split_at_mut(height * width);
                    let at = row / 2 * width;
                    let to = left[at..at + width]
                        .iter_mut()
                        .zip(&mut right[at..at + width]);
                    for ((left, right), from) in to.zip(from.as_chunks::<2>().0) {
                        [*left, *right] = *from;
                    }
                }
            });
        parts
    }
}
