use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::area::Piece;
use super::boxes::Container;
use super::codestream::Codestream;
use super::decode::{Block, Wanted, decode, sample_type};
use super::gml::georef_of_gml;
use super::paint::Look;
use super::parts::{TileParts, find_parts};
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::beside::{System, placed};
use crate::raster::cache::ByteLru;
use crate::raster::error::{Fault, OpenError, ReadError};
use crate::raster::limits::{MAX_WHOLE_BYTES, product_within, zeroed};
use crate::raster::read_at::ReadAt;
use crate::raster::source::{BandSamples, Layout, RasterInfo, SampleType, TileSamples, TileSource};
use crate::raster::stretch::{Samples, Spread, Stretch, probes};
use crate::raster::tiff::georef_of_tags;
use crate::raster::tile::TileFormat;
use crate::raster::turned::Orientation;

/// Decoded blocks that are kept, so that neighbouring windows do not decode them again.
const BLOCK_CACHE_BYTES: usize = 96 << 20;
/// A tile is decoded whole up to so many bytes, of which the library takes four a sample.
const MOST_TILE_BYTES: u64 = 64 << 20;
/// What the blocks of a larger tile may take.
const MOST_BLOCK_BYTES: u64 = 16 << 20;
/// Each block of a tile of more packed bytes costs looking through all of them, so that blocks are
/// larger.
const HEAVY_TILE_BYTES: u64 = 32 << 20;
/// Blocks that may be decoded at once by those that wait for each other.
const TURNS: usize = 16;
/// Levels of fewer pixels along both sides are of no use to anybody.
const LEAST_SIDE: u32 = 16;

/// A JPEG 2000 file: the resolutions of its codestream are the stored levels.
pub struct Jp2Source {
    path: PathBuf,
    bytes: Box<dyn ReadAt>,
    info: RasterInfo,
    codestream: Codestream,
    pub(super) look: Look,
    /// Bits of the widest band.
    bits: u8,
    /// Found at the first read: a file has one for each tile, all over it.
    parts: OnceLock<Vec<TileParts>>,
    blocks: Mutex<ByteLru<BlockKey, Arc<Block>>>,
    turns: [Mutex<()>; TURNS],
    stretch: OnceLock<Stretch>,
}

/// A block of this file: how often it is halved, and its pieces of columns and rows.
type BlockKey = (u8, Piece, Piece);

impl Jp2Source {
    /// Reads the boxes and the main header of the file at `path`.
    pub fn open(bytes: Box<dyn ReadAt>, path: &Path) -> Result<Self, OpenError> {
        Self::read(bytes, path).map_err(|fault| fault.on_open(path))
    }

    pub(super) fn read(bytes: Box<dyn ReadAt>, path: &Path) -> Result<Self, Fault> {
        let container = Container::read(&*bytes)?;
        let span = container
            .codestream
            .ok_or_else(|| Fault::damaged("it has no codestream"))?;
        let codestream = Codestream::read(&*bytes, span)?;
        let sample = sample_type(&codestream.components)
            .ok_or_else(|| Fault::unsupported("JPEG 2000 with and without signs"))?;
        let look = Look::new(&container, &codestream.components, sample);
        let bits = codestream.components.iter().map(|component| component.bits);
        let bits = bits.max().unwrap_or(8);
        let mut source = Self {
            path: path.to_owned(),
            info: info(&codestream, sample, &look, georef(&container, path)),
            bytes,
            codestream,
            look,
            bits,
            parts: OnceLock::new(),
            blocks: Mutex::new(ByteLru::new(BLOCK_CACHE_BYTES)),
            turns: Default::default(),
            stretch: OnceLock::new(),
        };
        let block = source.block_size(0);
        let is_one =
            block.width >= source.info.size.width && block.height >= source.info.size.height;
        if !is_one {
            source.info.layout = Layout::Tiles {
                width: block.width,
                height: block.height,
            };
        }
        Ok(source)
    }

    fn parts(&self) -> Result<&[TileParts], Fault> {
        if let Some(parts) = self.parts.get() {
            return Ok(parts);
        }
        let parts = find_parts(&*self.bytes, &self.codestream)?;
        Ok(self.parts.get_or_init(|| parts))
    }

    /// Sides of a block of the level that is halved `reduce` times: a whole tile where that is not
    /// too large, else a square.
    fn block_sides(&self, reduce: u8) -> [u32; 2] {
        let tile = self.codestream.axes.map(|axis| axis.tile_len(reduce));
        let sample_bytes = self.codestream.components.len() as u64 * 4;
        let tile_bytes = u64::from(tile[0]) * u64::from(tile[1]) * sample_bytes;
        if tile_bytes <= MOST_TILE_BYTES {
            return tile;
        }
        let packed = self.codestream.parts.end - self.codestream.parts.start;
        let is_heavy = packed / u64::from(self.codestream.tiles()) > HEAVY_TILE_BYTES;
        let (mut side, budget) = if is_heavy {
            (2_048, MOST_TILE_BYTES)
        } else {
            (1_024, MOST_BLOCK_BYTES)
        };
        while side > 32 && u64::from(side) * u64::from(side) * sample_bytes > budget {
            side /= 2;
        }
        tile.map(|len| len.min(side))
    }

    /// One decoded block, out of the small cache where it is there.
    fn block(&self, key: BlockKey) -> Result<Arc<Block>, Fault> {
        if let Some(block) = self.cached(key) {
            return Ok(block);
        }
        let (reduce, across, down) = key;
        let tile = down.tile * self.codestream.axes[0].tiles() + across.tile;
        let parts = self.parts()?;
        let parts = parts.get(tile as usize).ok_or(Fault::Outside)?;
        let turn = if parts.bytes() > HEAVY_TILE_BYTES {
            0
        } else {
            // Neighbours decode at once; who wants the same block waits for it.
            (across.start / 32 + down.start / 32 * 3) as usize % TURNS
        };
        let _turn = self.turns[turn]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = self.cached(key) {
            return Ok(block);
        }
        let stream = parts.read(&*self.bytes, &self.codestream, (across.tile, down.tile))?;
        let [columns, rows] = self.codestream.axes;
        let wanted = Wanted {
            reduce,
            columns: columns.area(reduce, across),
            rows: rows.area(reduce, down),
            size: ImageSize::new(across.len, down.len),
        };
        let components = self.codestream.components.len();
        let decoded = decode(&stream, wanted, components, self.info.sample);
        let mut block = decoded.map_err(|fault| {
            let (column, row) = (across.tile + 1, down.tile + 1);
            fault.within(format_args!("tile in column {column}, row {row}"))
        })?;
        self.look.widen_alpha(&mut block);
        let block = Arc::new(block);
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.put(key, Arc::clone(&block), block.bytes());
        Ok(block)
    }

    fn cached(&self, key: BlockKey) -> Option<Arc<Block>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.get(&key)
    }

    /// Visits all runs of pixels of `rect` of a level: the block, the run's first pixel there and in
    /// the rectangle, and its length.
    pub(super) fn for_each_run(
        &self,
        stored: usize,
        rect: PixelRect,
        mut visit: impl FnMut(&Block, usize, usize, usize),
    ) -> Result<(), Fault> {
        let size = *self.info.level_sizes.get(stored).ok_or(Fault::Outside)?;
        let right = u64::from(rect.x) + u64::from(rect.width);
        let bottom = u64::from(rect.y) + u64::from(rect.height);
        if right > u64::from(size.width) || bottom > u64::from(size.height) {
            return Err(Fault::Outside);
        }
        let reduce = stored as u8;
        let [side_x, side_y] = self.block_sides(reduce);
        let [columns, rows] = self.codestream.axes;
        let columns = columns.pieces(reduce, side_x, (rect.x, rect.right()));
        for down in rows.pieces(reduce, side_y, (rect.y, rect.bottom())) {
            let blocks = columns
                .par_iter()
                .map(|&across| self.block((reduce, across, down)));
            let blocks: Vec<_> = blocks.collect::<Result<_, _>>()?;
            for (block, across) in blocks.iter().zip(&columns) {
                let all = PixelRect::new(across.start, down.start, across.len, down.len);
                let shared = all.intersect(rect);
                for y in shared.y..shared.bottom() {
                    let row = (y - down.start) as usize * across.len as usize;
                    let pixel = row + (shared.x - across.start) as usize;
                    let row = (y - rect.y) as usize * rect.width as usize;
                    let place = row + (shared.x - rect.x) as usize;
                    visit(block, pixel, place, shared.width as usize);
                }
            }
        }
        Ok(())
    }

    pub(super) fn rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let stretch = self.stretch()?;
        let mut out = zeroed(buffer_len(rect, 4)?)?;
        self.for_each_run(stored, rect, |block, pixel, place, count| {
            let out = &mut out[place * 4..][..count * 4];
            self.look.paint(block, pixel, stretch, out);
        })?;
        Ok(out)
    }

    /// Numbers of a band of the image, made from its samples.
    fn band<T: Copy + Default>(
        &self,
        rect: PixelRect,
        band: u16,
        number: impl Fn(f64) -> T,
    ) -> Result<Vec<T>, Fault> {
        if band >= self.info.bands {
            return Err(Fault::Outside);
        }
        let mut out = vec![T::default(); buffer_len(rect, 1)?];
        self.for_each_run(0, rect, |block, pixel, place, count| {
            let samples = self.look.samples(block, band, pixel, count);
            samples.each_with(&mut out[place..], |out, value| *out = number(value));
        })?;
        Ok(out)
    }

    fn index(&self, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        if !self.info.sample.is_index() {
            return Err(Fault::NoIndices(self.info.sample.name()));
        }
        self.band(rect, 0, |value| value as u8)
    }

    fn wide(&self, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let numbers = self.band(rect, 0, |value| (value as u16).to_be_bytes())?;
        Ok(numbers.into_flattened())
    }

    /// The range of values that is shown; wide samples are looked at in a few blocks, once.
    pub(super) fn stretch(&self) -> Result<Stretch, Fault> {
        match self.info.sample {
            SampleType::U8 => return Ok(Stretch::of_bits(u32::from(self.bits))),
            SampleType::I8 => {
                let (low, high) = (-128.0, 127.0);
                return Ok(Stretch { low, high });
            }
            _ => {}
        }
        if let Some(&stretch) = self.stretch.get() {
            return Ok(stretch);
        }
        let stretch = self.probe_stretch()?;
        Ok(*self.stretch.get_or_init(|| stretch))
    }

    fn probe_stretch(&self) -> Result<Stretch, Fault> {
        let reduce = (self.info.level_sizes.len() - 1) as u8;
        let size = self.codestream.size(reduce);
        let [side_x, side_y] = self.block_sides(reduce);
        let [columns, rows] = self.codestream.axes;
        let columns = columns.pieces(reduce, side_x, (0, size.width));
        let rows = rows.pieces(reduce, side_y, (0, size.height));
        let mut spread = Spread::NONE;
        for row in probes(rows.len() as u32) {
            for column in probes(columns.len() as u32) {
                let (across, down) = (columns[column as usize], rows[row as usize]);
                let block = self.block((reduce, across, down))?;
                let pixels = across.len as usize * down.len as usize;
                for &band in &self.look.color_bands {
                    let samples: Samples<'_> = self.look.samples(&block, band, 0, pixels);
                    spread.look_at(samples, None);
                }
            }
        }
        Ok(spread.stretch())
    }
}

/// Bytes of `rect`, within what a whole image may take.
pub(super) fn buffer_len(rect: PixelRect, bytes_per_pixel: u64) -> Result<usize, Fault> {
    let cap = MAX_WHOLE_BYTES * bytes_per_pixel;
    product_within(&[rect.num_pixels(), bytes_per_pixel], cap, "A window").map(|len| len as usize)
}

/// The place on the map: in a GeoTIFF within, in GML, or beside the file.
fn georef(container: &Container, path: &Path) -> Option<Georef> {
    let geotiff = container.geotiff.as_ref();
    if let Some(georef) = geotiff.and_then(|geotiff| georef_of_tags(geotiff, path)) {
        return Some(georef);
    }
    let gml = container.gml.as_deref();
    placed(path, gml.and_then(georef_of_gml), System::default())
}

fn info(
    codestream: &Codestream,
    sample: SampleType,
    look: &Look,
    georef: Option<Georef>,
) -> RasterInfo {
    let size = codestream.size(0);
    let sizes = (0..=codestream.levels()).map(|reduce| codestream.size(reduce));
    let is_useful = |size: &ImageSize| {
        !size.bounds().is_empty() && (size.width >= LEAST_SIDE || size.height >= LEAST_SIDE)
    };
    let mut level_sizes: Vec<ImageSize> = sizes.skip(1).take_while(is_useful).collect();
    level_sizes.insert(0, size);
    let is_reversible = codestream.codings.iter().all(|coding| coding.is_reversible);
    let compression = if is_reversible {
        "reversible wavelet"
    } else {
        "irreversible wavelet"
    };
    RasterInfo {
        size,
        bands: codestream.components.len() as u16,
        sample,
        compression: compression.to_owned(),
        layout: Layout::Whole,
        level_sizes,
        georef,
        nodata: None,
        palette: look.palette().cloned(),
        has_alpha: look.alpha.is_some(),
        orientation: Orientation::default(),
        format: "JPEG 2000",
    }
}

impl TileSource for Jp2Source {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn data_bands(&self) -> Vec<u16> {
        let alpha = self.look.alpha.map(|alpha| alpha.band);
        let bands = 0..self.info.bands;
        bands.filter(|&band| Some(band) != alpha).collect()
    }

    fn color_bands(&self) -> Vec<u16> {
        self.look.color_bands.clone()
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        let read = self.level_samples(0, rect, bands);
        read.map(|(samples, _)| samples)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, ReadError> {
        self.band(rect, band, |value| value)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.rgba(stored, rect)
            .map_err(|fault| fault.on_read(&self.path))
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

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.index(rect).map_err(|fault| fault.on_read(&self.path))
    }

    fn read_wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        let is_wide = self.info.sample == SampleType::U16;
        let read = is_wide.then(|| self.wide(rect)).transpose();
        read.map_err(|fault| fault.on_read(&self.path))
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        let [width, height] = self.block_sides(stored as u8);
        ImageSize::new(width, height)
    }
}
