use flate2::{Decompress, FlushDecompress, Status};
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use crate::raster::error::Fault;

/// Fills `out` from a zlib stream; what follows in `data` is ignored.
pub(super) fn inflate(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    let mut stream = Decompress::new(true);
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let result = stream.decompress(&data[read..], &mut out[written..], FlushDecompress::None);
        let (now_read, now_written) = (stream.total_in() as usize, stream.total_out() as usize);
        let is_stuck = now_read == read && now_written == written;
        (read, written) = (now_read, now_written);
        match result {
            Ok(Status::StreamEnd) => break,
            Ok(_) if is_stuck => break,
            Ok(_) => {}
            // Wrong check sums come after the last pixel, which is then there.
            Err(_) if written == out.len() => break,
            Err(error) => return Err(Fault::damaged(format!("Deflate: {error}"))),
        }
    }
    all_there(written, out.len(), "Deflate")
}

/// Fills `out` from an LZW stream, of the usual kind or of that before TIFF 6.
pub(super) fn unpack_lzw(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    let is_old = data.len() > 1 && data[0] == 0 && data[1] & 1 == 1;
    let mut decoder = if is_old {
        Decoder::new(BitOrder::Lsb, 8)
    } else {
        Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let step = decoder.decode_bytes(&data[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) => {}
            Ok(LzwStatus::NoProgress | LzwStatus::Done) => break,
            Err(error) => return Err(Fault::damaged(format!("LZW: {error}"))),
        }
    }
    all_there(written, out.len(), "LZW")
}

/// Fills `out` from a `PackBits` stream.
pub(super) fn unpack_packbits(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    let (mut rest, mut written) = (data, 0);
    while written < out.len() {
        let Some((&control, tail)) = rest.split_first() else {
            break;
        };
        let left = out.len() - written;
        match control {
            0..=127 => {
                let len = (usize::from(control) + 1).min(left).min(tail.len());
                out[written..written + len].copy_from_slice(&tail[..len]);
                written += len;
                rest = &tail[len..];
                if tail.is_empty() {
                    break;
                }
            }
            128 => rest = tail,
            129..=255 => {
                let Some((&value, tail)) = tail.split_first() else {
                    break;
                };
                let len = (257 - usize::from(control)).min(left);
                out[written..written + len].fill(value);
                written += len;
                rest = tail;
            }
        }
    }
    all_there(written, out.len(), "PackBits")
}

fn all_there(written: usize, expected: usize, codec: &str) -> Result<(), Fault> {
    if written < expected {
        return Err(Fault::damaged(format!(
            "{codec} data end after {written} of {expected} bytes"
        )));
    }
    Ok(())
}

/// Rows of samples with fewer than 8 bits; each row starts at a byte.
#[derive(Clone, Copy, Debug)]
pub(in crate::raster) struct BitRows {
    /// Bits of a sample: 1, 2 or 4.
    pub bits: u16,
    /// Samples of a row.
    pub samples: usize,
}

impl BitRows {
    /// Bytes of a packed row.
    pub const fn row_bytes(self) -> usize {
        (self.samples * self.bits as usize).div_ceil(8)
    }
}

/// One byte for each sample, in value unchanged.
pub(in crate::raster) fn unpack_bits(packed: &[u8], rows: BitRows, out: &mut [u8]) {
    let bits = u32::from(rows.bits);
    let per_byte = 8 / bits as usize;
    let mask = (1_u8 << bits) - 1;
    let lines = packed
        .chunks_exact(rows.row_bytes())
        .zip(out.chunks_exact_mut(rows.samples));
    for (packed, out) in lines {
        for (&byte, out) in packed.iter().zip(out.chunks_mut(per_byte)) {
            for (index, sample) in out.iter_mut().enumerate() {
                *sample = (byte >> (8 - bits * (index as u32 + 1))) & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packbits_of_the_specification() {
        let packed = [
            0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7,
            0xAA,
        ];
        let mut out = [0; 24];
        unpack_packbits(&packed, &mut out).unwrap();
        assert_eq!(out[..7], [0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA]);
        assert_eq!(out[14..], [0xAA; 10]);
        assert!(unpack_packbits(&packed[..5], &mut out).is_err());
    }

    #[test]
    fn bits_come_high_first_and_rows_start_at_bytes() {
        let mut out = [9; 6];
        unpack_bits(
            &[0b1010_0000, 0b0110_0000],
            BitRows {
                bits: 1,
                samples: 3,
            },
            &mut out,
        );
        assert_eq!(out, [1, 0, 1, 0, 1, 1]);
        let mut out = [9; 3];
        unpack_bits(
            &[0x12, 0x3F],
            BitRows {
                bits: 4,
                samples: 3,
            },
            &mut out,
        );
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn streams_that_end_early_are_errors() {
        let mut out = [0; 64];
        for data in [&[][..], &[0x80], &[0x78, 0x9C], &[0x80, 0x00, 0x10]] {
            assert!(inflate(data, &mut out).is_err());
            assert!(unpack_lzw(data, &mut out).is_err());
            assert!(unpack_packbits(data, &mut out).is_err());
        }
    }
}
