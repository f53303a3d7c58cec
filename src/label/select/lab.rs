/// Colors in CIELAB (D65 white), one list a coordinate so that loops over them vectorize.
pub(super) struct LabPixels {
    /// Lightness, 0 to 100.
    pub(super) lightness: Vec<f32>,
    /// From green (below zero) to red.
    pub(super) a: Vec<f32>,
    /// From blue (below zero) to yellow.
    pub(super) b: Vec<f32>,
}

/// The D65 reference white of IEC 61966-2-1 (sRGB) as X and Z; Y is 1.
const WHITE: (f32, f32) = (0.950_47, 1.088_83);

/// Where the cube root of CIELAB becomes a straight line, which is (6 / 29)³.
const LINEAR_BELOW: f32 = 216.0 / 24_389.0;

impl LabPixels {
    /// The colors of sRGB pixels; alpha does not matter.
    ///
    /// sRGB to XYZ by IEC 61966-2-1, XYZ to CIELAB by ISO/CIE 11664-4.
    pub(super) fn of(pixels: &[[u8; 4]]) -> Self {
        let linear: [f32; 256] = std::array::from_fn(|value| linear(value as f32 / 255.0));
        let mut lab = Self {
            lightness: Vec::with_capacity(pixels.len()),
            a: Vec::with_capacity(pixels.len()),
            b: Vec::with_capacity(pixels.len()),
        };
        for pixel in pixels {
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(|value| linear[usize::from(value)]);
            let x = (0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b) / WHITE.0;
            let y = 0.212_672_9 * r + 0.715_152_2 * g + 0.072_175 * b;
            let z = (0.019_333_9 * r + 0.119_192 * g + 0.950_304_1 * b) / WHITE.1;
            let [x, y, z] = [x, y, z].map(compressed);
            lab.lightness.push(116.0 * y - 16.0);
            lab.a.push(500.0 * (x - y));
            lab.b.push(200.0 * (y - z));
        }
        lab
    }

    /// Lightness, a and b of one pixel.
    pub(super) fn get(&self, index: usize) -> [f32; 3] {
        [self.lightness[index], self.a[index], self.b[index]]
    }
}

/// Linear light of an sRGB value, both 0 to 1.
fn linear(value: f32) -> f32 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// The function f of CIELAB.
fn compressed(value: f32) -> f32 {
    if value > LINEAR_BELOW {
        value.cbrt()
    } else {
        value * (841.0 / 108.0) + 4.0 / 29.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colors_have_their_known_coordinates() {
        let known = [
            ([255, 255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0, 255], [0.0, 0.0, 0.0]),
            ([255, 0, 0, 255], [53.24, 80.09, 67.20]),
            ([0, 255, 0, 0], [87.73, -86.18, 83.18]),
            ([0, 0, 255, 255], [32.30, 79.19, -107.86]),
        ];
        for (pixel, expected) in known {
            let lab = LabPixels::of(&[pixel]).get(0);
            let is_near = |(found, wanted): (&f32, &f32)| (found - wanted).abs() < 0.02;
            assert!(lab.iter().zip(&expected).all(is_near), "{pixel:?}: {lab:?}");
        }
    }
}
