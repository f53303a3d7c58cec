use burn::module::{Module, Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::{interpolate, max_pool2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData};

use super::{ModelConfig, WeightsError};

/// Channels of the images a network reads: red, green and blue.
const IMAGE_CHANNELS: usize = 3;

/// Two 3×3 convolutions, each with batch normalisation and `ReLU`.
#[derive(Module, Debug)]
struct DoubleConv {
    first: Conv2d,
    first_norm: BatchNorm,
    second: Conv2d,
    second_norm: BatchNorm,
}

impl DoubleConv {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.first_norm.forward(self.first.forward(x)));
        relu(self.second_norm.forward(self.second.forward(x)))
    }

    fn num_running(&self) -> usize {
        2 * (self.first_norm.gamma.dims()[0] + self.second_norm.gamma.dims()[0])
    }
}

/// One step up: halve the channels, double the sides, join the skip, convolve.
#[derive(Module, Debug)]
struct UpStep {
    narrow: Conv2d,
    blend: DoubleConv,
}

impl UpStep {
    fn forward(&self, deep: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = skip.dims();
        // Narrowing before doubling does the same as after it with a quarter of the work.
        let narrow = self.narrow.forward(deep);
        let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
        let wide = interpolate(narrow, nearest.with_output_size([height, width]));
        self.blend.forward(Tensor::cat(vec![skip, wide], 1))
    }
}

/// Encoder and decoder of equal depth with skips (Ronneberger et al. 2015), with batch
/// normalisation, padded convolutions and nearest-neighbour doubling in place of transposed
/// convolutions.
#[derive(Module, Debug)]
pub struct UNet {
    down: Vec<DoubleConv>,
    bottom: DoubleConv,
    /// From the deepest to the first level.
    up: Vec<UpStep>,
    head: Conv2d,
}

impl UNet {
    /// A network with fresh weights: He-uniform from `uniform`, which gives numbers in [0, 1).
    pub fn new(
        config: &ModelConfig,
        num_classes: usize,
        uniform: &mut dyn FnMut() -> f32,
        device: &Device,
    ) -> Self {
        let mut layers = Layers { uniform, device };
        let depth = config.depth;
        let inputs = |level: usize| {
            if level == 0 {
                IMAGE_CHANNELS
            } else {
                config.filters(level - 1)
            }
        };
        let down = (0..depth)
            .map(|level| layers.double(inputs(level), config.filters(level)))
            .collect();
        let bottom = layers.double(inputs(depth), config.filters(depth));
        let up = (0..depth)
            .rev()
            .map(|level| UpStep {
                narrow: layers.conv([config.filters(level + 1), config.filters(level)], 1),
                blend: layers.double(config.filters(level) * 2, config.filters(level)),
            })
            .collect();
        Self {
            down,
            bottom,
            up,
            head: layers.conv([config.base_filters, num_classes], 1),
        }
    }

    /// Class logits `[N, classes, H, W]` of normalised images `[N, 3, H, W]`; any H and W of at
    /// least one pixel.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        let stride = 1 << self.down.len();
        let mut x = padded_to(images, stride);
        let mut skips = Vec::with_capacity(self.down.len());
        for block in &self.down {
            let skip = block.forward(x);
            x = max_pool2d(skip.clone(), MaxPoolOptions::new([2, 2]));
            skips.push(skip);
        }
        x = self.bottom.forward(x);
        for (step, skip) in self.up.iter().zip(skips.into_iter().rev()) {
            x = step.forward(x, skip);
        }
        let logits = self.head.forward(x);
        let [_, num_classes, padded_height, padded_width] = logits.dims();
        if (padded_height, padded_width) == (height, width) {
            return logits;
        }
        logits.slice([0..batch, 0..num_classes, 0..height, 0..width])
    }

    /// Number of trainable weights. (Burn's own count has the running means and deviations of
    /// the norms as well.)
    pub fn num_weights(&self) -> usize {
        let blocks = self
            .down
            .iter()
            .chain([&self.bottom])
            .chain(self.up.iter().map(|step| &step.blend));
        self.num_params() - blocks.map(DoubleConv::num_running).sum::<usize>()
    }

    /// Adds a constant to each class's logit, for good.
    ///
    /// # Errors
    /// When the weights cannot be read back from the device.
    pub fn with_logits_shifted(mut self, by: &[f32]) -> Result<Self, WeightsError> {
        if let Some(bias) = &mut self.head.bias {
            let device = bias.val().device();
            let old: Vec<f32> = (bias.val().try_into_vec_as())
                .map_err(|error| WeightsError::Unwritable(error.to_string()))?;
            let shifted: Vec<f32> = old.iter().zip(by).map(|(old, by)| old + by).collect();
            let len = shifted.len();
            *bias = Param::from_data(TensorData::new(shifted, [len]), &device);
        }
        Ok(self)
    }

    /// Names the last layer's weight, for looking up its gradient.
    pub fn head_weight(&self) -> ParamId {
        self.head.weight.id
    }
}

/// Repeats the last row and column until both sides are multiples of `stride`.
fn padded_to(x: Tensor<4>, stride: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let missing = |side: usize| side.next_multiple_of(stride) - side;
    let (below, right) = (missing(height), missing(width));
    if below == 0 && right == 0 {
        return x;
    }
    x.pad([(0, below), (0, right)], PadMode::Edge)
}

/// Makes layers whose first weights come from a given stream of numbers, so that a network is a
/// function of its seed and not of a global generator.
struct Layers<'a> {
    uniform: &'a mut dyn FnMut() -> f32,
    device: &'a Device,
}

impl Layers<'_> {
    fn conv(&mut self, channels: [usize; 2], side: usize) -> Conv2d {
        let [inputs, outputs] = channels;
        let fan_in = inputs * side * side;
        let bound = (6.0 / fan_in as f32).sqrt();
        let weights: Vec<f32> = (0..outputs * fan_in)
            .map(|_| ((self.uniform)() * 2.0 - 1.0) * bound)
            .collect();
        // The norm behind a 3×3 convolution has a shift of its own.
        let mut conv = Conv2dConfig::new(channels, [side, side])
            .with_bias(side == 1)
            .with_padding(PaddingConfig2d::Same)
            .with_initializer(Initializer::Zeros)
            .init(self.device);
        let data = TensorData::new(weights, [outputs, inputs, side, side]);
        conv.weight = Param::from_data(data, self.device);
        conv
    }

    fn double(&mut self, inputs: usize, outputs: usize) -> DoubleConv {
        let norm = || BatchNormConfig::new(outputs).init(self.device);
        let (first_norm, second_norm) = (norm(), norm());
        DoubleConv {
            first: self.conv([inputs, outputs], 3),
            first_norm,
            second: self.conv([outputs, outputs], 3),
            second_norm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant() -> impl FnMut() -> f32 {
        let mut n = 0u32;
        move || {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (n >> 8) as f32 / (1 << 24) as f32
        }
    }

    fn tiny(device: &Device) -> UNet {
        let config = ModelConfig {
            base_filters: 2,
            depth: 2,
            ..ModelConfig::default()
        };
        UNet::new(&config, 3, &mut constant(), device)
    }

    #[test]
    fn any_size_comes_back_as_it_went_in() {
        let device = Device::flex();
        let network = tiny(&device);
        for (height, width) in [(8, 8), (1, 1), (7, 13), (16, 4)] {
            let logits = network.forward(Tensor::ones([2, 3, height, width], &device));
            assert_eq!(logits.dims(), [2, 3, height, width]);
        }
    }

    #[test]
    fn weights_are_counted_by_hand() {
        // A double convolution from a to b: 9ab, 2b of the norm, 9bb, 2b of the norm.
        let double = |a: usize, b: usize| 9 * a * b + 9 * b * b + 4 * b;
        let narrow = |a: usize, b: usize| a * b + b;
        let expected = double(3, 2)
            + double(2, 4)
            + double(4, 8)
            + narrow(8, 4)
            + double(8, 4)
            + narrow(4, 2)
            + double(4, 2)
            + narrow(2, 3);
        assert_eq!(tiny(&Device::flex()).num_weights(), expected);
    }

    #[test]
    fn equal_numbers_make_equal_networks() {
        let device = Device::flex();
        let x = Tensor::<4>::ones([1, 3, 8, 8], &device);
        let first = tiny(&device).forward(x.clone()).into_data();
        assert_eq!(first, tiny(&device).forward(x).into_data());
    }

    #[test]
    fn every_weight_gets_a_gradient() {
        let device = Device::flex().autodiff();
        let network = tiny(&device);
        let x = Tensor::<4>::from_data(
            TensorData::new(
                (0..3 * 64)
                    .map(|n| (n % 7) as f32 - 3.0)
                    .collect::<Vec<f32>>(),
                [1, 3, 8, 8],
            ),
            &device,
        );
        let grads = network.forward(x).powf_scalar(2.0).sum().backward();
        let grads = burn::optim::GradientsParams::from_grads(grads, &network);
        // 10 convolutions with norms of two weights each, 3 convolutions with biases.
        assert_eq!(grads.len(), 10 + 2 * 10 + 2 * 3);
    }

    #[test]
    fn shifted_logits_are_shifted_and_still_learned() {
        let device = Device::flex().autodiff();
        let x = Tensor::<4>::ones([1, 3, 4, 4], &device);
        let network = tiny(&device);
        let before: Vec<f32> = network
            .forward(x.clone())
            .try_into_vec_as()
            .expect("numbers");
        let network = network
            .with_logits_shifted(&[1.0, 0.0, -2.0])
            .expect("a network");
        let after = network.forward(x);
        let grads = after.clone().sum().backward();
        assert!(
            network
                .head
                .bias
                .as_ref()
                .is_some_and(|bias| bias.grad(&grads).is_some())
        );
        let after: Vec<f32> = after.try_into_vec_as().expect("numbers");
        for (at, (before, after)) in before.iter().zip(&after).enumerate() {
            let by = [1.0, 0.0, -2.0][at / 16];
            assert!((after - before - by).abs() < 1e-5);
        }
    }
}
