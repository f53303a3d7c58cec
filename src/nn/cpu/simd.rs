#![expect(
    clippy::inline_always,
    reason = "only so the kernel gets the registers"
)]

use pulp::{Simd, WithSimd};

/// Numbers in the widest registers that there may be.
pub const MOST_LANES: usize = 16;

/// Runs `kernel` with the widest registers that this processor has.
pub fn dispatch<K: WithSimd>(kernel: K) -> K::Output {
    // Tried here because Burn has the crate without its own choice between the two.
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, kernel);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, kernel);
        }
    }
    pulp::Arch::new().dispatch(kernel)
}

/// The numbers of `x` from `at` on that fit a register.
#[inline(always)]
pub fn load<S: Simd>(x: &[f32], at: u32) -> S::f32s {
    // Said in `u32`, the end needs no check of its own.
    let at = at as usize;
    S::as_simd_f32s(&x[at..at + S::F32_LANES]).0[0]
}
