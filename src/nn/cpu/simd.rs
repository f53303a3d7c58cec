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

/// How wide the registers are that sums are made in, in bits; the last bits of sums depend on it.
pub fn simd_bits() -> usize {
    dispatch(CountBits)
}

struct CountBits;

impl WithSimd for CountBits {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        8 * size_of::<f32>() * S::F32_LANES
    }
}

/// The numbers of `x` from `at` on that fit a register.
#[inline(always)]
pub fn load<S: Simd>(x: &[f32], at: u32) -> S::f32s {
    // Said in `u32`, the end needs no check of its own.
    let at = at as usize;
    S::as_simd_f32s(&x[at..at + S::F32_LANES]).0[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_hold_a_power_of_two_of_numbers() {
        let lanes = simd_bits() / 32;
        assert!(lanes.is_power_of_two() && lanes <= MOST_LANES, "{lanes}");
    }
}
