use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pieces::touch;
use super::verdict::FEWEST_BLOCKS;
use crate::dataset::hash;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{CELL_SIDE, CellState, Coverage, Mask, UNLABELED};

/// Side of a block in level-0 pixels; a cell holds sixteen.
const BLOCK: u32 = CELL_SIDE / 4;
/// With fewer done blocks nothing judges, and with fewer than a quarter of them nothing chooses.
const FEWEST_TO_JUDGE: usize = 64;
/// Blocks for each that judges.
const FOR_ONE_JUDGE: usize = 16;
/// Blocks for each that chooses.
const FOR_ONE_CHOICE: usize = 32;
/// Fewer blocks say little about an epoch.
const FEWEST_CHOICES: usize = 2;
/// So many of done cells choose the epochs of a first training alone; where there are fewer, others
/// help, whose label nobody reviewed.
const ENOUGH_CHOICES: usize = 8;

/// Ground of one image that no training patch of a chain of models touches, in level-0 pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Blocks that say which epoch is the best and when it is enough.
    pub choosing: Vec<PixelRect>,
    /// Blocks that are read for a verdict, or when somebody judges a run on its test part; both are
    /// counted, and no other number is of them.
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

    /// The same with blocks added from the done cells of `coverage`, so that about one of sixteen
    /// blocks there judges and one of thirty-two chooses. Blocks keep their part as long as their
    /// cell is done; new ones lie apart from all others, so that each errs for itself.
    /// `is_spoiled` says where a model of the chain learned; which of the others are drawn follows
    /// from `seed`.
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
            let is_kept = |block: &&PixelRect| places(**block).any(|at| done.contains(&at));
            blocks.iter().filter(is_kept).copied().collect()
        };
        let mut held_out = Self {
            choosing: kept(&self.choosing),
            judging: kept(&self.judging),
        };
        let mut others: Vec<PixelRect> = done.iter().map(|&at| ground(at, trusted)).collect();
        others.sort_by_key(|block| drawn(*block, seed));
        let [judges, choices] = wanted(done.len());
        for block in others {
            let has_judges = held_out.judging.len() >= judges;
            if has_judges && held_out.choosing.len() >= choices {
                break;
            }
            let is_apart = held_out.blocks().all(|other| !touch(other, block));
            if !is_apart || is_spoiled(block) {
                continue;
            }
            let part = if has_judges {
                &mut held_out.choosing
            } else {
                &mut held_out.judging
            };
            part.push(block);
        }
        held_out.sorted()
    }

    /// What a first training holds out of an image with this label, so that models that go on from
    /// it can be judged: of done cells as [`Self::grown`] does. Where too few of those choose the
    /// epoch, blocks elsewhere do as well, one of thirty-two of all, and it is said how many of
    /// them lie in no done cell. `None` where too little is done to judge.
    pub(super) fn ahead(label: &Mask, coverage: &Coverage, seed: u64) -> Option<(Self, usize)> {
        let mut held_out = Self::default().grown(label, coverage, seed, |_| false);
        if held_out.judging.len() < FEWEST_BLOCKS {
            return None;
        }
        let all = places(label.size().bounds()).filter(|&at| is_labeled(label, at));
        let mut others: Vec<(u32, u32)> = all.collect();
        let choices = others.len() / FOR_ONE_CHOICE;
        if held_out.choosing.len() >= choices.min(ENOUGH_CHOICES) {
            return Some((held_out, 0));
        }
        let done: BTreeSet<(u32, u32)> = done_blocks(label, coverage).collect();
        let mut unreviewed = 0;
        others.sort_by_key(|&at| drawn(ground(at, label), seed));
        for at in others {
            if held_out.choosing.len() >= choices {
                break;
            }
            let block = ground(at, label);
            if held_out.blocks().all(|other| !touch(other, block)) {
                held_out.choosing.push(block);
                unreviewed += usize::from(!done.contains(&at));
            }
        }
        Some((held_out.sorted(), unreviewed))
    }

    /// Whether as many blocks as a verdict takes lie apart on an image of this size where nothing
    /// `is_spoiled`.
    pub(super) fn fits(size: ImageSize, is_spoiled: impl Fn(PixelRect) -> bool) -> bool {
        let mut found: Vec<PixelRect> = Vec::new();
        for (col, row) in places(size.bounds()) {
            let block = PixelRect::new(col * BLOCK, row * BLOCK, BLOCK, BLOCK);
            let block = block.intersect(size.bounds());
            if found.iter().all(|&other| !touch(other, block)) && !is_spoiled(block) {
                found.push(block);
            }
            if found.len() == FEWEST_BLOCKS {
                return true;
            }
        }
        false
    }

    fn sorted(mut self) -> Self {
        for part in [&mut self.judging, &mut self.choosing] {
            part.sort_by_key(|block| (block.y, block.x));
        }
        self
    }
}

/// How many of so many done blocks judge and how many choose.
fn wanted(done: usize) -> [usize; 2] {
    let judges = (done / FOR_ONE_JUDGE).max(FEWEST_BLOCKS);
    let choices = (done / FOR_ONE_CHOICE).max(FEWEST_CHOICES);
    [
        if done >= FEWEST_TO_JUDGE { judges } else { 0 },
        if done * 4 >= FEWEST_TO_JUDGE {
            choices
        } else {
            0
        },
    ]
}

/// Columns and rows of what a block covers; those of earlier versions are larger.
fn places(block: PixelRect) -> impl Iterator<Item = (u32, u32)> {
    let cols = block.x / BLOCK..block.right().div_ceil(BLOCK);
    let rows = block.y / BLOCK..block.bottom().div_ceil(BLOCK);
    rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
}

/// Which blocks are drawn first.
fn drawn(block: PixelRect, seed: u64) -> u64 {
    hash(&[seed, u64::from(block.x), u64::from(block.y)])
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
    let blocks = cells.flat_map(places);
    blocks.filter(|&at| is_labeled(trusted, at))
}

/// Whether at least half of a block is labeled.
fn is_labeled(label: &Mask, at: (u32, u32)) -> bool {
    let classes = label.read_rect(ground(at, label));
    let labeled = classes.iter().filter(|&&class| class != UNLABELED).count();
    labeled * 2 >= (BLOCK * BLOCK) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_verdict_fits_where_enough_blocks_that_lie_apart_are_free() {
        assert!(HeldOut::fits(SIZE, |_| false));
        assert!(!HeldOut::fits(SIZE, |_| true));
        // Every second block of a row of sixteen.
        assert!(HeldOut::fits(SIZE, |block| block.y > 0));
        assert!(!HeldOut::fits(SIZE, |block| block.y > 0 || block.x >= 3_584));
        assert!(!HeldOut::fits(ImageSize::new(1_024, 512), |_| false));
    }

    #[test]
    fn the_more_is_done_the_more_is_held_out_and_parts_never_change() {
        let cells: Vec<_> = (0..16).map(|at| (at % 4, at / 4)).collect();
        let mut before = HeldOut::default();
        // Done cells, blocks that judge, blocks that choose.
        for (count, judging, choosing) in [(0, 0, 0), (1, 0, 2), (2, 0, 2), (4, 8, 2), (9, 9, 4)] {
            let held_out = grown(&before, &cells[..count]);
            assert_eq!(
                (held_out.judging.len(), held_out.choosing.len()),
                (judging, choosing),
                "{count} cells"
            );
            let blocks: Vec<_> = held_out.blocks().collect();
            for (at, &block) in blocks.iter().enumerate() {
                let others = &blocks[at + 1..];
                assert!(!others.iter().any(|&other| touch(block, other)), "apart");
            }
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
            &coverage(&[(0, 0), (1, 0), (2, 0), (3, 0)]),
            1,
            |block| block.x < 3_072,
        );
        assert!((2..=4).contains(&held_out.blocks().count()));
        assert!(held_out.blocks().all(|block| block.x >= 3_072));
        assert!(
            grown(&held_out, &[(0, 0)])
                .blocks()
                .all(|block| block.x < 1_024)
        );
        assert!(grown(&held_out, &[]).is_empty());
    }

    #[test]
    fn a_first_training_holds_the_ground_out_that_judges_later() {
        let label = Mask::filled(SIZE, 1);
        let of = |cells: &[(u32, u32)]| HeldOut::ahead(&label, &coverage(cells), 1);
        let cells = [(0, 0), (1, 0), (2, 1), (3, 3)];
        assert_eq!(of(&cells[..3]), None, "three cells judge nothing");
        let (held_out, unreviewed) = of(&cells).expect("ground");
        let is_done =
            |block: &&PixelRect| cells.contains(&(block.x / CELL_SIDE, block.y / CELL_SIDE));
        let reviewed = held_out.choosing.iter().filter(is_done).count();
        assert!(reviewed >= 2 && unreviewed > 0);
        assert_eq!(reviewed + unreviewed, 8);
        let later = grown(&HeldOut::default(), &cells);
        assert_eq!(held_out.judging, later.judging);
        // One of thirty-two of all blocks, not of those that are done.
        assert_eq!((later.choosing.len(), held_out.choosing.len()), (2, 8));
        let blocks: Vec<_> = held_out.blocks().collect();
        for (at, &block) in blocks.iter().enumerate() {
            let others = &blocks[at + 1..];
            assert!(!others.iter().any(|&other| touch(block, other)), "apart");
        }
    }

    #[test]
    fn where_enough_is_done_blocks_of_done_cells_alone_choose() {
        // A little is labeled beyond four done cells: two blocks are one of thirty-two.
        let mut label = Mask::new(SIZE);
        let labeled = PixelRect::new(0, 0, SIZE.width, CELL_SIDE + BLOCK);
        label.set_rect(labeled, &vec![1; labeled.num_pixels() as usize]);
        let row = [(0, 0), (1, 0), (2, 0), (3, 0)];
        let few = HeldOut::ahead(&label, &coverage(&row), 1);
        let grown = HeldOut::default().grown(&label, &coverage(&row), 1, |_| false);
        assert_eq!(grown.choosing.len(), 2);
        assert_eq!(few, Some((grown, 0)));

        // Half of the label lies in sixteen done cells, which hold eight that choose.
        let wide = ImageSize::new(SIZE.width * 2, SIZE.height);
        let mut done = Coverage::new(wide);
        for (key, mark) in coverage(&row).marks() {
            for row in 0..4 {
                done.set(CellKey { row, ..key }, mark.clone());
            }
        }
        let (held_out, unreviewed) =
            HeldOut::ahead(&Mask::filled(wide, 1), &done, 1).expect("ground");
        assert_eq!((held_out.choosing.len(), unreviewed), (8, 0));
        assert!(held_out.blocks().all(|block| block.x < SIZE.width));
    }

    #[test]
    fn larger_blocks_of_an_earlier_version_stay() {
        let before = HeldOut {
            judging: vec![PixelRect::new(512, 512, 512, 512)],
            ..HeldOut::default()
        };
        let held_out = grown(&before, &[(0, 0), (1, 0)]);
        assert_eq!(held_out.judging, before.judging);
        assert_eq!(held_out.choosing.len(), 2);
        assert!(
            !held_out
                .choosing
                .iter()
                .any(|&block| touch(block, before.judging[0]))
        );
    }

    #[test]
    fn empty_ground_is_no_use() {
        let held_out =
            HeldOut::default().grown(&Mask::new(SIZE), &coverage(&[(0, 0)]), 1, |_| false);
        assert!(held_out.is_empty());
    }
}
