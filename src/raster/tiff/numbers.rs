use super::page::Predictor;

/// How whole-byte numbers of a chunk lie in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    /// Bands interleaved in the chunk.
    pub bands: usize,
    /// Bytes of a number.
    pub bytes: usize,
    /// Bytes of a row.
    pub row_len: usize,
    /// Whether the file comes from a machine with the other byte order.
    pub is_foreign: bool,
    pub predictor: Predictor,
}

impl Stored {
    /// Turns bytes around where that is needed, and undoes predictors.
    pub fn restore(self, out: &mut [u8]) {
        let rows = |out: &mut [u8], each: &dyn Fn(&mut [u8])| {
            out.chunks_exact_mut(self.row_len).for_each(each);
        };
        if self.predictor == Predictor::FloatingPoint {
            rows(out, &|row| restore_floats(row, self.bands, self.bytes));
            return;
        }
        if self.is_foreign && self.bytes > 1 {
            out.chunks_exact_mut(self.bytes).for_each(<[u8]>::reverse);
        }
        if self.predictor == Predictor::Horizontal {
            rows(out, &|row| self.add_left(row));
        }
    }

    fn add_left(self, row: &mut [u8]) {
        let bands = self.bands;
        match self.bytes {
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
        }
    }
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
}
