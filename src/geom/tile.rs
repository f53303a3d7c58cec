/// One tile of a pyramid. Integers only, so that equal tiles have equal keys.
///
/// Level 0 is the image itself; each level halves the one below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileKey {
    /// Halvings since the image itself.
    pub level: u8,
    /// Tile column, from the left.
    pub col: u32,
    /// Tile row, from the top.
    pub row: u32,
}

impl TileKey {
    /// A key from level, column and row.
    pub const fn new(level: u8, col: u32, row: u32) -> Self {
        Self { level, col, row }
    }

    /// The tile one level up that covers this one.
    pub const fn parent(self) -> Self {
        Self::new(self.level + 1, self.col / 2, self.row / 2)
    }

    /// The four tiles one level down, by row; some may lie outside the image. Empty at level 0.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let below = self.level.checked_sub(1);
        below.into_iter().flat_map(move |level| {
            [(0, 0), (1, 0), (0, 1), (1, 1)]
                .map(|(dx, dy)| Self::new(level, self.col * 2 + dx, self.row * 2 + dy))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_home() {
        let key = TileKey::new(3, 5, 9);
        assert_eq!(key.children().count(), 4);
        assert!(key.children().all(|child| child.parent() == key));
        assert_eq!(TileKey::new(0, 1, 1).children().count(), 0);
    }
}
