use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::aspp::Aspp;
use super::auxiliary::AUXILIARY_LEVEL;
use super::{Auxiliary, Family, Parted};
use crate::nn::ModelConfig;
use crate::nn::cpu::convolve;
use crate::nn::encoder::Encoder;
use crate::nn::features::Features;
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::resize::resize_bilinear;

/// `DeepLabV3` (Chen et al. 2017), with the 3×3 convolution before its classes that torchvision
/// has, and `DeepLabV3+` (Chen et al. 2018), whose decoder joins 48 channels of stride 4 and
/// convolves twice. No convolution is separable, as in the papers' residual networks.
#[derive(Module, Debug)]
pub struct DeepLab {
    encoder: Encoder,
    aspp: Aspp,
    /// From the map of stride 4; only in V3+.
    low: Option<ConvNorm>,
    blend: Vec<ConvNorm>,
    head: Conv2d,
    /// For training alone.
    auxiliary: Option<Auxiliary>,
}

/// Channels of stride 4 that the decoder of 256 channels joins.
const LOW_CHANNELS: usize = 48;
/// The level of stride 4.
const LOW_LEVEL: usize = 1;

impl DeepLab {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let encoder = Encoder::new(config, layers);
        let channels = encoder.channels();
        let [_, stride_4, _, _, last] = channels;
        let width = config.decoder_width(last);
        let aspp = Aspp::new(config, [last, width], layers);
        let low_channels = (LOW_CHANNELS * width / 256).max(1);
        let has_decoder = config.family == Family::DeepLabV3Plus;
        let low = has_decoder.then(|| layers.conv_norm(ConvShape::one(stride_4, low_channels)));
        let blend = if has_decoder {
            vec![width + low_channels, width]
        } else {
            vec![width]
        };
        let blend = blend
            .into_iter()
            .map(|inputs| layers.conv_norm(ConvShape::three(inputs, width)))
            .collect();
        Self {
            encoder,
            aspp,
            low,
            blend,
            head: layers.conv_with_bias(ConvShape::one(width, num_classes)),
            auxiliary: Auxiliary::new(config, channels, num_classes, layers),
        }
    }
}

impl Parted for DeepLab {
    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn head(&self) -> &Conv2d {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Conv2d {
        &mut self.head
    }

    fn levels(&self) -> Vec<usize> {
        let low = self.low.iter().map(|_| LOW_LEVEL);
        let second = self.auxiliary.iter().map(|_| AUXILIARY_LEVEL);
        low.chain(second).chain([4]).collect()
    }

    fn auxiliary(&self) -> Option<&Auxiliary> {
        self.auxiliary.as_ref()
    }

    fn decode(&self, mut features: Features) -> Tensor<4> {
        let mut x = self.aspp.forward(features.read(4));
        if let Some(low) = &self.low {
            let low = low.forward_relu(features.read(LOW_LEVEL));
            let [_, _, height, width] = low.dims();
            x = Tensor::cat(vec![resize_bilinear(x, [height, width]), low], 1);
        }
        x = self.blend.iter().fold(x, |x, conv| conv.forward_relu(x));
        resize_bilinear(convolve(&self.head, x), features.sides())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::weights_of;

    fn config(family: Family, encoder: EncoderKind) -> ModelConfig {
        ModelConfig {
            family,
            encoder,
            output_stride: Some(8),
            ..ModelConfig::default()
        }
    }

    #[test]
    fn v3_has_as_many_weights_as_in_torchvision() {
        // Counted there (release 0.29) without the second classifier.
        let config = config(Family::DeepLabV3, EncoderKind::Resnet50);
        assert_eq!(weights_of(&config, 21), 39_638_869);
    }

    #[test]
    fn the_decoder_of_v3_plus_is_counted_by_hand() {
        let conv = |side: usize, a: usize, b: usize| side * side * a * b + 2 * b;
        let aspp = 2 * conv(1, 512, 256) + 3 * conv(3, 512, 256) + conv(1, 1280, 256);
        let decoder = conv(1, 64, 48) + conv(3, 304, 256) + conv(3, 256, 256);
        let expected = 11_176_512 + aspp + decoder + 256 * 21 + 21;
        let config = config(Family::DeepLabV3Plus, EncoderKind::Resnet18);
        assert_eq!(weights_of(&config, 21), expected);
    }
}
