use super::super::ExchangeError;
use crate::geom::{ImageSize, PixelRect};

/// The largest side of a tile in pixels, so that one fits in memory several times.
pub const MAX_TILE_SIDE: u32 = 8_192;

/// The most tiles of one image.
const MAX_TILES: u64 = 1 << 22;

/// What becomes of the tiles at the right and lower edge, where the image ends before they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// They are left out.
    Drop,
    /// They are filled up with black that is not labeled.
    #[default]
    Pad,
    /// They are moved back into the image and overlap their neighbors more. An image that is
    /// smaller than a tile is filled up.
    Shift,
}

/// How an image is cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePlan {
    /// Columns and rows of a tile, 1 up to [`MAX_TILE_SIDE`].
    pub side: u32,
    /// Columns and rows that neighbors share, fewer than `side`.
    pub overlap: u32,
    /// What becomes of tiles that the image does not fill.
    pub edge: Edge,
}

/// One tile of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its row among the tiles, from 0.
    pub row: u32,
    /// Its column among the tiles, from 0.
    pub col: u32,
    /// Its ground in level-0 pixels: `side` × `side`, or what of it is inside the image, beginning
    /// at the tile's upper-left corner.
    pub rect: PixelRect,
}

impl Tile {
    /// Its name without an ending: `NAME_r{row}_c{col}`.
    pub fn name(&self, stem: &str) -> String {
        format!("{stem}_r{}_c{}", self.row, self.col)
    }
}

impl TilePlan {
    /// Pixels from one tile to the next.
    ///
    /// # Errors
    /// [`ExchangeError::TilePlan`] when tiles have no pixel, are too large or share too much.
    pub fn step(&self) -> Result<u32, ExchangeError> {
        let Self { side, overlap, .. } = *self;
        let refused = |reason| Err(ExchangeError::TilePlan { reason });
        if !(1..=MAX_TILE_SIDE).contains(&side) {
            return refused(format!(
                "a side of {side} pixels is not possible; choose 1 to {MAX_TILE_SIDE}"
            ));
        }
        if overlap >= side {
            return refused(format!(
                "tiles of {side} pixels cannot overlap by {overlap}; choose less"
            ));
        }
        Ok(side - overlap)
    }

    /// The tiles of an image of `size`, row by row.
    ///
    /// # Errors
    /// [`ExchangeError::TilePlan`] as for [`TilePlan::step`], and when there would be more than four
    /// million tiles.
    pub fn tiles(&self, size: ImageSize) -> Result<Vec<Tile>, ExchangeError> {
        let step = self.step()?;
        let (cols, rows) = (self.count(size.width, step), self.count(size.height, step));
        if u64::from(cols) * u64::from(rows) > MAX_TILES {
            return Err(ExchangeError::TilePlan {
                reason: format!(
                    "{cols} × {rows} tiles are too many; choose larger ones or less overlap"
                ),
            });
        }
        let tile = |row, col| {
            let x = self.start(col, cols, size.width, step);
            let y = self.start(row, rows, size.height, step);
            let rect = PixelRect::new(x, y, self.side, self.side).intersect(size.bounds());
            Tile { row, col, rect }
        };
        Ok((0..rows)
            .flat_map(|row| (0..cols).map(move |col| (row, col)))
            .map(|(row, col)| tile(row, col))
            .collect())
    }

    /// How many tiles there are along a side of the image.
    fn count(&self, length: u32, step: u32) -> u32 {
        match (self.edge, length.checked_sub(self.side)) {
            (_, None) => u32::from(self.edge != Edge::Drop && length > 0),
            (Edge::Drop, Some(rest)) => rest / step + 1,
            (Edge::Pad | Edge::Shift, Some(rest)) => rest.div_ceil(step) + 1,
        }
    }

    fn start(&self, index: u32, count: u32, length: u32, step: u32) -> u32 {
        if self.edge == Edge::Shift && index + 1 == count {
            return length.saturating_sub(self.side);
        }
        index * step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(side: u32, overlap: u32, edge: Edge) -> TilePlan {
        TilePlan {
            side,
            overlap,
            edge,
        }
    }

    #[test]
    fn the_edge_is_as_asked() {
        for (edge, width, expected) in [
            (Edge::Drop, 10, vec![(0, 4), (3, 4), (6, 4)]),
            (Edge::Pad, 10, vec![(0, 4), (3, 4), (6, 4)]),
            (Edge::Drop, 12, vec![(0, 4), (3, 4), (6, 4)]),
            (Edge::Pad, 12, vec![(0, 4), (3, 4), (6, 4), (9, 3)]),
            (Edge::Shift, 12, vec![(0, 4), (3, 4), (6, 4), (8, 4)]),
            (Edge::Drop, 3, vec![]),
            (Edge::Pad, 3, vec![(0, 3)]),
            (Edge::Shift, 3, vec![(0, 3)]),
            (Edge::Pad, 0, vec![]),
        ] {
            let tiles = plan(4, 1, edge).tiles(ImageSize::new(width, 4));
            let found: Vec<_> = tiles
                .expect("valid")
                .iter()
                .map(|tile| (tile.rect.x, tile.rect.width))
                .collect();
            assert_eq!(found, expected, "{edge:?} {width}");
        }
    }

    #[test]
    fn names_say_row_and_column() {
        let tiles = plan(4, 0, Edge::Pad)
            .tiles(ImageSize::new(8, 8))
            .expect("valid");
        let names: Vec<_> = tiles.iter().map(|tile| tile.name("a")).collect();
        assert_eq!(names, ["a_r0_c0", "a_r0_c1", "a_r1_c0", "a_r1_c1"]);
    }

    #[test]
    fn plans_that_cannot_be_are_refused() {
        for (plan, expected) in [
            (plan(0, 0, Edge::Pad), "side of 0"),
            (plan(9_000, 0, Edge::Pad), "side of 9000"),
            (plan(4, 4, Edge::Pad), "overlap by 4"),
            (plan(4, 0, Edge::Pad), "too many"),
        ] {
            let tiles = plan.tiles(ImageSize::new(u32::MAX, u32::MAX));
            let error = tiles.expect_err("impossible").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn padded_and_shifted_tiles_hold_each_pixel(
            width in 1_u32..90, height in 1_u32..90, side in 1_u32..20, overlap in 0_u32..19, shift in 0..2,
        ) {
            prop_assume!(overlap < side);
            let edge = if shift == 0 { Edge::Pad } else { Edge::Shift };
            let size = ImageSize::new(width, height);
            let tiles = plan(side, overlap, edge).tiles(size).expect("valid");
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                prop_assert!(tiles.iter().any(|tile| tile.rect.contains(x, y)));
            }
            let whole = |tile: &&Tile| tile.rect.num_pixels() == u64::from(side * side);
            let dropped = plan(side, overlap, Edge::Drop).tiles(size).expect("valid");
            prop_assert!(dropped.iter().all(|tile| whole(&tile)));
            if edge == Edge::Pad {
                let kept: Vec<Tile> = tiles.iter().filter(whole).copied().collect();
                prop_assert_eq!(kept, dropped);
            }
        }
    }
}
