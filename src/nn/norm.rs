use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig};
use burn::tensor::module::batch_norm;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::cpu::{Activation, batch_normed};

/// How the values between two layers are brought to a common scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// By channel over the batch (Ioffe & Szegedy 2015); wants batches of several patches.
    #[default]
    Batch,
    /// By groups of channels within an image (Wu & He 2018); the same for any batch.
    Group,
    /// By channel with a mean and a deviation that are known and stay, so that the batch does not
    /// matter; factors and shifts learn. Fresh networks have theirs measured before the first
    /// step (as the activation norm of Kingma & Dhariwal 2018).
    FrozenBatch,
    /// Not at all; the convolutions then have biases.
    None,
}

/// The layer that a [`NormKind`] stands for. Shapes stay `[N, C, H, W]`.
#[derive(Module, Debug)]
pub enum Norm {
    /// Over the batch.
    Batch(BatchNorm),
    /// Within an image.
    Group(GroupNorm),
    /// None; the number of channels.
    None(usize),
}

impl NormKind {
    /// Whether there are running statistics, measured or held still.
    pub const fn has_statistics(self) -> bool {
        matches!(self, Self::Batch | Self::FrozenBatch)
    }
}

impl Norm {
    /// A norm of `channels` that changes nothing yet but the scale.
    pub fn new(kind: NormKind, channels: usize, device: &Device) -> Self {
        match kind {
            NormKind::Batch => Self::Batch(BatchNormConfig::new(channels).init(device)),
            NormKind::FrozenBatch => {
                let mut norm = BatchNormConfig::new(channels).init(device);
                norm.training = norm.training.clone().with_value(false);
                Self::Batch(norm)
            }
            NormKind::Group => {
                Self::Group(GroupNormConfig::new(num_groups(channels), channels).init(device))
            }
            NormKind::None => Self::None(channels),
        }
    }

    /// `x` `[N, C, H, W]` on a common scale.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_and(x, Activation::None)
    }

    /// As [`Norm::forward`], with what is below 0 set to 0.
    pub fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward_and(x, Activation::Relu)
    }

    fn forward_and(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        match self {
            Self::Batch(norm) if has_one_value_a_channel(&x) => activation.of(as_in_use(norm, x)),
            Self::Batch(norm) if !norm.training.is_enabled() && x.device().is_autodiff() => {
                activation.of(at_rest(norm, x))
            }
            Self::Batch(norm) => batch_normed(norm, x, activation),
            Self::Group(norm) => activation.of(norm.forward(x)),
            Self::None(_) => activation.of(x),
        }
    }
}

/// The 32 groups of the paper, or fewer where that would leave less than two channels to each.
fn num_groups(channels: usize) -> usize {
    [32, 16, 8, 4, 2]
        .into_iter()
        .find(|groups| channels.is_multiple_of(*groups) && channels / groups >= 2)
        .unwrap_or(1)
}

fn has_one_value_a_channel(x: &Tensor<4>) -> bool {
    let [batch, _, height, width] = x.dims();
    batch * height * width == 1
}

/// As in use, with the running mean and deviation: a single value says nothing about its spread,
/// and normalised by itself it would always be 0.
fn as_in_use(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    let mean = norm.running_mean.value().to_device(&device);
    let var = norm.running_var.value().to_device(&device);
    batch_norm(
        x,
        norm.gamma.val(),
        norm.beta.val(),
        mean,
        var,
        norm.epsilon,
    )
}

/// The same for learning: a factor and a summand for each channel, so that of the images only `x`
/// is kept for the way back.
fn at_rest(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    let mean = norm.running_mean.value().to_device(&device);
    let variance = norm.running_var.value().to_device(&device);
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let shift = norm.beta.val() - mean * scale.clone();
    let shape = [1, x.dims()[1], 1, 1];
    x * scale.reshape(shape) + shift.reshape(shape)
}

#[cfg(test)]
mod tests {
    use burn::module::Module as _;

    use super::*;

    #[test]
    fn a_frozen_batch_norm_learns_and_its_statistics_stay() {
        let device = Device::flex().autodiff();
        let norm = Norm::new(NormKind::FrozenBatch, 2, &device);
        let Norm::Batch(inner) = &norm else {
            panic!("a batch norm");
        };
        let known = |values: [f32; 2]| Tensor::<1>::from_data(values, &device);
        inner.running_mean.update(known([0.5, -1.0]));
        inner.running_var.update(known([4.0, 0.25]));
        let statistics = || {
            [&inner.running_mean, &inner.running_var].map(|state| state.value_sync().into_data())
        };
        let before = statistics();
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..16, &device).float();
        let x = (ramp / 4.0 - 2.0).reshape([2, 2, 2, 2]).require_grad();
        let y = norm.forward_relu(x.clone());
        let grads = y.clone().powi_scalar(2).sum().backward();
        assert!(x.grad(&grads).is_some());
        for weight in [&inner.gamma, &inner.beta] {
            let slope = weight.val().grad(&grads).expect("a gradient");
            assert!(slope.abs().sum().into_scalar::<f32>() > 0.1);
        }
        assert_eq!(statistics(), before);
        let in_use = norm.valid().forward_relu(x.inner());
        let gap = (y.inner() - in_use).abs().max().into_scalar::<f32>();
        assert!(gap < 1e-5, "{gap}");
    }

    #[test]
    fn groups_divide_the_channels_and_hold_two_or_more() {
        let found = [256, 48, 24, 6, 3, 2, 1].map(num_groups);
        assert_eq!(found, [32, 16, 8, 2, 1, 1, 1]);
    }

    #[test]
    fn a_single_value_goes_through_a_fresh_batch_norm_and_has_a_gradient() {
        let device = Device::flex().autodiff();
        let norm = Norm::new(NormKind::Batch, 2, &device);
        let x = Tensor::<4>::full([1, 2, 1, 1], 3.0, &device).require_grad();
        let y = norm.forward(x.clone());
        let grads = y.clone().sum().backward();
        assert!((y.sum().into_scalar::<f32>() - 6.0).abs() < 1e-3);
        let slope: f32 = x.grad(&grads).expect("a gradient").sum().into_scalar();
        assert!((slope - 2.0).abs() < 1e-3);
    }

    #[test]
    fn group_norm_does_not_see_the_other_images() {
        let device = Device::flex();
        let norm = Norm::new(NormKind::Group, 4, &device);
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..32, &device).float();
        let x = ramp.reshape([2, 4, 2, 2]);
        let both = norm.forward(x.clone()).narrow(0, 0, 1);
        let alone = norm.forward(x.narrow(0, 0, 1));
        assert_eq!(both.into_data(), alone.into_data());
    }
}
