use std::collections::VecDeque;

use super::{Edit, EditKind};

/// Names one state of a mask. Equal marks mean equal pixels; marks are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateMark(u64);

impl StateMark {
    /// The mark as a number for a project file.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The mark that a project file holds as a number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// A history as a project file keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptHistory {
    /// The state before the oldest step.
    pub base: StateMark,
    /// The steps with the states they lead to, oldest first.
    pub steps: Vec<(StateMark, Edit)>,
    /// The state that the mask is in.
    pub cursor: StateMark,
    /// The first mark that was never used.
    pub next: StateMark,
}

/// The edits that led to a mask's present state and those that were undone.
///
/// It owns no mask: it hands out the edits to apply. Bounded by bytes; the oldest edits go first,
/// the newest always stays.
#[derive(Clone, Debug)]
pub struct History {
    steps: VecDeque<Step>,
    /// Number of steps that are in the mask; the rest wait for redo.
    done: usize,
    /// The state before the oldest step.
    base: StateMark,
    next_mark: u64,
    bytes: usize,
    budget_bytes: usize,
}

#[derive(Clone, Debug)]
struct Step {
    edit: Edit,
    leads_to: StateMark,
    bytes: usize,
}

impl Step {
    fn new((leads_to, edit): (StateMark, Edit)) -> Self {
        let bytes = size_of::<Self>() + edit.bytes();
        Self {
            edit,
            leads_to,
            bytes,
        }
    }
}

impl History {
    /// An empty history that keeps edits of at most `budget_bytes`.
    pub const fn new(budget_bytes: usize) -> Self {
        let base = StateMark(0);
        Self {
            steps: VecDeque::new(),
            done: 0,
            base,
            next_mark: 1,
            bytes: 0,
            budget_bytes,
        }
    }

    /// The history that a project file kept, with room for `budget_bytes`.
    pub fn restored(kept: KeptHistory, budget_bytes: usize) -> Self {
        let done = kept.steps.iter().position(|(mark, _)| *mark == kept.cursor);
        let steps: VecDeque<Step> = kept.steps.into_iter().map(Step::new).collect();
        let mut history = Self {
            done: done.map_or(0, |last| last + 1),
            base: kept.base,
            next_mark: kept.next.0,
            bytes: steps.iter().map(|step| step.bytes).sum(),
            budget_bytes,
            steps,
        };
        while history.bytes > budget_bytes && history.done > 1 {
            history.forget_oldest();
        }
        history
    }

    /// Takes an edit that was just made; what could be redone is forgotten.
    pub fn push(&mut self, edit: Edit) {
        for undone in self.steps.drain(self.done..) {
            self.bytes -= undone.bytes;
        }
        let leads_to = StateMark(self.next_mark);
        self.next_mark += 1;
        let step = Step::new((leads_to, edit));
        self.bytes += step.bytes;
        self.steps.push_back(step);
        self.done = self.steps.len();
        while self.bytes > self.budget_bytes && self.steps.len() > 1 {
            self.forget_oldest();
        }
    }

    /// Puts older steps, oldest first, in front of those it has; `base` is the state before them.
    /// All of them are in the mask already, so nothing is to be applied. `false`, and nothing
    /// happens, unless the last of them leads to [`History::base`].
    ///
    /// It may take more than its bytes now: the next [`History::push`] forgets the oldest again.
    pub fn prepend(&mut self, steps: Vec<(StateMark, Edit)>, base: StateMark) -> bool {
        let joint = steps.last().map(|(leads_to, _)| *leads_to);
        if joint != Some(self.base) {
            return false;
        }
        self.base = base;
        self.done += steps.len();
        for step in steps.into_iter().rev().map(Step::new) {
            self.bytes += step.bytes;
            self.steps.push_front(step);
        }
        true
    }

    /// Goes one step back; the edit to apply to the mask, `None` at the beginning.
    pub fn undo(&mut self) -> Option<Edit> {
        self.done = self.done.checked_sub(1)?;
        Some(self.steps[self.done].edit.inverse())
    }

    /// Goes one step forth again; the edit to apply to the mask, `None` at the end.
    pub fn redo(&mut self) -> Option<Edit> {
        let step = self.steps.get(self.done)?;
        self.done += 1;
        Some(step.edit.clone())
    }

    /// Whether there is a step to undo.
    pub const fn can_undo(&self) -> bool {
        self.done > 0
    }

    /// Whether there is a step to redo.
    pub fn can_redo(&self) -> bool {
        self.done < self.steps.len()
    }

    /// What the next undo takes back.
    pub fn undo_kind(&self) -> Option<EditKind> {
        let last = self.done.checked_sub(1)?;
        Some(self.steps[last].edit.kind)
    }

    /// What the next redo brings back.
    pub fn redo_kind(&self) -> Option<EditKind> {
        self.steps.get(self.done).map(|step| step.edit.kind)
    }

    /// All edits, oldest first, and how many of them are in the mask.
    pub fn steps(&self) -> (impl ExactSizeIterator<Item = &Edit>, usize) {
        (self.steps.iter().map(|step| &step.edit), self.done)
    }

    /// Which indices the pixels around its edits have before or after one of them.
    pub fn classes(&self) -> [bool; 256] {
        let mut held = [false; 256];
        for delta in self.steps.iter().flat_map(|step| step.edit.deltas()) {
            delta.visit(|_, from, to| {
                held[usize::from(from)] = true;
                held[usize::from(to)] = true;
            });
        }
        held
    }

    /// The mark of the mask's present state. Keep it when saving: as long as it comes back equal,
    /// the file holds what the mask holds.
    pub fn mark(&self) -> StateMark {
        self.done
            .checked_sub(1)
            .map_or(self.base, |last| self.steps[last].leads_to)
    }

    /// The state before the oldest step. A project file may hold the steps that led to it.
    pub const fn base(&self) -> StateMark {
        self.base
    }

    /// Main memory that the edits take, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all edits and takes a new mark: for a mask that was replaced without an edit.
    pub fn clear(&mut self) {
        let base = StateMark(self.next_mark);
        let next_mark = self.next_mark + 1;
        *self = Self {
            base,
            next_mark,
            ..Self::new(self.budget_bytes)
        };
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.steps.pop_front() {
            self.base = oldest.leads_to;
            self.bytes -= oldest.bytes;
            self.done -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mask;
    use super::*;
    use crate::geom::{ImageSize, PixelRect};

    const SIZE: ImageSize = ImageSize::new(300, 300);

    fn paint(mask: &mut Mask, history: &mut History, x: u32, class: u8) {
        let mut after = mask.clone();
        after.set_rect(PixelRect::new(x, 5, 3, 1), &[class; 3]);
        history.push(Edit::between(mask, &after, EditKind::Brush).expect("a change"));
        *mask = after;
    }

    #[test]
    fn undo_and_redo_walk_the_same_states() {
        let (mut mask, mut history) = (Mask::new(SIZE), History::new(1 << 20));
        let mut states = vec![(mask.clone(), history.mark())];
        for n in 0..5 {
            paint(&mut mask, &mut history, u32::from(n) * 60, n);
            states.push((mask.clone(), history.mark()));
        }
        for state in states.iter().rev().skip(1) {
            mask.apply(&history.undo().expect("a step"));
            assert_eq!((&mask, history.mark()), (&state.0, state.1));
        }
        assert!(history.undo().is_none() && !history.can_undo());
        for state in states.iter().skip(1) {
            mask.apply(&history.redo().expect("a step"));
            assert_eq!((&mask, history.mark()), (&state.0, state.1));
        }
        assert!(history.redo().is_none() && !history.can_redo());
        let held = history.classes();
        let held: Vec<usize> = (0..256).filter(|&class| held[class]).collect();
        assert_eq!(held, [0, 1, 2, 3, 4, 255]);
    }

    #[test]
    fn a_new_edit_forgets_what_was_undone_and_its_mark_is_new() {
        let (mut mask, mut history) = (Mask::new(SIZE), History::new(1 << 20));
        paint(&mut mask, &mut history, 0, 1);
        let saved = history.mark();
        mask.apply(&history.undo().expect("a step"));
        assert_ne!(history.mark(), saved);
        paint(&mut mask, &mut history, 0, 2);
        assert!(!history.can_redo());
        assert_ne!(history.mark(), saved);
    }

    #[test]
    fn old_edits_go_when_the_bytes_are_used_up() {
        let mut mask = Mask::new(SIZE);
        let mut history = History::new(2_000);
        for n in 0..100 {
            paint(&mut mask, &mut history, n, (n % 7) as u8);
        }
        assert!(history.bytes() <= 2_000 && history.steps().0.len() > 2);
        let newest = history.mark();
        let steps = history.steps().1;
        for _ in 0..steps {
            mask.apply(&history.undo().expect("a step"));
        }
        assert!(history.undo().is_none());
        assert_ne!(history.mark(), newest);
        let mut tiny = History::new(1);
        paint(&mut mask, &mut tiny, 0, 9);
        assert!(tiny.can_undo());
    }

    #[test]
    fn a_kept_history_goes_on_as_it_was() {
        let (mut mask, mut history) = (Mask::new(SIZE), History::new(1 << 20));
        (0..4).for_each(|n| paint(&mut mask, &mut history, u32::from(n) * 60, n));
        mask.apply(&history.undo().expect("a step"));
        let kept = KeptHistory {
            base: StateMark(0),
            steps: history
                .steps
                .iter()
                .map(|step| (step.leads_to, step.edit.clone()))
                .collect(),
            cursor: history.mark(),
            next: StateMark(history.next_mark),
        };
        let mut restored = History::restored(kept, 1 << 20);
        assert_eq!(
            (restored.mark(), restored.bytes()),
            (history.mark(), history.bytes())
        );
        assert_eq!(restored.redo(), history.redo());
        while let Some(step) = restored.undo() {
            assert_eq!(Some(step), history.undo());
        }
        assert!(!history.can_undo() && restored.mark() == history.mark());
    }

    #[test]
    fn older_steps_in_front_can_be_undone_as_well() {
        let (mut mask, mut history) = (Mask::new(SIZE), History::new(1 << 20));
        (0..6).for_each(|n| paint(&mut mask, &mut history, u32::from(n) * 40, n));
        let all: Vec<_> = history
            .steps
            .iter()
            .map(|step| (step.leads_to, step.edit.clone()))
            .collect();
        let kept = KeptHistory {
            base: all[3].0,
            steps: all[4..].to_vec(),
            cursor: history.mark(),
            next: StateMark(history.next_mark),
        };
        let mut short = History::restored(kept, 1 << 20);
        let mut whole = history.clone();
        for _ in 0..2 {
            assert_eq!(short.undo(), whole.undo());
        }
        assert_eq!((short.undo(), short.mark()), (None, all[3].0));
        assert!(!short.prepend(all[..3].to_vec(), StateMark(0)), "a gap");
        assert!(!short.prepend(Vec::new(), StateMark(0)));
        assert!(short.prepend(all[2..4].to_vec(), all[1].0));
        assert!(short.prepend(all[..2].to_vec(), StateMark(0)));
        assert_eq!(
            (short.mark(), short.bytes(), short.steps().1),
            (whole.mark(), whole.bytes(), 4)
        );
        while let Some(step) = whole.undo() {
            assert_eq!(short.undo(), Some(step));
        }
        assert!(!short.can_undo());
        assert_eq!((short.base(), short.mark()), (whole.base(), whole.mark()));
        while let Some(step) = whole.redo() {
            assert_eq!(short.redo(), Some(step));
        }
        assert!(!short.can_redo());
    }

    #[test]
    fn clearing_never_looks_saved() {
        let mut history = History::new(100);
        let saved = history.mark();
        history.clear();
        assert_ne!(history.mark(), saved);
    }
}
