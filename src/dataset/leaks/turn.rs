/// One of the eight symmetries of a square, as signs and an exchange of axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Turn(u8);

const FLIP_X: u8 = 1;
const FLIP_Y: u8 = 2;
const SWAP: u8 = 4;

impl Turn {
    /// The turn that leaves all where it is.
    pub(super) const NONE: Self = Self(0);

    /// All eight; the first leaves all where it is.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..8).map(Self)
    }

    /// Flips first, then an exchange of x and y.
    pub(super) fn new(flips: (bool, bool), swap: bool) -> Self {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        Self(bit(flips.0, FLIP_X) | bit(flips.1, FLIP_Y) | bit(swap, SWAP))
    }

    /// Whether it leaves all where it is.
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Where the point (x, y) goes, about the origin.
    pub(super) const fn apply(self, x: i64, y: i64) -> (i64, i64) {
        let x = if self.0 & FLIP_X == 0 { x } else { -x };
        let y = if self.0 & FLIP_Y == 0 { y } else { -y };
        if self.0 & SWAP == 0 { (x, y) } else { (y, x) }
    }

    /// What undoes it.
    pub(super) const fn inverse(self) -> Self {
        if self.0 & SWAP == 0 {
            return self;
        }
        // The exchange comes first in the inverse, so the flips change their axes.
        let (x, y) = (self.0 & FLIP_X, self.0 & FLIP_Y);
        Self(SWAP | (x << 1) | (y >> 1))
    }

    /// `self`, then `other`.
    pub(super) fn then(self, other: Self) -> Self {
        let through = |x, y| {
            let (x, y) = self.apply(x, y);
            other.apply(x, y)
        };
        let goal = (through(1, 0), through(0, 1));
        let found = Self::all().find(|turn| (turn.apply(1, 0), turn.apply(0, 1)) == goal);
        found.unwrap_or(Self::NONE)
    }

    /// A square of `side` values turned by it.
    pub(super) fn square<T: Copy>(self, values: &[T], side: usize) -> Vec<T> {
        let back = self.inverse();
        let middle = side as i64 - 1;
        let at = |x: usize, y: usize| {
            let (x, y) = back.apply(2 * x as i64 - middle, 2 * y as i64 - middle);
            i64::midpoint(y, middle) as usize * side + i64::midpoint(x, middle) as usize
        };
        (0..side * side)
            .map(|cell| values[at(cell % side, cell / side)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_a_group_of_eight() {
        let mut seen = std::collections::BTreeSet::new();
        for turn in Turn::all() {
            assert!(turn.then(turn.inverse()).is_none(), "{turn:?}");
            seen.insert(turn.square(&[0, 1, 2, 3], 2));
            for other in Turn::all() {
                let (x, y) = turn.apply(3, 5);
                assert_eq!(turn.then(other).apply(3, 5), other.apply(x, y));
            }
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn a_square_turns_as_its_points_do() {
        let turn = Turn::new((true, false), true);
        // The pixel at the upper right, (1, -1) about the middle, goes to (-1, -1).
        assert_eq!(turn.apply(1, -1), (-1, -1));
        assert_eq!(turn.square(&[0, 1, 2, 3], 2)[0], 1);
    }
}
