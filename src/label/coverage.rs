use std::collections::BTreeMap;

use super::{Mask, UNLABELED};
use crate::geom::{ImagePoint, ImageSize, PixelRect};

/// Side of a cell in level-0 pixels.
pub const CELL_SIDE: u32 = 1_024;

/// How far the work on a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellState {
    /// Nothing in it is labeled.
    Empty,
    /// Something in it is labeled.
    InWork,
    /// Somebody says that it is right.
    Done,
    /// Somebody says that another person should look.
    NeedsReview,
}

/// Which cells are meant, by what somebody said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedCells {
    /// Those that are done.
    Done,
    /// Those that need review.
    Review,
    /// All that are not done.
    Open,
}

/// A cell of the grid, by column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey {
    /// Row from the top; first, so that keys sort as people read.
    pub row: u32,
    /// Column from the left.
    pub col: u32,
}

/// What somebody said about a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellMark {
    /// Its state, when somebody set it.
    pub state: Option<CellState>,
    /// A note, often empty.
    pub note: String,
}

/// A grid over an image that tells where the work is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    size: ImageSize,
    marks: BTreeMap<CellKey, CellMark>,
}

impl CellState {
    /// The word for it, in files and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::InWork => "in work",
            Self::Done => "done",
            Self::NeedsReview => "needs review",
        }
    }

    /// The state that somebody set and a file holds as a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Done, Self::NeedsReview]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

impl CellMark {
    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.state.is_none() && self.note.is_empty()
    }
}

impl Coverage {
    /// A grid over an image of `size` with nothing said yet.
    pub const fn new(size: ImageSize) -> Self {
        Self {
            size,
            marks: BTreeMap::new(),
        }
    }

    /// Extent of the image.
    pub const fn size(&self) -> ImageSize {
        self.size
    }

    /// Columns and rows of cells.
    pub const fn grid(&self) -> (u32, u32) {
        (
            self.size.width.div_ceil(CELL_SIDE),
            self.size.height.div_ceil(CELL_SIDE),
        )
    }

    /// Number of cells.
    pub const fn num_cells(&self) -> u64 {
        let (cols, rows) = self.grid();
        cols as u64 * rows as u64
    }

    /// How many cells are done.
    pub fn num_done(&self) -> u64 {
        let is_done = |mark: &&CellMark| mark.state == Some(CellState::Done);
        self.marks.values().filter(is_done).count() as u64
    }

    /// The cell of a position, `None` outside of the image.
    pub fn cell_at(&self, at: ImagePoint) -> Option<CellKey> {
        let (x, y) = at.pixel_in(self.size)?;
        Some(CellKey {
            row: y / CELL_SIDE,
            col: x / CELL_SIDE,
        })
    }

    /// The ground of a cell in level-0 pixels; empty outside of the image.
    pub fn rect(&self, key: CellKey) -> PixelRect {
        let (cols, rows) = self.grid();
        if key.col >= cols || key.row >= rows {
            return PixelRect::default();
        }
        let (x, y) = (key.col * CELL_SIDE, key.row * CELL_SIDE);
        PixelRect::new(x, y, CELL_SIDE, CELL_SIDE).intersect(self.size.bounds())
    }

    /// The cells that `part` (level-0 pixels) touches, row by row.
    pub fn cells_in(&self, part: PixelRect) -> impl Iterator<Item = CellKey> + use<> {
        let part = part.intersect(self.size.bounds());
        let cols = part.x / CELL_SIDE..part.right().div_ceil(CELL_SIDE);
        let rows = part.y / CELL_SIDE..part.bottom().div_ceil(CELL_SIDE);
        let rows = if part.is_empty() { 0..0 } else { rows };
        rows.flat_map(move |row| cols.clone().map(move |col| CellKey { row, col }))
    }

    /// The wanted cells, row by row.
    pub fn cells(&self, wanted: WantedCells) -> Vec<CellKey> {
        let is = |key: &CellKey, state| {
            let mark = self.marks.get(key);
            mark.is_some_and(|mark| mark.state == Some(state))
        };
        // What somebody said is listed, so that it is found soon on a huge image.
        let marked = self.marks.keys().copied();
        match wanted {
            WantedCells::Done => marked.filter(|key| is(key, CellState::Done)).collect(),
            WantedCells::Review => marked
                .filter(|key| is(key, CellState::NeedsReview))
                .collect(),
            WantedCells::Open => self
                .cells_in(self.size.bounds())
                .filter(|key| !is(key, CellState::Done))
                .collect(),
        }
    }

    /// The ground of the wanted cells in level-0 pixels, cell by cell.
    pub fn rects(&self, wanted: WantedCells) -> Vec<PixelRect> {
        let cells = self.cells(wanted).into_iter();
        cells.map(|key| self.rect(key)).collect()
    }

    /// How far a cell is: what somebody said, else whether `label` has anything there.
    pub fn state(&self, key: CellKey, label: Option<&Mask>) -> CellState {
        if let Some(state) = self.marks.get(&key).and_then(|mark| mark.state) {
            return state;
        }
        let has_label = label.is_some_and(|label| label.has_label_in(self.rect(key)));
        if has_label {
            CellState::InWork
        } else {
            CellState::Empty
        }
    }

    /// The note on a cell, often empty.
    pub fn note(&self, key: CellKey) -> &str {
        self.marks.get(&key).map_or("", |mark| &mark.note)
    }

    /// All that somebody said, row by row.
    pub fn marks(&self) -> impl Iterator<Item = (CellKey, &CellMark)> {
        self.marks.iter().map(|(key, mark)| (*key, mark))
    }

    /// Says something about a cell, or takes it back; what is outside of the image is left out.
    pub fn set(&mut self, key: CellKey, mark: CellMark) {
        if self.rect(key).is_empty() || mark.is_empty() {
            self.marks.remove(&key);
        } else {
            self.marks.insert(key, mark);
        }
    }

    /// What is said about a cell.
    pub fn mark(&self, key: CellKey) -> CellMark {
        let nothing = CellMark {
            state: None,
            note: String::new(),
        };
        self.marks.get(&key).cloned().unwrap_or(nothing)
    }

    /// The next cell that is not done, row by row after `from` and from the top again; `None` when
    /// all are done.
    pub fn next_not_done(&self, from: Option<CellKey>) -> Option<CellKey> {
        let (cols, _) = self.grid();
        let count = self.num_cells();
        let key = |number: u64| CellKey {
            row: (number / u64::from(cols)) as u32,
            col: (number % u64::from(cols)) as u32,
        };
        let first = from.map_or(0, |from| {
            u64::from(from.row) * u64::from(cols) + u64::from(from.col) + 1
        });
        let is_done = |key: &CellKey| {
            let mark = self.marks.get(key);
            mark.is_some_and(|mark| mark.state == Some(CellState::Done))
        };
        // Cells that are done are listed, so that the search ends soon on a huge image.
        (0..count)
            .map(|step| key((first + step) % count))
            .find(|key| !is_done(key))
    }
}

impl Mask {
    /// Whether a tile that `part` touches has a labeled pixel.
    fn has_label_in(&self, part: PixelRect) -> bool {
        self.tiles_touching(part)
            .any(|(col, row)| self.tile(col, row).uniform_class() != Some(UNLABELED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize::new(2_500, 1_100);

    fn done(note: &str) -> CellMark {
        CellMark {
            state: Some(CellState::Done),
            note: note.to_owned(),
        }
    }

    fn cell(col: u32, row: u32) -> CellKey {
        CellKey { row, col }
    }

    #[test]
    fn cells_at_the_edge_are_cut() {
        let coverage = Coverage::new(SIZE);
        assert_eq!((coverage.grid(), coverage.num_cells()), ((3, 2), 6));
        assert_eq!(
            coverage.rect(cell(2, 1)),
            PixelRect::new(2_048, 1_024, 452, 76)
        );
        assert!(coverage.rect(cell(3, 0)).is_empty());
        let at = ImagePoint::new(2_048.0, 1_023.9);
        assert_eq!(coverage.cell_at(at), Some(cell(2, 0)));
        assert_eq!(coverage.cell_at(ImagePoint::new(-0.1, 0.0)), None);
        let touched: Vec<_> = coverage.cells_in(PixelRect::new(1_023, 0, 2, 5)).collect();
        assert_eq!(touched, [cell(0, 0), cell(1, 0)]);
    }

    #[test]
    fn a_cell_is_in_work_once_something_is_labeled() {
        let mut coverage = Coverage::new(SIZE);
        let mut label = Mask::new(SIZE);
        label.set_rect(PixelRect::new(1_100, 30, 1, 1), &[4]);
        let state = |coverage: &Coverage, key| coverage.state(key, Some(&label));
        assert_eq!(state(&coverage, cell(0, 0)), CellState::Empty);
        assert_eq!(state(&coverage, cell(1, 0)), CellState::InWork);
        coverage.set(cell(1, 0), done("checked twice"));
        assert_eq!(state(&coverage, cell(1, 0)), CellState::Done);
        assert_eq!(
            (coverage.num_done(), coverage.note(cell(1, 0))),
            (1, "checked twice")
        );
    }

    #[test]
    fn cells_are_found_by_what_is_said_of_them() {
        let mut coverage = Coverage::new(SIZE);
        coverage.set(cell(1, 0), done(""));
        let review = CellMark {
            state: Some(CellState::NeedsReview),
            note: String::new(),
        };
        coverage.set(cell(2, 1), review);
        assert_eq!(coverage.cells(WantedCells::Done), [cell(1, 0)]);
        assert_eq!(coverage.cells(WantedCells::Review), [cell(2, 1)]);
        let open = [(0, 0), (2, 0), (0, 1), (1, 1), (2, 1)].map(|(col, row)| cell(col, row));
        assert_eq!(coverage.cells(WantedCells::Open), open);
        let ground = PixelRect::new(2_048, 1_024, 452, 76);
        assert_eq!(coverage.rects(WantedCells::Review), [ground]);
    }

    #[test]
    fn the_next_cell_goes_around_once() {
        let mut coverage = Coverage::new(SIZE);
        assert_eq!(coverage.next_not_done(None), Some(cell(0, 0)));
        assert_eq!(coverage.next_not_done(Some(cell(2, 0))), Some(cell(0, 1)));
        assert_eq!(coverage.next_not_done(Some(cell(2, 1))), Some(cell(0, 0)));
        for (col, row) in [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)] {
            coverage.set(cell(col, row), done(""));
        }
        assert_eq!(coverage.next_not_done(Some(cell(2, 1))), Some(cell(2, 1)));
        coverage.set(cell(2, 1), done(""));
        assert_eq!(coverage.next_not_done(None), None);
        assert_eq!(
            Coverage::new(ImageSize::default()).next_not_done(None),
            None
        );
    }
}
