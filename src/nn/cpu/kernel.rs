use super::correlate::{correlate, turned_weight};
use super::depthwise::Depthwise;
use super::doubling::Doubling;
use super::weight_slope::{bias_slope, weight_slope};
use super::window::Window;

/// A kind of convolution but its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// `weight` is `[out, in, rows, columns]`.
    Dense(Window),
    /// `weight` is `[C, 1, rows, columns]`.
    Depthwise(Depthwise),
    /// `weight` is `[in, out, 2, 2]`.
    Doubling(Doubling),
}

impl Kernel {
    /// Whether it takes less time than Burn's. Not where most of an image is zeros around it, as
    /// under kernels with wide gaps (measured: from twice the area on it is the same or worse).
    pub fn is_worthwhile(&self) -> bool {
        let Self::Dense(window) = self else {
            return true;
        };
        let [[height, width], [down, right]] = [window.size, window.reach()];
        4 * (height + down) * (width + right) < 9 * height * width
    }

    /// `[N, out, H', W']`.
    pub fn out_shape(&self) -> [usize; 4] {
        let (images, [_, outputs], [height, width]) = match self {
            Self::Dense(window) => (window.images, window.channels, window.out_size()),
            Self::Depthwise(depthwise) => {
                let Window {
                    images, channels, ..
                } = depthwise.window;
                (images, channels, depthwise.out_size())
            }
            Self::Doubling(doubling) => (
                doubling.images,
                doubling.channels,
                doubling.size.map(|side| 2 * side),
            ),
        };
        [images, outputs, height, width]
    }

    /// What comes out of `x` `[N, in, H, W]`; `bias` is `[out]`.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        match self {
            Self::Dense(window) => correlate(x, weight, Some(bias), window),
            Self::Depthwise(depthwise) => depthwise.filtered(x, weight, bias),
            Self::Doubling(doubling) => doubling.doubled(x, weight, bias),
        }
    }

    /// The slopes at `x`, the weight and the bias, those that are `wanted`, where that at the
    /// outputs is `slope`.
    pub fn slopes(
        &self,
        wanted: [bool; 3],
        x: &[f32],
        weight: &[f32],
        slope: &[f32],
    ) -> [Option<Vec<f32>>; 3] {
        let [of_x, of_weight, of_bias] = wanted;
        match self {
            Self::Dense(window) => [
                of_x.then(|| {
                    let turned = turned_weight(weight, window);
                    correlate(slope, &turned, None, &window.turned())
                }),
                of_weight.then(|| weight_slope(x, slope, window)),
                of_bias.then(|| self.bias_slope(slope)),
            ],
            Self::Depthwise(depthwise) => [
                of_x.then(|| depthwise.slope(slope, weight)),
                of_weight.then(|| depthwise.weight_slope(x, slope)),
                of_bias.then(|| self.bias_slope(slope)),
            ],
            Self::Doubling(doubling) => {
                let parted = doubling.parted(slope);
                [
                    of_x.then(|| doubling.slope(&parted, weight)),
                    of_weight.then(|| doubling.weight_slope(x, &parted)),
                    of_bias.then(|| self.bias_slope(slope)),
                ]
            }
        }
    }

    fn bias_slope(&self, slope: &[f32]) -> Vec<f32> {
        let [_, outputs, height, width] = self.out_shape();
        bias_slope(slope, outputs, height * width)
    }
}
