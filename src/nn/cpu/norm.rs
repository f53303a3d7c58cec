use burn::backend::{Dispatch, Flex};
use burn::module::RunningState;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::activation::Activation;
use super::batch_norm::{NormShape, Scaling};
use super::conv::is_ours;
use super::ops::{CpuLayers as _, scaled};

/// `x` `[N, C, H, W]` under `norm` and what follows it.
///
/// On the processor with code of our own, which does in one pass there and one back what takes
/// Burn ten each; but not where slopes pass a norm at rest.
pub fn batch_normed(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    if !is_ours(&x) {
        return activation.of(norm.forward(x));
    }
    let [_, channels, height, width] = x.dims();
    let shape = NormShape {
        channels,
        area: height * width,
        epsilon: norm.epsilon as f32,
        activation,
    };
    match (x.device().is_autodiff(), norm.training.is_enabled()) {
        (true, true) => in_training(norm, x, shape),
        (true, false) => activation.of(norm.forward(x)),
        (false, _) => in_use(norm, x, &shape),
    }
}

fn in_training(norm: &BatchNorm, x: Tensor<4>, shape: NormShape) -> Tensor<4> {
    let device = x.device();
    let (y, mean, variance) = Dispatch::batch_normed(
        x.into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        shape,
    );
    for (state, found) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let found = Tensor::<1>::from_dispatch(found).detach();
        let old = state.value_sync().to_device(&device);
        let new = old * (1.0 - norm.momentum) + found * norm.momentum;
        state.update(new.detach());
    }
    Tensor::from_dispatch(y)
}

fn in_use(norm: &BatchNorm, x: Tensor<4>, shape: &NormShape) -> Tensor<4> {
    let statistics = [&norm.running_mean, &norm.running_var].map(RunningState::value);
    let [mean, variance] = statistics;
    let known = [mean, variance, norm.gamma.val(), norm.beta.val()];
    let known = known.map(|tensor| tensor.into_data().iter::<f32>().collect());
    let x = (x.try_into_primitive::<Flex>()).expect("on the processor and without slopes");
    let scaling = Scaling::new(known, shape.epsilon);
    Tensor::from_primitive::<Flex>(scaled(x, &scaling, shape))
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::nn::BatchNormConfig;
    use burn::tensor::Device;

    use super::super::test_numbers::{Answer, assert_close, numbers};
    use super::*;

    type Normed = fn(&BatchNorm, Tensor<4>, Activation) -> Tensor<4>;

    /// What comes out, the slopes at the images, `gamma` and `beta`, and the running statistics.
    fn answer(normed: Normed, shape: [usize; 4], activation: Activation) -> Answer {
        let device = Device::flex().autodiff();
        let channels = shape[1];
        let mut norm = BatchNormConfig::new(channels).init(&device);
        norm.gamma = Param::from_tensor(numbers([channels], &device) + 2.0);
        norm.beta = Param::from_tensor(numbers([channels], &device));
        let x = (numbers(shape, &device) * 3.0 + 5.0).require_grad();
        let y = normed(&norm, x.clone(), activation);
        let grads = (y.clone() * numbers(y.dims(), &device)).sum().backward();
        vec![
            y.into_data(),
            x.grad(&grads).expect("a slope").into_data(),
            norm.gamma.val().grad(&grads).expect("a slope").into_data(),
            norm.beta.val().grad(&grads).expect("a slope").into_data(),
            norm.running_mean.value_sync().into_data(),
            norm.running_var.value_sync().into_data(),
        ]
    }

    fn of_burn(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        activation.of(norm.forward(x))
    }

    #[test]
    fn all_shapes_and_activations_give_what_burn_gives() {
        for shape in [[1, 1, 2, 1], [2, 3, 5, 7], [4, 2, 16, 16], [1, 3, 130, 129]] {
            for activation in [Activation::None, Activation::Relu, Activation::Relu6] {
                let ours = answer(batch_normed, shape, activation);
                assert_close(&ours, &answer(of_burn, shape, activation));
            }
        }
    }

    #[test]
    fn in_use_it_gives_what_burn_gives_and_leaves_its_input_alone() {
        let device = Device::flex();
        let norm = BatchNormConfig::new(3).init(&device);
        norm.running_mean.update(numbers([3], &device));
        norm.running_var.update(numbers([3], &device) + 2.0);
        let x = numbers([2, 3, 5, 7], &device);
        let kept = x.clone().into_data();
        let answers = [batch_normed, of_burn].map(|normed: Normed| {
            let part = x.clone().slice([0..2, 0..3, 1..4, 0..7]);
            [x.clone(), part]
                .map(|x| normed(&norm, x, Activation::Relu).into_data())
                .to_vec()
        });
        assert_close(&answers[0], &answers[1]);
        assert_eq!(x.into_data(), kept);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let answers = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads");
            pool.install(|| answer(batch_normed, [7, 5, 33, 31], Activation::Relu))
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    }
}
