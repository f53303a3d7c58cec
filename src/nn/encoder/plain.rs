use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use crate::nn::ModelConfig;
use crate::nn::double_conv::{DoubleConv, DoubleShape};
use crate::nn::layers::Layers;

/// The contracting path of a U-Net (Ronneberger et al. 2015) with five halvings: the first level
/// has `base_filters` channels, each below twice as many.
#[derive(Module, Debug)]
pub struct PlainEncoder {
    /// From full resolution to the coarsest.
    levels: Vec<DoubleConv>,
    /// Halvings; levels past it are dilated instead.
    num_halvings: usize,
}

/// Levels below the one of full resolution.
const DEPTH: usize = 5;

impl PlainEncoder {
    /// An encoder with fresh weights.
    pub fn new(config: &ModelConfig, layers: &mut Layers<'_>) -> Self {
        let num_halvings = config.encoder_stride().ilog2() as usize;
        let level = |level: usize| {
            let inputs = match level {
                0 => config.in_channels,
                _ => config.filters(level - 1),
            };
            let shape = DoubleShape {
                dilation: 1 << level.saturating_sub(num_halvings),
                ..DoubleShape::new(inputs, config.filters(level))
            };
            DoubleConv::new(shape, layers)
        };
        Self {
            levels: (0..=DEPTH).map(level).collect(),
            num_halvings,
        }
    }

    /// See [`Encoder::forward`](super::Encoder::forward).
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = images;
        let mut maps = Vec::with_capacity(DEPTH);
        for (level, block) in self.levels.iter().enumerate() {
            if (1..=self.num_halvings).contains(&level) {
                x = max_pool2d(x, MaxPoolOptions::new([2, 2]));
            }
            x = block.forward(x);
            if level > 0 {
                maps.push(x.clone());
            }
        }
        maps
    }

    /// Channels of the five maps.
    pub fn channels(&self) -> [usize; DEPTH] {
        std::array::from_fn(|map| self.levels[map + 1].num_outputs())
    }

    /// Pixels of the image for each of the coarsest map, along a side.
    pub const fn stride(&self) -> usize {
        1 << self.num_halvings
    }
}
