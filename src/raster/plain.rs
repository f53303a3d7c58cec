use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::beside::{System, placed};
use super::error::{Fault, OpenError, ReadError};
use super::jpeg_file::{decode_whole_jpeg, jpeg_info};
use super::layers::{format_of, packed};
use super::limits::{MAX_WHOLE_BYTES, product_within, zeroed};
use super::png_file::{decode_png, png_head};
use super::source::{BandSamples, Layout, RasterInfo, SampleType, TileSamples, TileSource};
use super::tile::TileFormat;
use super::turned::Orientation;
use super::webp_file::{decode_webp_file, webp_info};
use crate::geom::{ImageSize, PixelRect};
use crate::job::fenced;

/// A PNG, JPEG or WebP file. It is decoded as a whole at the first read, once, and then kept.
pub(super) struct PlainSource {
    path: PathBuf,
    info: RasterInfo,
    kind: PlainKind,
    /// Opacity of each palette index (PNG).
    palette_alpha: Vec<u8>,
    /// Whether a color stands for transparent pixels (PNG), so that a band of opacity is decoded
    /// that the file does not have.
    is_keyed: bool,
    pixels: OnceLock<Pixels>,
    decoding: Mutex<()>,
}

/// A format whose files are decoded whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlainKind {
    Png,
    Jpeg,
    WebP,
}

impl PlainKind {
    /// The format of a file that begins so.
    pub(super) const fn of(magic: [u8; 12]) -> Option<Self> {
        match magic {
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some(Self::WebP),
            _ => None,
        }
    }
}

/// What the header of a file says that is decoded whole.
pub(super) struct Head {
    pub(super) info: RasterInfo,
    /// Opacity of each palette index.
    pub(super) palette_alpha: Vec<u8>,
    /// Whether a color stands for transparent pixels.
    pub(super) is_keyed: bool,
}

impl Head {
    /// Of a format whose bands hold all there is.
    const fn of(info: RasterInfo) -> Self {
        Self {
            info,
            palette_alpha: Vec::new(),
            is_keyed: false,
        }
    }
}

/// All samples, one byte each (or two, the high one first), bands interleaved.
pub(super) struct Pixels {
    pub(super) bands: usize,
    pub(super) bytes: Vec<u8>,
}

impl PlainSource {
    /// Reads the header of the file at `path`.
    pub(super) fn open(path: &Path, kind: PlainKind) -> Result<Self, OpenError> {
        Self::read_header(path, kind).map_err(|fault| fault.on_open(path))
    }

    fn read_header(path: &Path, kind: PlainKind) -> Result<Self, Fault> {
        let head = fenced(|| match kind {
            PlainKind::Png => png_head(path),
            PlainKind::Jpeg => jpeg_info(path).map(Head::of),
            PlainKind::WebP => webp_info(path).map(Head::of),
        });
        let head = head.map_err(Fault::Damaged)??;
        let mut source = Self {
            path: path.to_owned(),
            info: head.info,
            kind,
            palette_alpha: head.palette_alpha,
            is_keyed: head.is_keyed,
            pixels: OnceLock::new(),
            decoding: Mutex::new(()),
        };
        let pixel_bytes = source.decoded_bands() * source.sample_bytes();
        product_within(
            &[source.info.size.num_pixels(), pixel_bytes as u64],
            MAX_WHOLE_BYTES,
            &format!("A {} image", source.info.format),
        )?;
        source.info.georef = placed(path, None, System::default());
        Ok(source)
    }

    /// Whether a color stands for transparent pixels, so that there is opacity without a band of it.
    pub(super) const fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// Bands that are decoded, that of a transparent color last.
    fn decoded_bands(&self) -> usize {
        usize::from(self.info.bands) + usize::from(self.is_keyed)
    }

    const fn sample_bytes(&self) -> usize {
        self.info.sample.bits().div_ceil(8) as usize
    }

    fn pixels(&self) -> Result<&Pixels, Fault> {
        if let Some(pixels) = self.pixels.get() {
            return Ok(pixels);
        }
        // One thread decodes; the others wait and take what it made.
        let _turn = self.decoding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = self.pixels.get() {
            return Ok(pixels);
        }
        let decoded = fenced(|| match self.kind {
            PlainKind::Png => decode_png(&self.path, self.is_keyed),
            PlainKind::Jpeg => decode_whole_jpeg(&self.path, self.info.size, self.info.bands),
            PlainKind::WebP => decode_webp_file(&self.path),
        });
        let pixels = decoded.map_err(Fault::Damaged)??;
        let samples = self.info.size.num_pixels() as usize * self.decoded_bands();
        let is_alike = pixels.bands == self.decoded_bands()
            && pixels.bytes.len() == samples * self.sample_bytes();
        if !is_alike {
            return Err(Fault::damaged("the file changed while it was open"));
        }
        Ok(self.pixels.get_or_init(|| pixels))
    }

    /// The samples of `bands` within `rect` as they are stored, and for each pixel how much of it is
    /// seen, 0 to 1.
    fn samples(&self, rect: PixelRect, bands: &[u16]) -> Result<(BandSamples, Vec<f32>), Fault> {
        self.check(0, rect)?;
        let pixels = self.pixels()?;
        if bands.iter().any(|&band| usize::from(band) >= pixels.bands) {
            return Err(Fault::Outside);
        }
        let bytes = self.sample_bytes();
        let values = |band: usize| {
            let rows = self.rows(pixels, rect);
            let bands = pixels.bands;
            rows.flat_map(move |row| row.chunks_exact(bytes).skip(band).step_by(bands))
                .map(sample_value)
        };
        let opacity: Vec<f32> = match (self.info.has_alpha, pixels.bands, self.info.nodata) {
            (true, 2 | 4, _) => {
                let full = if bytes == 1 { 255.0 } else { 65_535.0 };
                values(pixels.bands - 1).map(|alpha| alpha / full).collect()
            }
            (_, 1, Some(nodata)) => {
                let shown = values(0).map(|value| f64::from(value) != nodata);
                shown
                    .map(|is_shown| f32::from(u8::from(is_shown)))
                    .collect()
            }
            _ => vec![1.0; rect.num_pixels() as usize],
        };
        let plane = |&band: &u16| values(usize::from(band)).collect();
        let read = BandSamples {
            planes: bands.iter().map(plane).collect(),
            has_data: opacity.iter().map(|&opacity| opacity > 0.0).collect(),
        };
        Ok((read, opacity))
    }

    fn rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        self.check(stored, rect)?;
        let pixels = self.pixels()?;
        let mut out = zeroed(rect.num_pixels() as usize * 4)?;
        let table = self.table();
        for (out, row) in out
            .chunks_exact_mut(rect.width.max(1) as usize * 4)
            .zip(self.rows(pixels, rect))
        {
            paint(&self.high_bytes(row), pixels.bands, &table, out);
            if let Some(nodata) = self.info.nodata.filter(|_| self.is_wide()) {
                let samples = out.chunks_exact_mut(4).zip(row.chunks_exact(2));
                let hidden = samples.filter(|(_, raw)| f64::from(sample_value(raw)) == nodata);
                hidden.for_each(|(out, _)| out[3] = 0);
            }
        }
        Ok(out)
    }

    const fn is_wide(&self) -> bool {
        self.info.sample.bits() > 8
    }

    /// Of each sample of a row the byte that is shown.
    fn high_bytes<'a>(&self, row: &'a [u8]) -> Cow<'a, [u8]> {
        if self.is_wide() {
            row.iter().step_by(2).copied().collect()
        } else {
            Cow::Borrowed(row)
        }
    }

    /// What tiles of wide samples hold.
    fn samples_of_tiles(&self, bands: &[u16]) -> TileSamples {
        TileSamples {
            bands: bands.to_vec(),
            format: self.tile_format(),
            scale: [0.0, 65_535.0],
            usual: None,
            is_inverted: false,
        }
    }

    fn tile(&self, stored: usize, rect: PixelRect, bands: &[u16]) -> Result<Vec<u8>, Fault> {
        if !self.is_wide() {
            return self.rgba(stored, rect);
        }
        self.check(stored, rect)?;
        let (read, opacity) = self.samples(rect, bands)?;
        Ok(packed(&self.samples_of_tiles(bands), &read, &opacity, rect))
    }

    /// Band 0, two bytes a pixel, high byte first.
    fn wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, Fault> {
        if !self.is_wide() {
            return Ok(None);
        }
        self.check(0, rect)?;
        let pixels = self.pixels()?;
        let rows = self.rows(pixels, rect);
        let first = rows.flat_map(|row| row.as_chunks::<2>().0.iter().step_by(pixels.bands));
        Ok(Some(first.copied().flatten().collect()))
    }

    fn index(&self, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        if !self.info.sample.is_index() {
            return Err(Fault::NoIndices(self.info.sample.name()));
        }
        self.check(0, rect)?;
        let pixels = self.pixels()?;
        let rows = self.rows(pixels, rect);
        Ok(rows
            .flat_map(|row| row.iter().step_by(pixels.bands).copied())
            .collect())
    }

    fn rows<'a>(&self, pixels: &'a Pixels, rect: PixelRect) -> impl Iterator<Item = &'a [u8]> {
        let pixel_bytes = pixels.bands * self.sample_bytes();
        let row_len = self.info.size.width as usize * pixel_bytes;
        let (start, len) = (
            rect.x as usize * pixel_bytes,
            rect.width as usize * pixel_bytes,
        );
        (rect.y..rect.bottom()).map(move |y| &pixels.bytes[y as usize * row_len + start..][..len])
    }

    fn check(&self, stored: usize, rect: PixelRect) -> Result<(), Fault> {
        let size = self.info.size;
        let is_inside = rect.right() <= size.width && rect.bottom() <= size.height;
        if stored == 0 && is_inside {
            Ok(())
        } else {
            Err(Fault::Outside)
        }
    }

    /// What each value of a single band looks like.
    fn table(&self) -> Vec<[u8; 4]> {
        let most = match self.info.sample {
            SampleType::U1 => 1,
            SampleType::U2 => 3,
            SampleType::U4 => 15,
            _ => 255,
        };
        let color = |value: usize| {
            let Some(palette) = &self.info.palette else {
                let grey = (value * 255 / most).min(255) as u8;
                let is_void = !self.is_wide() && self.info.nodata == Some(value as f64);
                return [grey, grey, grey, if is_void { 0 } else { 255 }];
            };
            let [red, green, blue] = palette.get(value).copied().unwrap_or_default();
            let alpha = self.palette_alpha.get(value).copied().unwrap_or(255);
            [red, green, blue, alpha]
        };
        (0..256).map(color).collect()
    }
}

/// A sample of one byte or two, the high one first.
fn sample_value(raw: &[u8]) -> f32 {
    match *raw {
        [high, low] => f32::from(u16::from_be_bytes([high, low])),
        [byte, ..] => f32::from(byte),
        [] => 0.0,
    }
}

fn paint(row: &[u8], bands: usize, table: &[[u8; 4]], out: &mut [u8]) {
    let pixels = out.chunks_exact_mut(4).zip(row.chunks_exact(bands));
    match bands {
        1 => pixels.for_each(|(out, pixel)| out.copy_from_slice(&table[usize::from(pixel[0])])),
        2 => pixels.for_each(|(out, pixel)| {
            out.copy_from_slice(&[pixel[0], pixel[0], pixel[0], pixel[1]]);
        }),
        3 => pixels.for_each(|(out, pixel)| {
            out.copy_from_slice(&[pixel[0], pixel[1], pixel[2], 255]);
        }),
        _ => pixels.for_each(|(out, pixel)| out.copy_from_slice(&pixel[..4])),
    }
}

/// What all files have in common that are decoded whole.
pub(super) fn plain_info(size: ImageSize, sample: SampleType, format: &'static str) -> RasterInfo {
    RasterInfo {
        size,
        bands: 1,
        sample,
        compression: String::new(),
        layout: Layout::Whole,
        level_sizes: vec![size],
        georef: None,
        nodata: None,
        palette: None,
        has_alpha: false,
        orientation: Orientation::default(),
        format,
    }
}

impl TileSource for PlainSource {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn data_bands(&self) -> Vec<u16> {
        let has_band = self.info.has_alpha && !self.is_keyed;
        (0..(self.info.bands - u16::from(has_band)).max(1)).collect()
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.rgba(stored, rect)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.index(rect).map_err(|fault| fault.on_read(&self.path))
    }

    fn read_wide(&self, rect: PixelRect) -> Result<Option<Vec<u8>>, ReadError> {
        self.wide(rect).map_err(|fault| fault.on_read(&self.path))
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        let read = self.samples(rect, bands).map(|(read, _)| read);
        read.map_err(|fault| fault.on_read(&self.path))
    }

    fn tile_format(&self) -> TileFormat {
        if self.is_wide() {
            format_of(self.info.sample, self.data_bands().len())
        } else {
            TileFormat::PICTURE
        }
    }

    fn tile_samples(&self, bands: &[u16]) -> Result<TileSamples, ReadError> {
        if self.is_wide() {
            return Ok(self.samples_of_tiles(bands));
        }
        let range = self.info.sample.range().unwrap_or(0.0..=255.0);
        let scale = [*range.start(), *range.end()];
        Ok(TileSamples {
            scale,
            usual: Some(scale),
            ..self.samples_of_tiles(bands)
        })
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

    fn block_size(&self, _: usize) -> ImageSize {
        self.info.size
    }
}

#[cfg(test)]
mod tests;
