#![expect(
    clippy::inline_always,
    reason = "only so the kernel gets the registers"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::scratch::with_scratch;
use super::simd::{MOST_LANES, dispatch, load};
use super::window::{Strip, Window, tap_offsets};

/// Output channels that are made together.
const OUTPUTS: usize = 4;
/// Registers of neighboring pixels that are made together. With [`OUTPUTS`], the sums, the pixels
/// and a weight take 16 registers, which is what there are.
const RUN: usize = 3;
/// Numbers of a strip's inputs, to stay near the processor.
const STRIP_LEN: usize = 1 << 16;

/// The convolution of `x` `[N, in, H, W]` with `weight` `[out, in, rows, columns]` and, if any,
/// `bias` `[out]`.
///
/// Each number is summed in the same order however many threads there are.
pub fn correlate(x: &[f32], weight: &[f32], bias: Option<&[f32]>, window: &Window) -> Vec<f32> {
    let window = &window.flat();
    let [height, width] = window.out_size();
    let mut y = vec![0.0; window.images * window.channels[1] * height * width];
    let weights = in_blocks(weight, window.num_taps());
    let rows = rows_of_strip(window);
    let strips = Strip::all(window, rows);
    let mut outs: Vec<Vec<&mut [f32]>> = Vec::new();
    outs.resize_with(strips.len(), || Vec::with_capacity(window.channels[1]));
    let strips_of_image = strips.len() / window.images;
    for (plane, numbers) in y.chunks_exact_mut(height * width).enumerate() {
        let first = plane / window.channels[1] * strips_of_image;
        for (strip, numbers) in numbers.chunks_mut(rows * width).enumerate() {
            outs[first + strip].push(numbers);
        }
    }
    let pitch = width.next_multiple_of(MOST_LANES) + window.reach()[1];
    let plane = (rows + window.reach()[0]) * pitch;
    let offsets = tap_offsets(window, pitch, plane);
    strips.par_iter().zip(outs).for_each(|(strip, mut out)| {
        with_scratch(window.channels[0] * plane, |inputs| {
            strip.copy_inputs(window, x, [plane, pitch], inputs);
            dispatch(Correlate {
                inputs,
                offsets: &offsets,
                weights: &weights,
                bias: bias.unwrap_or_default(),
                size: [strip.rows, width],
                pitch,
                out: &mut out,
            });
        });
    });
    y
}

/// The kernel that takes slopes at the outputs to slopes at the inputs, of `weight` `[out, in,
/// rows, columns]`.
pub fn turned_weight(weight: &[f32], window: &Window) -> Vec<f32> {
    let [inputs, outputs] = window.channels;
    let area = window.kernel[0] * window.kernel[1];
    let mut turned = Vec::with_capacity(weight.len());
    for input in 0..inputs {
        for output in 0..outputs {
            let kernel = &weight[(output * inputs + input) * area..][..area];
            turned.extend(kernel.iter().rev());
        }
    }
    turned
}

/// `weight` by [`OUTPUTS`] output channels, then by tap, with zeros for what is missing.
fn in_blocks(weight: &[f32], taps: usize) -> Vec<[f32; OUTPUTS]> {
    let mut blocks = Vec::with_capacity((weight.len() / taps).div_ceil(OUTPUTS) * taps);
    for block in weight.chunks(OUTPUTS * taps) {
        for tap in 0..taps {
            let of_output = |output: usize| block.get(output * taps + tap).copied();
            blocks.push(std::array::from_fn(|output| {
                of_output(output).unwrap_or(0.0)
            }));
        }
    }
    blocks
}

fn rows_of_strip(window: &Window) -> usize {
    let [height, width] = window.out_size();
    let [down, right] = window.reach();
    let row = window.channels[0] * (width + right);
    (STRIP_LEN / row)
        .saturating_sub(down)
        .max(4.max(down / 4))
        .min(height)
}

/// A register's worth of output pixels.
#[derive(Clone, Copy)]
struct Spot {
    /// Where its inputs begin.
    from: u32,
    /// Where it goes in the strip's outputs.
    to: usize,
    /// Number of pixels that go there.
    len: usize,
}

/// The work on a strip.
struct Correlate<'a, 'y> {
    inputs: &'a [f32],
    offsets: &'a [u32],
    weights: &'a [[f32; OUTPUTS]],
    bias: &'a [f32],
    /// Rows and columns of the outputs.
    size: [usize; 2],
    pitch: usize,
    /// The rows of the strip in each output channel.
    out: &'a mut [&'y mut [f32]],
}

impl WithSimd for Correlate<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let spots = spots(self.size, self.pitch, S::F32_LANES);
        let blocks = self.weights.chunks_exact(self.offsets.len());
        for ((block, weights), out) in blocks.enumerate().zip(self.out.chunks_mut(OUTPUTS)) {
            let mut bias = [0.0; OUTPUTS];
            for (to, from) in bias.iter_mut().zip(self.bias.iter().skip(block * OUTPUTS)) {
                *to = *from;
            }
            let run = Run {
                inputs: self.inputs,
                offsets: self.offsets,
                weights,
                bias,
            };
            let mut rest = spots.as_slice();
            while let Some((spots, others)) = rest.split_first_chunk::<RUN>() {
                run.write(simd, spots, out);
                rest = others;
            }
            match rest {
                [a, b] => run.write(simd, &[*a, *b], out),
                [a] => run.write(simd, &[*a], out),
                _ => {}
            }
        }
    }
}

fn spots([rows, width]: [usize; 2], pitch: usize, lanes: usize) -> Vec<Spot> {
    let of_row = |row| {
        (0..width).step_by(lanes).map(move |column| Spot {
            from: (row * pitch + column) as u32,
            to: row * width + column,
            len: lanes.min(width - column),
        })
    };
    (0..rows).flat_map(of_row).collect()
}

/// What the pixels of a strip have in common in a block of output channels.
struct Run<'a> {
    inputs: &'a [f32],
    offsets: &'a [u32],
    weights: &'a [[f32; OUTPUTS]],
    bias: [f32; OUTPUTS],
}

impl Run<'_> {
    #[inline(always)]
    fn write<S: Simd, const N: usize>(&self, simd: S, spots: &[Spot; N], out: &mut [&mut [f32]]) {
        let mut sums = [[simd.splat_f32s(0.0); N]; OUTPUTS];
        for (sums, bias) in sums.iter_mut().zip(self.bias) {
            *sums = [simd.splat_f32s(bias); N];
        }
        let mut inputs = [self.inputs; N];
        for (inputs, spot) in inputs.iter_mut().zip(spots) {
            *inputs = &inputs[spot.from as usize..];
        }
        for (weights, offset) in self.weights.iter().zip(self.offsets) {
            let mut pixels = [simd.splat_f32s(0.0); N];
            for (pixels, inputs) in pixels.iter_mut().zip(inputs) {
                *pixels = load::<S>(inputs, *offset);
            }
            for (sums, weight) in sums.iter_mut().zip(weights) {
                let weight = simd.splat_f32s(*weight);
                for (sum, pixels) in sums.iter_mut().zip(pixels) {
                    *sum = simd.mul_add_f32s(weight, pixels, *sum);
                }
            }
        }
        for (out, sums) in out.iter_mut().zip(sums) {
            for (spot, sum) in spots.iter().zip(sums) {
                let out = &mut out[spot.to..spot.to + spot.len];
                match S::as_mut_simd_f32s(out).0 {
                    [out] => *out = sum,
                    _ => simd.partial_store_f32s(out, sum),
                }
            }
        }
    }
}
