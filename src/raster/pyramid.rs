mod strips;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::prelude::*;

use super::broken::{BrokenGround, BrokenList};
use super::cache::{PyramidId, TileCache};
use super::draft::{Draft, ShowTile, half_of};
use super::error::ReadError;
use super::layers::held_bands;
use super::sketch::{self, Effort, Sketch};
use super::source::{Layout, TileSource};
use super::statistics::Statistics;
use super::sweep::Sweep;
use super::tile::{Tile, TileFormat};
use crate::geom::{ImageSize, PixelRect, PyramidShape, TileKey};

/// Side of a tile in pixels.
pub const TILE_SIZE: u32 = 512;
/// How many levels below a wanted tile are kept of what was made on the way to it.
const KEPT_LEVELS_BELOW: u8 = 2;
/// Bands that may be decoded at once; a second reader of the same band waits for the first.
const BAND_LOCKS: usize = 8;
/// So many levels above the stored ones tiles take long enough to be shown before they are whole.
const LEAST_DRAFTED: u8 = 3;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// What is read of an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tiles {
    /// RGBA8.
    Pictures,
    /// Samples of bands that can be shown.
    Samples,
}

/// Makes any tile of an image that may be far larger than memory. Shared by threads.
pub struct Pyramid {
    id: PyramidId,
    source: Arc<dyn TileSource>,
    tiles: Tiles,
    format: TileFormat,
    /// The bands that tiles hold.
    bands: Vec<u16>,
    cache: Arc<TileCache>,
    shape: PyramidShape,
    /// For each level of the shape the stored level that has its pixels.
    stored: Vec<Option<usize>>,
    band_locks: [Mutex<()>; BAND_LOCKS],
    sweep_lock: Mutex<()>,
    statistics: OnceLock<Arc<Statistics>>,
    sketched: OnceLock<Arc<Tile>>,
    broken: BrokenList,
}

impl fmt::Debug for Pyramid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pyramid({})", self.shape.size())
    }
}

impl Pyramid {
    /// A pyramid of pictures (RGBA8) of `source` that keeps its tiles in `cache`.
    pub fn new(source: Arc<dyn TileSource>, cache: Arc<TileCache>) -> Self {
        let colors = source.color_bands();
        Self::with_tiles(source, cache, Tiles::Pictures, &colors)
    }

    /// A pyramid of what can be shown of `source`, in the format that it says: of more bands than
    /// tiles hold the colors and their neighbours.
    pub fn of_samples(source: Arc<dyn TileSource>, cache: Arc<TileCache>) -> Self {
        let colors = source.color_bands();
        Self::with_tiles(source, cache, Tiles::Samples, &colors)
    }

    fn with_tiles(
        source: Arc<dyn TileSource>,
        cache: Arc<TileCache>,
        tiles: Tiles,
        picked: &[u16],
    ) -> Self {
        let info = source.info();
        let shape = PyramidShape::new(info.size, TILE_SIZE);
        let stored = (0..shape.num_levels())
            .map(|level| stored_level(&info.level_sizes, info.size.at_level(level)))
            .collect();
        let id = PyramidId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        Self {
            id,
            format: match tiles {
                Tiles::Pictures => TileFormat::PICTURE,
                Tiles::Samples => source.tile_format(),
            },
            bands: held_bands(source.tile_bands(), picked),
            source,
            tiles,
            cache,
            shape,
            stored,
            band_locks: Default::default(),
            sweep_lock: Mutex::default(),
            statistics: OnceLock::new(),
            sketched: OnceLock::new(),
            broken: BrokenList::default(),
        }
    }

    /// A pyramid over `source`, which is the same image with more stored levels: shown alike.
    pub fn again_with(&self, source: Arc<dyn TileSource>) -> Self {
        let cache = Arc::clone(&self.cache);
        let mut again = Self::with_tiles(source, cache, self.tiles, &self.bands);
        again.statistics.clone_from(&self.statistics);
        again
    }

    /// The same image with other bands in its tiles, `picked` among them; `None` where tiles hold
    /// already what there is of these.
    pub fn holding(&self, picked: &[u16]) -> Option<Self> {
        let all = self.source.tile_bands();
        let is_missing = |band: &u16| all.contains(band) && !self.bands.contains(band);
        picked.iter().any(is_missing).then(|| {
            let (source, cache) = (Arc::clone(&self.source), Arc::clone(&self.cache));
            Self::with_tiles(source, cache, self.tiles, picked)
        })
    }

    /// Sizes and tile counts of all levels.
    pub const fn shape(&self) -> PyramidShape {
        self.shape
    }

    /// The pixels of `key`: from the cache, else from a stored level, else the area average of the
    /// tiles below.
    ///
    /// # Errors
    /// [`ReadError`] when a part of the file below does not decode or there is no such tile.
    pub fn tile(&self, key: TileKey) -> Result<Arc<Tile>, ReadError> {
        self.tile_in_steps(key, None)
    }

    /// As [`Self::tile`]; coarse tiles that take long are shown before they are whole, if there is
    /// somebody to `show` them to. Others of the same row may be shown, too.
    ///
    /// # Errors
    /// As [`Self::tile`].
    pub fn tile_in_steps(
        &self,
        key: TileKey,
        show: Option<ShowTile<'_>>,
    ) -> Result<Arc<Tile>, ReadError> {
        if let Some(tile) = self.cache.get(self.id, key) {
            return Ok(tile);
        }
        let is_slow = key.level >= self.nearest_stored(key.level).0 + LEAST_DRAFTED;
        let blurred = show.filter(|_| is_slow).zip(self.blurred(key));
        let draft = blurred.map(|(show, tile)| Draft::new(key, tile, show));
        self.tile_above(key, key.level, draft.as_ref())
    }

    /// The tile `key` out of [`Self::sketch`], once that was made.
    pub(super) fn blurred(&self, key: TileKey) -> Option<Tile> {
        let halvings = self.shape.root().level.checked_sub(key.level)?;
        let sketch = self.sketched.get()?;
        let rect = self.shape.tile_rect(key);
        Some(sketch::enlarged(sketch, rect, halvings))
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
    pub fn sketch(&self) -> Result<Arc<Tile>, ReadError> {
        if !self.needs_sketch() {
            return self.tile(self.shape.root());
        }
        Ok(Arc::new(self.sketched_with(Effort::Thorough)?.tile))
    }

    fn sketched_with(&self, effort: Effort) -> Result<Sketch, ReadError> {
        if self.source.is_sequential() {
            return self.sketch_of_top();
        }
        let size = self.shape.size().at_level(self.shape.root().level);
        let read = |stored, rect: PixelRect| match self.read_bytes(stored, rect) {
            Err(_) if self.tiles == Tiles::Samples => {
                let size = ImageSize::new(rect.width, rect.height);
                Ok(Tile::blank(size, self.format).bytes)
            }
            read => read,
        };
        sketch::sketch(&*self.source, self.format, &read, (size, effort))
    }

    /// The first rows of an image that can only be read from its start, the rest transparent.
    fn sketch_of_top(&self) -> Result<Sketch, ReadError> {
        let size = self.source.info().size;
        let rows = self.source.block_size(0).height;
        let rect = PixelRect::new(0, 0, size.width, rows).intersect(size.bounds());
        let samples = self.read_rect(0, 0, rect)?;
        let mut top = samples.clone();
        for _ in 0..self.shape.root().level {
            top = half_of(&top);
        }
        let root = self.shape.tile_rect(self.shape.root());
        let mut whole = Tile::blank(ImageSize::new(root.width, root.height), self.format);
        whole.draw(&top, (0, 0));
        Ok(Sketch {
            tile: whole,
            samples,
        })
    }

    /// How tiles are stored.
    pub const fn format(&self) -> TileFormat {
        self.format
    }

    /// What values each band has in [`Self::sketch`], once somebody measured it.
    pub fn statistics(&self) -> Option<&Arc<Statistics>> {
        self.statistics.get()
    }

    /// As [`Self::sketch`] but in haste, since the sharp picture follows; and what values the image
    /// has.
    ///
    /// # Errors
    /// As [`Self::sketch`].
    pub fn look_around(&self) -> Result<Arc<Tile>, ReadError> {
        let tile = if self.needs_sketch() {
            let sketch = self.sketched_with(Effort::Hasty)?;
            self.measure(&sketch.samples)?;
            Arc::new(sketch.tile)
        } else {
            let root = self.tile(self.shape.root())?;
            self.measure(&root)?;
            root
        };
        Ok(Arc::clone(self.sketched.get_or_init(|| tile)))
    }

    /// Measures what values each band has in `tile`, of pixels from all over the image; the first
    /// counts.
    ///
    /// # Errors
    /// [`ReadError`] when the range of the samples cannot be told, because a chunk does not decode.
    fn measure(&self, tile: &Tile) -> Result<(), ReadError> {
        if self.statistics.get().is_none() {
            let samples = self.source.tile_samples(&self.bands)?;
            let statistics = Statistics::of(tile, &samples);
            self.statistics.get_or_init(|| Arc::new(statistics));
        }
        Ok(())
    }

    /// The tile `key` on the way to a tile at level `wanted`.
    fn tile_above(
        &self,
        key: TileKey,
        wanted: u8,
        draft: Option<&Draft<'_>>,
    ) -> Result<Arc<Tile>, ReadError> {
        let (tile, is_kept) = if let Some(stored) = self.stored_for(key) {
            if let Some(tile) = self.tile_of_band(key, stored)? {
                return Ok(tile);
            }
            (self.read(stored, key)?, key.level == wanted)
        } else if let Some(tile) = self.tile_of_nothing(key)? {
            (tile, true)
        } else if let Some(sweep) = Sweep::plan(self, key) {
            return sweep.run(key, draft);
        } else {
            (
                self.average_below(key, wanted, draft)?,
                key.level + KEPT_LEVELS_BELOW >= wanted,
            )
        };
        if let Some(draft) = draft {
            draft.add(key, &tile);
        }
        let tile = Arc::new(tile);
        if is_kept {
            self.cache.put(self.id, key, Arc::clone(&tile));
        }
        Ok(tile)
    }

    /// The tile of ground of which nothing was ever written: its first pixel again and again.
    fn tile_of_nothing(&self, key: TileKey) -> Result<Option<Tile>, ReadError> {
        let bounds = self.shape.size().bounds();
        let rect = self.shape.tile_rect(key);
        let ground = rect.from_level(key.level).intersect(bounds);
        if !self.source.is_unwritten(ground) {
            return Ok(None);
        }
        let first = Tile {
            size: ImageSize::new(1, 1),
            format: self.format,
            bytes: self.read_bytes(0, PixelRect::new(ground.x, ground.y, 1, 1))?,
        };
        Ok(Some(
            first.extended(ImageSize::new(rect.width, rect.height)),
        ))
    }

    fn stored_for(&self, key: TileKey) -> Option<usize> {
        self.stored.get(usize::from(key.level)).copied().flatten()
    }

    fn read(&self, stored: usize, key: TileKey) -> Result<Tile, ReadError> {
        let rect = self.shape.tile_rect(key);
        self.read_rect(stored, key.level, rect)
    }

    /// Reads `rect` of pyramid level `level` from a stored level, whose size may differ by one.
    fn read_rect(&self, stored: usize, level: u8, rect: PixelRect) -> Result<Tile, ReadError> {
        let there = rect.intersect(self.source.info().level_sizes[stored].bounds());
        let bytes = match self.read_bytes(stored, there) {
            Ok(bytes) => bytes,
            // Who looks wants to see the rest; who computes must not take holes for ground.
            Err(error) if self.tiles == Tiles::Samples => {
                self.read_pieces(stored, level, there, &error)
            }
            Err(error) => return Err(error),
        };
        debug_assert!(self.shape.size().at_level(level).width >= rect.right());
        let tile = Tile {
            size: ImageSize::new(there.width, there.height),
            format: self.format,
            bytes,
        };
        Ok(if there == rect {
            tile
        } else {
            tile.extended(ImageSize::new(rect.width, rect.height))
        })
    }

    fn read_bytes(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        match self.tiles {
            Tiles::Pictures => self.source.read_rgba(stored, rect),
            Tiles::Samples => self.source.read_tile(stored, rect, &self.bands),
        }
    }

    /// What of `rect` can be read, block by block; the rest is transparent and remembered.
    fn read_pieces(&self, stored: usize, level: u8, rect: PixelRect, why: &ReadError) -> Vec<u8> {
        let mut out = Tile::blank(ImageSize::new(rect.width, rect.height), self.format);
        let pieces = rect.pieces(self.source.block_size(stored));
        let is_one = pieces.len() == 1;
        for piece in pieces {
            let read = if is_one {
                Err(why.to_string())
            } else {
                let read = self.read_bytes(stored, piece);
                read.map_err(|error| error.to_string())
            };
            match read {
                Ok(bytes) => {
                    let size = ImageSize::new(piece.width, piece.height);
                    let format = self.format;
                    let tile = Tile {
                        size,
                        format,
                        bytes,
                    };
                    out.draw(&tile, (piece.x - rect.x, piece.y - rect.y));
                }
                Err(why) => {
                    let ground = piece.from_level(level);
                    let ground = ground.intersect(self.shape.size().bounds());
                    self.broken.add(ground, why);
                }
            }
        }
        out.bytes
    }

    /// Ground that could not be read so far; it is transparent in tiles.
    pub fn broken(&self) -> Vec<BrokenGround> {
        self.broken.all()
    }

    /// How many pieces of it there are.
    pub fn num_broken(&self) -> usize {
        self.broken.len()
    }

    fn average_below(
        &self,
        key: TileKey,
        wanted: u8,
        draft: Option<&Draft<'_>>,
    ) -> Result<Tile, ReadError> {
        let rect = self.shape.tile_rect(key);
        let mut tile = Tile::blank(ImageSize::new(rect.width, rect.height), self.format);
        let children: Vec<TileKey> = key
            .children()
            .filter(|&child| self.shape.contains(child))
            .collect();
        let below: Result<Vec<_>, ReadError> = children
            .par_iter()
            .map(|&child| match self.cache.get(self.id, child) {
                Some(tile) => {
                    if let Some(draft) = draft {
                        draft.add(child, &tile);
                    }
                    Ok(tile)
                }
                None => self.tile_above(child, wanted, draft),
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

    /// Keeps a tile that was made on the way to one at level `wanted`, where that is worth it.
    pub(super) fn keep(&self, key: TileKey, tile: Arc<Tile>, wanted: u8) {
        if key.level + KEPT_LEVELS_BELOW >= wanted {
            self.cache.put(self.id, key, tile);
        }
    }

    /// A tile that is in the cache.
    pub(super) fn cached(&self, key: TileKey) -> Option<Arc<Tile>> {
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

#[cfg(test)]
mod tests;
