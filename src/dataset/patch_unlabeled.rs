use super::augment::{ColorShift, Square};
use super::{Batch, DatasetError, PatchSource, Rng};
use crate::label::UNLABELED;

/// So that these places have nothing to do with those of patches with labels.
const SALT: u64 = 0x756e_6c61_6265_6c65;

impl PatchSource {
    /// Patch `index` of `epoch` anywhere on the training ground, whatever its labels: turned, with
    /// its own colors, class 0 where there is an image and 255 where there is none. Held-out ground
    /// and its margin are not looked at.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn unlabeled_patch(
        &self,
        seed: u64,
        epoch: u64,
        index: u64,
    ) -> Result<Batch, DatasetError> {
        let mut rng = Rng::of(&[seed, epoch, index, SALT]);
        let (scene, sites) = &self.scenes[rng.below(self.scenes.len() as u64) as usize];
        let anywhere = sites.anywhere(&mut rng);
        let (scene, corner) = anywhere.map_or_else(
            || {
                let site = rng.below(self.sites.len() as u64) as usize;
                let (scene, corner) = self.sites[site];
                let (scene, sites) = &self.scenes[scene as usize];
                (*scene, sites.corners[corner as usize])
            },
            |corner| (*scene, corner),
        );
        let scene = self.ground.scene(scene)?;
        let rgba = scene.read_window(self.window(corner))?;
        let side = self.config.side as usize;
        let pixels = rgba.as_chunks::<4>().0[..side * side].iter();
        let labels = pixels.map(|pixel| if pixel[3] == 0 { UNLABELED } else { 0 });
        let square = Square {
            labels: labels.collect(),
            side,
            rgba,
        };
        let turn = self.config.augment.drawn(0, &mut rng).0;
        Ok(square
            .turned(turn)
            .into_batch(&self.normalization, &ColorShift::NONE))
    }
}

impl Batch {
    /// The first `len` patches and the others.
    pub fn split_at(self, len: usize) -> (Self, Self) {
        let area = self.side * self.side;
        let numbers = self.images.len() / self.len.max(1);
        let (mut images, mut labels) = (self.images, self.labels);
        let others = Self {
            images: images.split_off(numbers * len),
            labels: labels.split_off(area * len),
            len: self.len - len,
            side: self.side,
        };
        let first = Self {
            images,
            labels,
            len,
            side: self.side,
        };
        (first, others)
    }
}

#[cfg(test)]
mod tests {
    use super::super::patch_fixture::{SIZE, config, painted};
    use super::super::{Augment, PatchConfig};
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::Mask;

    #[test]
    fn patches_come_from_anywhere_and_know_where_there_is_an_image() {
        // Bright where nothing is labelled; the last columns have no data.
        let paint = |x: u32, _| match x {
            0..150 => [20, 20, 20, 255],
            150..280 => [250, 250, 250, 255],
            _ => [0; 4],
        };
        let mut mask = Mask::new(SIZE);
        mask.set_rect(PixelRect::new(0, 0, 150, 260), &vec![1; 150 * 260]);
        mask.set_rect(PixelRect::new(0, 0, 150, 100), &vec![0; 150 * 100]);
        let config = PatchConfig {
            augment: Augment::Full,
            ..config()
        };
        let source = PatchSource::new(painted(paint, mask), config).expect("a source");
        let patches: Vec<Batch> = (0..100)
            .map(|index| source.unlabeled_patch(1, 2, index).expect("a patch"))
            .collect();
        assert_eq!(
            patches[7],
            source.unlabeled_patch(1, 2, 7).expect("a patch")
        );
        let bright =
            (250.0 / 255.0 - source.normalization().mean[0]) / source.normalization().std[0];
        let is_bright = |patch: &&Batch| patch.images.iter().any(|it| (it - bright).abs() < 0.1);
        assert!(patches.iter().filter(is_bright).count() > 20);
        for patch in &patches {
            for (label, value) in patch.labels.iter().zip(&patch.images) {
                // What has no data is the mean.
                assert_eq!(*label, if *value == 0.0 { UNLABELED } else { 0 });
            }
        }
        let (first, others) = Batch::joined(&patches).split_at(60);
        assert_eq!(first, Batch::joined(&patches[..60]));
        assert_eq!(others, Batch::joined(&patches[60..]));
    }
}
