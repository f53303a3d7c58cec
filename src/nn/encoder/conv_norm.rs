use burn::module::{Module, Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use crate::nn::cpu::{Activation, batch_normed, conv2d};

/// Added to a batch norm's variance. Some variances in the published weights are zero, so it
/// matters that this is the number they were trained with.
const EPSILON: f64 = 1e-3;

/// A convolution with "SAME" padding and its batch norm, or what the two fold into.
#[derive(Module, Debug)]
pub(super) struct ConvNorm {
    /// `[outputs, inputs / groups, rows, columns]`.
    pub(super) weight: Param<Tensor<4>>,
    /// None once it is folded into the weight and the bias.
    pub(super) norm: Option<BatchNorm>,
    /// What folding the norm leaves to be added to each output channel.
    bias: Option<Param<Tensor<1>>>,
    stride: usize,
    /// Pixels from one of the kernel's taps to the next.
    dilation: usize,
}

/// The four vectors of a batch norm, one number a channel.
pub(super) struct NormData {
    /// Factor after normalization.
    pub(super) gamma: TensorData,
    /// Summand after normalization.
    pub(super) beta: TensorData,
    /// Running mean.
    pub(super) mean: TensorData,
    /// Running variance.
    pub(super) variance: TensorData,
}

impl ConvNorm {
    /// The layer with the given weights.
    pub(super) fn new(weight: TensorData, norm: NormData, stride: usize, device: &Device) -> Self {
        let mut layer = BatchNormConfig::new(norm.gamma.num_elements())
            .with_epsilon(EPSILON)
            .init(device);
        layer.gamma = Param::from_data(norm.gamma, device);
        layer.beta = Param::from_data(norm.beta, device);
        layer.running_mean = RunningState::new(Tensor::from_data(norm.mean, device));
        layer.running_var = RunningState::new(Tensor::from_data(norm.variance, device));
        Self {
            weight: Param::from_data(weight, device),
            norm: Some(layer),
            bias: None,
            stride,
            dilation: 1,
        }
    }

    /// `[N, outputs, ⌈H / stride⌉, ⌈W / stride⌉]` of `[N, inputs, H, W]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_and(x, Activation::None)
    }

    /// As [`ConvNorm::forward`], with what is below 0 set to 0 and what is above 6 to 6.
    pub(super) fn forward_relu6(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_and(x, Activation::Relu6)
    }

    fn forward_and(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        match &self.norm {
            Some(norm) if norm.training.is_enabled() && x.device().is_autodiff() => {
                let x = self.convolved(x, self.weight.val(), None);
                batch_normed(norm, x, activation)
            }
            Some(norm) => {
                // Two products over the weights instead of four passes over the images, also
                // for the gradient, which flows through them to all of the layer's weights.
                let (weight, bias) = folded(self.weight.val(), norm);
                activation.of(self.convolved(x, weight, Some(bias)))
            }
            None => {
                let bias = self.bias.as_ref().map(Param::val);
                activation.of(self.convolved(x, self.weight.val(), bias))
            }
        }
    }

    /// `x` under this layer's convolution with another weight and bias.
    fn convolved(&self, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
        let [_, channels, height, width] = x.dims();
        let [_, inputs, rows, columns] = weight.dims();
        let padding = |side: usize, taps: usize| {
            let kernel = taps.saturating_sub(1) * self.dilation + 1;
            same_padding(side, kernel, self.stride)
        };
        let options = ConvOptions::new_with_padding(
            [self.stride; 2],
            [padding(height, rows), padding(width, columns)],
            [self.dilation; 2],
            channels / inputs,
        );
        conv2d(x, weight, bias, options)
    }

    /// The layer with its kernel's taps `dilation` pixels apart.
    pub(super) fn dilated(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// The layer with an output for each pixel.
    pub(super) fn dense(self) -> Self {
        Self { stride: 1, ..self }
    }

    /// The layer as one convolution, with the running statistics for good.
    pub(super) fn folded(mut self) -> Self {
        if let Some(norm) = self.norm.take() {
            let (weight, bias) = folded(self.weight.val(), &norm);
            self.weight = Param::from_tensor(weight);
            self.bias = Some(Param::from_tensor(bias));
        }
        self
    }

    /// The layer with a norm that uses its running statistics while training and leaves them be.
    pub(super) fn with_norm_at_rest(mut self) -> Self {
        if let Some(norm) = &mut self.norm {
            norm.training = norm.training.clone().with_value(false);
        }
        self
    }

    /// How many numbers of the layer are statistics and no weights.
    pub(super) fn num_running(&self) -> usize {
        let channels = |norm: &BatchNorm| norm.gamma.dims()[0];
        self.norm.as_ref().map_or(0, |norm| 2 * channels(norm))
    }
}

/// The convolution's weight and bias that do what `weight` and `norm` with its running
/// statistics do.
fn folded(weight: Tensor<4>, norm: &BatchNorm) -> (Tensor<4>, Tensor<1>) {
    let device = weight.device();
    let mean = norm.running_mean.value().to_device(&device);
    let variance = norm.running_var.value().to_device(&device);
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let bias = norm.beta.val() - mean * scale.clone();
    let [outputs, _, _, _] = weight.dims();
    (weight * scale.reshape([outputs, 1, 1, 1]), bias)
}

/// What to add before and after `side` pixels so that each stride has its kernel ("SAME" in
/// `TensorFlow`). An odd rest goes after; at stride 2 that shifts the picture by half a pixel
/// against the padding usual in PyTorch.
fn same_padding(side: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let last = side.div_ceil(stride).saturating_sub(1) * stride;
    let total = (last + kernel).saturating_sub(side);
    (total / 2, total - total / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_tensorflow() {
        let cases = [
            ((8, 3, 1), (1, 1)),
            ((8, 5, 1), (2, 2)),
            ((8, 1, 1), (0, 0)),
            ((8, 3, 2), (0, 1)),
            ((7, 3, 2), (1, 1)),
            ((8, 5, 2), (1, 2)),
            ((7, 5, 2), (2, 2)),
            ((1, 3, 2), (1, 1)),
            ((1, 5, 2), (2, 2)),
            ((0, 3, 2), (1, 2)),
        ];
        for ((side, kernel, stride), expected) in cases {
            assert_eq!(
                same_padding(side, kernel, stride),
                expected,
                "{side} {kernel} {stride}"
            );
        }
    }

    /// Two channels, a kernel of one pixel, a norm of small round numbers.
    fn layer(device: &Device) -> ConvNorm {
        let vector = |values: [f32; 2]| TensorData::from(values);
        let norm = NormData {
            gamma: vector([2.0, 1.0]),
            beta: vector([0.5, -1.0]),
            mean: vector([1.0, 0.0]),
            variance: vector([4.0 - 1e-3, 1.0 - 1e-3]),
        };
        let weight = TensorData::new(vec![1.0_f32, 0.0, 3.0, 4.0], [2, 2, 1, 1]);
        ConvNorm::new(weight, norm, 1, device)
    }

    fn answer(layer: &ConvNorm, device: &Device) -> Vec<f32> {
        let x = TensorData::new(vec![3.0_f32, 5.0], [1, 2, 1, 1]);
        let y = layer.forward(Tensor::from_data(x, device));
        y.try_into_vec_as().expect("numbers")
    }

    #[test]
    fn at_rest_and_folded_it_normalizes_with_the_running_statistics() {
        // (3 - 1) / 2 * 2 + 0.5 and (9 + 20 - 0) / 1 * 1 - 1.
        let expected = [2.5, 28.0];
        let near = |values: Vec<f32>| {
            (values.iter().zip(expected)).all(|(value, expected)| (value - expected).abs() < 1e-4)
        };
        let device = Device::flex();
        assert!(near(answer(&layer(&device), &device)));
        assert!(near(answer(&layer(&device).folded(), &device)));
        let learning = device.autodiff();
        assert!(near(answer(
            &layer(&learning).with_norm_at_rest(),
            &learning
        )));
        // One pixel is its own mean.
        assert_eq!(answer(&layer(&learning), &learning), [0.5, -1.0]);
    }
}
