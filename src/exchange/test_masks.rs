//! Masks that the tests of this module share.

use proptest::prelude::*;

use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, MaskBuilder, UNLABELED};

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

/// A mask of 9,500 × 9,000 pixels with some 20,000 smooth regions: five classes by the height of
/// random values on a grid with bilinear values between.
pub(super) fn smooth() -> Mask {
    const GRID: u32 = 41;
    const SIZE: ImageSize = ImageSize::new(9_500, 9_000);
    let value = |x: u32, y: u32| random(7, x, y) as f32 / u64::MAX as f32;
    let mix = |a: f32, b: f32, at: u32| a + (b - a) * (at % GRID) as f32 / GRID as f32;
    let mut builder = MaskBuilder::new(SIZE);
    for y in 0..SIZE.height {
        let row = y / GRID;
        let knots: Vec<f32> = (0..=SIZE.width / GRID + 1)
            .map(|col| mix(value(col, row), value(col, row + 1), y))
            .collect();
        let classes: Vec<u8> = (0..SIZE.width)
            .map(|x| {
                let col = (x / GRID) as usize;
                (mix(knots[col], knots[col + 1], x) * 5.0) as u8
            })
            .collect();
        builder.push_rows(&classes);
    }
    builder.finish()
}
