use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::nn::Network;

/// Which mirror images of a window a network looks at as well (test-time augmentation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flips {
    /// None.
    #[default]
    None,
    /// Those along each axis and along both: four looks instead of one, somewhat better answers.
    All,
}

impl Flips {
    /// The mean of the logits `[N, classes, H, W]` that `network` gives for `images`
    /// `[N, in, H, W]` and for their mirror images, turned back.
    pub(super) fn logits(self, network: &Network, images: Tensor<4>) -> Tensor<4> {
        if self == Self::None {
            return network.forward(images);
        }
        let along = |axes: [usize; 2]| {
            let seen = network.forward(images.clone().flip(axes));
            seen.flip(axes)
        };
        let one = |axis: usize| network.forward(images.clone().flip([axis])).flip([axis]);
        let sum = network.forward(images.clone()) + one(3) + one(2) + along([2, 3]);
        sum / 4.0
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::nn::ModelConfig;

    #[test]
    fn the_answer_for_a_mirror_image_is_the_mirror_image_of_the_answer() {
        let device = Device::flex();
        let mut state = 1_u32;
        let mut uniform = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        let config = ModelConfig {
            base_filters: 4,
            depth: 2,
            ..ModelConfig::default()
        };
        let network = Network::new(&config, 3, &mut uniform, &device);
        let numbers: Vec<f32> = (0..3 * 16 * 20).map(|_| uniform()).collect();
        let image = Tensor::<4>::from_data(TensorData::new(numbers, [1, 3, 16, 20]), &device);
        let differ = |flips: Flips, axis: usize| -> f32 {
            let seen = flips.logits(&network, image.clone()).flip([axis]);
            let mirrored = flips.logits(&network, image.clone().flip([axis]));
            (seen - mirrored).abs().max().into_scalar()
        };
        for axis in [2, 3] {
            assert!(differ(Flips::All, axis) < 1e-5);
            assert!(differ(Flips::None, axis) > 1e-3);
        }
    }
}
