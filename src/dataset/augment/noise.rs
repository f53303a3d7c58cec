use std::sync::LazyLock;

use crate::dataset::Rng;

/// As many values as 12 bits choose from.
const QUANTILES: usize = 4096;

/// The standard normal distribution cut into equally likely values.
static NORMAL: LazyLock<Vec<f32>> = LazyLock::new(|| {
    const STEP: f64 = 1e-4;
    let mut quantiles = Vec::with_capacity(QUANTILES);
    // Below -6 lies less than a hundred thousandth of one value's share.
    let (mut at, mut below) = (-6.0_f64, 0.0);
    while quantiles.len() < QUANTILES {
        let middle = at + STEP / 2.0;
        below += (-0.5 * middle * middle).exp() * STEP / std::f64::consts::TAU.sqrt();
        at += STEP;
        while quantiles.len() < QUANTILES
            && (below > (quantiles.len() as f64 + 0.5) / QUANTILES as f64 || at > 6.0)
        {
            quantiles.push(at as f32);
        }
    }
    quantiles
});

/// Adds Gaussian noise of `deviation` (of colors in 0 to 1) to each color alone.
pub(super) fn add_noise(rgba: &mut [u8], deviation: f64, rng: &mut Rng) {
    let scaled = |value: &f32| (f64::from(*value) * deviation * 255.0).round() as i16;
    let table: Vec<i16> = NORMAL.iter().map(scaled).collect();
    for pixel in rgba.as_chunks_mut::<4>().0 {
        let bits = rng.bits();
        for (channel, value) in pixel[..3].iter_mut().enumerate() {
            let by = table[(bits >> (channel * 12)) as usize % QUANTILES];
            *value = i16::from(*value).wrapping_add(by).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_deviation_asked_for_in_each_channel() {
        let mut rgba = [128, 128, 128, 7].repeat(40_000);
        add_noise(&mut rgba, 0.04, &mut Rng::of(&[3]));
        for channel in 0..3 {
            let values: Vec<f64> = (rgba.chunks(4))
                .map(|pixel| f64::from(pixel[channel]) - 128.0)
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|value| value * value).sum::<f64>();
            let deviation = (square / values.len() as f64).sqrt();
            // 0.04 * 255 = 10.2.
            assert!(
                mean.abs() < 0.2 && (deviation - 10.2).abs() < 0.2,
                "{mean} {deviation}"
            );
        }
        assert!(rgba.chunks(4).all(|pixel| pixel[3] == 7));
    }

    #[test]
    fn the_values_are_those_of_the_normal_distribution() {
        assert_eq!(NORMAL.len(), QUANTILES);
        assert!(NORMAL[QUANTILES / 2].abs() < 1e-3);
        // 97.5 of 100 lie below 1.96.
        assert!((NORMAL[QUANTILES * 975 / 1000] - 1.96).abs() < 0.01);
        assert!((NORMAL[0] + NORMAL[QUANTILES - 1]).abs() < 0.02);
    }

    #[test]
    fn colors_stay_bytes() {
        let mut rgba = [0, 255, 3, 255].repeat(1000);
        add_noise(&mut rgba, 0.5, &mut Rng::of(&[4]));
        let at = |channel: usize, value: u8| rgba.chunks(4).any(|pixel| pixel[channel] == value);
        assert!(at(0, 0) && at(1, 255) && at(2, 0));
    }
}
