//! LZW as TIFF packs it (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first, each
//! width begun one code early. Files from before TIFF 6 have the lowest bit first and are not early.
//!
//! Written here since the crates' cost more than half as much again for orthophotos
//! (`docs/measurements.md`): a string of the table lies in the pixels already, so none is kept.

/// Forgets all strings.
const CLEAR: u32 = 256;
/// Ends the stream.
const END: u32 = 257;
/// The first string of more than a byte.
const FIRST: u32 = 258;
const LEAST_WIDTH: u32 = 9;
const MOST_WIDTH: u32 = 12;
/// As libtiff, strings are forgotten before the last two codes are used.
const LAST: u32 = (1 << MOST_WIDTH) - 2;

/// Slots of the encoder's table, twice as many as strings; a power of two.
const SLOTS: usize = 1 << 13;
/// What no slot in use holds: its code would be after [`LAST`].
const EMPTY: u32 = u32::MAX;
/// Bytes that are copied at once.
const STRIDE: usize = 16;

/// A code for which there is no string yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownCode;

/// Unpacks a stream into `out`, of the usual kind or of that before TIFF 6, and gives the bytes that
/// were written; fewer than there is room for when the stream ends early. What follows is ignored.
///
/// # Errors
/// [`UnknownCode`] when the stream is damaged.
pub(super) fn unpack(data: &[u8], out: &mut [u8]) -> Result<usize, UnknownCode> {
    let is_old = data.len() > 1 && data[0] == 0 && data[1] & 1 == 1;
    if is_old {
        unpack_as::<true>(data, out)
    } else {
        unpack_as::<false>(data, out)
    }
}

fn unpack_as<const OLD: bool>(data: &[u8], out: &mut [u8]) -> Result<usize, UnknownCode> {
    // Where each string lies in `out`, and its length.
    let mut strings = [(0_u32, 0_u32); 1 << MOST_WIDTH];
    let mut codes = Codes::<OLD>::new(data);
    let (mut next, mut width) = (FIRST, LEAST_WIDTH);
    let (mut last, mut last_len, mut at) = (0, 0, 0);
    while at < out.len() {
        let code = match codes.next(width) {
            None | Some(END) => break,
            Some(CLEAR) => {
                (next, width, last_len) = (FIRST, LEAST_WIDTH, 0);
                continue;
            }
            Some(code) => code,
        };
        if last_len > 0 && next < 1 << MOST_WIDTH {
            // The last string and the byte behind it, which is the first of what comes now.
            strings[next as usize] = (last as u32, last_len as u32 + 1);
            next += 1;
        }
        let len = if let Ok(byte) = u8::try_from(code) {
            out[at] = byte;
            1
        } else if code < next {
            let (start, len) = strings[code as usize];
            let len = (len as usize).min(out.len() - at);
            repeat(out, start as usize, at, len);
            len
        } else {
            return Err(UnknownCode);
        };
        (last, last_len) = (at, len);
        at += len;
        let is_full = next + u32::from(!OLD) >= 1 << width;
        width += u32::from(is_full && width < MOST_WIDTH);
    }
    Ok(at)
}

/// Writes `len` bytes from `start` on again at `at`, which may be before their end.
fn repeat(out: &mut [u8], start: usize, at: usize, len: usize) {
    let is_roomy = at + len.next_multiple_of(STRIDE) <= out.len();
    if at - start >= STRIDE && is_roomy {
        // What is written too far is written anew by the next string.
        for done in (0..len).step_by(STRIDE) {
            out.copy_within(start + done..start + done + STRIDE, at + done);
        }
    } else {
        for done in 0..len {
            out[at + done] = out[start + done];
        }
    }
}

/// The codes of a stream.
struct Codes<'a, const OLD: bool> {
    rest: &'a [u8],
    /// Bits that were read but not used, the next at the highest place (at the lowest, if old).
    held: u64,
    count: u32,
}

impl<'a, const OLD: bool> Codes<'a, OLD> {
    const fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            held: 0,
            count: 0,
        }
    }

    #[inline]
    fn next(&mut self, width: u32) -> Option<u32> {
        if self.count < width {
            if let Some((four, rest)) = self.rest.split_first_chunk() {
                self.hold(u32::from_le_bytes(*four), 32);
                self.rest = rest;
            } else {
                for &byte in self.rest {
                    self.hold(u32::from(byte), 8);
                }
                self.rest = &[];
                if self.count < width {
                    return None;
                }
            }
        }
        let code = if OLD {
            let code = self.held & ((1 << width) - 1);
            self.held >>= width;
            code
        } else {
            let code = self.held >> (u64::BITS - width);
            self.held <<= width;
            code
        };
        self.count -= width;
        Some(code as u32)
    }

    /// Takes the `count` lowest bits of bytes, the first of them lowest.
    fn hold(&mut self, bytes: u32, count: u32) {
        self.held |= if OLD {
            u64::from(bytes) << self.count
        } else {
            let bytes = bytes.swap_bytes() >> (u32::BITS - count);
            u64::from(bytes) << (u64::BITS - count - self.count)
        };
        self.count += count;
    }
}

/// Packs `data` as a stream of the usual kind.
pub(super) fn pack(data: &[u8]) -> Vec<u8> {
    let mut out = Packed::new(data.len());
    out.put(CLEAR);
    if let Some((&first, rest)) = data.split_first() {
        // Strings by what they are made of: the code of all but their last byte, and that byte,
        // above their own code.
        let mut slots = vec![EMPTY; SLOTS];
        let mut string = u32::from(first);
        for &byte in rest {
            let key = string << 8 | u32::from(byte);
            match find(&slots, key) {
                Ok(known) => string = known,
                Err(slot) => {
                    out.put(string);
                    slots[slot] = key << MOST_WIDTH | out.next;
                    string = u32::from(byte);
                    if out.count_string() {
                        slots.fill(EMPTY);
                    }
                }
            }
        }
        out.put(string);
        out.count_string();
    }
    out.put(END);
    out.finish()
}

/// The code of the string `key`, else the slot for it.
#[inline]
fn find(slots: &[u32], key: u32) -> Result<u32, usize> {
    // Multiplied by the golden ratio, as Knuth has it, so that neighbours are spread.
    let mut slot = (key.wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOTS.ilog2())) as usize;
    loop {
        match slots[slot] {
            EMPTY => return Err(slot),
            held if held >> MOST_WIDTH == key => return Ok(held & ((1 << MOST_WIDTH) - 1)),
            _ => slot = (slot + 1) % SLOTS,
        }
    }
}

/// A stream in the making.
struct Packed {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
    width: u32,
    /// The code of the next string.
    next: u32,
}

impl Packed {
    fn new(len: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(len / 2),
            held: 0,
            count: 0,
            width: LEAST_WIDTH,
            next: FIRST,
        }
    }

    #[inline]
    fn put(&mut self, code: u32) {
        self.held = self.held << self.width | u64::from(code);
        self.count += self.width;
        if self.count >= u32::BITS {
            self.count -= u32::BITS;
            let four = (self.held >> self.count) as u32;
            self.bytes.extend_from_slice(&four.to_be_bytes());
        }
    }

    /// Whether there was no code left for another string, so that all are forgotten.
    #[inline]
    fn count_string(&mut self) -> bool {
        self.next += 1;
        if self.next == LAST {
            self.put(CLEAR);
            (self.next, self.width) = (FIRST, LEAST_WIDTH);
            return true;
        }
        self.width += u32::from(self.next >= 1 << self.width);
        false
    }

    fn finish(mut self) -> Vec<u8> {
        let bytes = self.count.div_ceil(8);
        let last = self.held << (8 * bytes - self.count);
        let last = last.to_be_bytes();
        self.bytes.extend_from_slice(&last[8 - bytes as usize..]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
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
        // Every length around the first changes of width and around the table's end.
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
            let usual = encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
                .encode(&data)
                .unwrap();
            assert_eq!(unpack(&usual, &mut out), Ok(data.len()));
            assert_eq!(out, data);
            out.fill(1);
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
        assert!(refused > 100, "{refused}");
    }
}
