use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use super::{Family, Parted};
use crate::nn::ModelConfig;
use crate::nn::cpu::convolve;
use crate::nn::encoder::Encoder;
use crate::nn::features::{Features, NUM_LEVELS};
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::resize::resize_bilinear;

/// FCN-16s and FCN-8s (Long et al. 2015): the last map is classified, and so are one or two finer
/// ones; each score is doubled and added to the next. Scores are doubled bilinearly, which is what
/// the paper's transposed convolutions begin as; between the encoder and the last score there is
/// a 3×3 convolution to a quarter of the channels, as in torchvision.
#[derive(Module, Debug)]
pub struct Fcn {
    encoder: Encoder,
    hidden: ConvNorm,
    dropout: Dropout,
    /// From the coarsest to the finest map.
    scores: Vec<Conv2d>,
}

impl Fcn {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let encoder = Encoder::new(config, layers);
        let [_, _, stride_8, stride_16, last] = encoder.channels();
        let width = config.decoder_width(last);
        let hidden = layers.conv_norm(ConvShape::three(last, width));
        let mut inputs = vec![width, stride_16];
        if config.family == Family::Fcn8s {
            inputs.push(stride_8);
        }
        let score = |inputs| layers.conv_with_bias(ConvShape::one(inputs, num_classes));
        Self {
            encoder,
            hidden,
            dropout: DropoutConfig::new(config.dropout).init(),
            scores: inputs.into_iter().map(score).collect(),
        }
    }
}

impl Parted for Fcn {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn head(&self) -> &Conv2d {
        &self.scores[self.scores.len() - 1]
    }

    fn head_mut(&mut self) -> &mut Conv2d {
        let last = self.scores.len() - 1;
        &mut self.scores[last]
    }

    fn levels(&self) -> Vec<usize> {
        (NUM_LEVELS - self.scores.len()..NUM_LEVELS).collect()
    }

    fn decode(&self, mut features: Features) -> Tensor<4> {
        let hidden = self.hidden.forward_relu(features.read(NUM_LEVELS - 1));
        let mut sum = convolve(&self.scores[0], self.dropout.forward(hidden));
        for (score, level) in self.scores[1..].iter().zip((0..NUM_LEVELS - 1).rev()) {
            let map = features.read(level);
            let [_, _, height, width] = map.dims();
            sum = resize_bilinear(sum, [height, width]) + convolve(score, map);
        }
        resize_bilinear(sum, features.sides())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::weights_of;

    #[test]
    fn weights_are_those_of_torchvision_and_of_the_skips() {
        // torchvision's fcn_resnet50 without its second classifier has no skips.
        let without_skips = 32_957_013;
        let of = |family| {
            let config = ModelConfig {
                family,
                encoder: EncoderKind::Resnet50,
                ..ModelConfig::default()
            };
            weights_of(&config, 21)
        };
        let fcn16s = without_skips + 1024 * 21 + 21;
        assert_eq!(of(Family::Fcn16s), fcn16s);
        assert_eq!(of(Family::Fcn8s), fcn16s + 512 * 21 + 21);
    }
}
