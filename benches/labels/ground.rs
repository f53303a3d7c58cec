//! Masks and pixels to work on, each a pure function of place.

use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{Mask, MaskBuilder, UNLABELED};
use orthobrush::sample::{World, paint_band};

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014) over a place.
pub fn random(seed: u64, x: u32, y: u32) -> u64 {
    let mut z = seed ^ (u64::from(y) << 32 | u64::from(x));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn mask_of(size: ImageSize, class: impl Fn(u32, u32) -> u8) -> Mask {
    let mut builder = MaskBuilder::new(size);
    for y in 0..size.height {
        let row: Vec<u8> = (0..size.width).map(|x| class(x, y)).collect();
        builder.push_rows(&row);
    }
    builder.finish()
}

/// Class 0 with one pixel in eight of class 1: still one region, but no tile is plain.
pub fn speckled(size: ImageSize) -> Mask {
    mask_of(size, |x, y| {
        u8::from(random(3, x, y).is_multiple_of(8) && (x, y) != (0, 0))
    })
}

/// Blocks of three classes and unlabeled ground, one pixel in 40 of a class of its own: something
/// to clean up in every tile.
pub fn blocky(size: ImageSize) -> Mask {
    const CLASSES: [u8; 8] = [0, 0, 0, 1, 1, 2, 1, UNLABELED];
    const BLOCK: u32 = 23;
    let class = |n: u64| CLASSES[n as usize % CLASSES.len()];
    mask_of(size, |x, y| {
        let own = random(!7, x, y);
        if own.is_multiple_of(40) {
            class(own >> 20)
        } else {
            class(random(7, x / BLOCK, y / BLOCK))
        }
    })
}

/// Smooth regions of five classes, some 20,000 in 9,500 × 9,000 pixels: the height of random
/// values on a grid with bilinear values between.
pub fn smooth(size: ImageSize) -> Mask {
    const GRID: u32 = 41;
    let value = |x: u32, y: u32| random(7, x, y) as f32 / u64::MAX as f32;
    let mix = |a: f32, b: f32, at: u32| a + (b - a) * (at % GRID) as f32 / GRID as f32;
    let mut builder = MaskBuilder::new(size);
    for y in 0..size.height {
        let row = y / GRID;
        let knots: Vec<f32> = (0..=size.width / GRID + 1)
            .map(|col| mix(value(col, row), value(col, row + 1), y))
            .collect();
        let class = |x: u32| {
            let col = (x / GRID) as usize;
            (mix(knots[col], knots[col + 1], x) * 5.0) as u8
        };
        builder.push_rows(&(0..size.width).map(class).collect::<Vec<u8>>());
    }
    builder.finish()
}

/// RGBA8 pixels of a gray plain with noise of this many levels, row by row.
pub fn plain(rect: PixelRect, noise: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rect.num_pixels() as usize * 4);
    for y in rect.y..rect.bottom() {
        for x in rect.x..rect.right() {
            // Cheaper than `random`, since the wand is what is measured.
            let hash = (x ^ y.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B) >> 16;
            let value = (100 + (hash & 0xFF) * noise / 256) as u8;
            bytes.extend_from_slice(&[value, value, value, 255]);
        }
    }
    bytes
}

/// RGBA8 pixels of the upper left of the sample landscape, row by row.
pub fn landscape(side: u32) -> Vec<u8> {
    let band = paint_band(&World::new(1), 0, side, side);
    let pixels = band.rgb.as_chunks::<3>().0;
    pixels
        .iter()
        .flat_map(|&[r, g, b]| [r, g, b, 255])
        .collect()
}
