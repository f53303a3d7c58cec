#![expect(clippy::inline_always, reason = "only so the loops get the registers")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::scratch::with_scratch;
use super::simd::dispatch;
use super::window::Window;

/// Sums that are made side by side, so that they fit registers.
const LANES: usize = 8;
/// Pixels that are worth a task.
const TASK_PIXELS: usize = 1 << 12;

/// A convolution but its numbers that filters each channel by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depthwise {
    /// With as many channels out as in.
    pub window: Window,
    /// Rows and columns from one output to the next.
    pub stride: [usize; 2],
}

impl Depthwise {
    /// Height and width of what comes out.
    pub fn out_size(&self) -> [usize; 2] {
        let dense = self.window.out_size();
        [0, 1].map(|axis| (dense[axis] - 1) / self.stride[axis] + 1)
    }

    /// The filtered `x` `[N, C, H, W]`, with `weight` `[C, 1, rows, columns]` and `bias` `[C]`.
    pub fn filtered(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let layout = Layout::of(self);
        let (area, out_area, taps) = self.lengths();
        let mut y = vec![0.0; self.num_planes() * out_area];
        let planes = y
            .par_chunks_exact_mut(out_area)
            .zip(x.par_chunks_exact(area));
        let planes = planes.enumerate().with_min_len(self.min_len());
        planes.for_each(|(plane, (y, x))| {
            let channel = plane % self.window.channels[0];
            let weight = &weight[channel * taps..][..taps];
            y.fill(bias[channel]);
            with_scratch(layout.len(), |padded| {
                layout.pad(x, padded);
                dispatch(Filter {
                    padded,
                    weight,
                    y,
                    layout: &layout,
                });
            });
        });
        y
    }

    /// The slope at `x`, where that at the outputs is `slope`.
    pub fn slope(&self, slope: &[f32], weight: &[f32]) -> Vec<f32> {
        let layout = Layout::of(self);
        let (area, out_area, taps) = self.lengths();
        let mut found = vec![0.0; self.num_planes() * area];
        let planes = found
            .par_chunks_exact_mut(area)
            .zip(slope.par_chunks_exact(out_area));
        let planes = planes.enumerate().with_min_len(self.min_len());
        planes.for_each(|(plane, (found, slope))| {
            let weight = &weight[plane % self.window.channels[0] * taps..][..taps];
            with_scratch(layout.len(), |padded| {
                padded.fill(0.0);
                dispatch(Spread {
                    padded,
                    weight,
                    slope,
                    layout: &layout,
                });
                layout.unpad(padded, found);
            });
        });
        found
    }

    /// The slope at the weight, where that at the outputs is `slope`.
    pub fn weight_slope(&self, x: &[f32], slope: &[f32]) -> Vec<f32> {
        let layout = Layout::of(self);
        let (area, out_area, taps) = self.lengths();
        let mut products = vec![0.0; self.num_planes() * taps];
        let planes = x
            .par_chunks_exact(area)
            .zip(slope.par_chunks_exact(out_area));
        let planes = products.par_chunks_exact_mut(taps).zip(planes);
        planes
            .with_min_len(self.min_len())
            .for_each(|(products, (x, slope))| {
                with_scratch(layout.len(), |padded| {
                    layout.pad(x, padded);
                    dispatch(Products {
                        padded,
                        slope,
                        products,
                        layout: &layout,
                    });
                });
            });
        let mut images = products.chunks_exact(self.window.channels[0] * taps);
        let mut total = images.next().map_or_else(Vec::new, <[f32]>::to_vec);
        for image in images {
            for (total, product) in total.iter_mut().zip(image) {
                *total += product;
            }
        }
        total
    }

    const fn num_planes(&self) -> usize {
        self.window.images * self.window.channels[0]
    }

    /// Pixels of a channel in and out, and numbers of its kernel.
    fn lengths(&self) -> (usize, usize, usize) {
        let area = |[height, width]: [usize; 2]| height * width;
        (
            area(self.window.size),
            area(self.out_size()),
            area(self.window.kernel),
        )
    }

    fn min_len(&self) -> usize {
        (TASK_PIXELS / self.lengths().1).max(1)
    }
}

/// How a channel lies in a buffer with the zeros around it: by row, and in a row by the columns
/// that the same tap sees, so that outputs side by side have inputs side by side.
struct Layout {
    size: [usize; 2],
    out_width: usize,
    padding: [[usize; 2]; 2],
    /// Columns from one output to the next.
    stride: usize,
    /// Columns that the same tap sees.
    columns: usize,
    rows: usize,
    /// Rows from one output to the next.
    down: usize,
    /// Where the taps' inputs begin.
    taps: Vec<usize>,
}

impl Layout {
    fn of(depthwise: &Depthwise) -> Self {
        let Window {
            size,
            kernel,
            dilation,
            padding,
            ..
        } = depthwise.window;
        let [down, stride] = depthwise.stride;
        let columns = (padding[1][0] + size[1] + padding[1][1]).div_ceil(stride);
        let tap = |tap: usize| {
            let row = tap / kernel[1] * dilation[0];
            let column = tap % kernel[1] * dilation[1];
            (row * stride + column % stride) * columns + column / stride
        };
        Self {
            size,
            out_width: depthwise.out_size()[1],
            padding,
            stride,
            columns,
            rows: padding[0][0] + size[0] + padding[0][1],
            down,
            taps: (0..kernel[0] * kernel[1]).map(tap).collect(),
        }
    }

    const fn row_len(&self) -> usize {
        self.stride * self.columns
    }

    fn len(&self) -> usize {
        self.rows * self.row_len()
    }

    /// From one row of outputs to the next.
    const fn step(&self) -> usize {
        self.down * self.row_len()
    }

    fn pad(&self, x: &[f32], padded: &mut [f32]) {
        let [[above, _], [before, _]] = self.padding;
        let [height, width] = self.size;
        padded.fill(0.0);
        let rows = padded
            .chunks_exact_mut(self.row_len())
            .skip(above)
            .take(height);
        for (to, from) in rows.zip(x.chunks_exact(width)) {
            if self.stride == 1 {
                to[before..before + width].copy_from_slice(from);
                continue;
            }
            for (column, x) in (before..).zip(from) {
                to[column % self.stride * self.columns + column / self.stride] = *x;
            }
        }
    }

    fn unpad(&self, padded: &[f32], x: &mut [f32]) {
        let [[above, _], [before, _]] = self.padding;
        let width = self.size[1];
        let rows = padded.chunks_exact(self.row_len()).skip(above);
        for (from, to) in rows.zip(x.chunks_exact_mut(width)) {
            if self.stride == 1 {
                to.copy_from_slice(&from[before..before + width]);
                continue;
            }
            for (column, x) in (before..).zip(to) {
                *x = from[column % self.stride * self.columns + column / self.stride];
            }
        }
    }
}

struct Filter<'a> {
    padded: &'a [f32],
    weight: &'a [f32],
    y: &'a mut [f32],
    layout: &'a Layout,
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let rows = self.y.chunks_exact_mut(self.layout.out_width);
        for (row, y) in rows.enumerate() {
            let inputs = &self.padded[row * self.layout.step()..];
            for (weight, tap) in self.weight.iter().zip(&self.layout.taps) {
                for (y, x) in y.iter_mut().zip(&inputs[*tap..]) {
                    *y += weight * x;
                }
            }
        }
    }
}

/// The reverse of [`Filter`].
struct Spread<'a> {
    padded: &'a mut [f32],
    weight: &'a [f32],
    slope: &'a [f32],
    layout: &'a Layout,
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let rows = self.slope.chunks_exact(self.layout.out_width);
        for (row, slope) in rows.enumerate() {
            let inputs = &mut self.padded[row * self.layout.step()..];
            for (weight, tap) in self.weight.iter().zip(&self.layout.taps) {
                for (x, slope) in inputs[*tap..].iter_mut().zip(slope) {
                    *x += weight * slope;
                }
            }
        }
    }
}

/// The sums over a channel of slopes and inputs, by tap.
struct Products<'a> {
    padded: &'a [f32],
    slope: &'a [f32],
    products: &'a mut [f32],
    layout: &'a Layout,
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let width = self.layout.out_width;
        for (product, tap) in self.products.iter_mut().zip(&self.layout.taps) {
            let mut sums = [0.0_f32; LANES];
            let mut rest = 0.0;
            for (row, slope) in self.slope.chunks_exact(width).enumerate() {
                let inputs = &self.padded[row * self.layout.step() + tap..][..width];
                let (blocks, last) = inputs.as_chunks::<LANES>();
                let (slope_blocks, slope_last) = slope.as_chunks::<LANES>();
                for (xs, slopes) in blocks.iter().zip(slope_blocks) {
                    for ((sum, x), slope) in sums.iter_mut().zip(xs).zip(slopes) {
                        *sum += x * slope;
                    }
                }
                for (x, slope) in last.iter().zip(slope_last) {
                    rest += x * slope;
                }
            }
            *product = sums.iter().sum::<f32>() + rest;
        }
    }
}
