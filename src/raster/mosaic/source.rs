use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::direct::Direct;
use super::nesting::{PartFiles, Reading};
use super::place::Layer;
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::error::{Fault, ReadError};
use crate::raster::layers::{format_of, found_scale, packed, scale_of};
use crate::raster::source::{BandSamples, Layout, RasterInfo, SampleType, TileSamples, TileSource};
use crate::raster::stretch::Stretch;
use crate::raster::tiff::TiffSource;
use crate::raster::tile::TileFormat;
use crate::raster::turned::Orientation;

/// Side of the blocks in which a mosaic is read where its files have no blocks in common.
const BLOCK: u32 = 512;

/// The name of mosaics as a format.
pub(super) const FORMAT: &str = "VRT";

/// Images laid out on one grid of pixels, which are opened when somebody reads them.
///
/// Later ones lie over earlier ones. What a file hides (opacity, masks, nodata) lets what is below
/// shine through where the mosaic says so; ground without any file is transparent.
pub(in crate::raster) struct Mosaic {
    pub(super) path: PathBuf,
    pub(super) info: RasterInfo,
    pub(super) bands: Vec<Layer>,
    pub(super) mask: Option<Layer>,
    /// The band of opacity.
    pub(super) alpha: Option<u16>,
    /// The bands that make the picture.
    pub(super) colors: Vec<u16>,
    pub(super) files: PartFiles,
    /// How pictures of files become the picture of the mosaic, where they do.
    pub(super) direct: Option<Direct>,
    /// Where each of the stored levels comes from.
    pub(super) levels: Vec<StoredLevel>,
    /// A file of overviews.
    pub(super) kept: Option<TiffSource>,
    /// The range of values that is shown, for the whole mosaic.
    pub(super) stretch: OnceLock<Stretch>,
    block: ImageSize,
}

/// Where a level of a mosaic comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredLevel {
    /// From its files, after so many halvings.
    Files(u8),
    /// From this level of the file of overviews.
    Kept(usize),
}

/// Extent and place of a mosaic.
pub(super) struct Head {
    pub(super) size: ImageSize,
    pub(super) georef: Option<Georef>,
}

/// What a band stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Red, green or blue, from 0.
    Color(u8),
    Opacity,
    /// An entry of the palette.
    Index,
    Number,
}

/// The bands of a mosaic and what lies in them.
pub(super) struct Layers {
    pub(super) sample: SampleType,
    pub(super) bands: Vec<Layer>,
    pub(super) mask: Option<Layer>,
    /// Of each band.
    pub(super) meanings: Vec<Meaning>,
    pub(super) palette: Option<Vec<[u8; 3]>>,
}

impl Layers {
    fn alpha(&self) -> Option<u16> {
        let is_opacity = |&meaning: &Meaning| meaning == Meaning::Opacity;
        let found = self.meanings.iter().position(is_opacity)?;
        (self.meanings.len() > 1).then_some(found as u16)
    }

    fn colors(&self) -> Vec<u16> {
        let band_of = |color| {
            let found = self.meanings.iter().position(|&meaning| meaning == color);
            found.map(|band| band as u16)
        };
        let named = [0, 1, 2].map(|color| band_of(Meaning::Color(color)));
        if let [Some(red), Some(green), Some(blue)] = named {
            return vec![red, green, blue];
        }
        let alpha = self.alpha();
        let data = (0..self.meanings.len() as u16).filter(|&band| Some(band) != alpha);
        let data: Vec<u16> = data.take(3).collect();
        match data[..] {
            [_, _, _] if self.meanings[0] != Meaning::Index => data,
            _ => data.into_iter().take(1).collect(),
        }
    }
}

impl Mosaic {
    /// A mosaic at `path`. Looks into a few of its files for smaller copies of them.
    pub(super) fn new(
        path: &Path,
        head: Head,
        layers: Layers,
        files: PartFiles,
    ) -> Result<Self, Fault> {
        let (alpha, colors) = (layers.alpha(), layers.colors());
        let nodata = layers.bands.first().and_then(|band| band.nodata);
        let info = RasterInfo {
            size: head.size,
            bands: layers.bands.len() as u16,
            sample: layers.sample,
            compression: "VRT".to_owned(),
            layout: Layout::Tiles {
                width: BLOCK,
                height: BLOCK,
            },
            level_sizes: vec![head.size],
            georef: head.georef,
            nodata,
            palette: layers.palette.filter(|_| colors.len() == 1),
            has_alpha: alpha.is_some() || layers.mask.is_some(),
            orientation: Orientation::default(),
            format: FORMAT,
        };
        let mut mosaic = Self {
            path: path.to_owned(),
            info,
            bands: layers.bands,
            mask: layers.mask,
            alpha,
            colors,
            files,
            direct: None,
            levels: vec![StoredLevel::Files(0)],
            kept: None,
            stretch: OnceLock::new(),
            block: ImageSize::new(BLOCK, BLOCK),
        };
        mosaic.direct = Direct::of(&mosaic);
        if let Some(direct) = &mosaic.direct {
            let halvings = direct.halvings.iter();
            let sizes = halvings.clone().map(|&level| head.size.at_level(level));
            mosaic.info.level_sizes = sizes.collect();
            mosaic.levels = halvings.map(|&level| StoredLevel::Files(level)).collect();
        }
        Ok(mosaic)
    }

    /// Read in blocks of `block` where each is a block of a file.
    pub(super) fn cut_like(mut self, block: Option<ImageSize>) -> Self {
        // Blocks across all columns would be read row by row, also where nothing lies.
        let is_handy = |block: &ImageSize| {
            (128..=2_048).contains(&block.width)
                && (128..=2_048).contains(&block.height)
                && block.width < self.info.size.width.max(BLOCK + 1)
        };
        let Some(block) = block.filter(is_handy) else {
            return self;
        };
        let is_aligned = self.bands[0].placements.iter().all(|placement| {
            let from = placement.from.map_or([0.0; 2], |from| [from.x, from.y]);
            placement.is_exact()
                && placement.covers.x.is_multiple_of(block.width)
                && placement.covers.y.is_multiple_of(block.height)
                && from[0] % f64::from(block.width) == 0.0
                && from[1] % f64::from(block.height) == 0.0
        });
        if is_aligned {
            self.block = block;
            self.info.layout = Layout::Tiles {
                width: block.width,
                height: block.height,
            };
        }
        self
    }

    /// Begins a read of so many bands of what must be inside of stored level `stored`.
    fn begin(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: usize,
    ) -> Result<Option<Reading>, ReadError> {
        let size = self.info.level_sizes.get(stored).copied();
        let end = |from: u32, len: u32| u64::from(from) + u64::from(len);
        let is_inside = size.is_some_and(|size| {
            end(rect.x, rect.width) <= u64::from(size.width)
                && end(rect.y, rect.height) <= u64::from(size.height)
        });
        let level = self.levels.get(stored).filter(|_| is_inside);
        let halvings = match level.ok_or_else(|| Fault::Outside.on_read(&self.path))? {
            StoredLevel::Files(halvings) => *halvings,
            StoredLevel::Kept(_) => 0,
        };
        let pixels = rect.num_pixels().saturating_mul(1 << (2 * halvings));
        Ok(self.files.begin_read(pixels, bands))
    }

    /// How many bands say what is hidden.
    fn num_hiding(&self) -> usize {
        usize::from(self.alpha.is_some()) + usize::from(self.mask.is_some())
    }

    /// Whether tiles are pictures: of three bytes or less, of a table of colors, and where smaller
    /// levels are stored.
    pub(super) fn has_pictures(&self) -> bool {
        let has_all = self.data_bands().len() == self.colors.len();
        let has_levels = (self.direct.as_ref()).is_some_and(|direct| direct.halvings.len() > 1);
        has_levels || self.info.palette.is_some() || (self.info.sample.is_index() && has_all)
    }

    fn band(&self, band: u16) -> Result<&Layer, ReadError> {
        let layer = self.bands.get(usize::from(band));
        layer.ok_or_else(|| Fault::Outside.on_read(&self.path))
    }

    /// Values of a band as what `number` makes of each.
    fn mapped<T>(
        &self,
        rect: PixelRect,
        band: u16,
        number: impl Fn(f64) -> T,
    ) -> Result<Vec<T>, ReadError> {
        let _reading = self.begin(0, rect, 1)?;
        let plane = self.plane(self.band(band)?, rect, None)?;
        Ok(plane.values.into_iter().map(number).collect())
    }
}

impl TileSource for Mosaic {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn data_bands(&self) -> Vec<u16> {
        let bands = 0..self.info.bands;
        bands.filter(|&band| Some(band) != self.alpha).collect()
    }

    fn color_bands(&self) -> Vec<u16> {
        self.colors.clone()
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        let _reading = self.begin(0, rect, bands.len() + self.num_hiding())?;
        for &band in bands {
            self.band(band)?;
        }
        let gathered = self.gather(rect, bands, None)?;
        let has_data = self.has_data(&gathered, bands);
        let planes = gathered.planes.into_iter();
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        Ok(BandSamples {
            planes: planes.map(|plane| narrow(plane.values)).collect(),
            has_data,
        })
    }

    fn read_values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, ReadError> {
        self.mapped(rect, band, |value| value)
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let _reading = self.begin(stored, rect, self.colors.len() + self.num_hiding())?;
        match (self.levels[stored], &self.direct) {
            (StoredLevel::Files(level), Some(direct)) => self.direct_rgba(direct, level, rect),
            (StoredLevel::Files(_), None) => self.painted(rect, None),
            (StoredLevel::Kept(level), _) => self.kept_source()?.read_rgba(level, rect),
        }
    }

    fn tile_format(&self) -> TileFormat {
        if self.has_pictures() {
            return TileFormat::PICTURE;
        }
        format_of(self.info.sample, self.data_bands().len())
    }

    fn tile_bands(&self) -> Vec<u16> {
        match (&self.info.palette, self.has_pictures()) {
            (Some(_), _) => Vec::new(),
            (None, true) => self.colors.clone(),
            (None, false) => self.data_bands(),
        }
    }

    fn tile_samples(&self, bands: &[u16]) -> Result<TileSamples, ReadError> {
        let sample = self.info.sample;
        let range = sample.range().map(|range| [*range.start(), *range.end()]);
        let own = range.filter(|_| sample.is_index());
        let known = scale_of(sample).filter(|_| !self.has_pictures());
        let scale = known.or(own).unwrap_or_else(|| {
            let found = self.stretch();
            found_scale([found.low, found.high])
        });
        Ok(TileSamples {
            bands: bands.to_vec(),
            format: self.tile_format(),
            scale,
            usual: own.or(self.has_pictures().then_some(scale)),
            is_inverted: false,
        })
    }

    fn is_unwritten(&self, rect: PixelRect) -> bool {
        let mut layers = self.bands.iter().chain(&self.mask);
        layers.all(|layer| layer.is_free(rect))
    }

    fn read_tile(
        &self,
        stored: usize,
        rect: PixelRect,
        bands: &[u16],
    ) -> Result<Vec<u8>, ReadError> {
        if self.has_pictures() {
            return self.read_rgba(stored, rect);
        }
        let _reading = self.begin(stored, rect, bands.len())?;
        if let StoredLevel::Kept(level) = self.levels[stored] {
            return self.kept_source()?.read_tile(level, rect, bands);
        }
        let samples = self.tile_samples(bands)?;
        let read = self.read_bands(rect, bands)?;
        let opacity = read.has_data.iter();
        let opacity: Vec<f32> = opacity
            .map(|&has_data| f32::from(u8::from(has_data)))
            .collect();
        Ok(packed(&samples, &read, &opacity, rect))
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        if !self.info.sample.is_index() {
            let sample = self.info.sample.name();
            return Err(Fault::NoIndices(sample).on_read(&self.path));
        }
        self.mapped(rect, 0, |value| value as u8)
    }

    fn read_wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        if self.info.sample != SampleType::U16 {
            return Ok(None);
        }
        let pairs = self.mapped(rect, 0, |value| (value as u16).to_be_bytes())?;
        Ok(Some(pairs.into_flattened()))
    }

    fn block_size(&self, _: usize) -> ImageSize {
        self.block
    }
}
