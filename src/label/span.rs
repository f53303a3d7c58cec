use super::MASK_TILE_SIZE;

/// Pixels of one row: columns from `start` up to, not including, `end`; level-0 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The row.
    pub y: u32,
    /// The first column.
    pub start: u32,
    /// The column behind the last one.
    pub end: u32,
}

impl Span {
    /// The part inside the columns from `left` on that one tile has; `None` when there is none.
    pub(super) fn within_tile(self, left: u32) -> Option<Self> {
        let start = self.start.max(left);
        let end = self.end.min(left.saturating_add(MASK_TILE_SIZE));
        (start < end).then_some(Self {
            y: self.y,
            start,
            end,
        })
    }

    pub(super) const fn len(self) -> u32 {
        self.end - self.start
    }
}
