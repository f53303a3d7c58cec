use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, MaskTile, UNLABELED};

/// Most cells a scan makes, so that its memory does not grow with the image.
const MAX_CELLS: u64 = 4_000_000;
/// The finest cell; a mask tile's side is a multiple of every cell's side.
const FINEST: u32 = 8;
const COARSEST: u32 = 256;

/// How many pixels of each class lie in each cell of a coarse grid over a mask.
#[derive(Debug)]
pub(super) struct Cells {
    /// Extent of the mask in pixels.
    pub(super) extent: ImageSize,
    /// Pixels a side of a cell; a power of two.
    pub(super) side: u32,
    cols: u32,
    rows: u32,
    counts: Vec<CellCount>,
}

#[derive(Clone, Copy, Debug)]
struct CellCount {
    cell: u32,
    class: u8,
    pixels: u32,
}

impl Cells {
    /// Counts all labelled pixels of `mask`.
    pub(super) fn scan(mask: &Mask) -> Self {
        let extent = mask.size();
        let mut side = FINEST;
        let cells = |side: u32| {
            u64::from(extent.width.div_ceil(side)) * u64::from(extent.height.div_ceil(side))
        };
        while side < COARSEST && cells(side) > MAX_CELLS {
            side *= 2;
        }
        let (cols, rows) = (extent.width.div_ceil(side), extent.height.div_ceil(side));
        let mut scan = Self {
            extent,
            side,
            cols,
            rows,
            counts: Vec::new(),
        };
        for (col, row, tile) in mask.tiles() {
            if !matches!(tile, MaskTile::Uniform(UNLABELED)) {
                let rect = mask.tile_rect(col, row);
                scan.count_tile(rect, &mask.read_rect(rect));
            }
        }
        scan
    }

    fn count_tile(&mut self, tile: PixelRect, labels: &[u8]) {
        let side = self.side;
        for top in (0..tile.height).step_by(side as usize) {
            for left in (0..tile.width).step_by(side as usize) {
                let inner = PixelRect::new(0, 0, tile.width, tile.height);
                let part = PixelRect::new(left, top, side, side).intersect(inner);
                let histogram = histogram_of(labels, tile.width, part);
                let cell = (tile.y + top) / side * self.cols + (tile.x + left) / side;
                let counted = (0..UNLABELED).zip(histogram);
                let counted = counted.filter(|&(_, pixels)| pixels > 0);
                self.counts.extend(counted.map(|(class, pixels)| CellCount {
                    cell,
                    class,
                    pixels,
                }));
            }
        }
    }

    /// Pixels of each class in the cells that `keep` (given the cell's ground) accepts.
    pub(super) fn histogram(&self, keep: impl Fn(PixelRect) -> bool) -> [u64; 256] {
        let mut histogram = [0; 256];
        for count in self
            .counts
            .iter()
            .filter(|count| keep(self.ground(count.cell)))
        {
            histogram[usize::from(count.class)] += u64::from(count.pixels);
        }
        histogram
    }

    /// The pixels under a cell, not cut at the image's edge.
    fn ground(&self, cell: u32) -> PixelRect {
        let (col, row) = (cell % self.cols, cell / self.cols);
        PixelRect::new(col * self.side, row * self.side, self.side, self.side)
    }

    /// Sums over rectangles of all labelled pixels, or of those of one class.
    pub(super) fn sums(&self, class: Option<u8>) -> Sums {
        self.sums_where(|found| class.is_none_or(|class| found == class))
    }

    /// Sums over rectangles of the labelled pixels whose class `counts`.
    pub(super) fn sums_where(&self, counts: impl Fn(u8) -> bool) -> Sums {
        let chosen = self.counts.iter().filter(|count| counts(count.class));
        self.sums_of(chosen.map(|count| (count.cell, u64::from(count.pixels))))
    }

    /// Sums over rectangles of the number of cells that touch any of `rects`.
    pub(super) fn sums_touching(&self, rects: &[PixelRect]) -> Sums {
        let mut touched = vec![false; self.cols as usize * self.rows as usize];
        for rect in rects
            .iter()
            .map(|rect| rect.intersect(self.extent.bounds()))
        {
            for row in rect.y / self.side..rect.bottom().div_ceil(self.side) {
                for col in rect.x / self.side..rect.right().div_ceil(self.side) {
                    touched[(row * self.cols + col) as usize] = true;
                }
            }
        }
        self.sums_of(
            (0..)
                .zip(touched)
                .filter_map(|(cell, yes)| yes.then_some((cell, 1))),
        )
    }

    fn sums_of(&self, cells: impl Iterator<Item = (u32, u64)>) -> Sums {
        let stride = self.cols as usize + 1;
        let mut sums = vec![0u64; stride * (self.rows as usize + 1)];
        for (cell, pixels) in cells {
            let (col, row) = ((cell % self.cols) as usize, (cell / self.cols) as usize);
            sums[(row + 1) * stride + col + 1] += pixels;
        }
        for at in stride..sums.len() {
            sums[at] += sums[at - stride];
        }
        for row in sums.chunks_exact_mut(stride) {
            for at in 1..stride {
                row[at] += row[at - 1];
            }
        }
        Sums {
            side: self.side,
            cols: self.cols,
            rows: self.rows,
            before: sums,
        }
    }
}

/// How often each label occurs in `part` of labels that lie in rows of `width`.
fn histogram_of(labels: &[u8], width: u32, part: PixelRect) -> [u32; 256] {
    let mut histogram = [0; 256];
    for y in part.y..part.bottom() {
        let start = y as usize * width as usize + part.x as usize;
        for &label in &labels[start..start + part.width as usize] {
            histogram[usize::from(label)] += 1;
        }
    }
    histogram
}

/// Sums over any rectangle of cells in constant time.
#[derive(Debug)]
pub(super) struct Sums {
    side: u32,
    cols: u32,
    rows: u32,
    /// For each corner of a cell, all that lies left of it and above.
    before: Vec<u64>,
}

impl Sums {
    /// The sum over all cells that touch `rect`.
    pub(super) fn over(&self, rect: PixelRect) -> u64 {
        let left = (rect.x / self.side).min(self.cols) as usize;
        let top = (rect.y / self.side).min(self.rows) as usize;
        let right = rect.right().div_ceil(self.side).min(self.cols) as usize;
        let bottom = rect.bottom().div_ceil(self.side).min(self.rows) as usize;
        if right <= left || bottom <= top {
            return 0;
        }
        let at = |col: usize, row: usize| self.before[row * (self.cols as usize + 1) + col];
        at(right, bottom) + at(left, top) - at(left, bottom) - at(right, top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let mut mask = Mask::new(ImageSize::new(300, 20));
        mask.set_rect(PixelRect::new(0, 0, 10, 1), &[1; 10]);
        mask.set_rect(PixelRect::new(290, 19, 10, 1), &[2; 10]);
        mask
    }

    #[test]
    fn every_labelled_pixel_is_counted_once() {
        let cells = Cells::scan(&mask());
        assert_eq!(cells.side, 8);
        let histogram = cells.histogram(|_| true);
        assert_eq!(
            (histogram[1], histogram[2], histogram.iter().sum()),
            (10, 10, 20)
        );
        let left = cells.histogram(|ground| ground.x < 8);
        assert_eq!((left[1], left[2]), (8, 0));
    }

    #[test]
    fn sums_over_rectangles_by_hand() {
        let cells = Cells::scan(&mask());
        let all = cells.sums(None);
        assert_eq!(all.over(PixelRect::new(0, 0, 300, 20)), 20);
        assert_eq!(all.over(PixelRect::new(0, 0, 8, 8)), 8);
        assert_eq!(all.over(PixelRect::new(8, 0, 8, 8)), 2);
        assert_eq!(all.over(PixelRect::new(8, 8, 200, 8)), 0);
        assert_eq!(
            cells.sums(Some(2)).over(PixelRect::new(200, 0, 999, 999)),
            10
        );
        let touching = cells.sums_touching(&[PixelRect::new(7, 7, 2, 2)]);
        assert_eq!(touching.over(PixelRect::new(0, 0, 300, 20)), 4);
    }
}
