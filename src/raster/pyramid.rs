use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::cache::{PyramidId, TileCache};
use super::error::ReadError;
use super::shrink::{RowPair, average_rgba};
use super::sketch;
use super::source::{Layout, TileSource};
use super::sweep::Sweep;
use crate::geom::{ImageSize, PixelRect, PyramidShape, TileKey};

/// Side of a tile in pixels.
pub const TILE_SIZE: u32 = 512;
/// How many levels below a wanted tile are kept of what was made on the way to it.
const KEPT_LEVELS_BELOW: u8 = 2;
/// A band of strips is read whole up to this many bytes of RGBA.
const MOST_BAND_BYTES: u64 = 192 << 20;
/// Bands that may be decoded at once; a second reader of the same band waits for the first.
const BAND_LOCKS: usize = 8;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// The pixels of one tile.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbaTile {
    /// Extent: [`TILE_SIZE`] squared, or less at the right and bottom edges of the image.
    pub size: ImageSize,
    /// RGBA8, row by row, gamma-encoded (sRGB), alpha not multiplied in.
    pub pixels: Vec<u8>,
}

impl RgbaTile {
    /// A transparent tile of `size`.
    pub fn blank(size: ImageSize) -> Self {
        Self {
            size,
            pixels: vec![0; size.num_pixels() as usize * 4],
        }
    }

    /// Bytes of one row.
    const fn row_len(&self) -> usize {
        self.size.width as usize * 4
    }

    /// Puts the halved `child` at `at` (pixels of this tile).
    fn draw_halved(&mut self, child: &Self, at: (u32, u32)) {
        let (child_row, row) = (child.row_len(), self.row_len());
        let width = child
            .size
            .width
            .div_ceil(2)
            .min(self.size.width.saturating_sub(at.0)) as usize;
        let rows = child
            .size
            .height
            .div_ceil(2)
            .min(self.size.height.saturating_sub(at.1));
        for y in 0..rows as usize {
            let top = &child.pixels[2 * y * child_row..][..child_row];
            let bottom = child
                .pixels
                .get((2 * y + 1) * child_row..)
                .unwrap_or_default();
            let bottom = bottom.get(..child_row).unwrap_or(top);
            let start = (at.1 as usize + y) * row + at.0 as usize * 4;
            average_rgba(
                RowPair { top, bottom },
                &mut self.pixels[start..start + width * 4],
            );
        }
    }
}

impl fmt::Debug for RgbaTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbaTile({})", self.size)
    }
}

/// Makes any tile of an image that may be far larger than memory. Shared by threads.
pub struct Pyramid {
    id: PyramidId,
    source: Arc<dyn TileSource>,
    cache: Arc<TileCache>,
    shape: PyramidShape,
    /// For each level of the shape the stored level that has its pixels.
    stored: Vec<Option<usize>>,
    band_locks: [Mutex<()>; BAND_LOCKS],
    sweep_lock: Mutex<()>,
}

impl fmt::Debug for Pyramid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pyramid({})", self.shape.size())
    }
}

impl Pyramid {
    /// A pyramid over `source` that keeps its tiles in `cache`.
    pub fn new(source: Arc<dyn TileSource>, cache: Arc<TileCache>) -> Self {
        let info = source.info();
        let shape = PyramidShape::new(info.size, TILE_SIZE);
        let stored = (0..shape.num_levels())
            .map(|level| stored_level(&info.level_sizes, info.size.at_level(level)))
            .collect();
        let id = PyramidId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        Self {
            id,
            source,
            cache,
            shape,
            stored,
            band_locks: Default::default(),
            sweep_lock: Mutex::default(),
        }
    }

    /// Sizes and tile counts of all levels.
    pub const fn shape(&self) -> PyramidShape {
        self.shape
    }

    /// The file below.
    pub fn source(&self) -> &Arc<dyn TileSource> {
        &self.source
    }

    /// The pixels of `key`: from the cache, else from a stored level, else the area average of the
    /// tiles below.
    ///
    /// # Errors
    /// [`ReadError`] when a part of the file below does not decode or there is no such tile.
    pub fn tile(&self, key: TileKey) -> Result<Arc<RgbaTile>, ReadError> {
        if let Some(tile) = self.cache.get(self.id, key) {
            return Ok(tile);
        }
        self.tile_above(key, key.level)
    }

    /// Whether every tile above the stored levels takes many decoded blocks, so that
    /// [`Self::sketch`] is much faster than the root tile.
    pub fn needs_sketch(&self) -> bool {
        let root = usize::from(self.shape.root().level);
        let nearest = (0..=root)
            .rev()
            .find(|&level| self.stored[level].is_some())
            .unwrap_or(0);
        root - nearest >= 2 && self.source.info().layout != Layout::Whole
    }

    /// The root tile from a bounded number of decoded blocks: right in color and place, blurred
    /// between the blocks. Not kept in the cache.
    ///
    /// # Errors
    /// [`ReadError`] when none of the blocks decodes.
    pub fn sketch(&self) -> Result<Arc<RgbaTile>, ReadError> {
        if !self.needs_sketch() {
            return self.tile(self.shape.root());
        }
        sketch::sketch(
            &*self.source,
            self.shape.size().at_level(self.shape.root().level),
        )
        .map(Arc::new)
    }

    /// The tile `key` on the way to a tile at level `wanted`.
    fn tile_above(&self, key: TileKey, wanted: u8) -> Result<Arc<RgbaTile>, ReadError> {
        let (tile, is_kept) = if let Some(stored) = self.stored_for(key) {
            if let Some(tile) = self.tile_of_band(key, stored)? {
                return Ok(tile);
            }
            (self.read(stored, key)?, key.level == wanted)
        } else if let Some(sweep) = Sweep::plan(self, key) {
            return sweep.run(key);
        } else {
            (
                self.average_below(key, wanted)?,
                key.level + KEPT_LEVELS_BELOW >= wanted,
            )
        };
        let tile = Arc::new(tile);
        if is_kept {
            self.cache.put(self.id, key, Arc::clone(&tile));
        }
        Ok(tile)
    }

    fn stored_for(&self, key: TileKey) -> Option<usize> {
        self.stored.get(usize::from(key.level)).copied().flatten()
    }

    fn read(&self, stored: usize, key: TileKey) -> Result<RgbaTile, ReadError> {
        let rect = self.shape.tile_rect(key);
        self.read_rect(stored, key.level, rect)
    }

    /// Reads `rect` of pyramid level `level` from a stored level, whose size may differ by one.
    fn read_rect(&self, stored: usize, level: u8, rect: PixelRect) -> Result<RgbaTile, ReadError> {
        let there = rect.intersect(self.source.info().level_sizes[stored].bounds());
        let pixels = self.source.read_rgba(stored, there)?;
        let size = ImageSize::new(rect.width, rect.height);
        debug_assert!(self.shape.size().at_level(level).width >= rect.right());
        if there == rect {
            return Ok(RgbaTile { size, pixels });
        }
        Ok(extended(
            &RgbaTile {
                size: ImageSize::new(there.width, there.height),
                pixels,
            },
            size,
        ))
    }

    fn average_below(&self, key: TileKey, wanted: u8) -> Result<RgbaTile, ReadError> {
        let rect = self.shape.tile_rect(key);
        let mut tile = RgbaTile::blank(ImageSize::new(rect.width, rect.height));
        let children: Vec<TileKey> = key
            .children()
            .filter(|&child| self.shape.contains(child))
            .collect();
        let below: Result<Vec<_>, ReadError> = children
            .par_iter()
            .map(|&child| match self.cache.get(self.id, child) {
                Some(tile) => Ok(tile),
                None => self.tile_above(child, wanted),
            })
            .collect();
        for (child, pixels) in children.iter().zip(below?) {
            let at = (
                (child.col % 2) * TILE_SIZE / 2,
                (child.row % 2) * TILE_SIZE / 2,
            );
            tile.draw_halved(&pixels, at);
        }
        Ok(tile)
    }

    /// For images in strips: decodes the whole band of tiles around `key` once and keeps all of
    /// them. `None` where the file is not in strips or a band is too large.
    fn tile_of_band(
        &self,
        key: TileKey,
        stored: usize,
    ) -> Result<Option<Arc<RgbaTile>>, ReadError> {
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
    pub(super) fn is_banded(&self, level: u8, stored: usize) -> bool {
        let size = self.shape.size().at_level(level);
        let block = self.source.block_size(stored);
        let is_in_strips = block.width >= size.width && size.width > TILE_SIZE;
        let band_bytes = u64::from(size.width) * u64::from(TILE_SIZE) * 4;
        is_in_strips && band_bytes <= MOST_BAND_BYTES && self.source.info().layout != Layout::Whole
    }

    /// The pixels of a whole row of tiles.
    pub(super) fn read_band(
        &self,
        stored: usize,
        level: u8,
        row: u32,
    ) -> Result<RgbaTile, ReadError> {
        let size = self.shape.size().at_level(level);
        let rect = PixelRect::new(0, row * TILE_SIZE, size.width, TILE_SIZE);
        self.read_rect(stored, level, rect.intersect(size.bounds()))
    }

    /// One tile out of the pixels of its row of tiles.
    pub(super) fn cut(&self, band: &RgbaTile, key: TileKey) -> RgbaTile {
        let rect = self.shape.tile_rect(key);
        let len = rect.width as usize * 4;
        let mut pixels = Vec::with_capacity(len * rect.height as usize);
        for row in band
            .pixels
            .chunks_exact(band.row_len())
            .take(rect.height as usize)
        {
            pixels.extend_from_slice(&row[rect.x as usize * 4..][..len]);
        }
        RgbaTile {
            size: ImageSize::new(rect.width, rect.height),
            pixels,
        }
    }

    /// Keeps a tile that was made on the way to one at level `wanted`, where that is worth it.
    pub(super) fn keep(&self, key: TileKey, tile: Arc<RgbaTile>, wanted: u8) {
        if key.level + KEPT_LEVELS_BELOW >= wanted {
            self.cache.put(self.id, key, tile);
        }
    }

    /// A tile that is in the cache.
    pub(super) fn cached(&self, key: TileKey) -> Option<Arc<RgbaTile>> {
        self.cache.get(self.id, key)
    }

    /// Lets one thread at a time sweep; the next finds in the cache what the first has made.
    pub(super) fn sweep_turn(&self) -> MutexGuard<'_, ()> {
        self.sweep_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The nearest level at or below `level` that is stored.
    pub(super) fn nearest_stored(&self, level: u8) -> (u8, usize) {
        let below = (0..=level).rev();
        below
            .into_iter()
            .find_map(|level| Some((level, self.stored[usize::from(level)]?)))
            .unwrap_or((0, 0))
    }
}

impl Drop for Pyramid {
    fn drop(&mut self) {
        self.cache.forget(self.id);
    }
}

/// The stored level whose size is `size` to within a pixel.
fn stored_level(level_sizes: &[ImageSize], size: ImageSize) -> Option<usize> {
    level_sizes.iter().position(|stored| {
        stored.width.abs_diff(size.width) <= 1 && stored.height.abs_diff(size.height) <= 1
    })
}

/// A tile of `size` whose missing last row and column repeat those before.
fn extended(tile: &RgbaTile, size: ImageSize) -> RgbaTile {
    let mut out = RgbaTile::blank(size);
    if tile.size.is_empty() {
        return out;
    }
    for y in 0..size.height {
        for x in 0..size.width {
            let (from_x, from_y) = (x.min(tile.size.width - 1), y.min(tile.size.height - 1));
            let from = (from_y as usize * tile.size.width as usize + from_x as usize) * 4;
            let to = (y as usize * size.width as usize + x as usize) * 4;
            out.pixels[to..to + 4].copy_from_slice(&tile.pixels[from..from + 4]);
        }
    }
    out
}
