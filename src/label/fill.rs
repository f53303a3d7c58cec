use std::collections::BTreeMap;

use super::span::Span;
use super::tile::SIDE;
use super::{MASK_TILE_SIZE, Mask, MaskError, MaskTile, Selection, TilePixels};
use crate::geom::PixelRect;

/// Where a flood fill stops.
#[derive(Clone, Copy)]
pub struct FillLimits<'a> {
    /// More pixels than this are not filled; nothing changes then.
    pub max_pixels: u64,
    /// Asked now and then; `true` stops the fill and nothing changes.
    pub is_cancelled: &'a dyn Fn() -> bool,
}

impl Default for FillLimits<'_> {
    fn default() -> Self {
        Self {
            max_pixels: u64::MAX,
            is_cancelled: &|| false,
        }
    }
}

impl Mask {
    /// The pixels that are joined to (x, y) by sides and have its class.
    ///
    /// # Errors
    /// [`MaskError::FillTooLarge`], [`MaskError::FillCancelled`], [`MaskError::OutsideMask`].
    pub fn region_at(
        &self,
        seed: (u32, u32),
        limits: &FillLimits<'_>,
    ) -> Result<Selection, MaskError> {
        Ok(Region::around(self, seed, limits)?.selection(self))
    }
}

/// Connected pixels of one class, by tile.
#[derive(Default)]
pub(super) struct Region {
    tiles: BTreeMap<(u32, u32), Cover>,
    num_pixels: u64,
}

/// The part of one tile that belongs to a region.
enum Cover {
    Whole,
    Bits(Box<TileBits>),
}

/// One bit a pixel, row by row.
type TileBits = [u64; SIDE * SIDE / 64];

/// A straight line of pixels in one tile from which the region may go on.
struct Frontier {
    tile: (u32, u32),
    /// Tile-local, one pixel thin.
    line: PixelRect,
}

impl Region {
    /// The pixels that are joined to (x, y) by sides and have its class.
    ///
    /// # Errors
    /// [`MaskError::FillTooLarge`] and [`MaskError::FillCancelled`]; [`MaskError::OutsideMask`]
    /// when the pixel is outside.
    pub(super) fn around(
        mask: &Mask,
        (x, y): (u32, u32),
        limits: &FillLimits<'_>,
    ) -> Result<Self, MaskError> {
        if !mask.size().bounds().contains(x, y) {
            return Err(MaskError::OutsideMask {
                x,
                y,
                size: mask.size(),
            });
        }
        let class = mask.get(x, y);
        let mut region = Self::default();
        let line = PixelRect::new(x % MASK_TILE_SIZE, y % MASK_TILE_SIZE, 1, 1);
        let tile = (x / MASK_TILE_SIZE, y / MASK_TILE_SIZE);
        let mut frontiers = vec![Frontier { tile, line }];
        while let Some(frontier) = frontiers.pop() {
            if (limits.is_cancelled)() {
                return Err(MaskError::FillCancelled);
            }
            region.grow(mask, class, &frontier, &mut frontiers);
            if region.num_pixels > limits.max_pixels {
                return Err(MaskError::FillTooLarge {
                    max_pixels: limits.max_pixels,
                });
            }
        }
        Ok(region)
    }

    /// All its pixels.
    fn selection(&self, mask: &Mask) -> Selection {
        let (mut all, mut some) = (Vec::new(), Vec::new());
        for (col, row) in self.tiles() {
            self.spans((col, row), mask.tile_rect(col, row), &mut some);
            all.append(&mut some);
        }
        all.sort_unstable_by_key(|span| (span.y, span.start));
        all.dedup_by(|next, last| {
            let touches = last.y == next.y && last.end == next.start;
            if touches {
                last.end = next.end;
            }
            touches
        });
        Selection::from_spans(all)
    }

    /// The tiles it touches, by row and column.
    pub(super) fn tiles(&self) -> impl Iterator<Item = (u32, u32)> {
        self.tiles.keys().map(|&(row, col)| (col, row))
    }

    /// Its pixels in a tile that covers `ground`, in mask pixels.
    pub(super) fn spans(&self, (col, row): (u32, u32), ground: PixelRect, out: &mut Vec<Span>) {
        out.clear();
        for y in ground.y..ground.bottom() {
            match self.tiles.get(&(row, col)) {
                None => return,
                Some(Cover::Whole) => out.push(Span {
                    y,
                    start: ground.x,
                    end: ground.right(),
                }),
                Some(Cover::Bits(bits)) => add_row(bits, y, ground, out),
            }
        }
    }

    fn grow(&mut self, mask: &Mask, class: u8, at: &Frontier, next: &mut Vec<Frontier>) {
        let (col, row) = at.tile;
        let ground = mask.tile_rect(col, row);
        match mask.tile(col, row) {
            MaskTile::Uniform(uniform) => {
                if *uniform == class && self.tiles.insert((row, col), Cover::Whole).is_none() {
                    self.num_pixels += ground.num_pixels();
                    Borders::all().push_frontiers(mask, at.tile, ground, next);
                }
            }
            MaskTile::Pixels(pixels) => {
                let empty = || {
                    Cover::Bits(
                        vec![0; SIDE * SIDE / 64]
                            .try_into()
                            .expect("the length is that of a tile"),
                    )
                };
                let cover = self.tiles.entry((row, col)).or_insert_with(empty);
                let Cover::Bits(bits) = cover else {
                    return;
                };
                let extent = (ground.width as usize, ground.height as usize);
                let mut flood = Flood {
                    pixels,
                    class,
                    bits,
                    extent,
                    borders: Borders::none(),
                };
                self.num_pixels += flood.run(at.line);
                let borders = flood.borders;
                borders.push_frontiers(mask, at.tile, ground, next);
            }
        }
    }
}

fn add_row(bits: &TileBits, y: u32, ground: PixelRect, out: &mut Vec<Span>) {
    let row = (y - ground.y) as usize * SIDE;
    let mut x = 0;
    while x < ground.width as usize {
        if !bit(bits, row + x) {
            x += 1;
            continue;
        }
        let start = x;
        while x < ground.width as usize && bit(bits, row + x) {
            x += 1;
        }
        out.push(Span {
            y,
            start: ground.x + start as u32,
            end: ground.x + x as u32,
        });
    }
}

const fn bit(bits: &TileBits, index: usize) -> bool {
    bits[index / 64] >> (index % 64) & 1 == 1
}

/// Fills inside one tile by spans and notes which border pixels it reached.
struct Flood<'a> {
    pixels: &'a TilePixels,
    class: u8,
    bits: &'a mut TileBits,
    extent: (usize, usize),
    borders: Borders,
}

impl Flood<'_> {
    /// Fills from every open pixel of `line`; the number of pixels that are new.
    fn run(&mut self, line: PixelRect) -> u64 {
        let mut seeds = Vec::new();
        for y in line.y..line.bottom() {
            seeds.extend((line.x..line.right()).map(|x| (x as usize, y as usize)));
        }
        let mut filled = 0;
        while let Some((x, y)) = seeds.pop() {
            if self.is_open(x, y) {
                let (start, end) = self.fill_span(x, y);
                filled += (end - start) as u64;
                if y > 0 {
                    self.seed_row(start, end, y - 1, &mut seeds);
                }
                if y + 1 < self.extent.1 {
                    self.seed_row(start, end, y + 1, &mut seeds);
                }
            }
        }
        filled
    }

    fn is_open(&self, x: usize, y: usize) -> bool {
        let index = y * SIDE + x;
        self.pixels[index] == self.class && !bit(self.bits, index)
    }

    fn fill_span(&mut self, x: usize, y: usize) -> (usize, usize) {
        let (mut start, mut end) = (x, x + 1);
        while start > 0 && self.is_open(start - 1, y) {
            start -= 1;
        }
        while end < self.extent.0 && self.is_open(end, y) {
            end += 1;
        }
        for index in y * SIDE + start..y * SIDE + end {
            self.bits[index / 64] |= 1 << (index % 64);
        }
        self.borders.note(start, end, y, self.extent);
        (start, end)
    }

    /// Seeds the first pixel of each open stretch of a neighboring row.
    fn seed_row(&self, start: usize, end: usize, y: usize, seeds: &mut Vec<(usize, usize)>) {
        let mut was_open = false;
        for x in start..end {
            let is_open = self.is_open(x, y);
            if is_open && !was_open {
                seeds.push((x, y));
            }
            was_open = is_open;
        }
    }
}

/// Which pixels of a tile's four sides a fill reached.
struct Borders {
    left: [bool; SIDE],
    right: [bool; SIDE],
    top: [bool; SIDE],
    bottom: [bool; SIDE],
}

impl Borders {
    const fn none() -> Self {
        Self {
            left: [false; SIDE],
            right: [false; SIDE],
            top: [false; SIDE],
            bottom: [false; SIDE],
        }
    }

    const fn all() -> Self {
        Self {
            left: [true; SIDE],
            right: [true; SIDE],
            top: [true; SIDE],
            bottom: [true; SIDE],
        }
    }

    fn note(&mut self, start: usize, end: usize, y: usize, (width, height): (usize, usize)) {
        self.left[y] |= start == 0;
        self.right[y] |= end == width;
        if y == 0 {
            self.top[start..end].fill(true);
        }
        if y + 1 == height {
            self.bottom[start..end].fill(true);
        }
    }

    /// Adds the lines just across the sides, in the neighboring tiles.
    fn push_frontiers(
        &self,
        mask: &Mask,
        (col, row): (u32, u32),
        ground: PixelRect,
        next: &mut Vec<Frontier>,
    ) {
        let (cols, rows) = mask.grid();
        let last = MASK_TILE_SIZE - 1;
        let (width, height) = (ground.width as usize, ground.height as usize);
        let mut push = |tile, line| next.push(Frontier { tile, line });
        if col > 0 {
            runs(&self.left[..height], |from, count| {
                push((col - 1, row), PixelRect::new(last, from, 1, count));
            });
        }
        if col + 1 < cols {
            runs(&self.right[..height], |from, count| {
                push((col + 1, row), PixelRect::new(0, from, 1, count));
            });
        }
        if row > 0 {
            runs(&self.top[..width], |from, count| {
                push((col, row - 1), PixelRect::new(from, last, count, 1));
            });
        }
        if row + 1 < rows {
            runs(&self.bottom[..width], |from, count| {
                push((col, row + 1), PixelRect::new(from, 0, count, 1));
            });
        }
    }
}

/// Calls `visit` with (first, count) for each stretch of `true`.
fn runs(flags: &[bool], mut visit: impl FnMut(u32, u32)) {
    let mut from = 0;
    for stretch in flags.chunk_by(|a, b| a == b) {
        if stretch[0] {
            visit(from, stretch.len() as u32);
        }
        from += stretch.len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;

    fn pixels_of(region: &Region, mask: &Mask) -> BTreeSet<(u32, u32)> {
        let (mut spans, mut all) = (Vec::new(), BTreeSet::new());
        for (col, row) in region.tiles() {
            region.spans((col, row), mask.tile_rect(col, row), &mut spans);
            all.extend(
                spans
                    .iter()
                    .flat_map(|span| (span.start..span.end).map(|x| (x, span.y))),
            );
        }
        all
    }

    fn by_definition(mask: &Mask, start: (u32, u32)) -> BTreeSet<(u32, u32)> {
        let class = mask.get(start.0, start.1);
        let (mut seen, mut stack) = (BTreeSet::from([start]), vec![start]);
        while let Some((x, y)) = stack.pop() {
            let sides = [
                (x.wrapping_sub(1), y),
                (x + 1, y),
                (x, y.wrapping_sub(1)),
                (x, y + 1),
            ];
            for next in sides {
                let inside = mask.size().bounds().contains(next.0, next.1);
                if inside && mask.get(next.0, next.1) == class && seen.insert(next) {
                    stack.push(next);
                }
            }
        }
        seen
    }

    /// Blocks of 37 × 29 pixels of random classes, so that regions cross tiles.
    fn blocks(size: ImageSize, classes: &[u8]) -> Mask {
        let mut mask = Mask::new(size);
        let mut classes = classes.iter().cycle();
        for y in (0..size.height).step_by(29) {
            for x in (0..size.width).step_by(37) {
                let rect = PixelRect::new(x, y, 37, 29).intersect(size.bounds());
                let class = *classes.next().expect("endless");
                mask.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
            }
        }
        mask
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_fill_is_its_definition(
            classes in prop::collection::vec(0_u8..2, 7..120),
            x in 0_u32..520,
            y in 0_u32..300,
        ) {
            let mask = blocks(ImageSize::new(520, 300), &classes);
            let region = Region::around(&mask, (x, y), &FillLimits::default()).expect("no limit");
            let expected = by_definition(&mask, (x, y));
            prop_assert_eq!(region.num_pixels, expected.len() as u64);
            prop_assert_eq!(pixels_of(&region, &mask), expected);
        }
    }

    #[test]
    fn a_huge_uniform_mask_is_filled_by_tiles() {
        let mask = Mask::new(ImageSize::new(100_000, 100_000));
        let region = Region::around(&mask, (5, 5), &FillLimits::default()).expect("no limit");
        assert_eq!(region.num_pixels, 10_000_000_000);
    }

    #[test]
    fn limits_hold() {
        let mask = Mask::new(ImageSize::new(1_000, 1_000));
        let small = FillLimits {
            max_pixels: 999_999,
            ..FillLimits::default()
        };
        let result = Region::around(&mask, (0, 0), &small);
        assert!(matches!(
            result,
            Err(MaskError::FillTooLarge {
                max_pixels: 999_999
            })
        ));
        let stopped = FillLimits {
            is_cancelled: &|| true,
            ..FillLimits::default()
        };
        let result = Region::around(&mask, (0, 0), &stopped);
        assert!(matches!(result, Err(MaskError::FillCancelled)));
        let result = Region::around(&mask, (1_000, 0), &FillLimits::default());
        assert!(matches!(result, Err(MaskError::OutsideMask { .. })));
    }
}
