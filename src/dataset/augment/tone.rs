/// Gamma, contrast and brightness, the same for each channel.
#[derive(Clone, Debug)]
pub(super) struct Tone([u8; 256]);

impl Tone {
    /// `(value^gamma - 0.5) * contrast + 0.5 + brightness` on values in 0 to 1, cut to them.
    pub(super) fn new(gamma: f64, contrast: f64, brightness: f64) -> Self {
        let toned = |value: usize| {
            let value = (value as f64 / 255.0).powf(gamma);
            (((value - 0.5) * contrast + 0.5 + brightness) * 255.0).round() as u8
        };
        Self(std::array::from_fn(toned))
    }

    pub(super) fn apply(&self, rgba: &mut [u8]) {
        for pixel in rgba.as_chunks_mut::<4>().0 {
            for value in &mut pixel[..3] {
                *value = self.0[usize::from(*value)];
            }
        }
    }
}

/// Bits behind the point of a tint's factors.
const POINT: u32 = 10;

/// Saturation and hue as a matrix on red, green and blue.
#[derive(Clone, Debug)]
pub(super) struct Tint([[i32; 3]; 3]);

impl Tint {
    /// Saturation as a factor, hue as a turn about the grey axis in degrees: `saturate` after
    /// `hueRotate` of W3C Filter Effects (2018), which keep lightness.
    pub(super) fn new(saturation: f64, hue: f64) -> Self {
        const GREY: [f64; 3] = [0.213, 0.715, 0.072];
        const ACROSS: [[f64; 3]; 3] = [
            [-0.213, -0.715, 0.928],
            [0.143, 0.140, -0.283],
            [-0.787, 0.715, 0.072],
        ];
        let (sin, cos) = hue.to_radians().sin_cos();
        let factor = |row: usize, col: usize| {
            let along = f64::from(u8::from(row == col)) - GREY[col];
            let factor = GREY[col] + saturation * (cos * along + sin * ACROSS[row][col]);
            (factor * f64::from(1 << POINT)).round() as i32
        };
        Self(std::array::from_fn(|row| {
            std::array::from_fn(|col| factor(row, col))
        }))
    }

    pub(super) fn apply(&self, rgba: &mut [u8]) {
        for pixel in rgba.as_chunks_mut::<4>().0 {
            let [r, g, b, alpha] = *pixel;
            let [r, g, b] = [r, g, b].map(i32::from);
            // At most 255 * 4 * 3 * 1024 in size: no sum overflows.
            let tinted = self.0.map(|[from_r, from_g, from_b]| {
                let sum = (from_r.wrapping_mul(r))
                    .wrapping_add(from_g.wrapping_mul(g))
                    .wrapping_add(from_b.wrapping_mul(b));
                (sum.wrapping_add(1 << (POINT - 1)) >> POINT).clamp(0, 255) as u8
            });
            *pixel = [tinted[0], tinted[1], tinted[2], alpha];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_by_hand() {
        let toned = |gamma, contrast, brightness, value: u8| {
            let mut pixel = [value, value, value, 9];
            Tone::new(gamma, contrast, brightness).apply(&mut pixel);
            assert_eq!(pixel[3], 9);
            pixel[0]
        };
        assert_eq!(toned(1.0, 1.0, 0.2, 100), 151);
        assert_eq!(toned(1.0, 1.0, 0.9, 100), 255);
        assert_eq!(toned(1.0, 1.0, -0.9, 100), 0);
        // (0.4 - 0.5) * 2 + 0.5 = 0.3.
        assert_eq!(toned(1.0, 2.0, 0.0, 102), 77);
        // 0.4 squared.
        assert_eq!(toned(2.0, 1.0, 0.0, 102), 41);
    }

    #[test]
    fn grey_has_no_color_to_change() {
        for hue in [-180.0, -20.0, 0.0, 77.0] {
            for saturation in [0.0, 0.5, 1.0, 4.0] {
                let mut pixel = [90, 90, 90, 1];
                Tint::new(saturation, hue).apply(&mut pixel);
                assert!(pixel[..3].iter().all(|&value| (89..=91).contains(&value)));
            }
        }
    }

    #[test]
    fn without_saturation_only_lightness_is_left() {
        let mut pixel = [255, 0, 0, 255];
        Tint::new(0.0, 50.0).apply(&mut pixel);
        assert_eq!(pixel, [54, 54, 54, 255]);
        let mut pixel = [10, 200, 30, 255];
        Tint::new(1.0, 0.0).apply(&mut pixel);
        assert_eq!(pixel, [10, 200, 30, 255]);
    }
}
