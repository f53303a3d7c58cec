use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::beside::placed;
use super::error::{Fault, OpenError, ReadError};
use super::jpeg_file::{decode_whole_jpeg, jpeg_info};
use super::limits::{MAX_WHOLE_BYTES, product_within, zeroed};
use super::png_file::{Width, decode_png, png_info};
use super::source::{BandSamples, Layout, RasterInfo, SampleType, TileSource};
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
    pixels: OnceLock<Pixels>,
    /// Samples of two bytes as they are stored, where somebody wants them.
    wide: OnceLock<Pixels>,
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

/// All samples, one byte each (or two where that is asked for), bands interleaved.
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
        let header = fenced(|| match kind {
            PlainKind::Png => png_info(path),
            PlainKind::Jpeg => jpeg_info(path).map(|info| (info, Vec::new())),
            PlainKind::WebP => webp_info(path).map(|info| (info, Vec::new())),
        });
        let (mut info, palette_alpha) = header.map_err(Fault::Damaged)??;
        let factors = [info.size.num_pixels(), u64::from(info.bands)];
        product_within(
            &factors,
            MAX_WHOLE_BYTES,
            &format!("A {} image", info.format),
        )?;
        info.georef = placed(path, None, None);
        Ok(Self {
            path: path.to_owned(),
            info,
            kind,
            palette_alpha,
            pixels: OnceLock::new(),
            wide: OnceLock::new(),
            decoding: Mutex::new(()),
        })
    }

    fn pixels(&self) -> Result<&Pixels, Fault> {
        self.decoded(&self.pixels, Width::Byte)
    }

    fn decoded<'a>(&self, kept: &'a OnceLock<Pixels>, width: Width) -> Result<&'a Pixels, Fault> {
        if let Some(pixels) = kept.get() {
            return Ok(pixels);
        }
        // One thread decodes; the others wait and take what it made.
        let _turn = self.decoding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pixels) = kept.get() {
            return Ok(pixels);
        }
        let decoded = fenced(|| match self.kind {
            PlainKind::Png => decode_png(&self.path, width),
            PlainKind::Jpeg => decode_whole_jpeg(&self.path, self.info.size, self.info.bands),
            PlainKind::WebP => decode_webp_file(&self.path),
        });
        let pixels = decoded.map_err(Fault::Damaged)??;
        let bytes = if width == Width::Stored { 2 } else { 1 };
        let expected = self.info.size.num_pixels() as usize * pixels.bands * bytes;
        if pixels.bytes.len() != expected {
            return Err(Fault::damaged("the file changed while it was open"));
        }
        Ok(kept.get_or_init(|| pixels))
    }

    /// The samples of `bands` within `rect` as they are stored.
    fn band_samples(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, Fault> {
        self.check(0, rect)?;
        let is_wide = self.info.sample.bits() > 8;
        let pixels = if is_wide {
            self.decoded(&self.wide, Width::Stored)?
        } else {
            self.pixels()?
        };
        if bands.iter().any(|&band| usize::from(band) >= pixels.bands) {
            return Err(Fault::Outside);
        }
        let bytes = if is_wide { 2 } else { 1 };
        let row_len = self.info.size.width as usize * pixels.bands;
        let values = |band: usize| {
            (rect.y..rect.bottom()).flat_map(move |y| {
                let first = y as usize * row_len + rect.x as usize * pixels.bands + band;
                (0..rect.width as usize).map(move |column| {
                    match &pixels.bytes[(first + column * pixels.bands) * bytes..][..bytes] {
                        [high, low] => f32::from(u16::from_be_bytes([*high, *low])),
                        byte => f32::from(byte[0]),
                    }
                })
            })
        };
        let plane = |&band: &u16| values(usize::from(band)).collect();
        let has_data = match (self.info.has_alpha, pixels.bands) {
            (true, 2 | 4) => values(pixels.bands - 1).map(|alpha| alpha > 0.0).collect(),
            _ => vec![true; rect.num_pixels() as usize],
        };
        Ok(BandSamples {
            planes: bands.iter().map(plane).collect(),
            has_data,
        })
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
            paint(row, pixels.bands, &table, out);
        }
        Ok(out)
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
        let row_len = self.info.size.width as usize * pixels.bands;
        let (start, len) = (
            rect.x as usize * pixels.bands,
            rect.width as usize * pixels.bands,
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
                return [grey, grey, grey, 255];
            };
            let [red, green, blue] = palette.get(value).copied().unwrap_or_default();
            let alpha = self.palette_alpha.get(value).copied().unwrap_or(255);
            [red, green, blue, alpha]
        };
        (0..256).map(color).collect()
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

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.rgba(stored, rect)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.index(rect).map_err(|fault| fault.on_read(&self.path))
    }

    fn read_bands(&self, rect: PixelRect, bands: &[u16]) -> Result<BandSamples, ReadError> {
        self.band_samples(rect, bands)
            .map_err(|fault| fault.on_read(&self.path))
    }

    fn block_size(&self, _: usize) -> ImageSize {
        self.info.size
    }
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, ColorType};

    use super::*;
    use crate::disk::replace_with;

    fn open(path: &Path) -> Result<PlainSource, OpenError> {
        let is_jpeg = path.extension().is_some_and(|ending| ending == "jpg");
        let kind = if is_jpeg {
            PlainKind::Jpeg
        } else {
            PlainKind::Png
        };
        PlainSource::open(path, kind)
    }

    /// Writes a PNG of 3 × 2 pixels from packed rows.
    fn write_png(path: &Path, color: ColorType, depth: BitDepth, rows: &[u8]) {
        replace_with(path, |file| {
            let mut encoder = png::Encoder::new(file, 3, 2);
            encoder.set_color(color);
            encoder.set_depth(depth);
            if color == ColorType::Indexed {
                encoder.set_palette(vec![10, 20, 30, 40, 50, 60, 70, 80, 90]);
                encoder.set_trns(vec![255, 0]);
            }
            encoder.write_header()?.write_image_data(rows)?;
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_palette_png_gives_indices_and_colors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let packings: [(BitDepth, &[u8]); 2] = [
            (BitDepth::Eight, &[0, 1, 2, 2, 1, 0]),
            (BitDepth::Two, &[0b0001_1000, 0b1001_0000]),
        ];
        for (depth, rows) in packings {
            write_png(&path, ColorType::Indexed, depth, rows);
            let source = open(&path).unwrap();
            let all = source.info().size.bounds();
            assert_eq!(source.read_index(all).unwrap(), [0, 1, 2, 2, 1, 0]);
            assert_eq!(source.info().palette.as_ref().unwrap()[2], [70, 80, 90]);
            let rgba = source.read_rgba(0, PixelRect::new(1, 0, 2, 1)).unwrap();
            assert_eq!(rgba, [40, 50, 60, 0, 70, 80, 90, 255]);
        }
    }

    #[test]
    fn greys_are_scaled_for_the_eye_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grey.png");
        write_png(
            &path,
            ColorType::Grayscale,
            BitDepth::One,
            &[0b0100_0000, 0b1010_0000],
        );
        let source = open(&path).unwrap();
        assert_eq!(
            source.read_index(source.info().size.bounds()).unwrap(),
            [0, 1, 0, 1, 0, 1]
        );
        let rgba = source.read_rgba(0, PixelRect::new(0, 1, 2, 1)).unwrap();
        assert_eq!(rgba, [255, 255, 255, 255, 0, 0, 0, 255]);
    }

    #[test]
    fn wide_samples_are_shown_but_are_no_indices() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.png");
        write_png(
            &path,
            ColorType::Grayscale,
            BitDepth::Sixteen,
            &[0x80, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0],
        );
        let source = open(&path).unwrap();
        assert_eq!(source.info().sample, SampleType::U16);
        let first = PixelRect::new(0, 0, 1, 1);
        assert_eq!(source.read_rgba(0, first).unwrap(), [128, 128, 128, 255]);
        assert!(matches!(
            source.read_index(first),
            Err(ReadError::NoIndices { .. })
        ));
        let all = source.info().size.bounds();
        let samples = source.read_bands(all, &[0]).unwrap();
        assert_eq!(samples.planes[0], [32_768.0, 258.0, 772.0, 0.0, 0.0, 0.0]);
        let outside = PixelRect::new(2, 0, 2, 1);
        assert!(matches!(
            source.read_rgba(0, outside),
            Err(ReadError::Outside { .. })
        ));
    }

    #[test]
    fn jpeg_files_are_read_and_bombs_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let mut bytes = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
        encoder
            .encode(&[200; 24 * 16 * 3], 24, 16, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        crate::disk::replace_file(&path, &bytes).unwrap();
        let source = open(&path).unwrap();
        assert_eq!(source.info().size, ImageSize::new(24, 16));
        let rgba = source.read_rgba(0, PixelRect::new(20, 12, 4, 4)).unwrap();
        assert!(
            rgba.chunks_exact(4)
                .all(|pixel| pixel[0].abs_diff(200) <= 2 && pixel[3] == 255)
        );

        let frame = bytes
            .windows(2)
            .position(|marker| marker == [0xFF, 0xC0])
            .unwrap();
        bytes[frame + 5..frame + 9].fill(0xFF);
        crate::disk::replace_file(&path, &bytes).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Unsupported { .. })));
    }

    #[test]
    fn damaged_files_end_in_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_png(&path, ColorType::Rgb, BitDepth::Eight, &[7; 18]);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0xFF;
            for damaged in [&broken[..], &bytes[..at]] {
                crate::disk::replace_file(&path, damaged).unwrap();
                let Ok(source) = open(&path) else {
                    continue;
                };
                if source.info().size.num_pixels() < 1 << 20 {
                    drop(source.read_rgba(0, source.info().size.bounds()));
                }
            }
        }
    }
}
