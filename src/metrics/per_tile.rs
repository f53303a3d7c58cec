use std::collections::HashMap;

use rayon::prelude::*;

use super::Confusion;
use super::tiled_ground::{Cut, SIDE};
use crate::geom::PixelRect;
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};

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
pub(super) struct Pair {
    pub(super) truth: u8,
    pub(super) prediction: u8,
    pub(super) pixels: u32,
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
        let all = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
        counted.update(truth, prediction, &all.collect::<Vec<_>>());
        counted
    }

    /// Counts these tiles (column, row) of the masks again, after either mask changed there; each
    /// is named once.
    pub fn update(&mut self, truth: &Mask, prediction: &Mask, tiles: &[(u32, u32)]) {
        let pairs = tiles.par_iter().map_init(scratch, |scratch, &(col, row)| {
            let both = [truth.tile(col, row), prediction.tile(col, row)];
            pairs_of(both, truth.tile_rect(col, row), None, scratch)
        });
        let pairs: Vec<Vec<Pair>> = pairs.collect();
        for (&tile, pairs) in tiles.iter().zip(pairs) {
            for pair in &pairs {
                self.total
                    .add_many(pair.truth, pair.prediction, u64::from(pair.pixels));
            }
            for pair in self.tiles.insert(tile, pairs.into()).iter().flatten() {
                self.total
                    .subtract_many(pair.truth, pair.prediction, u64::from(pair.pixels));
            }
        }
    }

    /// The counts of the same truth where nothing is predicted, without a look at any pixel.
    pub fn unpredicted(&self) -> Self {
        let mut total = Confusion::new(self.total.num_classes());
        let mut tiles = HashMap::with_capacity(self.tiles.len());
        for (&tile, pairs) in &self.tiles {
            let mut bare: Vec<Pair> = Vec::new();
            for pair in pairs {
                total.add_many(pair.truth, UNLABELED, u64::from(pair.pixels));
                match bare.iter_mut().find(|known| known.truth == pair.truth) {
                    Some(known) => known.pixels += pair.pixels,
                    None => bare.push(Pair {
                        prediction: UNLABELED,
                        ..*pair
                    }),
                }
            }
            tiles.insert(tile, bare.into());
        }
        Self { total, tiles }
    }

    /// The counts of the whole ground.
    pub const fn total(&self) -> &Confusion {
        &self.total
    }

    /// The pairs that occur in a tile, by column and row.
    pub(super) fn pairs(&self, at: (u32, u32)) -> &[Pair] {
        self.tiles.get(&at).map_or(&[][..], |pairs| pairs)
    }

    /// Columns and rows of the tiles that a rectangle (level-0 pixels) touches.
    pub fn tiles_in(rect: PixelRect) -> impl Iterator<Item = (u32, u32)> {
        let cols = rect.x / MASK_TILE_SIZE..rect.right().div_ceil(MASK_TILE_SIZE);
        let rows = rect.y / MASK_TILE_SIZE..rect.bottom().div_ceil(MASK_TILE_SIZE);
        let is_empty = rect.is_empty();
        rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
            .filter(move |_| !is_empty)
    }

    /// The pixels of one tile, by column and row, that were taken for another class or none.
    pub fn errors_in(&self, col: u32, row: u32) -> u64 {
        let known = |pair: &&Pair| usize::from(pair.truth) < self.total.num_classes();
        let pairs = self.pairs((col, row)).iter();
        let wrong = pairs
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
}

/// Zeros, one for each pair of bytes, for a count.
pub(super) fn scratch() -> Vec<u32> {
    vec![0; 1 << 16]
}

/// The pairs of classes of two tiles at `ground`, as far as `cut` holds them, and how often each
/// occurs; `scratch` holds zeros before and after.
pub(super) fn pairs_of(
    tiles: [&MaskTile; 2],
    ground: PixelRect,
    cut: Option<&Cut>,
    scratch: &mut [u32],
) -> Vec<Pair> {
    let [truth, prediction] = tiles;
    let uniform = tiles.map(MaskTile::uniform_class);
    if let ([Some(truth), Some(prediction)], None) = (uniform, cut) {
        return vec![Pair {
            truth,
            prediction,
            pixels: ground.width * ground.height,
        }];
    }
    let (mut plain, mut held, mut seen) = ([[0; SIDE]; 2], [true; SIDE], Vec::new());
    let [plain_truth, plain_prediction] = &mut plain;
    for y in 0..ground.height {
        if let Some(cut) = cut {
            cut.row(ground.y + y, ground, &mut held);
        }
        let truth = truth.row(y as usize, plain_truth);
        let prediction = prediction.row(y as usize, plain_prediction);
        let pair = |x: usize| usize::from(truth[x]) << 8 | usize::from(prediction[x]);
        let mut end = 0;
        for part in held[..ground.width as usize].chunk_by(|a, b| a == b) {
            let mut x = end;
            end += part.len();
            // Neighbors are mostly alike.
            while part[0] && x < end {
                let (start, here) = (x, pair(x));
                while x < end && pair(x) == here {
                    x += 1;
                }
                if scratch[here] == 0 {
                    seen.push(here);
                }
                scratch[here] += (x - start) as u32;
            }
        }
    }
    let pairs = seen.into_iter().map(|index| Pair {
        truth: (index >> 8) as u8,
        prediction: index as u8,
        pixels: std::mem::take(&mut scratch[index]),
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{PartConfusion, TiledGround};
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
            let mut kept = PartConfusion::default();
            for (n, (x, y, w, h, class)) in rects.into_iter().enumerate() {
                let rect = PixelRect::new(x, y, w, h);
                let changed = if n % 2 == 0 { &mut truth } else { &mut prediction };
                changed.set_rect(rect, &vec![class; (w * h) as usize]);
                let tiles: Vec<_> = TileConfusion::tiles_in(rect.intersect(size.bounds())).collect();
                counted.update(&truth, &prediction, &tiles);
                prop_assert_eq!(counted.total(), &Confusion::between(&truth, &prediction, 3));
                let part = PixelRect::new(x / 2, y / 3, 3 * w, 2 * h);
                let fresh = Confusion::within(&truth, &prediction, part, 3);
                let ground = TiledGround::of_rects(size, &[part]);
                let kept = kept.of(&ground, &counted, [&truth, &prediction]);
                prop_assert_eq!(kept, fresh);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_prediction_that_comes_block_by_block_is_counted_as_a_whole_one(
            rects in prop::collection::vec((0_u32..600, 0_u32..400, 1_u32..200, 1_u32..200, 0_u8..4), 1..6),
            turn in 0_usize..12
        ) {
            let size = ImageSize::new(600, 400);
            let (mut truth, other) = (Mask::new(size), Mask::filled(size, 2));
            for (x, y, w, h, class) in rects {
                truth.set_rect(PixelRect::new(x, y, w, h), &vec![class; (w * h) as usize]);
            }
            let mut counted = TileConfusion::new(&truth, &other, 3).unpredicted();
            let mut prediction = Mask::new(size);
            prop_assert_eq!(counted.total(), &Confusion::between(&truth, &prediction, 3));
            // Borders of blocks are none of tiles.
            let mut blocks = size.bounds().pieces(ImageSize::new(150, 134));
            blocks.rotate_left(turn);
            for (n, block) in blocks.into_iter().enumerate() {
                let classes: Vec<u8> = (0..block.num_pixels()).map(|at| ((at + n as u64) / 70 % 3) as u8).collect();
                prediction.set_rect(block, &classes);
                let tiles: Vec<_> = TileConfusion::tiles_in(block).collect();
                counted.update(&truth, &prediction, &tiles);
                prop_assert_eq!(counted.total(), &Confusion::between(&truth, &prediction, 3));
                let fresh = Confusion::within(&truth, &prediction, block, 3);
                let ground = TiledGround::of_rects(size, &[block]);
                let of_block = PartConfusion::default().of(&ground, &counted, [&truth, &prediction]);
                prop_assert_eq!(of_block, fresh);
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
