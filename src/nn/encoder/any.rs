use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::plain::PlainEncoder;
use super::resnet::ResNet;
use super::{EncoderKind, Lite0, Norms};
use crate::nn::ModelConfig;
use crate::nn::features::Features;
use crate::nn::layers::Layers;

/// Any of the encoders.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a network has one")]
pub enum Encoder {
    /// Pairs of convolutions between halvings.
    Plain(PlainEncoder),
    /// Residual blocks.
    Resnet(ResNet),
    /// With weights from `ImageNet`.
    Lite0(PretrainedLite0),
}

impl Encoder {
    /// The encoder that `config` names, with fresh weights.
    pub fn new(config: &ModelConfig, layers: &mut Layers<'_>) -> Self {
        match config.encoder {
            EncoderKind::Plain => Self::Plain(PlainEncoder::new(config, layers)),
            EncoderKind::Resnet18 | EncoderKind::Resnet34 | EncoderKind::Resnet50 => {
                Self::Resnet(ResNet::new(config, layers))
            }
            EncoderKind::Lite0 => Self::Lite0(PretrainedLite0::new(config, layers.device())),
        }
    }

    /// Five maps `[N, C, H / stride, W / stride]` of `images` `[N, in, H, W]` at strides 2, 4, 8,
    /// 16 and 32, the finest first. Past the output stride, sides are halved no more and
    /// convolutions are dilated instead. H and W are multiples of [`Encoder::stride`].
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        match self {
            Self::Plain(encoder) => encoder.forward(images),
            Self::Resnet(encoder) => encoder.forward(images),
            Self::Lite0(encoder) => encoder.network.forward(images),
        }
    }

    /// The five maps of [`Encoder::forward`].
    pub fn features(&self, images: Tensor<4>) -> Features {
        let [_, _, height, width] = images.dims();
        Features::first(self.forward(images), [height, width])
    }

    /// The maps of the first `stages` stages alone, for an encoder whose stages can hold still.
    pub fn first_features(&self, images: Tensor<4>, stages: usize) -> Option<Features> {
        let Self::Lite0(encoder) = self else {
            return None;
        };
        let [_, _, height, width] = images.dims();
        let maps = encoder.network.first_maps(images, stages);
        Some(Features::first(maps, [height, width]))
    }

    /// `features` of the first `stages` stages with the maps of the stages behind them.
    pub fn completed(&self, mut features: Features, stages: usize) -> Features {
        if let Self::Lite0(encoder) = self {
            for (level, stage) in encoder.network.stages.iter().enumerate().skip(stages) {
                let map = stage.forward(features.look(level - 1));
                features.add(level, map);
            }
        }
        features
    }

    /// Channels of the five maps.
    pub fn channels(&self) -> [usize; 5] {
        match self {
            Self::Plain(encoder) => encoder.channels(),
            Self::Resnet(encoder) => encoder.channels(),
            Self::Lite0(_) => Lite0::CHANNELS,
        }
    }

    /// Pixels of the image for each of the coarsest map, along a side.
    pub const fn stride(&self) -> usize {
        match self {
            Self::Plain(encoder) => encoder.stride(),
            Self::Resnet(encoder) => encoder.stride(),
            Self::Lite0(encoder) => encoder.output_stride,
        }
    }
}

/// `EfficientNet-Lite0` as part of a network.
#[derive(Module, Debug)]
pub struct PretrainedLite0 {
    network: Lite0,
    #[module(skip)]
    output_stride: usize,
}

impl PretrainedLite0 {
    fn new(config: &ModelConfig, device: &Device) -> Self {
        let output_stride = config.encoder_stride();
        let network = Lite0::new(config.in_channels, device).with_output_stride(output_stride);
        Self {
            // Small batches have too noisy statistics for an encoder that knows better ones.
            network: network.held(config.frozen_stages, Norms::Running),
            output_stride,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::NormKind;

    #[test]
    fn maps_have_the_channels_and_strides_that_are_said() {
        let device = Device::flex();
        for (encoder, output_stride) in EncoderKind::ALL
            .into_iter()
            .flat_map(|encoder| [8, 16, 32].map(|stride| (encoder, stride)))
        {
            let config = ModelConfig {
                encoder,
                base_filters: 1,
                stem_filters: 2,
                in_channels: 4,
                output_stride: Some(output_stride),
                ..ModelConfig::default()
            };
            let mut uniform = || 0.75;
            let mut layers = Layers::new(&mut uniform, &device, NormKind::Batch);
            let encoder = Encoder::new(&config, &mut layers);
            assert_eq!(encoder.stride(), output_stride);
            let maps = encoder.forward(Tensor::ones([2, 4, 32, 64], &device));
            assert_eq!(maps.len(), 5);
            for ((map, channels), stride) in
                maps.iter().zip(encoder.channels()).zip([2, 4, 8, 16, 32])
            {
                let stride = output_stride.min(stride);
                assert_eq!(map.dims(), [2, channels, 32 / stride, 64 / stride]);
            }
        }
    }
}
