use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::Confusion;
use super::tiled_ground::{Cut, SIDE};
use crate::geom::PixelRect;
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};

/// What is counted of pixels by what each of `N` masks says of them.
pub trait Counts<const N: usize> {
    /// The same counts of nothing.
    #[must_use]
    fn of_nothing(&self) -> Self;

    /// Counts `pixels` pixels of which the masks say this.
    fn count(&mut self, says: [u8; N], pixels: u64);

    /// Takes back what [`Counts::count`] counted.
    fn uncount(&mut self, says: [u8; N], pixels: u64);
}

/// The counts of masks of one size, kept up to date tile by tile while one of them changes.
///
/// A change costs the tiles it touches, whatever the masks' size.
#[derive(Clone, Debug)]
pub struct TileCounts<C, const N: usize> {
    total: C,
    /// What occurs in each tile, by (column, row).
    tiles: HashMap<(u32, u32), Box<[Tally<N>]>>,
}

/// The confusion of truth and prediction by tiles.
pub type TileConfusion = TileCounts<Confusion, 2>;

/// So many pixels of which the masks say the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally<const N: usize> {
    pub(super) says: [u8; N],
    pub(super) pixels: u32,
}

/// Zeros, one for each of what up to three masks can say, made where they are needed.
pub(super) struct Scratch(Vec<Vec<u32>>);

impl<C: Counts<N>, const N: usize> TileCounts<C, N> {
    /// Counts masks of the same size, beginning with `nothing`.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn of(masks: [&Mask; N], nothing: C) -> Self {
        let sizes = masks.map(Mask::size);
        assert!(
            sizes.iter().all(|size| *size == sizes[0]),
            "masks that are counted cover the same ground"
        );
        let mut counted = Self {
            total: nothing,
            tiles: HashMap::new(),
        };
        let (cols, rows) = masks[0].grid();
        let all = (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row)));
        counted.update(masks, &all.collect::<Vec<_>>());
        counted
    }

    /// Counts these tiles (column, row) of the masks again, after one of them changed there; each
    /// is named once.
    pub fn update(&mut self, masks: [&Mask; N], tiles: &[(u32, u32)]) {
        let tallies = tiles.par_iter().map_init(scratch, |scratch, &(col, row)| {
            let tiles = masks.map(|mask| mask.tile(col, row));
            tallies_of(tiles, masks[0].tile_rect(col, row), None, scratch)
        });
        let tallies: Vec<Vec<Tally<N>>> = tallies.collect();
        for (&tile, tallies) in tiles.iter().zip(tallies) {
            for tally in &tallies {
                self.total.count(tally.says, u64::from(tally.pixels));
            }
            for tally in self.tiles.insert(tile, tallies.into()).iter().flatten() {
                self.total.uncount(tally.says, u64::from(tally.pixels));
            }
        }
    }

    /// The counts of the same masks but for the second one, the prediction, which is bare; without a
    /// look at any pixel.
    #[must_use]
    pub fn unpredicted(&self) -> Self {
        let mut total = self.total.of_nothing();
        let mut tiles = HashMap::with_capacity(self.tiles.len());
        for (&tile, tallies) in &self.tiles {
            let mut bare: Vec<Tally<N>> = Vec::new();
            for tally in tallies {
                let mut says = tally.says;
                says[1] = UNLABELED;
                total.count(says, u64::from(tally.pixels));
                match bare.iter_mut().find(|known| known.says == says) {
                    Some(known) => known.pixels += tally.pixels,
                    None => bare.push(Tally { says, ..*tally }),
                }
            }
            tiles.insert(tile, bare.into());
        }
        Self { total, tiles }
    }

    /// The counts of the whole ground.
    pub const fn total(&self) -> &C {
        &self.total
    }

    /// What occurs in a tile, by column and row.
    pub(super) fn tallies(&self, at: (u32, u32)) -> &[Tally<N>] {
        self.tiles.get(&at).map_or(&[][..], |tallies| tallies)
    }
}

impl TileConfusion {
    /// Counts two masks of the same size.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn new(truth: &Mask, prediction: &Mask, num_classes: usize) -> Self {
        Self::of([truth, prediction], Confusion::new(num_classes))
    }

    /// Columns and rows of the tiles that a rectangle (level-0 pixels) touches.
    pub fn tiles_in(rect: PixelRect) -> impl Iterator<Item = (u32, u32)> {
        let cols = rect.x / MASK_TILE_SIZE..rect.right().div_ceil(MASK_TILE_SIZE);
        let rows = rect.y / MASK_TILE_SIZE..rect.bottom().div_ceil(MASK_TILE_SIZE);
        let is_empty = rect.is_empty();
        rows.flat_map(move |row| cols.clone().map(move |col| (col, row)))
            .filter(move |_| !is_empty)
    }
}

impl Scratch {
    fn at(&mut self, says: usize) -> &mut u32 {
        let page = &mut self.0[says >> 16];
        if page.is_empty() {
            page.resize(1 << 16, 0);
        }
        &mut page[says & 0xffff]
    }
}

/// A scratch for a count.
pub(super) fn scratch() -> Scratch {
    Scratch(vec![Vec::new(); 256])
}

/// What tiles at `ground` say together of pixels, as far as `cut` holds them, and of how many;
/// `scratch` holds zeros before and after.
pub(super) fn tallies_of<const N: usize>(
    tiles: [&MaskTile; N],
    ground: PixelRect,
    cut: Option<&Cut>,
    scratch: &mut Scratch,
) -> Vec<Tally<N>> {
    const { assert!(N <= 3, "a scratch is of three masks at most") };
    let uniform = tiles.map(MaskTile::uniform_class);
    if cut.is_none() && uniform.iter().all(Option::is_some) {
        return vec![Tally {
            says: uniform.map(Option::unwrap_or_default),
            pixels: ground.width * ground.height,
        }];
    }
    let (mut plain, mut held, mut seen) = ([[0; SIDE]; N], [true; SIDE], Vec::new());
    let end = (ground.width as usize).min(SIDE);
    for y in 0..ground.height {
        if let Some(cut) = cut {
            cut.row(ground.y + y, ground, &mut held);
        }
        let mut rows = [&[0; SIDE]; N];
        for ((row, tile), plain) in rows.iter_mut().zip(tiles).zip(&mut plain) {
            *row = tile.row(y as usize, plain);
        }
        each_run(rows, &held, end, |run| {
            if !held[run.start] {
                return;
            }
            let of_row = |says: usize, row: &&[u8; SIDE]| says << 8 | usize::from(row[run.start]);
            let here = rows.iter().fold(0, of_row);
            let count = scratch.at(here);
            if *count == 0 {
                seen.push(here);
            }
            *count += run.len() as u32;
        });
    }
    let tallies = seen.into_iter().map(|at| {
        let bytes = (at as u32).to_be_bytes();
        Tally {
            says: std::array::from_fn(|mask| bytes[bytes.len() - N + mask]),
            pixels: std::mem::take(scratch.at(at)),
        }
    });
    tallies.collect()
}

/// Tells each run of neighbors, up to `end`, of which all rows say the same.
fn each_run<const N: usize>(
    rows: [&[u8; SIDE]; N],
    held: &[bool; SIDE],
    end: usize,
    mut tell: impl FnMut(Range<usize>),
) {
    // Not zero where a run begins; all places at once, and eight of them are left behind in one step,
    // since neighbors are mostly alike.
    let mut begins = [0_u8; SIDE];
    for (at, [before, here]) in begins[1..].iter_mut().zip(held.array_windows()) {
        *at = u8::from(before != here);
    }
    for row in rows {
        for (at, [before, here]) in begins[1..].iter_mut().zip(row.array_windows()) {
            *at |= before ^ here;
        }
    }
    let mut start = 0;
    for (word, bytes) in begins.as_chunks::<8>().0.iter().enumerate() {
        let mut left = u64::from_le_bytes(*bytes);
        while left != 0 {
            let byte = left.trailing_zeros() / 8;
            let at = 8 * word + byte as usize;
            if at >= end {
                break;
            }
            tell(start..at);
            start = at;
            left &= !(0xff << (8 * byte));
        }
    }
    if start < end {
        tell(start..end);
    }
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
                counted.update([&truth, &prediction], &tiles);
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
                counted.update([&truth, &prediction], &tiles);
                prop_assert_eq!(counted.total(), &Confusion::between(&truth, &prediction, 3));
                let fresh = Confusion::within(&truth, &prediction, block, 3);
                let ground = TiledGround::of_rects(size, &[block]);
                let of_block = PartConfusion::default().of(&ground, &counted, [&truth, &prediction]);
                prop_assert_eq!(of_block, fresh);
            }
        }
    }
}
