use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use crate::nn::ModelConfig;
use crate::nn::cpu::convolve;
use crate::nn::features::Features;
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::resize::resize_bilinear;

/// The level that the head looks at, the last but one.
pub(super) const AUXILIARY_LEVEL: usize = 3;
/// Share of its values that are left out in training, as in torchvision.
const DROPOUT: f64 = 0.1;

/// A second head for training alone (deep supervision as in Zhao et al. 2017, 3.3; the layers are
/// torchvision's `FCNHead`): a 3×3 convolution of the last map but one to a quarter of its
/// channels, and the classes. Its loss shortens the way back to the encoder's first stages.
#[derive(Module, Debug)]
pub struct Auxiliary {
    blend: ConvNorm,
    dropout: Dropout,
    head: Conv2d,
}

impl Auxiliary {
    /// The head of `config`, if it has one, for an encoder whose maps have so many `channels`.
    pub(super) fn new(
        config: &ModelConfig,
        channels: [usize; 5],
        num_classes: usize,
        layers: &mut Layers<'_>,
    ) -> Option<Self> {
        let channels = channels[AUXILIARY_LEVEL];
        let width = (channels / 4).max(1);
        (config.auxiliary_weight > 0.0).then(|| Self {
            blend: layers.conv_norm(ConvShape::three(channels, width)),
            dropout: DropoutConfig::new(DROPOUT).init(),
            head: layers.conv_with_bias(ConvShape::one(width, num_classes)),
        })
    }

    /// Class logits `[N, classes, H, W]` of the map of [`AUXILIARY_LEVEL`] for images of H × W.
    pub fn logits(&self, features: &Features) -> Tensor<4> {
        let blend = self.blend.forward_relu(features.look(AUXILIARY_LEVEL));
        let logits = convolve(&self.head, self.dropout.forward(blend));
        resize_bilinear(logits, features.sides())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::Family;
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::{images, network, published, weights_of};

    fn config(family: Family) -> ModelConfig {
        ModelConfig {
            family,
            encoder: EncoderKind::Resnet50,
            output_stride: Some(8),
            auxiliary_weight: 0.4,
            ..ModelConfig::default()
        }
    }

    #[test]
    fn v3_with_it_has_as_many_weights_as_in_torchvision() {
        let expected = published("deeplabv3_resnet50_auxiliary");
        assert_eq!(weights_of(&config(Family::DeepLabV3), 21), expected);
    }

    #[test]
    fn it_answers_beside_the_network_and_does_not_change_its_answer() {
        for family in [Family::Pspnet, Family::DeepLabV3, Family::DeepLabV3Plus] {
            let small = ModelConfig {
                encoder: EncoderKind::Lite0,
                width: Some(16),
                ..config(family)
            };
            let device = Device::flex();
            let network = network(&small, 3, &device);
            let images = images([2, 3, 40, 33], &device);
            let expected = network.forward(images.clone()).into_data();
            let (logits, auxiliary) = network.forward_deeply(images.clone());
            assert_eq!(logits.into_data(), expected);
            let beside = auxiliary.expect("a second answer");
            assert_eq!(beside.dims(), [2, 3, 40, 33]);
            for stages in [5, 2] {
                let features = network.features(images.clone(), stages).expect("features");
                let decoded = network.decode_deeply(features, stages).expect("logits");
                assert_eq!(decoded.0.into_data(), expected);
                let again = decoded.1.expect("a second answer").into_data();
                assert_eq!(again, beside.clone().into_data());
            }
        }
    }
}
