use std::ops::{BitAnd, BitOr, Not};

use super::super::same::same_bits;
use super::super::tile::SIDE;

const WORDS: usize = SIDE / u64::BITS as usize;

/// A flag for each pixel of a row or of a side of a tile, or for each of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line([u64; WORDS]);

impl Line {
    pub(super) const EMPTY: Self = Self([0; WORDS]);
    pub(super) const FULL: Self = Self([u64::MAX; WORDS]);

    pub(super) fn one(at: usize) -> Self {
        let mut line = Self::EMPTY;
        line.insert(at);
        line
    }

    /// The first `count` places.
    pub(super) fn first(count: usize) -> Self {
        Self(std::array::from_fn(|word| {
            let inside = count.saturating_sub(word * 64);
            1_u64
                .checked_shl(inside as u32)
                .map_or(u64::MAX, |behind| behind - 1)
        }))
    }

    /// The places of a row of a tile that have this class.
    pub(super) fn of_class(row: &[u8; SIDE], class: u8) -> Self {
        let parts = row.as_chunks::<64>().0;
        Self(std::array::from_fn(|word| {
            same_bits(&parts[word], &[class; 64])
        }))
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    pub(super) fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) const fn contains(self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    pub(super) const fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(super) const fn remove(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }

    /// The flags of eight places as bits, from the line's start on.
    pub(super) fn eights(&self) -> impl Iterator<Item = u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes())
    }

    /// The first place from `from` on.
    pub(super) fn next(self, from: usize) -> Option<usize> {
        (from / 64..WORDS).find_map(|word| {
            let skipped = from.saturating_sub(word * 64);
            let rest = self.0[word] & u64::MAX << skipped;
            (rest != 0).then(|| word * 64 + rest.trailing_zeros() as usize)
        })
    }

    /// The last place up to and with `to`.
    pub(super) fn last(self, to: usize) -> Option<usize> {
        let words = self & Self::first(to + 1);
        let (word, rest) = words.0.iter().enumerate().rfind(|(_, word)| **word != 0)?;
        Some(word * 64 + 63 - rest.leading_zeros() as usize)
    }

    /// All places.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = self.next(from)?;
            from = at + 1;
            Some(at)
        })
    }

    /// The stretches of places as (first, behind the last).
    pub(super) fn runs(self) -> impl Iterator<Item = (usize, usize)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let start = self.next(from)?;
            from = (!self).next(start).unwrap_or(SIDE);
            Some((start, from))
        })
    }

    /// The stretches of `open` that hold one of these places, whole; all of these are in `open`.
    pub(super) fn grown(self, open: Self) -> Self {
        let back = self.reversed().carried(open.reversed());
        self.carried(open) | back.reversed()
    }

    /// From each place to the end of its stretch of `open`, which is as far as an addition carries.
    fn carried(self, open: Self) -> Self {
        let mut carry = false;
        Self(std::array::from_fn(|word| {
            let (places, open) = (self.0[word], open.0[word]);
            let sum;
            (sum, carry) = open.carrying_add(places, carry);
            places | open & (open ^ sum)
        }))
    }

    fn reversed(self) -> Self {
        Self(std::array::from_fn(|word| {
            self.0[WORDS - 1 - word].reverse_bits()
        }))
    }
}

impl BitAnd for Line {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }
}

impl BitOr for Line {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }
}

impl Not for Line {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(places: &[usize]) -> Line {
        places
            .iter()
            .fold(Line::EMPTY, |line, &at| line | Line::one(at))
    }

    /// Few and long stretches in some lines, many short ones in others.
    fn any_line() -> impl Strategy<Value = Line> {
        prop::collection::vec((1_usize..100, any::<bool>()), 3..150).prop_map(|stretches| {
            let flags = stretches
                .iter()
                .flat_map(|&(length, is_in)| std::iter::repeat_n(is_in, length));
            let places: Vec<usize> = (0..SIDE)
                .zip(flags)
                .filter_map(|(at, is_in)| is_in.then_some(at))
                .collect();
            of(&places)
        })
    }

    #[test]
    fn stretches_go_across_words() {
        let line = of(&[0, 62, 63, 64, 65, 128, 254, 255]);
        let runs: Vec<_> = line.runs().collect();
        assert_eq!(runs, [(0, 1), (62, 66), (128, 129), (254, 256)]);
        assert_eq!(Line::FULL.runs().collect::<Vec<_>>(), [(0, 256)]);
        assert_eq!(of(&[64]).grown(line), of(&[62, 63, 64, 65]));
        assert_eq!(of(&[7]).grown(Line::FULL), Line::FULL);
    }

    #[test]
    fn the_first_and_the_last_are_found() {
        let line = of(&[3, 64, 200]);
        let next = [0, 3, 4, 65, 201, 256].map(|from| line.next(from));
        assert_eq!(next, [Some(3), Some(3), Some(64), Some(200), None, None]);
        let last = [0, 3, 63, 64, 199, 255].map(|to| line.last(to));
        assert_eq!(
            last,
            [None, Some(3), Some(3), Some(64), Some(64), Some(200)]
        );
        for count in [0, 1, 63, 64, 65, 255, 256] {
            assert_eq!(Line::first(count).count() as usize, count);
        }
    }

    proptest! {
        #[test]
        fn growing_takes_whole_stretches(open in any_line(), places in any_line()) {
            let places = places & open;
            let mut expected = Line::EMPTY;
            for (start, end) in open.runs() {
                if (start..end).any(|at| places.contains(at)) {
                    (start..end).for_each(|at| expected.insert(at));
                }
            }
            prop_assert_eq!(places.grown(open), expected);
        }

        #[test]
        fn a_line_is_its_places(line in any_line()) {
            let row: [u8; SIDE] = std::array::from_fn(|at| 6 + u8::from(line.contains(at)));
            prop_assert_eq!(Line::of_class(&row, 7), line);
            prop_assert_eq!(line.places().count(), line.count() as usize);
            prop_assert_eq!(of(&line.places().collect::<Vec<_>>()), line);
            let bits: Vec<u8> = line.eights().collect();
            let is_in = |at: usize| bits[at / 8] >> (at % 8) & 1 == 1;
            prop_assert!((0..SIDE).all(|at| line.contains(at) == is_in(at)));
        }
    }
}
