use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use super::auxiliary::AUXILIARY_LEVEL;
use super::{Auxiliary, Parted};
use crate::nn::ModelConfig;
use crate::nn::cpu::convolve;
use crate::nn::encoder::Encoder;
use crate::nn::features::Features;
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::pool::pool_to_grid;
use crate::nn::resize::resize_bilinear;

/// Cells along a side of the four grids.
const GRIDS: [usize; 4] = [1, 2, 3, 6];

/// The pyramid scene parsing network (Zhao et al. 2017): means of the last map over four grids,
/// each by a 1×1 convolution to a quarter of its channels, spread out again and joined to it; a
/// 3×3 convolution to `width` channels, and the classes.
///
/// `[N, in, H, W]`; the last map `[N, C, H / s, W / s]` of output stride s; means
/// `[N, C / 4, g, g]` for g 1, 2, 3 and 6; joined `[N, 2 C, H / s, W / s]`; blended
/// `[N, width, H / s, W / s]`; `[N, classes, H, W]`. The second head looks at the last map but one.
#[derive(Module, Debug)]
pub struct PspNet {
    encoder: Encoder,
    /// One a grid.
    branches: Vec<ConvNorm>,
    blend: ConvNorm,
    dropout: Dropout,
    head: Conv2d,
    /// For training alone.
    auxiliary: Option<Auxiliary>,
}

impl PspNet {
    /// A network with fresh weights.
    pub fn new(config: &ModelConfig, num_classes: usize, layers: &mut Layers<'_>) -> Self {
        let encoder = Encoder::new(config, layers);
        let channels = encoder.channels()[4];
        let width = config.decoder_width(channels);
        let quarter = (channels / GRIDS.len()).max(1);
        let branches = GRIDS.map(|_| layers.conv_norm(ConvShape::one(channels, quarter)));
        let joined = channels + quarter * GRIDS.len();
        let all_channels = encoder.channels();
        Self {
            encoder,
            branches: branches.into(),
            blend: layers.conv_norm(ConvShape::three(joined, width)),
            dropout: DropoutConfig::new(config.dropout).init(),
            head: layers.conv_with_bias(ConvShape::one(width, num_classes)),
            auxiliary: Auxiliary::new(config, all_channels, num_classes, layers),
        }
    }
}

impl Parted for PspNet {
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
        let second = self.auxiliary.iter().map(|_| AUXILIARY_LEVEL);
        second.chain([4]).collect()
    }

    fn auxiliary(&self) -> Option<&Auxiliary> {
        self.auxiliary.as_ref()
    }

    fn decode(&self, mut features: Features) -> Tensor<4> {
        let last = features.read(4);
        let [_, _, height, width] = last.dims();
        let mut joined = vec![last.clone()];
        for (branch, grid) in self.branches.iter().zip(GRIDS) {
            let cells = branch.forward_relu(pool_to_grid(last.clone(), grid));
            joined.push(resize_bilinear(cells, [height, width]));
        }
        let blend = self.blend.forward_relu(Tensor::cat(joined, 1));
        let logits = convolve(&self.head, self.dropout.forward(blend));
        resize_bilinear(logits, features.sides())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::*;
    use crate::nn::EncoderKind;
    use crate::nn::test_network::{published, weights_of};

    #[test]
    fn weights_are_those_of_segmentation_models_but_for_the_papers_head() {
        let config = ModelConfig {
            family: Family::Pspnet,
            encoder: EncoderKind::Resnet18,
            ..ModelConfig::default()
        };
        // As in the paper, 3×3 to blend and 1×1 to classify; there it is the other way round.
        let blend = (9 - 1) * 1024 * 512;
        let classes = (9 - 1) * 512 * 21;
        // The single cell has a norm of two numbers a channel; there it has a bias.
        let single = 2 * 128 - 128;
        let expected = published("pspnet_resnet18") + blend + single - classes;
        assert_eq!(weights_of(&config, 21), expected);
    }
}
