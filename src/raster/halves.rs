//! Rows of pixels of four halves (IEEE 754 binary16), the fourth of which is opacity.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::shrink::RowPair;

/// The numbers of some bytes.
pub(super) fn widened(bytes: &[u8]) -> Vec<f32> {
    let halves: Vec<f16> = (bytes.as_chunks::<2>().0.iter())
        .map(|&raw| f16::from_ne_bytes(raw))
        .collect();
    halves.to_f32_vec()
}

/// One number.
pub(super) fn number(raw: [u8; 2]) -> f32 {
    f16::from_ne_bytes(raw).to_f32()
}

/// The other way around; what is too large for a half becomes the largest.
pub(super) fn narrowed(numbers: &[f32]) -> Vec<u8> {
    let most = f16::MAX.to_f32();
    let bounded: Vec<f32> = (numbers.iter())
        .map(|number| number.clamp(-most, most))
        .collect();
    let mut halves = vec![f16::ZERO; bounded.len()];
    halves.convert_from_f32_slice(&bounded);
    let mut out = vec![0; 2 * halves.len()];
    for (out, half) in out.as_chunks_mut().0.iter_mut().zip(halves) {
        *out = half.to_ne_bytes();
    }
    out
}

/// The average of each 2 × 2 pixels, weighted by opacity. The last column of an odd width stands for
/// both.
pub(super) fn average(rows: RowPair<'_>, out: &mut [u8]) {
    let rows = [rows.top, rows.bottom].map(widened);
    let [top, bottom] = [&rows[0], &rows[1]].map(|row| row.as_chunks::<4>().0);
    let mut means = Vec::with_capacity(out.len() / 2);
    for left in (0..top.len()).step_by(2) {
        let right = (left + 1).min(top.len() - 1);
        let pixels = [top[left], top[right], bottom[left], bottom[right]];
        let weight: f32 = pixels.iter().map(|pixel| pixel[3]).sum();
        for band in 0..3 {
            let sum: f32 = pixels.iter().map(|pixel| pixel[band] * pixel[3]).sum();
            means.push(if weight > 0.0 { sum / weight } else { 0.0 });
        }
        means.push(weight / 4.0);
    }
    let len = out.len();
    out.copy_from_slice(&narrowed(&means)[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_giants_stay_finite() {
        let numbers = [0.0, 1.0, -0.25, 3.5, 1e9, -1e9];
        let back = widened(&narrowed(&numbers));
        assert_eq!(back, [0.0, 1.0, -0.25, 3.5, 65_504.0, -65_504.0]);
    }

    #[test]
    fn means_leave_out_what_is_hidden() {
        let top = narrowed(&[0.5, 1.0, 2.0, 1.0, 9.0, 9.0, 9.0, 0.0, 4.0, 4.0, 4.0, 1.0]);
        let bottom = narrowed(&[1.5, 3.0, 0.0, 1.0, 9.0, 9.0, 9.0, 0.0, 4.0, 4.0, 4.0, 1.0]);
        let mut out = vec![0; 16];
        average(
            RowPair {
                top: &top,
                bottom: &bottom,
            },
            &mut out,
        );
        assert_eq!(widened(&out), [1.0, 2.0, 1.0, 0.5, 4.0, 4.0, 4.0, 1.0]);
    }
}
