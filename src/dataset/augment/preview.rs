use super::{Augment, Place};
use crate::dataset::bands::PICTURE_CHANNELS;
use crate::dataset::{ChannelKind, DatasetError, MirroredWindow, Normalization, Rng, Scene};

/// Patches of a preview.
pub const PREVIEWED: usize = 16;

/// One patch as a window shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchView {
    /// Columns and rows.
    pub side: usize,
    /// RGBA8, row by row; alpha 0 where the network is given the mean color instead.
    pub rgba: Vec<u8>,
    /// Classes; 255 is not learned from.
    pub labels: Vec<u8>,
}

/// [`PREVIEWED`] variations of the patch `place` of `scene` by `augment`; equal seeds give equal
/// ones. All of the image is read, since nothing is learned from it.
///
/// # Errors
/// When a range of `augment` makes no sense, or a tile does not decode.
pub fn preview(
    scene: &Scene,
    place: MirroredWindow,
    augment: &Augment,
    seed: u64,
) -> Result<Vec<PatchView>, DatasetError> {
    augment.check()?;
    let place = Place {
        scene,
        window: place,
        blocked: &[],
    };
    let measured = Normalization::measured([scene.read_window(place.window)?.as_slice()]);
    let view = |number: usize| {
        let mut rng = Rng::of(&[seed, number as u64]);
        let square = match augment {
            Augment::Own(own) => place.varied(own, (&measured, ChannelKind::Colors), &mut rng)?,
            word => place.by_word(word, &mut rng)?,
        };
        Ok(PatchView {
            side: square.side,
            rgba: square.rgba,
            labels: square.labels,
        })
    };
    (0..PREVIEWED).map(view).collect()
}

impl Place<'_> {
    /// The patch varied by a word, its colors as bytes.
    fn by_word(&self, word: &Augment, rng: &mut Rng) -> Result<super::Square, DatasetError> {
        let (turn, shift) = word.drawn(PICTURE_CHANNELS, rng);
        let square = self.read(None, super::Border::Ignore)?;
        let mut square = square.turned(turn);
        shift.apply(&mut square.rgba);
        Ok(square)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scene::tests::Painted;
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::Mask;

    fn scene() -> Scene {
        let size = ImageSize::new(200, 200);
        let mut mask = Mask::filled(size, 1);
        mask.set_rect(PixelRect::new(0, 0, 90, 200), &vec![0; 90 * 200]);
        let source = Painted::new(size, |x, y| [x as u8, y as u8, (x ^ y) as u8, 255]);
        Scene::whole("s".to_owned(), &*source, mask).expect("pixels")
    }

    const PLACE: MirroredWindow = MirroredWindow {
        x: 70,
        y: 60,
        side: 48,
    };

    #[test]
    fn sixteen_views_follow_from_a_seed() {
        let scene = scene();
        for augment in [Augment::Full, Augment::Turns, Augment::strong()] {
            let views = preview(&scene, PLACE, &augment, 3).expect("views");
            assert_eq!(views.len(), PREVIEWED);
            assert_eq!(preview(&scene, PLACE, &augment, 3).expect("views"), views);
            assert_ne!(preview(&scene, PLACE, &augment, 4).expect("views"), views);
            for view in &views {
                assert_eq!((view.side, view.rgba.len()), (48, 48 * 48 * 4));
                assert!(view.labels.iter().all(|&label| label < 2));
            }
        }
    }

    #[test]
    fn without_variation_all_views_are_the_patch() {
        let scene = scene();
        for augment in [Augment::None, Augment::Own(Box::default())] {
            let views = preview(&scene, PLACE, &augment, 3).expect("views");
            let pixels = scene.read_window(PLACE).expect("pixels");
            assert!(views.iter().all(|view| view.rgba == pixels));
        }
    }
}
