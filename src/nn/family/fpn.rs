use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use super::Parted;
use crate::nn::cpu::convolve;
use crate::nn::encoder::Encoder;
use crate::nn::features::{Features, NUM_LEVELS};
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::resize::{resize_bilinear, resize_nearest};
use crate::nn::{ModelConfig, NormKind};

/// A feature pyramid (Lin et al. 2017) with the semantic branch of Kirillov et al. 2019: the maps
/// of strides 4 to 32 brought to equal channels, each added to the next finer; then each by 3×3
/// convolutions and bilinear doublings to stride 4 with half the channels, added up and
/// classified. Norms of the branch are by groups, as in the paper.
///
/// `[N, in, H, W]`; the maps `[N, C, H / s, W / s]` of strides s 4 to 32; the pyramid
/// `[N, width, H / s, W / s]`; the branches and their sum `[N, width / 2, H / 4, W / 4]`;
/// `[N, classes, H, W]`.
#[derive(Module, Debug)]
pub struct Fpn {
    encoder: Encoder,
    /// From stride 4 to stride 32, as all below.
    lateral: Vec<Conv2d>,
    branches: Vec<Vec<ConvNorm>>,
    dropout: Dropout,
    head: Conv2d,
}

impl Fpn {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let encoder = Encoder::new(config, layers);
        let channels = encoder.channels();
        let pyramid = config.decoder_width(channels[4]);
        let narrow = (pyramid / 2).max(1);
        let lateral = channels[1..]
            .iter()
            .map(|&inputs| layers.conv_with_bias(ConvShape::one(inputs, pyramid)))
            .collect();
        let norm = match layers.norm_kind() {
            NormKind::None => NormKind::None,
            NormKind::Batch | NormKind::FrozenBatch | NormKind::Group => NormKind::Group,
        };
        let mut grouped = layers.with_norm(norm);
        let mut branch = |num_convs: usize| {
            (0..num_convs)
                .map(|at| if at == 0 { pyramid } else { narrow })
                .map(|inputs| grouped.conv_norm(ConvShape::three(inputs, narrow)))
                .collect()
        };
        Self {
            encoder,
            lateral,
            branches: [1, 1, 2, 3].map(&mut branch).into(),
            dropout: DropoutConfig::new(config.dropout).init(),
            head: layers.conv_with_bias(ConvShape::one(narrow, num_classes)),
        }
    }

    /// The pyramid `[N, width, H, W]` of `maps`, the finest first.
    fn pyramid(&self, maps: Vec<Tensor<4>>) -> Vec<Tensor<4>> {
        let mut pyramid: Vec<Tensor<4>> = Vec::with_capacity(maps.len());
        for (lateral, map) in self.lateral.iter().zip(maps).rev() {
            let mut level = convolve(lateral, map);
            if let Some(coarser) = pyramid.last() {
                level = level.clone() + resize_nearest(coarser.clone(), sides(&level));
            }
            pyramid.push(level);
        }
        pyramid.reverse();
        pyramid
    }
}

fn sides(x: &Tensor<4>) -> [usize; 2] {
    let [_, _, height, width] = x.dims();
    [height, width]
}

impl Parted for Fpn {
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
        (1..NUM_LEVELS).collect()
    }

    fn decode(&self, mut features: Features) -> Tensor<4> {
        let full = features.sides();
        let maps = self.levels().into_iter().map(|level| features.read(level));
        let pyramid = self.pyramid(maps.collect());
        let each_sides: Vec<[usize; 2]> = pyramid.iter().map(sides).collect();
        let mut sum: Option<Tensor<4>> = None;
        for (level, (mut x, convs)) in pyramid.into_iter().zip(&self.branches).enumerate() {
            for (at, conv) in convs.iter().enumerate() {
                let next = level.saturating_sub(at + 1);
                x = resize_bilinear(conv.forward_relu(x), each_sides[next]);
            }
            sum = Some(match sum {
                Some(sum) => sum + x,
                None => x,
            });
        }
        let sum = sum.expect("an encoder gives five maps");
        resize_bilinear(convolve(&self.head, self.dropout.forward(sum)), full)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::{published, weights_of};

    #[test]
    fn weights_are_as_many_as_in_segmentation_models() {
        for (encoder, name) in [
            (EncoderKind::Resnet18, "fpn_resnet18"),
            (EncoderKind::Resnet50, "fpn_resnet50"),
        ] {
            let config = ModelConfig {
                family: Family::Fpn,
                encoder,
                ..ModelConfig::default()
            };
            assert_eq!(weights_of(&config, 1), published(name), "{name}");
        }
    }
}
