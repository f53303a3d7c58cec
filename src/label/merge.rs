use std::sync::Arc;

use rayon::prelude::*;

use super::tile::{SIDE, filled_pixels};
use super::{Mask, MaskTile, UNLABELED};
use crate::geom::PixelRect;

/// Whose class a pixel gets that two people labeled differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRule {
    /// Ours.
    KeepOurs,
    /// Theirs.
    KeepTheirs,
    /// Nobody's: it becomes unlabeled, to be looked at again.
    OnlyAgreed,
}

impl MergeRule {
    const fn pick(self, ours: u8, theirs: u8) -> u8 {
        match self {
            _ if ours == UNLABELED => theirs,
            _ if theirs == UNLABELED || ours == theirs => ours,
            Self::KeepOurs => ours,
            Self::KeepTheirs => theirs,
            Self::OnlyAgreed => UNLABELED,
        }
    }
}

/// How many pixels two people labeled alike; all five together are all pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// Both labeled it so.
    pub agreed: u64,
    /// Both labeled it, and differently.
    pub differ: u64,
    /// Only we labeled it.
    pub only_ours: u64,
    /// Only they labeled it.
    pub only_theirs: u64,
    /// Nobody labeled it.
    pub neither: u64,
}

impl MergeCounts {
    const fn plus(self, other: Self) -> Self {
        Self {
            agreed: self.agreed + other.agreed,
            differ: self.differ + other.differ,
            only_ours: self.only_ours + other.only_ours,
            only_theirs: self.only_theirs + other.only_theirs,
            neither: self.neither + other.neither,
        }
    }
}

/// Two people's masks as one.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The label. Tiles that did not change are shared with ours.
    pub mask: Mask,
    /// Their class where both labeled a pixel differently, unlabeled elsewhere.
    pub disagreement: Mask,
    /// How much they agree.
    pub counts: MergeCounts,
}

/// Merges the masks of two people who labeled the same image with the same classes (see
/// [`align_classes`](super::align_classes)).
///
/// What only one of them labeled stays as this one did, whatever the rule; the rule decides where
/// both did, and differently. Tiles that both share or that are of one class cost next to nothing.
///
/// # Panics
/// When the sizes differ.
pub fn merge(ours: &Mask, theirs: &Mask, rule: MergeRule) -> Merged {
    assert_eq!(
        ours.size(),
        theirs.size(),
        "both masks are of the same image"
    );
    let (cols, rows) = ours.grid();
    let merge_row = |row: u32| {
        let mut found = RowMerge::default();
        for col in 0..cols {
            let ground = ours.tile_rect(col, row);
            let tile = merge_tile(ours.tile(col, row), theirs.tile(col, row), ground, rule);
            found.counts = found.counts.plus(tile.counts);
            found.merged.extend(tile.merged.map(|tile| (col, tile)));
            found
                .differing
                .extend(tile.differing.map(|tile| (col, tile)));
        }
        (row, found)
    };
    let found: Vec<_> = (0..rows).into_par_iter().map(merge_row).collect();
    let mut all = Merged {
        mask: ours.clone(),
        disagreement: Mask::new(ours.size()),
        counts: MergeCounts::default(),
    };
    for (row, found) in found {
        all.counts = all.counts.plus(found.counts);
        for (col, tile) in found.merged {
            all.mask.set_tile(col, row, tile);
        }
        for (col, tile) in found.differing {
            all.disagreement.set_tile(col, row, tile);
        }
    }
    all
}

/// The tiles of a row that are not ours, and those with disagreement, by column.
#[derive(Default)]
struct RowMerge {
    merged: Vec<(u32, MaskTile)>,
    differing: Vec<(u32, MaskTile)>,
    counts: MergeCounts,
}

#[derive(Default)]
struct TileMerge {
    /// `None` where ours stays.
    merged: Option<MaskTile>,
    /// `None` without disagreement.
    differing: Option<MaskTile>,
    counts: MergeCounts,
}

fn merge_tile(ours: &MaskTile, theirs: &MaskTile, ground: PixelRect, rule: MergeRule) -> TileMerge {
    let mut found = TileMerge::default();
    let counts = &mut found.counts;
    if ours.is_same(theirs) {
        (counts.agreed, counts.neither) = labeled_and_not(ours, ground);
        return found;
    }
    match (ours.uniform_class(), theirs.uniform_class()) {
        (Some(UNLABELED), _) => {
            (counts.only_theirs, counts.neither) = labeled_and_not(theirs, ground);
            found.merged = Some(theirs.clone());
        }
        (_, Some(UNLABELED)) => {
            (counts.only_ours, counts.neither) = labeled_and_not(ours, ground);
        }
        (Some(our_class), Some(their_class)) => {
            counts.differ = ground.num_pixels();
            let class = rule.pick(our_class, their_class);
            found.merged = (class != our_class).then_some(MaskTile::Uniform(class));
            found.differing = Some(MaskTile::Uniform(their_class));
        }
        _ => return merge_pixels(ours, theirs, ground, rule),
    }
    found
}

fn merge_pixels(
    ours: &MaskTile,
    theirs: &MaskTile,
    ground: PixelRect,
    rule: MergeRule,
) -> TileMerge {
    let mut merged = ours.to_owned_pixels();
    let mut differing = filled_pixels(UNLABELED);
    let (merged_pixels, differing_pixels) =
        (Arc::make_mut(&mut merged), Arc::make_mut(&mut differing));
    let (mut counts, mut is_changed) = (MergeCounts::default(), false);
    let width = ground.width as usize;
    let mut line = [UNLABELED; SIDE];
    for y in 0..ground.height as usize {
        let row = y * SIDE..y * SIDE + width;
        theirs.copy_row(0, y, &mut line[..width]);
        let pixels = merged_pixels[row.clone()]
            .iter_mut()
            .zip(&mut differing_pixels[row]);
        for ((merged, differing), &their_class) in pixels.zip(&line) {
            let our_class = *merged;
            match (our_class == UNLABELED, their_class == UNLABELED) {
                (true, true) => counts.neither += 1,
                (true, false) => counts.only_theirs += 1,
                (false, true) => counts.only_ours += 1,
                _ if our_class == their_class => counts.agreed += 1,
                _ => {
                    counts.differ += 1;
                    *differing = their_class;
                }
            }
            *merged = rule.pick(our_class, their_class);
            is_changed |= *merged != our_class;
        }
    }
    let tile = |pixels| MaskTile::collapsed(pixels, ground.width, ground.height);
    TileMerge {
        merged: is_changed.then(|| tile(merged)),
        differing: (counts.differ > 0).then(|| tile(differing)),
        counts,
    }
}

/// Pixels of a tile with and without a class.
fn labeled_and_not(tile: &MaskTile, ground: PixelRect) -> (u64, u64) {
    let all = ground.num_pixels();
    let labeled = match tile {
        MaskTile::Uniform(UNLABELED) => 0,
        MaskTile::Uniform(_) => all,
        MaskTile::Pixels(pixels) => {
            let rows = pixels.chunks_exact(SIDE).take(ground.height as usize);
            let of_row = |row: &[u8]| {
                let line = &row[..ground.width as usize];
                line.iter().filter(|&&class| class != UNLABELED).count() as u64
            };
            rows.map(of_row).sum()
        }
    };
    (labeled, all - labeled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(600, 300);
    const RULES: [MergeRule; 3] = [
        MergeRule::KeepOurs,
        MergeRule::KeepTheirs,
        MergeRule::OnlyAgreed,
    ];

    fn row(classes: &[u8]) -> Mask {
        let size = ImageSize::new(classes.len() as u32, 1);
        let mut mask = Mask::new(size);
        mask.set_rect(size.bounds(), classes);
        mask
    }

    #[test]
    fn rules_differ_only_where_both_labeled_differently() {
        let (ours, theirs) = (row(&[1, 1, 255, 1, 255]), row(&[1, 2, 2, 255, 255]));
        let expected = [[1, 1, 2, 1, 255], [1, 2, 2, 1, 255], [1, 255, 2, 1, 255]];
        for (rule, expected) in RULES.into_iter().zip(expected) {
            let merged = merge(&ours, &theirs, rule);
            assert_eq!(merged.mask, row(&expected), "{rule:?}");
            assert_eq!(merged.disagreement, row(&[255, 2, 255, 255, 255]));
            let MergeCounts {
                agreed,
                differ,
                only_ours,
                only_theirs,
                neither,
            } = merged.counts;
            assert_eq!([agreed, differ, only_ours, only_theirs, neither], [1; 5]);
        }
    }

    #[test]
    fn huge_masks_of_few_classes_take_no_memory() {
        let size = ImageSize::new(100_000, 100_000);
        let merged = merge(
            &Mask::filled(size, 1),
            &Mask::filled(size, 2),
            MergeRule::OnlyAgreed,
        );
        assert_eq!(merged.counts.differ, 10_000_000_000);
        assert!(
            merged
                .mask
                .tiles()
                .all(|(_, _, tile)| tile.uniform_class() == Some(UNLABELED))
        );
    }

    #[test]
    fn untouched_tiles_stay_shared() {
        let mut ours = Mask::filled(SIZE, 1);
        ours.set_rect(PixelRect::new(0, 0, 9, 9), &[2; 81]);
        let theirs = Mask::filled(SIZE, 3);
        let merged = merge(&ours, &theirs, MergeRule::KeepOurs);
        assert!(merged.mask.tile(0, 0).is_same(ours.tile(0, 0)));
        assert_eq!(merged.disagreement, theirs);
    }

    type Painted = (u32, u32, u32, u32, u8);

    fn painted(rects: &[Painted], ground: &Mask) -> Mask {
        let mut mask = ground.clone();
        for &(x, y, w, h, class) in rects {
            let class = if class == 3 { UNLABELED } else { class };
            mask.set_rect(PixelRect::new(x, y, w, h), &vec![class; (w * h) as usize]);
        }
        mask
    }

    fn rects() -> impl Strategy<Value = Vec<Painted>> {
        let rect = (0_u32..600, 0_u32..300, 1_u32..300, 1_u32..300, 0_u8..4);
        prop::collection::vec(rect, 0..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn tiles_merge_like_their_pixels(shared in rects(), a in rects(), b in rects()) {
            let ground = painted(&shared, &Mask::new(SIZE));
            let (ours, theirs) = (painted(&a, &ground), painted(&b, &ground));
            let (left, right) = (ours.read_rect(SIZE.bounds()), theirs.read_rect(SIZE.bounds()));
            for rule in RULES {
                let merged = merge(&ours, &theirs, rule);
                let mut differ = 0;
                let pairs = left.iter().zip(&right);
                let expected: Vec<u8> = pairs.map(|(&ours, &theirs)| match (ours, theirs) {
                    (255, other) | (other, 255) => other,
                    (ours, theirs) if ours == theirs => ours,
                    (ours, theirs) => {
                        differ += 1;
                        [ours, theirs, 255][rule as usize]
                    }
                }).collect();
                prop_assert_eq!(merged.mask.read_rect(SIZE.bounds()), expected);
                prop_assert_eq!(merged.counts.differ, differ);
                let shown = SIZE.num_pixels() - merged.disagreement.histogram()[255];
                prop_assert_eq!(shown, differ);
                let MergeCounts { agreed, only_ours, only_theirs, neither, .. } = merged.counts;
                prop_assert_eq!(agreed + differ + only_ours + only_theirs + neither, SIZE.num_pixels());
            }
        }
    }
}
