//! Whether a JPEG stream holds the samples that its header promises. Decoders make grey of what is
//! missing and say nothing.

use super::jpeg_frame::JpegFrame;
use super::jpeg_walk::walk_scans;
use crate::raster::error::Fault;

const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
/// Ones alone, which are no code of any table (ITU-T T.81, C.2); more of them than a decoder reads
/// ahead. In a scan, a zero follows each byte of ones.
const NO_CODE: [u8; 16] = [
    0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0,
];

/// Sees to it that a scan that ends too early is noticed: one that holds all components ends in what
/// is no code, so that a decoder stops there; several are read here.
pub(super) fn with_guard(mut stream: Vec<u8>, frame: &JpegFrame) -> Result<Vec<u8>, Fault> {
    if frame.kept_bytes() > 0 {
        walk_scans(&stream, frame)?;
        return Ok(stream);
    }
    let start = frame.scan_at.min(stream.len());
    stream.truncate(start + scan_len(&stream[start..]));
    stream.extend_from_slice(&NO_CODE);
    stream.extend_from_slice(&END_OF_IMAGE);
    Ok(stream)
}

/// Bytes of a scan that begins here, up to the marker behind it or the end.
pub(super) fn scan_len(data: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = data[at..].iter().position(|&byte| byte == 0xFF) {
        at += found;
        match data.get(at + 1) {
            Some(0x00 | 0xD0..=0xD7) => at += 2,
            Some(0xFF) => at += 1,
            _ => return at,
        }
    }
    data.len()
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;
    use crate::raster::tiff::jpeg::{JpegColors, decode_jpeg};
    use crate::raster::tiff::jpeg_frame::segments;

    /// The last groups of two blocks by two have one row and one column of blocks more than this.
    const SIDE: u16 = 37;

    struct Made {
        stream: Vec<u8>,
        is_progressive: bool,
    }

    /// Pixels that no two blocks have alike, packed in each way.
    fn streams() -> Vec<Made> {
        let side = u32::from(SIDE);
        let color = |at: u32| [at * 7, at / side * 5, at * at].map(|value| (value % 251) as u8);
        let pixels: Vec<u8> = (0..side * side).flat_map(color).collect();
        let ways = [(false, 0), (false, 3), (true, 0), (true, 3)];
        let factors = [SamplingFactor::F_1_1, SamplingFactor::F_2_2];
        let all = ways
            .into_iter()
            .flat_map(|way| factors.map(|kind| (way, kind)));
        all.map(|((is_progressive, restart), factor)| {
            let mut stream = Vec::new();
            let mut encoder = Encoder::new(&mut stream, 85);
            encoder.set_progressive(is_progressive);
            encoder.set_restart_interval(restart);
            encoder.set_sampling_factor(factor);
            encoder.encode(&pixels, SIDE, SIDE, ColorType::Rgb).unwrap();
            Made {
                stream,
                is_progressive,
            }
        })
        .collect()
    }

    fn decodes(stream: &[u8]) -> bool {
        decode_jpeg(stream.to_vec(), JpegColors::Rgb, |_| Ok(())).is_ok()
    }

    #[test]
    fn a_scan_that_ends_early_is_an_error() {
        for Made { stream, .. } in streams() {
            assert!(decodes(&stream));
            // The last two bytes are a marker, which nothing is lost with.
            for len in (2..stream.len() - 3).step_by(7) {
                assert!(!decodes(&stream[..len]), "{len} of {}", stream.len());
            }
            let trailing = [&stream[..], &[0; 40]].concat();
            assert!(decodes(&trailing));
        }
    }

    #[test]
    fn so_is_one_with_an_end_put_behind_it() {
        for Made { stream, .. } in streams() {
            let scans = segments(&stream).filter(|&(marker, ..)| marker == 0xDA);
            for (_, _, start) in scans {
                let len = scan_len(&stream[start..]);
                for share in 1..4 {
                    let cut = [&stream[..start + len * share / 4], &END_OF_IMAGE].concat();
                    assert!(!decodes(&cut), "{share} of 4 of the scan at {start}");
                }
            }
        }
    }

    #[test]
    fn a_header_that_says_something_else_is_a_lie() {
        for made in streams() {
            let is_frame = |found: &[u8]| matches!(found, [0xFF, 0xC0 | 0xC2, 0, 17]);
            let at = made.stream.windows(4).position(is_frame).unwrap() + 5;
            let more = SIDE + if made.is_progressive { 8 } else { 16 };
            let mut lies = vec![[more, SIDE], [SIDE, more], [9_000, 9_000]];
            if made.is_progressive {
                lies.extend([[SIDE - 16, SIDE], [SIDE, SIDE - 16]]);
            }
            for [height, width] in lies {
                let mut lie = made.stream.clone();
                lie[at..at + 2].copy_from_slice(&height.to_be_bytes());
                lie[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
                assert!(!decodes(&lie), "{width} × {height}");
            }
        }
    }

    /// A grey picture and where its scan begins.
    fn grey(width: u16, height: u16) -> (Vec<u8>, usize) {
        let mut stream = Vec::new();
        let encoder = Encoder::new(&mut stream, 95);
        let count = u32::from(width) * u32::from(height);
        let pixels: Vec<u8> = (0..count).map(|at| (at * 3 % 256) as u8).collect();
        encoder
            .encode(&pixels, width, height, ColorType::Luma)
            .unwrap();
        let at = JpegFrame::of(&stream).unwrap().scan_at;
        (stream, at)
    }

    fn samples(stream: &[u8]) -> Vec<u8> {
        let decoded = decode_jpeg(stream.to_vec(), JpegColors::AsStored, |_| Ok(()));
        decoded.unwrap().2
    }

    /// Three components, each in a scan that is one of a grey picture: 16 × 24 pixels of the first,
    /// a quarter of that of the others.
    fn apart(order: [u8; 3]) -> Vec<u8> {
        let (large, small) = (grey(16, 24), grey(8, 12));
        let scan = |(stream, at): &(Vec<u8>, usize)| stream[*at..stream.len() - 2].to_vec();
        let scans = [scan(&large), scan(&small), scan(&small)];
        let mut stream = vec![0xFF, 0xD8];
        // Adobe, no conversion.
        stream.extend([0xFF, 0xEE, 0, 14]);
        stream.extend(b"Adobe\0d\0\0\0\0\0");
        for (marker, body, end) in segments(&large.0) {
            match marker {
                0xC0 => {
                    stream.extend([0xFF, 0xC0, 0, 17, 8, 0, 24, 0, 16, 3]);
                    stream.extend([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
                }
                0xDA => {
                    for id in order {
                        stream.extend([0xFF, 0xDA, 0, 8, 1, id, 0, 0, 63, 0]);
                        stream.extend(&scans[usize::from(id) - 1]);
                    }
                    break;
                }
                _ => stream.extend(&large.0[end - body.len() - 4..end]),
            }
        }
        stream.extend(END_OF_IMAGE);
        stream
    }

    #[test]
    fn components_may_come_one_by_one() {
        let [large, small] = [grey(16, 24), grey(8, 12)].map(|(stream, _)| samples(&stream));
        for order in [[1, 2, 3], [3, 1, 2]] {
            let stream = apart(order);
            assert!(JpegFrame::of(&stream).unwrap().is_odd());
            let pixels = samples(&stream);
            let bands = [0, 1, 2]
                .map(|band| -> Vec<u8> { pixels.iter().skip(band).step_by(3).copied().collect() });
            let near = |one: u8, other: u8| one.abs_diff(other) <= 2;
            assert!(bands[0].iter().zip(&large).all(|(&a, &b)| near(a, b)));
            assert_eq!(bands[1], bands[2]);
            let mean = |of: &[u8]| of.iter().map(|&value| f64::from(value)).sum::<f64>();
            let [whole, quarter] = [mean(&bands[1]) / 384.0, mean(&small) / 96.0];
            assert!((whole - quarter).abs() < 4.0, "{whole} {quarter}");
            let last = stream.len() - 2;
            for len in [last - 9, last - 40, last / 2] {
                let cut = [&stream[..len], &END_OF_IMAGE].concat();
                assert!(!decodes(&cut), "{len} of {last}");
            }
        }
    }
}
