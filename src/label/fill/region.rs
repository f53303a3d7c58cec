use std::collections::BTreeMap;

use rayon::prelude::*;

use super::super::side::Side;
use super::super::span::Span;
use super::super::{MASK_TILE_SIZE, Mask, MaskError, MaskTile, Selection};
use super::cover::{Cover, Entry, Growth, Sides};
use super::line::Line;

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
pub(super) struct Region {
    /// By row and column; a tile without pixels of the region is not here.
    tiles: BTreeMap<(u32, u32), Cover>,
    class: u8,
    num_pixels: u64,
}

/// What comes into a tile in one wave.
struct Visit {
    /// Row and column.
    tile: (u32, u32),
    cover: Option<Cover>,
    entry: Entry,
    growth: Growth,
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
        let mut region = Self {
            tiles: BTreeMap::new(),
            class: mask.get(x, y),
            num_pixels: 0,
        };
        let within = |at: u32| (at % MASK_TILE_SIZE) as usize;
        let mut wave = vec![Visit {
            tile: (y / MASK_TILE_SIZE, x / MASK_TILE_SIZE),
            cover: None,
            entry: Entry::Pixel(within(x), within(y)),
            growth: Growth::default(),
        }];
        while !wave.is_empty() {
            if (limits.is_cancelled)() {
                return Err(MaskError::FillCancelled);
            }
            region.visit(mask, &mut wave);
            wave = region.take_in(mask, wave);
            if region.num_pixels > limits.max_pixels {
                return Err(MaskError::FillTooLarge {
                    max_pixels: limits.max_pixels,
                });
            }
        }
        Ok(region)
    }

    /// The class of all its pixels.
    pub(super) const fn class(&self) -> u8 {
        self.class
    }

    /// The tiles it touches as (column, row, its part), row by row.
    pub(super) fn tiles(&self) -> impl Iterator<Item = (u32, u32, &Cover)> {
        self.tiles
            .iter()
            .map(|(&(row, col), cover)| (col, row, cover))
    }

    fn visit(&self, mask: &Mask, wave: &mut [Visit]) {
        // A wave of one tile, as in a maze, is not worth another thread.
        wave.par_iter_mut().with_min_len(2).for_each(|visit| {
            let (row, col) = visit.tile;
            let tile = (mask.tile(col, row), self.class);
            let ground = mask.tile_rect(col, row);
            visit.growth = Cover::grow(&mut visit.cover, tile, ground, &visit.entry);
        });
    }

    /// Takes in what a wave has added; the next one.
    fn take_in(&mut self, mask: &Mask, wave: Vec<Visit>) -> Vec<Visit> {
        let mut grown = Vec::with_capacity(wave.len());
        for visit in wave {
            self.num_pixels += visit.growth.num_pixels;
            grown.push((visit.tile, visit.growth.sides));
            if let Some(cover) = visit.cover {
                self.tiles.insert(visit.tile, cover);
            }
        }
        let mut next = BTreeMap::<(u32, u32), Sides>::new();
        for (tile, sides) in grown {
            for side in Side::ALL {
                let (line, across) = (sides.get(side), side.opposite());
                let beside = beside(tile, side, mask.grid());
                if let Some(beside) = beside.filter(|at| self.is_open(mask, *at, across, line)) {
                    next.entry(beside).or_default().add(across, line);
                }
            }
        }
        let visit = |(tile, sides)| Visit {
            tile,
            cover: self.tiles.remove(&tile),
            entry: Entry::Sides(sides),
            growth: Growth::default(),
        };
        next.into_iter().map(visit).collect()
    }

    /// Whether pixels along a side of a tile may be added.
    fn is_open(&self, mask: &Mask, at: (u32, u32), side: Side, line: Line) -> bool {
        if line.is_empty() {
            return false;
        }
        match (self.tiles.get(&at), mask.tile(at.1, at.0)) {
            (Some(cover), _) => cover.is_open(side, line),
            (None, MaskTile::Uniform(class)) => *class == self.class,
            (None, MaskTile::Pixels(_)) => true,
        }
    }

    /// All its pixels.
    fn selection(&self, mask: &Mask) -> Selection {
        let tiles: Vec<_> = self.tiles().collect();
        let mut all = Vec::<Span>::new();
        for band in tiles.chunk_by(|a, b| a.1 == b.1) {
            for y in 0..MASK_TILE_SIZE {
                let row = band
                    .iter()
                    .flat_map(|(col, row, cover)| cover.spans(y, mask.tile_rect(*col, *row)));
                for span in row {
                    match all.last_mut() {
                        Some(last) if (last.y, last.end) == (span.y, span.start) => {
                            last.end = span.end;
                        }
                        _ => all.push(span),
                    }
                }
            }
        }
        Selection::from_spans(all)
    }
}

/// The tile (row, column) beside another in a grid of columns and rows.
fn beside((row, col): (u32, u32), side: Side, (cols, rows): (u32, u32)) -> Option<(u32, u32)> {
    let (row, col) = match side {
        Side::Left => (Some(row), col.checked_sub(1)),
        Side::Right => (Some(row), Some(col + 1)),
        Side::Top => (row.checked_sub(1), Some(col)),
        Side::Bottom => (Some(row + 1), Some(col)),
    };
    row.zip(col).filter(|&(row, col)| row < rows && col < cols)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::geom::{ImageSize, PixelRect};

    fn pixels_of(region: &Region, mask: &Mask) -> BTreeSet<(u32, u32)> {
        let spans = region.tiles().flat_map(|(col, row, cover)| {
            let ground = mask.tile_rect(col, row);
            (0..ground.height).flat_map(move |y| cover.spans(y, ground))
        });
        let pixels = |span: Span| (span.start..span.end).map(move |x| (x, span.y));
        spans.flat_map(pixels).collect()
    }

    fn by_definition(mask: &Mask, start: (u32, u32)) -> BTreeSet<(u32, u32)> {
        let size = mask.size();
        let classes = mask.read_rect(size.bounds());
        let place = |(x, y): (u32, u32)| (y * size.width + x) as usize;
        let class = classes[place(start)];
        let mut is_seen = vec![false; classes.len()];
        is_seen[place(start)] = true;
        let mut seen = vec![start];
        let mut at = 0;
        while let Some(&(x, y)) = seen.get(at) {
            at += 1;
            let sides = [
                (x.wrapping_sub(1), y),
                (x + 1, y),
                (x, y.wrapping_sub(1)),
                (x, y + 1),
            ];
            for next in sides {
                let inside = size.bounds().contains(next.0, next.1);
                if inside && classes[place(next)] == class && !is_seen[place(next)] {
                    is_seen[place(next)] = true;
                    seen.push(next);
                }
            }
        }
        seen.into_iter().collect()
    }

    fn assert_is_its_definition(mask: &Mask, start: (u32, u32)) {
        let region = Region::around(mask, start, &FillLimits::default()).expect("no limit");
        let expected = by_definition(mask, start);
        assert_eq!(region.num_pixels, expected.len() as u64);
        assert_eq!(pixels_of(&region, mask), expected);
        let rows: BTreeSet<_> = expected.iter().map(|&(x, y)| (y, x)).collect();
        let spans = region.selection(mask);
        let selected = spans.spans().iter();
        let selected = selected.flat_map(|span| (span.start..span.end).map(|x| (span.y, x)));
        assert!(
            selected.eq(rows),
            "the selection is the same in its own order"
        );
    }

    fn mask_of(size: ImageSize, class: impl Fn(u32, u32) -> u8) -> Mask {
        let mut mask = Mask::new(size);
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let classes: Vec<u8> = places.map(|(x, y)| class(x, y)).collect();
        mask.set_rect(size.bounds(), &classes);
        mask
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
            assert_is_its_definition(&mask, (x, y));
        }

        /// From a few specks to so many that regions are ragged and end somewhere.
        #[test]
        fn a_fill_around_specks_is_its_definition(
            specks in prop::collection::vec(any::<u16>(), 997),
            share in 0_u16..0x8000,
            x in 0_u32..520,
            y in 0_u32..300,
        ) {
            let class = |x: u32, y: u32| {
                let speck = specks[(x * 31 + y * 389 + x * y % 211) as usize % specks.len()];
                u8::from(speck < share)
            };
            assert_is_its_definition(&mask_of(ImageSize::new(520, 300), class), (x, y));
        }
    }

    #[test]
    fn the_end_of_a_maze_is_found() {
        let size = ImageSize::new(520, 300);
        let columns = |x: u32, y: u32| {
            let gap = if x % 4 == 1 { size.height - 1 } else { 0 };
            u8::from(x % 2 == 1 && y != gap)
        };
        let rows = |x: u32, y: u32| {
            let gap = if y % 4 == 1 { size.width - 1 } else { 0 };
            u8::from(y % 2 == 1 && x != gap)
        };
        // Square rings, each open to the next one at another corner.
        let rings = |x: u32, y: u32| {
            let ring = x.min(y).min(519 - x).min(299 - y);
            let gap = if ring % 4 == 1 { x < y } else { x > y };
            u8::from(ring % 2 == 1 && !(gap && x.abs_diff(y) == 1))
        };
        // A path that goes up and down by two pixels all the way along each band of rows.
        let waves = |x: u32, y: u32| {
            let bend = if x % 4 == 1 { 0 } else { 2 };
            u8::from(y % 4 == 3 && x != 0 || y % 4 != 3 && x % 2 == 1 && y % 4 != bend)
        };
        let mazes = [
            mask_of(size, columns),
            mask_of(size, rows),
            mask_of(size, rings),
            mask_of(size, waves),
        ];
        for maze in mazes {
            assert_is_its_definition(&maze, (0, 0));
            assert_is_its_definition(&maze, (1, 3));
            assert_is_its_definition(&maze, (size.width - 1, size.height - 1));
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
