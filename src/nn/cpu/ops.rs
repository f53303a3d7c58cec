use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata as _, backend_extension};
use burn::tensor::TensorData;

use super::activation::{Activation, activate, activation_slope};
use super::batch_norm::{NormShape, Scaling, batch_norm, batch_norm_slopes, to_scale};
use super::kernel::Kernel;

type Numbers = FloatTensor<Flex>;

/// What Burn's own layers do on the processor, with other code forward and backward. All numbers
/// are `f32`.
#[backend_extension(Flex, Autodiff)]
pub trait CpuLayers: Backend {
    /// `x` under a convolution with `weight` and `bias`.
    fn convolved(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        kernel: Kernel,
    ) -> FloatTensor<Self>;

    /// `x` `[N, C, H, W]` on the scale of the batch, times `gamma` plus `beta`, and the mean and
    /// the variance of the batch; the latter four `[C]`.
    fn batch_normed(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shape: NormShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// `x` of any shape after `activation`.
    fn activated(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
}

impl CpuLayers for Flex {
    fn convolved(x: Numbers, weight: Numbers, bias: Numbers, kernel: Kernel) -> Numbers {
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.to_contiguous());
        let y = kernel.forward(numbers(&x), numbers(&weight), numbers(&bias));
        tensor(y, &kernel.out_shape())
    }

    fn batch_normed(
        x: Numbers,
        gamma: Numbers,
        beta: Numbers,
        shape: NormShape,
    ) -> (Numbers, Numbers, Numbers) {
        let (y, scaling) = normed(&x.to_contiguous(), gamma, beta, &shape);
        let [mean, variance] = statistics(&scaling);
        (y, mean, variance)
    }

    fn activated(x: Numbers, activation: Activation) -> Numbers {
        let mut y = whole(x);
        activate(y.storage_mut(), activation);
        y
    }
}

/// `x` `[N, C, H, W]`, which has no slopes, on a scale that is known.
pub fn scaled(x: Numbers, scaling: &Scaling, shape: &NormShape) -> Numbers {
    let mut y = whole(x);
    to_scale(y.storage_mut(), scaling, shape);
    y
}

/// `x` as the only numbers in its storage. To change them copies them if someone else has them.
fn whole(x: Numbers) -> Numbers {
    let is_whole = numbers_or_none(&x).is_some_and(|some| size_of_val(some) == x.bytes().len());
    if is_whole { x } else { x.to_contiguous() }
}

fn normed(x: &Numbers, gamma: Numbers, beta: Numbers, shape: &NormShape) -> (Numbers, Scaling) {
    let [gamma, beta] = [gamma, beta].map(|tensor| tensor.to_contiguous());
    let (y, scaling) = batch_norm(numbers(x), numbers(&gamma), numbers(&beta), shape);
    (tensor(y, &x.shape()), scaling)
}

fn statistics(scaling: &Scaling) -> [Numbers; 2] {
    let [mean, variance] = [&scaling.mean, &scaling.variance];
    [mean, variance].map(|all| tensor(all.clone(), &[all.len()]))
}

#[derive(Debug)]
struct ConvolvedBackward;

impl Backward<Flex, 3> for ConvolvedBackward {
    type State = (Numbers, Numbers, Kernel);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, weight, kernel) = ops.state;
        let slope = grads.consume::<Flex>(&ops.node).to_contiguous();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = kernel.slopes(wanted, numbers(&x), numbers(&weight), numbers(&slope));
        let outputs = [kernel.out_shape()[1]].into();
        let shapes = [x.shape(), weight.shape(), outputs];
        for ((node, found), shape) in ops.parents.iter().zip(found).zip(shapes) {
            if let (Some(node), Some(found)) = (node, found) {
                grads.register::<Flex>(node.id, tensor(found, &shape));
            }
        }
    }
}

#[derive(Debug)]
struct BatchNormedBackward;

impl Backward<Flex, 3> for BatchNormedBackward {
    type State = (Numbers, Scaling, NormShape);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, scaling, shape) = ops.state;
        let slope = grads.consume::<Flex>(&ops.node).to_contiguous();
        let found = batch_norm_slopes(numbers(&x), numbers(&slope), &scaling, &shape);
        let channels = [shape.channels].into();
        let shapes = [x.shape(), channels, [shape.channels].into()];
        for ((node, found), shape) in ops.parents.iter().zip(found).zip(shapes) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(found, &shape));
            }
        }
    }
}

#[derive(Debug)]
struct ActivatedBackward;

impl Backward<Flex, 1> for ActivatedBackward {
    type State = (Numbers, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (y, activation) = ops.state;
        let mut slope = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [node] = ops.parents;
        if let Some(node) = node {
            activation_slope(numbers(&y), slope.storage_mut(), activation);
            grads.register::<Flex>(node.id, slope);
        }
    }
}

impl<C: CheckpointStrategy> CpuLayers for Autodiff<Flex, C> {
    fn convolved(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        kernel: Kernel,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let [x, weight] = [x, weight].map(|tensor| tensor.into_primitive().to_contiguous());
        let y = Flex::convolved(x.clone(), weight.clone(), bias.into_primitive(), kernel);
        match ConvolvedBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((x, weight, kernel), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn batch_normed(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shape: NormShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let x = x.into_primitive().to_contiguous();
        let (y, scaling) = normed(&x, gamma.into_primitive(), beta.into_primitive(), &shape);
        let [mean, variance] = statistics(&scaling).map(FloatTensor::<Self>::new);
        let y = match BatchNormedBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((x, scaling, shape), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, mean, variance)
    }

    fn activated(x: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        let node = x.node();
        let y = Flex::activated(x.into_primitive(), activation);
        match ActivatedBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((y.clone(), activation), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

fn tensor(numbers: Vec<f32>, shape: &[usize]) -> Numbers {
    Numbers::from_data(TensorData::new(numbers, shape))
}

fn numbers_or_none(tensor: &Numbers) -> Option<&[f32]> {
    tensor.as_slice()
}

fn numbers(contiguous: &Numbers) -> &[f32] {
    numbers_or_none(contiguous).expect("f32 was asked for, and made contiguous before")
}
