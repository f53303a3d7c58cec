use super::codec::{BitRows, inflate, unpack_bits, unpack_lzw, unpack_packbits};
use super::grid::ChunkAt;
use super::jpeg::{JpegColors, decode_jpeg, whole_stream};
use super::page::{Compression, FillOrder, Page, Photometric, Predictor};
use crate::job::fenced;
use crate::raster::error::Fault;
use crate::raster::limits::{MAX_CHUNK_BYTES, filled, zeroed};
use crate::raster::read_at::ReadAt;
use crate::raster::source::SampleType;

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
        let rows = self.grid.rows_of(at.row, self.size) as usize;
        let samples = self.grid.chunk.width as usize * usize::from(self.grid.chunk_bands);
        let Some((offset, count)) = self.grid.place(at) else {
            return Ok(Chunk {
                bytes: void(self.sample, rows * samples, nodata)?,
            });
        };
        let mut data = self.read_stored(bytes, offset, count, rows)?;
        if self.fill_order == FillOrder::LowFirst && self.compression != Compression::Jpeg {
            for byte in &mut data {
                *byte = byte.reverse_bits();
            }
        }
        let decoded = fenced(|| self.decode(&data, rows, samples));
        Ok(Chunk {
            bytes: decoded.map_err(Fault::Damaged)??,
        })
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
            count = count.min((self.stored_row_bytes() * rows) as u64);
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

    fn stored_row_bytes(&self) -> usize {
        let samples = self.grid.chunk.width as usize * usize::from(self.grid.chunk_bands);
        BitRows {
            bits: self.sample.bits(),
            samples,
        }
        .row_bytes()
    }

    fn decode(&self, data: &[u8], rows: usize, samples: usize) -> Result<Vec<u8>, Fault> {
        if self.compression == Compression::Jpeg {
            return self.decode_jpeg_chunk(data, rows);
        }
        let len = self.stored_row_bytes() * rows;
        let mut out = zeroed(len)?;
        match self.compression {
            Compression::None if data.len() < len => {
                return Err(Fault::damaged("the file ends inside of a chunk"));
            }
            Compression::None => out.copy_from_slice(&data[..len]),
            Compression::Lzw => unpack_lzw(data, &mut out)?,
            Compression::Deflate => inflate(data, &mut out)?,
            _ => unpack_packbits(data, &mut out)?,
        }
        if self.sample.bits() < 8 {
            let mut unpacked = zeroed(samples * rows)?;
            unpack_bits(
                &out,
                BitRows {
                    bits: self.sample.bits(),
                    samples,
                },
                &mut unpacked,
            );
            return Ok(unpacked);
        }
        self.restore_numbers(&mut out);
        Ok(out)
    }

    /// Turns bytes around where the file comes from another kind of machine; undoes predictors.
    fn restore_numbers(&self, out: &mut [u8]) {
        let bands = usize::from(self.grid.chunk_bands);
        let row_len = self.stored_row_bytes();
        let width = usize::from(self.sample.bits() / 8);
        if self.predictor == Predictor::FloatingPoint {
            out.chunks_exact_mut(row_len)
                .for_each(|row| restore_floats(row, bands, width));
            return;
        }
        if self.is_foreign_order && width > 1 {
            out.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
        if self.predictor == Predictor::Horizontal {
            out.chunks_exact_mut(row_len).for_each(|row| match width {
                1 => add_bytes(row, bands),
                2 => add_left(
                    row,
                    bands,
                    u16::from_ne_bytes,
                    u16::wrapping_add,
                    u16::to_ne_bytes,
                ),
                4 => add_left(
                    row,
                    bands,
                    u32::from_ne_bytes,
                    u32::wrapping_add,
                    u32::to_ne_bytes,
                ),
                _ => add_left(
                    row,
                    bands,
                    u64::from_ne_bytes,
                    u64::wrapping_add,
                    u64::to_ne_bytes,
                ),
            });
        }
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
        let (size, found, pixels) = decode_jpeg(&stream, colors, |size| {
            if size.width > width.saturating_add(15) || size.height > most_rows.saturating_add(15) {
                return Err(Fault::damaged(format!("a JPEG chunk claims {size} pixels")));
            }
            Ok(())
        })?;
        if found != bands {
            return Err(Fault::damaged(format!(
                "a JPEG chunk has {found} of {bands} bands"
            )));
        }
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

/// Sums up differences to the left of one-byte samples.
fn add_bytes(row: &mut [u8], bands: usize) {
    match bands {
        1 => {
            let mut left = 0_u8;
            for sample in row {
                left = left.wrapping_add(*sample);
                *sample = left;
            }
        }
        3 => {
            let mut left = [0_u8; 3];
            for pixel in row.chunks_exact_mut(3) {
                for band in 0..3 {
                    left[band] = left[band].wrapping_add(pixel[band]);
                    pixel[band] = left[band];
                }
            }
        }
        _ => {
            for index in bands..row.len() {
                row[index] = row[index].wrapping_add(row[index - bands]);
            }
        }
    }
}

/// Sums up differences to the left of samples of `N` bytes.
fn add_left<const N: usize, T: Copy>(
    row: &mut [u8],
    bands: usize,
    read: fn([u8; N]) -> T,
    add: fn(T, T) -> T,
    write: fn(T) -> [u8; N],
) {
    let sample = |row: &[u8], at: usize| {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&row[at..at + N]);
        read(bytes)
    };
    for at in (bands * N..row.len() / N * N).step_by(N) {
        let sum = add(sample(row, at), sample(row, at - bands * N));
        row[at..at + N].copy_from_slice(&write(sum));
    }
}

/// Undoes predictor 3 (Adobe Technical Note 3): differences of bytes, highest bytes first.
fn restore_floats(row: &mut [u8], bands: usize, width: usize) {
    for index in bands..row.len() {
        row[index] = row[index].wrapping_add(row[index - bands]);
    }
    let planes = row.to_vec();
    let count = row.len() / width;
    for (index, number) in row.chunks_exact_mut(width).enumerate() {
        for (byte, out) in number.iter_mut().enumerate() {
            let plane = if cfg!(target_endian = "little") {
                width - 1 - byte
            } else {
                byte
            };
            *out = planes[plane * count + index];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_sum_up_within_their_band() {
        let mut row = [1, 10, 1, 10, 255, 5];
        add_bytes(&mut row, 2);
        assert_eq!(row, [1, 10, 2, 20, 1, 25]);
        let mut row = [1, 2, 3, 1, 1, 1];
        add_bytes(&mut row, 3);
        assert_eq!(row, [1, 2, 3, 2, 3, 4]);
    }

    #[test]
    fn floats_come_back_from_their_byte_planes() {
        // 1.0 = 3F 80 00 00 and 2.0 = 40 00 00 00: planes 3F 40 | 80 00 | 00 00 | 00 00.
        let mut row = [0x3F, 0x01, 0x40, 0x80, 0x00, 0x00, 0x00, 0x00];
        restore_floats(&mut row, 1, 4);
        assert_eq!(row[..4], 1.0_f32.to_ne_bytes());
        assert_eq!(row[4..], 2.0_f32.to_ne_bytes());
    }

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
