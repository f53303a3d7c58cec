use std::ops::ControlFlow;

use super::{ClassChange, Edit, EditKind, StateMark};
use crate::geom::PixelRect;

/// Whether a step of a history is in the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It is.
    Done,
    /// It was taken back and may be done again.
    Undone,
}

impl StepState {
    /// The word in lists.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Undone => "undone",
        }
    }
}

/// What a list of changes says of one step of a label's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// The state it leads to.
    pub mark: StateMark,
    /// When it was finished, in milliseconds since 1970, UTC.
    pub time_ms: i64,
    /// Which tool made it.
    pub kind: EditKind,
    /// Whether it is in the mask.
    pub state: StepState,
    /// How many pixels went from one class to another, sorted by (from, to).
    pub changes: Vec<ClassChange>,
    /// The smallest rectangle around all changed pixels, in level-0 pixels.
    pub bounds: PixelRect,
}

/// Takes the records of a history one by one; [`ControlFlow::Break`] ends the visit.
pub type VisitStep<'a> = dyn FnMut(StepRecord) -> ControlFlow<()> + 'a;

impl StepRecord {
    /// The record of an edit.
    pub fn new(edit: &Edit, mark: StateMark, time_ms: i64, state: StepState) -> Self {
        let rects = edit.dirty_rects().into_iter();
        Self {
            mark,
            time_ms,
            kind: edit.kind,
            state,
            changes: edit.changes(),
            bounds: rects.fold(PixelRect::default(), PixelRect::union),
        }
    }

    /// How many pixels changed.
    pub fn num_pixels(&self) -> u64 {
        self.changes.iter().map(|change| change.pixels).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mask;
    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn a_record_sums_up_the_tiles_of_an_edit() {
        let mut before = Mask::filled(ImageSize::new(600, 300), 1);
        before.set_rect(PixelRect::new(250, 10, 2, 2), &[2; 4]);
        let mut after = before.clone();
        after.set_rect(PixelRect::new(250, 10, 12, 2), &[3; 24]);
        let edit = Edit::between(&before, &after, EditKind::Fill).expect("they differ");
        let mark = StateMark::from_number(7);
        let record = StepRecord::new(&edit, mark, 5, StepState::Done);
        let change = |from, pixels| ClassChange {
            from,
            to: 3,
            pixels,
        };
        assert_eq!(record.changes, [change(1, 20), change(2, 4)]);
        assert_eq!(record.bounds, PixelRect::new(250, 10, 12, 2));
        assert_eq!((record.num_pixels(), record.kind), (24, EditKind::Fill));
    }
}
