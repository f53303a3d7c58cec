#![expect(clippy::inline_always, reason = "only so the loops get the registers")]

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::ops::CpuLayers as _;
use super::simd::dispatch;

/// Numbers that are worth a task.
const TASK_LEN: usize = 1 << 14;

/// What follows a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// What is below 0 becomes 0.
    Relu,
    /// What is below 0 becomes 0, what is above 6 becomes 6 (Howard et al. 2017).
    Relu6,
}

impl Activation {
    /// `x` after it.
    pub fn of(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::None => x,
            _ if super::conv::is_ours(&x) => {
                Tensor::from_dispatch(Dispatch::activated(x.into_dispatch(), self))
            }
            Self::Relu => burn::tensor::activation::relu(x),
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }

    /// What it leaves as it is: between the two.
    pub const fn bounds(self) -> [f32; 2] {
        match self {
            Self::None => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }
}

/// Sets the numbers of `x` to what they are after `activation`.
pub fn activate(x: &mut [f32], activation: Activation) {
    let bounds = activation.bounds();
    let tasks = x.par_chunks_mut(TASK_LEN);
    tasks.for_each(|x| dispatch(Activate { x, bounds }));
}

/// Sets `slope` to what it is before `activation`, which gave `y`.
pub fn activation_slope(y: &[f32], slope: &mut [f32], activation: Activation) {
    let bounds = activation.bounds();
    let tasks = slope.par_chunks_mut(TASK_LEN).zip(y.par_chunks(TASK_LEN));
    tasks.for_each(|(slope, y)| dispatch(Stop { slope, y, bounds }));
}

/// `x` within `bounds`.
#[inline(always)]
pub fn bounded(x: f32, [low, high]: [f32; 2]) -> f32 {
    // Not `clamp`, which is slower for its order of comparisons. What is no number stays none.
    let above = if x < low { low } else { x };
    if above > high { high } else { above }
}

struct Activate<'a> {
    x: &'a mut [f32],
    bounds: [f32; 2],
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for x in self.x {
            *x = bounded(*x, self.bounds);
        }
    }
}

struct Stop<'a> {
    slope: &'a mut [f32],
    y: &'a [f32],
    bounds: [f32; 2],
}

impl WithSimd for Stop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let [low, high] = self.bounds;
        for (slope, y) in self.slope.iter_mut().zip(self.y) {
            *slope = if *y > low && *y < high { *slope } else { 0.0 };
        }
    }
}
