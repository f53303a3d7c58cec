use super::Chance;
use crate::dataset::Rng;

/// One of the eight ways to lay a square on itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Turn {
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
}

impl Turn {
    /// The way that leaves all where it is.
    pub(in crate::dataset) const NONE: Self = Self {
        transpose: false,
        flip_x: false,
        flip_y: false,
    };

    /// Any of the eight, all equally likely.
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let bits = rng.bits();
        Self {
            transpose: bits & 0b001 != 0,
            flip_x: bits & 0b010 != 0,
            flip_y: bits & 0b100 != 0,
        }
    }

    /// Left and right exchanged or not, equally likely.
    pub(super) fn mirrored(rng: &mut Rng) -> Self {
        Self {
            flip_x: rng.bits() & 1 != 0,
            ..Self::NONE
        }
    }

    /// Each axis flipped, then one of the three turns, each by its own chance.
    pub(super) fn by_chance(flip: Option<Chance>, quarter: Option<Chance>, rng: &mut Rng) -> Self {
        let mut turn = Self::NONE;
        turn.flip_x = flip.is_some_and(|flip| flip.strikes(rng));
        turn.flip_y = flip.is_some_and(|flip| flip.strikes(rng));
        if quarter.is_some_and(|quarter| quarter.strikes(rng)) {
            let quarters = 1 + rng.below(3);
            turn.transpose = quarters != 2;
            turn.flip_x ^= quarters != 3;
            turn.flip_y ^= quarters != 1;
        }
        turn
    }

    /// `samples` of a square of `side`, `width` bytes each, turned.
    pub(in crate::dataset) fn applied(self, samples: &[u8], side: usize, width: usize) -> Vec<u8> {
        if self == Self::NONE {
            return samples.to_vec();
        }
        let mut turned = Vec::with_capacity(samples.len());
        for y in 0..side {
            for x in 0..side {
                let x = if self.flip_x { side - 1 - x } else { x };
                let y = if self.flip_y { side - 1 - y } else { y };
                let (x, y) = if self.transpose { (y, x) } else { (x, y) };
                turned.extend_from_slice(&samples[(y * side + x) * width..][..width]);
            }
        }
        turned
    }

    /// Where a turned pixel comes from, as rows of the matrix that takes its offset from the
    /// middle to that of its source.
    pub(super) fn matrix(self) -> [[f64; 2]; 2] {
        let x = if self.flip_x { -1.0 } else { 1.0 };
        let y = if self.flip_y { -1.0 } else { 1.0 };
        if self.transpose {
            [[0.0, y], [x, 0.0]]
        } else {
            [[x, 0.0], [0.0, y]]
        }
    }

    /// All eight, for tests that try each.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self {
            transpose: bits & 1 != 0,
            flip_x: bits & 2 != 0,
            flip_y: bits & 4 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_eight_turns_and_all_are_drawn() {
        let square = [0, 1, 2, 3];
        let distinct = |turn: fn(u64) -> Turn| {
            let turned = (0..200).map(|n| turn(n).applied(&square, 2, 1));
            turned.collect::<BTreeSet<_>>().len()
        };
        assert_eq!(distinct(|n| Turn::drawn(&mut Rng::of(&[n]))), 8);
        assert_eq!(distinct(|n| Turn::mirrored(&mut Rng::of(&[n]))), 2);
        let above = |n| Turn::mirrored(&mut Rng::of(&[n])).applied(&[0, 0, 1, 1], 2, 1);
        assert!((0..20).all(|n| above(n) == [0, 0, 1, 1]));
        let even = Some(Chance { probability: 0.5 });
        let chance =
            |n| Turn::by_chance(Some(Chance { probability: 0.5 }), None, &mut Rng::of(&[n]));
        assert_eq!(distinct(chance), 4);
        let chance =
            |n| Turn::by_chance(None, Some(Chance { probability: 0.5 }), &mut Rng::of(&[n]));
        assert_eq!(distinct(chance), 4);
        let none = Turn::by_chance(
            even.map(|_| Chance { probability: 0.0 }),
            None,
            &mut Rng::of(&[1]),
        );
        assert_eq!(none, Turn::NONE);
    }

    #[test]
    fn pixels_and_labels_turn_alike() {
        let turn = Turn {
            transpose: true,
            flip_x: true,
            flip_y: false,
        };
        assert_eq!(turn.applied(&[0, 1, 2, 3], 2, 1), [2, 0, 3, 1]);
        let wide = turn.applied(&[0, 0, 1, 1, 2, 2, 3, 3], 2, 2);
        assert_eq!(wide, [2, 2, 0, 0, 3, 3, 1, 1]);
    }
}
