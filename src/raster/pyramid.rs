use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::cache::{PyramidId, TileCache};
use super::error::ReadError;
use super::rgba_tile::RgbaTile;
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
        let there = ImageSize::new(there.width, there.height);
        Ok(RgbaTile {
            size: there,
            pixels,
        }
        .extended(size))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Overviews, PixelKind, RasterInfo, SampleType, TiffOptions, TiffWriter};

    /// An image of which each pixel is a function of its place, in blocks of a given size.
    struct Made {
        info: RasterInfo,
        block: ImageSize,
        pixels_read: AtomicU64,
    }

    impl Made {
        fn new(size: ImageSize, block: ImageSize) -> Arc<Self> {
            let layout = Layout::Tiles {
                width: block.width,
                height: block.height,
            };
            let info = RasterInfo {
                size,
                bands: 3,
                sample: SampleType::U8,
                compression: String::new(),
                layout,
                level_sizes: vec![size],
                georef: None,
                nodata: None,
                palette: None,
                has_alpha: false,
                orientation: crate::raster::Orientation::default(),
                format: "TIFF",
            };
            Arc::new(Self {
                info,
                block,
                pixels_read: AtomicU64::new(0),
            })
        }
    }

    impl TileSource for Made {
        fn info(&self) -> &RasterInfo {
            &self.info
        }

        fn read_rgba(&self, _: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
            self.pixels_read
                .fetch_add(rect.num_pixels(), Ordering::Relaxed);
            let pixel =
                |x: u32, y: u32| [(x / 16) as u8, (y / 16) as u8, ((x ^ y) & 0xFF) as u8, 255];
            let rows = rect.y..rect.bottom();
            let pixels = rows.flat_map(|y| (rect.x..rect.right()).map(move |x| pixel(x, y)));
            Ok(pixels.flatten().collect())
        }

        fn read_index(&self, _: PixelRect) -> Result<Vec<u8>, ReadError> {
            Ok(Vec::new())
        }

        fn block_size(&self, _: usize) -> ImageSize {
            self.block
        }
    }

    fn pyramid(source: &Arc<Made>) -> Pyramid {
        let source: Arc<dyn TileSource> = Arc::clone(source) as _;
        Pyramid::new(source, Arc::new(TileCache::new(64 << 20)))
    }

    #[test]
    fn strips_and_tiles_make_the_same_pyramid() {
        let size = ImageSize::new(2_601, 1_537);
        let tiled = pyramid(&Made::new(size, ImageSize::new(256, 256)));
        let strips = pyramid(&Made::new(size, ImageSize::new(2_601, 8)));
        for level in (0..tiled.shape().num_levels()).rev() {
            let (cols, rows) = tiled.shape().grid(level);
            for (col, row) in (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row))) {
                let key = TileKey::new(level, col, row);
                assert!(
                    tiled.tile(key).unwrap() == strips.tile(key).unwrap(),
                    "{key:?}"
                );
            }
        }
    }

    #[test]
    fn a_root_over_strips_reads_every_pixel_once() {
        let size = ImageSize::new(4_000, 3_000);
        let source = Made::new(size, ImageSize::new(4_000, 1));
        let pyramid = pyramid(&source);
        let root = pyramid.tile(pyramid.shape().root()).unwrap();
        assert_eq!(root.size, ImageSize::new(500, 375));
        assert_eq!(
            source.pixels_read.load(Ordering::Relaxed),
            size.num_pixels()
        );
        // What was made on the way is there, and asking again reads nothing.
        pyramid.tile(TileKey::new(2, 1, 1)).unwrap();
        pyramid.tile(TileKey::new(1, 3, 2)).unwrap();
        assert_eq!(
            source.pixels_read.load(Ordering::Relaxed),
            size.num_pixels()
        );
    }

    #[test]
    fn a_band_of_strips_is_read_once_for_all_its_tiles() {
        let source = Made::new(ImageSize::new(3_000, 1_000), ImageSize::new(3_000, 4));
        let pyramid = pyramid(&source);
        for col in [3, 0, 5, 1] {
            pyramid.tile(TileKey::new(0, col, 0)).unwrap();
        }
        assert_eq!(source.pixels_read.load(Ordering::Relaxed), 3_000 * 512);
    }

    #[test]
    fn a_sketch_reads_little_and_looks_like_the_root() {
        let size = ImageSize::new(20_000, 16_000);
        for block in [ImageSize::new(256, 256), ImageSize::new(20_000, 1)] {
            let source = Made::new(size, block);
            let pyramid = pyramid(&source);
            assert!(pyramid.needs_sketch());
            let sketch = pyramid.sketch().unwrap();
            assert_eq!(sketch.size, size.at_level(pyramid.shape().root().level));
            assert!(source.pixels_read.load(Ordering::Relaxed) <= 13 << 20);
            // Red grows by one each 16 columns and wraps at 4,096; the middle column is 10,000.
            let middle =
                (sketch.size.height / 2 * sketch.size.width + sketch.size.width / 2) as usize;
            assert_eq!(sketch.pixels[middle * 4 + 3], 255);
        }
    }

    #[test]
    fn stored_levels_are_used_and_may_differ_by_a_pixel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let size = ImageSize::new(1_100, 700);
        let options = TiffOptions::new(size, PixelKind::Rgb);
        assert_eq!(options.overviews, Overviews::Average);
        let mut writer = TiffWriter::create(&path, options).unwrap();
        (0..700).for_each(|y: u32| writer.write_rows(&vec![(y / 4) as u8; 3_300]).unwrap());
        writer.finish().unwrap();
        let source = crate::raster::open_raster(&path).unwrap();
        let pyramid = Pyramid::new(Arc::clone(&source), Arc::new(TileCache::new(1 << 24)));
        assert!(!pyramid.needs_sketch());
        let root = pyramid.tile(pyramid.shape().root()).unwrap();
        assert_eq!(root.size, ImageSize::new(275, 175));
        assert_eq!(
            root.pixels,
            source
                .read_rgba(2, ImageSize::new(275, 175).bounds())
                .unwrap()
        );

        let sizes = [size, ImageSize::new(549, 351)];
        assert_eq!(stored_level(&sizes, size.at_level(1)), Some(1));
        assert_eq!(stored_level(&sizes, size.at_level(2)), None);
    }
}
