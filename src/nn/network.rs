use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use super::family::Parted;
use super::features::{Features, NUM_LEVELS};
use super::layers::Layers;
use super::padding::{cropped_to, padded_to};
use super::weight_count::WeightCount;
use super::{ModelConfig, Network, WeightsError};

impl Network {
    /// The network of `config`, which [`ModelConfig::check`] passes, with fresh weights: He-uniform
    /// from `uniform`, which gives numbers in [0, 1).
    ///
    /// Dropout, if any, draws from the device's own generator; who trains seeds it.
    pub fn new(
        config: &ModelConfig,
        num_classes: usize,
        uniform: &mut dyn FnMut() -> f32,
        device: &Device,
    ) -> Self {
        let layers = &mut Layers::new(uniform, device, config.norm);
        Self::of_family(config, num_classes, layers)
    }

    /// Class logits `[N, classes, H, W]` of normalised images `[N, in, H, W]`; any H and W of at
    /// least one pixel.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let family = self.family();
        let logits = family.logits(padded_to(images, family.stride()));
        cropped_to(logits, [height, width])
    }

    /// [`Network::forward`] for learning: with the logits of the second head, if there is one.
    pub fn forward_deeply(&self, images: Tensor<4>) -> (Tensor<4>, Option<Tensor<4>>) {
        let [_, _, height, width] = images.dims();
        let family = self.family();
        let (logits, second) = family.logits_deeply(padded_to(images, family.stride()));
        let cropped = |logits| cropped_to(logits, [height, width]);
        (cropped(logits), second.map(cropped))
    }

    /// The levels of [`Network::features`] of the first `stages` (1 to 5) stages: those that the
    /// decoder reads and the one that the next stage goes on from. None where nothing can be
    /// parted.
    pub fn feature_levels(&self, stages: usize) -> Option<Vec<usize>> {
        let mut levels = self.family().parted()?.levels();
        levels.retain(|&level| level < stages);
        let last = stages.checked_sub(1)?;
        if stages < NUM_LEVELS && !levels.contains(&last) {
            levels.push(last);
        }
        Some(levels)
    }

    /// What the first `stages` (1 to 5) stages of the encoder see in normalised `images`
    /// `[N, in, H, W]`; none for an encoder whose stages cannot hold still.
    pub fn features(&self, images: Tensor<4>, stages: usize) -> Option<Features> {
        let [_, _, height, width] = images.dims();
        let family = self.family();
        let parted = family.parted()?;
        let images = padded_to(images, family.stride());
        let features = parted.encoder().first_features(images, stages)?;
        let features = features.only(&self.feature_levels(stages)?);
        Some(features.of_images([height, width]))
    }

    /// Class logits `[N, classes, H, W]` of the [`Network::features`] of `stages` stages for
    /// images of H × W: the same, to the last bit, as [`Network::forward`] gives for the images.
    pub fn decode(&self, features: Features, stages: usize) -> Option<Tensor<4>> {
        let (parted, sides) = (self.family().parted()?, features.sides());
        let logits = parted.decode(self.completed(parted, features, stages));
        Some(cropped_to(logits, sides))
    }

    /// [`Network::decode`] for learning: with the logits of the second head, if there is one.
    pub fn decode_deeply(
        &self,
        features: Features,
        stages: usize,
    ) -> Option<(Tensor<4>, Option<Tensor<4>>)> {
        let (parted, sides) = (self.family().parted()?, features.sides());
        let (logits, second) = parted.decode_deeply(self.completed(parted, features, stages));
        let cropped = |logits| cropped_to(logits, sides);
        Some((cropped(logits), second.map(cropped)))
    }

    /// The features of `stages` stages with those of the stages behind them.
    fn completed(&self, parted: &dyn Parted, features: Features, stages: usize) -> Features {
        let stride = self.family().stride();
        let padded = features.sides().map(|side| side.next_multiple_of(stride));
        parted
            .encoder()
            .completed(features.of_images(padded), stages)
    }

    /// Number of trainable weights.
    pub fn num_weights(&self) -> usize {
        WeightCount::of(self).weights
    }

    /// Adds a constant to each class's logit, for good.
    ///
    /// # Errors
    /// When the weights cannot be read back from the device.
    pub fn with_logits_shifted(mut self, by: &[f32]) -> Result<Self, WeightsError> {
        if let Some(bias) = &mut self.family_mut().head_mut().bias {
            let device = bias.val().device();
            let old: Vec<f32> = (bias.val().try_into_vec_as())
                .map_err(|error| WeightsError::Unwritable(error.to_string()))?;
            let shifted: Vec<f32> = old.iter().zip(by).map(|(old, by)| old + by).collect();
            let len = shifted.len();
            *bias = Param::from_data(TensorData::new(shifted, [len]), &device);
        }
        Ok(self)
    }

    /// Names the last layer's weight, for looking up its gradient.
    pub fn head_weight(&self) -> ParamId {
        self.family().head().weight.id
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module as _;
    use burn::optim::{AdamWConfig, GradientsParams};
    use burn::tensor::Int;

    use super::super::test_network::{images, network};
    use super::super::{DecoderUp, EncoderKind, Family, NormKind, cross_entropy};
    use super::*;

    /// Thin networks of every family with every encoder.
    fn every_pair() -> impl Iterator<Item = ModelConfig> {
        let pairs = Family::ALL
            .into_iter()
            .flat_map(|family| EncoderKind::ALL.map(|encoder| (family, encoder)));
        pairs.map(|(family, encoder)| thin(family, encoder))
    }

    fn thin(family: Family, encoder: EncoderKind) -> ModelConfig {
        let config = ModelConfig {
            family,
            encoder,
            base_filters: 2,
            depth: 2,
            stem_filters: 2,
            ..ModelConfig::default()
        };
        let is_first = family == Family::Unet && encoder == EncoderKind::Plain;
        let width = (!is_first).then_some(16);
        ModelConfig { width, ..config }
    }

    fn named(config: &ModelConfig) -> String {
        format!("{} with {}", config.family.name(), config.encoder.name())
    }

    #[test]
    fn any_size_comes_back_as_it_went_in() {
        let device = Device::flex();
        for config in every_pair() {
            assert_eq!(config.check(), Ok(()), "{}", named(&config));
            let network = network(&config, 3, &device);
            for [height, width] in [[1, 1], [7, 13], [33, 65]] {
                let logits = network.forward(images([2, 3, height, width], &device));
                assert_eq!(logits.dims(), [2, 3, height, width], "{}", named(&config));
            }
        }
    }

    #[test]
    fn every_weight_gets_a_gradient() {
        let device = Device::flex().autodiff();
        let choices = [
            ModelConfig {
                residual: true,
                decoder_up: DecoderUp::Transposed,
                ..thin(Family::Unet, EncoderKind::Plain)
            },
            ModelConfig {
                residual: true,
                norm: NormKind::Group,
                decoder_up: DecoderUp::Transposed,
                ..thin(Family::Unet, EncoderKind::Resnet18)
            },
            ModelConfig {
                norm: NormKind::None,
                dropout: 0.5,
                ..thin(Family::Fpn, EncoderKind::Plain)
            },
        ];
        for config in every_pair().chain(choices) {
            let network = network(&config, 3, &device);
            // One image: the means over all of it are single values.
            let logits = network.forward(images([1, 3, 33, 20], &device));
            let grads = logits.powf_scalar(2.0).sum().backward();
            let grads = GradientsParams::from_grads(grads, &network);
            let expected = WeightCount::of(&network).tensors;
            assert_eq!(grads.len(), expected, "{}", named(&config));
            let head = grads.get::<4>(network.head_weight()).expect("a gradient");
            let size: f32 = head.abs().sum().into_scalar();
            assert!(size.is_finite() && size > 0.0, "{}", named(&config));
        }
    }

    #[test]
    fn equal_numbers_make_equal_networks() {
        let device = Device::flex();
        let x = images([1, 3, 20, 40], &device);
        for config in every_pair() {
            let answers = [(), ()].map(|()| network(&config, 2, &device).forward(x.clone()));
            let [first, second] = answers.map(Tensor::into_data);
            assert_eq!(first, second, "{}", named(&config));
        }
    }

    #[test]
    fn a_few_steps_lower_the_loss_of_every_family() {
        let device = Device::flex().autodiff();
        let x = images([2, 3, 32, 32], &device);
        let rows = Tensor::<1, Int>::arange(0..32, &device.clone().inner());
        let labels = rows.greater_equal_elem(20).int().reshape([1, 32, 1]);
        let labels = labels.repeat(&[2, 1, 32]);
        let weights = Tensor::<1>::ones([2], &device.clone().inner());
        for family in Family::ALL {
            let config = ModelConfig {
                stem_filters: 4,
                ..thin(family, EncoderKind::Resnet18)
            };
            let mut network = network(&config, 2, &device);
            let mut optimizer = AdamWConfig::new().init();
            let mut losses = Vec::new();
            for _ in 0..4 {
                let logits = network.forward(x.clone());
                let loss = cross_entropy(logits, labels.clone(), weights.clone()).mean();
                losses.push(loss.clone().into_scalar::<f32>());
                let grads = GradientsParams::from_grads(loss.backward(), &network);
                network = optimizer.step(1e-2, network, grads);
            }
            // A step of this size may well go too far; some must not.
            let least = losses[1..].iter().copied().fold(f32::INFINITY, f32::min);
            assert!(least < 0.9 * losses[0], "{}: {losses:?}", family.name());
        }
    }

    #[test]
    fn shifted_logits_are_shifted_and_still_learned() {
        let device = Device::flex().autodiff();
        let x = images([1, 3, 8, 8], &device);
        let numbers = |x: Tensor<4>| -> Vec<f32> { x.try_into_vec_as().expect("numbers") };
        for family in Family::ALL {
            let network = network(&thin(family, EncoderKind::Plain), 3, &device);
            // In use: in training, norms would see other images.
            let before = numbers(network.valid().forward(x.clone().inner()));
            let network = network
                .with_logits_shifted(&[1.0, 0.0, -2.0])
                .expect("a network");
            let after = numbers(network.valid().forward(x.clone().inner()));
            for (at, (before, after)) in before.iter().zip(&after).enumerate() {
                let by = [1.0, 0.0, -2.0][at / 64];
                assert!((after - before - by).abs() < 1e-4, "{}", family.name());
            }
            let grads = network.forward(x.clone()).sum().backward();
            let bias = network.family().head().bias.as_ref();
            assert!(bias.is_some_and(|bias| bias.grad(&grads).is_some()));
        }
    }

    #[test]
    fn images_may_have_any_number_of_channels() {
        let device = Device::flex();
        for in_channels in [1, 4, 12] {
            let config = ModelConfig {
                in_channels,
                ..thin(Family::DeepLabV3Plus, EncoderKind::Resnet18)
            };
            let logits =
                network(&config, 2, &device).forward(images([1, in_channels, 9, 9], &device));
            assert_eq!(logits.dims(), [1, 2, 9, 9]);
        }
    }
}
