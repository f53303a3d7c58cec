use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::geom::{ImagePoint, ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};

/// A way may bend by this much, in pixels of the mask, over a block where it counts as straight.
const BEND: f64 = 0.05;

/// Blocks of this side are not halved further: each of their pixels goes its own way.
const LEAST_SIDE: u32 = 8;

/// Positions on a border between pixels belong to the right and lower one, whatever the last digits.
const BORDER: f64 = 1e-6;

/// The mask on another grid of `size`, by nearest neighbor: each pixel gets the class at the place
/// that `way` leads its center to, and is unlabeled where that is outside or there is no way.
///
/// The way is followed at a few points of a block and is taken for straight between them where that
/// is right within a twentieth of a pixel, which makes projections affordable. Memory is bounded by
/// 256 rows beside the masks.
pub fn align<W>(mask: &Mask, size: ImageSize, way: &W) -> Mask
where
    W: Fn(ImagePoint) -> Option<ImagePoint> + Sync,
{
    let mut aligned = Mask::new(size);
    let (cols, rows) = aligned.grid();
    for row in 0..rows {
        let tile = |col: u32| {
            let ground = aligned.tile_rect(col, row);
            let mut block = Block {
                mask,
                way,
                ground,
                classes: vec![UNLABELED; ground.num_pixels() as usize],
            };
            block.fill(ground);
            (ground, block.classes)
        };
        let tiles: Vec<_> = (0..cols).into_par_iter().map(tile).collect();
        for (ground, classes) in tiles {
            if classes.iter().any(|&class| class != UNLABELED) {
                aligned.set_rect(ground, &classes);
            }
        }
    }
    aligned
}

/// A piece of the new grid.
struct Block<'a, W> {
    mask: &'a Mask,
    way: &'a W,
    ground: PixelRect,
    classes: Vec<u8>,
}

impl<W: Fn(ImagePoint) -> Option<ImagePoint>> Block<'_, W> {
    fn fill(&mut self, part: PixelRect) {
        if part.num_pixels() == 0 {
            return;
        }
        if let Some(patch) = Patch::straight(part, self.way) {
            if patch.reaches(self.mask.size()) {
                self.fill_straight(part, &patch);
            }
        } else if part.width.max(part.height) > LEAST_SIDE {
            for half in part.halves() {
                self.fill(half);
            }
        } else {
            for (x, y) in pixels(part) {
                if let Some(at) = (self.way)(center(x, y)) {
                    self.set(x, y, at);
                }
            }
        }
    }

    fn fill_straight(&mut self, part: PixelRect, patch: &Patch) {
        for y in part.y..part.bottom() {
            let down = share(y, part.y, part.height);
            let (left, right) = (
                between(patch.corners[0], patch.corners[2], down),
                between(patch.corners[1], patch.corners[3], down),
            );
            for x in part.x..part.right() {
                self.set(x, y, between(left, right, share(x, part.x, part.width)));
            }
        }
    }

    fn set(&mut self, x: u32, y: u32, at: ImagePoint) {
        let at = ImagePoint::new(at.x + BORDER, at.y + BORDER);
        if let Some((from_x, from_y)) = at.pixel_in(self.mask.size()) {
            let place = (y - self.ground.y) * self.ground.width + (x - self.ground.x);
            self.classes[place as usize] = self.mask.get(from_x, from_y);
        }
    }
}

/// Where the centers of a block's corner pixels lead: upper left and right, lower left and right.
struct Patch {
    corners: [ImagePoint; 4],
}

impl Patch {
    /// `None` where the way bends or leads nowhere.
    fn straight(part: PixelRect, way: impl Fn(ImagePoint) -> Option<ImagePoint>) -> Option<Self> {
        let (low, high) = (
            center(part.x, part.y),
            center(part.right() - 1, part.bottom() - 1),
        );
        let at = |x: f64, y: f64| {
            let x = low.x + (high.x - low.x) * x;
            way(ImagePoint::new(x, low.y + (high.y - low.y) * y))
        };
        let corners = [at(0.0, 0.0)?, at(1.0, 0.0)?, at(0.0, 1.0)?, at(1.0, 1.0)?];
        for (x, y) in [(0.5, 0.5), (0.5, 0.0), (0.0, 0.5), (1.0, 0.5), (0.5, 1.0)] {
            let (top, bottom) = (
                between(corners[0], corners[1], x),
                between(corners[2], corners[3], x),
            );
            if at(x, y)?.distance(between(top, bottom, y)) > BEND {
                return None;
            }
        }
        Some(Self { corners })
    }

    fn reaches(&self, size: ImageSize) -> bool {
        let any = |is: &dyn Fn(&ImagePoint) -> bool| self.corners.iter().any(is);
        any(&|at| at.x >= -1.0)
            && any(&|at| at.y >= -1.0)
            && any(&|at| at.x <= f64::from(size.width))
            && any(&|at| at.y <= f64::from(size.height))
    }
}

fn pixels(part: PixelRect) -> impl Iterator<Item = (u32, u32)> {
    (part.y..part.bottom()).flat_map(move |y| (part.x..part.right()).map(move |x| (x, y)))
}

fn center(x: u32, y: u32) -> ImagePoint {
    ImagePoint::new(f64::from(x) + 0.5, f64::from(y) + 0.5)
}

/// How far `at` is on the way from the first to the last of `count` pixels, 0 to 1.
fn share(at: u32, first: u32, count: u32) -> f64 {
    f64::from(at - first) / f64::from((count - 1).max(1))
}

fn between(a: ImagePoint, b: ImagePoint, share: f64) -> ImagePoint {
    ImagePoint::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(size: ImageSize, seed: u32) -> Mask {
        let mut mask = Mask::new(size);
        let class = |n: u32| (n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8 % 7;
        let classes: Vec<u8> = (0..size.num_pixels() as u32).map(class).collect();
        mask.set_rect(size.bounds(), &classes);
        mask
    }

    fn all(mask: &Mask) -> Vec<u8> {
        mask.read_rect(mask.size().bounds())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_same_grid_changes_nothing(w in 1_u32..600, h in 1_u32..40, seed in any::<u32>()) {
            let mask = mask(ImageSize::new(w, h), seed);
            prop_assert_eq!(all(&align(&mask, mask.size(), &Some)), all(&mask));
        }

        #[test]
        fn doubled_pixels_become_one_again(w in 1_u32..300, h in 1_u32..30, seed in any::<u32>()) {
            let mask = mask(ImageSize::new(w, h), seed);
            let (half, double) = (
                |at: ImagePoint| Some(ImagePoint::new(at.x / 2.0, at.y / 2.0)),
                |at: ImagePoint| Some(ImagePoint::new(at.x * 2.0, at.y * 2.0)),
            );
            let doubled = align(&mask, ImageSize::new(2 * w, 2 * h), &half);
            let pixel = |x: u32, y: u32| doubled.get(2 * x + 1, 2 * y) == mask.get(x, y);
            prop_assert!((0..w).all(|x| (0..h).all(|y| pixel(x, y))));
            prop_assert_eq!(all(&align(&doubled, mask.size(), &double)), all(&mask));
        }

        #[test]
        fn a_shift_moves_pixels(
            size in (1_u32..400, 1_u32..30),
            (dx, dy) in (-300_i64..300, -40_i64..40),
            seed in any::<u32>(),
        ) {
            let mask = mask(ImageSize::new(size.0, size.1), seed);
            let way = |at: ImagePoint| Some(ImagePoint::new(at.x + dx as f64, at.y + dy as f64));
            let moved = align(&mask, mask.size(), &way);
            for (x, y) in pixels(mask.size().bounds()) {
                let from = |at: u32, by: i64| u32::try_from(i64::from(at) + by).unwrap_or(u32::MAX);
                prop_assert_eq!(moved.get(x, y), mask.get(from(x, dx), from(y, dy)));
            }
        }
    }

    #[test]
    fn bent_ways_are_followed_pixel_by_pixel() {
        let mask = mask(ImageSize::new(300, 60), 5);
        let way = |at: ImagePoint| {
            let bent = ImagePoint::new(at.x + 9.0 * (at.y / 7.0).sin(), at.y + (at.x / 5.0).cos());
            (at.x < 250.0).then_some(bent)
        };
        let bent = align(&mask, mask.size(), &way);
        let wrong = pixels(mask.size().bounds()).filter(|&(x, y)| {
            let expected = way(center(x, y))
                .and_then(|at| at.pixel_in(mask.size()))
                .map_or(UNLABELED, |(x, y)| mask.get(x, y));
            bent.get(x, y) != expected
        });
        assert!(wrong.count() < 18_000 / 20, "only near borders of pixels");
        assert_eq!(bent.get(260, 30), UNLABELED);
    }
}
