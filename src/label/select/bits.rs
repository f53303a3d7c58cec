/// One bit a pixel of a rectangle; columns and rows count from the rectangle's own corner.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    /// Row by row; each row starts with a new word and the bits behind its last column are zero.
    words: Vec<u64>,
    words_a_row: usize,
    width: usize,
}

impl Bits {
    /// No pixel of `width` × `height` ones.
    pub(super) fn empty(width: u32, height: u32) -> Self {
        let words_a_row = width.div_ceil(u64::BITS) as usize;
        Self {
            words: vec![0; words_a_row * height as usize],
            words_a_row,
            width: width as usize,
        }
    }

    /// The pixels of an image of this extent, row by row, that `is_in` accepts.
    pub(super) fn of_pixels(
        (width, height): (u32, u32),
        pixels: &[[u8; 4]],
        is_in: impl Fn([u8; 4]) -> bool,
    ) -> Self {
        let mut bits = Self::empty(width, height);
        let rows = pixels.chunks_exact((width as usize).max(1));
        for (row, words) in rows.zip(bits.words.chunks_exact_mut(bits.words_a_row.max(1))) {
            for (chunk, word) in row.chunks(u64::BITS as usize).zip(words) {
                for (place, &pixel) in chunk.iter().enumerate() {
                    *word |= u64::from(is_in(pixel)) << place;
                }
            }
        }
        bits
    }

    /// Whether the pixel is in.
    pub(super) fn contains(&self, x: usize, y: usize) -> bool {
        self.row(y)[x / 64] >> (x % 64) & 1 == 1
    }

    /// Puts columns `start..end` of row `y` in.
    pub(super) fn insert(&mut self, y: usize, start: usize, end: usize) {
        self.visit_words(y, start, end, |word, mask| *word |= mask);
    }

    /// Takes columns `start..end` of row `y` out.
    pub(super) fn remove(&mut self, y: usize, start: usize, end: usize) {
        self.visit_words(y, start, end, |word, mask| *word &= !mask);
    }

    /// Number of pixels that are in.
    pub(super) fn count(&self) -> u64 {
        let ones = |word: &u64| u64::from(word.count_ones());
        self.words.iter().map(ones).sum()
    }

    /// Whether no pixel is in.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The first and the end column of the run that holds a pixel that is in.
    pub(super) fn run_around(&self, x: usize, y: usize) -> (usize, usize) {
        let row = self.row(y);
        let mut index = x / 64;
        let mut gaps = !row[index] & ((1 << (x % 64)) - 1);
        while gaps == 0 && index > 0 {
            index -= 1;
            gaps = !row[index];
        }
        let start = if gaps == 0 {
            0
        } else {
            index * 64 + 64 - gaps.leading_zeros() as usize
        };
        (start, self.first_from(x, y, false))
    }

    /// Calls `visit` with (start, end) for each run of row `y`, cut to columns `from..to`.
    pub(super) fn visit_runs(
        &self,
        y: usize,
        (from, to): (usize, usize),
        mut visit: impl FnMut(usize, usize),
    ) {
        let mut start = self.first_from(from, y, true);
        while start < to {
            let end = self.first_from(start, y, false).min(to);
            visit(start, end);
            start = self.first_from(end, y, true);
        }
    }

    /// The first column from `x` on that is in (or that is not); the width when there is none.
    fn first_from(&self, x: usize, y: usize, is_in: bool) -> usize {
        if x >= self.width {
            return self.width;
        }
        let row = self.row(y);
        let flip = if is_in { 0 } else { u64::MAX };
        let mut index = x / 64;
        let mut wanted = (row[index] ^ flip) & (u64::MAX << (x % 64));
        while wanted == 0 {
            index += 1;
            let Some(word) = row.get(index) else {
                return self.width;
            };
            wanted = word ^ flip;
        }
        (index * 64 + wanted.trailing_zeros() as usize).min(self.width)
    }

    fn row(&self, y: usize) -> &[u64] {
        &self.words[y * self.words_a_row..(y + 1) * self.words_a_row]
    }

    /// Calls `change` with each word that columns `start..end` touch and the mask of their bits.
    fn visit_words(&mut self, y: usize, start: usize, end: usize, change: impl Fn(&mut u64, u64)) {
        let mut x = start;
        while x < end {
            let stop = end.min((x / 64 + 1) * 64);
            let mask = u64::MAX >> (64 - (stop - x)) << (x % 64);
            change(&mut self.words[y * self.words_a_row + x / 64], mask);
            x = stop;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_and_bits_agree_with_a_list(
            stretches in prop::collection::vec((any::<bool>(), 1_usize..90), 1..9),
            from in 0_usize..700,
            to in 0_usize..700,
        ) {
            let flags: Vec<bool> = stretches
                .iter()
                .flat_map(|&(flag, len)| std::iter::repeat_n(flag, len))
                .collect();
            let pixels: Vec<[u8; 4]> = flags.iter().map(|&flag| [u8::from(flag); 4]).collect();
            let width = flags.len();
            let bits = Bits::of_pixels((width as u32, 1), &pixels, |pixel| pixel[0] == 1);
            let mut copy = Bits::empty(width as u32, 1);
            let (from, to) = (from.min(width), to.min(width));
            let mut seen = vec![false; width];
            bits.visit_runs(0, (from, to), |start, end| seen[start..end].fill(true));
            bits.visit_runs(0, (0, width), |start, end| {
                copy.insert(0, start, end);
                assert_eq!(bits.run_around(usize::midpoint(start, end), 0), (start, end));
            });
            for (x, &flag) in flags.iter().enumerate() {
                prop_assert_eq!(bits.contains(x, 0), flag);
                prop_assert_eq!(seen[x], flag && x >= from && x < to);
            }
            prop_assert_eq!(&bits.words, &copy.words);
            prop_assert_eq!(bits.count(), flags.iter().filter(|flag| **flag).count() as u64);
            copy.remove(0, 0, width);
            prop_assert!(copy.is_empty());
        }
    }
}
