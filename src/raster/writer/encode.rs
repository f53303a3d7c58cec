use std::io::Write as _;

use flate2::write::ZlibEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::options::Compression;

/// Deflate levels: colors hardly shrink with more effort, indices do.
const COLOR_LEVEL: u32 = 4;
const INDEX_LEVEL: u32 = 6;

/// How the tiles of a file are packed.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileCodec {
    pub(super) compression: Compression,
    /// Bytes of a pixel.
    pub(super) bands: usize,
    /// Side of a tile in pixels.
    pub(super) tile: u32,
}

impl TileCodec {
    /// Whether tiles hold differences to the left neighbour.
    pub(super) const fn has_predictor(self) -> bool {
        matches!(self.compression, Compression::Deflate) && self.bands > 1
    }

    /// The stored bytes of a full tile.
    pub(super) fn encode(self, mut pixels: Vec<u8>) -> Result<Vec<u8>, String> {
        match self.compression {
            Compression::None => Ok(pixels),
            Compression::Deflate => {
                if self.has_predictor() {
                    self.subtract_left(&mut pixels);
                }
                let level = if self.bands > 1 {
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
        for row in pixels.chunks_exact_mut(self.tile as usize * self.bands) {
            for index in (self.bands..row.len()).rev() {
                row[index] = row[index].wrapping_sub(row[index - self.bands]);
            }
        }
    }
}
