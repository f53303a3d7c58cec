use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::super::ExchangeError;
use super::{Tile, TilePlan};

/// What a tile or another sample is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A network learns from it.
    Train,
    /// It chooses between networks and tells when to stop.
    Validation,
    /// It judges the chosen network, once.
    Test,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The word for it in sentences.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The name of its folder: `train`, `val` or `test`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        }
    }
}

/// How much of the ground is held out; the rest is for training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TileShares {
    /// Share for validation, 0 to 1.
    pub validation: f64,
    /// Share for tests, 0 to 1.
    pub test: f64,
    /// The choice follows from this number alone.
    pub seed: u64,
}

/// Tiles with what they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitTiles {
    /// In the order they came in.
    pub tiles: Vec<(Tile, Part)>,
    /// How many tiles lie across blocks of different parts and are left out.
    pub num_across: usize,
}

/// The most units along the side of a block.
const LARGEST_BLOCK: u32 = 4;
/// Blocks get smaller while there are fewer.
const ENOUGH_BLOCKS: usize = 20;

/// Says what each tile is for, so that no pixel is in tiles of two parts.
///
/// The ground is cut into square blocks of four by four tiles; of two by two or one where there
/// would be fewer than 20 blocks. Blocks with tiles are put in an
/// order that follows from the seed; the first ones are for tests, the next ones for validation.
/// A part with a share gets at least one block while there are any besides one for training. A
/// tile is for what all blocks it touches are for, and is left out when they differ: with an
/// overlap of 0 only tiles that [`Edge::Shift`](super::Edge::Shift) moved can be.
///
/// # Errors
/// [`ExchangeError::TilePlan`] when the plan is not possible or shares are not 0 to 1 in all.
pub fn split_tiles(
    tiles: &[Tile],
    plan: &TilePlan,
    shares: &TileShares,
) -> Result<SplitTiles, ExchangeError> {
    let step = plan.step()?;
    let held_out = shares.validation + shares.test;
    if !(shares.validation >= 0.0 && shares.test >= 0.0 && held_out <= 1.0) {
        return Err(ExchangeError::TilePlan {
            reason: format!(
                "shares of {} and {} cannot be held out; choose 0 to 1 in all",
                shares.validation, shares.test
            ),
        });
    }
    // Whole steps that hold a tile, so that none touches more than four blocks.
    let unit = step * plan.side.div_ceil(step);
    let mut side = LARGEST_BLOCK * unit;
    let mut blocks = blocks_of(tiles, side);
    while side > unit && blocks.len() < ENOUGH_BLOCKS {
        side /= 2;
        blocks = blocks_of(tiles, side);
    }
    blocks.sort_unstable_by_key(|&(x, y)| (hash(shares.seed, x, y), x, y));
    let part_of = parts(&blocks, shares);
    let part = |tile: &Tile| {
        let mut parts = touched(tile, side).map(|block| part_of[&block]);
        let first = parts.next()?;
        parts.all(|other| other == first).then_some((*tile, first))
    };
    let split: Vec<_> = tiles.iter().filter_map(part).collect();
    Ok(SplitTiles {
        num_across: tiles.len() - split.len(),
        tiles: split,
    })
}

/// The blocks (column and row) that tiles touch, each once.
fn blocks_of(tiles: &[Tile], side: u32) -> Vec<(u32, u32)> {
    let blocks: BTreeSet<_> = tiles.iter().flat_map(|tile| touched(tile, side)).collect();
    blocks.into_iter().collect()
}

fn touched(tile: &Tile, side: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
    let rect = tile.rect;
    let range = |from: u32, length: u32| from / side..(from + length).div_ceil(side);
    let (cols, rows) = (range(rect.x, rect.width), range(rect.y, rect.height));
    rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
}

fn parts(blocks: &[(u32, u32)], shares: &TileShares) -> HashMap<(u32, u32), Part> {
    let count = blocks.len();
    let keeps_one = usize::from(shares.validation + shares.test < 1.0);
    let held_out = |share: f64, left: usize| {
        let wanted = (share * count as f64).round() as usize;
        if share > 0.0 {
            wanted.max(1).min(left)
        } else {
            0
        }
    };
    let left = count.saturating_sub(keeps_one);
    let test = held_out(shares.test, left);
    let validation = held_out(shares.validation, left - test);
    let part = |place: usize| {
        if place < test {
            Part::Test
        } else if place < test + validation {
            Part::Validation
        } else {
            Part::Train
        }
    };
    (0..)
        .zip(blocks)
        .map(|(place, &block)| (block, part(place)))
        .collect()
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014), on the seed and then on the place.
fn hash(seed: u64, x: u32, y: u32) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |z: u64| {
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    mix(mix(seed.wrapping_add(GOLDEN)) ^ (u64::from(y) << 32 | u64::from(x)).wrapping_add(GOLDEN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Edge;
    use super::*;
    use crate::geom::ImageSize;

    fn plan(side: u32, overlap: u32, edge: Edge) -> TilePlan {
        TilePlan {
            side,
            overlap,
            edge,
        }
    }

    fn shares(validation: f64, test: f64) -> TileShares {
        TileShares {
            validation,
            test,
            seed: 7,
        }
    }

    fn counts(split: &SplitTiles) -> [usize; 3] {
        Part::ALL.map(|part| split.tiles.iter().filter(|tile| tile.1 == part).count())
    }

    #[test]
    fn shares_are_kept_and_nothing_is_lost_without_overlap() {
        let plan = plan(10, 0, Edge::Pad);
        let tiles = plan.tiles(ImageSize::new(400, 400)).expect("valid");
        let split = split_tiles(&tiles, &plan, &shares(0.2, 0.1)).expect("valid");
        assert_eq!(split.num_across, 0);
        assert_eq!(counts(&split), [1_120, 320, 160]);
        let other = TileShares {
            seed: 8,
            ..shares(0.2, 0.1)
        };
        assert_ne!(split_tiles(&tiles, &plan, &other).expect("valid"), split);
    }

    #[test]
    fn a_few_tiles_are_shared_as_far_as_they_go() {
        let plan = plan(10, 0, Edge::Pad);
        for (width, expected) in [(10, [1, 0, 0]), (20, [1, 0, 1]), (30, [1, 1, 1])] {
            let tiles = plan.tiles(ImageSize::new(width, 10)).expect("valid");
            let split = split_tiles(&tiles, &plan, &shares(0.1, 0.1)).expect("valid");
            assert_eq!(counts(&split), expected);
        }
        let tiles = plan.tiles(ImageSize::new(10, 10)).expect("valid");
        let all = split_tiles(&tiles, &plan, &shares(0.0, 1.0)).expect("valid");
        assert_eq!(counts(&all), [0, 0, 1]);
        assert!(
            split_tiles(&[], &plan, &shares(0.1, 0.1))
                .expect("valid")
                .tiles
                .is_empty()
        );
    }

    #[test]
    fn shares_that_cannot_be_are_refused() {
        for shares in [shares(-0.1, 0.0), shares(0.6, 0.6), shares(f64::NAN, 0.0)] {
            assert!(split_tiles(&[], &plan(10, 0, Edge::Pad), &shares).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_pixel_is_in_two_parts(
            (width, height) in (1_u32..150, 1_u32..150),
            side in 1_u32..20,
            overlap in 0_u32..19,
            edge in prop_oneof![Just(Edge::Drop), Just(Edge::Pad), Just(Edge::Shift)],
            seed in any::<u64>(),
        ) {
            prop_assume!(overlap < side && (side - overlap) * 10 > side);
            let plan = plan(side, overlap, edge);
            let tiles = plan.tiles(ImageSize::new(width, height)).expect("valid");
            let shares = TileShares { validation: 0.2, test: 0.2, seed };
            let split = split_tiles(&tiles, &plan, &shares).expect("valid");
            prop_assert_eq!(split.tiles.len() + split.num_across, tiles.len());
            let mut seen = vec![None; (width * height) as usize];
            for (tile, part) in &split.tiles {
                let rect = tile.rect;
                for (x, y) in (rect.y..rect.bottom()).flat_map(|y| (rect.x..rect.right()).map(move |x| (x, y))) {
                    let before = seen[(y * width + x) as usize].replace(*part);
                    prop_assert!(before.is_none_or(|before| before == *part));
                }
            }
            if overlap == 0 && edge != Edge::Shift {
                prop_assert_eq!(split.num_across, 0);
            }
        }
    }
}
