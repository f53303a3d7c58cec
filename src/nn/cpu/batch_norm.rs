#![expect(clippy::inline_always, reason = "only so the loops get the registers")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::activation::{Activation, bounded};
use super::simd::dispatch;

/// Sums that are made side by side, so that they fit registers.
const LANES: usize = 16;
/// Numbers that are worth a task.
const TASK_LEN: usize = 1 << 14;

/// A batch norm (Ioffe & Szegedy 2015) and what follows it, but its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormShape {
    /// Number of channels.
    pub channels: usize,
    /// Pixels of an image.
    pub area: usize,
    /// Added to variances.
    pub epsilon: f32,
    /// What follows.
    pub activation: Activation,
}

/// What a batch norm did to each channel, `[C]` each.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// The mean of the batch.
    pub mean: Vec<f32>,
    /// The variance of the batch, divided by the number of its values.
    pub variance: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    /// By how much a deviation from the mean was multiplied before `gamma`.
    steepness: Vec<f32>,
}

/// `x` `[N, C, H, W]` on the scale of the batch, and that scale. Sums are made image by image,
/// in the same order however many threads there are.
pub fn batch_norm(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    shape: &NormShape,
) -> (Vec<f32>, Scaling) {
    let scaling = shape.scaling(x, gamma, beta);
    let mut y = vec![0.0; x.len()];
    let planes = y
        .par_chunks_exact_mut(shape.area)
        .zip(x.par_chunks_exact(shape.area));
    planes
        .enumerate()
        .with_min_len(shape.min_len())
        .for_each(|(plane, (y, x))| {
            dispatch(Apply {
                x,
                y,
                plane: scaling.plane(plane % shape.channels, shape),
            });
        });
    (y, scaling)
}

/// Sets `x` `[N, C, H, W]` to what it is on a scale that is known.
pub fn to_scale(x: &mut [f32], scaling: &Scaling, shape: &NormShape) {
    let planes = x.par_chunks_exact_mut(shape.area).enumerate();
    planes.with_min_len(shape.min_len()).for_each(|(plane, x)| {
        let plane = scaling.plane(plane % shape.channels, shape);
        dispatch(ApplyInPlace { x, plane });
    });
}

/// The slopes at the inputs, at `gamma` and at `beta` of a batch norm of `x`, where that at the
/// outputs is `slope`.
pub fn batch_norm_slopes(
    x: &[f32],
    slope: &[f32],
    scaling: &Scaling,
    shape: &NormShape,
) -> [Vec<f32>; 3] {
    let planes = x
        .par_chunks_exact(shape.area)
        .zip(slope.par_chunks_exact(shape.area));
    let sums: Vec<[f32; 2]> = planes
        .enumerate()
        .with_min_len(shape.min_len())
        .map(|(plane, (x, slope))| {
            let plane = scaling.plane(plane % shape.channels, shape);
            dispatch(SlopeSums { x, slope, plane })
        })
        .collect();
    let mut totals = vec![[0.0_f64; 2]; shape.channels];
    for sums in sums.chunks_exact(shape.channels) {
        for (total, sums) in totals.iter_mut().zip(sums) {
            *total = [total[0] + f64::from(sums[0]), total[1] + f64::from(sums[1])];
        }
    }
    let count = (x.len() / shape.channels) as f64;
    let mut found = vec![0.0; x.len()];
    let planes = x
        .par_chunks_exact(shape.area)
        .zip(slope.par_chunks_exact(shape.area));
    let planes = found.par_chunks_exact_mut(shape.area).zip(planes);
    planes
        .enumerate()
        .with_min_len(shape.min_len())
        .for_each(|(plane, (found, (x, slope)))| {
            let channel = plane % shape.channels;
            let means = totals[channel].map(|total| (total / count) as f32);
            let plane = scaling.plane(channel, shape);
            dispatch(Slopes {
                x,
                slope,
                found,
                means,
                plane,
            });
        });
    let [of_gamma, of_beta] = [1, 0].map(|at| totals.iter().map(|sums| sums[at] as f32).collect());
    [found, of_gamma, of_beta]
}

impl NormShape {
    fn min_len(&self) -> usize {
        (TASK_LEN / self.area).max(1)
    }

    fn scaling(&self, x: &[f32], gamma: &[f32], beta: &[f32]) -> Scaling {
        let moments: Vec<[f64; 2]> = x
            .par_chunks_exact(self.area)
            .with_min_len(self.min_len())
            .map(|plane| dispatch(Moments(plane)))
            .collect();
        let images = (moments.len() / self.channels) as f64;
        let of_channel = |channel: usize| {
            let planes = || moments[channel..].iter().step_by(self.channels);
            let mean = planes().map(|[mean, _]| mean).sum::<f64>() / images;
            let within = planes().map(|[_, variance]| variance).sum::<f64>() / images;
            let between = planes()
                .map(|[plane, _]| (plane - mean).powi(2))
                .sum::<f64>()
                / images;
            (mean as f32, (within + between) as f32)
        };
        let (mean, variance): (Vec<f32>, Vec<f32>) = (0..self.channels).map(of_channel).unzip();
        Scaling::new(
            [mean, variance, gamma.to_vec(), beta.to_vec()],
            self.epsilon,
        )
    }
}

impl Scaling {
    /// With the mean, the variance, `gamma` and `beta` of each channel.
    pub fn new([mean, variance, gamma, beta]: [Vec<f32>; 4], epsilon: f32) -> Self {
        let steepness = |variance: &f32| (variance + epsilon).sqrt().recip();
        Self {
            steepness: variance.iter().map(steepness).collect(),
            mean,
            variance,
            gamma,
            beta,
        }
    }

    fn plane(&self, channel: usize, shape: &NormShape) -> Plane {
        Plane {
            mean: self.mean[channel],
            steepness: self.steepness[channel],
            factor: self.gamma[channel] * self.steepness[channel],
            beta: self.beta[channel],
            bounds: shape.activation.bounds(),
        }
    }
}

/// What holds for a channel of an image.
#[derive(Clone, Copy)]
struct Plane {
    mean: f32,
    steepness: f32,
    factor: f32,
    beta: f32,
    bounds: [f32; 2],
}

impl Plane {
    #[inline(always)]
    fn before_activation(&self, x: f32) -> f32 {
        (x - self.mean) * self.factor + self.beta
    }

    /// The slope before the activation.
    #[inline(always)]
    fn passed(&self, x: f32, slope: f32) -> f32 {
        let [low, high] = self.bounds;
        let y = self.before_activation(x);
        if y > low && y < high { slope } else { 0.0 }
    }
}

/// The mean and the variance of some numbers.
struct Moments<'a>(&'a [f32]);

impl WithSimd for Moments<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [f64; 2] {
        let count = self.0.len() as f64;
        let (blocks, rest) = self.0.as_chunks::<LANES>();
        let mut sums = [0.0_f32; LANES];
        for block in blocks {
            for (sum, x) in sums.iter_mut().zip(block) {
                *sum += x;
            }
        }
        let mean = (total(&sums) + total(rest)) / count;
        let center = mean as f32;
        let mut sums = [0.0_f32; LANES];
        for block in blocks {
            for (sum, x) in sums.iter_mut().zip(block) {
                *sum += (x - center) * (x - center);
            }
        }
        let mut squares = total(&sums);
        for x in rest {
            squares += f64::from((x - center) * (x - center));
        }
        [mean, squares / count]
    }
}

fn total(sums: &[f32]) -> f64 {
    sums.iter().copied().map(f64::from).sum()
}

struct Apply<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    plane: Plane,
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (y, x) in self.y.iter_mut().zip(self.x) {
            *y = bounded(self.plane.before_activation(*x), self.plane.bounds);
        }
    }
}

struct ApplyInPlace<'a> {
    x: &'a mut [f32],
    plane: Plane,
}

impl WithSimd for ApplyInPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for x in self.x {
            *x = bounded(self.plane.before_activation(*x), self.plane.bounds);
        }
    }
}

/// The sum of the slopes before the activation, and of their products with the numbers on the
/// scale of the batch.
struct SlopeSums<'a> {
    x: &'a [f32],
    slope: &'a [f32],
    plane: Plane,
}

impl WithSimd for SlopeSums<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [f32; 2] {
        let plane = self.plane;
        let (blocks, rest) = self.x.as_chunks::<LANES>();
        let (slope_blocks, slope_rest) = self.slope.as_chunks::<LANES>();
        let mut sums = [[0.0_f32; LANES]; 2];
        for (xs, slopes) in blocks.iter().zip(slope_blocks) {
            for lane in 0..LANES {
                let slope = plane.passed(xs[lane], slopes[lane]);
                sums[0][lane] += slope;
                sums[1][lane] += slope * (xs[lane] - plane.mean);
            }
        }
        let mut totals = [total(&sums[0]), total(&sums[1])];
        for (x, slope) in rest.iter().zip(slope_rest) {
            let slope = plane.passed(*x, *slope);
            totals[0] += f64::from(slope);
            totals[1] += f64::from(slope * (x - plane.mean));
        }
        [totals[0] as f32, totals[1] as f32 * plane.steepness]
    }
}

struct Slopes<'a> {
    x: &'a [f32],
    slope: &'a [f32],
    found: &'a mut [f32],
    /// The mean of what [`SlopeSums`] sums.
    means: [f32; 2],
    plane: Plane,
}

impl WithSimd for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let plane = self.plane;
        let [mean, tilt] = [self.means[0], self.means[1] * plane.steepness];
        for ((found, x), slope) in self.found.iter_mut().zip(self.x).zip(self.slope) {
            let slope = plane.passed(*x, *slope);
            *found = plane.factor * (slope - mean - (x - plane.mean) * tilt);
        }
    }
}
