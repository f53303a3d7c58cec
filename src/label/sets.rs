/// Disjoint sets of numbers; the root of a set is its smallest number (union-find with path
/// halving; Tarjan and van Leeuwen 1984).
#[derive(Default)]
pub(super) struct Sets {
    parents: Vec<u32>,
}

impl Sets {
    /// Sets of one number each, 0 up to `count`.
    pub(super) fn singles(count: u32) -> Self {
        Self {
            parents: (0..count).collect(),
        }
    }

    /// Adds the next number as a set of its own.
    pub(super) fn add_one(&mut self) {
        self.parents.push(self.parents.len() as u32);
    }

    /// Joins the sets of two numbers; the root of both.
    pub(super) fn join(&mut self, a: u32, b: u32) -> u32 {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
        a.min(b)
    }

    /// The root of the set of a number.
    pub(super) fn root(&mut self, mut at: u32) -> u32 {
        while self.parents[at as usize] != at {
            let parent = self.parents[at as usize];
            let grandparent = self.parents[parent as usize];
            self.parents[at as usize] = grandparent;
            at = grandparent;
        }
        at
    }

    /// The root of each number's set.
    pub(super) fn into_roots(mut self) -> Vec<u32> {
        // A parent is never larger than its child, so it has been made a root before.
        for index in 0..self.parents.len() {
            self.parents[index] = self.parents[self.parents[index] as usize];
        }
        self.parents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_number_is_the_root() {
        let mut sets = Sets::singles(5);
        sets.add_one();
        assert_eq!(sets.join(4, 2), 2);
        assert_eq!(sets.join(5, 3), 3);
        assert_eq!(sets.join(4, 5), 2);
        assert_eq!(sets.join(3, 2), 2);
        assert_eq!((sets.root(5), sets.root(1)), (2, 1));
        assert_eq!(sets.into_roots(), [0, 1, 2, 2, 2, 2]);
    }
}
