use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use super::Segmenter;
use crate::nn::cpu::{convolve, double};
use crate::nn::double_conv::{DoubleConv, DoubleShape};
use crate::nn::layers::{ConvShape, Layers};
use crate::nn::resize::resize_nearest;
use crate::nn::{DecoderUp, ModelConfig};

/// From `[N, in, H, W]` to `[N, out, 2 H, 2 W]`.
#[derive(Module, Debug)]
enum Doubling {
    /// 1×1, then every pixel four times.
    Nearest(Conv2d),
    /// Transposed 2×2.
    Transposed(ConvTranspose2d),
}

impl Doubling {
    fn new(kind: DecoderUp, channels: [usize; 2], layers: &mut Layers<'_>) -> Self {
        match kind {
            DecoderUp::Nearest => {
                let shape = ConvShape::one(channels[0], channels[1]);
                Self::Nearest(layers.conv_with_bias(shape))
            }
            DecoderUp::Transposed => Self::Transposed(layers.conv_doubling(channels)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Nearest(narrow) => {
                let [_, _, height, width] = x.dims();
                // Narrowing before doubling does the same as after it with a quarter of the work.
                resize_nearest(convolve(narrow, x), [2 * height, 2 * width])
            }
            Self::Transposed(conv) => double(conv, x),
        }
    }
}

/// One step up: halve the channels, double the sides, join the skip, convolve.
#[derive(Module, Debug)]
struct UpStep {
    narrow: Doubling,
    blend: DoubleConv,
}

impl UpStep {
    fn forward(&self, deep: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        let wide = self.narrow.forward(deep);
        self.blend.forward(Tensor::cat(vec![skip, wide], 1))
    }
}

/// Encoder and decoder of equal depth with skips (Ronneberger et al. 2015), with padded
/// convolutions and norms; the sides are doubled by repeating pixels or, as in the paper, by
/// transposed convolutions. Its blocks may be residual (Zhang et al. 2018).
///
/// `[N, in, H, W]`; down `[N, b 2^i, H / 2^i, W / 2^i]` at levels i from 0 to `depth`, b being
/// `base_filters`; up the same shapes, each joined to its equal; `[N, classes, H, W]`.
#[derive(Module, Debug)]
pub struct UNet {
    down: Vec<DoubleConv>,
    bottom: DoubleConv,
    /// From the deepest to the first level.
    up: Vec<UpStep>,
    head: Conv2d,
    dropout: Dropout,
}

impl UNet {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let depth = config.depth;
        let inputs = |level: usize| match level {
            0 => config.in_channels,
            _ => config.filters(level - 1),
        };
        let double = |inputs, level, layers: &mut Layers<'_>| {
            let shape = DoubleShape {
                is_residual: config.residual,
                ..DoubleShape::new(inputs, config.filters(level))
            };
            DoubleConv::new(shape, layers)
        };
        let down = (0..depth)
            .map(|level| double(inputs(level), level, layers))
            .collect();
        let bottom = double(inputs(depth), depth, layers);
        let up_step = |level: usize| {
            let channels = [config.filters(level + 1), config.filters(level)];
            UpStep {
                narrow: Doubling::new(config.decoder_up, channels, layers),
                blend: double(config.filters(level) * 2, level, layers),
            }
        };
        let up = (0..depth).rev().map(up_step).collect();
        Self {
            down,
            bottom,
            up,
            head: layers.conv_with_bias(ConvShape::one(config.base_filters, num_classes)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }
}

impl Segmenter for UNet {
    fn stride(&self) -> usize {
        1 << self.down.len()
    }

    fn logits(&self, images: Tensor<4>) -> Tensor<4> {
        let mut x = images;
        let mut skips = Vec::with_capacity(self.down.len());
        for block in &self.down {
            let skip = block.forward(x);
            x = max_pool2d(skip.clone(), MaxPoolOptions::new([2, 2]));
            skips.push(skip);
        }
        x = self.dropout.forward(self.bottom.forward(x));
        for (step, skip) in self.up.iter().zip(skips.into_iter().rev()) {
            x = step.forward(x, skip);
        }
        convolve(&self.head, x)
    }

    fn head(&self) -> &Conv2d {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Conv2d {
        &mut self.head
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::nn::NormKind;
    use crate::nn::test_network::{noise, published, weights_of};
    use crate::nn::weight_count::WeightCount;

    fn tiny(config: &ModelConfig) -> UNet {
        let config = ModelConfig {
            base_filters: 2,
            depth: 2,
            ..config.clone()
        };
        let mut uniform = noise();
        let device = Device::flex();
        UNet::new(
            &config,
            3,
            &mut Layers::new(&mut uniform, &device, NormKind::Batch),
        )
    }

    /// A double convolution from a to b: 9ab, 2b of the norm, 9bb, 2b of the norm.
    const fn double(a: usize, b: usize) -> usize {
        9 * a * b + 9 * b * b + 4 * b
    }

    #[test]
    fn weights_are_counted_by_hand() {
        let narrow = |a: usize, b: usize| a * b + b;
        let blocks = double(3, 2) + double(2, 4) + double(4, 8) + double(8, 4) + double(4, 2);
        let plain = blocks + narrow(8, 4) + narrow(4, 2) + narrow(2, 3);
        let count = |config: &ModelConfig| WeightCount::of(&tiny(config)).weights;
        assert_eq!(count(&ModelConfig::default()), plain);
        let transposed = ModelConfig {
            decoder_up: DecoderUp::Transposed,
            ..ModelConfig::default()
        };
        assert_eq!(count(&transposed), plain + 3 * (8 * 4 + 4 * 2));
        let residual = ModelConfig {
            residual: true,
            ..ModelConfig::default()
        };
        // 1×1 convolutions with norms around the five blocks, none of which keeps its channels.
        let around = |a: usize, b: usize| a * b + 2 * b;
        let around = around(3, 2) + around(2, 4) + around(4, 8) + around(8, 4) + around(4, 2);
        assert_eq!(count(&residual), plain + around);
    }

    #[test]
    fn the_salt_network_has_the_weights_of_the_original_but_for_stated_ones() {
        let config = ModelConfig {
            base_filters: 16,
            decoder_up: DecoderUp::Transposed,
            ..ModelConfig::default()
        };
        let doubled: [usize; 4] = [16, 32, 64, 128];
        let num_norms = 2 * (doubled.iter().sum::<usize>() * 2 + 256);
        let original = published("salt_unet");
        // Keras counts the running numbers of norms, too.
        assert_eq!(original + 2 * num_norms, 2_164_305);
        // Three channels instead of one are read, and two classes instead of one told.
        let ends = 2 * 9 * 16 + 17;
        // Convolutions before norms have no biases, and those that double are 2×2, not 3×3.
        let fewer = num_norms + 5 * doubled.map(|b| 2 * b * b).iter().sum::<usize>();
        assert_eq!(weights_of(&config, 2), original + ends - fewer);
    }

    #[test]
    fn seeds_make_the_networks_that_they_made_before_there_were_families() {
        let ramp = (0..3 * 64).map(|n| (n % 7) as f32 - 3.0).collect();
        let images = TensorData::new::<f32, _>(ramp, [1, 3, 8, 8]);
        let images = Tensor::from_data(images, &Device::flex());
        let logits = tiny(&ModelConfig::default()).logits(images);
        let logits: Vec<f32> = logits.try_into_vec_as().expect("numbers");
        let before = [
            0.759_805_5,
            -0.249_193_92,
            -0.647_370_5,
            -0.084_414_17,
            1.899_608_1,
            3.717_660_4,
            1.195_907_4,
            1.877_529_1,
            -1.349_495_5,
            -3.473_247_5,
            -2.038_391,
            0.0,
        ];
        for (found, expected) in logits.iter().step_by(17).zip(before) {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }
}
