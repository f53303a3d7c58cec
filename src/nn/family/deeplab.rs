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
///
/// `[N, in, H, W]`; the last map `[N, C, H / s, W / s]` of output stride s; five views of it joined
/// to `[N, width, H / s, W / s]`; in V3+ spread to H / 4 × W / 4 and joined to
/// `[N, 48 width / 256, H / 4, W / 4]`; blended, `width` channels; `[N, classes, H, W]`. The second
/// head looks at the last map but one.
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
    use crate::nn::test_network::{published, weights_of};

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
        let config = config(Family::DeepLabV3, EncoderKind::Resnet50);
        assert_eq!(weights_of(&config, 21), published("deeplabv3_resnet50"));
    }

    #[test]
    fn v3_plus_has_as_many_weights_as_in_segmentation_models_but_for_separable_ones() {
        // 3×3 from a to b channels; there it is 3×3 by channel and 1×1 between channels.
        let whole = |a: usize, b: usize| 9 * a * b - (9 * a + a * b);
        // The fifth stands before the maps are joined there, and after that here, as in the paper.
        let more = 3 * whole(512, 256) + whole(304, 256) + whole(256, 256);
        let expected = published("deeplabv3plus_resnet18") + more;
        let config = config(Family::DeepLabV3Plus, EncoderKind::Resnet18);
        assert_eq!(weights_of(&config, 21), expected);
    }
}
