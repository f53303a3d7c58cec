use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::layers::number;
use super::load::mark;
use super::store::checksum;
use super::{LayerKey, Project, ProjectError};
use crate::label::{Edit, StateMark, StepRecord, StepState, VisitStep};

/// Steps that were not loaded with a label, for [`History::prepend`](crate::label::History::prepend).
#[derive(Clone, Debug, PartialEq)]
pub struct OlderSteps {
    /// The state before the oldest of them.
    pub base: StateMark,
    /// The steps with the states they lead to, oldest first.
    pub steps: Vec<(StateMark, Edit)>,
}

impl Project {
    /// The label of an image, to be asked for its steps without loading it; `None` when nothing
    /// was kept of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn layer_key(&self, image: &Path) -> Result<Option<LayerKey>, ProjectError> {
        let id = self
            .db
            .query_row(
                "SELECT layer.id FROM layer JOIN image ON image.id = layer.image \
                 WHERE image.path = ?1",
                [self.named(image)],
                |row| row.get(0),
            )
            .optional()?;
        Ok(id.map(LayerKey))
    }

    /// Hands over all steps of a label that are kept, oldest first and those that were undone as
    /// well, until `visit` breaks off. One step at a time is in main memory.
    ///
    /// # Errors
    /// [`ProjectError::Damaged`] when a step is not what was written; those before it were handed
    /// over then.
    pub fn visit_steps(
        &self,
        layer: LayerKey,
        visit: &mut VisitStep<'_>,
    ) -> Result<(), ProjectError> {
        let mut query = self.db.prepare(
            "SELECT mark, data, edit.crc, time_ms, mark <= layer.cursor \
             FROM edit JOIN layer ON layer.id = edit.layer WHERE edit.layer = ?1 ORDER BY mark",
        )?;
        let mut rows = query.query([layer.0])?;
        while let Some(found) = rows.next()? {
            let number = found.get(0)?;
            let data = found.get_ref(1)?.as_blob().unwrap_or_default();
            let edit = self.edit_from([layer.0, number], data, found.get(2)?)?;
            let is_done: bool = found.get(4)?;
            let state = if is_done {
                StepState::Done
            } else {
                StepState::Undone
            };
            let record = StepRecord::new(&edit, mark(number), found.get(3)?, state);
            if visit(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The steps that led to the state `base` of a loaded history
    /// ([`History::base`](crate::label::History::base)): as many as take `bytes` as they are
    /// stored, but one at least; none when the history begins there or older steps were forgotten.
    ///
    /// # Errors
    /// [`ProjectError::Damaged`] when a step is not what was written.
    pub fn older_steps(
        &self,
        layer: LayerKey,
        base: StateMark,
        bytes: usize,
    ) -> Result<OlderSteps, ProjectError> {
        let mut query = self.db.prepare(
            "SELECT mark, data, edit.crc, base_mark FROM edit JOIN layer ON layer.id = edit.layer \
             WHERE edit.layer = ?1 AND mark <= ?2 ORDER BY mark DESC",
        )?;
        let mut rows = query.query(params![layer.0, number(base)])?;
        let mut older = OlderSteps {
            base,
            steps: Vec::new(),
        };
        let mut taken = 0_usize;
        while let Some(found) = rows.next()? {
            let number = found.get(0)?;
            let data = found.get_ref(1)?.as_blob().unwrap_or_default();
            taken = taken.saturating_add(data.len());
            let is_first = older.steps.is_empty();
            if is_first && mark(number) != base {
                break;
            }
            if !is_first && taken > bytes {
                older.base = mark(number);
                break;
            }
            let edit = self.edit_from([layer.0, number], data, found.get(2)?)?;
            older.steps.push((mark(number), edit));
            // Right unless a row follows.
            older.base = mark(found.get(3)?);
        }
        older.steps.reverse();
        Ok(older)
    }

    /// The edit of a row, by layer and mark.
    pub(super) fn edit_from(
        &self,
        [layer, mark]: [i64; 2],
        data: &[u8],
        crc: u32,
    ) -> Result<Edit, ProjectError> {
        let is_whole = crc == checksum(&[layer, mark], data);
        let edit = is_whole.then(|| Edit::from_bytes(data).ok()).flatten();
        edit.ok_or_else(|| self.damaged(format!("the edit {mark} was changed")))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::super::tests::Painter;
    use super::*;
    use crate::geom::PixelRect;
    use crate::label::{ClassChange, EditKind, History, UNLABELED};

    fn painter(folder: &Path) -> Painter {
        Painter::new(&folder.join("a.orthobrush"), &folder.join("a.tif"))
    }

    fn records(painter: &Painter) -> Vec<StepRecord> {
        let mut records = Vec::new();
        let mut visit = |record| {
            records.push(record);
            ControlFlow::Continue(())
        };
        painter
            .project
            .visit_steps(painter.layer, &mut visit)
            .expect("whole");
        records
    }

    #[test]
    fn every_kept_step_is_listed_with_what_it_did() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut painter = painter(folder.path());
        painter.paint(PixelRect::new(250, 0, 20, 10), 1);
        painter.paint(PixelRect::new(260, 0, 20, 10), 2);
        painter.undo();
        let listed = records(&painter);
        let change = |from, to, pixels| ClassChange { from, to, pixels };
        let [first, second] = &listed[..] else {
            panic!("two steps");
        };
        assert_eq!(first.changes, [change(UNLABELED, 1, 200)]);
        assert_eq!(first.bounds, PixelRect::new(250, 0, 20, 10));
        assert_eq!((first.state, first.time_ms), (StepState::Done, 0));
        assert_eq!(
            second.changes,
            [change(1, 2, 100), change(UNLABELED, 2, 100)]
        );
        assert_eq!(
            (second.state, second.kind),
            (StepState::Undone, EditKind::Brush)
        );
        let key = painter.project.layer_key(&folder.path().join("a.tif"));
        assert_eq!(key.expect("whole"), Some(painter.layer));
        let key = painter.project.layer_key(&folder.path().join("b.tif"));
        assert_eq!(key.expect("whole"), None);
    }

    #[test]
    fn a_visit_ends_when_asked_and_where_a_step_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut painter = painter(folder.path());
        (0..4).for_each(|n| painter.paint(PixelRect::new(n * 9, 0, 9, 9), n as u8));
        let mut count = 0;
        let mut two = |_| {
            count += 1;
            if count < 2 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        painter
            .project
            .visit_steps(painter.layer, &mut two)
            .expect("whole");
        assert_eq!(count, 2);
        painter
            .project
            .db
            .execute("UPDATE edit SET data = zeroblob(9) WHERE mark = 3", [])
            .expect("changed");
        let (mut seen, layer) = (0, painter.layer);
        let mut all = |_| {
            seen += 1;
            ControlFlow::Continue(())
        };
        let error = painter.project.visit_steps(layer, &mut all);
        assert!(error.expect_err("noticed").is_damage());
        assert_eq!(seen, 2);
        let newest = StateMark::from_number(4);
        let error = painter.project.older_steps(layer, newest, usize::MAX);
        assert!(error.expect_err("noticed").is_damage());
        let one = painter
            .project
            .older_steps(layer, newest, 0)
            .expect("whole");
        assert_eq!((one.steps.len(), one.base), (1, StateMark::from_number(3)));
    }

    #[test]
    fn what_was_forgotten_on_disk_is_the_beginning() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut painter = painter(folder.path());
        (0..40).for_each(|n| painter.paint(PixelRect::new(n * 7, n * 3, 20, 20), (n % 5) as u8));
        painter
            .project
            .forget_old_steps(painter.layer, 400)
            .expect("forgotten");
        let older = |base| painter.project.older_steps(painter.layer, base, 1 << 20);
        let newest = older(painter.history.mark()).expect("whole");
        assert_eq!(newest.steps.len(), records(&painter).len());
        let none = older(newest.base).expect("whole");
        assert_eq!((none.base, none.steps.len()), (newest.base, 0));
        let gap = older(StateMark::from_number(99)).expect("whole");
        assert!(gap.steps.is_empty(), "no step leads to that state");
    }

    /// Undoes all, taking older steps from the project as they are needed; the number of undone
    /// steps and of pieces.
    fn undo_all(
        painter: &Painter,
        history: &mut History,
        mask: &mut crate::label::Mask,
        bytes: usize,
    ) -> [usize; 2] {
        let mut counts = [0, 0];
        loop {
            while let Some(edit) = history.undo() {
                mask.apply(&edit);
                counts[0] += 1;
            }
            let older = painter
                .project
                .older_steps(painter.layer, history.base(), bytes)
                .expect("whole");
            if !history.prepend(older.steps, older.base) {
                return counts;
            }
            counts[1] += 1;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn undoing_in_pieces_is_undoing_at_once(
            rects in prop::collection::vec((0_u32..600, 0_u32..400, 1_u32..90, 0_u8..4), 1..14),
            undone in 0_usize..5,
            bytes in 0_usize..200,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let mut painter = painter(folder.path());
            let blank = painter.mask.clone();
            for (x, y, side, class) in rects {
                let rect = PixelRect::new(x, y, side, side);
                if painter.mask.read_rect(rect).iter().any(|&old| old != class) {
                    painter.paint(rect, class);
                }
            }
            let painted = painter.history.steps().1;
            for _ in 0..undone.min(painted) {
                painter.undo();
            }
            let image = folder.path().join("a.tif");
            let load = |bytes| painter.project.layer(&image, bytes).expect("whole").expect("kept");
            let (all, some) = (load(1 << 20).history, load(bytes).history);
            let steps = all.steps.len();
            let mut whole = History::restored(all, 1 << 20);
            let mut pieces = History::restored(some, 1 << 20);
            let (mut mask, mut other) = (painter.mask.clone(), painter.mask.clone());
            let [count, _] = undo_all(&painter, &mut whole, &mut mask, 1 << 20);
            let [in_pieces, _] = undo_all(&painter, &mut pieces, &mut other, bytes);
            prop_assert_eq!(count, in_pieces);
            prop_assert_eq!(&mask, &blank);
            prop_assert_eq!(&other, &blank);
            prop_assert_eq!((pieces.mark(), pieces.bytes()), (whole.mark(), whole.bytes()));
            prop_assert_eq!(pieces.steps().0.len(), steps);
            while let Some(step) = whole.redo() {
                prop_assert_eq!(pieces.redo(), Some(step));
            }
            prop_assert!(!pieces.can_redo());
        }
    }
}
