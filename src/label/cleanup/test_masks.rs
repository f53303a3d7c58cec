//! Masks and checks that the tests of all clean-ups share.

use proptest::prelude::*;

use super::super::{Mask, PaintOver, UNLABELED};
use super::{Cleanup, Control, clean_up};
use crate::geom::{ImageSize, PixelRect};

/// A mask, a work area and what may change.
#[derive(Clone)]
pub(super) struct Case {
    /// What its mask was made of; the mask itself is too long to print.
    name: String,
    pub(super) mask: Mask,
    pub(super) area: PixelRect,
    pub(super) over: PaintOver,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {:?}, over {:?}", self.name, self.area, self.over)
    }
}

/// Masks of several tiles: blocks of random classes with scattered pixels, and some odd areas.
pub(super) fn any_case() -> impl Strategy<Value = Case> {
    let size = (1_u32..300, 1_u32..280, any::<bool>()).prop_map(|(width, height, is_large)| {
        if is_large {
            ImageSize::new(300, 280)
        } else {
            ImageSize::new(width, height)
        }
    });
    let area = prop_oneof![
        Just(PixelRect::new(0, 0, u32::MAX, u32::MAX)),
        (0_u32..280, 0_u32..270, 1_u32..300, 1_u32..300)
            .prop_map(|(x, y, width, height)| PixelRect::new(x, y, width, height)),
    ];
    let over = prop_oneof![
        2 => Just(PaintOver::everything()),
        1 => (0_u8..3).prop_map(|locked| PaintOver::everything().without(locked)),
        1 => Just(PaintOver::only([1, UNLABELED])),
    ];
    (size, area, over, any::<u64>(), 2_u32..40, 2_u64..60).prop_map(
        |(size, area, over, seed, block, rarity)| Case {
            name: format!("{size}, seed {seed}, blocks of {block}, one pixel in {rarity}"),
            mask: blocky(size, seed, block, rarity),
            area,
            over,
        },
    )
}

/// Blocks of random classes out of 0, 1, 2 and unlabeled; one pixel in `rarity` is of its own.
pub(super) fn blocky(size: ImageSize, seed: u64, block: u32, rarity: u64) -> Mask {
    const CLASSES: [u8; 8] = [0, 0, 0, 1, 1, 2, 1, UNLABELED];
    let random = |x: u32, y: u32, salt: u64| {
        // The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
        let mut z = seed ^ salt ^ (u64::from(y) << 32 | u64::from(x));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let class = |n: u64| CLASSES[n as usize % CLASSES.len()];
    let mut mask = Mask::new(size);
    let rows: Vec<u8> = (0..size.height)
        .flat_map(|y| (0..size.width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let own = random(x, y, 1 << 63);
            if own % rarity == 0 {
                class(own >> 20)
            } else {
                class(random(x / block, y / block, 0))
            }
        })
        .collect();
    mask.set_rect(size.bounds(), &rows);
    mask
}

/// All classes of a mask, row by row.
pub(super) fn pixels(mask: &Mask) -> Vec<u8> {
    mask.read_rect(mask.size().bounds())
}

/// Whether `what` gives the classes `free` where the case lets pixels change, and leaves all else
/// as it is, shared tiles included.
pub(super) fn check(case: &Case, what: Cleanup, free: &[u8]) {
    let control = Control::default();
    let after = clean_up(&case.mask, case.area, &case.over, what, &control).expect("not cancelled");
    let width = case.mask.size().width;
    let before = pixels(&case.mask);
    for (at, (&new, &old)) in pixels(&after).iter().zip(&before).enumerate() {
        let (x, y) = (at as u32 % width, at as u32 / width);
        let may_change = case.area.contains(x, y) && case.over.contains(old);
        let expected = if may_change { free[at] } else { old };
        assert_eq!(new, expected, "{what:?} at {x}, {y}, before {old}");
    }
    for (col, row, tile) in after.tiles() {
        let rect = after.tile_rect(col, row);
        let classes = after.read_rect(rect);
        let is_one = classes.iter().all(|class| *class == classes[0]);
        assert_eq!(tile.uniform_class().is_some(), is_one, "tiles are sparse");
        let is_unchanged = classes == case.mask.read_rect(rect);
        assert_eq!(
            tile.is_same(case.mask.tile(col, row)),
            is_unchanged,
            "tiles are shared"
        );
    }
}

/// A mask of 100,000 × 100,000 pixels in which few are painted.
pub(super) fn huge() -> Mask {
    let mut mask = Mask::filled(ImageSize::new(100_000, 100_000), 0);
    for (x, y) in [(0, 0), (51_000, 77_300), (99_990, 99_990)] {
        let rect = PixelRect::new(x, y, 9, 9);
        mask.set_rect(rect, &[1; 81]);
    }
    mask
}
