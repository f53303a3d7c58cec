use rayon::prelude::*;

use super::{Augment, DatasetError, PREVIEWED, PatchSource, PatchView};

impl PatchSource {
    /// The first [`PREVIEWED`] training patches of `epoch` as a training of `seed` draws them,
    /// varied by `augment` instead of what the source was made with. Of more than three channels
    /// the first three are the colors.
    ///
    /// # Errors
    /// When a range of `augment` makes no sense, or a file cannot be read any more.
    pub fn preview(
        &self,
        augment: &Augment,
        seed: u64,
        epoch: u64,
    ) -> Result<Vec<PatchView>, DatasetError> {
        augment.check()?;
        let view = |index: u64| {
            let (mut square, shift) = self.square(augment, [seed, epoch, index])?;
            square.rgba.truncate(square.side * square.side * 4);
            shift.apply(&mut square.rgba);
            Ok(PatchView {
                side: square.side,
                rgba: square.rgba,
                labels: square.labels,
            })
        };
        (0..PREVIEWED as u64).into_par_iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::patch_fixture::{config, halves};
    use crate::dataset::{PatchConfig, hash};

    fn source(augment: Augment) -> PatchSource {
        let paint = |x: u32, y: u32| {
            let noise = hash(&[u64::from(x), u64::from(y)]).to_le_bytes();
            [noise[0], noise[1], noise[2], 255]
        };
        let config = PatchConfig {
            augment,
            ..config()
        };
        PatchSource::new(halves(paint), config).expect("a source")
    }

    #[test]
    fn a_preview_shows_the_patches_that_a_training_draws() {
        let none = source(Augment::None);
        for augment in [
            Augment::None,
            Augment::Turns,
            Augment::Full,
            Augment::strong(),
        ] {
            let trained = source(augment.clone());
            let views = none.preview(&augment, 7, 2).expect("views");
            assert_eq!(views.len(), PREVIEWED);
            for (index, view) in (0..).zip(&views) {
                let batch = trained.patch(7, 2, index).expect("a patch");
                assert_eq!((view.side, &view.labels), (32, &batch.labels));
                if matches!(augment, Augment::None | Augment::Turns) {
                    let numbers = trained.normalization();
                    let first = f32::from(view.rgba[0]) / 255.0;
                    let first = (first - numbers.mean[0]) / numbers.std[0];
                    assert!((first - batch.images[0]).abs() < 1e-4, "{augment:?}");
                }
            }
            assert_ne!(none.preview(&augment, 7, 3).expect("views"), views);
        }
    }
}
