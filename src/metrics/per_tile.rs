use std::collections::HashMap;

use super::Confusion;
use crate::geom::PixelRect;
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile};

/// The confusion of two masks, kept up to date tile by tile while one of them is painted.
///
/// A change costs the tiles it touches, whatever the masks' size.
#[derive(Clone, Debug)]
pub struct TileConfusion {
    total: Confusion,
    /// The pairs that occur in each tile, by (column, row).
    tiles: HashMap<(u32, u32), Box<[Pair]>>,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    truth: u8,
    prediction: u8,
    pixels: u32,
}

impl TileConfusion {
    /// Counts two masks of the same size.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn new(truth: &Mask, prediction: &Mask, num_classes: usize) -> Self {
        assert_eq!(
            truth.size(),
            prediction.size(),
            "truth and prediction cover the same ground"
        );
        let mut counted = Self {
            total: Confusion::new(num_classes),
            tiles: HashMap::new(),
        };
        let (cols, rows) = truth.grid();
        for (col, row) in (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row))) {
            counted.recount(truth, prediction, (col, row));
        }
        counted
    }

    /// Counts again what lies in `dirty` (level-0 pixels), after either mask changed there.
    pub fn update(&mut self, truth: &Mask, prediction: &Mask, dirty: &[PixelRect]) {
        let mut touched = Vec::new();
        for rect in dirty {
            let rect = rect.intersect(truth.size().bounds());
            let cols = rect.x / MASK_TILE_SIZE..rect.right().div_ceil(MASK_TILE_SIZE);
            for row in rect.y / MASK_TILE_SIZE..rect.bottom().div_ceil(MASK_TILE_SIZE) {
                touched.extend(cols.clone().map(|col| (col, row)));
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for tile in touched {
            self.recount(truth, prediction, tile);
        }
    }

    /// The counts of the whole ground.
    pub const fn total(&self) -> &Confusion {
        &self.total
    }

    /// The pixels of one tile, by column and row, that were taken for another class or none.
    pub fn errors_in(&self, col: u32, row: u32) -> u64 {
        let pairs = self.tiles.get(&(col, row)).map_or(&[][..], |pairs| pairs);
        let known = |pair: &&Pair| usize::from(pair.truth) < self.total.num_classes();
        let wrong = pairs
            .iter()
            .filter(known)
            .filter(|pair| pair.truth != pair.prediction);
        wrong.map(|pair| u64::from(pair.pixels)).sum()
    }

    /// The tiles that hold pixels of class `truth` predicted as `prediction`, as (column, row,
    /// pixels), most pixels first: one cell of the matrix, found on the ground.
    pub fn tiles_with(&self, truth: u8, prediction: u8) -> Vec<(u32, u32, u64)> {
        let mut found: Vec<_> = self
            .tiles
            .iter()
            .filter_map(|(&(col, row), pairs)| {
                let is_it = |pair: &&Pair| pair.truth == truth && pair.prediction == prediction;
                pairs
                    .iter()
                    .find(is_it)
                    .map(|pair| (col, row, u64::from(pair.pixels)))
            })
            .collect();
        found.sort_unstable_by_key(|&(col, row, pixels)| (std::cmp::Reverse(pixels), row, col));
        found
    }

    fn recount(&mut self, truth: &Mask, prediction: &Mask, (col, row): (u32, u32)) {
        let ground = truth.tile_rect(col, row);
        let pairs = pairs_of(truth.tile(col, row), prediction.tile(col, row), ground);
        for pair in &pairs {
            self.total
                .add_many(pair.truth, pair.prediction, u64::from(pair.pixels));
        }
        if let Some(old) = self.tiles.insert((col, row), pairs.into_boxed_slice()) {
            for pair in &old {
                self.total
                    .subtract_many(pair.truth, pair.prediction, u64::from(pair.pixels));
            }
        }
    }
}

fn pairs_of(truth: &MaskTile, prediction: &MaskTile, ground: PixelRect) -> Vec<Pair> {
    if let (Some(truth), Some(prediction)) = (truth.uniform_class(), prediction.uniform_class()) {
        return vec![Pair {
            truth,
            prediction,
            pixels: ground.width * ground.height,
        }];
    }
    let mut counts = vec![0_u32; 1 << 16];
    for (x, y) in (0..ground.height).flat_map(|y| (0..ground.width).map(move |x| (x, y))) {
        counts[usize::from(truth.get(x, y)) << 8 | usize::from(prediction.get(x, y))] += 1;
    }
    let pair = |(index, &pixels): (usize, &u32)| {
        (pixels > 0).then_some(Pair {
            truth: (index >> 8) as u8,
            prediction: index as u8,
            pixels,
        })
    };
    counts.iter().enumerate().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn kept_counts_equal_fresh_ones(
            rects in prop::collection::vec((0_u32..600, 0_u32..400, 1_u32..200, 1_u32..200, 0_u8..4), 1..8)
        ) {
            let size = ImageSize::new(600, 400);
            let (mut truth, mut prediction) = (Mask::new(size), Mask::filled(size, 1));
            let mut counted = TileConfusion::new(&truth, &prediction, 3);
            for (n, (x, y, w, h, class)) in rects.into_iter().enumerate() {
                let rect = PixelRect::new(x, y, w, h);
                let changed = if n % 2 == 0 { &mut truth } else { &mut prediction };
                changed.set_rect(rect, &vec![class; (w * h) as usize]);
                counted.update(&truth, &prediction, &[rect]);
                prop_assert_eq!(counted.total(), &Confusion::between(&truth, &prediction, 3));
            }
        }
    }

    #[test]
    fn errors_are_found_on_the_ground() {
        let size = ImageSize::new(600, 300);
        let mut truth = Mask::filled(size, 0);
        truth.set_rect(PixelRect::new(250, 0, 10, 10), &[1; 100]);
        let counted = TileConfusion::new(&truth, &Mask::filled(size, 0), 2);
        assert_eq!(counted.tiles_with(1, 0), [(0, 0, 60), (1, 0, 40)]);
        assert_eq!((counted.errors_in(1, 0), counted.errors_in(2, 0)), (40, 0));
    }
}
