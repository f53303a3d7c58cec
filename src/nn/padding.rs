use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;

/// Repeats the last row and column of `x` `[N, C, H, W]` until both sides are multiples of
/// `stride`.
pub fn padded_to(x: Tensor<4>, stride: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let missing = |side: usize| side.next_multiple_of(stride) - side;
    let (below, right) = (missing(height), missing(width));
    if below == 0 && right == 0 {
        return x;
    }
    x.pad([(0, below), (0, right)], PadMode::Edge)
}

/// The first `height` rows and `width` columns of `x` `[N, C, H, W]`.
pub fn cropped_to(x: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [batch, channels, padded_height, padded_width] = x.dims();
    if (padded_height, padded_width) == (height, width) {
        return x;
    }
    x.slice([0..batch, 0..channels, 0..height, 0..width])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn cropping_takes_back_what_padding_gave() {
        let x = Tensor::<4>::from_floats([[[[1.0, 2.0], [3.0, 4.0]]]], &Device::flex());
        let wide = padded_to(x.clone(), 3);
        let expected = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 3.0, 4.0, 4.0];
        let found: Vec<f32> = wide.clone().try_into_vec_as().expect("numbers");
        assert_eq!(found, expected);
        assert_eq!(cropped_to(wide, [2, 2]).into_data(), x.into_data());
    }
}
