/// A kernel of Gaussian weights reaches this many deviations to each side.
const REACH: f64 = 3.0;

/// Blurs RGBA8 of a square of `side` by a Gaussian of `deviation` pixels, mirrored at the edges;
/// alpha stays.
pub(super) fn blur(rgba: &mut [u8], side: usize, deviation: f64) {
    let kernel = kernel(deviation);
    let reach = kernel.len() / 2;
    if reach == 0 {
        return;
    }
    let mirror: Vec<usize> = (0..side + 2 * reach)
        .map(|at| mirrored(at as isize - reach as isize, side))
        .collect();
    let stride = side * 4;
    let mut across = Vec::with_capacity(rgba.len());
    let mut wide = Vec::with_capacity((side + 2 * reach) * 4);
    let mut sums = vec![0_u16; stride];
    for row in rgba.chunks_exact(stride) {
        wide.clear();
        for &from in &mirror {
            wide.extend_from_slice(&row[from * 4..][..4]);
        }
        sums.fill(128);
        for (step, &weight) in kernel.iter().enumerate() {
            add_weighted(&mut sums, &wide[step * 4..][..stride], weight);
        }
        across.extend(sums.iter().map(|sum| (sum >> 8) as u8));
    }
    for (y, row) in rgba.chunks_exact_mut(stride).enumerate() {
        sums.fill(128);
        for (step, &weight) in kernel.iter().enumerate() {
            let from = mirror[y + step] * stride;
            add_weighted(&mut sums, &across[from..][..stride], weight);
        }
        for (pixel, sums) in row
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(sums.as_chunks::<4>().0)
        {
            for channel in 0..3 {
                pixel[channel] = (sums[channel] >> 8) as u8;
            }
        }
    }
}

/// The weights sum to 256, so 16 bits hold any sum of bytes and the half that rounds.
fn add_weighted(sums: &mut [u16], values: &[u8], weight: u16) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = sum.wrapping_add(weight.wrapping_mul(u16::from(value)));
    }
}

/// Weights in 256ths that sum to 256, an odd number of them; what rounding leaves goes to the
/// middle.
fn kernel(deviation: f64) -> Vec<u16> {
    let reach = (deviation * REACH).ceil() as i32;
    let weight = |at: i32| {
        let by = f64::from(at) / deviation.max(f64::MIN_POSITIVE);
        (-0.5 * by * by).exp()
    };
    let total: f64 = (-reach..=reach).map(weight).sum();
    let mut kernel: Vec<u16> = (-reach..=reach)
        .map(|at| (weight(at) / total * 256.0).round() as u16)
        .collect();
    let sides: u16 = (kernel.iter().enumerate())
        .filter(|&(at, _)| at != reach as usize)
        .map(|(_, weight)| weight)
        .sum();
    kernel[reach as usize] = 256 - sides;
    kernel
}

/// As a window is mirrored at an image's edge: without repeating the edge.
const fn mirrored(at: isize, length: usize) -> usize {
    let last = length as isize - 1;
    if last <= 0 {
        return 0;
    }
    let folded = at.rem_euclid(2 * last);
    let back = 2 * last - folded;
    if folded < back {
        folded as usize
    } else {
        back as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_fall_from_the_middle() {
        for tenths in 1..=80 {
            let kernel = kernel(f64::from(tenths) / 10.0);
            assert_eq!(kernel.iter().sum::<u16>(), 256);
            let half = &kernel[..=kernel.len() / 2];
            // Rounding may take a few 256ths from the middle.
            assert!(
                half.windows(2).all(|two| two[0] <= two[1] + 12),
                "{kernel:?}"
            );
        }
        assert_eq!(kernel(0.0), [256]);
    }

    #[test]
    fn a_flat_square_stays_and_a_point_spreads() {
        let flat = [77, 255, 0, 255].repeat(100);
        let mut blurred = flat.clone();
        blur(&mut blurred, 10, 2.0);
        assert_eq!(blurred, flat);
        let mut point = [0, 0, 0, 255].repeat(121);
        point[60 * 4] = 255;
        blur(&mut point, 11, 1.0);
        let red = |x: usize, y: usize| i32::from(point[(y * 11 + x) * 4]);
        // 255 * 0.399^2 = 40.6.
        assert!((39..=42).contains(&red(5, 5)), "{}", red(5, 5));
        assert_eq!((red(4, 5), red(5, 4)), (red(6, 5), red(5, 6)));
        assert_eq!(red(0, 0), 0);
    }

    #[test]
    fn a_kernel_wider_than_the_square_is_mirrored_as_often_as_needed() {
        let mut tiny = [9, 9, 9, 255].repeat(4);
        blur(&mut tiny, 2, 8.0);
        assert_eq!(tiny, [9, 9, 9, 255].repeat(4));
        blur(&mut tiny[..4], 1, 3.0);
    }
}
