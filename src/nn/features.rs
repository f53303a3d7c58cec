use burn::tensor::Tensor;

/// Maps that an encoder makes of images.
pub const NUM_LEVELS: usize = 5;

/// What an encoder, or its first stages, see in some images: a map `[N, C, H / stride, W / stride]`
/// for each level, the finest first. Levels that the network does not read are left out.
#[derive(Clone, Debug)]
pub struct Features {
    maps: [Option<Tensor<4>>; NUM_LEVELS],
    /// Rows and columns of the images.
    sides: [usize; 2],
}

impl Features {
    /// The `maps` of the first levels for images of `sides` (rows, columns).
    pub(super) fn first(maps: Vec<Tensor<4>>, sides: [usize; 2]) -> Self {
        Self::of_levels(maps.into_iter().enumerate(), sides)
    }

    /// Maps by their level, 0 to 4, for images of `sides` (rows, columns).
    pub fn of_levels(
        maps: impl IntoIterator<Item = (usize, Tensor<4>)>,
        sides: [usize; 2],
    ) -> Self {
        let mut features = Self {
            maps: Default::default(),
            sides,
        };
        for (level, map) in maps {
            features.maps[level] = Some(map);
        }
        features
    }

    /// The same without any but these levels.
    pub(super) fn only(mut self, levels: &[usize]) -> Self {
        for (level, map) in self.maps.iter_mut().enumerate() {
            if !levels.contains(&level) {
                *map = None;
            }
        }
        self
    }

    /// The same for images of other sides that make the same maps.
    pub(super) fn of_images(self, sides: [usize; 2]) -> Self {
        Self { sides, ..self }
    }

    /// Rows and columns of the images.
    pub const fn sides(&self) -> [usize; 2] {
        self.sides
    }

    /// Takes the map of `level` out, if it is there.
    pub fn take(&mut self, level: usize) -> Option<Tensor<4>> {
        self.maps[level].take()
    }

    /// The map of `level`, which the network said it reads.
    pub(super) fn read(&mut self, level: usize) -> Tensor<4> {
        self.take(level)
            .expect("a network is given the levels that it reads")
    }

    /// The map of `level`, left in place.
    pub(super) fn look(&self, level: usize) -> Tensor<4> {
        (self.maps[level].clone()).expect("the map before a stage was made or kept")
    }

    /// Adds the map of `level`.
    pub(super) fn add(&mut self, level: usize, map: Tensor<4>) {
        self.maps[level] = Some(map);
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::test_network::{images, network};
    use super::super::{EncoderKind, Family, ModelConfig, Network};
    use super::*;

    fn of(family: Family, frozen_stages: usize, device: &Device) -> Network {
        let config = ModelConfig {
            family,
            encoder: EncoderKind::Lite0,
            width: Some(16),
            frozen_stages,
            ..ModelConfig::default()
        };
        network(&config, 3, device)
    }

    #[test]
    fn decoding_what_was_encoded_is_the_whole_network_to_the_last_bit() {
        let device = Device::flex();
        for family in Family::ALL {
            let network = of(family, 5, &device);
            for (stages, sides) in [(5, [64, 64]), (5, [33, 70]), (4, [32, 64]), (1, [40, 32])] {
                let [height, width] = sides;
                let images = images([2, 3, height, width], &device);
                let expected = network.forward(images.clone()).into_data();
                let features = network.features(images, stages).expect("features");
                assert_eq!(features.sides(), sides);
                let levels = network.feature_levels(stages).expect("levels");
                for level in 0..NUM_LEVELS {
                    let is_there = features.clone().take(level).is_some();
                    assert_eq!(is_there, levels.contains(&level), "{level} of {stages}");
                }
                let found = network.decode(features, stages).expect("logits");
                assert_eq!(found.into_data(), expected, "{} {stages}", family.name());
            }
        }
    }

    #[test]
    fn features_do_not_depend_on_the_batch_or_on_learning() {
        let device = Device::flex();
        let looking = of(Family::Unet, 5, &device);
        let learning = of(Family::Unet, 5, &device.clone().autodiff());
        let pictures = images([3, 3, 64, 96], &device);
        let mut of_learning = learning
            .features(images([3, 3, 64, 96], &device.clone().autodiff()), 5)
            .expect("features");
        let mut together = looking.features(pictures.clone(), 5).expect("features");
        let mut alone: Vec<Features> = (0..3)
            .map(|at| looking.features(pictures.clone().narrow(0, at, 1), 5))
            .map(|features| features.expect("features"))
            .collect();
        for level in 0..NUM_LEVELS {
            let together = together.take(level).expect("a map");
            let learned = of_learning.take(level).expect("a map");
            assert_eq!(learned.into_data(), together.clone().into_data(), "{level}");
            for (at, features) in alone.iter_mut().enumerate() {
                let map = features.take(level).expect("a map").into_data();
                let expected = together.clone().narrow(0, at, 1).into_data();
                assert_eq!(map, expected, "level {level} of image {at}");
            }
        }
    }

    #[test]
    fn families_read_the_levels_of_their_papers() {
        let levels = Family::ALL.map(|family| {
            let network = of(family, 5, &Device::flex());
            network.feature_levels(5).expect("levels")
        });
        let expected: [&[usize]; 7] = [
            &[0, 1, 2, 3, 4],
            &[3, 4],
            &[2, 3, 4],
            &[1, 2, 3, 4],
            &[4],
            &[4],
            &[1, 4],
        ];
        assert_eq!(levels.each_ref().map(Vec::as_slice), expected);
        let fpn = of(Family::Fpn, 3, &Device::flex());
        assert_eq!(fpn.feature_levels(3), Some(vec![1, 2]));
        let pspnet = of(Family::Pspnet, 3, &Device::flex());
        assert_eq!(pspnet.feature_levels(3), Some(vec![2]));
    }

    #[test]
    fn what_cannot_be_parted_has_no_features() {
        let device = Device::flex();
        let images = images([1, 3, 32, 32], &device);
        let plain = network(&ModelConfig::default(), 2, &device);
        assert!(plain.features(images.clone(), 5).is_none());
        let config = ModelConfig {
            family: Family::Fpn,
            encoder: EncoderKind::Resnet18,
            stem_filters: 2,
            width: Some(16),
            ..ModelConfig::default()
        };
        assert!(network(&config, 2, &device).features(images, 5).is_none());
    }
}
