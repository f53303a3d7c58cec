use super::{CLEAR, END, FIRST, LEAST_WIDTH, MOST_WIDTH};

/// As libtiff, strings are forgotten before the last two codes are used.
const LAST: u32 = (1 << MOST_WIDTH) - 2;

/// Slots of the encoder's table, twice as many as strings; a power of two.
const SLOTS: usize = 1 << 13;
/// What no slot in use holds: its code would be after [`LAST`].
const EMPTY: u32 = u32::MAX;
/// Packs `data` as a stream of the usual kind.
pub(in crate::raster) fn pack(data: &[u8]) -> Vec<u8> {
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
