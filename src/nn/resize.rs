use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};

/// Bilinear resize of `x` `[N, C, H, W]` to `[height, width]` with pixel centres at half
/// coordinates (what `PyTorch` calls `align_corners=False`).
///
/// Two matrix products, so that its gradient exists and is exact on every device; the built-in
/// one has none on graphics cards.
pub fn resize_bilinear(x: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [_, _, from_height, from_width] = x.dims();
    if [from_height, from_width] == [height, width] {
        return x;
    }
    let rows = resize_matrix(from_height, height);
    let columns = resize_matrix(from_width, width);
    by_matrices(x, [rows, columns], [height, width])
}

/// Repeats pixels of `x` `[N, C, H, W]` so that it is `[height, width]`.
pub fn resize_nearest(x: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [_, _, from_height, from_width] = x.dims();
    if [from_height, from_width] == [height, width] {
        return x;
    }
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
    interpolate(x, nearest.with_output_size([height, width]))
}

/// `x` `[N, C, H, W]` with its columns mixed by `[height, H]` and its rows by `[width, W]`
/// weights, each by row.
pub fn by_matrices(
    x: Tensor<4>,
    [rows, columns]: [Vec<f32>; 2],
    [height, width]: [usize; 2],
) -> Tensor<4> {
    let [batch, channels, from_height, from_width] = x.dims();
    let device = x.device();
    let rows = matrix(rows, [height, from_height], &device);
    let columns = matrix(columns, [width, from_width], &device).transpose();
    let wide = x
        .reshape([batch * channels * from_height, from_width])
        .matmul(columns);
    let wide = wide.reshape([batch * channels, from_height, width]);
    rows.unsqueeze::<3>()
        .matmul(wide)
        .reshape([batch, channels, height, width])
}

fn matrix(weights: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(weights, shape), &device.clone().inner())
}

/// The weights `[to, from]` by row that turn `from` samples into `to`; every row sums to 1.
pub fn resize_matrix(from: usize, to: usize) -> Vec<f32> {
    let mut weights = vec![0.0; to * from];
    let scale = from as f64 / to as f64;
    for (row, weights) in weights.chunks_exact_mut(from).enumerate() {
        let at = ((row as f64 + 0.5) * scale - 0.5).clamp(0.0, (from - 1) as f64);
        let low = at.floor() as usize;
        let high = (low + 1).min(from - 1);
        let share = (at - low as f64) as f32;
        weights[low] += 1.0 - share;
        weights[high] += share;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let numbers =
            (0..shape.iter().product()).map(|n: usize| ((n * 37) % 11) as f32 * 0.3 - 1.0);
        Tensor::from_data(
            TensorData::new(numbers.collect::<Vec<f32>>(), shape),
            device,
        )
    }

    fn built_in(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false);
        interpolate(x, options.with_output_size(size))
    }

    #[test]
    fn doubling_two_samples_by_hand() {
        let expected = [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0];
        assert_eq!(resize_matrix(2, 4), expected);
        assert_eq!(
            resize_matrix(4, 2),
            [0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5]
        );
    }

    #[test]
    fn values_and_gradients_agree_with_the_built_in_one() {
        for (from, to) in [
            ([3, 4], [6, 8]),
            ([5, 2], [9, 7]),
            ([8, 6], [4, 3]),
            ([1, 1], [3, 2]),
        ] {
            let device = Device::flex().autodiff();
            let shape = [2, 3, from[0], from[1]];
            let weight = ramp([2, 3, to[0], to[1]], &device);
            let results = [resize_bilinear, built_in].map(|resize| {
                let x = ramp(shape, &device).require_grad();
                let y = resize(x.clone(), to);
                let grads = (y.clone() * weight.clone()).sum().backward();
                (
                    y.into_data(),
                    x.grad(&grads).expect("a gradient").into_data(),
                )
            });
            let [ours, theirs] = results;
            let tolerance = burn::tensor::Tolerance::<f32>::absolute(1e-5);
            ours.0.assert_approx_eq(&theirs.0, tolerance);
            ours.1.assert_approx_eq(&theirs.1, tolerance);
        }
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let device = Device::flex().autodiff();
        let loss = |x: Tensor<4>| resize_bilinear(x, [5, 7]).powf_scalar(2.0).sum();
        let x = ramp([1, 1, 3, 4], &device).require_grad();
        let grads = loss(x.clone()).backward();
        let grad: Vec<f32> = x
            .grad(&grads)
            .expect("a gradient")
            .try_into_vec_as()
            .expect("numbers");
        let start: Vec<f32> = x.try_into_vec_as().expect("numbers");
        for (at, grad) in grad.iter().enumerate() {
            let moved = |by: f32| {
                let mut numbers = start.clone();
                numbers[at] += by;
                let x = Tensor::from_data(TensorData::new(numbers, [1, 1, 3, 4]), &device);
                loss(x).into_scalar::<f32>()
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (slope - grad).abs() < 1e-2 * grad.abs().max(1.0),
                "{slope} is not {grad}"
            );
        }
    }
}
