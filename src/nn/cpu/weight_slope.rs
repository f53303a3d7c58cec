#![expect(
    clippy::inline_always,
    reason = "only so the kernel gets the registers"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::scratch::with_scratch;
use super::simd::{MOST_LANES, dispatch};
use super::window::{Strip, Window, tap_offsets};

/// Output channels whose sums are made together.
const OUTPUTS: usize = 4;
/// Taps whose sums are made together.
const TAPS: usize = 3;
/// Pixels that are gone through at a time, to stay near the processor.
const PIXELS: usize = 1024;
/// Output channels of a task.
const TASK_OUTPUTS: usize = 64;
/// Most parts in which the pixels are gone through, for as many threads.
const PARTS: usize = 16;

/// The slope at the weight `[out, in, rows, columns]` of the convolution of `x` `[N, in, H, W]`,
/// where that at the outputs is `slope` `[N, out, H', W']`.
///
/// Sums are made in parts that follow from the sizes alone, so that they are the same to the last
/// bit however many threads there are.
pub fn weight_slope(x: &[f32], slope: &[f32], window: &Window) -> Vec<f32> {
    let strips = Strip::all(window, rows_of_strip(window));
    let [_, outputs] = window.channels;
    let pixels: usize = window.images * window.out_size().iter().product::<usize>();
    let parts = (pixels / (4 * PIXELS)).clamp(1, PARTS);
    let strips: Vec<&[Strip]> = strips.chunks(strips.len().div_ceil(parts)).collect();
    let blocks = (0..outputs).step_by(TASK_OUTPUTS);
    let tasks: Vec<(usize, &[Strip])> = blocks
        .flat_map(|first| strips.iter().map(move |strips| (first, *strips)))
        .collect();
    let sums: Vec<Vec<f32>> = tasks
        .into_par_iter()
        .map(|(first, strips)| {
            Part {
                x,
                slope,
                window,
                strips,
                first,
                outputs: TASK_OUTPUTS.min(outputs - first),
            }
            .sums()
        })
        .collect();
    sums.chunks(strips.len()).flat_map(total).collect()
}

/// The slope at the bias `[out]`, where that at the outputs is `slope` `[N, out, H, W]` of `area`
/// pixels.
pub fn bias_slope(slope: &[f32], outputs: usize, area: usize) -> Vec<f32> {
    let of_image = |image: &[f32]| -> Vec<f32> {
        image
            .chunks_exact(area)
            .map(|plane| plane.iter().sum())
            .collect()
    };
    let images: Vec<Vec<f32>> = slope
        .par_chunks_exact(outputs * area)
        .map(of_image)
        .collect();
    total(&images)
}

/// The sum of `parts`, one after another.
fn total(parts: &[Vec<f32>]) -> Vec<f32> {
    let mut parts = parts.iter();
    let mut total = parts.next().cloned().unwrap_or_default();
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total
}

fn rows_of_strip(window: &Window) -> usize {
    let [height, width] = window.out_size();
    (PIXELS / width).clamp(1, height)
}

/// A part of the strips and of the output channels.
struct Part<'a> {
    x: &'a [f32],
    slope: &'a [f32],
    window: &'a Window,
    strips: &'a [Strip],
    /// The first output channel.
    first: usize,
    /// How many output channels.
    outputs: usize,
}

impl Part<'_> {
    fn sums(&self) -> Vec<f32> {
        let window = self.window;
        let [down, right] = window.reach();
        let longest = self.strips.iter().map(|strip| strip.rows).max();
        let longest = longest.unwrap_or_default();
        // Rows lie end to end, so that a run has one beginning and one end. What is between them
        // and where it was rounded up has no slope.
        let pitch = window.out_size()[1] + right;
        let run = (longest * pitch).next_multiple_of(MOST_LANES);
        let plane = (longest + down) * pitch;
        let inputs_len = window.channels[0] * plane + right + MOST_LANES;
        let slopes_len = self.outputs.next_multiple_of(OUTPUTS) * run;
        let offsets = tap_offsets(window, pitch, plane);
        let mut sums = vec![0.0; self.outputs * offsets.len()];
        let at_a_time = (PIXELS / run).max(1);
        with_scratch(at_a_time * (inputs_len + slopes_len), |buffer| {
            for strips in self.strips.chunks(at_a_time) {
                let (inputs, slopes) = buffer.split_at_mut(at_a_time * inputs_len);
                let inputs = &mut inputs[..strips.len() * inputs_len];
                let slopes = &mut slopes[..strips.len() * slopes_len];
                let buffers = inputs.chunks_exact_mut(inputs_len);
                let buffers = buffers.zip(slopes.chunks_exact_mut(slopes_len));
                for (strip, (inputs, slopes)) in strips.iter().zip(buffers) {
                    strip.copy_inputs(window, self.x, [plane, pitch], inputs);
                    strip.copy_slopes(window, self.slope, self.first, [run, pitch], slopes);
                }
                dispatch(Runs {
                    inputs,
                    inputs_len,
                    slopes,
                    slopes_len,
                    run,
                    offsets: &offsets,
                    sums: &mut sums,
                });
            }
        });
        sums
    }
}

/// Strips side by side, and where the sums of their products go by output and tap.
struct Runs<'a> {
    inputs: &'a [f32],
    inputs_len: usize,
    slopes: &'a [f32],
    slopes_len: usize,
    run: usize,
    offsets: &'a [u32],
    sums: &'a mut [f32],
}

impl WithSimd for Runs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            inputs,
            inputs_len,
            slopes,
            slopes_len,
            run,
            offsets,
            sums,
        } = self;
        let run = Run {
            inputs,
            inputs_len,
            slopes,
            slopes_len,
            run,
        };
        let taps = offsets.len();
        for (block, sums) in sums.chunks_mut(OUTPUTS * taps).enumerate() {
            let first = block * OUTPUTS * run.run;
            for (chunk, offsets) in offsets.chunks(TAPS).enumerate() {
                let at = chunk * TAPS;
                match *offsets {
                    [a, b, c] => run.add(simd, first, [a, b, c], [at, taps], sums),
                    [a, b] => run.add(simd, first, [a, b], [at, taps], sums),
                    [a] => run.add(simd, first, [a], [at, taps], sums),
                    _ => {}
                }
            }
        }
    }
}

struct Run<'a> {
    inputs: &'a [f32],
    inputs_len: usize,
    slopes: &'a [f32],
    slopes_len: usize,
    run: usize,
}

impl Run<'_> {
    /// Adds the products of the slopes from `first` on with the inputs at the `offsets` to `sums`
    /// by output and tap, from tap `at` on.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        first: usize,
        offsets: [u32; N],
        [at, taps]: [usize; 2],
        sums: &mut [f32],
    ) {
        let mut products = [[simd.splat_f32s(0.0); N]; OUTPUTS];
        let all_inputs = self.inputs.chunks_exact(self.inputs_len);
        for (all_inputs, all_slopes) in all_inputs.zip(self.slopes.chunks_exact(self.slopes_len)) {
            let mut inputs: [&[S::f32s]; N] = [&[]; N];
            for (inputs, at) in inputs.iter_mut().zip(offsets) {
                *inputs = S::as_simd_f32s(&all_inputs[at as usize..][..self.run]).0;
            }
            let mut slopes: [&[S::f32s]; OUTPUTS] = [&[]; OUTPUTS];
            for (slopes, output) in slopes.iter_mut().zip(0..) {
                let at: usize = first + output * self.run;
                *slopes = S::as_simd_f32s(&all_slopes[at..][..self.run]).0;
            }
            for at in 0..self.run / S::F32_LANES {
                let mut pixels = [simd.splat_f32s(0.0); N];
                for (pixels, inputs) in pixels.iter_mut().zip(inputs) {
                    *pixels = inputs[at];
                }
                for (products, slopes) in products.iter_mut().zip(slopes) {
                    let slope = slopes[at];
                    for (product, pixels) in products.iter_mut().zip(pixels) {
                        *product = simd.mul_add_f32s(slope, pixels, *product);
                    }
                }
            }
        }
        for (sums, products) in sums.chunks_exact_mut(taps).zip(products) {
            for (sum, product) in sums[at..at + N].iter_mut().zip(products) {
                *sum += simd.reduce_sum_f32s(product);
            }
        }
    }
}
