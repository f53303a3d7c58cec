use burn::tensor::Tensor;

use super::resize::by_matrices;

/// Means of `x` `[N, C, H, W]` over a grid of `side` × `side` cells, as `[N, C, side, side]`.
///
/// What `PyTorch` calls adaptive average pooling: cells overlap by a pixel where the sides do not
/// divide, and repeat pixels where there are fewer than cells. Two matrix products, so that it has
/// a gradient on every device.
pub fn pool_to_grid(x: Tensor<4>, side: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let matrices = [pool_matrix(height, side), pool_matrix(width, side)];
    by_matrices(x, matrices, [side, side])
}

/// The weights `[to, from]` by row that turn `from` samples into `to` means; every row sums to 1.
fn pool_matrix(from: usize, to: usize) -> Vec<f32> {
    let mut weights = vec![0.0; to * from];
    for (cell, weights) in weights.chunks_exact_mut(from).enumerate() {
        let samples = cell * from / to..((cell + 1) * from).div_ceil(to);
        let share = 1.0 / samples.len() as f32;
        weights[samples].fill(share);
    }
    weights
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::adaptive_avg_pool2d;
    use burn::tensor::{Device, Int, Tolerance};

    use super::*;

    #[test]
    fn cells_by_hand() {
        assert_eq!(pool_matrix(2, 1), [0.5, 0.5]);
        assert_eq!(pool_matrix(1, 2), [1.0, 1.0]);
        // Three samples in two cells share the middle one.
        assert_eq!(pool_matrix(3, 2), [0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn values_and_gradients_agree_with_the_built_in_one() {
        for (size, side) in [([6, 6], 3), ([7, 5], 2), ([4, 9], 6), ([12, 12], 1)] {
            let device = Device::flex().autodiff();
            let count = 2 * 3 * size[0] * size[1];
            let ramp = Tensor::<1, Int>::arange(0..count as i64, &device).float();
            let ramp = (ramp * 0.7).sin().reshape([2, 3, size[0], size[1]]);
            let answers = [true, false].map(|is_ours| {
                let x = ramp.clone().detach().require_grad();
                let y = if is_ours {
                    pool_to_grid(x.clone(), side)
                } else {
                    adaptive_avg_pool2d(x.clone(), [side, side])
                };
                let grads = y.clone().powf_scalar(2.0).sum().backward();
                let slope = x.grad(&grads).expect("a gradient");
                (y.into_data(), slope.into_data())
            });
            let [ours, theirs] = answers;
            let tolerance = Tolerance::<f32>::absolute(1e-5);
            ours.0.assert_approx_eq(&theirs.0, tolerance);
            ours.1.assert_approx_eq(&theirs.1, tolerance);
        }
    }
}
