use serde::{Deserialize, Serialize};

use super::Rng;

/// How far patches are varied between epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// Patches as they are.
    None,
    /// Flips and quarter turns.
    Turns,
    /// Flips, quarter turns and mild changes of brightness, contrast and color.
    #[default]
    Full,
}

/// One of the eight ways to lay a square on itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
}

impl Turn {
    /// The way that leaves all where it is.
    pub(super) const NONE: Self = Self {
        transpose: false,
        flip_x: false,
        flip_y: false,
    };

    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let bits = rng.bits();
        Self {
            transpose: bits & 0b001 != 0,
            flip_x: bits & 0b010 != 0,
            flip_y: bits & 0b100 != 0,
        }
    }

    /// `samples` of a square of `side`, `width` bytes each, turned.
    pub(super) fn applied(self, samples: &[u8], side: usize, width: usize) -> Vec<u8> {
        if self == Self::NONE {
            return samples.to_vec();
        }
        let mut turned = Vec::with_capacity(samples.len());
        for y in 0..side {
            for x in 0..side {
                let x = if self.flip_x { side - 1 - x } else { x };
                let y = if self.flip_y { side - 1 - y } else { y };
                let (x, y) = if self.transpose { (y, x) } else { (x, y) };
                turned.extend_from_slice(&samples[(y * side + x) * width..][..width]);
            }
        }
        turned
    }
}

/// `gain * value + offset` for each channel, values in 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ColorShift {
    pub(super) gain: [f32; 3],
    pub(super) offset: [f32; 3],
}

impl ColorShift {
    /// The shift that changes nothing.
    pub(super) const NONE: Self = Self {
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
}

impl Augment {
    /// The turn and the color shift of one patch.
    pub(super) fn drawn(self, rng: &mut Rng) -> (Turn, ColorShift) {
        match self {
            Self::None => (Turn::NONE, ColorShift::NONE),
            Self::Turns => (Turn::drawn(rng), ColorShift::NONE),
            Self::Full => (Turn::drawn(rng), ColorShift::drawn(rng)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_eight_turns_and_all_are_drawn() {
        let square = [0, 1, 2, 3];
        let turned: BTreeSet<Vec<u8>> = (0..100)
            .map(|n| Turn::drawn(&mut Rng::of(&[n])).applied(&square, 2, 1))
            .collect();
        assert_eq!(turned.len(), 8);
    }

    #[test]
    fn pixels_and_labels_turn_alike() {
        let turn = Turn {
            transpose: true,
            flip_x: true,
            flip_y: false,
        };
        assert_eq!(turn.applied(&[0, 1, 2, 3], 2, 1), [2, 0, 3, 1]);
        let wide = turn.applied(&[0, 0, 1, 1, 2, 2, 3, 3], 2, 2);
        assert_eq!(wide, [2, 2, 0, 0, 3, 3, 1, 1]);
    }

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
}
