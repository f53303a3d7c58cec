use rayon::prelude::*;

use super::{CellState, Coverage, Mask, Origin, UNLABELED};
use crate::geom::PixelRect;

impl Mask {
    /// What somebody vouches for of this label: everything in cells that are marked as done;
    /// elsewhere only what was made by hand or accepted, as `origins` says. All else is unlabeled.
    /// Without origins every pixel counts as imported.
    #[must_use]
    pub fn trusted(&self, origins: Option<&Self>, coverage: &Coverage) -> Self {
        let of_file = Origin::IMPORTED.index();
        self.vouched(origins, coverage, |origin| origin != of_file)
    }

    /// What somebody made of this label: everything in cells that are marked as done; elsewhere only
    /// what was made by hand or found right. All else is unlabeled.
    #[must_use]
    pub fn made_by_hand(&self, origins: &Self, coverage: &Coverage) -> Self {
        self.vouched(Some(origins), coverage, Origin::is_persons)
    }

    /// Done cells, and elsewhere what has an origin that `is_good` accepts.
    fn vouched(
        &self,
        origins: Option<&Self>,
        coverage: &Coverage,
        is_good: impl Fn(u8) -> bool + Sync,
    ) -> Self {
        let (cols, rows) = self.grid();
        let places: Vec<(u32, u32)> = (0..rows)
            .flat_map(|row| (0..cols).map(move |col| (col, row)))
            .filter(|&(col, row)| self.tile(col, row).uniform_class() != Some(UNLABELED))
            .collect();
        let is_done = |ground: PixelRect| {
            let cell = coverage.cells_in(ground).next();
            cell.is_some_and(|cell| coverage.state(cell, None) == CellState::Done)
        };
        let tile = |(col, row): (u32, u32)| {
            let ground = self.tile_rect(col, row);
            if is_done(ground) {
                return Some((ground, self.read_rect(ground)));
            }
            let origins = origins?;
            let is_kept = |origin: u8| origin != UNLABELED && is_good(origin);
            let uniform = origins.tile(col, row).uniform_class();
            if uniform.is_some_and(|origin| !is_kept(origin)) {
                return None;
            }
            let mut classes = self.read_rect(ground);
            for (class, origin) in classes.iter_mut().zip(origins.read_rect(ground)) {
                if !is_kept(origin) {
                    *class = UNLABELED;
                }
            }
            Some((ground, classes))
        };
        let tiles: Vec<_> = places.into_par_iter().filter_map(tile).collect();
        let mut trusted = Self::new(self.size());
        for (ground, classes) in tiles {
            trusted.set_rect(ground, &classes);
        }
        trusted
    }

    /// Puts the labeled pixels of `upper` over this mask.
    pub fn lay_over(&mut self, upper: &Self) {
        for (col, row, tile) in upper.tiles() {
            if tile.uniform_class() == Some(UNLABELED) {
                continue;
            }
            let ground = upper.tile_rect(col, row);
            let mut classes = self.read_rect(ground);
            for (class, upper) in classes.iter_mut().zip(upper.read_rect(ground)) {
                if upper != UNLABELED {
                    *class = upper;
                }
            }
            self.set_rect(ground, &classes);
        }
    }

    /// Takes the class from each pixel of `ground` for which `is_gone` says so, given the pixels
    /// of `other` there; how many lost theirs.
    pub fn without(
        &mut self,
        ground: PixelRect,
        other: &Self,
        is_gone: impl Fn(u8, u8) -> bool,
    ) -> u64 {
        let mut gone = 0;
        let tiles: Vec<(u32, u32)> = self.tiles_touching(ground).collect();
        for (col, row) in tiles {
            if self.tile(col, row).uniform_class() == Some(UNLABELED) {
                continue;
            }
            let part = self.tile_rect(col, row).intersect(ground);
            let (mut classes, others) = (self.read_rect(part), other.read_rect(part));
            let before = gone;
            for (class, other) in classes.iter_mut().zip(others) {
                if *class != UNLABELED && is_gone(*class, other) {
                    *class = UNLABELED;
                    gone += 1;
                }
            }
            if gone > before {
                self.set_rect(part, &classes);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CellKey, CellMark};
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(2_100, 1_100);

    #[test]
    fn done_cells_count_whole_and_others_only_where_somebody_worked() {
        let mut label = Mask::filled(SIZE, 3);
        label.set_rect(PixelRect::new(5, 5, 1, 1), &[UNLABELED]);
        let mut origins = Mask::filled(SIZE, Origin::IMPORTED.index());
        origins.set_rect(PixelRect::new(1_500, 0, 2, 1), &[1, 2]);
        let mut coverage = Coverage::new(SIZE);
        let done = CellMark {
            state: Some(CellState::Done),
            note: String::new(),
        };
        coverage.set(CellKey { row: 0, col: 0 }, done);
        let trusted = label.trusted(Some(&origins), &coverage);
        let count = SIZE.num_pixels() - trusted.histogram()[255];
        assert_eq!(count, 1_024 * 1_024 - 1 + 2);
        assert_eq!([(5, 5), (4, 5)].map(|(x, y)| trusted.get(x, y)), [255, 3]);
        assert_eq!(
            [1_499, 1_500, 1_501, 1_502].map(|x| trusted.get(x, 0)),
            [255, 3, 3, 255]
        );
        let nobody = label.trusted(None, &Coverage::new(SIZE));
        assert_eq!(nobody, Mask::new(SIZE));
    }

    #[test]
    fn pixels_are_taken_away_by_what_lies_under_them() {
        let mut label = Mask::filled(SIZE, 1);
        let mut other = Mask::filled(SIZE, 0);
        other.set_rect(PixelRect::new(250, 10, 20, 2), &[7; 40]);
        let ground = PixelRect::new(255, 0, 500, 11);
        let gone = label.without(ground, &other, |_, other| other == 7);
        assert_eq!(gone, 15);
        assert_eq!(
            [254, 255, 269, 270].map(|x| label.get(x, 10)),
            [1, 255, 255, 1]
        );
        assert_eq!(label.get(260, 11), 1);
    }
}
