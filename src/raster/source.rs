use std::fmt;

use super::error::ReadError;
use super::tile::TileFormat;
use super::turned::Orientation;
use crate::geom::{Georef, ImageSize, PixelRect};

/// How one sample of one band is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleType {
    /// One bit.
    U1,
    /// Two bits.
    U2,
    /// Four bits.
    U4,
    /// One byte.
    U8,
    /// One byte with a sign.
    I8,
    /// Two bytes.
    U16,
    /// Two bytes with a sign.
    I16,
    /// Four bytes.
    U32,
    /// Four bytes with a sign.
    I32,
    /// Eight bytes.
    U64,
    /// Eight bytes with a sign.
    I64,
    /// Floating point in two bytes.
    F16,
    /// Floating point in four bytes.
    F32,
    /// Floating point in eight bytes.
    F64,
}

impl SampleType {
    /// The name that other programs use, for example `uint8`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U1 => "uint1",
            Self::U2 => "uint2",
            Self::U4 => "uint4",
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Bits of one sample.
    pub const fn bits(self) -> u16 {
        match self {
            Self::U1 => 1,
            Self::U2 => 2,
            Self::U4 => 4,
            Self::U8 | Self::I8 => 8,
            Self::U16 | Self::I16 | Self::F16 => 16,
            Self::U32 | Self::I32 | Self::F32 => 32,
            Self::U64 | Self::I64 | Self::F64 => 64,
        }
    }

    /// The whole numbers that a sample can hold; `None` for floating point.
    pub fn range(self) -> Option<std::ops::RangeInclusive<f64>> {
        let bits = i32::from(self.bits());
        match self {
            Self::F16 | Self::F32 | Self::F64 => None,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => {
                let half = 2.0_f64.powi(bits - 1);
                Some(-half..=half - 1.0)
            }
            _ => Some(0.0..=2.0_f64.powi(bits) - 1.0),
        }
    }

    /// Whether a sample is an unsigned number of at most 8 bits.
    pub const fn is_index(self) -> bool {
        matches!(self, Self::U1 | Self::U2 | Self::U4 | Self::U8)
    }
}

impl fmt::Display for SampleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the pixels of a file are cut into pieces that decode alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Rectangles of equal size.
    Tiles {
        /// Columns of a tile.
        width: u32,
        /// Rows of a tile.
        height: u32,
    },
    /// Groups of whole rows.
    Strips {
        /// Rows of a strip; the last one may have fewer.
        rows: u32,
    },
    /// One piece: nothing can be read without decoding everything.
    Whole,
}

/// What the header of a raster says.
#[derive(Clone, Debug, PartialEq)]
pub struct RasterInfo {
    /// Extent of the image (level 0).
    pub size: ImageSize,
    /// Number of bands, alpha included.
    pub bands: u16,
    /// Type of the samples; the same for all bands.
    pub sample: SampleType,
    /// Name of the codec, for example `Deflate`.
    pub compression: String,
    /// How level 0 is cut.
    pub layout: Layout,
    /// Extents of the stored levels, falling; the first is the image itself.
    pub level_sizes: Vec<ImageSize>,
    /// Where the image lies on the map, when the file or the world file beside it says so.
    pub georef: Option<Georef>,
    /// The sample value that means "no data".
    pub nodata: Option<f64>,
    /// Color of each index, when band 0 holds indices.
    pub palette: Option<Vec<[u8; 3]>>,
    /// Whether a band or a mask of the file says which pixels are transparent.
    pub has_alpha: bool,
    /// How the file has to be turned to be seen upright.
    pub orientation: Orientation,
    /// `GeoTIFF`, `TIFF`, `BigTIFF`, `PNG`, `JPEG`, `WebP`, `VRT`, or `XYZ` and `TMS` for folders of
    /// tiles.
    pub format: &'static str,
}

/// Samples of some bands of a rectangle.
#[derive(Clone, Debug, PartialEq)]
pub struct BandSamples {
    /// For each band asked for its values as they are stored, row by row.
    pub planes: Vec<Vec<f32>>,
    /// Which pixels have data, row by row: not those that alpha or a mask hides, whose bands all
    /// hold the nodata value, or of which one is no number.
    pub has_data: Vec<bool>,
}

/// What the tiles of a source hold.
#[derive(Clone, Debug, PartialEq)]
pub struct TileSamples {
    /// The bands, from 0, in the order of the layers.
    pub bands: Vec<u16>,
    /// How their numbers lie in memory.
    pub format: TileFormat,
    /// The sample values that the numbers 0 and 1 (of bytes: 0 and 255) stand for.
    pub scale: [f64; 2],
    /// The sample values that are shown as black and white where nobody chooses others; `None`
    /// where that depends on the values.
    pub usual: Option<[f64; 2]>,
    /// Whether small values are bright.
    pub is_inverted: bool,
}

impl TileSamples {
    /// The sample value of a number of a tile, as [`TileFormat::widened`] gives it.
    pub(super) fn value(&self, number: f32) -> f64 {
        let share = f64::from(number / self.format.opaque());
        self.scale[0] + share * (self.scale[1] - self.scale[0])
    }

    /// The share (0 to 1 between the ends of the scale) of a sample value.
    pub(super) fn share(&self, value: f64) -> f64 {
        let range = self.scale[1] - self.scale[0];
        if range == 0.0 {
            0.0
        } else {
            (value - self.scale[0]) / range
        }
    }
}

/// Reads pixels at any place of any stored level, from any thread.
pub trait TileSource: Send + Sync {
    /// What the header says.
    fn info(&self) -> &RasterInfo;

    /// The bands that hold data, from 0, in the file's order: all but that of opacity.
    fn data_bands(&self) -> Vec<u16> {
        let info = self.info();
        (0..(info.bands - u16::from(info.has_alpha)).max(1)).collect()
    }

    /// The bands that make the picture, from 0: three, or one of grey or a palette.
    fn color_bands(&self) -> Vec<u16> {
        match &self.data_bands()[..] {
            [red, green, blue, ..] => vec![*red, *green, *blue],
            bands => vec![bands.first().copied().unwrap_or(0)],
        }
    }

    /// Samples of `bands` (from 0, in any order) of `rect` of level 0 as they are stored, neither
    /// stretched nor inverted. A source that knows only what is shown gives that.
    ///
    /// # Errors
    /// [`ReadError`] when a chunk does not decode, `rect` is not inside the image, or there is no
    /// such band.
    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        let rgba = self.read_rgba(0, rect)?;
        let pixels = rgba.as_chunks::<4>().0;
        let plane = |&band: &u16| {
            let slot = usize::from(band).min(2);
            pixels.iter().map(|pixel| f32::from(pixel[slot])).collect()
        };
        Ok(BandSamples {
            planes: bands.iter().map(plane).collect(),
            has_data: pixels.iter().map(|pixel| pixel[3] > 0).collect(),
        })
    }

    /// The samples of `band` (from 0) of `rect` of level 0 as they are stored, row by row. Numbers of
    /// 64 bits come as the nearest double.
    ///
    /// # Errors
    /// As [`TileSource::read_bands`].
    fn read_values(&self, rect: PixelRect, band: u16) -> Result<Vec<f64>, ReadError> {
        let samples = self.read_bands(rect, &[band])?;
        let plane = samples.planes.into_iter().next().unwrap_or_default();
        Ok(plane.into_iter().map(f64::from).collect())
    }

    /// RGBA8 of `rect` (pixels of stored level `stored`), row by row.
    ///
    /// Nodata has alpha 0. Palette images come as their colors, grey as r = g = b; samples wider
    /// than 8 bits are stretched between the least and the greatest value of a few chunks.
    ///
    /// # Errors
    /// [`ReadError`] when a chunk does not decode or `rect` is not inside the level.
    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError>;

    /// How [`TileSource::read_tile`] gives pixels, whichever bands it is asked for.
    fn tile_format(&self) -> TileFormat {
        TileFormat::PICTURE
    }

    /// The bands that can be shown, from 0: all that hold data, or those of a picture in the order of
    /// its colors; none where colors are those of a table.
    fn tile_bands(&self) -> Vec<u16> {
        match self.info().palette {
            Some(_) => Vec::new(),
            None => self.color_bands(),
        }
    }

    /// What these pixels stand for where they hold `bands`: of [`TileSource::tile_bands`] as many as
    /// tiles hold.
    ///
    /// # Errors
    /// [`ReadError`] when the range of the samples cannot be told, because a chunk does not decode.
    fn tile_samples(&self, bands: &[u16]) -> Result<TileSamples, ReadError> {
        let range = self.info().sample.range().unwrap_or(0.0..=255.0);
        let scale = [*range.start(), *range.end()];
        Ok(TileSamples {
            bands: bands.to_vec(),
            format: TileFormat::PICTURE,
            scale,
            usual: Some(scale),
            is_inverted: false,
        })
    }

    /// Whether nothing within `rect` (level 0) was ever written, so that all its pixels are the same.
    fn is_unwritten(&self, _rect: PixelRect) -> bool {
        false
    }

    /// `bands` (of [`TileSource::tile_bands`] as many as tiles hold) of `rect` (pixels of stored level
    /// `stored`), in the layers of [`TileSource::tile_format`].
    ///
    /// # Errors
    /// As [`TileSource::read_rgba`].
    fn read_tile(
        &self,
        stored: usize,
        rect: PixelRect,
        _bands: &[u16],
    ) -> Result<Vec<u8>, ReadError> {
        self.read_rgba(stored, rect)
    }

    /// Band 0 of level 0 as it is stored (palette index, class index), one byte a pixel.
    ///
    /// # Errors
    /// [`ReadError`] when a sample has more than 8 bits, a chunk does not decode or `rect` is not
    /// inside the image.
    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError>;

    /// Band 0 of level 0 as it is stored, two bytes a pixel, high byte first; `None` where samples
    /// are no whole numbers of 16 bits without a sign, or the format gives only what is shown.
    ///
    /// # Errors
    /// [`ReadError`] when a chunk does not decode or `rect` is not inside the image.
    fn read_wide(&self, _rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(None)
    }

    /// Whether ground can only be reached through all that lies above it, so that nothing is read
    /// here and there.
    fn is_sequential(&self) -> bool {
        false
    }

    /// Extent of the blocks that decode as one unit at stored level `stored`; blocks at the right
    /// and bottom edges may be cut.
    fn block_size(&self, stored: usize) -> ImageSize;
}
