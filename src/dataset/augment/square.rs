use super::{Augmentation, ColorShift, Look, Place, Turn, Warp};
use crate::dataset::{Batch, ChannelKind, DatasetError, Normalization, Rng};

/// Pixels and labels of a square.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Square {
    /// Columns and rows.
    pub(in crate::dataset) side: usize,
    /// RGBA8 of each picture of three channels, one after another; alpha 0, which is the same in
    /// all, is without data.
    pub(in crate::dataset) rgba: Vec<u8>,
    /// Classes; 255 is not learned from.
    pub(in crate::dataset) labels: Vec<u8>,
}

impl Square {
    /// Whether some pixel has no data.
    pub(super) fn has_holes(&self) -> bool {
        // Alpha is the highest byte, so the least of all pixels tells; this needs no branch.
        let pixels = self.rgba.as_chunks::<4>().0.iter();
        let least = pixels.fold(u32::MAX, |least, pixel| {
            least.min(u32::from_le_bytes(*pixel))
        });
        least >> 24 == 0
    }

    /// The square turned.
    pub(in crate::dataset) fn turned(mut self, turn: Turn) -> Self {
        if turn != Turn::NONE {
            let (first, others) = self.rgba.split_at(self.side * self.side * 4);
            let mut turned = turn.applied(first, self.side, 4);
            for picture in others.chunks_exact(first.len()) {
                turned.extend(turn.applied(picture, self.side, 4));
            }
            self.rgba = turned;
            self.labels = turn.applied(&self.labels, self.side, 1);
        }
        self
    }

    /// The square as a network reads it, its colors shifted on the way.
    pub(in crate::dataset) fn into_batch(
        self,
        normalization: &Normalization,
        shift: &ColorShift,
    ) -> Batch {
        let Self { side, rgba, labels } = self;
        let mut images = vec![0.0; normalization.num_channels() * side * side];
        normalization.fill_shifted(&rgba, shift, &mut images);
        Batch {
            images,
            labels,
            len: 1,
            side,
        }
    }
}

impl Place<'_> {
    /// The patch, whose channels are of `kind`, varied by `own`, with numbers that follow from the
    /// next of `rng`; what is without data has the mean of `normalization` and alpha 0.
    pub(in crate::dataset) fn varied(
        &self,
        own: &Augmentation,
        (normalization, kind): (&Normalization, ChannelKind),
        rng: &mut Rng,
    ) -> Result<Square, DatasetError> {
        let seed = rng.bits();
        let side = self.window.side;
        let warp = Warp::drawn(own, side, seed);
        let mut square = self.read(warp.bend.as_ref(), own.border)?;
        if warp.bend.is_none() {
            square = square.turned(warp.turn);
        }
        let look = Look::drawn(own, square.side, seed).for_channels(kind);
        look.apply(&mut square, &normalization.mean_colors())?;
        Ok(square)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Augment, Border, Chance, Cutout, CutoutLabels, Vary};
    use super::*;
    use crate::dataset::patch_fixture::{config, painted};
    use crate::dataset::{PatchConfig, PatchSource, hash};
    use crate::geom::ImageSize;
    use crate::label::{Mask, UNLABELED};

    const SIZE: ImageSize = ImageSize {
        width: 700,
        height: 640,
    };

    fn source(
        paint: fn(u32, u32) -> [u8; 4],
        class: fn(u32, u32) -> u8,
        augment: Augment,
    ) -> PatchSource {
        let row = |y| (0..SIZE.width).map(move |x| class(x, y));
        let classes: Vec<u8> = (0..SIZE.height).flat_map(row).collect();
        let mut mask = Mask::filled(SIZE, 0);
        mask.set_rect(SIZE.bounds(), &classes);
        let config = PatchConfig {
            side: 64,
            num_classes: 3,
            augment,
            ..config()
        };
        PatchSource::new(painted(paint, mask), config).expect("a source")
    }

    fn striped(augment: Augment) -> PatchSource {
        let paint = |x: u32, y: u32| {
            let alpha = if x < 690 { 255 } else { 0 };
            [(x * 7 + y) as u8, (x ^ y) as u8, (x * y / 64) as u8, alpha]
        };
        source(
            paint,
            |x, y| [0, 1, 255, 2][((x / 50 + y / 70) % 4) as usize],
            augment,
        )
    }

    fn fingerprint(batch: &Batch) -> u64 {
        let values = batch.images.iter().map(|value| u64::from(value.to_bits()));
        let labels = batch.labels.iter().map(|&label| u64::from(label));
        hash(&values.chain(labels).collect::<Vec<_>>())
    }

    #[test]
    fn words_give_the_patches_that_they_always_gave() {
        for (augment, expected) in [
            (Augment::None, 0x5cfb_b392_e59c_363a),
            (Augment::Turns, 0x91bd_9b04_56bb_9a17),
            (Augment::Full, 0x3a96_1e08_07c6_1f3b),
        ] {
            let batch = striped(augment.clone())
                .batch(5, 6, 0..40)
                .expect("a batch");
            assert_eq!(fingerprint(&batch), expected, "{augment:?}");
        }
    }

    #[test]
    fn an_empty_table_gives_the_patches_as_they_are() {
        let own = striped(Augment::Own(Box::default()));
        let none = striped(Augment::None);
        assert_eq!(own.patch(1, 2, 3).ok(), none.patch(1, 2, 3).ok());
    }

    #[test]
    fn equal_numbers_give_equal_patches() {
        let (one, two) = (striped(Augment::strong()), striped(Augment::strong()));
        let batch = one.batch(1, 2, 0..24).expect("a batch");
        assert_eq!(two.batch(1, 2, 0..24).expect("a batch"), batch);
        assert_ne!(one.batch(1, 3, 0..24).expect("a batch"), batch);
        assert!(batch.images.iter().all(|value| value.is_finite()));
        assert!(
            batch
                .labels
                .iter()
                .all(|&label| label < 3 || label == UNLABELED)
        );
    }

    #[test]
    fn held_out_ground_never_shows_in_a_bent_patch() {
        // Colors and labels are those of the place, so that a patch tells where it was read.
        let paint = |x: u32, y: u32| [(x / 4) as u8, (y / 4) as u8, 0, 255];
        for border in [Border::Reflect, Border::Ignore] {
            let far = |low, high| Some(Vary::new(1.0, [low, high]));
            let own = Augmentation {
                border,
                rotation: far(-180.0, 180.0),
                scale: far(0.5, 0.6),
                shift: far(-0.5, 0.5),
                ..Augmentation::default()
            };
            let source = source(paint, |_, _| 1, Augment::Own(Box::new(own)));
            let blocked = source.split().blocked();
            let numbers = source.normalization();
            for index in 0..60 {
                let patch = source.patch(3, 1, index).expect("a patch");
                let value = |at: usize, channel: usize| {
                    let value = patch.images[channel * 64 * 64 + at];
                    (value * numbers.std[channel] + numbers.mean[channel]) * 255.0
                };
                for at in 0..64 * 64 {
                    let (x, y) = (
                        value(at, 0).round() as u32 * 4,
                        value(at, 1).round() as u32 * 4,
                    );
                    // What is read near the border of a block may round into it by 4 pixels.
                    let inside = blocked.iter().any(|block| {
                        x >= block.x + 4
                            && y >= block.y + 4
                            && x + 8 < block.right()
                            && y + 8 < block.bottom()
                    });
                    assert!(!inside, "({x}, {y}) of {blocked:?}");
                }
            }
        }
    }

    #[test]
    fn labels_stay_with_their_pixels_however_they_are_bent() {
        let paint = |x: u32, _| match x {
            0..350 => [0, 0, 0, 255],
            350..680 => [255, 255, 255, 255],
            _ => [0; 4],
        };
        let own = Augmentation {
            shadow: None,
            gamma: None,
            contrast: None,
            brightness: None,
            saturation: None,
            hue: None,
            blur: None,
            noise: None,
            jpeg: None,
            cutout: Some(Cutout {
                probability: 0.5,
                labels: CutoutLabels::Ignore,
                ..Cutout::default()
            }),
            quarter_turn: Some(Chance { probability: 0.5 }),
            ..Augmentation::strong()
        };
        let source = source(
            paint,
            |x, _| u8::from(x >= 350),
            Augment::Own(Box::new(own)),
        );
        let numbers = source.normalization();
        for index in 0..60 {
            let patch = source.patch(9, 1, index).expect("a patch");
            for (value, label) in patch.images.iter().zip(&patch.labels) {
                let color = value * numbers.std[0] + numbers.mean[0];
                match *label {
                    // The mean, exactly.
                    UNLABELED => assert_eq!(*value, 0.0),
                    // On the border the nearer one wins.
                    label => assert!((color - f32::from(label)).abs() < 0.51, "{color} {label}"),
                }
            }
        }
    }

    #[test]
    fn a_table_that_makes_no_sense_trains_nothing() {
        let own = Augmentation {
            scale: Some(Vary::new(1.0, [0.0, 1e9])),
            ..Augmentation::default()
        };
        let config = PatchConfig {
            side: 64,
            num_classes: 1,
            augment: Augment::Own(Box::new(own)),
            ..config()
        };
        let ground = painted(|_, _| [1; 4], Mask::filled(SIZE, 0));
        let error = PatchSource::new(ground, config).expect_err("a refusal");
        assert!(matches!(error, DatasetError::Augment(_)), "{error}");
    }
}
