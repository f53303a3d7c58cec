use serde::{Deserialize, Serialize};

use super::{ImagePoint, ImageSize};

/// A rectangle of whole pixels: X, Y, W, H; the right and bottom edges are exclusive.
///
/// Which level's pixels they are is said where it is used; without a word it is level 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelRect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelRect {
    /// A rectangle from its first column and row and its extent.
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The column behind the last one.
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// The row behind the last one.
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// Whether there is no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Number of pixels.
    pub fn num_pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether pixel (x, y) is inside.
    pub const fn contains(self, x: u32, y: u32) -> bool {
        x >= self.x && y >= self.y && x < self.right() && y < self.bottom()
    }

    /// The pixels that both hold; empty (0 × 0 at the clamped corner) when they are apart.
    pub fn intersect(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = self.right().min(other.right());
        let bottom = self.bottom().min(other.bottom());
        if right <= x || bottom <= y {
            return Self::new(x, y, 0, 0);
        }
        Self::new(x, y, right - x, bottom - y)
    }

    /// Its center, as a point of the same pixels.
    pub fn center(self) -> ImagePoint {
        let along = |start: u32, length: u32| f64::from(start) + f64::from(length) / 2.0;
        ImagePoint::new(along(self.x, self.width), along(self.y, self.height))
    }

    /// The pixels around its center, at most `most` in each direction.
    pub fn around_center(self, most: u32) -> Self {
        let (width, height) = (self.width.min(most), self.height.min(most));
        let center = self.center();
        let start = |center: f64, length: u32| (center - f64::from(length) / 2.0) as u32;
        Self::new(
            start(center.x, width),
            start(center.y, height),
            width,
            height,
        )
    }

    /// Both halves, cut across the longer side.
    pub const fn halves(self) -> [Self; 2] {
        let Self {
            x,
            y,
            width,
            height,
        } = self;
        if width >= height {
            let half = width / 2;
            [
                Self::new(x, y, half, height),
                Self::new(x + half, y, width - half, height),
            ]
        } else {
            let half = height / 2;
            [
                Self::new(x, y, width, half),
                Self::new(x, y + half, width, height - half),
            ]
        }
    }

    /// What each block of a grid of blocks of `block`, which begins at (0, 0), has of it, row by row.
    pub fn pieces(self, block: ImageSize) -> Vec<Self> {
        let (width, height) = (block.width.max(1), block.height.max(1));
        if self.is_empty() {
            return Vec::new();
        }
        let cols = self.x / width..=(self.right() - 1) / width;
        let rows = self.y / height..=(self.bottom() - 1) / height;
        let block = |row: u32, col: u32| Self::new(col * width, row * height, width, height);
        rows.flat_map(|row| cols.clone().map(move |col| block(row, col).intersect(self)))
            .collect()
    }

    /// The pixels of level 0 under these pixels of `level`.
    pub const fn from_level(self, level: u8) -> Self {
        let factor = 1_u32 << if level < 31 { level } else { 31 };
        Self::new(
            self.x.saturating_mul(factor),
            self.y.saturating_mul(factor),
            self.width.saturating_mul(factor),
            self.height.saturating_mul(factor),
        )
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = self.right().max(other.right());
        let bottom = self.bottom().max(other.bottom());
        Self::new(x, y, right - x, bottom - y)
    }

    /// The same rectangle with `margin` more pixels on each side, cut at zero.
    pub const fn grown(self, margin: u32) -> Self {
        let (x, y) = (self.x.saturating_sub(margin), self.y.saturating_sub(margin));
        let (right, bottom) = (
            self.right().saturating_add(margin),
            self.bottom().saturating_add(margin),
        );
        Self::new(x, y, right - x, bottom - y)
    }

    /// What of it lies outside of `other`: up to four rectangles that share no pixel.
    pub fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let mut hole = self.intersect(other);
        if hole.is_empty() {
            hole = Self::new(self.x, self.bottom(), self.width, 0);
        }
        let (below, right) = (self.bottom() - hole.bottom(), self.right() - hole.right());
        let parts = [
            Self::new(self.x, self.y, self.width, hole.y - self.y),
            Self::new(self.x, hole.y, hole.x - self.x, hole.height),
            Self::new(hole.right(), hole.y, right, hole.height),
            Self::new(self.x, hole.bottom(), self.width, below),
        ];
        parts.into_iter().filter(|part| !part.is_empty())
    }

    /// What of `rects` lies outside of `blocks`.
    pub fn outside(rects: Vec<Self>, blocks: &[Self]) -> Vec<Self> {
        let around = rects
            .iter()
            .fold(Self::default(), |all, rect| all.union(*rect));
        let near = blocks
            .iter()
            .filter(|block| !block.intersect(around).is_empty());
        near.fold(rects, |rects, block| {
            let left = rects.into_iter().flat_map(|rect| rect.without(*block));
            left.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_apart_share_nothing() {
        let left = PixelRect::new(0, 0, 4, 4);
        assert!(left.intersect(PixelRect::new(4, 0, 2, 2)).is_empty());
        assert_eq!(
            left.intersect(PixelRect::new(3, 1, 9, 2)),
            PixelRect::new(3, 1, 1, 2)
        );
    }

    #[test]
    fn what_is_left_around_a_hole_is_the_rest_and_nothing_twice() {
        let rect = PixelRect::new(10, 20, 30, 40);
        let left = |other: PixelRect| rect.without(other).collect::<Vec<_>>();
        assert_eq!(left(PixelRect::new(40, 20, 5, 5)), [rect]);
        assert_eq!(left(PixelRect::default()), [rect]);
        assert!(left(rect.grown(1)).is_empty());
        let corner = PixelRect::new(0, 0, 15, 25);
        let beside = PixelRect::new(15, 20, 25, 5);
        assert_eq!(left(corner), [beside, PixelRect::new(10, 25, 30, 35)]);
        let hole = PixelRect::new(15, 25, 5, 5);
        let parts = left(hole);
        assert_eq!(PixelRect::outside(vec![rect], &[hole, rect]), []);
        assert_eq!(PixelRect::outside(vec![rect], &[hole]), parts);
        assert_eq!(parts.len(), 4);
        for (x, y) in (10..40).flat_map(|x| (20..60).map(move |y| (x, y))) {
            let times = parts.iter().filter(|part| part.contains(x, y)).count();
            assert_eq!(times, usize::from(!hole.contains(x, y)), "{x}, {y}");
        }
    }

    #[test]
    fn what_lies_around_the_center_is_in_the_middle() {
        let rect = PixelRect::new(10, 20, 7, 100);
        assert_eq!(rect.center(), ImagePoint::new(13.5, 70.0));
        assert_eq!(rect.around_center(50), PixelRect::new(10, 45, 7, 50));
        assert_eq!(rect.around_center(4), PixelRect::new(11, 68, 4, 4));
        assert_eq!(rect.around_center(100), rect);
        let far = PixelRect::new(u32::MAX - 9, 0, 9, 1);
        assert_eq!(far.around_center(3), PixelRect::new(u32::MAX - 6, 0, 3, 1));
    }

    #[test]
    fn a_union_ignores_the_empty() {
        let some = PixelRect::new(7, 8, 2, 3);
        assert_eq!(some.union(PixelRect::default()), some);
        assert_eq!(PixelRect::default().union(some), some);
        assert_eq!(
            some.union(PixelRect::new(0, 0, 1, 1)),
            PixelRect::new(0, 0, 9, 11)
        );
    }
}
