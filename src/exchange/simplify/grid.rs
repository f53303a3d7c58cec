use std::ops::Range;

use super::crossing::Piece;
use crate::geom::ImagePoint;

/// Square cells over the plane, each with the numbers of the shapes that may reach into it.
pub(super) struct Grid {
    /// The upper left corner of the first cell.
    origin: ImagePoint,
    /// Side of a cell in pixels.
    side: f64,
    columns: usize,
    rows: usize,
    /// Where the numbers of each cell begin, row by row.
    starts: Vec<usize>,
    numbers: Vec<u32>,
}

/// What a grid is asked to hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// All within `reach` pixels of a straight piece.
    Around {
        /// The straight piece.
        piece: Piece,
        /// Pixels, 0 or more.
        reach: f64,
    },
    /// A rectangle by its upper left and its lower right corner.
    Rect(Piece),
}

impl Extent {
    fn bounds(&self) -> Piece {
        match *self {
            Self::Rect(bounds) => bounds,
            Self::Around {
                piece: [a, b],
                reach,
            } => [
                ImagePoint::new(a.x.min(b.x) - reach, a.y.min(b.y) - reach),
                ImagePoint::new(a.x.max(b.x) + reach, a.y.max(b.y) + reach),
            ],
        }
    }

    /// Least and greatest x between two heights that the extent may have; a little more is fine.
    fn span(&self, top: f64, bottom: f64) -> (f64, f64) {
        let [low, high] = self.bounds();
        let Self::Around {
            piece: [a, b],
            reach,
        } = *self
        else {
            return (low.x, high.x);
        };
        let (top, bottom) = (top - reach, bottom + reach);
        let slope = (b.x - a.x) / (b.y - a.y);
        if !slope.is_finite() {
            return (low.x, high.x);
        }
        let (least, most) = (a.y.min(b.y), a.y.max(b.y));
        let x_at = |y: f64| a.x + (y.clamp(least, most) - a.y) * slope;
        let (p, q) = (x_at(top), x_at(bottom));
        // Room for rounding.
        let reach = reach + 1e-6;
        (p.min(q) - reach, p.max(q) + reach)
    }
}

impl Grid {
    /// A grid over all extents, with cells about as large as one extent needs.
    pub(super) fn new(extents: &[Extent]) -> Self {
        let mut low = ImagePoint::new(f64::MAX, f64::MAX);
        let mut high = ImagePoint::new(f64::MIN, f64::MIN);
        for [least, most] in extents.iter().map(Extent::bounds) {
            low = ImagePoint::new(low.x.min(least.x), low.y.min(least.y));
            high = ImagePoint::new(high.x.max(most.x), high.y.max(most.y));
        }
        if extents.is_empty() {
            (low, high) = (ImagePoint::default(), ImagePoint::default());
        }
        let (width, height) = (high.x - low.x, high.y - low.y);
        let side = (width * height / (extents.len() + 1) as f64).sqrt();
        // Long thin ground must not get more cells than there are extents.
        let side = side.max(width.max(height) / (extents.len() + 1) as f64);
        let side = side.max(2.0);
        let mut grid = Self {
            origin: low,
            side,
            columns: (width / side) as usize + 1,
            rows: (height / side) as usize + 1,
            starts: Vec::new(),
            numbers: Vec::new(),
        };
        grid.fill(extents);
        grid
    }

    fn fill(&mut self, extents: &[Extent]) {
        let mut starts = vec![0; self.columns * self.rows + 1];
        for extent in extents {
            self.visit(extent, |cell| starts[cell + 1] += 1);
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut numbers = vec![0; starts[starts.len() - 1]];
        for (number, extent) in (0..).zip(extents) {
            self.visit(extent, |cell| {
                numbers[next[cell]] = number;
                next[cell] += 1;
            });
        }
        (self.starts, self.numbers) = (starts, numbers);
    }

    /// Calls `visit` with each cell that an extent may reach into.
    fn visit(&self, extent: &Extent, mut visit: impl FnMut(usize)) {
        let [low, high] = extent.bounds();
        for row in self.cells(low.y - self.origin.y, high.y - self.origin.y, self.rows) {
            let top = self.origin.y + row as f64 * self.side;
            let (from, to) = extent.span(top, top + self.side);
            let columns = self.cells(from - self.origin.x, to - self.origin.x, self.columns);
            columns.for_each(|column| visit(row * self.columns + column));
        }
    }

    fn cells(&self, from: f64, to: f64, count: usize) -> Range<usize> {
        let cell = |at: f64| ((at / self.side) as usize).min(count - 1);
        cell(from)..cell(to) + 1
    }

    /// The number of cells.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The shapes that may reach into a cell.
    pub(super) fn cell(&self, cell: usize) -> &[u32] {
        &self.numbers[self.starts[cell]..self.starts[cell + 1]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shorten::squared_distance;
    use super::*;

    fn any_point() -> impl Strategy<Value = ImagePoint> {
        (0_u16..300, 0_u16..90).prop_map(|(x, y)| ImagePoint::new(x.into(), y.into()))
    }

    proptest! {
        #[test]
        fn points_near_a_piece_are_in_its_cells(
            pieces in prop::collection::vec(([any_point(), any_point()], 0_u8..9), 1..40),
            at in any_point(),
        ) {
            let extent = |&(piece, reach): &(Piece, u8)| Extent::Around {
                piece,
                reach: reach.into(),
            };
            let mut extents: Vec<_> = pieces.iter().map(extent).collect();
            extents.push(Extent::Rect([at, at]));
            let grid = Grid::new(&extents);
            let own = pieces.len() as u32;
            let cells: Vec<_> = (0..grid.len()).filter(|&c| grid.cell(c).contains(&own)).collect();
            prop_assert_eq!(cells.len(), 1);
            for (number, &([from, to], reach)) in (0..).zip(&pieces) {
                if squared_distance(at, from, to).sqrt() <= f64::from(reach) {
                    prop_assert!(grid.cell(cells[0]).contains(&number));
                }
            }
        }
    }

    #[test]
    fn no_extent_is_an_empty_grid() {
        let grid = Grid::new(&[]);
        assert_eq!((grid.len(), grid.cell(0).len()), (1, 0));
    }
}
