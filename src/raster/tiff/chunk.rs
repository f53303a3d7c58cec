use super::bits::{BitRows, unpack_bits, unpack_odd_bits};
use super::codec::{inflate, unpack_lzw, unpack_packbits, unpack_xz, unpack_zstd};
use super::grid::ChunkAt;
use super::jpeg::{JpegColors, decode_jpeg, whole_stream};
use super::lerc::{LercShape, decode_lerc};
use super::numbers::Stored;
use super::page::{Compression, FillOrder, Page, Photometric};
use super::webp::decode_webp;
use super::ycbcr::YCbCr;
use crate::geom::ImageSize;
use crate::job::fenced;
use crate::raster::error::Fault;
use crate::raster::limits::{MAX_CHUNK_BYTES, filled, zeroed};
use crate::raster::read_at::ReadAt;
use crate::raster::source::{Layout, SampleType};

/// Samples of one chunk: unpacked to whole bytes, in this machine's byte order.
#[derive(Debug)]
pub struct Chunk {
    /// Rows of samples, bands interleaved, without padding.
    pub bytes: Vec<u8>,
}

impl Page {
    /// Reads and decodes one chunk. One that was never written holds `nodata` or 0.
    pub fn read_chunk(
        &self,
        bytes: &dyn ReadAt,
        at: ChunkAt,
        nodata: Option<f64>,
    ) -> Result<Chunk, Fault> {
        let Some(colors) = self.ycbcr.as_ref().filter(|_| self.grid.chunk_bands == 1) else {
            let bytes = self.read_plane(bytes, at, nodata)?;
            return Ok(Chunk { bytes });
        };
        // A color needs all three planes, of which one is asked for.
        let plane = |plane| self.read_plane(bytes, ChunkAt { plane, ..at }, nodata);
        let [luma, cb, cr] = [plane(0)?, plane(1)?, plane(2)?];
        let codes = luma.iter().zip(cb.iter().zip(&cr));
        let wanted = usize::from(at.plane).min(2);
        let pixels = codes.map(|(&luma, (&cb, &cr))| colors.rgb([luma, cb, cr])[wanted]);
        Ok(Chunk {
            bytes: pixels.collect(),
        })
    }

    /// Where a chunk is, for a person.
    pub(super) fn place_of(&self, at: ChunkAt) -> String {
        let is_apart = self.grid.chunk_bands != self.bands;
        let band = if is_apart {
            format!(" of band {}", at.plane + 1)
        } else {
            String::new()
        };
        match self.grid.layout {
            Layout::Tiles { .. } => {
                format!("tile in column {}, row {}{band}", at.col + 1, at.row + 1)
            }
            Layout::Strips { .. } | Layout::Whole => format!("strip {}{band}", at.row + 1),
        }
    }

    fn read_plane(
        &self,
        bytes: &dyn ReadAt,
        at: ChunkAt,
        nodata: Option<f64>,
    ) -> Result<Vec<u8>, Fault> {
        let read = self.plane_at(bytes, at, nodata);
        read.map_err(|fault| fault.within(self.place_of(at)))
    }

    fn plane_at(
        &self,
        bytes: &dyn ReadAt,
        at: ChunkAt,
        nodata: Option<f64>,
    ) -> Result<Vec<u8>, Fault> {
        let rows = self.grid.rows_of(at.row, self.size) as usize;
        let Some((offset, count)) = self.grid.place(at) else {
            return void(self.sample, rows * self.bit_rows().samples, nodata);
        };
        let mut data = self.read_stored(bytes, offset, count, rows)?;
        let is_picture = matches!(self.compression, Compression::Jpeg | Compression::WebP);
        if self.fill_order == FillOrder::LowFirst && !is_picture {
            for byte in &mut data {
                *byte = byte.reverse_bits();
            }
        }
        fenced(|| self.decode(data, rows)).map_err(Fault::Damaged)?
    }

    fn read_stored(
        &self,
        bytes: &dyn ReadAt,
        offset: u64,
        count: u64,
        rows: usize,
    ) -> Result<Vec<u8>, Fault> {
        let mut count = count;
        if self.compression == Compression::None {
            // Longer counts than pixels are common and harmless.
            count = count.min(self.stored_bytes(rows) as u64);
        }
        let left = bytes.len().saturating_sub(offset);
        if count > left {
            // Codecs say themselves whether what is missing matters.
            count = left;
        }
        if count > 2 * MAX_CHUNK_BYTES {
            return Err(Fault::damaged(
                "a chunk claims more than 512 MiB of compressed data",
            ));
        }
        let mut data = zeroed(count as usize)?;
        bytes.read_exact_at(&mut data, offset)?;
        Ok(data)
    }

    fn bit_rows(&self) -> BitRows {
        BitRows {
            bits: self.bits,
            samples: self.grid.chunk.width as usize * usize::from(self.grid.chunk_bands),
        }
    }

    /// Bytes of a chunk of `rows` rows before it was compressed.
    pub(super) fn stored_bytes(&self, rows: usize) -> usize {
        match self.interleaved_ycbcr() {
            Some(colors) => colors.packed_bytes(self.chunk_size(rows)),
            None => self.bit_rows().row_bytes() * rows,
        }
    }

    fn chunk_size(&self, rows: usize) -> ImageSize {
        ImageSize::new(self.grid.chunk.width, rows as u32)
    }

    fn decode(&self, mut data: Vec<u8>, rows: usize) -> Result<Vec<u8>, Fault> {
        let size = self.chunk_size(rows);
        let bands = usize::from(self.grid.chunk_bands);
        match self.compression {
            Compression::Jpeg => return self.decode_jpeg_chunk(&data, rows),
            Compression::WebP => return decode_webp(&data, size, bands),
            Compression::Lerc(packing) => {
                let last = Some(self.bands - 1);
                let shape = LercShape {
                    size,
                    bands,
                    sample: self.sample,
                    has_alpha: bands > 1 && self.alpha.map(|alpha| alpha.band) == last,
                };
                return decode_lerc(&data, packing, shape);
            }
            _ => {}
        }
        let len = self.stored_bytes(rows);
        let out = if self.compression == Compression::None {
            if data.len() < len {
                return Err(Fault::damaged("the file ends inside of a chunk"));
            }
            data.truncate(len);
            data
        } else {
            let mut out = zeroed(len)?;
            match self.compression {
                Compression::Lzw => unpack_lzw(&data, &mut out)?,
                Compression::Deflate => inflate(&data, &mut out)?,
                Compression::Zstd => unpack_zstd(&data, &mut out)?,
                Compression::Lzma => unpack_xz(&data, &mut out)?,
                _ => unpack_packbits(&data, &mut out)?,
            }
            out
        };
        if let Some(colors) = self.interleaved_ycbcr() {
            let mut pixels = zeroed(size.num_pixels() as usize * 3)?;
            colors.paint(&out, size, &mut pixels);
            return Ok(pixels);
        }
        self.whole_numbers(out, rows)
    }

    /// Samples in whole bytes of this machine's order.
    pub(super) fn whole_numbers(&self, mut out: Vec<u8>, rows: usize) -> Result<Vec<u8>, Fault> {
        let packing = self.bit_rows();
        if matches!(packing.bits, 8 | 16 | 32 | 64) {
            let order = Stored {
                bands: usize::from(self.grid.chunk_bands),
                bytes: usize::from(packing.bits / 8),
                row_len: packing.row_bytes(),
                is_foreign: self.order.is_foreign(),
                predictor: self.predictor,
            };
            order.restore(&mut out);
            return Ok(out);
        }
        let mut unpacked = zeroed(packing.samples * packing.unpacked_bytes() * rows)?;
        match packing.bits {
            1 | 2 | 4 => unpack_bits(&out, packing, &mut unpacked),
            _ => {
                // GDAL writes interleaved numbers of 24 bits high bits first, against the
                // specification, and reads only planes in the order of the file.
                let is_plane = self.grid.chunk_bands < self.bands;
                let whole_bytes = is_plane.then_some(self.order);
                unpack_odd_bits(&out, packing, whole_bytes, &mut unpacked);
            }
        }
        Ok(unpacked)
    }

    /// Colors that are stored in interleaved blocks, and not by a codec that makes RGB of them.
    fn interleaved_ycbcr(&self) -> Option<&YCbCr> {
        self.ycbcr.as_ref().filter(|_| self.grid.chunk_bands == 3)
    }

    fn decode_jpeg_chunk(&self, data: &[u8], rows: usize) -> Result<Vec<u8>, Fault> {
        let bands = usize::from(self.grid.chunk_bands);
        let colors = match (bands, self.photometric) {
            (1, _) => JpegColors::Grey,
            (3, Photometric::YCbCr) => JpegColors::Rgb,
            _ => JpegColors::AsStored,
        };
        let stream = whole_stream(&self.jpeg_tables, data, colors)?;
        let (width, most_rows) = (self.grid.chunk.width, self.grid.chunk.height);
        let (size, _, pixels) = decode_jpeg(stream, colors, |header| {
            let (size, found) = (header.size, header.components);
            let is_small = size.width < width || (size.height as usize) < rows;
            if is_small
                || size.width > width.saturating_add(15)
                || size.height > most_rows.saturating_add(15)
            {
                return Err(Fault::damaged(format!(
                    "a JPEG chunk of {width} × {rows} pixels claims {size}"
                )));
            }
            if usize::from(found) != bands {
                return Err(Fault::damaged(format!(
                    "a JPEG chunk has {found} of {bands} bands"
                )));
            }
            Ok(())
        })?;
        let (row_len, found_len) = (width as usize * bands, size.width as usize * bands);
        if found_len == row_len && size.height as usize == rows {
            return Ok(pixels);
        }
        let mut out = zeroed(row_len * rows)?;
        let len = row_len.min(found_len);
        for (out, row) in out
            .chunks_exact_mut(row_len)
            .zip(pixels.chunks_exact(found_len))
        {
            out[..len].copy_from_slice(&row[..len]);
        }
        Ok(out)
    }
}

/// What a chunk holds that was never written.
fn void(sample: SampleType, count: usize, nodata: Option<f64>) -> Result<Vec<u8>, Fault> {
    // A value that the samples cannot hold marks nothing.
    let holds = |value: &f64| sample.range().is_none_or(|range| range.contains(value));
    let value = nodata.filter(holds).unwrap_or(0.0);
    let number: &[u8] = match sample {
        SampleType::U1 | SampleType::U2 | SampleType::U4 | SampleType::U8 => &[value as u8],
        SampleType::I8 => &(value as i8).to_ne_bytes(),
        SampleType::U16 => &(value as u16).to_ne_bytes(),
        SampleType::I16 => &(value as i16).to_ne_bytes(),
        SampleType::U32 => &(value as u32).to_ne_bytes(),
        SampleType::I32 => &(value as i32).to_ne_bytes(),
        SampleType::U64 => &(value as u64).to_ne_bytes(),
        SampleType::I64 => &(value as i64).to_ne_bytes(),
        SampleType::F16 => &[0, 0],
        SampleType::F32 => &(value as f32).to_ne_bytes(),
        SampleType::F64 => &value.to_ne_bytes(),
    };
    if let [byte] = *number {
        return filled(count, byte);
    }
    let mut out = zeroed(count * number.len())?;
    out.chunks_exact_mut(number.len())
        .for_each(|out| out.copy_from_slice(number));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_never_written_holds_nodata() {
        assert_eq!(void(SampleType::U8, 3, Some(255.0)).unwrap(), [255; 3]);
        assert_eq!(
            void(SampleType::I16, 1, Some(-9_999.0)).unwrap(),
            (-9_999_i16).to_ne_bytes()
        );
        assert_eq!(void(SampleType::U16, 2, None).unwrap(), [0; 4]);
    }
}
