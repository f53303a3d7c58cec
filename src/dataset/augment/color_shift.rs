use crate::dataset::Rng;

/// `gain * value + offset` for each channel, values in 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::dataset) struct ColorShift {
    pub(in crate::dataset) gain: [f32; 3],
    pub(in crate::dataset) offset: [f32; 3],
}

impl ColorShift {
    /// The shift that changes nothing.
    pub(in crate::dataset) const NONE: Self = Self {
        gain: [1.0; 3],
        offset: [0.0; 3],
    };

    /// Contrast about the middle, brightness for all channels and a little for each alone.
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let contrast = rng.between(0.9, 1.1);
        let brightness = rng.between(-0.05, 0.05);
        let mut shift = Self::NONE;
        for channel in 0..3 {
            let gain = contrast * rng.between(0.97, 1.03);
            shift.gain[channel] = gain;
            shift.offset[channel] = 0.5 * (1.0 - contrast) + brightness + rng.between(-0.02, 0.02);
        }
        shift
    }

    /// Shifts the colors of RGBA8 `pixels`, rounded.
    pub(super) fn apply(self, pixels: &mut [u8]) {
        for pixel in pixels.as_chunks_mut::<4>().0 {
            for (value, (gain, offset)) in pixel.iter_mut().zip(self.gain.iter().zip(self.offset)) {
                let shifted = f32::from(*value) / 255.0 * gain + offset;
                *value = (shifted * 255.0).round() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_change_mildly() {
        for n in 0..200 {
            let shift = ColorShift::drawn(&mut Rng::of(&[n]));
            for channel in 0..3 {
                let grey = shift.gain[channel] * 0.5 + shift.offset[channel];
                assert!((0.4..0.6).contains(&grey), "{grey}");
            }
        }
    }

    #[test]
    fn shifted_bytes_stay_bytes() {
        let shift = ColorShift {
            gain: [1.0, 2.0, 1.0],
            offset: [0.0, 0.0, -0.5],
        };
        let mut pixels = [51, 51, 51, 9, 255, 255, 255, 0];
        shift.apply(&mut pixels);
        assert_eq!(pixels, [51, 102, 0, 9, 255, 255, 128, 0]);
    }
}
