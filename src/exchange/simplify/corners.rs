/// A pixel corner (x, y) in level-0 pixels.
pub(super) type Corner = (u32, u32);

/// The corners where rings turn, each once, to be looked up by place and along lines.
///
/// Takes 16 bytes a corner and 8 bytes a row and column of pixels.
pub(super) struct Corners {
    by_row: Lines,
    by_column: Lines,
}

impl Corners {
    /// The corners of these rings.
    pub(super) fn of<'a>(rings: impl Iterator<Item = &'a Vec<Corner>> + Clone) -> Self {
        let all = rings.flatten();
        Self {
            by_row: Lines::new(all.clone().map(|&(x, y)| key(y, x)).collect()),
            by_column: Lines::new(all.map(|&(x, y)| key(x, y)).collect()),
        }
    }

    /// Their number.
    pub(super) fn len(&self) -> usize {
        self.by_row.keys.len()
    }

    /// The corner with a number; numbers go by row and column.
    pub(super) fn at(&self, number: u32) -> Corner {
        let key = self.by_row.keys[number as usize];
        (key as u32, (key >> 32) as u32)
    }

    /// The number of a corner.
    pub(super) fn number(&self, (x, y): Corner) -> u32 {
        self.by_row.place(key(y, x)) as u32
    }

    /// Calls `visit` with the number of each corner strictly between two that share a row or a
    /// column, from the first to the second.
    pub(super) fn between(&self, from: Corner, to: Corner, mut visit: impl FnMut(u32)) {
        if from.1 == to.1 {
            let (first, last) = (self.number(from), self.number(to));
            if first < last {
                (first + 1..last).for_each(visit);
            } else {
                (last + 1..first).rev().for_each(visit);
            }
            return;
        }
        let place = |(x, y): Corner| self.by_column.place(key(x, y));
        let (first, last) = (place(from), place(to));
        let mut visit_place = |place: usize| {
            let key = self.by_column.keys[place];
            visit(self.number(((key >> 32) as u32, key as u32)));
        };
        if first < last {
            (first + 1..last).for_each(&mut visit_place);
        } else {
            (last + 1..first).rev().for_each(&mut visit_place);
        }
    }
}

fn key(line: u32, along: u32) -> u64 {
    u64::from(line) << 32 | u64::from(along)
}

/// Sorted keys with the place where each line begins.
struct Lines {
    keys: Vec<u64>,
    first: u32,
    starts: Vec<u32>,
}

impl Lines {
    fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let line = |key: &u64| (key >> 32) as u32;
        let first = keys.first().map_or(0, line);
        let last = keys.last().map_or(0, line);
        let mut starts = vec![0; (last - first) as usize + 2];
        for key in &keys {
            starts[(line(key) - first) as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        Self {
            keys,
            first,
            starts,
        }
    }

    /// Where a key is, which must be there.
    fn place(&self, key: u64) -> usize {
        let line = ((key >> 32) as u32 - self.first) as usize;
        let start = self.starts[line] as usize;
        let keys = &self.keys[start..self.starts[line + 1] as usize];
        start + keys.partition_point(|&other| other < key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_between_two_come_in_the_order_of_the_way() {
        let rings = [vec![(2, 5), (9, 5), (4, 5), (4, 8), (9, 5)], vec![(4, 6)]];
        let corners = Corners::of(rings.iter());
        assert_eq!(corners.len(), 5);
        let between = |from, to| {
            let mut found = Vec::new();
            corners.between(from, to, |number| found.push(corners.at(number)));
            found
        };
        assert_eq!(between((2, 5), (9, 5)), [(4, 5)]);
        assert_eq!(between((9, 5), (2, 5)), [(4, 5)]);
        assert_eq!(between((4, 5), (4, 8)), [(4, 6)]);
        assert_eq!(between((4, 8), (4, 5)), [(4, 6)]);
        assert_eq!(between((4, 5), (9, 5)), []);
        assert_eq!(corners.at(corners.number((4, 6))), (4, 6));
    }
}
