use super::tag;
use crate::raster::writer::{DirectoryBuilder, Form};

/// A small TIFF of any bands and sample type, made by hand for tests.
#[derive(Clone, Debug)]
pub(crate) struct MadeBands {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bands: u16,
    /// 8, 16 or 32, or 4 where a row has an even number of samples.
    pub(crate) bits: u16,
    /// As in the tag: 1 without a sign, 2 with one, 3 floating point.
    pub(crate) format: u16,
    pub(crate) photometric: u16,
    /// What the bands behind the colors are, as in the tag; 2 is alpha.
    pub(crate) extra: Vec<u16>,
    pub(crate) is_planar: bool,
    /// Side of a tile, or strips of three rows.
    pub(crate) tile: Option<u32>,
    pub(crate) nodata: &'static str,
}

impl MadeBands {
    /// Samples without a sign, interleaved, in strips, none of them alpha.
    pub(crate) fn new(width: u32, height: u32, bands: u16, bits: u16) -> Self {
        let colors = if bands < 3 { 1 } else { 3 };
        Self {
            width,
            height,
            bands,
            bits,
            format: 1,
            photometric: if bands < 3 { 1 } else { 2 },
            extra: vec![0; usize::from(bands - colors)],
            is_planar: false,
            tile: None,
            nodata: "none",
        }
    }

    /// The bytes of the file; `value` is that of a column, a row and a band from 0.
    pub(crate) fn file(&self, value: impl Fn(u32, u32, u16) -> f64) -> Vec<u8> {
        let mut out = vec![0; 16];
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        let (width, height) = self.tile.map_or((self.width, 3), |side| (side, side));
        for plane in 0..if self.is_planar { self.bands } else { 1 } {
            for top in (0..self.height).step_by(height as usize) {
                for left in (0..self.width).step_by(width as usize) {
                    let start = out.len();
                    let bottom = match self.tile {
                        Some(_) => top + height,
                        None => (top + height).min(self.height),
                    };
                    for (y, x) in
                        (top..bottom).flat_map(|y| (left..left + width).map(move |x| (y, x)))
                    {
                        let bands = if self.is_planar {
                            plane..plane + 1
                        } else {
                            0..self.bands
                        };
                        bands.for_each(|band| self.put(&mut out, value(x, y, band)));
                    }
                    if self.bits == 4 {
                        let pairs = out.split_off(start);
                        let pairs = pairs.as_chunks::<2>().0.iter();
                        out.extend(pairs.map(|[one, other]| one << 4 | other));
                    }
                    offsets.push(start as u64);
                    counts.push((out.len() - start) as u64);
                }
            }
        }
        let directory = self.directory(&offsets, &counts);
        let (bytes, at) = directory.pack(out.len() as u64, 0, Form::Classic);
        out.extend_from_slice(&bytes);
        let head = Form::Classic.head(at);
        out[..head.len()].copy_from_slice(&head);
        out
    }

    fn put(&self, out: &mut Vec<u8>, value: f64) {
        match (self.format, self.bits) {
            (3, _) => out.extend((value as f32).to_le_bytes()),
            (2, 16) => out.extend((value as i16).to_le_bytes()),
            (_, 4 | 8) => out.push(value as u8),
            (_, 16) => out.extend((value as u16).to_le_bytes()),
            _ => out.extend((value as u32).to_le_bytes()),
        }
    }

    fn directory(&self, offsets: &[u64], counts: &[u64]) -> DirectoryBuilder {
        let bands = usize::from(self.bands);
        let mut directory = DirectoryBuilder::default();
        directory.long(tag::IMAGE_WIDTH, self.width);
        directory.long(tag::IMAGE_LENGTH, self.height);
        directory.shorts(tag::BITS_PER_SAMPLE, &vec![self.bits; bands]);
        directory.shorts(tag::COMPRESSION, &[1]);
        directory.shorts(tag::PHOTOMETRIC, &[self.photometric]);
        directory.shorts(tag::SAMPLES_PER_PIXEL, &[self.bands]);
        directory.shorts(tag::PLANAR_CONFIGURATION, &[1 + u16::from(self.is_planar)]);
        let [at, lengths] = if let Some(side) = self.tile {
            directory.long(tag::TILE_WIDTH, side);
            directory.long(tag::TILE_LENGTH, side);
            [tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS]
        } else {
            directory.long(tag::ROWS_PER_STRIP, 3);
            [tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS]
        };
        directory.offsets(at, offsets, Form::Classic);
        directory.offsets(lengths, counts, Form::Classic);
        if !self.extra.is_empty() {
            directory.shorts(tag::EXTRA_SAMPLES, &self.extra);
        }
        directory.shorts(tag::SAMPLE_FORMAT, &vec![self.format; bands]);
        directory.text(tag::GDAL_NODATA, self.nodata);
        directory
    }
}
