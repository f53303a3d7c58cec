use std::path::Path;

use super::halving::{Halving, Rows};
use super::numbers::Numbers;
use super::{CogOptions, Packing};
use crate::geom::PixelRect;
use crate::raster::error::{OpenError, ReadError};
use crate::raster::open::Opened;
use crate::raster::plain::PlainSource;
use crate::raster::source::{Layout, RasterInfo, SampleType, TileSource};
use crate::raster::tiff::{Photometric, TiffSource};
use crate::raster::writer::Compression;

/// Quality of JPEG where the image is one and nobody says otherwise.
const USUAL_QUALITY: u8 = 89;

/// The image that is written again: a TIFF, whose tiles can be taken over, or another format. Samples
/// are kept; of JPEG, WebP and folders of tiles red, green, blue (and opacity) are read.
pub(super) struct Input(Opened);

/// What a pixel of the written file is.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) sample: SampleType,
    pub(super) bands: usize,
    pub(super) halving: Halving,
    /// The number in a directory, where the codec does not ask for another one.
    pub(super) photometric: u16,
    /// Meaning of the bands behind the colors.
    pub(super) extra: Vec<u16>,
}

impl Shape {
    /// Bytes of a sample; narrow ones are written as bytes.
    pub(super) fn sample_bytes(&self) -> usize {
        usize::from(self.sample.bits().div_ceil(8))
    }

    /// Bytes of a pixel.
    pub(super) fn pixel_bytes(&self) -> usize {
        self.sample_bytes() * self.bands
    }

    /// Number of a sample's format in a directory.
    pub(super) const fn sample_format(&self) -> u16 {
        match self.sample {
            SampleType::I8 | SampleType::I16 | SampleType::I32 | SampleType::I64 => 2,
            SampleType::F16 | SampleType::F32 | SampleType::F64 => 3,
            _ => 1,
        }
    }

    /// Whether neighbours are alike, as those of indices and of floating-point bits are not.
    pub(super) fn is_smooth(&self) -> bool {
        self.sample.range().is_some() && !matches!(self.halving, Halving::Index { .. })
    }
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        Opened::open(path).map(Self)
    }

    pub(super) fn info(&self) -> &RasterInfo {
        match &self.0 {
            Opened::Tiff(source) => source.info(),
            Opened::Jp2(source) => source.info(),
            Opened::Plain(source) => source.info(),
            Opened::Mosaic(source) => source.info(),
            Opened::Tiles(source) => source.info(),
        }
    }

    pub(super) fn tiff(&self) -> Option<&TiffSource> {
        match &self.0 {
            Opened::Tiff(source) => Some(source),
            Opened::Jp2(_) | Opened::Plain(_) | Opened::Mosaic(_) | Opened::Tiles(_) => None,
        }
    }

    /// Whether what is hidden is written as a mask.
    pub(super) fn has_mask(&self) -> bool {
        match &self.0 {
            Opened::Tiff(source) => source.has_mask(),
            Opened::Mosaic(source) => {
                source.hides_by_place() && self.shape().halving != Halving::Opacity
            }
            Opened::Jp2(_) | Opened::Plain(_) | Opened::Tiles(_) => false,
        }
    }

    /// Whether each tile can be read alone.
    pub(super) fn is_tiled(&self) -> bool {
        matches!(self.info().layout, Layout::Tiles { .. })
    }

    pub(super) fn shape(&self) -> Shape {
        match &self.0 {
            Opened::Tiff(source) => shape_of_tiff(source),
            Opened::Jp2(source) => shape_of_source(&**source),
            Opened::Plain(source) => shape_of_file(source),
            Opened::Mosaic(source) => shape_of_source(&**source),
            Opened::Tiles(source) => shape_of_plain(source.info()),
        }
    }

    /// What GDAL wrote into a TIFF about its bands: scale, offset, unit, description.
    pub(super) fn notes(&self) -> Option<String> {
        self.tiff().and_then(TiffSource::notes)
    }

    /// The codec that the options ask for; where that of the source cannot hold the samples, Deflate.
    ///
    /// # Errors
    /// What of the options cannot be, and what to ask for instead.
    pub(super) fn compression(
        &self,
        options: &CogOptions,
        shape: &Shape,
    ) -> Result<Compression, &'static str> {
        let quality = options.quality.unwrap_or(USUAL_QUALITY);
        let wanted = match options.packing {
            Packing::AsSource => match &self.info().compression[..] {
                "None" => Compression::None,
                "LZW" => Compression::Lzw,
                "ZSTD" => Compression::Zstd,
                "JPEG" => Compression::Jpeg { quality },
                _ => Compression::Deflate,
            },
            Packing::None => Compression::None,
            Packing::Lzw => Compression::Lzw,
            Packing::Deflate => Compression::Deflate,
            Packing::Zstd => Compression::Zstd,
            Packing::Jpeg => Compression::Jpeg { quality },
        };
        let is_picture = shape.sample == SampleType::U8
            && matches!(shape.bands, 1 | 3)
            && !matches!(shape.halving, Halving::Index { .. });
        match wanted {
            Compression::Jpeg { .. } if is_picture => Ok(wanted),
            Compression::Jpeg { .. } if options.packing == Packing::Jpeg => Err(
                "JPEG holds grey and colors of 8 bits without opacity alone; choose deflate, \
                     zstd or lzw",
            ),
            _ if options.quality.is_some() => Err(
                "only JPEG has a quality, and nothing of it would be packed so; leave the \
                     quality out, or choose JPEG",
            ),
            Compression::Jpeg { .. } => Ok(Compression::Deflate),
            lossless => Ok(lossless),
        }
    }

    /// How overviews for looking at are packed: colors with a little loss, unless pixels tell by
    /// their value that they are void.
    pub(super) fn packing_of_overviews(&self) -> Packing {
        match self.shape().halving {
            Halving::Light { nodata: None } => Packing::Jpeg,
            _ => Packing::Zstd,
        }
    }

    /// The pixels of `rect` in the [`Input::shape`], beside them what is hidden where
    /// [`Input::has_mask`] says so.
    pub(super) fn rows(
        &self,
        rect: PixelRect,
        shape: &Shape,
        has_mask: bool,
    ) -> Result<Rows, ReadError> {
        let rows = match &self.0 {
            Opened::Tiff(source) => source.rows_of(|source| {
                let pixels = source.interleaved(rect)?;
                let shown = source.mask(rect).transpose()?.map(|mask| {
                    let flag = |&value: &u8| if value == 0 { 0 } else { 255 };
                    mask.iter().map(flag).collect()
                });
                Ok(Rows { pixels, shown })
            }),
            Opened::Jp2(source) => source_pixels(&**source, shape, rect).map(Rows::without_mask),
            Opened::Plain(source) => file_pixels(source, shape, rect).map(Rows::without_mask),
            Opened::Tiles(source) => plain_pixels(&**source, rect).map(Rows::without_mask),
            Opened::Mosaic(source) => {
                let mut rows = match shape.halving {
                    Halving::Light { nodata } => {
                        picture_rows(&**source, shape.bands, nodata, rect)?
                    }
                    _ => source_pixels(&**source, shape, rect).map(Rows::without_mask)?,
                };
                if !has_mask {
                    rows.shown = None;
                } else if rows.shown.is_none() {
                    rows.shown = Some(shown_pixels(&**source, rect)?);
                }
                Ok(rows)
            }
        }?;
        let bytes = rect.num_pixels() as usize * shape.pixel_bytes();
        assert_eq!(
            rows.pixels.len(),
            bytes,
            "pixels have the shape of the file"
        );
        Ok(rows)
    }
}

/// Bytes of grey or of colors, in the order of a picture; hidden ones are `nodata` (or 0).
fn picture_rows(
    source: &dyn TileSource,
    bands: usize,
    nodata: Option<u8>,
    rect: PixelRect,
) -> Result<Rows, ReadError> {
    let rgba = source.read_rgba(0, rect)?;
    let void = [nodata.unwrap_or(0); 3];
    let pixels = rgba.as_chunks::<4>().0.iter();
    let colors = pixels.clone().flat_map(|pixel| {
        let shown = if pixel[3] > 0 { &pixel[..3] } else { &void };
        &shown[..bands]
    });
    Ok(Rows {
        pixels: colors.copied().collect(),
        shown: Some(
            pixels
                .map(|pixel| if pixel[3] > 0 { 255 } else { 0 })
                .collect(),
        ),
    })
}

/// Which pixels have data (255), and which have none (0).
fn shown_pixels(source: &dyn TileSource, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
    let read = source.read_bands(rect, &source.data_bands())?;
    let flag = |has_data| if has_data { 255 } else { 0 };
    Ok(read.has_data.into_iter().map(flag).collect())
}

fn shape_of_tiff(source: &TiffSource) -> Shape {
    let (page, info) = (source.image_page(), source.info());
    let nodata = info.nodata;
    let byte = nodata
        .filter(|value| value.fract() == 0.0 && (0.0..=255.0).contains(value))
        .map(|value| value as u8);
    let is_color = matches!(page.photometric, Photometric::Rgb | Photometric::YCbCr);
    let is_picture = is_color || page.photometric == Photometric::BlackIsZero;
    let colors = if is_color { 3 } else { 1 };
    let is_narrow = page.sample.is_index() && page.sample != SampleType::U8;
    let halving = match (page.sample, page.photometric, page.bands) {
        (_, Photometric::Palette | Photometric::Mask, _) => Halving::Index { void: byte },
        _ if is_narrow && page.bands == 1 => Halving::Index { void: byte },
        (SampleType::U8, _, 4) if is_color && page.alpha.is_some() => Halving::Opacity,
        (SampleType::U8, _, bands) if is_picture && bands == colors => {
            Halving::Light { nodata: byte }
        }
        (sample, ..) => {
            let alpha = page.alpha.filter(|alpha| !alpha.is_premultiplied);
            Halving::Numbers(Numbers {
                sample,
                nodata,
                alpha: alpha.map(|alpha| alpha.band),
            })
        }
    };
    let extra = (colors..page.bands).map(|band| match page.alpha {
        Some(alpha) if alpha.band == band => 2 - u16::from(alpha.is_premultiplied),
        _ => 0,
    });
    let photometric = match page.photometric {
        Photometric::WhiteIsZero => 0,
        Photometric::BlackIsZero | Photometric::Mask => 1,
        Photometric::Rgb | Photometric::YCbCr => 2,
        Photometric::Palette => 3,
        Photometric::Cmyk => 5,
    };
    let is_ink = page.photometric == Photometric::Cmyk;
    Shape {
        sample: page.sample,
        bands: usize::from(page.bands),
        halving,
        photometric,
        extra: extra.skip(if is_ink { 3 } else { 0 }).collect(),
    }
}

/// Palettes and pictures of bytes as they are seen; other samples as they are stored.
fn shape_of_file(source: &PlainSource) -> Shape {
    let info = source.info();
    let is_keyed_picture = source.is_keyed() && info.sample == SampleType::U8;
    if info.palette.is_some() || is_keyed_picture {
        return shape_of_plain(info);
    }
    let shape = shape_of_source(source);
    match info.sample {
        // Few values are classes rather than light.
        SampleType::U1 | SampleType::U2 | SampleType::U4 if info.bands == 1 => Shape {
            halving: Halving::Index {
                void: info.nodata.map(|value| value as u8),
            },
            ..shape
        },
        // What its transparent color hides is said by one band more.
        SampleType::U16 if source.is_keyed() => Shape {
            bands: shape.bands + 1,
            extra: vec![2],
            ..shape
        },
        _ => shape,
    }
}

fn file_pixels(source: &PlainSource, shape: &Shape, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
    match shape.halving {
        Halving::Light { nodata: None } | Halving::Opacity => plain_pixels(source, rect),
        _ => source_pixels(source, shape, rect),
    }
}

fn shape_of_plain(info: &RasterInfo) -> Shape {
    let (bands, halving, photometric) = if info.palette.is_some() {
        (1, Halving::Index { void: None }, 3)
    } else if info.has_alpha {
        (4, Halving::Opacity, 2)
    } else if info.bands == 1 {
        (1, Halving::Light { nodata: None }, 1)
    } else {
        (3, Halving::Light { nodata: None }, 2)
    };
    Shape {
        sample: SampleType::U8,
        bands,
        halving,
        photometric,
        extra: if bands == 4 { vec![2] } else { Vec::new() },
    }
}

fn plain_pixels(source: &dyn TileSource, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
    let info = source.info();
    if info.palette.is_some() {
        return source.read_index(rect);
    }
    let rgba = source.read_rgba(0, rect)?;
    if info.has_alpha {
        return Ok(rgba);
    }
    let bands = if info.bands == 1 { 1 } else { 3 };
    let pixels = rgba.chunks_exact(4);
    Ok(pixels.flat_map(|pixel| &pixel[..bands]).copied().collect())
}

/// Bytes that make a picture are one; others are kept as they are.
fn shape_of_source(source: &dyn TileSource) -> Shape {
    let info = source.info();
    let data = source.data_bands();
    let byte = info
        .nodata
        .filter(|value| value.fract() == 0.0 && (0.0..=255.0).contains(value))
        .map(|value| value as u8);
    let is_byte = info.sample == SampleType::U8;
    let is_color = source.color_bands().len() == 3;
    if info.palette.is_some() && is_byte {
        let halving = Halving::Index { void: byte };
        return Shape {
            halving,
            ..shape_of_plain(info)
        };
    }
    let has_opacity = data.len() < usize::from(info.bands);
    if is_byte && has_opacity && is_color && data.len() == 3 {
        return shape_of_plain(info);
    }
    let colors = if is_color { 3 } else { 1 };
    let is_picture = is_byte && usize::from(info.bands) == colors;
    let extra = (colors as u16..info.bands).map(|band| {
        let is_opacity = !data.contains(&band);
        if is_opacity { 2 } else { 0 }
    });
    Shape {
        sample: info.sample,
        bands: usize::from(info.bands),
        halving: if is_picture {
            Halving::Light { nodata: byte }
        } else {
            Halving::Numbers(Numbers {
                sample: info.sample,
                nodata: info.nodata,
                alpha: (0..info.bands).find(|band| !data.contains(band)),
            })
        },
        photometric: if is_color { 2 } else { 1 },
        extra: extra.collect(),
    }
}

fn source_pixels(
    source: &dyn TileSource,
    shape: &Shape,
    rect: PixelRect,
) -> Result<Vec<u8>, ReadError> {
    match shape.halving {
        Halving::Index { .. } => return source.read_index(rect),
        Halving::Opacity => return source.read_rgba(0, rect),
        Halving::Light { .. } | Halving::Numbers(_) => {}
    }
    let (bytes, pixel_bytes) = (shape.sample_bytes(), shape.pixel_bytes());
    let mut out = vec![0; rect.num_pixels() as usize * pixel_bytes];
    for band in 0..shape.bands {
        let values = source.read_values(rect, band as u16)?;
        for (pixel, value) in out.chunks_exact_mut(pixel_bytes).zip(values) {
            put_sample(value, shape.sample, &mut pixel[band * bytes..][..bytes]);
        }
    }
    Ok(out)
}

/// A sample in the order of this machine.
fn put_sample(value: f64, sample: SampleType, out: &mut [u8]) {
    match sample {
        SampleType::I8 => out.copy_from_slice(&(value as i8).to_ne_bytes()),
        SampleType::U16 => out.copy_from_slice(&(value as u16).to_ne_bytes()),
        SampleType::I16 => out.copy_from_slice(&(value as i16).to_ne_bytes()),
        SampleType::U32 => out.copy_from_slice(&(value as u32).to_ne_bytes()),
        SampleType::I32 => out.copy_from_slice(&(value as i32).to_ne_bytes()),
        SampleType::U64 => out.copy_from_slice(&(value as u64).to_ne_bytes()),
        SampleType::I64 => out.copy_from_slice(&(value as i64).to_ne_bytes()),
        SampleType::F32 => out.copy_from_slice(&(value as f32).to_ne_bytes()),
        SampleType::F64 => out.copy_from_slice(&value.to_ne_bytes()),
        _ => out.copy_from_slice(&[value as u8]),
    }
}
