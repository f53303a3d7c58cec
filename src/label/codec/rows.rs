use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use png::{BitDepth, ColorType, Transformations};

use super::super::{MaskError, Rgb};
use super::meaning::TOO_WIDE;
use super::whole::{is_whole, whole_numbers};
use crate::disk::open_file;
use crate::geom::{Georef, ImageSize, PixelRect};
use crate::raster::{SampleType, TileSource, open_raster};

/// Rows that are read at once, unless the file's own blocks are a little higher.
pub(super) const BAND_ROWS: u32 = 256;
const MAX_BAND_ROWS: u32 = 1_024;

/// How the pixels of a band lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One byte a pixel: the number in the file.
    Byte,
    /// Two bytes a pixel, high byte first: the number in the file.
    Wide,
    /// Four bytes a pixel, a grey stretched between the least and the greatest number in the file.
    Stretched,
    /// Four bytes a pixel.
    Rgba,
}

impl Form {
    /// Bytes of a pixel.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Wide => 2,
            Self::Stretched | Self::Rgba => 4,
        }
    }
}

/// Reads a mask file from top to bottom in bands of whole rows, holding one band.
pub(super) struct RowReader {
    pub(super) size: ImageSize,
    pub(super) form: Form,
    pub(super) palette: Option<Vec<Rgb>>,
    pub(super) georef: Option<Georef>,
    /// The number that the file says means "no data".
    pub(super) nodata: Option<f64>,
    /// The same as one that a pixel may hold, of colors only 0 for black: others come transparent.
    pub(super) void: Option<u16>,
    /// Number of bands, alpha included.
    pub(super) bands: u16,
    /// Whether a sample is one bit.
    pub(super) is_bilevel: bool,
    path: PathBuf,
    next_row: u32,
    rows: Rows,
}

enum Rows {
    Raster {
        source: Arc<dyn TileSource>,
        is_index: bool,
        band_rows: u32,
    },
    Png(Box<PngRows>),
}

impl RowReader {
    pub(super) fn open(path: &Path) -> Result<Self, MaskError> {
        let source = open_raster(path)?;
        let info = source.info();
        let (size, palette, georef) = (info.size, info.palette.clone(), info.georef.clone());
        let streamed = if info.format == "PNG" {
            PngRows::open(path)?
        } else {
            None
        };
        let (nodata, bands) = (info.nodata, info.bands);
        let is_bilevel = info.sample == SampleType::U1;
        let has_alpha = info.has_alpha;
        let (form, rows) = match streamed {
            Some(rows) => (rows.form, Rows::Png(Box::new(rows))),
            None => raster_rows(source),
        };
        Ok(Self {
            size,
            form,
            palette,
            georef,
            void: void_of(form, nodata, has_alpha),
            nodata,
            bands,
            is_bilevel,
            path: path.to_owned(),
            next_row: 0,
            rows,
        })
    }

    /// The next band as (its ground, its pixels); `None` below the last row.
    pub(super) fn next_band(&mut self) -> Result<Option<(PixelRect, Vec<u8>)>, MaskError> {
        let left = self.size.height - self.next_row;
        if left == 0 || self.size.is_empty() {
            return Ok(None);
        }
        let rows = match &self.rows {
            Rows::Raster { band_rows, .. } => (*band_rows).min(left),
            Rows::Png(_) => BAND_ROWS.min(left),
        };
        let rect = PixelRect::new(0, self.next_row, self.size.width, rows);
        let pixels = match &mut self.rows {
            Rows::Raster {
                source,
                is_index: true,
                ..
            } => source.read_index(rect)?,
            Rows::Raster { source, .. } if self.form == Form::Wide => {
                let (wide, reason) = if source.info().sample == SampleType::U16 {
                    let reason = "its wide samples cannot be read; convert it to 8 bits";
                    (source.read_wide(rect)?, reason)
                } else {
                    (whole_numbers(&**source, rect)?, TOO_WIDE)
                };
                wide.ok_or_else(|| MaskError::NotAMask {
                    reason: reason.to_owned(),
                    path: self.path.clone(),
                })?
            }
            Rows::Raster { source, .. } => {
                let mut rgba = source.read_rgba(0, rect)?;
                if self.void == Some(0) {
                    show_zero(&mut rgba, self.form);
                }
                rgba
            }
            Rows::Png(png) => png.read(rows, &self.path)?,
        };
        self.next_row += rows;
        Ok(Some((rect, pixels)))
    }
}

/// The number of a pixel that a file says means "no data".
fn void_of(form: Form, nodata: Option<f64>, has_alpha: bool) -> Option<u16> {
    let greatest = match form {
        Form::Byte => 255.0,
        Form::Wide => 65_535.0,
        Form::Rgba if has_alpha => return None,
        Form::Rgba | Form::Stretched => 0.0,
    };
    let is_held = |value: &f64| value.fract() == 0.0 && (0.0..=greatest).contains(value);
    nodata.filter(is_held).map(|value| value as u16)
}

/// Makes 0 seen in a file that calls it no data: what it stands for is decided later.
fn show_zero(rgba: &mut [u8], form: Form) {
    for pixel in rgba.as_chunks_mut::<4>().0 {
        if form == Form::Stretched {
            // 0 had no part in the range, whose least number is black and must not be taken for it.
            pixel[0] = if pixel[3] == 0 { 0 } else { pixel[0].max(1) };
        }
        pixel[3] = 255;
    }
}

/// How an opened raster is best read, and the form of its pixels.
fn raster_rows(source: Arc<dyn TileSource>) -> (Form, Rows) {
    let info = source.info();
    let is_index = info.sample.is_index() && (info.bands == 1 || info.palette.is_some());
    let form = match info.bands {
        _ if is_index => Form::Byte,
        1 if is_whole(&*source) => Form::Wide,
        1 => Form::Stretched,
        _ => Form::Rgba,
    };
    let block = source.block_size(0).height;
    let is_fitting = (BAND_ROWS..=MAX_BAND_ROWS).contains(&block);
    let band_rows = if is_fitting { block } else { BAND_ROWS };
    (
        form,
        Rows::Raster {
            source,
            is_index,
            band_rows,
        },
    )
}

/// A PNG without interlacing, row by row: as a whole a large one would take a gigabyte.
struct PngRows {
    reader: png::Reader<BufReader<File>>,
    form: Form,
    width: usize,
    color: ColorType,
    depth: BitDepth,
}

impl PngRows {
    /// `None` for interlaced files, which only decode as a whole.
    fn open(path: &Path) -> Result<Option<Self>, MaskError> {
        let damaged = |error: png::DecodingError| damaged_png(path, &error);
        let file = open_file(path).map_err(|error| damaged(error.into()))?;
        let mut decoder = png::Decoder::new(BufReader::with_capacity(1 << 18, file));
        decoder.set_transformations(Transformations::IDENTITY);
        // Texts and color profiles are not used, and bombs hide in them.
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let reader = decoder.read_info().map_err(damaged)?;
        let info = reader.info();
        let (width, color, depth) = (info.width as usize, info.color_type, info.bit_depth);
        let form = match (color, depth) {
            (ColorType::Grayscale, BitDepth::Sixteen) => Form::Wide,
            (ColorType::Grayscale | ColorType::Indexed, _) => Form::Byte,
            _ => Form::Rgba,
        };
        let is_interlaced = info.interlaced;
        Ok((!is_interlaced).then_some(Self {
            reader,
            form,
            width,
            color,
            depth,
        }))
    }

    fn read(&mut self, rows: u32, path: &Path) -> Result<Vec<u8>, MaskError> {
        let mut out = Vec::with_capacity(rows as usize * self.width * self.form.bytes());
        for _ in 0..rows {
            let row = self
                .reader
                .next_row()
                .map_err(|error| damaged_png(path, &error))?;
            let Some(row) = row else {
                let reason = "it has fewer rows than it says".to_owned();
                return Err(MaskError::MaskFile {
                    reason,
                    path: path.to_owned(),
                });
            };
            push_row(&mut out, row.data(), (self.color, self.depth), self.width);
        }
        Ok(out)
    }
}

fn damaged_png(path: &Path, error: &png::DecodingError) -> MaskError {
    MaskError::MaskFile {
        reason: format!("PNG: {error}"),
        path: path.to_owned(),
    }
}

/// Appends one stored row in its form.
fn push_row(out: &mut Vec<u8>, row: &[u8], (color, depth): (ColorType, BitDepth), width: usize) {
    match (color, depth) {
        (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight)
        | (ColorType::Grayscale, BitDepth::Sixteen) => out.extend_from_slice(row),
        (ColorType::Grayscale | ColorType::Indexed, _) => {
            let bits = depth as usize;
            let unpack = |x: usize| {
                let shift = 8 - bits - x * bits % 8;
                row[x * bits / 8] >> shift & ((1 << bits) - 1) as u8
            };
            out.extend((0..width).map(unpack));
        }
        _ => {
            // Of sixteen bits the high byte says enough: codes are bytes.
            let step = if depth == BitDepth::Sixteen { 2 } else { 1 };
            for pixel in row.chunks_exact(color.samples() * step) {
                let band = |index: usize| pixel[index * step];
                out.extend_from_slice(&match color.samples() {
                    2 => [band(0), band(0), band(0), band(1)],
                    3 => [band(0), band(1), band(2), 255],
                    _ => [band(0), band(1), band(2), band(3)],
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::label::{ClassTable, Encoding, load_mask};
    use crate::raster::MadeBands;

    /// A TIFF of one row of numbers of 16 bits, little-endian, in one strip.
    fn wide_tiff(numbers: &[u16]) -> Vec<u8> {
        let data: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        tiff(&data, 16, 1)
    }

    /// The same of floating point.
    fn float_tiff(numbers: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        tiff(&data, 32, 3)
    }

    /// A TIFF of one row of samples of so many bits and of this format.
    fn tiff(data: &[u8], bits: u32, format: u32) -> Vec<u8> {
        let length = data.len() as u32;
        let width = length * 8 / bits;
        let entries = [
            (256, 4, width),
            (257, 4, 1),
            (258, 3, bits),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, 8 + 2 + 10 * 12 + 4),
            (277, 3, 1),
            (278, 4, 1),
            (279, 4, length),
            (339, 3, format),
        ];
        let mut bytes = b"II\x2a\0\x08\0\0\0\x0a\0".to_vec();
        for (tag, kind, value) in entries {
            bytes.extend_from_slice(&u16::to_le_bytes(tag));
            bytes.extend_from_slice(&u16::to_le_bytes(kind));
            bytes.extend_from_slice(&u32::to_le_bytes(1));
            bytes.extend_from_slice(&u32::to_le_bytes(value));
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn tiffs_of_16_bits_are_classes_or_black_and_white() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        for (numbers, encoding, expected) in [
            (&[0, 1, 4, 2][..], Encoding::Index, [0, 1, 4, 2]),
            (&[0, 65_535, 65_535, 0], Encoding::Binary, [0, 1, 1, 0]),
            (&[0, 1_000, 1_000, 0], Encoding::Binary, [0, 1, 1, 0]),
            (&[0, 0, 0, 0], Encoding::Index, [0; 4]),
        ] {
            crate::disk::replace_file(&path, &wide_tiff(numbers)).expect("written");
            let loaded = load_mask(&path, None, Encoding::Auto, None).expect("a mask");
            let all = loaded.mask.size().bounds();
            assert_eq!(loaded.mask.read_rect(all), expected);
            assert_eq!(loaded.encoding, encoding);
        }
    }

    #[test]
    fn what_a_file_calls_no_data_is_unlabeled_but_0_without_a_table_is_a_class() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let of = |bits, format, nodata: &'static str| MadeBands {
            format,
            nodata,
            ..MadeBands::new(4, 1, 1, bits)
        };
        for (made, numbers, encoding, expected) in [
            (of(8, 1, "9"), [0, 1, 2, 9], Encoding::Index, [0, 1, 2, 255]),
            (of(8, 1, "0"), [0, 1, 2, 0], Encoding::Index, [0, 1, 2, 0]),
            (
                of(8, 1, "0"),
                [0, 255, 255, 0],
                Encoding::Binary,
                [0, 1, 1, 0],
            ),
            (
                of(8, 1, "9"),
                [0, 255, 9, 255],
                Encoding::Binary,
                [0, 1, 255, 1],
            ),
            (
                of(16, 1, "65535"),
                [0, 1, 65_535, 1],
                Encoding::Index,
                [0, 1, 255, 1],
            ),
            (of(16, 2, "0"), [0, 1, 1, 0], Encoding::Index, [0, 1, 1, 0]),
            (
                of(16, 2, "-99"),
                [0, 1, -99, 1],
                Encoding::Binary,
                [0, 1, 255, 1],
            ),
        ] {
            let file = made.file(|x, _, _| f64::from(numbers[x as usize]));
            crate::disk::replace_file(&path, &file).expect("written");
            let loaded = load_mask(&path, None, Encoding::Auto, None).expect("a mask");
            let all = loaded.mask.size().bounds();
            assert_eq!(loaded.mask.read_rect(all), expected, "{numbers:?}");
            assert_eq!(loaded.encoding, encoding, "{numbers:?}");
            assert!(loaded.classes.get(9).is_none(), "{numbers:?}");
        }
    }

    #[test]
    fn no_data_is_unlabeled_where_the_given_classes_do_not_have_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        for (nodata, classes, expected) in [
            ("0", &[1, 2][..], [255, 1, 2, 255]),
            ("0", &[0, 1, 2], [0, 1, 2, 0]),
            ("2", &[0, 1], [0, 1, 255, 0]),
            ("2", &[0, 1, 2], [0, 1, 2, 0]),
        ] {
            let made = MadeBands {
                nodata,
                ..MadeBands::new(4, 1, 1, 8)
            };
            let file = made.file(|x, _, _| f64::from(x % 3));
            crate::disk::replace_file(&path, &file).expect("written");
            let classes = ClassTable::from_values(classes.iter().copied());
            let loaded = load_mask(&path, None, Encoding::Auto, Some(&classes)).expect("a mask");
            let all = loaded.mask.size().bounds();
            assert_eq!(loaded.mask.read_rect(all), expected, "{nodata}");
            assert_eq!((loaded.classes, loaded.notes.len()), (classes, 0));
        }
    }

    #[test]
    fn greys_of_fractions_keep_their_order_where_0_is_called_no_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let made = MadeBands {
            format: 3,
            nodata: "0",
            ..MadeBands::new(4, 1, 1, 32)
        };
        let load = |numbers: [f64; 4], encoding| {
            let file = made.file(|x, _, _| numbers[x as usize]);
            crate::disk::replace_file(&path, &file).expect("written");
            load_mask(&path, None, encoding, None)
        };
        let loaded = load([0.0, 0.25, 0.75, 1.0], Encoding::Binary).expect("a mask");
        let all = loaded.mask.size().bounds();
        assert_eq!(loaded.mask.read_rect(all), [0, 0, 1, 1]);
        // Of a single other number it is not known whether it is bright.
        for numbers in [[0.0, 0.25, 0.75, 1.0], [0.0, 0.5, 0.5, 0.0]] {
            let error = load(numbers, Encoding::Auto).expect_err("fractions");
            assert!(error.to_string().contains("such as fractions"), "{error}");
        }
    }

    #[test]
    fn black_of_colors_is_a_class_where_0_is_called_no_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let made = MadeBands {
            nodata: "0",
            ..MadeBands::new(4, 1, 3, 8)
        };
        let file = made.file(|x, _, band| f64::from(u8::from(x % 2 == 1 && band == 0)) * 255.0);
        crate::disk::replace_file(&path, &file).expect("written");
        let red = [255, 0, 0];
        for (codes, expected) in [
            (&[[0; 3], red][..], [0, 1, 0, 1]),
            (&[red], [255, 0, 255, 0]),
        ] {
            let classes = ClassTable::from_codes(codes);
            let loaded = load_mask(&path, None, Encoding::Auto, Some(&classes)).expect("a mask");
            let all = loaded.mask.size().bounds();
            assert_eq!(loaded.mask.read_rect(all), expected);
            assert_eq!(loaded.notes, Vec::<String>::new());
        }
    }

    #[test]
    fn floating_point_is_read_as_whole_numbers_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let load = |numbers: &[f32]| {
            crate::disk::replace_file(&path, &float_tiff(numbers)).expect("written");
            load_mask(&path, None, Encoding::Auto, None)
        };
        for (numbers, encoding, expected) in [
            ([0.0, 1.0, 2.0, 1.0], Encoding::Index, [0, 1, 2, 1]),
            ([0.0, 255.0, 0.0, 255.0], Encoding::Binary, [0, 1, 0, 1]),
        ] {
            let loaded = load(&numbers).expect("a mask");
            let all = loaded.mask.size().bounds();
            assert_eq!(loaded.mask.read_rect(all), expected);
            assert_eq!(loaded.encoding, encoding);
        }
        let error = load(&[0.0, 0.25, 0.5, 1.0])
            .expect_err("fractions")
            .to_string();
        assert!(error.contains("such as fractions"), "{error}");
    }
}
