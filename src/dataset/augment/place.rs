use super::{Bend, Border, Square};
use crate::dataset::window::gathered;
use crate::dataset::{DatasetError, MirroredWindow, Scene};
use crate::geom::{ImageSize, PixelRect};
use crate::label::UNLABELED;

/// Where a patch is cut, and what ground it must not know of.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct Place<'a> {
    /// The image with its mask.
    pub(in crate::dataset) scene: &'a Scene,
    /// The patch; it touches none of `blocked`.
    pub(in crate::dataset) window: MirroredWindow,
    /// Held-out ground with its margin. Neither pixels nor labels of it are read.
    pub(in crate::dataset) blocked: &'a [PixelRect],
}

impl Place<'_> {
    /// The patch, bent; pixels without data are labelled 255.
    pub(super) fn read(&self, bend: Option<&Bend>, border: Border) -> Result<Square, DatasetError> {
        let Some(bend) = bend else {
            return self.square(self.window, border);
        };
        let window = bend.window(self.window);
        let ground = self.square(window, border)?;
        let from = |start: i64, window: i64| (start - window) as f64;
        let corner = [from(self.window.x, window.x), from(self.window.y, window.y)];
        Ok(bend.resampled(&ground, corner, self.window.side as usize))
    }

    fn square(&self, window: MirroredWindow, border: Border) -> Result<Square, DatasetError> {
        let clear = self.clear(window);
        let moved = |rect: PixelRect| {
            PixelRect::new(rect.x + clear.x, rect.y + clear.y, rect.width, rect.height)
        };
        let within = MirroredWindow {
            x: window.x - i64::from(clear.x),
            y: window.y - i64::from(clear.y),
            side: window.side,
        };
        let extent = ImageSize::new(clear.width, clear.height);
        let picture = |at: usize| {
            let read = |rect| self.scene.read_picture(at, moved(rect));
            gathered(within, extent, 4, read)
        };
        let mut rgba = picture(0)?;
        for at in 1..self.scene.num_pictures() {
            rgba.extend(picture(at)?);
        }
        let labels = match border {
            Border::Ignore => self.scene.read_labels(window, clear),
            Border::Reflect => gathered(within, extent, 1, |rect| {
                Ok::<_, DatasetError>(self.scene.mask().read_rect(moved(rect)))
            })?,
        };
        let side = window.side as usize;
        let mut square = Square { side, rgba, labels };
        if square.has_holes() {
            let pixels = square.rgba.as_chunks::<4>().0;
            for (label, pixel) in square.labels.iter_mut().zip(pixels) {
                if pixel[3] == 0 {
                    *label = UNLABELED;
                }
            }
        }
        Ok(square)
    }

    /// The ground around the patch within `wanted` that may be read: inside the image, and cut
    /// off before each blocked rectangle where that costs least.
    fn clear(&self, wanted: MirroredWindow) -> PixelRect {
        let image = self.scene.size();
        let patch = self.window.inside(image);
        let whole = wanted.inside(image).union(patch);
        self.blocked.iter().fold(whole, |clear, &blocked| {
            if clear.intersect(blocked).is_empty() {
                return clear;
            }
            let (right, bottom) = (clear.right(), clear.bottom());
            let span = |x: u32, y: u32, right: u32, bottom: u32| {
                let (width, height) = (right.saturating_sub(x), bottom.saturating_sub(y));
                PixelRect::new(x, y, width, height)
            };
            let cuts = [
                span(clear.x, clear.y, right.min(blocked.x), bottom),
                span(clear.x.max(blocked.right()), clear.y, right, bottom),
                span(clear.x, clear.y, right, bottom.min(blocked.y)),
                span(clear.x, clear.y.max(blocked.bottom()), right, bottom),
            ];
            let cuts = cuts.into_iter().filter(|cut| cut.intersect(patch) == patch);
            cuts.max_by_key(|cut| cut.num_pixels()).unwrap_or(patch)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::scene::tests::Painted;
    use crate::label::Mask;

    fn scene(size: ImageSize) -> Scene {
        let paint = |x: u32, y: u32| [x as u8, y as u8, 0, 255];
        let source = Painted::new(size, paint);
        Scene::whole("s".to_owned(), &*source, Mask::filled(size, 1)).expect("pixels")
    }

    const fn window(x: i64, y: i64, side: u32) -> MirroredWindow {
        MirroredWindow { x, y, side }
    }

    #[test]
    fn ground_is_cut_off_where_that_costs_least() {
        let scene = scene(ImageSize::new(200, 100));
        let clear = |blocked: &[PixelRect]| {
            let place = Place {
                scene: &scene,
                window: window(50, 40, 20),
                blocked,
            };
            place.clear(window(30, 20, 60))
        };
        assert_eq!(clear(&[]), PixelRect::new(30, 20, 60, 60));
        // Left of it 45 x 60 remain, below it 60 x 55.
        let corner = PixelRect::new(75, 10, 100, 15);
        assert_eq!(clear(&[corner]), PixelRect::new(30, 25, 60, 55));
        let beside = PixelRect::new(70, 0, 9, 100);
        assert_eq!(clear(&[corner, beside]), PixelRect::new(30, 25, 40, 55));
    }

    #[test]
    fn beyond_the_edge_labels_are_mirrored_or_ignored() {
        let size = ImageSize::new(40, 40);
        let mut mask = Mask::filled(size, 1);
        mask.set_rect(PixelRect::new(1, 0, 1, 40), &[2; 40]);
        let source = Painted::new(size, |x, _| [x as u8, 0, 0, 255]);
        let scene = Scene::whole("s".to_owned(), &*source, mask).expect("pixels");
        let place = Place {
            scene: &scene,
            window: window(0, 0, 8),
            blocked: &[],
        };
        let row = |border| {
            let square = place.square(window(-2, 0, 5), border).expect("a square");
            let reds: Vec<u8> = square.rgba.chunks(4).take(5).map(|p| p[0]).collect();
            assert_eq!(reds, [2, 1, 0, 1, 2]);
            square.labels[..5].to_vec()
        };
        assert_eq!(row(Border::Reflect), [1, 2, 1, 2, 1]);
        assert_eq!(row(Border::Ignore), [255, 255, 1, 2, 1]);
    }

    proptest! {
        #[test]
        fn blocked_ground_is_never_read(
            x in 0_u32..80, y in 0_u32..80, reach in 0_i64..60,
            blocks in prop::collection::vec((0_u32..100, 0_u32..100, 1_u32..40, 1_u32..40), 0..5),
        ) {
            let scene = scene(ImageSize::new(100, 100));
            let patch = PixelRect::new(x, y, 20, 20);
            let blocks = blocks.iter().map(|&(x, y, w, h)| PixelRect::new(x, y, w, h));
            let blocked: Vec<PixelRect> =
                blocks.filter(|block| block.intersect(patch).is_empty()).collect();
            let place = Place {
                scene: &scene,
                window: window(x.into(), y.into(), 20),
                blocked: &blocked,
            };
            let wanted = window(i64::from(x) - reach, i64::from(y) - reach, 20 + 2 * reach as u32);
            let clear = place.clear(wanted);
            prop_assert_eq!(clear.intersect(patch), patch);
            for block in &blocked {
                prop_assert!(clear.intersect(*block).is_empty());
            }
            let square = place.square(wanted, Border::Reflect).expect("a square");
            for pixel in square.rgba.chunks_exact(4) {
                let at = (u32::from(pixel[0]), u32::from(pixel[1]));
                prop_assert!(clear.contains(at.0, at.1));
            }
        }
    }
}
