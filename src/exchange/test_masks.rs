//! Masks that the tests of this module share.

use proptest::prelude::*;

use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};

/// A mask and an area, which may reach beyond it.
#[derive(Clone)]
pub(super) struct Case {
    /// What its mask was made of; the mask itself is too long to print.
    name: String,
    pub(super) mask: Mask,
    pub(super) area: PixelRect,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {:?}", self.name, self.area)
    }
}

/// Blocky masks of one or several tiles, small ones being full of corners that touch.
pub(super) fn any_case() -> impl Strategy<Value = Case> {
    let size = prop_oneof![
        (1_u32..12, 1_u32..12).prop_map(|(width, height)| ImageSize::new(width, height)),
        (1_u32..560, 1_u32..560).prop_map(|(width, height)| ImageSize::new(width, height)),
    ];
    let area = prop_oneof![
        2 => Just(PixelRect::new(0, 0, u32::MAX, u32::MAX)),
        1 => (0_u32..300, 0_u32..300, 0_u32..300, 0_u32..300)
            .prop_map(|(x, y, width, height)| PixelRect::new(x, y, width, height)),
    ];
    (size, area, any::<u64>(), 1_u32..40, 2_u64..60).prop_map(
        |(size, area, seed, block, rarity)| {
            let block = if size.width < 12 { 1 } else { block };
            Case {
                name: format!("{size}, seed {seed}, blocks of {block}, one pixel in {rarity}"),
                mask: blocky(size, seed, block, rarity),
                area,
            }
        },
    )
}

/// A mask of rows of digits, a dot being unlabeled.
pub(super) fn mask_of(rows: &[&str]) -> Mask {
    let class = |byte: u8| if byte == b'.' { UNLABELED } else { byte - b'0' };
    let classes: Vec<u8> = rows.iter().flat_map(|row| row.bytes()).map(class).collect();
    let mut mask = Mask::new(ImageSize::new(rows[0].len() as u32, rows.len() as u32));
    mask.set_rect(mask.size().bounds(), &classes);
    mask
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014).
fn random(seed: u64, x: u32, y: u32) -> u64 {
    let mut z = seed ^ (u64::from(y) << 32 | u64::from(x));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Blocks of 0, 1, 2 and unlabeled; one pixel in `rarity` is of its own.
fn blocky(size: ImageSize, seed: u64, block: u32, rarity: u64) -> Mask {
    const CLASSES: [u8; 8] = [0, 0, 0, 1, 1, 2, 1, UNLABELED];
    let class = |n: u64| CLASSES[n as usize % CLASSES.len()];
    let classes: Vec<u8> = (0..size.height)
        .flat_map(|y| (0..size.width).map(move |x| (x, y)))
        .map(|(x, y)| {
            let own = random(!seed, x, y);
            if own.is_multiple_of(rarity) {
                class(own >> 20)
            } else {
                class(random(seed, x / block, y / block))
            }
        })
        .collect();
    let mut mask = Mask::new(size);
    mask.set_rect(size.bounds(), &classes);
    mask
}
