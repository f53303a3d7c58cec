use super::directory::ByteOrder;

/// Rows of samples that do not fill their bytes; each row starts at a byte.
#[derive(Clone, Copy, Debug)]
pub(in crate::raster) struct BitRows {
    /// Bits of a sample: 1 to 32.
    pub bits: u16,
    /// Samples of a row.
    pub samples: usize,
}

impl BitRows {
    /// Bytes of a packed row.
    pub const fn row_bytes(self) -> usize {
        (self.samples * self.bits as usize).div_ceil(8)
    }

    /// Bytes of an unpacked sample: the fewest of 1, 2 and 4 that hold it.
    pub const fn unpacked_bytes(self) -> usize {
        match self.bits {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        }
    }
}

/// Samples of 1, 2 or 4 bits, one byte each, in value unchanged.
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

/// Samples of any other number of bits, in whole bytes of this machine's order, in value unchanged.
///
/// Bits come high first, whatever the order of the file's bytes is. With `whole_bytes` samples of 24
/// bits are three bytes in that order instead.
pub(super) fn unpack_odd_bits(
    packed: &[u8],
    rows: BitRows,
    whole_bytes: Option<ByteOrder>,
    out: &mut [u8],
) {
    let bytes = rows.unpacked_bytes();
    let lines = packed
        .chunks_exact(rows.row_bytes())
        .zip(out.chunks_exact_mut(rows.samples * bytes));
    for (packed, out) in lines {
        let mut bits = HighFirst {
            bytes: packed,
            held: 0,
            count: 0,
        };
        for out in out.chunks_exact_mut(bytes) {
            let mut value = bits.next(u32::from(rows.bits));
            if rows.bits == 24 && whole_bytes == Some(ByteOrder::Little) {
                value = value.swap_bytes() >> 8;
            }
            match out {
                [byte] => *byte = value as u8,
                [_, _] => out.copy_from_slice(&(value as u16).to_ne_bytes()),
                _ => out.copy_from_slice(&value.to_ne_bytes()),
            }
        }
    }
}

/// Takes bits from bytes, the highest first.
struct HighFirst<'a> {
    bytes: &'a [u8],
    held: u64,
    count: u32,
}

impl HighFirst<'_> {
    /// The next `bits` (at most 32) as a number; zeros follow the last byte.
    fn next(&mut self, bits: u32) -> u32 {
        while self.count < bits {
            let (byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = rest;
            self.held = (self.held << 8) | u64::from(*byte);
            self.count += 8;
        }
        self.count -= bits;
        let value = self.held >> self.count;
        self.held &= (1 << self.count) - 1;
        value as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_high_first_and_rows_start_at_bytes() {
        let rows = |bits, samples| BitRows { bits, samples };
        let mut out = [9; 6];
        unpack_bits(&[0b1010_0000, 0b0110_0000], rows(1, 3), &mut out);
        assert_eq!(out, [1, 0, 1, 0, 1, 1]);
        let mut out = [9; 3];
        unpack_bits(&[0x12, 0x3F], rows(4, 3), &mut out);
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn odd_numbers_of_bits_run_over_bytes_and_rows_start_at_bytes() {
        let unpacked = |packed: &[u8], bits, samples, whole_bytes| {
            let rows = BitRows { bits, samples };
            let count = packed.len() / rows.row_bytes() * samples;
            let mut out = vec![9; count * rows.unpacked_bytes()];
            unpack_odd_bits(packed, rows, whole_bytes, &mut out);
            out
        };
        // 5 bits: 10000 01110 00001 0 | 11111 00000 10101 0.
        let packed = [0b1000_0011, 0b1000_0010, 0b1111_1000, 0b0010_1010];
        assert_eq!(unpacked(&packed, 5, 3, None), [16, 14, 1, 31, 0, 21]);
        let wide = unpacked(&[0xAB, 0xCD, 0xEF], 12, 2, None);
        assert_eq!(wide, [0xABC_u16, 0xDEF].map(u16::to_ne_bytes).concat());
        for (whole_bytes, expected) in [
            (Some(ByteOrder::Little), 0x0003_0201_u32),
            (Some(ByteOrder::Big), 0x0001_0203),
            (None, 0x0001_0203),
        ] {
            let wide = unpacked(&[1, 2, 3], 24, 1, whole_bytes);
            assert_eq!(wide, expected.to_ne_bytes());
        }
    }
}
