use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use super::Parted;
use crate::nn::cpu::{convolve, double};
use crate::nn::double_conv::{DoubleConv, DoubleShape};
use crate::nn::encoder::Encoder;
use crate::nn::features::{Features, NUM_LEVELS};
use crate::nn::layers::{ConvShape, Layers};
use crate::nn::resize::resize_nearest;
use crate::nn::{DecoderUp, ModelConfig};

/// One step up: go to the sides of the skip, join it, convolve.
#[derive(Module, Debug)]
struct UpStep {
    /// Where the sides are doubled by a transposed convolution.
    doubling: Option<ConvTranspose2d>,
    blend: DoubleConv,
}

/// A U-Net (Ronneberger et al. 2015) around an encoder that was made for something else: five
/// steps up with skips but for the last, of 256, 128, 64, 32 and 16 channels or as many times
/// fewer as `width` is less than 256. The decoder is that of Iakubovskii's Segmentation Models.
///
/// `[N, in, H, W]`; all five maps `[N, C, H / s, W / s]` of strides s 2 to 32; up with width w
/// `[N, w, H / 16, W / 16]`, `[N, w / 2, H / 8, W / 8]` to `[N, w / 16, H, W]`;
/// `[N, classes, H, W]`.
#[derive(Module, Debug)]
pub struct EncoderUNet {
    encoder: Encoder,
    /// From the deepest to the first level.
    up: Vec<UpStep>,
    head: Conv2d,
    dropout: Dropout,
}

impl EncoderUNet {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let encoder = Encoder::new(config, layers);
        let channels = encoder.channels();
        let width = config.decoder_width(channels[4]);
        let mut deep = channels[4];
        let mut up = Vec::with_capacity(channels.len());
        for step in 0..channels.len() {
            let skip = (channels.iter().rev().nth(step + 1)).map_or(0, |&channels| channels);
            let outputs = (width >> step).max(1);
            let is_transposed = config.decoder_up == DecoderUp::Transposed;
            let shape = DoubleShape {
                is_residual: config.residual,
                ..DoubleShape::new(deep + skip, outputs)
            };
            up.push(UpStep {
                doubling: is_transposed.then(|| layers.conv_doubling([deep, deep])),
                blend: DoubleConv::new(shape, layers),
            });
            deep = outputs;
        }
        Self {
            encoder,
            up,
            head: layers.conv_with_bias(ConvShape::three(deep, num_classes)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }
}

impl Parted for EncoderUNet {
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
        (0..NUM_LEVELS).collect()
    }

    fn decode(&self, mut features: Features) -> Tensor<4> {
        let mut x = self.dropout.forward(features.read(NUM_LEVELS - 1));
        for (at, step) in self.up.iter().enumerate() {
            let skip = (NUM_LEVELS - 1).checked_sub(at + 1);
            let skip = skip.map(|level| features.read(level));
            let sides = skip.as_ref().map_or(features.sides(), |skip| {
                let [_, _, height, width] = skip.dims();
                [height, width]
            });
            x = match &step.doubling {
                Some(doubling) => double(doubling, x),
                None => resize_nearest(x, sides),
            };
            if let Some(skip) = skip {
                x = Tensor::cat(vec![x, skip], 1);
            }
            x = step.blend.forward(x);
        }
        convolve(&self.head, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::{published, weights_of};

    #[test]
    fn weights_are_as_many_as_in_segmentation_models() {
        for (encoder, name) in [
            (EncoderKind::Resnet18, "unet_resnet18"),
            (EncoderKind::Resnet50, "unet_resnet50"),
        ] {
            let config = ModelConfig {
                encoder,
                ..ModelConfig::default()
            };
            assert_eq!(weights_of(&config, 1), published(name), "{name}");
        }
    }
}
