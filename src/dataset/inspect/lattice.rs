use super::grain::squares;
use crate::label::Mask;

/// Side of the blocks that JPEG packs by themselves.
const BLOCK: usize = 8;
/// A speck is so near to the values around it.
const NEAR: u8 = 2;
/// Fewer specks are not judged, and fewer of them alone in a shifted block.
const FEWEST: (u64, u64) = (200, 20);

/// Where in masks single pixels stray by 1 or 2: JPEG of the highest qualities leaves such specks,
/// but none in blocks of one value, which it packs exactly. So they stop at the blocks' borders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lattice {
    /// Pixels that were looked at.
    pixels: u64,
    /// Pixels beside the median of 3 × 3 by 1 or 2, none of their four neighbors like them.
    specks: u64,
    /// Those in blocks of one value but for specks: blocks as JPEG has them, and the same ones
    /// shifted by half a block down and to the right.
    lonely: [u64; 2],
}

impl Lattice {
    /// The specks in some squares of a mask; squares begin where blocks do.
    pub(super) fn of(mask: &Mask) -> Self {
        let mut lattice = Self::default();
        for rect in squares(mask.size()) {
            lattice.count(&mask.read_rect(rect), rect.width as usize);
        }
        lattice
    }

    /// Adds what another mask says.
    pub(super) fn add(&mut self, more: Self) {
        self.pixels += more.pixels;
        self.specks += more.specks;
        self.lonely[0] += more.lonely[0];
        self.lonely[1] += more.lonely[1];
    }

    /// Whether many masks together were packed as JPEG: of drawn masks fewer than one pixel in
    /// 10,000 is a speck, and specks of noise know no blocks.
    pub(super) const fn is_told(&self) -> bool {
        let [packed, shifted] = self.lonely;
        self.specks >= FEWEST.0
            && self.specks.saturating_mul(4_000) >= self.pixels
            && shifted >= FEWEST.1
            && shifted.saturating_mul(100) >= self.specks
            && packed * 2 <= shifted
    }

    /// Whether a mask of a set that is told has a part in it.
    pub(super) const fn is_suspect(&self) -> bool {
        self.specks > 0 && self.specks.saturating_mul(10_000) >= self.pixels
    }

    /// Share of specks.
    pub(super) fn share(&self) -> f64 {
        self.specks as f64 / self.pixels.max(1) as f64
    }

    fn count(&mut self, values: &[u8], width: usize) {
        let height = values.len().checked_div(width).unwrap_or(0);
        if width < 3 || height < 3 {
            return;
        }
        let mut specks = vec![false; values.len()];
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let at = y * width + x;
                specks[at] = is_speck(values, width, at);
                self.specks += u64::from(specks[at]);
            }
        }
        self.pixels += ((width - 2) * (height - 2)) as u64;
        for (lonely, shift) in self.lonely.iter_mut().zip([0, BLOCK / 2]) {
            for top in (shift..(height + 1).saturating_sub(BLOCK)).step_by(BLOCK) {
                for left in (shift..(width + 1).saturating_sub(BLOCK)).step_by(BLOCK) {
                    let rows = (top..top + BLOCK).map(|y| y * width + left);
                    let block = rows.flat_map(|first| first..first + BLOCK);
                    *lonely += lonely_specks(block, values, &specks);
                }
            }
        }
    }
}

/// Whether the pixel at a place inside is near the median around it and like no neighbor.
fn is_speck(values: &[u8], width: usize, at: usize) -> bool {
    let value = values[at];
    let beside = [at - width, at - 1, at + 1, at + width];
    if beside.into_iter().any(|other| values[other] == value) {
        return false;
    }
    let first = at - width - 1;
    let mut around: [u8; 9] = std::array::from_fn(|n| values[first + n / 3 * width + n % 3]);
    around.sort_unstable();
    (1..=NEAR).contains(&around[4].abs_diff(value))
}

/// The specks of a block where all else has one value; none where it has several.
fn lonely_specks(
    block: impl Iterator<Item = usize> + Clone,
    values: &[u8],
    specks: &[bool],
) -> u64 {
    let count = block.clone().filter(|&at| specks[at]).count() as u64;
    if count == 0 {
        return 0;
    }
    let mut rest = block.filter(|&at| !specks[at]).map(|at| values[at]);
    let first = rest.next();
    let is_flat = rest.all(|value| Some(value) == first);
    if is_flat { count } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::hash;
    use crate::geom::ImageSize;

    const SIDE: u32 = 64;

    /// What a mask of 64 × 64 pixels says.
    fn lattice(value: impl Fn(u32, u32) -> u8) -> Lattice {
        let size = ImageSize::new(SIDE, SIDE);
        let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        let values: Vec<u8> = places.map(|(x, y)| value(x, y)).collect();
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), &values);
        Lattice::of(&mask)
    }

    #[test]
    fn specks_are_counted_by_hand() {
        // One speck in a block of one value, and one in a block with a border.
        let found = lattice(|x, y| match (x, y) {
            (20, 20) => 6,
            (38, 20) => 7,
            (39.., _) => 9,
            _ => 5,
        });
        let expected = Lattice {
            pixels: 62 * 62,
            specks: 2,
            lonely: [1, 1],
        };
        assert_eq!(found, expected);
        // Shifted by half a block the second one's block ends before the border.
        let found = lattice(|x, y| match (x, y) {
            (34, 20) => 7,
            (38.., _) => 9,
            _ => 5,
        });
        assert_eq!((found.specks, found.lonely), (1, [0, 1]));
        // Pairs of pixels, and what is far from all around it, are drawn.
        let found = lattice(|x, y| match (x, y) {
            (20 | 21, 20) => 6,
            (40, 40) => 30,
            _ => 5,
        });
        assert_eq!((found.specks, found.lonely), (0, [0, 0]));
    }

    #[test]
    fn noise_knows_no_blocks() {
        let mut all = Lattice::default();
        for seed in 0..8 {
            let noise = |x: u32, y: u32| hash(&[seed, u64::from(x), u64::from(y)]);
            all.add(lattice(|x, y| 5 + u8::from(noise(x, y) % 32 == 0)));
        }
        assert!(all.specks >= FEWEST.0 && !all.is_told(), "{all:?}");
    }
}
