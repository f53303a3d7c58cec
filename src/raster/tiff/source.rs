use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::chunk::Chunk;
use super::directory::Directory;
use super::display::{Painter, Run, stretch_of};
use super::geo::GeoTags;
use super::grid::ChunkAt;
use super::levels::{Beside, FilePage, Level, TiffFile, files_beside, overviews_at, read_levels};
use super::page::Page;
use super::stream::Streams;
use super::tag;
use crate::geom::{ImageSize, PixelRect};
use crate::raster::cache::ByteLru;
use crate::raster::error::{Fault, OpenError, ReadError};
use crate::raster::limits::{MAX_WHOLE_BYTES, product_within, zeroed};
use crate::raster::read_at::{FileBytes, ReadAt};
use crate::raster::source::{BandSamples, RasterInfo, SampleType, TileSamples, TileSource};
use crate::raster::stretch::{Samples, Spread, Stretch, probes};
use crate::raster::tile::TileFormat;
use crate::raster::turned::Orientation;

/// Decoded chunks that are kept, so that neighbouring windows do not decode them again.
const CHUNK_CACHE_BYTES: usize = 48 << 20;
/// Larger chunks are decoded by one thread at a time, so that their copies do not add up.
const LARGE_CHUNK_BYTES: usize = 16 << 20;
/// Rows above which a chunk is larger than what is usually asked of it at once.
const SHARED_CHUNK_ROWS: u32 = 2_048;

/// A TIFF file: one image, its overviews and its masks.
pub struct TiffSource {
    path: PathBuf,
    /// The file itself and those beside it.
    files: Vec<TiffFile>,
    /// How many of them are the image's own; a cache behind them changes no value.
    own_files: usize,
    info: RasterInfo,
    levels: Vec<Level>,
    chunks: Mutex<ByteLru<ChunkKey, Arc<Chunk>>>,
    one_large_chunk: Mutex<()>,
    streams: Streams,
    stretch: OnceLock<Stretch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum PageKind {
    Image,
    Mask,
}

/// A chunk of this file: level, image or mask, place.
pub(super) type ChunkKey = (usize, PageKind, ChunkAt);

impl TiffSource {
    /// Reads the directories of the file at `path`, of those beside it, and of `overviews`.
    pub fn open(
        bytes: FileBytes,
        path: &Path,
        overviews: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let mut beside = files_beside(path);
        let own_files = 1 + beside.len();
        beside.extend(overviews.and_then(overviews_at));
        let read = Self::read_with(Arc::new(bytes), path, beside);
        let source = read.map_err(|fault| fault.on_open(path))?;
        Ok(Self {
            own_files,
            ..source
        })
    }

    /// Keeps at most so many bytes of decoded chunks.
    pub fn keeping(mut self, bytes: usize) -> Self {
        self.chunks = Mutex::new(ByteLru::new(bytes.min(CHUNK_CACHE_BYTES)));
        self
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the directories of one file.
    #[cfg(test)]
    pub fn read(bytes: Box<dyn ReadAt>, path: &Path) -> Result<Self, Fault> {
        Self::read_with(bytes.into(), path, Vec::new())
    }

    fn read_with(bytes: Arc<dyn ReadAt>, path: &Path, beside: Vec<Beside>) -> Result<Self, Fault> {
        let file = TiffFile::read(bytes)?;
        let first = &file.directories.all[0];
        let geo = GeoTags::read(&*file.bytes, first)?;
        let nodata = first.text(&*file.bytes, tag::GDAL_NODATA)?;
        let nodata = nodata.and_then(|text| text.trim().parse::<f64>().ok());
        let orientation = first.number(&*file.bytes, tag::ORIENTATION)?;
        let (files, levels) = read_levels(file, beside)?;
        let own_files = files.len();
        let page = &levels[0].image.page;
        let sizes = levels.iter().map(|level| level.image.page.size);
        let info = RasterInfo {
            size: page.size,
            bands: page.bands,
            sample: page.sample,
            compression: page.compression.name().to_owned(),
            layout: page.grid.layout,
            level_sizes: sizes.collect(),
            nodata,
            palette: page.palette.clone(),
            has_alpha: page.alpha.is_some() || levels[0].mask.is_some(),
            orientation: Orientation::from_code(orientation.unwrap_or(1)),
            format: match (files[0].directories.is_big(), geo.is_empty()) {
                (true, _) => "BigTIFF",
                (false, true) => "TIFF",
                (false, false) => "GeoTIFF",
            },
            georef: geo.georef(path),
        };
        Ok(Self {
            path: path.to_owned(),
            files,
            own_files,
            info,
            levels,
            chunks: Mutex::new(ByteLru::new(CHUNK_CACHE_BYTES)),
            one_large_chunk: Mutex::new(()),
            streams: Streams::default(),
            stretch: OnceLock::new(),
        })
    }

    fn page(&self, key: ChunkKey) -> Result<&FilePage, Fault> {
        let level = self.levels.get(key.0).ok_or(Fault::Outside)?;
        match key.1 {
            PageKind::Image => Ok(&level.image),
            PageKind::Mask => level.mask.as_ref().ok_or(Fault::Outside),
        }
    }

    /// One decoded chunk, out of the small cache where it is there.
    pub(super) fn chunk(&self, key: ChunkKey) -> Result<Arc<Chunk>, Fault> {
        if let Some(chunk) = self.cached(key) {
            return Ok(chunk);
        }
        let FilePage { page, file } = self.page(key)?;
        let bytes = &self.files[*file].bytes;
        if page.grid.is_streamed(key.2) {
            let known = || self.cached(key);
            let keep = |key, chunk: &Arc<Chunk>| self.keep(key, chunk);
            return self.streams.read(key, (page, bytes), known, keep);
        }
        let chunk_len = page.grid.chunk.num_pixels() as usize * usize::from(page.grid.chunk_bands);
        let is_large = chunk_len >= LARGE_CHUNK_BYTES;
        let _turn = is_large.then(|| {
            // Nothing is guarded but memory, so a panic elsewhere does no harm.
            self.one_large_chunk
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        });
        if is_large && let Some(chunk) = self.cached(key) {
            return Ok(chunk);
        }
        let nodata = self.info.nodata.filter(|_| key.1 == PageKind::Image);
        let chunk = Arc::new(page.read_chunk(&**bytes, key.2, nodata)?);
        self.keep(key, &chunk);
        Ok(chunk)
    }

    fn keep(&self, key: ChunkKey, chunk: &Arc<Chunk>) {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.put(key, Arc::clone(chunk), chunk.bytes.len());
    }

    fn cached(&self, key: ChunkKey) -> Option<Arc<Chunk>> {
        self.chunks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
    }

    pub(super) fn rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let level = self.levels.get(stored).ok_or(Fault::Outside)?;
        let page = &level.image.page;
        check_inside(rect, page.size)?;
        let painter = Painter::new(page, self.stretch()?, self.info.nodata);
        let mut out = zeroed(buffer_len(rect, 4)?)?;
        for (col, row) in chunks_of(page, rect) {
            let chunks = Painter::chunks(page, col, row).into_iter();
            let chunks = chunks.map(|at| self.chunk((stored, PageKind::Image, at)));
            let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
            let planes: Vec<&[u8]> = chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
            for_each_run(page, (col, row), rect, |pixel, out_pixel, count| {
                let out = &mut out[out_pixel * 4..][..count * 4];
                painter.paint(
                    &Run {
                        planes: &planes,
                        pixel,
                    },
                    out,
                );
            });
        }
        if level.mask.is_some() {
            let mask = self.band((stored, PageKind::Mask), rect)?;
            let pixels = out.chunks_exact_mut(4).zip(mask);
            pixels
                .filter(|(_, mask)| *mask == 0)
                .for_each(|(pixel, _)| pixel[3] = 0);
        }
        Ok(out)
    }

    /// A chunk of the image that nobody keeps.
    pub(super) fn fresh_chunk(&self, at: ChunkAt) -> Result<Vec<u8>, Fault> {
        let page = self.base_page();
        let is_shared = page.grid.chunk.height > SHARED_CHUNK_ROWS || page.grid.is_streamed(at);
        if is_shared {
            // Many bands are cut out of it, so that it must not be decoded for each.
            let chunk = self.chunk((0, PageKind::Image, at))?;
            return Ok(chunk.bytes.clone());
        }
        let chunk = page.read_chunk(self.image_bytes(), at, self.info.nodata)?;
        Ok(chunk.bytes)
    }

    /// The bytes of the file itself.
    pub(super) fn image_bytes(&self) -> &dyn ReadAt {
        &*self.files[0].bytes
    }

    /// The directory of the image itself.
    pub(super) fn image_directory(&self) -> &Directory {
        &self.files[0].directories.all[0]
    }

    /// The image's mask.
    pub(super) fn mask_page(&self) -> Option<&Page> {
        self.levels[0].mask.as_ref().map(|mask| &mask.page)
    }

    /// The image itself.
    pub(super) fn base_page(&self) -> &Page {
        &self.levels[0].image.page
    }

    /// What the image's mask says of `rect`, 0 where it hides; `None` without one.
    pub(in crate::raster) fn mask(&self, rect: PixelRect) -> Option<Result<Vec<u8>, Fault>> {
        self.level_mask(0, rect)
    }

    /// As [`Self::mask`], of a stored level.
    pub(super) fn level_mask(
        &self,
        stored: usize,
        rect: PixelRect,
    ) -> Option<Result<Vec<u8>, Fault>> {
        self.levels.get(stored)?.mask.as_ref()?;
        Some(self.band((stored, PageKind::Mask), rect))
    }

    /// A stored level of the image.
    pub(super) fn level_page(&self, stored: usize) -> Result<&Page, Fault> {
        let level = self.levels.get(stored).ok_or(Fault::Outside)?;
        Ok(&level.image.page)
    }

    /// Band 0 of a page of at most 8 bits, as it is stored.
    fn band(&self, (stored, kind): (usize, PageKind), rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let any = ChunkAt {
            col: 0,
            row: 0,
            plane: 0,
        };
        let page = &self.page((stored, kind, any))?.page;
        if !page.sample.is_index() {
            return Err(Fault::NoIndices(page.sample.name()));
        }
        check_inside(rect, page.size)?;
        let mut out = zeroed(buffer_len(rect, 1)?)?;
        let stride = usize::from(page.grid.chunk_bands);
        for (col, row) in chunks_of(page, rect) {
            let chunk = self.chunk((stored, kind, ChunkAt { col, row, plane: 0 }))?;
            for_each_run(page, (col, row), rect, |pixel, out_pixel, count| {
                let samples = chunk.bytes[pixel * stride..].iter().step_by(stride);
                let out = &mut out[out_pixel..][..count];
                out.iter_mut()
                    .zip(samples)
                    .for_each(|(out, &sample)| *out = sample);
            });
        }
        Ok(out)
    }

    /// Band 0 of an image of 16 bits, as it is stored, high bytes first.
    fn wide_band(&self, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let page = &self.levels[0].image.page;
        check_inside(rect, page.size)?;
        let mut out = zeroed(buffer_len(rect, 2)?)?;
        let stride = 2 * usize::from(page.grid.chunk_bands);
        for (col, row) in chunks_of(page, rect) {
            let at = ChunkAt { col, row, plane: 0 };
            let chunk = self.chunk((0, PageKind::Image, at))?;
            for_each_run(page, (col, row), rect, |pixel, out_pixel, count| {
                let samples = chunk.bytes[pixel * stride..].chunks(stride);
                let out = out[2 * out_pixel..][..2 * count].as_chunks_mut::<2>().0;
                for (out, sample) in out.iter_mut().zip(samples) {
                    // Decoded samples are in the order of this machine.
                    let sample = sample.first_chunk().map(|&raw| u16::from_ne_bytes(raw));
                    *out = sample.unwrap_or(0).to_be_bytes();
                }
            });
        }
        Ok(out)
    }

    /// Shows wide samples within this range instead of one that is found.
    pub(in crate::raster) fn show_within(&self, range: impl FnOnce() -> Stretch) {
        self.stretch.get_or_init(range);
    }

    /// The range of values that is shown; wide samples are looked at in a few chunks, once.
    pub(super) fn stretch(&self) -> Result<Stretch, Fault> {
        if let Some(stretch) = stretch_of(self.base_page()) {
            return Ok(stretch);
        }
        if let Some(&stretch) = self.stretch.get() {
            return Ok(stretch);
        }
        let stretch = self.probe_stretch()?;
        Ok(*self.stretch.get_or_init(|| stretch))
    }

    fn probe_stretch(&self) -> Result<Stretch, Fault> {
        let is_own = |level: &Level| level.image.file < self.own_files;
        let stored = self.levels.iter().rposition(is_own).unwrap_or(0);
        let page = &self.levels[stored].image.page;
        let mut spread = Spread::NONE;
        let is_stream = page.grid.is_stream();
        for row in probes(if is_stream { 1 } else { page.grid.rows }) {
            for col in probes(page.grid.cols) {
                let colors = Painter::chunks(page, col, row).into_iter();
                for at in colors.take(page.color_bands().len()) {
                    let chunk = self.chunk((stored, PageKind::Image, at))?;
                    look_at_colors(&mut spread, page, &chunk.bytes, self.info.nodata);
                }
            }
        }
        Ok(spread.stretch())
    }
}

/// Looks at the values of the color bands within one decoded chunk.
fn look_at_colors(spread: &mut Spread, page: &Page, bytes: &[u8], nodata: Option<f64>) {
    let size = usize::from(page.sample.bits().div_ceil(8));
    let chunk_bands = usize::from(page.grid.chunk_bands);
    for band in 0..page.color_bands().len().min(chunk_bands) {
        let samples = Samples {
            bytes: bytes.get(band * size..).unwrap_or_default(),
            stride: chunk_bands * size,
            sample: page.sample,
        };
        spread.look_at(samples, nodata);
    }
}

pub(super) fn check_inside(rect: PixelRect, size: ImageSize) -> Result<(), Fault> {
    let right = u64::from(rect.x) + u64::from(rect.width);
    let bottom = u64::from(rect.y) + u64::from(rect.height);
    if right > u64::from(size.width) || bottom > u64::from(size.height) {
        return Err(Fault::Outside);
    }
    Ok(())
}

/// Bytes of `rect`, within what a whole image may take.
pub(super) fn buffer_len(rect: PixelRect, bytes_per_pixel: u64) -> Result<usize, Fault> {
    let cap = MAX_WHOLE_BYTES * bytes_per_pixel;
    product_within(&[rect.num_pixels(), bytes_per_pixel], cap, "A window").map(|len| len as usize)
}

/// Columns and rows of the chunks that `rect` touches.
pub(super) fn chunks_of(page: &Page, rect: PixelRect) -> impl Iterator<Item = (u32, u32)> + use<> {
    let chunk = page.grid.chunk;
    let is_empty = rect.is_empty();
    let cols = rect.x / chunk.width..rect.right().div_ceil(chunk.width);
    let rows = rect.y / chunk.height..rect.bottom().div_ceil(chunk.height);
    let all = rows.flat_map(move |row| cols.clone().map(move |col| (col, row)));
    all.filter(move |_| !is_empty)
}

/// Calls `visit(first pixel in the chunk, first pixel in the window, pixels)` for each row of
/// what chunk (col, row) and `rect` share.
pub(super) fn for_each_run(
    page: &Page,
    (col, row): (u32, u32),
    rect: PixelRect,
    mut visit: impl FnMut(usize, usize, usize),
) {
    let chunk = page.grid.chunk;
    let (left, top) = (col * chunk.width, row * chunk.height);
    let shared = PixelRect::new(left, top, chunk.width, chunk.height).intersect(rect);
    for y in shared.y..shared.bottom() {
        let in_chunk = (y - top) as usize * chunk.width as usize + (shared.x - left) as usize;
        let in_rect = (y - rect.y) as usize * rect.width as usize + (shared.x - rect.x) as usize;
        visit(in_chunk, in_rect, shared.width as usize);
    }
}

impl TileSource for TiffSource {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.rgba(stored, rect)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.band((0, PageKind::Image), rect)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn data_bands(&self) -> Vec<u16> {
        let page = self.base_page();
        let alpha = page.alpha.map(|alpha| alpha.band);
        (0..page.bands)
            .filter(|&band| Some(band) != alpha)
            .collect()
    }

    fn color_bands(&self) -> Vec<u16> {
        self.base_page().color_bands().to_vec()
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        self.band_samples(rect, bands)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, ReadError> {
        self.values(rect, band)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn is_unwritten(&self, rect: PixelRect) -> bool {
        self.has_nothing(rect)
    }

    fn tile_format(&self) -> TileFormat {
        self.format_of_tiles()
    }

    fn tile_bands(&self) -> Vec<u16> {
        self.bands_of_tiles()
    }

    fn tile_samples(&self, bands: &[u16]) -> Result<TileSamples, ReadError> {
        self.samples_of_tiles(bands)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_tile(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<Vec<u8>, ReadError> {
        self.tile(stored, rect, bands)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        let is_wide = self.info.sample == SampleType::U16;
        let read = is_wide.then(|| self.wide_band(rect)).transpose();
        read.map_err(|fault| fault.on_read(&self.path))
    }

    fn is_sequential(&self) -> bool {
        self.base_page().grid.is_stream()
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        let level = self.levels.get(stored).unwrap_or(&self.levels[0]);
        level.image.page.grid.chunk
    }
}
