use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::dataset::hash;
use crate::geom::PixelRect;
use crate::label::{CELL_SIDE, CellState, Coverage, Mask, UNLABELED};

/// Side of a block in level-0 pixels; a cell holds four.
const BLOCK: u32 = CELL_SIDE / 2;
/// With fewer blocks nothing is judged, and with fewer than half as many nothing is held out.
const FEWEST_TO_JUDGE: usize = 8;
/// Blocks for each that judges.
const FOR_ONE_JUDGE: usize = 6;
/// Blocks for each that chooses.
const FOR_ONE_CHOICE: usize = 12;

/// Ground of one image that no training patch of a chain of models touches, in level-0 pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Blocks that say which epoch is the best and when it is enough.
    pub choosing: Vec<PixelRect>,
    /// Blocks that are read for the verdict alone.
    pub judging: Vec<PixelRect>,
}

impl HeldOut {
    /// All of it.
    pub fn blocks(&self) -> impl Iterator<Item = PixelRect> + '_ {
        self.choosing.iter().chain(&self.judging).copied()
    }

    /// Whether nothing is held out.
    pub const fn is_empty(&self) -> bool {
        self.choosing.is_empty() && self.judging.is_empty()
    }

    /// The same with blocks added from the done cells of `coverage`, so that about a sixth of the
    /// blocks there judge and a twelfth choose. Blocks keep their part as long as their cell is
    /// done. `is_spoiled` says where a model of the chain learned; which of the others are drawn
    /// follows from `seed`.
    #[must_use]
    pub(super) fn grown(
        &self,
        trusted: &Mask,
        coverage: &Coverage,
        seed: u64,
        is_spoiled: impl Fn(PixelRect) -> bool,
    ) -> Self {
        let done: BTreeSet<(u32, u32)> = done_blocks(trusted, coverage).collect();
        let kept = |blocks: &[PixelRect]| -> Vec<PixelRect> {
            let is_kept = |block: &&PixelRect| done.contains(&place(block));
            blocks.iter().filter(is_kept).copied().collect()
        };
        let mut held_out = Self {
            choosing: kept(&self.choosing),
            judging: kept(&self.judging),
        };
        let taken: BTreeSet<(u32, u32)> = held_out.blocks().map(|block| place(&block)).collect();
        let mut free: Vec<PixelRect> = (done.iter())
            .filter(|at| !taken.contains(at))
            .map(|&at| ground(at, trusted))
            .filter(|&block| !is_spoiled(block))
            .collect();
        free.sort_by_key(|block| hash(&[seed, u64::from(block.x), u64::from(block.y)]));
        let count = done.len();
        let judges = match count {
            FEWEST_TO_JUDGE.. => (count / FOR_ONE_JUDGE).max(2),
            _ => 0,
        };
        let choices = match count * 2 {
            FEWEST_TO_JUDGE.. => (count / FOR_ONE_CHOICE).max(1),
            _ => 0,
        };
        let mut free = free.into_iter();
        for (part, wanted) in [
            (&mut held_out.judging, judges),
            (&mut held_out.choosing, choices),
        ] {
            let missing = wanted.saturating_sub(part.len());
            part.extend(free.by_ref().take(missing));
            part.sort_by_key(|block| (block.y, block.x));
        }
        held_out
    }
}

/// Column and row of a block.
const fn place(block: &PixelRect) -> (u32, u32) {
    (block.x / BLOCK, block.y / BLOCK)
}

fn ground((col, row): (u32, u32), trusted: &Mask) -> PixelRect {
    let block = PixelRect::new(col * BLOCK, row * BLOCK, BLOCK, BLOCK);
    block.intersect(trusted.size().bounds())
}

/// The blocks of done cells that are labeled for at least half, by column and row.
fn done_blocks<'a>(
    trusted: &'a Mask,
    coverage: &'a Coverage,
) -> impl Iterator<Item = (u32, u32)> + 'a {
    let is_done = |(key, mark): (crate::label::CellKey, &crate::label::CellMark)| {
        (mark.state == Some(CellState::Done)).then(|| coverage.rect(key))
    };
    let cells = coverage.marks().filter_map(is_done);
    let blocks = cells.flat_map(|cell| {
        let cols = cell.x / BLOCK..cell.right().div_ceil(BLOCK);
        let rows = cell.y / BLOCK..cell.bottom().div_ceil(BLOCK);
        rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
    });
    blocks.filter(|&at| {
        let block = ground(at, trusted);
        let classes = trusted.read_rect(block);
        let labeled = classes.iter().filter(|&&class| class != UNLABELED).count();
        labeled * 2 >= (BLOCK * BLOCK) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::{CellKey, CellMark};

    const SIZE: ImageSize = ImageSize::new(4_096, 4_096);

    fn coverage(cells: &[(u32, u32)]) -> Coverage {
        let mut coverage = Coverage::new(SIZE);
        for &(col, row) in cells {
            let mark = CellMark {
                state: Some(CellState::Done),
                note: String::new(),
            };
            coverage.set(CellKey { row, col }, mark);
        }
        coverage
    }

    fn grown(before: &HeldOut, cells: &[(u32, u32)]) -> HeldOut {
        before.grown(&Mask::filled(SIZE, 1), &coverage(cells), 1, |_| false)
    }

    #[test]
    fn the_more_is_done_the_more_is_held_out_and_parts_never_change() {
        let cells: Vec<_> = (0..16).map(|at| (at % 4, at / 4)).collect();
        let mut before = HeldOut::default();
        // Done cells, blocks that judge, blocks that choose.
        for (count, judging, choosing) in [(0, 0, 0), (1, 0, 1), (2, 2, 1), (4, 2, 1), (9, 6, 3)] {
            let held_out = grown(&before, &cells[..count]);
            assert_eq!(
                (held_out.judging.len(), held_out.choosing.len()),
                (judging, choosing),
                "{count} cells"
            );
            let places: BTreeSet<_> = held_out.blocks().map(|block| place(&block)).collect();
            assert_eq!(places.len(), judging + choosing, "no block has two parts");
            for (old, new) in [
                (&before.judging, &held_out.judging),
                (&before.choosing, &held_out.choosing),
            ] {
                assert!(old.iter().all(|block| new.contains(block)), "{count} cells");
            }
            before = held_out;
        }
    }

    #[test]
    fn what_was_learned_from_is_never_held_out_and_what_is_undone_is_let_go() {
        let held_out = HeldOut::default().grown(
            &Mask::filled(SIZE, 1),
            &coverage(&[(0, 0), (1, 0), (2, 0)]),
            1,
            |block| block.x < 2_048,
        );
        assert_eq!(held_out.blocks().count(), 3);
        assert!(held_out.blocks().all(|block| block.x >= 2_048));
        assert!(
            grown(&held_out, &[(0, 0)])
                .blocks()
                .all(|block| block.x < 1_024)
        );
        assert!(grown(&held_out, &[]).is_empty());
    }

    #[test]
    fn empty_ground_is_no_use() {
        let held_out =
            HeldOut::default().grown(&Mask::new(SIZE), &coverage(&[(0, 0)]), 1, |_| false);
        assert!(held_out.is_empty());
    }
}
