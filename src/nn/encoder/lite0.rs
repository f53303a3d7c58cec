use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::conv_norm::ConvNorm;
use super::lite0_blocks::{Parts, Stage};

/// Strides of the blocks of each stage.
const BLOCK_STRIDES: [&[usize]; Lite0::NUM_STAGES] = [
    &[1],
    &[2, 1],
    &[2, 1],
    &[2, 1, 1, 1, 1, 1],
    &[2, 1, 1, 1, 1],
];

/// Where the batch norms of an encoder that learns take mean and variance from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norms {
    /// From the batch; the running statistics follow. For large batches.
    Batch,
    /// From the running statistics, which stay as they are. Batches of a few images have too
    /// noisy statistics to learn from, and this is also the faster way.
    #[default]
    Running,
}

/// The encoder of `EfficientNet-Lite0` with its `ImageNet` weights.
///
/// The architecture is `EfficientNet`'s (Tan and Le 2019) as changed for small processors: no
/// squeeze and excitation, `ReLU6` in place of swish. The classifier is left out and so is
/// stochastic depth. Convolutions are padded as `TensorFlow` does it ("SAME"; the odd pixel of
/// padding goes below and to the right), since the weights were trained so.
///
/// Batch norms work as Burn's do (batch statistics on an autodiff device, running statistics
/// elsewhere) unless [`Lite0::held`] says otherwise. The running statistics move by a tenth at
/// each step, as is usual, not by a hundredth as in the original training: what one fine-tunes
/// for a few hundred steps should not end between two worlds.
#[derive(Module, Debug)]
pub struct Lite0 {
    /// From fine to coarse; each halves its input once.
    pub(super) stages: Vec<Stage>,
}

impl Lite0 {
    /// Scales of features, each half as fine as the one before.
    pub const NUM_STAGES: usize = 5;

    /// Channels of the maps at strides 2, 4, 8, 16 and 32.
    pub const CHANNELS: [usize; Self::NUM_STAGES] = [16, 24, 40, 112, 320];

    /// Pixels of an image for each pixel of a map, in both directions.
    pub const STRIDES: [usize; Self::NUM_STAGES] = [2, 4, 8, 16, 32];

    /// Subtracted from bytes before they are divided by [`Lite0::SPREAD`]; for every channel.
    pub const CENTER: f32 = 127.0;

    /// See [`Lite0::CENTER`].
    pub const SPREAD: f32 = 128.0;

    /// The network for images of `in_channels` channels, at least one, on `device`.
    ///
    /// With three (red, green, blue) it is the published one. The kernels for another number of
    /// channels are made from those for colors such that an image whose channels are all alike
    /// is answered as that gray image is: one channel gets the sum over the colors; of four and
    /// more the first three are taken for red, green and blue, the others get the mean kernel,
    /// and all are scaled by 3 / `in_channels`.
    pub fn new(in_channels: usize, device: &Device) -> Self {
        let mut parts = Parts::new(device);
        let mut stem = Some(parts.stem(in_channels));
        let stages = BLOCK_STRIDES
            .iter()
            .map(|strides| parts.stage(stem.take(), strides))
            .collect();
        Self { stages }
    }

    /// Tells the weights that the program carries from others: their file's crc32c.
    pub fn weights_checksum() -> u32 {
        super::lite0_weights::PretrainedLite0::checksum()
    }

    /// Maps of features of `images` `[N, in_channels, H, W]`, bytes normalized to
    /// (value - 127) / 128.
    ///
    /// Five maps, finest first: `[N, CHANNELS[i], ⌈H / s⌉, ⌈W / s⌉]` with strides s of 2, 4, 8,
    /// 16 and 32 (or less after [`Lite0::with_output_stride`]), for any H and W of at least one
    /// pixel. The values are not bounded and not
    /// rectified.
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.first_maps(images, Self::NUM_STAGES)
    }

    /// The maps of the finest `num_stages` stages alone.
    pub(super) fn first_maps(&self, images: Tensor<4>, num_stages: usize) -> Vec<Tensor<4>> {
        let mut x = images;
        let mut maps = Vec::with_capacity(num_stages);
        for stage in self.stages.iter().take(num_stages) {
            x = stage.forward(x);
            maps.push(x.clone());
        }
        maps
    }

    /// The network without the halvings that lead to strides above `output_stride`, at least 2.
    ///
    /// From there on maps keep their size and kernels are spread instead, so that each pixel sees
    /// what it saw before (Chen et al. 2017). The weights stay. A halving left out does not come
    /// back.
    pub fn with_output_stride(mut self, output_stride: usize) -> Self {
        let mut dilation = 1;
        let widen = |(stage, stride): (Stage, usize)| {
            if stride <= output_stride.max(2) {
                return stage;
            }
            let stage = stage.without_halving(dilation);
            dilation *= 2;
            stage
        };
        let stages = self.stages.into_iter().zip(Self::STRIDES);
        self.stages = stages.map(widen).collect();
        self
    }

    /// The network with its `frozen_stages` finest stages held still and the others learning.
    ///
    /// Stage i ends with map i of [`Lite0::forward`]; the first also has the stem. A frozen stage
    /// gets no gradients and its norms keep their running statistics; the `norms` of the others
    /// work as given. Holding again replaces what was held before.
    pub fn held(mut self, frozen_stages: usize, norms: Norms) -> Self {
        let hold = |(n, stage): (usize, Stage)| match norms {
            _ if n < frozen_stages => stage.freeze(),
            Norms::Batch => stage.unfreeze(),
            Norms::Running => stage.unfreeze().mapped(ConvNorm::with_norm_at_rest),
        };
        self.stages = self.stages.into_iter().enumerate().map(hold).collect();
        self
    }

    /// A copy for looking only, with each batch norm folded into its convolution.
    pub fn frozen(&self) -> FrozenLite0 {
        let fold = |stage: Stage| stage.mapped(ConvNorm::folded);
        FrozenLite0(Self {
            stages: self.valid().stages.into_iter().map(fold).collect(),
        })
    }

    /// Number of weights, running statistics not counted.
    pub fn num_weights(&self) -> usize {
        let num_running: usize = self
            .stages
            .iter()
            .flat_map(Stage::layers)
            .map(ConvNorm::num_running)
            .sum();
        self.num_params() - num_running
    }
}

/// An encoder that does not learn: no gradients, running statistics, norms folded away.
///
/// For features that are computed once and kept, and for predictions.
#[derive(Clone, Debug)]
pub struct FrozenLite0(Lite0);

impl FrozenLite0 {
    /// The maps that [`Lite0::forward`] gives, without the means to differentiate them.
    pub fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.0.forward(images)
    }

    /// The maps of the finest `num_stages` stages alone; the others are not computed.
    pub fn first_features(&self, images: Tensor<4>, num_stages: usize) -> Vec<Tensor<4>> {
        self.0.first_maps(images, num_stages)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Gradients, Int};

    use super::super::super::{read_weights, write_weights};
    use super::super::lite0_reference::{mean_square_above_zero, pictures};
    use super::*;

    /// Whether each weight of a layer has a gradient.
    fn have_gradients(layer: &ConvNorm, grads: &Gradients) -> [bool; 3] {
        let norm = layer.norm.as_ref().expect("a norm");
        [
            layer.weight.grad(grads).is_some(),
            norm.gamma.grad(grads).is_some(),
            norm.beta.grad(grads).is_some(),
        ]
    }

    #[test]
    fn frozen_stages_get_no_gradient_and_all_others_do() {
        let device = Device::flex().autodiff();
        // So that there is something to differentiate by when all is frozen.
        let images = pictures(1, [9, 11], &device).require_grad();
        let mut network = Lite0::new(3, &device);
        for frozen_stages in [2, 0, 5] {
            network = network.held(frozen_stages, Norms::Running);
            let maps = network.forward(images.clone());
            let grads = mean_square_above_zero(&maps);
            for (n, stage) in network.stages.iter().enumerate() {
                for layer in stage.layers() {
                    let expected = [n >= frozen_stages; 3];
                    assert_eq!(have_gradients(layer, &grads), expected, "stage {n}");
                }
            }
        }
    }

    #[test]
    fn running_statistics_move_only_where_batches_are_asked_for() {
        let device = Device::flex().autodiff();
        let means = |network: &Lite0| -> Vec<Vec<f32>> {
            let first = |stage: &Stage| {
                let norm = stage.blocks[0].depthwise.norm.as_ref().expect("a norm");
                norm.running_mean
                    .value_sync()
                    .try_into_vec_as()
                    .expect("numbers")
            };
            network.stages.iter().map(first).collect()
        };
        let network = Lite0::new(3, &device);
        let before = means(&network);
        for (norms, frozen_stages) in [(Norms::Running, 0), (Norms::Batch, 5), (Norms::Batch, 3)] {
            let network = network.clone().held(frozen_stages, norms);
            network.forward(pictures(1, [9, 11], &device));
            for (n, (after, before)) in means(&network).iter().zip(&before).enumerate() {
                let may_move = norms == Norms::Batch && n >= frozen_stages;
                assert_eq!(after != before, may_move, "stage {n} of {norms:?}");
            }
        }
    }

    #[test]
    fn a_frozen_copy_of_a_learning_network_only_looks() {
        let device = Device::flex();
        let images = pictures(1, [9, 11], &device);
        let learning = Lite0::new(3, &device.clone().autodiff()).frozen();
        let features = learning.features(images.clone());
        let expected = Lite0::new(3, &device).forward(images);
        for (features, expected) in features.into_iter().zip(expected) {
            assert!(!features.is_autodiff());
            let apart: f32 = (features - expected).abs().max().into_scalar();
            assert!(apart < 1e-4, "{apart}");
        }
    }

    #[test]
    fn a_gray_image_is_answered_alike_by_any_number_of_channels() {
        let device = Device::flex();
        let gray = pictures(1, [16, 24], &device).narrow(1, 0, 1);
        let answer = |channels: usize| {
            let images = gray.clone().repeat_dim(1, channels);
            Lite0::new(channels, &device).forward(images).remove(4)
        };
        let expected = answer(3);
        for channels in [1, 2, 4, 7] {
            let apart: f32 = (answer(channels) - expected.clone())
                .abs()
                .max()
                .into_scalar();
            assert!(apart < 1e-3, "{apart} with {channels}");
        }
    }

    #[test]
    fn maps_halve_rounding_up() {
        let device = Device::flex();
        let network = Lite0::new(3, &device);
        for [height, width] in [[1usize, 1], [33, 2], [64, 31]] {
            let maps = network.forward(Tensor::zeros([1, 3, height, width], &device));
            for (n, map) in maps.into_iter().enumerate() {
                let stride = Lite0::STRIDES[n];
                let expected = [
                    1,
                    Lite0::CHANNELS[n],
                    height.div_ceil(stride),
                    width.div_ceil(stride),
                ];
                assert_eq!(map.dims(), expected);
            }
        }
    }

    #[test]
    fn without_halvings_the_same_is_seen_at_more_pixels() {
        let device = Device::flex();
        let images = pictures(1, [64, 32 * 3], &device);
        let expected = Lite0::new(3, &device).forward(images.clone());
        for output_stride in [8, 16, 32] {
            let network = Lite0::new(3, &device).with_output_stride(output_stride);
            let maps = network.frozen().features(images.clone());
            for (n, (map, expected)) in maps.into_iter().zip(expected.clone()).enumerate() {
                let apart = Lite0::STRIDES[n].div_ceil(output_stride);
                // Padding at even sides goes after, so that of each group the last is kept.
                let kept = |side: usize| {
                    let first = apart as i64 - 1;
                    Tensor::<1, Int>::arange_step(first..side as i64, apart, &device)
                };
                let [_, _, height, width] = map.dims();
                let kept = map.select(2, kept(height)).select(3, kept(width));
                assert_eq!(kept.dims(), expected.dims(), "map {n} at {output_stride}");
                let off: f32 = (kept - expected).abs().max().into_scalar();
                assert!(off < 1e-3, "{off} in map {n} at {output_stride}");
            }
        }
    }

    #[test]
    fn weights_travel_through_a_file() {
        let device = Device::flex();
        let first = Lite0::new(3, &device);
        let bytes = write_weights(&first).expect("bytes");
        let mut second = first.clone();
        let blank = |weight: Tensor<4>| Tensor::zeros_like(&weight);
        let project = &mut second.stages[4].blocks[0].project;
        project.weight = project.weight.clone().map(blank);
        let images = pictures(1, [9, 11], &device);
        let answer = |network: &Lite0| network.forward(images.clone()).remove(4).into_data();
        assert_ne!(answer(&second), answer(&first));
        read_weights(&mut second, bytes.clone()).expect("a fit");
        assert_eq!(answer(&second), answer(&first));
        assert!(read_weights(&mut Lite0::new(1, &device), bytes).is_err());
    }

    #[test]
    fn statistics_are_not_counted_as_weights() {
        // All values of the published file less mean and variance of 19,728 channels.
        let network = Lite0::new(3, &Device::flex());
        assert_eq!(network.num_weights(), 2_998_304 - 2 * 19_728);
    }
}
