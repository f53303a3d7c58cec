use std::ops::Range;

use super::BlockOrder;
use crate::dataset::MirroredWindow;
use crate::geom::{ImagePoint, ImageSize, PixelRect};

/// The windows that a network looks through, on one grid for the whole image.
///
/// A window advances by half its side and starts a quarter of it before its own ground, so that
/// no pixel of the image lies at the rim of all windows that hold it; at the image's edges the
/// rim is mirrored. Along a side of the image that fits into a window there is one window alone,
/// which begins where the image does, as in training: the network sees all of that side at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WindowGrid {
    extent: ImageSize,
    side: u32,
}

/// The least weight, at a window's rim: not 0, so that every pixel has some.
const RIM_WEIGHT: f64 = 1e-3;

impl WindowGrid {
    /// The usual windows over an image of `extent` for a network that learned on patches of `patch`
    /// pixels a side: twice, three times … a patch until they have `least` pixels a side, since more
    /// of the ground around makes a better map in less time, but no more than the image needs. A
    /// network that takes means over all that it sees (`has_one_view`) keeps to a patch.
    pub(super) fn usual(extent: ImageSize, patch: u32, least: u32, has_one_view: bool) -> Self {
        let longest = extent.width.max(extent.height);
        let patches = if has_one_view {
            1
        } else {
            least.min(longest).div_ceil(patch).max(1)
        };
        Self::new(extent, patch * patches)
    }

    /// Windows of `side` (a multiple of 4) over an image of `extent`.
    pub(super) const fn new(extent: ImageSize, side: u32) -> Self {
        Self { extent, side }
    }

    pub(super) const fn side(self) -> u32 {
        self.side
    }

    const fn step(self) -> u32 {
        self.side / 2
    }

    /// How far the first window begins before an image that is `length` long.
    const fn rim(self, length: u32) -> u32 {
        if length <= self.side {
            0
        } else {
            self.side / 4
        }
    }

    /// Number of windows along an image that is `length` long.
    const fn count(self, length: u32) -> u32 {
        if length <= self.side {
            1
        } else {
            length.div_ceil(self.step())
        }
    }

    /// Column and row of every window that holds a pixel of `rect`, by row. The order is the same
    /// for every rectangle, so that sums over windows are as well.
    pub(super) fn touching(self, rect: PixelRect) -> Vec<(u32, u32)> {
        let cols = self.along(rect.x..rect.right(), self.extent.width);
        let rows = self.along(rect.y..rect.bottom(), self.extent.height);
        rows.flat_map(|row| cols.clone().map(move |col| (col, row)))
            .collect()
    }

    fn along(self, pixels: Range<u32>, length: u32) -> Range<u32> {
        let (step, rim) = (i64::from(self.step()), i64::from(self.rim(length)));
        let (low, high) = (i64::from(pixels.start), i64::from(pixels.end));
        let first = (low + rim - i64::from(self.side)).div_euclid(step) + 1;
        let end = (high + rim - 1).div_euclid(step) + 1;
        let count = i64::from(self.count(length));
        first.clamp(0, count) as u32..end.clamp(0, count) as u32
    }

    /// The pixels that window (col, row) looks at.
    pub(super) fn window(self, (col, row): (u32, u32)) -> MirroredWindow {
        let start = |at: u32, length: u32| {
            i64::from(at) * i64::from(self.step()) - i64::from(self.rim(length))
        };
        MirroredWindow {
            x: start(col, self.extent.width),
            y: start(row, self.extent.height),
            side: self.side,
        }
    }

    /// The weight of each pixel along a window's side: a squared sine, greatest in the middle.
    pub(super) fn weights(self) -> Vec<f32> {
        let weight = |at: u32| {
            let angle = std::f64::consts::PI * (f64::from(at) + 0.5) / f64::from(self.side);
            (RIM_WEIGHT + (1.0 - RIM_WEIGHT) * angle.sin().powi(2)) as f32
        };
        (0..self.side).map(weight).collect()
    }
}

/// The blocks of `side` that cover `area`, cut to it, in the wanted order.
pub(super) fn blocks(area: PixelRect, side: u32, order: BlockOrder) -> Vec<PixelRect> {
    let cols = area.x / side..area.right().div_ceil(side);
    let rows = area.y / side..area.bottom().div_ceil(side);
    let block = |col: u32, row: u32| PixelRect::new(col * side, row * side, side, side);
    let mut blocks: Vec<PixelRect> = rows
        .flat_map(|row| cols.clone().map(move |col| block(col, row).intersect(area)))
        .collect();
    if let BlockOrder::NearestFirst(point) = order {
        // Stable, so that equally far blocks stay in rows.
        blocks.sort_by(|a, b| distance(point, *a).total_cmp(&distance(point, *b)));
    }
    blocks
}

/// From `point` to the middle of `block`.
fn distance(point: ImagePoint, block: PixelRect) -> f64 {
    let middle = |start: u32, length: u32| f64::from(start) + f64::from(length) / 2.0;
    point.distance(ImagePoint::new(
        middle(block.x, block.width),
        middle(block.y, block.height),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_windows_are_all_and_only_those_that_overlap() {
        let size = ImageSize::new(200, 130);
        let grid = WindowGrid::new(size, 32);
        let all = grid.touching(size.bounds());
        assert_eq!(all.len(), 13 * 9);
        for rect in [
            PixelRect::new(0, 0, 1, 1),
            PixelRect::new(40, 24, 9, 30),
            PixelRect::new(199, 129, 1, 1),
        ] {
            let overlaps = |&at: &(u32, u32)| {
                let window = grid.window(at);
                let apart = |start: i64, low: u32, high: u32| {
                    start >= i64::from(high) || start + 32 <= i64::from(low)
                };
                !apart(window.x, rect.x, rect.right()) && !apart(window.y, rect.y, rect.bottom())
            };
            let expected: Vec<(u32, u32)> = all.iter().copied().filter(overlaps).collect();
            assert!(!expected.is_empty());
            assert_eq!(grid.touching(rect), expected);
        }
    }

    #[test]
    fn usual_windows_are_patches_joined_up() {
        let side = |length, patch, has_one_view| {
            WindowGrid::usual(ImageSize::new(length, 40), patch, 256, has_one_view).side()
        };
        assert_eq!(side(2_000, 128, false), 256);
        assert_eq!(side(2_000, 96, false), 288);
        assert_eq!(side(2_000, 512, false), 512);
        assert_eq!(side(2_000, 128, true), 128);
        assert_eq!(side(101, 128, false), 128);
        assert_eq!(side(129, 128, false), 256);
        assert_eq!(side(70, 32, false), 96);
    }

    #[test]
    fn a_side_that_fits_into_a_window_has_one_that_begins_with_it() {
        let grid = WindowGrid::new(ImageSize::new(101, 129), 128);
        let all = grid.touching(PixelRect::new(0, 0, 101, 129));
        assert_eq!(all, [(0, 0), (0, 1), (0, 2)]);
        assert_eq!((grid.window((0, 0)).x, grid.window((0, 0)).y), (0, -32));
        assert_eq!((grid.window((0, 2)).x, grid.window((0, 2)).y), (0, 96));
        let whole = WindowGrid::new(ImageSize::new(128, 128), 128);
        assert_eq!(whole.touching(PixelRect::new(127, 127, 1, 1)), [(0, 0)]);
    }

    #[test]
    fn every_pixel_lies_well_inside_some_window() {
        let size = ImageSize::new(77, 5);
        let grid = WindowGrid::new(size, 16);
        for x in 0..size.width {
            let windows = grid.touching(PixelRect::new(x, 0, 1, 1));
            let inside = windows.iter().any(|&at| {
                let from_left = i64::from(x) - grid.window(at).x;
                (4..12).contains(&from_left)
            });
            assert!(inside, "column {x}");
        }
    }

    #[test]
    fn weights_are_symmetric_and_never_zero() {
        let weights = WindowGrid::new(ImageSize::new(9, 9), 8).weights();
        assert!((0..4).all(|at| (weights[at] - weights[7 - at]).abs() < 1e-6 && weights[at] > 0.0));
        assert!(weights.windows(2).take(3).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn blocks_cover_the_area_once_in_either_order() {
        let area = PixelRect::new(10, 20, 100, 70);
        let rows = blocks(area, 32, BlockOrder::Rows);
        assert_eq!(
            rows.iter().map(|block| block.num_pixels()).sum::<u64>(),
            area.num_pixels()
        );
        let mut near = blocks(
            area,
            32,
            BlockOrder::NearestFirst(ImagePoint::new(100.0, 80.0)),
        );
        assert_eq!(near[0], PixelRect::new(96, 64, 14, 26));
        near.sort_by_key(|block| (block.y, block.x));
        assert_eq!(near, rows);
    }
}
