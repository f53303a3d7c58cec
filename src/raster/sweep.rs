use std::sync::Arc;

use super::draft::{Draft, ShowTile};
use super::error::ReadError;
use super::pyramid::{Pyramid, TILE_SIZE};
use super::shrink::RowPair;
use super::tile::{Tile, TileFormat};
use crate::geom::{ImageSize, PixelRect, TileKey};

/// Makes a whole row of coarse tiles of an image in strips, decoding each strip once.
///
/// Going down to the children instead would decode the same strips again for each of them, since
/// a strip reaches across all columns.
pub(super) struct Sweep<'a> {
    pyramid: &'a Pyramid,
    /// The stored level that is read.
    base_level: u8,
    stored: usize,
    top_level: u8,
}

/// The rows of one level that have not become tiles yet.
struct Band {
    level: u8,
    row_of_tiles: u32,
    width: u32,
    /// Columns of the level below.
    width_below: u32,
    format: TileFormat,
    bytes: Vec<u8>,
    /// The upper row of a pair whose lower row is not there yet.
    odd_row: Vec<u8>,
}

impl<'a> Sweep<'a> {
    /// A sweep for `key`, where the nearest stored level below it lies in strips.
    pub(super) fn plan(pyramid: &'a Pyramid, key: TileKey) -> Option<Self> {
        let (base_level, stored) = pyramid.nearest_stored(key.level);
        let is_useful = base_level < key.level && pyramid.is_banded(base_level, stored);
        is_useful.then_some(Self {
            pyramid,
            base_level,
            stored,
            top_level: key.level,
        })
    }

    /// Makes all tiles in the row of `key` and those between; keeps them and returns `key`.
    pub(super) fn run(
        &self,
        key: TileKey,
        draft: Option<&Draft<'_>>,
    ) -> Result<Arc<Tile>, ReadError> {
        let _turn = self.pyramid.sweep_turn();
        if let Some(tile) = self.pyramid.cached(key) {
            return Ok(tile);
        }
        let shape = self.pyramid.shape();
        let halvings = key.level - self.base_level;
        let first = u64::from(key.row) << halvings;
        let behind = (first + (1 << halvings)).min(u64::from(shape.grid(self.base_level).1));
        let mut bands: Vec<Band> = (self.base_level + 1..=self.top_level)
            .map(|level| {
                let format = self.pyramid.format();
                Band::new(shape.size(), level, key.row << (key.level - level), format)
            })
            .collect();
        let mut wanted = None;
        for row in first..behind {
            let band = self
                .pyramid
                .read_band(self.stored, self.base_level, row as u32)?;
            for row in band.bytes.chunks_exact(band.row_bytes()) {
                self.push(&mut bands, row, key, &mut wanted);
            }
            if let (Some(show), Some(top)) = (draft.and_then(Draft::due), bands.last()) {
                self.show(top, show);
            }
        }
        self.finish(&mut bands, key, &mut wanted);
        // The row of tiles that was made holds the wanted one unless it is not in the image.
        Ok(wanted
            .unwrap_or_else(|| Arc::new(Tile::blank(ImageSize::default(), self.pyramid.format()))))
    }

    fn push(&self, bands: &mut [Band], row: &[u8], key: TileKey, wanted: &mut Option<Arc<Tile>>) {
        let Some((band, above)) = bands.split_first_mut() else {
            return;
        };
        if band.odd_row.is_empty() {
            band.odd_row.extend_from_slice(row);
            return;
        }
        let halved = band.take_pair(row);
        self.push(above, &halved, key, wanted);
        if band.is_full() {
            self.cut(band, key, wanted);
        }
    }

    fn finish(&self, bands: &mut [Band], key: TileKey, wanted: &mut Option<Arc<Tile>>) {
        let Some((band, above)) = bands.split_first_mut() else {
            return;
        };
        if !band.odd_row.is_empty() {
            let last = band.odd_row.clone();
            let halved = band.take_pair(&last);
            self.push(above, &halved, key, wanted);
        }
        self.finish(above, key, wanted);
        if !band.bytes.is_empty() {
            self.cut(band, key, wanted);
        }
    }

    /// Shows what there is of the row of tiles that is made, the rest blurred.
    fn show(&self, band: &Band, show: ShowTile<'_>) {
        let rows = band.bytes.len() / band.format.row_bytes(band.width);
        let strip = Tile {
            size: ImageSize::new(band.width, rows as u32),
            format: band.format,
            bytes: band.bytes.clone(),
        };
        for col in 0..self.pyramid.shape().grid(band.level).0 {
            let key = TileKey::new(band.level, col, band.row_of_tiles);
            let Some(mut tile) = self.pyramid.blurred(key) else {
                return;
            };
            let rect = self.pyramid.shape().tile_rect(key);
            let there = PixelRect::new(rect.x, 0, rect.width, rows as u32);
            tile.draw(&strip.cut(there), (0, 0));
            show(key, Arc::new(tile));
        }
    }

    /// Makes tiles of a finished band and starts the next.
    fn cut(&self, band: &mut Band, key: TileKey, wanted: &mut Option<Arc<Tile>>) {
        let rows = band.bytes.len() / band.format.row_bytes(band.width);
        let bytes = std::mem::take(&mut band.bytes);
        let strip = Tile {
            size: ImageSize::new(band.width, rows as u32),
            format: band.format,
            bytes,
        };
        for col in 0..self.pyramid.shape().grid(band.level).0 {
            let cut = TileKey::new(band.level, col, band.row_of_tiles);
            let tile = Arc::new(self.pyramid.cut(&strip, cut));
            if cut == key {
                *wanted = Some(Arc::clone(&tile));
            }
            self.pyramid.keep(cut, tile, key.level);
        }
        band.row_of_tiles += 1;
    }
}

impl Band {
    fn new(size: ImageSize, level: u8, row_of_tiles: u32, format: TileFormat) -> Self {
        Self {
            level,
            row_of_tiles,
            width: size.at_level(level).width,
            width_below: size.at_level(level - 1).width,
            format,
            bytes: Vec::new(),
            odd_row: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= self.format.row_bytes(self.width) * TILE_SIZE as usize
    }

    /// Averages the waiting row and `bottom` to the next row of this level.
    fn take_pair(&mut self, bottom: &[u8]) -> Vec<u8> {
        let mut halved = vec![0; self.format.row_bytes(self.width)];
        let pair = RowPair {
            top: &self.odd_row,
            bottom,
        };
        (self.format).average(pair, self.width_below, &mut halved, (0, self.width));
        self.odd_row.clear();
        self.bytes.extend_from_slice(&halved);
        halved
    }
}
