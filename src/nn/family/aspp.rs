use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Tensor;

use crate::nn::ModelConfig;
use crate::nn::layers::{ConvNorm, ConvShape, Layers};
use crate::nn::pool::pool_to_grid;
use crate::nn::resize::resize_bilinear;

/// Atrous spatial pyramid pooling (Chen et al. 2017): a 1×1 and three dilated 3×3 convolutions
/// and the mean of the whole map, joined and narrowed.
#[derive(Module, Debug)]
pub struct Aspp {
    near: ConvNorm,
    around: Vec<ConvNorm>,
    whole: ConvNorm,
    project: ConvNorm,
    dropout: Dropout,
}

/// Dilations of the 3×3 convolutions: those of the paper at strides 16 and 8, half of them at 32,
/// so that they reach equally far on the ground.
const fn rates(output_stride: usize) -> [usize; 3] {
    let unit = 96 / output_stride;
    [unit, 2 * unit, 3 * unit]
}

impl Aspp {
    /// With fresh weights, from `inputs` to `outputs` channels.
    pub fn new(
        config: &ModelConfig,
        [inputs, outputs]: [usize; 2],
        layers: &mut Layers<'_>,
    ) -> Self {
        let one = ConvShape::one(inputs, outputs);
        let around = |rate| ConvShape::three(inputs, outputs).with_dilation(rate);
        Self {
            near: layers.conv_norm(one),
            around: rates(config.encoder_stride())
                .map(|rate| layers.conv_norm(around(rate)))
                .into(),
            whole: layers.conv_norm(one),
            project: layers.conv_norm(ConvShape::one(5 * outputs, outputs)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// `[N, in, H, W]` to `[N, out, H, W]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = x.dims();
        let mut views = vec![self.near.forward_relu(x.clone())];
        views.extend(self.around.iter().map(|conv| conv.forward_relu(x.clone())));
        let whole = self.whole.forward_relu(pool_to_grid(x, 1));
        views.push(resize_bilinear(whole, [height, width]));
        let joined = self.project.forward_relu(Tensor::cat(views, 1));
        self.dropout.forward(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_paper() {
        assert_eq!(rates(16), [6, 12, 18]);
        assert_eq!(rates(8), [12, 24, 36]);
        assert_eq!(rates(32), [3, 6, 9]);
    }
}
