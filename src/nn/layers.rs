use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};

use super::cpu::convolve;
use super::norm::{Norm, NormKind};

/// What a convolution is but its weights. Its padding keeps the sides (divided by the stride).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Rows and columns of the kernel; odd.
    pub side: usize,
    /// Pixels from one output to the next.
    pub stride: usize,
    /// Pixels from one kernel element to the next.
    pub dilation: usize,
}

impl ConvShape {
    /// From `inputs` to `outputs` channels, 1×1.
    pub const fn one(inputs: usize, outputs: usize) -> Self {
        Self {
            channels: [inputs, outputs],
            side: 1,
            stride: 1,
            dilation: 1,
        }
    }

    /// From `inputs` to `outputs` channels, 3×3.
    pub const fn three(inputs: usize, outputs: usize) -> Self {
        Self {
            side: 3,
            ..Self::one(inputs, outputs)
        }
    }

    /// The same with another stride.
    pub const fn with_stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same with another dilation (Yu & Koltun 2016).
    pub const fn with_dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }
}

/// A convolution and its norm.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Norm,
}

impl ConvNorm {
    /// `[N, in, H, W]` to `[N, out, H / stride, W / stride]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(convolve(&self.conv, x))
    }

    /// As [`ConvNorm::forward`], with what is below 0 set to 0.
    pub fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward_relu(convolve(&self.conv, x))
    }
}

/// Makes layers whose first weights come from a given stream of numbers, so that a network is a
/// function of its seed and not of a global generator.
pub struct Layers<'a> {
    uniform: &'a mut dyn FnMut() -> f32,
    device: &'a Device,
    norm: NormKind,
}

impl<'a> Layers<'a> {
    /// Layers on `device` with `norm` behind convolutions. `uniform` gives numbers in [0, 1).
    pub fn new(uniform: &'a mut dyn FnMut() -> f32, device: &'a Device, norm: NormKind) -> Self {
        Self {
            uniform,
            device,
            norm,
        }
    }

    /// Where the layers are.
    pub const fn device(&self) -> &Device {
        self.device
    }

    /// The same stream and device with another norm.
    pub fn with_norm(&mut self, norm: NormKind) -> Layers<'_> {
        Layers {
            uniform: &mut *self.uniform,
            device: self.device,
            norm,
        }
    }

    /// Which norm convolutions get.
    pub const fn norm_kind(&self) -> NormKind {
        self.norm
    }

    /// A norm of `channels`.
    pub fn norm(&self, channels: usize) -> Norm {
        Norm::new(self.norm, channels, self.device)
    }

    /// A convolution with a bias that is 0 at first.
    pub fn conv_with_bias(&mut self, shape: ConvShape) -> Conv2d {
        self.conv(shape, true)
    }

    /// A convolution that a norm follows. The norm has a shift of its own; without norms the
    /// convolution has one.
    pub fn conv_before_norm(&mut self, shape: ConvShape) -> Conv2d {
        self.conv(shape, self.norm == NormKind::None)
    }

    /// A convolution and its norm.
    pub fn conv_norm(&mut self, shape: ConvShape) -> ConvNorm {
        ConvNorm {
            conv: self.conv_before_norm(shape),
            norm: self.norm(shape.channels[1]),
        }
    }

    /// A transposed 2×2 convolution that doubles the sides (the "up-convolution" of Ronneberger et
    /// al. 2015): `[N, in, H, W]` to `[N, out, 2 H, 2 W]`.
    pub fn conv_doubling(&mut self, channels: [usize; 2]) -> ConvTranspose2d {
        let [inputs, outputs] = channels;
        let mut conv = ConvTranspose2dConfig::new(channels, [2, 2])
            .with_stride([2, 2])
            .with_initializer(Initializer::Zeros)
            .init(self.device);
        // Each pixel of the output sees one kernel element of every input channel.
        conv.weight = self.weight([inputs, outputs, 2, 2], inputs);
        conv
    }

    fn conv(&mut self, shape: ConvShape, has_bias: bool) -> Conv2d {
        let ConvShape {
            channels: [inputs, outputs],
            side,
            stride,
            dilation,
        } = shape;
        let margin = dilation * (side - 1) / 2;
        let mut conv = Conv2dConfig::new([inputs, outputs], [side, side])
            .with_stride([stride, stride])
            .with_dilation([dilation, dilation])
            .with_bias(has_bias)
            .with_padding(PaddingConfig2d::Explicit(margin, margin, margin, margin))
            .with_initializer(Initializer::Zeros)
            .init(self.device);
        conv.weight = self.weight([outputs, inputs, side, side], inputs * side * side);
        conv
    }

    /// He-uniform (He et al. 2015, "Delving Deep into Rectifiers"): spread so that values keep
    /// their variance through a convolution of `fan_in` inputs and a `ReLU`.
    fn weight(&mut self, shape: [usize; 4], fan_in: usize) -> Param<Tensor<4>> {
        let bound = (6.0 / fan_in as f32).sqrt();
        let weights: Vec<f32> = (0..shape.iter().product())
            .map(|_| ((self.uniform)() * 2.0 - 1.0) * bound)
            .collect();
        Param::from_data(TensorData::new(weights, shape), self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes_of(shape: ConvShape) -> [usize; 4] {
        let device = Device::flex();
        let mut uniform = || 0.75;
        let mut layers = Layers::new(&mut uniform, &device, NormKind::Batch);
        let x = Tensor::ones([2, shape.channels[0], 8, 6], &device);
        layers.conv_norm(shape).forward(x).dims()
    }

    #[test]
    fn sides_are_kept_or_divided_by_the_stride() {
        let three = ConvShape::three(3, 5);
        assert_eq!(sizes_of(three), [2, 5, 8, 6]);
        assert_eq!(sizes_of(three.with_stride(2)), [2, 5, 4, 3]);
        assert_eq!(sizes_of(three.with_dilation(4)), [2, 5, 8, 6]);
        assert_eq!(sizes_of(ConvShape::one(3, 4)), [2, 4, 8, 6]);
    }

    #[test]
    fn doubling_doubles_and_sees_every_channel_once() {
        let device = Device::flex();
        // All weights are half of the bound: sqrt(6 / 3) / 2.
        let mut uniform = || 0.75;
        let mut layers = Layers::new(&mut uniform, &device, NormKind::None);
        let x = Tensor::ones([1, 3, 2, 2], &device);
        let y = layers.conv_doubling([3, 1]).forward(x);
        assert_eq!(y.dims(), [1, 1, 4, 4]);
        let y: Vec<f32> = y.try_into_vec_as().expect("numbers");
        let expected = 3.0 * 2.0_f32.sqrt() / 2.0;
        assert!(y.iter().all(|y| (y - expected).abs() < 1e-6), "{y:?}");
    }

    #[test]
    fn a_convolution_has_a_bias_where_no_norm_follows() {
        let device = Device::flex();
        let mut uniform = || 0.5;
        let mut layers = Layers::new(&mut uniform, &device, NormKind::None);
        let shape = ConvShape::three(1, 1);
        assert!(layers.conv_before_norm(shape).bias.is_some());
        let mut layers = layers.with_norm(NormKind::Group);
        assert!(layers.conv_before_norm(shape).bias.is_none());
        assert!(layers.conv_with_bias(shape).bias.is_some());
    }
}
