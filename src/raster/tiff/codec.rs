use std::io::{BufRead, Read};

use flate2::bufread::ZlibDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

use crate::raster::error::Fault;
use crate::raster::lzw;

/// Logarithm to base 2 of the most bytes that a Zstandard frame may look back; what the library
/// itself writes at its highest usual level.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;
/// The most bytes that an XZ decoder may take; its highest level needs 65 MiB.
const MAX_XZ_MEMORY: u64 = 128 << 20;

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

/// All that a zlib stream holds, at most `most` bytes.
pub(super) fn inflate_at_most(data: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    read_at_most(ZlibDecoder::new(data), most, "Deflate")
}

/// Fills `out` from a Zstandard frame; what follows in `data` is ignored.
pub(super) fn unpack_zstd(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    fill(&mut zstd_frame(data)?, out, "ZSTD")
}

/// All that a Zstandard frame holds, at most `most` bytes.
pub(super) fn unpack_zstd_at_most(data: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    read_at_most(zstd_frame(data)?, most, "ZSTD")
}

/// The bytes of the first Zstandard frame.
pub(super) fn zstd_frame<R: BufRead>(data: R) -> Result<impl Read + use<R>, Fault> {
    let decoder = zstd::stream::read::Decoder::with_buffer(data);
    let mut decoder = decoder.map_err(|error| Fault::damaged(format!("ZSTD: {error}")))?;
    let limited = decoder.window_log_max(MAX_ZSTD_WINDOW_LOG);
    limited.map_err(|error| Fault::damaged(format!("ZSTD: {error}")))?;
    Ok(decoder.single_frame())
}

/// Fills `out` from an XZ stream; what follows in `data` is ignored.
pub(super) fn unpack_xz(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    fill(&mut xz_stream(data)?, out, "LZMA")
}

/// The bytes of an XZ stream.
pub(super) fn xz_stream<R: BufRead>(data: R) -> Result<XzDecoder<R>, Fault> {
    let stream = Stream::new_stream_decoder(MAX_XZ_MEMORY, 0);
    let stream = stream.map_err(|error| Fault::damaged(format!("LZMA: {error}")))?;
    Ok(XzDecoder::new_stream(data, stream))
}

/// Fills `out` from what `from` gives.
pub(super) fn fill(from: &mut dyn Read, out: &mut [u8], codec: &str) -> Result<(), Fault> {
    let mut written = 0;
    while written < out.len() {
        match from.read(&mut out[written..]) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) => return Err(Fault::damaged(format!("{codec}: {error}"))),
        }
    }
    all_there(written, out.len(), codec)
}

fn read_at_most(from: impl Read, most: usize, codec: &str) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    from.take(most as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|error| Fault::damaged(format!("{codec}: {error}")))?;
    if out.len() > most {
        return Err(Fault::damaged(format!(
            "{codec} data hold more than {most} bytes"
        )));
    }
    Ok(out)
}

/// Fills `out` from an LZW stream, of the usual kind or of that before TIFF 6.
pub(super) fn unpack_lzw(data: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    match lzw::unpack(data, out) {
        Ok(written) => all_there(written, out.len(), "LZW"),
        Err(lzw::UnknownCode) => Err(Fault::damaged(
            "LZW: a code stands for nothing that came before".to_owned(),
        )),
    }
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
    fn streams_that_end_early_are_errors() {
        let mut out = [0; 64];
        for data in [&[][..], &[0x80], &[0x78, 0x9C], &[0x80, 0x00, 0x10]] {
            assert!(inflate(data, &mut out).is_err());
            assert!(unpack_lzw(data, &mut out).is_err());
            assert!(unpack_packbits(data, &mut out).is_err());
            assert!(unpack_zstd(data, &mut out).is_err());
            assert!(unpack_xz(data, &mut out).is_err());
        }
    }
}
