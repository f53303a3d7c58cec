use crate::nn::Lite0;

/// What a head looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Colors of a pixel, and means and deviations of colors around it.
    Colors,
    /// The same, and what `EfficientNet-Lite0` sees at strides from 2 on.
    #[default]
    Pretrained,
}

/// Features on a grid of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Pixels from one cell to the next, in both directions; a power of two.
    pub(super) stride: usize,
    /// Features of a cell.
    pub(super) channels: usize,
}

/// Colors, then means and deviations of them at two scales.
pub(super) const COLOR_LEVELS: [Level; 3] = [level(1, 3), level(2, 6), level(4, 6)];

/// How far the means and deviations of each such level but the first reach, in pixels.
pub(super) const TEXTURE_RADII: [usize; 2] = [2, 8];

/// Stages of the encoder that are looked at, from the finest on.
pub(super) const NUM_STAGES: usize = 5;

const fn level(stride: usize, channels: usize) -> Level {
    Level { stride, channels }
}

impl Sight {
    /// All levels, in the order of their features.
    pub(super) fn levels(self) -> Vec<Level> {
        let stages = match self {
            Self::Colors => 0,
            Self::Pretrained => NUM_STAGES,
        };
        let encoder = Lite0::STRIDES.into_iter().zip(Lite0::CHANNELS).take(stages);
        let encoder = encoder.map(|(stride, channels)| level(stride, channels));
        COLOR_LEVELS.into_iter().chain(encoder).collect()
    }
}
