use std::sync::Arc;

use super::tile::{SIDE, filled_pixels};
use super::tile_table::TileTable;
use super::{DirtyRects, Edit, MASK_TILE_SIZE, MaskTile};
use crate::geom::{ImageSize, PixelRect, TileKey};

/// The class index of ground that nobody has labeled; ignored by training and scores.
pub const UNLABELED: u8 = 255;

/// One class index a pixel, in sparse tiles that copies share.
///
/// A clone costs nothing and never sees later changes, so work on other threads takes one. Pixels
/// change only through [`Stroke`](super::Stroke) and [`Mask::apply`]; [`Mask::set_rect`] and
/// [`MaskBuilder`](super::MaskBuilder) are for masks that nobody edits yet.
#[derive(Clone, Debug)]
pub struct Mask {
    size: ImageSize,
    tiles: TileTable,
}

impl Mask {
    /// A mask of `size` in which nothing is labeled.
    pub fn new(size: ImageSize) -> Self {
        Self::filled(size, UNLABELED)
    }

    /// A mask of `size` with one class everywhere.
    pub fn filled(size: ImageSize, class: u8) -> Self {
        let cols = size.width.div_ceil(MASK_TILE_SIZE);
        let rows = size.height.div_ceil(MASK_TILE_SIZE);
        Self {
            size,
            tiles: TileTable::new(cols, rows, class),
        }
    }

    /// Extent in pixels.
    pub const fn size(&self) -> ImageSize {
        self.size
    }

    /// Tile columns and rows.
    pub const fn grid(&self) -> (u32, u32) {
        self.tiles.grid()
    }

    /// The class of pixel (x, y); [`UNLABELED`] outside.
    pub fn get(&self, x: u32, y: u32) -> u8 {
        if !self.size.bounds().contains(x, y) {
            return UNLABELED;
        }
        self.tile(x / MASK_TILE_SIZE, y / MASK_TILE_SIZE)
            .get(x % MASK_TILE_SIZE, y % MASK_TILE_SIZE)
    }

    /// The tile at a column and row of the grid; an unlabeled one outside.
    pub fn tile(&self, col: u32, row: u32) -> &MaskTile {
        const OUTSIDE: &MaskTile = &MaskTile::Uniform(UNLABELED);
        self.tiles.get(col, row).unwrap_or(OUTSIDE)
    }

    /// The ground of a tile in pixels, cut at the mask's edge.
    pub fn tile_rect(&self, col: u32, row: u32) -> PixelRect {
        let corner = |index: u32| index.saturating_mul(MASK_TILE_SIZE);
        PixelRect::new(corner(col), corner(row), MASK_TILE_SIZE, MASK_TILE_SIZE)
            .intersect(self.size.bounds())
    }

    /// All tiles as (column, row, tile), in no particular order.
    pub fn tiles(&self) -> impl Iterator<Item = (u32, u32, &MaskTile)> {
        self.tiles.iter()
    }

    /// The classes of `rect`, row by row; [`UNLABELED`] outside the mask.
    pub fn read_rect(&self, rect: PixelRect) -> Vec<u8> {
        let mut out = vec![UNLABELED; rect.width as usize * rect.height as usize];
        for (col, row) in self.tiles_touching(rect) {
            let part = self.tile_rect(col, row).intersect(rect);
            let tile = self.tile(col, row);
            for y in part.y..part.bottom() {
                let from = (y - rect.y) as usize * rect.width as usize + (part.x - rect.x) as usize;
                let (x, y) = (part.x % MASK_TILE_SIZE, y % MASK_TILE_SIZE);
                tile.copy_row(
                    x as usize,
                    y as usize,
                    &mut out[from..from + part.width as usize],
                );
            }
        }
        out
    }

    /// Writes the classes of `rect`, row by row; what lies outside the mask is left out.
    ///
    /// Not undoable: for masks that nobody edits yet.
    ///
    /// # Panics
    /// When `classes` is not `rect.width * rect.height` long.
    pub fn set_rect(&mut self, rect: PixelRect, classes: &[u8]) {
        assert_eq!(classes.len() as u64, rect.num_pixels(), "one class a pixel");
        for (col, row) in self.tiles_touching(rect) {
            let ground = self.tile_rect(col, row);
            let part = ground.intersect(rect);
            let mut pixels = self.tile(col, row).to_owned_pixels();
            let target = Arc::make_mut(&mut pixels);
            for y in part.y..part.bottom() {
                let from = (y - rect.y) as usize * rect.width as usize + (part.x - rect.x) as usize;
                let to = (y - ground.y) as usize * SIDE + (part.x - ground.x) as usize;
                let width = part.width as usize;
                target[to..to + width].copy_from_slice(&classes[from..from + width]);
            }
            self.set_tile(
                col,
                row,
                MaskTile::collapsed(pixels, ground.width, ground.height),
            );
        }
    }

    /// Writes one class all over `rect`; what lies outside the mask is left out.
    ///
    /// Not undoable: for masks that nobody edits yet.
    pub fn fill_rect(&mut self, rect: PixelRect, class: u8) {
        for (col, row) in self.tiles_touching(rect) {
            let ground = self.tile_rect(col, row);
            let part = ground.intersect(rect);
            if part == ground {
                self.set_tile(col, row, MaskTile::Uniform(class));
            } else {
                self.set_rect(part, &vec![class; part.num_pixels() as usize]);
            }
        }
    }

    /// Writes `values` of `rect`, row by row, but for [`UNLABELED`] ones, where what is there stays.
    ///
    /// Not undoable: for masks that nobody edits yet.
    ///
    /// # Panics
    /// When `values` is not `rect.width * rect.height` long.
    pub fn lay_over_rect(&mut self, rect: PixelRect, mut values: Vec<u8>) {
        if values.contains(&UNLABELED) {
            for (value, before) in values.iter_mut().zip(self.read_rect(rect)) {
                if *value == UNLABELED {
                    *value = before;
                }
            }
        }
        self.set_rect(rect, &values);
    }

    /// How many pixels each index has, 255 included.
    pub fn histogram(&self) -> [u64; 256] {
        let mut counts = [0; 256];
        for (col, row, tile) in self.tiles() {
            let ground = self.tile_rect(col, row);
            match tile {
                MaskTile::Uniform(class) => counts[usize::from(*class)] += ground.num_pixels(),
                MaskTile::Pixels(pixels) => {
                    for line in pixels.chunks_exact(SIDE).take(ground.height as usize) {
                        count_line(&line[..ground.width as usize], &mut counts);
                    }
                }
            }
        }
        counts
    }

    /// A checksum (crc32c) of the extent and of every pixel.
    pub fn checksum(&self) -> u32 {
        let (cols, rows) = self.grid();
        let extent = [self.size.width, self.size.height].map(u32::to_le_bytes);
        let places = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
        places.fold(crc32c::crc32c(&extent.concat()), |sum, (col, row)| {
            if let Some(class) = self.tile(col, row).uniform_class() {
                return crc32c::crc32c_append(sum, &[class]);
            }
            crc32c::crc32c_append(sum, &self.read_rect(self.tile_rect(col, row)))
        })
    }

    /// Some pixel of this index as (x, y).
    pub fn position_of(&self, index: u8) -> Option<(u32, u32)> {
        self.tiles().find_map(|(col, row, tile)| {
            let ground = self.tile_rect(col, row);
            if let Some(class) = tile.uniform_class() {
                return (class == index).then_some((ground.x, ground.y));
            }
            let place = self
                .read_rect(ground)
                .iter()
                .position(|&class| class == index)? as u32;
            Some((
                ground.x + place % ground.width,
                ground.y + place / ground.width,
            ))
        })
    }

    /// Bytes of main memory, counting tiles that are shared with clones as well.
    pub fn bytes_used(&self) -> usize {
        let pixels = self
            .tiles()
            .filter(|(_, _, tile)| tile.uniform_class().is_none())
            .count();
        self.tiles.own_bytes() + pixels * SIDE * SIDE
    }

    /// Applies `edit` and tells which pixels may now look different.
    ///
    /// Parts of an edit of a larger mask that lie outside this one are left out.
    pub fn apply(&mut self, edit: &Edit) -> DirtyRects {
        edit.deltas()
            .iter()
            .filter_map(|delta| delta.apply_to(self))
            .collect()
    }

    /// The same ground with every index `i` replaced by `table[i]`. Tiles that nobody shares are
    /// changed in place.
    #[must_use]
    pub fn recoded(mut self, table: &[u8; 256]) -> Self {
        if table
            .iter()
            .enumerate()
            .all(|(from, &to)| from == usize::from(to))
        {
            return self;
        }
        let (cols, rows) = self.grid();
        for (col, row) in (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row))) {
            let ground = self.tile_rect(col, row);
            let new = if let Some(class) = self.tile(col, row).uniform_class() {
                MaskTile::Uniform(table[usize::from(class)])
            } else {
                let mut pixels = self.take_pixels(TileKey::new(0, col, row));
                for class in Arc::make_mut(&mut pixels) {
                    *class = table[usize::from(*class)];
                }
                MaskTile::collapsed(pixels, ground.width, ground.height)
            };
            self.set_tile(col, row, new);
        }
        self
    }

    /// Puts a tile in place that was kept elsewhere; nothing happens outside the grid.
    ///
    /// Not undoable: for masks that nobody edits yet.
    pub fn put_tile(&mut self, col: u32, row: u32, tile: MaskTile) {
        let ground = self.tile_rect(col, row);
        let tile = match tile {
            MaskTile::Pixels(pixels) if !ground.is_empty() => {
                MaskTile::collapsed(pixels, ground.width, ground.height)
            }
            tile => tile,
        };
        self.set_tile(col, row, tile);
    }

    /// Puts a tile in place; nothing happens outside the grid.
    pub(super) fn set_tile(&mut self, col: u32, row: u32, tile: MaskTile) {
        if let Some(place) = self.tiles.get_mut(col, row) {
            *place = tile;
        }
    }

    /// Takes a tile's pixels out for writing, so that an unshared tile is not copied; the place
    /// holds a stand-in until [`Mask::set_tile`].
    pub(super) fn take_pixels(&mut self, key: TileKey) -> Arc<super::TilePixels> {
        let Some(place) = self.tiles.get_mut(key.col, key.row) else {
            return filled_pixels(UNLABELED);
        };
        match std::mem::replace(place, MaskTile::Uniform(UNLABELED)) {
            MaskTile::Uniform(class) => filled_pixels(class),
            MaskTile::Pixels(pixels) => pixels,
        }
    }

    /// The tiles that differ from those of `other`, a mask of the same size. Shared ones are
    /// passed over without a look at their pixels.
    pub(super) fn tiles_unlike<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (TileKey, &'a MaskTile, &'a MaskTile)> {
        self.tiles.iter().filter_map(move |(col, row, tile)| {
            if self.tiles.shares_block(&other.tiles, col, row) {
                return None;
            }
            let theirs = other.tile(col, row);
            (!tile.is_same(theirs)).then_some((TileKey::new(0, col, row), tile, theirs))
        })
    }

    pub(super) fn tiles_touching(
        &self,
        rect: PixelRect,
    ) -> impl Iterator<Item = (u32, u32)> + use<> {
        let part = rect.intersect(self.size.bounds());
        let cols = part.x / MASK_TILE_SIZE..part.right().div_ceil(MASK_TILE_SIZE);
        let rows = part.y / MASK_TILE_SIZE..part.bottom().div_ceil(MASK_TILE_SIZE);
        let rows = if part.is_empty() { 0..0 } else { rows };
        rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
    }
}

/// Equal in size and in every pixel.
impl PartialEq for Mask {
    fn eq(&self, other: &Self) -> bool {
        let same_pixels = |(key, ours, theirs): (TileKey, &MaskTile, &MaskTile)| {
            let (MaskTile::Pixels(ours), MaskTile::Pixels(theirs)) = (ours, theirs) else {
                return false;
            };
            let ground = self.tile_rect(key.col, key.row);
            (0..ground.height as usize).all(|y| {
                let row = y * SIDE..y * SIDE + ground.width as usize;
                ours[row.clone()] == theirs[row]
            })
        };
        self.size == other.size && self.tiles_unlike(other).all(same_pixels)
    }
}

impl Eq for Mask {}

/// Adds the classes of a line to `counts`: run by run, since neighbours mostly are of one class
/// and counting one by one waits for the same place in memory each time.
fn count_line(line: &[u8], counts: &mut [u64; 256]) {
    for run in line.chunk_by(|a, b| a == b) {
        counts[usize::from(run[0])] += run.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_rectangle_reads_back_across_tiles() {
        let mut mask = Mask::new(ImageSize::new(300, 300));
        let rect = PixelRect::new(250, 251, 20, 10);
        let classes: Vec<u8> = (0..200).collect();
        mask.set_rect(rect, &classes);
        assert_eq!(mask.read_rect(rect), classes);
        assert_eq!(
            (mask.get(250, 251), mask.get(269, 260), mask.get(249, 251)),
            (0, 199, 255)
        );
        assert_eq!(mask.histogram()[255], 300 * 300 - 200);
    }

    #[test]
    fn a_tile_of_one_class_takes_no_pixels() {
        let mut mask = Mask::new(ImageSize::new(300, 300));
        let empty = mask.bytes_used();
        mask.set_rect(PixelRect::new(0, 0, 256, 100), &vec![4; 25_600]);
        assert_eq!(mask.bytes_used(), empty + 65_536);
        mask.set_rect(PixelRect::new(0, 100, 256, 156), &vec![4; 256 * 156]);
        assert_eq!(mask.tile(0, 0).uniform_class(), Some(4));
        assert_eq!(mask.bytes_used(), empty);
    }

    #[test]
    fn a_huge_mask_is_small_until_painted() {
        let mask = Mask::filled(ImageSize::new(100_000, 100_000), 2);
        assert!(mask.bytes_used() < 64 * 1024);
        assert_eq!(mask.histogram()[2], 10_000_000_000);
        assert_eq!(mask.get(99_999, 99_999), 2);
        assert_eq!(mask.get(100_000, 0), UNLABELED);
    }

    #[test]
    fn a_filled_rectangle_is_a_written_one_and_checksums_tell_others_apart() {
        let size = ImageSize::new(700, 600);
        let rect = PixelRect::new(200, 250, 400, 350);
        let (mut filled, mut written) = (Mask::new(size), Mask::new(size));
        filled.fill_rect(rect, 3);
        written.set_rect(rect, &vec![3; 400 * 350]);
        assert_eq!(filled, written);
        assert_eq!(filled.tile(1, 1).uniform_class(), Some(3));
        assert_eq!(filled.checksum(), written.checksum());
        written.set_rect(PixelRect::new(599, 599, 1, 1), &[UNLABELED]);
        assert_ne!(filled.checksum(), written.checksum());
        let [wide, high] = [(700, 1), (1, 700)].map(|(w, h)| Mask::new(ImageSize::new(w, h)));
        assert_ne!(wide.checksum(), high.checksum());
    }

    #[test]
    fn equality_does_not_see_beyond_the_edge() {
        let size = ImageSize::new(10, 1);
        let (mut a, mut b) = (Mask::filled(size, 0), Mask::filled(size, 9));
        a.set_rect(size.bounds(), &[1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert_ne!(a, b);
        b.set_rect(size.bounds(), &[1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert_eq!(a, b);
    }

    #[test]
    fn recoding_merges_classes_and_tiles() {
        let size = ImageSize::new(2, 1);
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), &[1, 2]);
        let mut table = std::array::from_fn(|index| index as u8);
        table[2] = 1;
        assert_eq!(mask.clone().recoded(&table), Mask::filled(size, 1));
        assert_eq!(mask.get(1, 0), 2, "a shared tile is left alone");
    }
}
