use std::io::Write as _;

use flate2::write::ZlibEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::options::Compression;
use crate::raster::lzw;

/// Deflate levels: colors hardly shrink with more effort, indices do.
const COLOR_LEVEL: u32 = 4;
const INDEX_LEVEL: u32 = 6;

/// ZSTD at its own usual level.
const ZSTD_LEVEL: i32 = 3;

impl Compression {
    /// Its number in a directory.
    pub(in crate::raster) const fn code(self) -> u16 {
        match self {
            Self::None => 1,
            Self::Lzw => 5,
            Self::Jpeg { .. } => 7,
            Self::Deflate => 8,
            Self::Zstd => 50_000,
        }
    }
}

/// How the tiles of a file are packed.
#[derive(Clone, Copy, Debug)]
pub(in crate::raster) struct TileCodec {
    pub(in crate::raster) compression: Compression,
    /// Bands of a pixel.
    pub(in crate::raster) bands: usize,
    /// Bytes of a sample.
    pub(in crate::raster) sample_bytes: usize,
    /// Whether neighbours are alike, so that differences pack better: whole numbers that are no
    /// indices.
    pub(in crate::raster) is_smooth: bool,
    /// Side of a tile in pixels.
    pub(in crate::raster) tile: u32,
}

impl TileCodec {
    /// Whether tiles hold differences to the left neighbour.
    pub(in crate::raster) const fn has_predictor(self) -> bool {
        let is_packed = matches!(
            self.compression,
            Compression::Deflate | Compression::Lzw | Compression::Zstd
        );
        is_packed && self.is_smooth
    }

    /// The stored bytes of a full tile.
    pub(in crate::raster) fn encode(self, mut pixels: Vec<u8>) -> Result<Vec<u8>, String> {
        if self.has_predictor() {
            self.subtract_left(&mut pixels);
        }
        match self.compression {
            Compression::None => Ok(pixels),
            Compression::Lzw => Ok(lzw::pack(&pixels)),
            Compression::Zstd => {
                zstd::bulk::compress(&pixels, ZSTD_LEVEL).map_err(|error| error.to_string())
            }
            Compression::Deflate => {
                let level = if self.is_smooth {
                    COLOR_LEVEL
                } else {
                    INDEX_LEVEL
                };
                let sink = Vec::with_capacity(pixels.len() / 4);
                let mut encoder = ZlibEncoder::new(sink, flate2::Compression::new(level));
                encoder
                    .write_all(&pixels)
                    .map_err(|error| error.to_string())?;
                encoder.finish().map_err(|error| error.to_string())
            }
            Compression::Jpeg { quality } => self.encode_jpeg(&pixels, quality),
        }
    }

    fn encode_jpeg(self, pixels: &[u8], quality: u8) -> Result<Vec<u8>, String> {
        let side = u16::try_from(self.tile).map_err(|error| error.to_string())?;
        let colors = if self.bands == 3 {
            ColorType::Rgb
        } else {
            ColorType::Luma
        };
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, quality.clamp(1, 100));
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder
            .encode(pixels, side, side, colors)
            .map_err(|error| error.to_string())?;
        Ok(out)
    }

    fn subtract_left(self, pixels: &mut [u8]) {
        let bands = self.bands;
        let row_len = self.tile as usize * bands * self.sample_bytes;
        for row in pixels.chunks_exact_mut(row_len) {
            match self.sample_bytes {
                1 => {
                    for index in (bands..row.len()).rev() {
                        row[index] = row[index].wrapping_sub(row[index - bands]);
                    }
                }
                2 => subtract(
                    row,
                    bands,
                    u16::from_le_bytes,
                    u16::wrapping_sub,
                    u16::to_le_bytes,
                ),
                4 => subtract(
                    row,
                    bands,
                    u32::from_le_bytes,
                    u32::wrapping_sub,
                    u32::to_le_bytes,
                ),
                _ => subtract(
                    row,
                    bands,
                    u64::from_le_bytes,
                    u64::wrapping_sub,
                    u64::to_le_bytes,
                ),
            }
        }
    }
}

/// Differences to the left of samples of `N` bytes.
fn subtract<const N: usize, T>(
    row: &mut [u8],
    bands: usize,
    read: fn([u8; N]) -> T,
    less: fn(T, T) -> T,
    write: fn(T) -> [u8; N],
) {
    let samples = row.as_chunks_mut::<N>().0;
    for index in (bands..samples.len()).rev() {
        let difference = less(read(samples[index]), read(samples[index - bands]));
        samples[index] = write(difference);
    }
}
