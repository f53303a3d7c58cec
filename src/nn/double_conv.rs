use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::cpu::{Activation, convolve};
use super::layers::{ConvNorm, ConvShape, Layers};
use super::norm::Norm;

/// What a [`DoubleConv`] is but its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoubleShape {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Pixels from one kernel element to the next.
    pub dilation: usize,
    /// Whether the input is added to what the convolutions found.
    pub is_residual: bool,
}

impl DoubleShape {
    /// From `inputs` to `outputs` channels, neither dilated nor residual.
    pub const fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            channels: [inputs, outputs],
            dilation: 1,
            is_residual: false,
        }
    }
}

/// Two 3×3 convolutions, each with a norm and `ReLU` (Ronneberger et al. 2015). A residual one
/// adds its input, through a 1×1 convolution where channels differ, before the last `ReLU` (He et
/// al. 2015; in a U-Net, Zhang et al. 2018).
#[derive(Module, Debug)]
pub struct DoubleConv {
    first: Conv2d,
    first_norm: Norm,
    second: Conv2d,
    second_norm: Norm,
    shortcut: Option<ConvNorm>,
    is_residual: bool,
}

impl DoubleConv {
    /// A block with fresh weights.
    pub fn new(shape: DoubleShape, layers: &mut Layers<'_>) -> Self {
        let DoubleShape {
            channels: [inputs, outputs],
            dilation,
            is_residual,
        } = shape;
        let conv = |inputs| ConvShape::three(inputs, outputs).with_dilation(dilation);
        let projects = is_residual && inputs != outputs;
        Self {
            first: layers.conv_before_norm(conv(inputs)),
            first_norm: layers.norm(outputs),
            second: layers.conv_before_norm(conv(outputs)),
            second_norm: layers.norm(outputs),
            shortcut: projects.then(|| layers.conv_norm(ConvShape::one(inputs, outputs))),
            is_residual,
        }
    }

    /// `[N, in, H, W]` to `[N, out, H, W]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let kept = self.is_residual.then(|| x.clone());
        let x = self.first_norm.forward_relu(convolve(&self.first, x));
        let x = convolve(&self.second, x);
        let Some(kept) = kept else {
            return self.second_norm.forward_relu(x);
        };
        let x = self.second_norm.forward(x);
        let kept = match &self.shortcut {
            Some(shortcut) => shortcut.forward(kept),
            None => kept,
        };
        Activation::Relu.of(x + kept)
    }

    /// Channels out.
    pub fn num_outputs(&self) -> usize {
        self.second.weight.dims()[0]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::norm::NormKind;
    use super::*;

    #[test]
    fn a_residual_block_that_finds_nothing_gives_its_input() {
        let device = Device::flex();
        // All weights are 0.
        let mut uniform = || 0.5;
        let mut layers = Layers::new(&mut uniform, &device, NormKind::Batch);
        let shape = DoubleShape {
            is_residual: true,
            ..DoubleShape::new(2, 2)
        };
        let x = Tensor::<4>::full([1, 2, 3, 3], 7.0, &device);
        let block = DoubleConv::new(shape, &mut layers);
        assert_eq!(block.forward(x.clone()).into_data(), x.clone().into_data());
        let plain = DoubleConv::new(DoubleShape::new(2, 2), &mut layers);
        assert_eq!(plain.forward(x.clone()).into_data(), (x * 0.0).into_data());
    }
}
