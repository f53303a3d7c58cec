use rayon::prelude::*;

use super::index::{CHANNELS, FeatureIndex, is_seen, unit};
use crate::geom::PixelRect;
use crate::label::{Selection, Span};

/// Cells along a side of a place at most.
const MOST_CELLS: usize = 16;

/// A place that looks like the ground that was shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Its ground in level-0 pixels.
    pub rect: PixelRect,
    /// How much it looks like it: the mean cosine of the angle between its cells' vectors and the
    /// one that was shown, at most 1; unrelated ground is about 0.
    pub likeness: f32,
}

impl FeatureIndex {
    /// The places that look most like `ground`, the likest first, at most `count`. They are about
    /// as large as it, do not overlap, and are elsewhere. None where there is no data in `ground`.
    pub fn alike(&self, ground: &Selection, count: usize) -> Vec<Alike> {
        let [cols, rows] = self.grid();
        let shown = self.shown(ground);
        let Some(wanted) = self.direction(&shown) else {
            return Vec::new();
        };
        let likeness: Vec<f64> = self.vectors().map(|cell| product(cell, &wanted)).collect();
        let side = (ground.num_pixels() as f64).sqrt() / f64::from(self.step());
        let most = MOST_CELLS.min(cols).min(rows);
        let side = (side.round() as usize).clamp(1, most);
        let sums = summed(&likeness, cols);
        let corners =
            (0..=rows - side).flat_map(|row| (0..=cols - side).map(move |col| (col, row)));
        let mut places: Vec<(f64, (usize, usize))> = corners
            .map(|at| (window(&sums, cols, at, side), at))
            .collect();
        places.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        // A place is free when none of its cells is taken: those that were shown are from the start.
        let mut taken: Vec<bool> = shown.iter().map(|&pixels| pixels > 0).collect();
        let mut found = Vec::new();
        for (sum, (col, row)) in places {
            let cells =
                (row..row + side).flat_map(|y| (col..col + side).map(move |x| y * cols + x));
            if found.len() == count {
                break;
            }
            if cells.clone().any(|cell| taken[cell]) {
                continue;
            }
            cells.for_each(|cell| taken[cell] = true);
            let [first, last] = [(col, row), (col + side - 1, row + side - 1)]
                .map(|(col, row)| self.rect(col, row));
            let (width, height) = (last.right() - first.x, last.bottom() - first.y);
            found.push(Alike {
                rect: PixelRect::new(first.x, first.y, width, height),
                likeness: (sum / (side * side) as f64) as f32,
            });
        }
        found
    }

    /// Pixels of `ground` in each cell, row by row.
    fn shown(&self, ground: &Selection) -> Vec<u32> {
        let [cols, rows] = self.grid();
        let mut shown = vec![0; cols * rows];
        let end = self.size().width;
        for &Span {
            y,
            start,
            end: stop,
        } in ground.spans()
        {
            let (mut x, stop) = (start, stop.min(end));
            while x < stop && y < self.size().height {
                let next = ((x / self.step() + 1) * self.step()).min(stop);
                shown[(y / self.step()) as usize * cols + (x / self.step()) as usize] += next - x;
                x = next;
            }
        }
        shown
    }

    /// The mean direction of the cells, by their pixels; `None` when there is no data.
    fn direction(&self, shown: &[u32]) -> Option<Vec<f32>> {
        let cols = self.grid()[0];
        let mut sum = vec![0.0_f32; CHANNELS];
        let mut is_any = false;
        for (at, &pixels) in shown.iter().enumerate().filter(|(_, pixels)| **pixels > 0) {
            let cell = self.cell(at % cols, at / cols);
            is_any |= is_seen(cell);
            for (sum, number) in sum.iter_mut().zip(cell) {
                *sum += pixels as f32 * number.to_f32();
            }
        }
        is_any.then(|| unit(sum))
    }
}

/// The product of a cell with what is wanted; cells without data are the least alike.
fn product(cell: &[burn::tensor::f16], wanted: &[f32]) -> f64 {
    if !is_seen(cell) {
        return -1.0;
    }
    let products = cell.iter().zip(wanted).map(|(a, b)| a.to_f32() * b);
    f64::from(products.sum::<f32>())
}

/// Sums over all cells above and to the left, with a first row and column of zeros.
fn summed(values: &[f64], cols: usize) -> Vec<f64> {
    let wide = cols + 1;
    let mut sums = vec![0.0; wide * (values.len() / cols + 1)];
    for (row, values) in values.chunks_exact(cols).enumerate() {
        let mut line = 0.0;
        for (col, value) in values.iter().enumerate() {
            line += value;
            sums[(row + 1) * wide + col + 1] = sums[row * wide + col + 1] + line;
        }
    }
    sums
}

/// The sum over the square of `side` cells at a column and row.
fn window(sums: &[f64], cols: usize, (col, row): (usize, usize), side: usize) -> f64 {
    let at = |col: usize, row: usize| sums[row * (cols + 1) + col];
    at(col + side, row + side) - at(col, row + side) - at(col + side, row) + at(col, row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    /// 20 × 10 cells of two looks: `is_other` says where the second one is; the last column is void.
    fn index(is_other: impl Fn(u32, u32) -> bool) -> FeatureIndex {
        let size = ImageSize::new(320, 160);
        let mut index = FeatureIndex::new(size);
        index.note(size.bounds(), |cell, sum| {
            let (col, row) = (cell.x / 16, cell.y / 16);
            let kind = usize::from(is_other(col, row));
            sum[kind] = 1.0;
            sum[2] = (col * 7 + row * 3) as f32 % 5.0 / 50.0;
            usize::from(col < 19)
        });
        index.finish();
        index
    }

    #[test]
    fn the_other_places_that_look_alike_come_first() {
        let islands = [(3, 2), (10, 7), (15, 4)];
        let index = index(|col, row| islands.contains(&(col, row)));
        let shown = Selection::of_rect(PixelRect::new(48, 32, 16, 16));
        let found = index.alike(&shown, 4);
        let corners: Vec<_> = found
            .iter()
            .map(|it| (it.rect.x / 16, it.rect.y / 16))
            .collect();
        let mut first = corners[..2].to_vec();
        first.sort_unstable();
        assert_eq!(first, [(10, 7), (15, 4)]);
        assert!(
            found[1].likeness > 0.8 && found[2].likeness < 0.2,
            "{found:?}"
        );
        assert!(!corners.contains(&(3, 2)), "what was shown is not found");
        assert!(found.is_sorted_by(|a, b| a.likeness >= b.likeness));
    }

    #[test]
    fn places_are_as_large_as_what_was_shown_and_never_overlap() {
        let index = index(|col, row| row >= 5 || (col < 4 && row < 3));
        let shown = Selection::of_rect(PixelRect::new(0, 0, 48, 48));
        let found = index.alike(&shown, 6);
        assert!(
            found
                .iter()
                .all(|it| (it.rect.width, it.rect.height) == (48, 48))
        );
        assert!(
            found[0].rect.y >= 80 && found[0].likeness > 0.8,
            "{:?}",
            found[0]
        );
        for (at, one) in found.iter().enumerate() {
            assert!(
                found[at + 1..]
                    .iter()
                    .all(|other| one.rect.intersect(other.rect).is_empty())
            );
        }
    }

    #[test]
    fn nothing_looks_like_ground_without_data_and_all_is_found_at_most() {
        let index = index(|col, _| col % 2 == 0);
        let void = Selection::of_rect(PixelRect::new(304, 0, 16, 160));
        assert_eq!(index.alike(&void, 5), []);
        assert_eq!(index.alike(&Selection::default(), 5), []);
        let whole = Selection::of_rect(PixelRect::new(0, 0, 320, 160));
        assert_eq!(index.alike(&whole, 5), []);
    }
}
