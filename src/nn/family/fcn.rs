use burn::module::{Module, Param};
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
/// a 3×3 convolution to a quarter of the channels, as in torchvision. The scores of finer maps
/// begin at 0, as in the paper (4.2): those maps are of any scale, and at random their sum would
/// drown the rest.
///
/// `[N, in, H, W]`; the maps `[N, C, H / s, W / s]` of strides s 32, 16 and, in FCN-8s, 8; scores
/// `[N, classes, H / s, W / s]` of each; their sum at the finest s; `[N, classes, H, W]`.
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
        let mut scores: Vec<Conv2d> = inputs.into_iter().map(score).collect();
        for skip in &mut scores[1..] {
            skip.weight = Param::from_tensor(skip.weight.val().zeros_like());
        }
        Self {
            encoder,
            hidden,
            dropout: DropoutConfig::new(config.dropout).init(),
            scores,
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
    use burn::tensor::Device;

    use super::*;
    use crate::nn::test_network::{images, network, published, weights_of};
    use crate::nn::{EncoderKind, Network};

    #[test]
    fn finer_maps_say_nothing_at_first_but_learn() {
        let device = Device::flex().autodiff();
        let config = ModelConfig {
            family: Family::Fcn8s,
            encoder: EncoderKind::Lite0,
            width: Some(16),
            ..ModelConfig::default()
        };
        let network = network(&config, 3, &device);
        let Network::Fcn(fcn) = &network else {
            panic!("the family says so");
        };
        let weights = |at: usize| fcn.scores[at].weight.val();
        let sum = |at: usize| weights(at).abs().sum().into_scalar::<f32>();
        assert!(sum(0) > 0.0);
        assert_eq!([sum(1), sum(2)], [0.0, 0.0]);
        let grads = network
            .forward(images([1, 3, 32, 32], &device))
            .powi_scalar(2)
            .sum()
            .backward();
        for at in 1..3 {
            let slope = weights(at).grad(&grads).expect("a slope").abs().sum();
            assert!(slope.into_scalar::<f32>() > 0.0);
        }
    }

    #[test]
    fn weights_are_those_of_torchvision_and_of_the_skips() {
        // torchvision's fcn_resnet50 without its second classifier has no skips.
        let without_skips = published("fcn_resnet50");
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
