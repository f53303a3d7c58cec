use burn::backend::Dispatch;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::activation::Activation;
use super::batch_norm::NormShape;
use super::conv::is_ours;
use super::ops::CpuLayers as _;

/// `x` `[N, C, H, W]` under `norm` and what follows it.
///
/// In training on the processor with code of our own, which does in one pass there and one back
/// what takes Burn ten each.
pub fn batch_normed(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let device = x.device();
    let is_training = device.is_autodiff() && norm.training.is_enabled();
    if !is_training || !is_ours(&x) {
        return activation.of(norm.forward(x));
    }
    let [_, channels, height, width] = x.dims();
    let shape = NormShape {
        channels,
        area: height * width,
        epsilon: norm.epsilon as f32,
        activation,
    };
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
