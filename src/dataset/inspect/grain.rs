use std::collections::BTreeMap;

use crate::dataset::discover::spread;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};

/// Masks are looked at in squares of so many pixels a side.
const SQUARE: u32 = 256;
/// At most so many of them in a mask, spread over it.
const MOST_SQUARES: usize = 16;
/// Pixels at the edges of a square whose surroundings are not seen whole.
const EDGE: usize = 3;

/// What the surroundings of a value's pixels say, in one mask or in a whole set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grain {
    /// Its pixels.
    pub(super) pixels: u64,
    /// Pixels amid ground of this value when specks are smoothed away: the median of 5 × 5 pixels
    /// is this value here and at all eight neighbors.
    pub(super) home: u64,
    /// Its pixels with at least two other values within 5 × 5.
    pub(super) mixed: u64,
    /// Neighbors of its pixels that have its value, of eight each.
    pub(super) same: u64,
    /// Neighbors of its pixels that have another value.
    pub(super) other: u64,
    /// Those of them whose value is near: within a quarter of the mask's range.
    pub(super) near: u64,
}

impl Grain {
    /// Adds what another mask says.
    pub(super) fn add(&mut self, more: Self) {
        self.pixels += more.pixels;
        self.home += more.home;
        self.mixed += more.mixed;
        self.same += more.same;
        self.other += more.other;
        self.near += more.near;
    }

    /// Whether the value forms areas, as that of a real class does.
    pub(super) const fn is_at_home(&self) -> bool {
        self.home * 5 >= self.pixels
    }

    /// Whether the value looks made by lossy compression: it hardly forms any area nor blob, lies
    /// where other values meet, and is near to those around it. In thin lines on one background and
    /// in rare classes of a few pixels at a place, one of these is missing.
    pub(super) const fn is_stray(&self) -> bool {
        self.pixels > 0
            && self.home * 20 < self.pixels
            && self.same * 2 < self.pixels * 7
            && self.mixed * 10 >= self.pixels * 6
            && self.near * 10 >= self.other * 6
    }
}

/// The grain of each value of a mask of class indices but the unlabeled, in some squares of it.
pub(super) fn grains_of(mask: &Mask) -> Vec<(u8, Grain)> {
    let is_class = |&(value, count): &(u8, u64)| value != UNLABELED && count > 0;
    let mut values = (0..=UNLABELED).zip(mask.histogram()).filter(is_class);
    let (first, last) = (values.clone().next(), values.next_back());
    let range = match (first, last) {
        (Some((first, _)), Some((last, _))) => last - first,
        _ => return Vec::new(),
    };
    let mut grains = BTreeMap::new();
    for rect in squares(mask.size()) {
        let square = Square {
            values: mask.read_rect(rect),
            width: rect.width as usize,
        };
        square.count(rect.height as usize, (range / 4).max(1), &mut grains);
    }
    grains.into_iter().collect()
}

/// Squares of an extent, spread over it.
pub(super) fn squares(size: ImageSize) -> Vec<PixelRect> {
    let (cols, rows) = (size.width.div_ceil(SQUARE), size.height.div_ceil(SQUARE));
    let all: Vec<PixelRect> = (0..rows)
        .flat_map(|row| (0..cols).map(move |col| (col * SQUARE, row * SQUARE)))
        .map(|(x, y)| PixelRect::new(x, y, SQUARE, SQUARE).intersect(size.bounds()))
        .collect();
    let chosen = spread(all.len(), MOST_SQUARES);
    chosen.map(|at| all[at]).collect()
}

/// Values of a square, row by row.
struct Square {
    values: Vec<u8>,
    width: usize,
}

impl Square {
    /// 3 × 3 pixels around a place, its own among them.
    fn near(&self, at: usize) -> [u8; 9] {
        let first = at - self.width - 1;
        std::array::from_fn(|n| self.values[first + n / 3 * self.width + n % 3])
    }

    /// 5 × 5 pixels around a place.
    fn wide(&self, at: usize) -> [u8; 25] {
        let first = at - 2 * self.width - 2;
        std::array::from_fn(|n| self.values[first + n / 5 * self.width + n % 5])
    }

    fn count(&self, height: usize, near: u8, grains: &mut BTreeMap<u8, Grain>) {
        if self.width <= 2 * EDGE || height <= 2 * EDGE {
            return;
        }
        let medians = self.medians(height);
        for y in EDGE..height - EDGE {
            for x in EDGE..self.width - EDGE {
                let at = y * self.width + x;
                let (value, median) = (self.values[at], medians.values[at]);
                if median != UNLABELED && medians.near(at).iter().all(|&m| m == median) {
                    grains.entry(median).or_default().home += 1;
                }
                if value != UNLABELED {
                    self.count_pixel(at, near, grains.entry(value).or_default());
                }
            }
        }
    }

    fn count_pixel(&self, at: usize, near: u8, grain: &mut Grain) {
        let value = self.values[at];
        let same = |other: u8| u64::from(other == value);
        grain.pixels += 1;
        grain.same += self.near(at).into_iter().map(same).sum::<u64>() - 1;
        let is_other = |other: &u8| *other != value && *other != UNLABELED;
        let mut others = self.wide(at).into_iter().filter(is_other);
        let Some(one) = others.next() else {
            return;
        };
        grain.mixed += u64::from(others.any(|other| other != one));
        for other in self.near(at).into_iter().filter(is_other) {
            grain.other += 1;
            grain.near += u64::from(other.abs_diff(value) <= near);
        }
    }

    /// The median of 5 × 5 pixels around each, where these are inside.
    fn medians(&self, height: usize) -> Self {
        let mut values = self.values.clone();
        for y in 2..height - 2 {
            for x in 2..self.width - 2 {
                let at = y * self.width + x;
                let mut around = self.wide(at);
                if around.iter().any(|&value| value != around[0]) {
                    around.sort_unstable();
                    values[at] = around[around.len() / 2];
                }
            }
        }
        Self {
            values,
            width: self.width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grains(width: u32, values: &[u8]) -> BTreeMap<u8, Grain> {
        let size = ImageSize::new(width, values.len() as u32 / width);
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), values);
        grains_of(&mask).into_iter().collect()
    }

    #[test]
    fn surroundings_are_counted_by_hand() {
        // Two fields of 10 columns, and a single pixel of 5 where they meet.
        let mut values: Vec<u8> = (0..400).map(|at| u8::from(at % 20 >= 10) * 8).collect();
        values[10 * 20 + 10] = 5;
        let found = grains(20, &values);
        // Columns 3 to 16 and as many rows are judged; next to the border nothing is at home.
        let left = Grain {
            pixels: 7 * 14,
            home: 6 * 14,
            ..found[&0]
        };
        assert_eq!(found[&0], left);
        let speck = Grain {
            pixels: 1,
            home: 0,
            mixed: 1,
            same: 0,
            other: 8,
            near: 0,
        };
        assert_eq!(found[&5], speck);
        assert!(found[&0].is_at_home() && found[&8].is_at_home());
        assert!(!found[&0].is_stray() && !found[&5].is_stray());
        assert!(grains(2, &[0, 1, 0, 1]).is_empty());
    }

    #[test]
    fn squares_are_spread_and_few() {
        assert_eq!(squares(ImageSize::new(300, 10)).len(), 2);
        let many = squares(ImageSize::new(9_000, 9_000));
        assert_eq!(many.len(), MOST_SQUARES);
        assert_eq!(many[15].right(), 9_000);
        assert!(squares(ImageSize::new(0, 5)).is_empty());
    }
}
