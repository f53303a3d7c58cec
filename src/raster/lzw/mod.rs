//! LZW as TIFF packs it (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first, each
//! width begun one code early. Files from before TIFF 6 have the lowest bit first and are not early.
//!
//! Written here since the crates' cost more than half as much again for orthophotos
//! (`docs/measurements.md`): a string of the table lies in the pixels already, so none is kept.

mod pack;
mod unpack;

pub(super) use pack::pack;
pub(super) use unpack::{UnknownCode, Unpacker, unpack};

/// Forgets all strings.
const CLEAR: u32 = 256;
/// Ends the stream.
const END: u32 = 257;
/// The first string of more than a byte.
const FIRST: u32 = 258;
const LEAST_WIDTH: u32 = 9;
const MOST_WIDTH: u32 = 12;

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _};

    use weezl::{BitOrder, decode, encode};

    use super::*;

    /// Bytes that repeat themselves more or less, `kinds` of them.
    fn bytes(len: usize, kinds: u32) -> Vec<u8> {
        let mut state = 9_u32;
        let byte = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24).wrapping_mul(kinds) as u8
        };
        (0..len)
            .map(byte)
            .map(|byte| byte % kinds.max(1) as u8)
            .collect()
    }

    fn samples() -> Vec<Vec<u8>> {
        let mut all = vec![vec![], vec![7], vec![0; 200_000], vec![5; 17]];
        for kinds in [2, 3, 7, 40, 255] {
            all.extend([1, 2, 300, 5_000, 70_001].map(|len| bytes(len, kinds)));
        }
        // Around the first change of width and the table's end.
        all.extend((250..260).chain(3_830..3_845).map(|len| bytes(len, 251)));
        all
    }

    #[test]
    fn others_read_what_is_packed() {
        for data in samples() {
            let packed = pack(&data);
            let mut decoder = decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
            assert_eq!(decoder.decode(&packed).unwrap(), data);
            let mut out = vec![1; data.len()];
            assert_eq!(unpack(&packed, &mut out), Ok(data.len()));
            assert_eq!(out, data);
        }
    }

    #[test]
    fn what_others_packed_is_read() {
        for data in samples() {
            let mut out = vec![1; data.len()];
            let mut usual = encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
            let usual = usual.encode(&data).unwrap();
            assert_eq!(unpack(&usual, &mut out), Ok(data.len()));
            assert_eq!(out, data);
            out.fill(1);
            let mut read = Vec::new();
            // Few bytes at a time, so that codes lie across what is at hand.
            let few = io::BufReader::with_capacity(7, &usual[..]);
            Unpacker::new(few).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, data);
            let old = encode::Encoder::new(BitOrder::Lsb, 8)
                .encode(&data)
                .unwrap();
            assert_eq!(unpack(&old, &mut out), Ok(data.len()));
            assert_eq!(out, data);
        }
    }

    #[test]
    fn damaged_streams_end() {
        let data = bytes(20_000, 40);
        let packed = pack(&data);
        for cut in (0..packed.len()).step_by(97) {
            let mut out = vec![0; data.len()];
            let written = unpack(&packed[..cut], &mut out).unwrap();
            assert_eq!(out[..written], data[..written]);
            assert!(written < data.len());
        }
        let mut refused = 0;
        for at in (0..packed.len()).step_by(31) {
            let mut bent = packed.clone();
            bent[at] ^= 0x55;
            refused += usize::from(unpack(&bent, &mut vec![0; data.len()]).is_err());
        }
        assert!(refused > 20, "{refused}");
    }
}
