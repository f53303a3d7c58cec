use std::sync::{Arc, PoisonError};

use super::{BAND_LOCKS, Pyramid, TILE_SIZE};
use crate::geom::{PixelRect, TileKey};
use crate::raster::error::ReadError;
use crate::raster::source::Layout;
use crate::raster::tile::Tile;

/// A band of strips is read whole up to this many bytes of RGBA.
const MOST_BAND_BYTES: u64 = 192 << 20;

/// Images in strips, of which a whole row of tiles is decoded at once.
impl Pyramid {
    /// For images in strips: decodes the whole band of tiles around `key` once and keeps all of
    /// them. `None` where the file is not in strips or a band is too large.
    pub(super) fn tile_of_band(
        &self,
        key: TileKey,
        stored: usize,
    ) -> Result<Option<Arc<Tile>>, ReadError> {
        if !self.is_banded(key.level, stored) {
            return Ok(None);
        }
        let lock = &self.band_locks[key.row as usize % BAND_LOCKS];
        let _turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tile) = self.cache.get(self.id, key) {
            return Ok(Some(tile));
        }
        let mut wanted = None;
        let band = self.read_band(stored, key.level, key.row)?;
        for col in 0..self.shape.grid(key.level).0 {
            let cut = TileKey::new(key.level, col, key.row);
            if cut != key && self.cache.has(self.id, cut) {
                continue;
            }
            let tile = Arc::new(self.cut(&band, cut));
            if cut == key {
                wanted = Some(Arc::clone(&tile));
            } else {
                self.cache.put(self.id, cut, tile);
            }
        }
        // Last, so that it is the youngest.
        if let Some(tile) = &wanted {
            self.cache.put(self.id, key, Arc::clone(tile));
        }
        Ok(wanted)
    }

    /// Whether tiles of this level are best read a whole row of tiles at a time.
    pub(in crate::raster) fn is_banded(&self, level: u8, stored: usize) -> bool {
        let size = self.shape.size().at_level(level);
        let block = self.source.block_size(stored);
        let is_in_strips = block.width >= size.width && size.width > TILE_SIZE;
        let band_bytes = u64::from(size.width) * u64::from(TILE_SIZE) * 4;
        is_in_strips && band_bytes <= MOST_BAND_BYTES && self.source.info().layout != Layout::Whole
    }

    /// The pixels of a whole row of tiles.
    pub(in crate::raster) fn read_band(
        &self,
        stored: usize,
        level: u8,
        row: u32,
    ) -> Result<Tile, ReadError> {
        let size = self.shape.size().at_level(level);
        let rect = PixelRect::new(0, row * TILE_SIZE, size.width, TILE_SIZE);
        self.read_rect(stored, level, rect.intersect(size.bounds()))
    }

    /// One tile out of the pixels of its row of tiles.
    pub(in crate::raster) fn cut(&self, band: &Tile, key: TileKey) -> Tile {
        band.cut(self.shape.tile_rect(key))
    }
}
