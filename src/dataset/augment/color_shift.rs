use crate::dataset::Rng;

/// `gain * value + offset` for each channel, values in 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dataset) struct ColorShift {
    /// Gain and offset by channel; those that are missing change nothing.
    channels: Vec<(f32, f32)>,
}

impl ColorShift {
    /// The shift that changes nothing.
    pub(in crate::dataset) const NONE: Self = Self {
        channels: Vec::new(),
    };

    /// Contrast about the middle, brightness for all channels and a little for each alone.
    pub(super) fn drawn(num_channels: usize, rng: &mut Rng) -> Self {
        let contrast = rng.between(0.9, 1.1);
        let brightness = rng.between(-0.05, 0.05);
        let mut of_channel = |_| {
            let gain = contrast * rng.between(0.97, 1.03);
            (
                gain,
                0.5 * (1.0 - contrast) + brightness + rng.between(-0.02, 0.02),
            )
        };
        Self {
            channels: (0..num_channels).map(&mut of_channel).collect(),
        }
    }

    /// Gain and offset of one channel.
    pub(in crate::dataset) fn of_channel(&self, channel: usize) -> (f32, f32) {
        self.channels.get(channel).copied().unwrap_or((1.0, 0.0))
    }

    /// Shifts the colors of RGBA8 `pixels`, rounded.
    pub(in crate::dataset) fn apply(&self, pixels: &mut [u8]) {
        for pixel in pixels.as_chunks_mut::<4>().0 {
            for (value, (gain, offset)) in pixel[..3].iter_mut().zip(&self.channels) {
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
            let shift = ColorShift::drawn(5, &mut Rng::of(&[n]));
            for channel in 0..5 {
                let (gain, offset) = shift.of_channel(channel);
                let grey = gain * 0.5 + offset;
                assert!((0.4..0.6).contains(&grey), "{grey}");
            }
        }
    }

    #[test]
    fn shifted_bytes_stay_bytes() {
        let shift = ColorShift {
            channels: vec![(1.0, 0.0), (2.0, 0.0), (1.0, -0.5)],
        };
        let mut pixels = [51, 51, 51, 9, 255, 255, 255, 0];
        shift.apply(&mut pixels);
        assert_eq!(pixels, [51, 102, 0, 9, 255, 255, 128, 0]);
    }
}
