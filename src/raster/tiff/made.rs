//! Small TIFF files of every arrangement, made by hand for tests.

use std::io::Write as _;

use super::tag;
use crate::raster::writer::{DirectoryBuilder, Form};

/// How the pixels of a made file lie.
#[derive(Clone, Debug)]
pub struct Made {
    pub width: u32,
    pub height: u32,
    pub bands: u16,
    pub bits: u16,
    pub photometric: u16,
    pub compression: u16,
    /// Rows of a strip.
    pub rows: u32,
    pub is_planar: bool,
    pub form: Form,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            width: 13,
            height: 9,
            bands: 3,
            bits: 8,
            photometric: 2,
            compression: 1,
            rows: 4,
            is_planar: false,
            form: Form::Classic,
        }
    }
}

pub const LERC: u16 = 34_887;
pub const LZMA: u16 = 34_925;
pub const ZSTD: u16 = 50_000;
pub const WEBP: u16 = 50_001;

/// A LERC blob (version 2, uncompressed) of one band of bytes that are not all alike.
fn plain_lerc(rows: &[u8], width: u32, height: u32) -> Vec<u8> {
    const HEAD_BYTES: usize = 6 + 7 * 4 + 3 * 8;
    let size = HEAD_BYTES + 4 + 1 + rows.len();
    // Version, rows, columns, valid pixels, block, bytes, type (1: bytes).
    let numbers = [2, height, width, width * height, 8, size as u32, 1];
    let range = [0, 1].map(|at| {
        if at == 0 {
            rows.iter().min()
        } else {
            rows.iter().max()
        }
    });
    let [least, most] = range.map(|value| f64::from(*value.expect("rows are not empty")));
    let mut out = b"Lerc2 ".to_vec();
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    let errors = [0.5, least, most];
    out.extend(errors.iter().flat_map(|number| number.to_le_bytes()));
    // No mask, then "as they are".
    out.extend([0, 0, 0, 0, 1]);
    out.extend(rows);
    out
}

/// The stored sample of a made file.
pub fn sample(x: usize, y: usize, band: usize) -> u8 {
    (x * 7 + y * 31 + band * 101) as u8
}

impl Made {
    /// Rows of packed samples, band by band where the file is planar.
    fn rows_of_strip(&self, strip: u32, plane: u16) -> Vec<u8> {
        let top = strip * self.rows;
        let bottom = (top + self.rows).min(self.height);
        let bands = if self.is_planar {
            plane..plane + 1
        } else {
            0..self.bands
        };
        let mut out = Vec::new();
        for y in top..bottom {
            let (mut held, mut used) = (0_u16, 0);
            for x in 0..self.width as usize {
                for band in bands.clone() {
                    let mask = u16::MAX >> (16 - self.bits);
                    let value = u16::from(sample(x, y as usize, usize::from(band))) & mask;
                    used += self.bits;
                    held |= value << (16 - used);
                    if used >= 8 {
                        out.push((held >> 8) as u8);
                        (held, used) = (held << 8, used - 8);
                    }
                }
            }
            if used > 0 {
                out.push((held >> 8) as u8);
            }
        }
        out
    }

    fn pack(&self, rows: &[u8]) -> Vec<u8> {
        let bands = if self.is_planar { 1 } else { self.bands };
        let height = rows.len() as u32 / (self.width * u32::from(bands)).max(1);
        match self.compression {
            5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
                .encode(rows)
                .expect("memory is enough"),
            8 => {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(rows).expect("memory is enough");
                encoder.finish().expect("memory is enough")
            }
            // Literal runs only.
            32_773 => rows
                .chunks(128)
                .flat_map(|run| [&[run.len() as u8 - 1][..], run].concat())
                .collect(),
            LZMA => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(rows).expect("memory is enough");
                encoder.finish().expect("memory is enough")
            }
            ZSTD => zstd::bulk::compress(rows, 1).expect("memory is enough"),
            WEBP => {
                let mut out = Vec::new();
                image_webp::WebPEncoder::new(&mut out)
                    .encode(rows, self.width, height, image_webp::ColorType::Rgb8)
                    .expect("a small picture");
                out
            }
            LERC => plain_lerc(rows, self.width, height),
            _ => rows.to_vec(),
        }
    }

    /// The bytes of the file.
    pub fn file(&self) -> Vec<u8> {
        let mut out = vec![0; 16];
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for plane in 0..if self.is_planar { self.bands } else { 1 } {
            for strip in 0..self.height.div_ceil(self.rows) {
                let packed = self.pack(&self.rows_of_strip(strip, plane));
                offsets.push(out.len() as u64);
                counts.push(packed.len() as u64);
                out.extend_from_slice(&packed);
            }
        }
        let mut directory = DirectoryBuilder::default();
        directory.long(tag::IMAGE_WIDTH, self.width);
        directory.long(tag::IMAGE_LENGTH, self.height);
        directory.shorts(
            tag::BITS_PER_SAMPLE,
            &vec![self.bits; usize::from(self.bands)],
        );
        directory.shorts(tag::SAMPLES_PER_PIXEL, &[self.bands]);
        directory.shorts(tag::COMPRESSION, &[self.compression]);
        directory.shorts(tag::PHOTOMETRIC, &[self.photometric]);
        directory.shorts(tag::PLANAR_CONFIGURATION, &[1 + u16::from(self.is_planar)]);
        directory.long(tag::ROWS_PER_STRIP, self.rows);
        directory.offsets(tag::STRIP_OFFSETS, &offsets, self.form);
        directory.offsets(tag::STRIP_BYTE_COUNTS, &counts, self.form);
        directory.text(tag::GDAL_NODATA, "999");
        directory.doubles(tag::MODEL_PIXEL_SCALE, &[2.0, 2.0, 0.0]);
        directory.doubles(tag::MODEL_TIEPOINT, &[0.0, 0.0, 0.0, 10.0, 20.0, 0.0]);
        directory.shorts(tag::GEO_KEY_DIRECTORY, &[1, 1, 0, 1, 1_025, 0, 1, 2]);
        let (bytes, at) = directory.pack(out.len() as u64, 0, self.form);
        out.extend_from_slice(&bytes);
        let head = self.form.head(at);
        out[..head.len()].copy_from_slice(&head);
        out
    }
}
