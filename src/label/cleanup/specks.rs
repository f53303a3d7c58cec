use std::collections::HashMap;

use super::super::UNLABELED;
use super::super::side::Side;
use super::regions::{Patch, Regions};
use super::work::{ChangedTile, Work};

/// No region: beyond the edge.
const NONE: u32 = u32::MAX;

/// Gives regions with too few pixels the class that most pixels beside them have.
pub(super) fn drop_specks(
    work: &Work<'_>,
    class: Option<u8>,
    min_pixels: u64,
) -> Option<Vec<ChangedTile>> {
    // A region that reaches the area and is too small lies inside this margin with its border.
    let margin = u32::try_from(min_pixels).unwrap_or(u32::MAX);
    let rect = work.with_margin(work.area, margin);
    let regions = Regions::of(work, rect, std::array::from_fn(|index| index as u8), 0.4)?;
    let is_dropped =
        |key: u8| class.map_or(key != UNLABELED, |class| key == class) && work.over.contains(key);
    let mut is_speck = vec![false; regions.roots.len()];
    for (number, piece) in regions.patches.iter().flat_map(Patch::pieces) {
        let root = regions.roots[number as usize] as usize;
        is_speck[root] = is_dropped(piece.key) && regions.num_pixels[root] < min_pixels;
    }
    let specks = Specks {
        regions: &regions,
        is_speck,
    };
    let targets = specks.targets(work)?;
    regions.recolored(work, 0.7, |region| targets.get(&region).copied())
}

/// Regions that are to go.
struct Specks<'a> {
    regions: &'a Regions,
    /// At the number of a region's root.
    is_speck: Vec<bool>,
}

/// How many pixels of one class in one tile lie beside a speck.
struct Votes {
    speck: u32,
    class: u8,
    num_pixels: u32,
}

impl Specks<'_> {
    /// The class that each speck takes.
    fn targets(&self, work: &Work<'_>) -> Option<HashMap<u32, u8>> {
        let near: Vec<usize> = (0..self.regions.patches.len())
            .filter(|&index| self.are_near(index))
            .collect();
        let votes = work.each(&near, 0.4..0.7, |&index| self.votes_of(work, index))?;
        let mut votes: Vec<Votes> = votes.into_iter().flatten().collect();
        votes.sort_unstable_by_key(|vote| (vote.speck, vote.class));
        let winners = votes.chunk_by(|a, b| a.speck == b.speck);
        Some(
            winners
                .map(|votes| (votes[0].speck, winner(votes)))
                .collect(),
        )
    }

    /// Whether a pixel of the patch may lie beside a speck.
    fn are_near(&self, index: usize) -> bool {
        let is_speck = |number: u32| self.is_speck[self.regions.roots[number as usize] as usize];
        let patch = &self.regions.patches[index];
        patch.pieces().any(|(number, _)| is_speck(number))
            || Side::ALL.into_iter().any(|side| {
                let beside = self.regions.beside(index, side);
                beside.is_some_and(|patch| patch.along(side.opposite()).any(is_speck))
            })
    }

    /// The votes of the pixels of one patch: each counts once for each speck beside it.
    fn votes_of(&self, work: &Work<'_>, index: usize) -> Vec<Votes> {
        let patch = &self.regions.patches[index];
        let classes = work.mask.read_rect(patch.part.rect);
        let around = self.regions_around(work, index);
        let width = patch.part.rect.width as usize;
        let mut pairs = Vec::new();
        for (y, line) in classes.chunks_exact(width).enumerate() {
            for (x, &class) in line.iter().enumerate() {
                let at = (y + 1) * (width + 2) + x + 1;
                let beside = [at - 1, at + 1, at - width - 2, at + width + 2].map(|at| around[at]);
                if beside == [around[at]; 4] {
                    continue;
                }
                for (nth, &region) in beside.iter().enumerate() {
                    let is_other = region != NONE && region != around[at];
                    let is_new = !beside[..nth].contains(&region);
                    if is_other && is_new && self.is_speck[region as usize] {
                        pairs.push((region, class));
                    }
                }
            }
        }
        pairs.sort_unstable();
        let votes = pairs.chunk_by(|a, b| a == b).map(|same| Votes {
            speck: same[0].0,
            class: same[0].1,
            num_pixels: same.len() as u32,
        });
        votes.collect()
    }

    /// The region of each pixel of a patch, with a rim of one pixel of its neighbors.
    fn regions_around(&self, work: &Work<'_>, index: usize) -> Vec<u32> {
        let patch = &self.regions.patches[index];
        let (width, height) = (
            patch.part.rect.width as usize,
            patch.part.rect.height as usize,
        );
        let stride = width + 2;
        let mut around = vec![NONE; stride * (height + 2)];
        let inside = self.regions.of_pixels(work, patch);
        for (y, line) in inside.chunks_exact(width).enumerate() {
            around[(y + 1) * stride + 1..][..width].copy_from_slice(line);
        }
        for side in Side::ALL {
            let (first, step) = match side {
                Side::Left => (stride, stride),
                Side::Right => (2 * stride - 1, stride),
                Side::Top => (1, 1),
                Side::Bottom => ((height + 1) * stride + 1, 1),
            };
            let Some(beside) = self.regions.beside(index, side) else {
                continue;
            };
            for (nth, number) in beside.along(side.opposite()).enumerate() {
                around[first + nth * step] = self.regions.roots[number as usize];
            }
        }
        around
    }
}

/// The class with the most votes of those sorted by class; unlabeled only when it is alone.
fn winner(votes: &[Votes]) -> u8 {
    let (mut best, mut most) = (votes[0].class, 0);
    for same in votes.chunk_by(|a, b| a.class == b.class) {
        let class = same[0].class;
        // Each tile that the speck touches has votes of its own.
        let num_pixels: u64 = same.iter().map(|vote| u64::from(vote.num_pixels)).sum();
        if num_pixels > most && (class != UNLABELED || most == 0) {
            (best, most) = (class, num_pixels);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::test_masks::{any_case, check, huge, pixels};
    use super::super::{Cleanup, Control, clean_up};
    use super::*;
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Mask, PaintOver};

    fn by_definition(mask: &Mask, class: Option<u8>, min_pixels: u64) -> Vec<u8> {
        let (mut after, bounds) = (pixels(mask), mask.size().bounds());
        let mut seen = vec![false; after.len()];
        for start in 0..after.len() {
            let start = (start as u32 % bounds.width, start as u32 / bounds.width);
            let own = mask.get(start.0, start.1);
            let (mut region, mut border) = (Vec::new(), BTreeSet::new());
            let mut next = vec![start];
            while let Some((x, y)) = next.pop() {
                let at = (y.wrapping_mul(bounds.width).wrapping_add(x)) as usize;
                if !bounds.contains(x, y) {
                    continue;
                }
                if mask.get(x, y) != own {
                    border.insert((x, y));
                } else if !std::mem::replace(&mut seen[at], true) {
                    region.push(at);
                    next.extend([(x + 1, y), (x, y + 1)]);
                    next.extend([(x.wrapping_sub(1), y), (x, y.wrapping_sub(1))]);
                }
            }
            let is_dropped = class.map_or(own != UNLABELED, |class| class == own);
            let mut votes = BTreeMap::<u8, u64>::new();
            for (x, y) in border {
                *votes.entry(mask.get(x, y)).or_default() += 1;
            }
            if votes.len() > 1 {
                votes.remove(&UNLABELED);
            }
            // The last of equals is the smallest class, since the order is turned around.
            let winner = votes.iter().rev().max_by_key(|(_, votes)| **votes);
            if let (Some((winner, _)), true) = (winner, is_dropped)
                && (region.len() as u64) < min_pixels
            {
                for at in region {
                    after[at] = *winner;
                }
            }
        }
        after
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn specks_are_their_definition(
            case in any_case(),
            class in prop_oneof![
                Just(None),
                (0_u8..3).prop_map(Some),
                Just(Some(UNLABELED)),
            ],
            few in any::<bool>(),
        ) {
            for min_pixels in if few { [1, 2, 9] } else { [40, 700, u64::MAX] } {
                let free = by_definition(&case.mask, class, min_pixels);
                check(&case, Cleanup::DropSpecks { class, min_pixels }, &free);
            }
        }
    }

    fn dropped(mask: &Mask, area: PixelRect, min_pixels: u64) -> Mask {
        let what = Cleanup::DropSpecks {
            class: None,
            min_pixels,
        };
        clean_up(
            mask,
            area,
            &PaintOver::everything(),
            what,
            &Control::default(),
        )
        .expect("not cancelled")
    }

    #[test]
    fn a_huge_mask_loses_its_specks_at_once() {
        let mask = huge();
        let bounds = mask.size().bounds();
        assert_eq!(dropped(&mask, bounds, 81), mask);
        assert_eq!(dropped(&mask, bounds, 82), Mask::filled(mask.size(), 0));
    }

    #[test]
    fn a_speck_counts_beyond_the_area() {
        let mut mask = Mask::filled(ImageSize::new(600, 40), 0);
        mask.set_rect(PixelRect::new(200, 10, 200, 2), &[1; 400]);
        let area = PixelRect::new(195, 0, 9, 40);
        assert_eq!(dropped(&mask, area, 400), mask);
        assert_eq!(dropped(&mask, area, 401).histogram()[1], 400 - 8);
    }

    #[test]
    fn a_mask_of_one_speck_has_nothing_to_take() {
        let mask = Mask::filled(ImageSize::new(20, 20), 3);
        assert_eq!(dropped(&mask, mask.size().bounds(), 1_000), mask);
    }
}
