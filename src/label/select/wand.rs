use std::collections::BTreeMap;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::super::span::Span;
use super::super::{MaskError, Selection};
use super::bits::Bits;
use super::wand_block::{Block, Cover, spans_of_band};
use crate::geom::{ImageSize, PixelRect};

/// What the wand takes for alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wand {
    /// Largest difference (0..=255) of any of the three bands from the seed's color, which is the
    /// rounded mean of the 3 × 3 pixels around it that are not nodata.
    pub tolerance: u8,
    /// Only pixels joined to the seed by sides; else all alike pixels of the area.
    pub contiguous: bool,
    /// The most pixels that are taken; more is an error.
    pub max_pixels: u64,
}

/// Reads level-0 pixels of a rectangle as RGBA8, row by row, or says why it cannot.
///
/// Called from several threads at once. Pixels of alpha 0 are nodata and never alike.
pub type ReadPixels<'a> = dyn Fn(PixelRect) -> Result<Vec<u8>, String> + Sync + 'a;

/// Side in pixels of the blocks that are read as one; a multiple of what images are tiled by.
const BLOCK_SIDE: u32 = 512;

/// The pixels of `area` that are alike the one at `seed` (column and row), all in level-0 pixels.
///
/// Reads blocks of 512 × 512 pixels (cut at the area's edge) and only those that the region
/// reaches, or all of the area when it need not be contiguous. The seed belongs to the region even
/// where it stands out from its neighbors; there is no region around a seed on nodata.
///
/// # Errors
/// [`MaskError::OutsideMask`] when the seed is outside the area, [`MaskError::FillTooLarge`],
/// [`MaskError::FillCancelled`] and [`MaskError::UnreadablePixels`].
pub fn wand(
    read: &ReadPixels<'_>,
    area: PixelRect,
    seed: (u32, u32),
    wand: &Wand,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Selection, MaskError> {
    wand_by_blocks(BLOCK_SIDE, read, area, seed, wand, is_cancelled)
}

fn wand_by_blocks(
    block_side: u32,
    read: &ReadPixels<'_>,
    area: PixelRect,
    seed: (u32, u32),
    wand: &Wand,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Selection, MaskError> {
    if !area.contains(seed.0, seed.1) {
        return Err(MaskError::OutsideMask {
            x: seed.0,
            y: seed.1,
            size: ImageSize::new(area.width, area.height),
        });
    }
    let around = PixelRect::new(seed.0, seed.1, 1, 1)
        .grown(1)
        .intersect(area);
    let pixels = read_pixels(read, around)?;
    let at_seed = (seed.1 - around.y) * around.width + seed.0 - around.x;
    if pixels[at_seed as usize][3] == 0 {
        return Ok(Selection::default());
    }
    let search = Search {
        read,
        area,
        seed,
        block_side,
        alike: Alike::around(&pixels, wand.tolerance),
        max_pixels: wand.max_pixels,
        is_cancelled,
    };
    let bands = if wand.contiguous {
        search.joined()
    } else {
        search.everywhere()
    }?;
    Ok(Selection::from_spans(bands.concat()))
}

fn read_pixels(read: &ReadPixels<'_>, rect: PixelRect) -> Result<Vec<[u8; 4]>, MaskError> {
    let bytes = read(rect).map_err(|reason| MaskError::UnreadablePixels { reason })?;
    let (pixels, rest) = bytes.as_chunks::<4>();
    if pixels.len() as u64 != rect.num_pixels() || !rest.is_empty() {
        let reason = format!(
            "{} bytes came for {} pixels",
            bytes.len(),
            rect.num_pixels()
        );
        return Err(MaskError::UnreadablePixels { reason });
    }
    Ok(pixels.to_vec())
}

/// The colors that are taken: from `low` to `low + reach` in each band.
#[derive(Clone, Copy)]
struct Alike {
    low: [u8; 3],
    reach: [u8; 3],
}

impl Alike {
    /// The colors that differ from the mean of `pixels` by `tolerance` at most; one of the pixels
    /// at least is not nodata.
    fn around(pixels: &[[u8; 4]], tolerance: u8) -> Self {
        let known = || pixels.iter().filter(|pixel| pixel[3] != 0);
        let count = known().count() as u32;
        let mean = |band: usize| {
            let sum: u32 = known().map(|pixel| u32::from(pixel[band])).sum();
            ((2 * sum + count) / (2 * count).max(1)) as u8
        };
        let mean = [mean(0), mean(1), mean(2)];
        let low = mean.map(|value| value.saturating_sub(tolerance));
        let high = mean.map(|value| value.saturating_add(tolerance));
        Self {
            low,
            reach: std::array::from_fn(|band| high[band] - low[band]),
        }
    }

    /// Without branches, since neighbors in noise differ at random.
    fn contains(self, pixel: [u8; 4]) -> bool {
        let within = |band: usize| pixel[band].wrapping_sub(self.low[band]) <= self.reach[band];
        (pixel[3] != 0) & within(0) & within(1) & within(2)
    }
}

/// Row and column of a block, counted from the image's corner.
type BlockKey = (u32, u32);

/// One search for alike pixels.
struct Search<'a> {
    read: &'a ReadPixels<'a>,
    area: PixelRect,
    seed: (u32, u32),
    block_side: u32,
    alike: Alike,
    max_pixels: u64,
    is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Search<'_> {
    /// The region around the seed, one list of spans a row of blocks.
    ///
    /// Breadth-first: the blocks of a wave are read and filled in parallel, and what crosses their
    /// sides makes the next wave.
    fn joined(&self) -> Result<Vec<Vec<Span>>, MaskError> {
        let start = Span {
            y: self.seed.1,
            start: self.seed.0,
            end: self.seed.0 + 1,
        };
        let mut wave = BTreeMap::from([(self.key_of(start), vec![start])]);
        let mut blocks = BTreeMap::<BlockKey, Block>::new();
        let mut num_pixels = 0;
        while !wave.is_empty() {
            let jobs: Vec<_> = take(&mut wave)
                .into_iter()
                .map(|(key, seeds)| (key, blocks.remove(&key), seeds))
                .collect();
            let grown: Result<Vec<_>, MaskError> = jobs
                .into_par_iter()
                .map(|(key, block, seeds)| {
                    let mut block = block.map_or_else(|| self.open_block(key), Ok)?;
                    let growth = block.grow(&seeds, self.area);
                    Ok((key, block, growth))
                })
                .collect();
            for (key, block, growth) in grown? {
                blocks.insert(key, block);
                num_pixels += growth.num_pixels;
                for span in growth.beyond {
                    let key = self.key_of(span);
                    if blocks.get(&key).is_none_or(|block| block.open.is_some()) {
                        wave.entry(key).or_default().push(span);
                    }
                }
            }
            self.check_limit(num_pixels)?;
        }
        let blocks: Vec<(BlockKey, Block)> = blocks.into_iter().collect();
        let bands: Vec<_> = blocks.chunk_by(|a, b| a.0.0 == b.0.0).collect();
        let spans_of = |band: &&[(BlockKey, Block)]| {
            let parts = band.iter().map(|(_, block)| (block.ground, &block.taken));
            spans_of_band(&parts.collect::<Vec<_>>())
        };
        Ok(bands.par_iter().map(spans_of).collect())
    }

    /// All alike pixels of the area, one list of spans a row of blocks.
    fn everywhere(&self) -> Result<Vec<Vec<Span>>, MaskError> {
        let num_pixels = AtomicU64::new(0);
        let key_of = |x, y| (y / self.block_side, x / self.block_side);
        let first = key_of(self.area.x, self.area.y);
        let last = key_of(self.area.right() - 1, self.area.bottom() - 1);
        // A band becomes runs before others are read, so that there are never many blocks of bits.
        let rows = first.0..last.0 + 1;
        let band = |row| {
            let cols = (first.1..last.1 + 1).into_par_iter();
            let parts: Result<Vec<_>, MaskError> = cols
                .map(|col| {
                    let ground = self.ground_of((row, col));
                    let bits = self.alike_pixels(ground)?;
                    let count = bits.count();
                    let before = num_pixels.fetch_add(count, Ordering::Relaxed);
                    self.check_limit(before + count)?;
                    Ok((ground, Cover::Bits(bits)))
                })
                .collect();
            let parts = parts?;
            let parts: Vec<_> = parts
                .iter()
                .map(|(ground, cover)| (*ground, cover))
                .collect();
            Ok(spans_of_band(&parts))
        };
        rows.into_par_iter().map(band).collect()
    }

    fn check_limit(&self, num_pixels: u64) -> Result<(), MaskError> {
        if num_pixels > self.max_pixels {
            return Err(MaskError::FillTooLarge {
                max_pixels: self.max_pixels,
            });
        }
        Ok(())
    }

    fn key_of(&self, span: Span) -> BlockKey {
        (span.y / self.block_side, span.start / self.block_side)
    }

    fn ground_of(&self, (row, col): BlockKey) -> PixelRect {
        let side = self.block_side;
        PixelRect::new(col * side, row * side, side, side).intersect(self.area)
    }

    fn open_block(&self, key: BlockKey) -> Result<Block, MaskError> {
        let ground = self.ground_of(key);
        Ok(Block {
            ground,
            open: Some(self.alike_pixels(ground)?),
            taken: Cover::Bits(Bits::empty(ground.width, ground.height)),
        })
    }

    fn alike_pixels(&self, ground: PixelRect) -> Result<Bits, MaskError> {
        if (self.is_cancelled)() {
            return Err(MaskError::FillCancelled);
        }
        let pixels = read_pixels(self.read, ground)?;
        let alike = self.alike;
        let extent = (ground.width, ground.height);
        let mut bits = Bits::of_pixels(extent, &pixels, |pixel| alike.contains(pixel));
        if ground.contains(self.seed.0, self.seed.1) {
            let x = (self.seed.0 - ground.x) as usize;
            bits.insert((self.seed.1 - ground.y) as usize, x, x + 1);
        }
        Ok(bits)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    const NEVER: &(dyn Fn() -> bool + Sync) = &|| false;

    const ANY: Wand = Wand {
        tolerance: 10,
        contiguous: true,
        max_pixels: u64::MAX,
    };

    /// Cuts rectangles out of an image of this width.
    fn crop(image: &[[u8; 4]], width: u32, rect: PixelRect) -> Vec<u8> {
        let row = |y: u32| &image[(y * width + rect.x) as usize..][..rect.width as usize];
        let rows = rect.y..rect.bottom();
        rows.flat_map(|y| row(y).as_flattened().to_vec()).collect()
    }

    fn pixels_of(selection: &Selection) -> BTreeSet<(u32, u32)> {
        let row = |span: &Span| {
            let y = span.y;
            (span.start..span.end).map(move |x| (x, y))
        };
        selection.spans().iter().flat_map(row).collect()
    }

    /// The definition, pixel by pixel.
    fn by_definition(
        pixel: impl Fn(u32, u32) -> [u8; 4],
        area: PixelRect,
        seed: (u32, u32),
        wand: &Wand,
    ) -> BTreeSet<(u32, u32)> {
        let near = |x: u32, y: u32| x.abs_diff(seed.0) <= 1 && y.abs_diff(seed.1) <= 1;
        let all =
            || (area.y..area.bottom()).flat_map(|y| (area.x..area.right()).map(move |x| (x, y)));
        let known: Vec<[u8; 4]> = all()
            .filter(|&(x, y)| near(x, y))
            .map(|(x, y)| pixel(x, y))
            .filter(|pixel| pixel[3] != 0)
            .collect();
        let mean = |band: usize| {
            let sum: f64 = known.iter().map(|pixel| f64::from(pixel[band])).sum();
            (sum / known.len() as f64).round()
        };
        let is_alike = |x: u32, y: u32| {
            let pixel = pixel(x, y);
            let differs = |band: usize| (f64::from(pixel[band]) - mean(band)).abs();
            let close = (0..3).all(|band| differs(band) <= f64::from(wand.tolerance));
            pixel[3] != 0 && ((x, y) == seed || close)
        };
        let mut alike: BTreeSet<_> = all().filter(|&(x, y)| is_alike(x, y)).collect();
        if !alike.contains(&seed) {
            return BTreeSet::new();
        }
        if !wand.contiguous {
            return alike;
        }
        let (mut region, mut stack) = (BTreeSet::new(), vec![seed]);
        while let Some((x, y)) = stack.pop() {
            if alike.remove(&(x, y)) {
                region.insert((x, y));
                stack.extend([(x + 1, y), (x, y + 1)]);
                stack.extend(x.checked_sub(1).map(|x| (x, y)));
                stack.extend(y.checked_sub(1).map(|y| (x, y)));
            }
        }
        region
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_region_is_its_definition(
            values in prop::collection::vec((0_u8..4, 0_u8..2, 0_u8..12), 48 * 40),
            corner in (0_u32..20, 0_u32..20),
            extent in (1_u32..28, 1_u32..20),
            seed in (0_u32..28, 0_u32..20),
            side in prop_oneof![Just(4_u32), Just(7), Just(16), Just(512)],
            contiguous: bool,
            tolerance in prop_oneof![Just(0_u8), Just(40), Just(70), Just(255)],
        ) {
            let color = |(red, blue, alpha): (u8, u8, u8)| [red * 30, 7, blue * 60, alpha.min(1) * 255];
            let image: Vec<[u8; 4]> = values.into_iter().map(color).collect();
            let area = PixelRect::new(corner.0, corner.1, extent.0, extent.1);
            let seed = (area.x + seed.0 % area.width, area.y + seed.1 % area.height);
            let wand = Wand { tolerance, contiguous, max_pixels: u64::MAX };
            let read = |rect: PixelRect| {
                assert_eq!(rect.intersect(area), rect, "inside the area");
                Ok(crop(&image, 48, rect))
            };
            let found = wand_by_blocks(side, &read, area, seed, &wand, NEVER).expect("no limit");
            let pixel = |x: u32, y: u32| image[(y * 48 + x) as usize];
            let expected = by_definition(pixel, area, seed, &wand);
            prop_assert_eq!(found.num_pixels(), expected.len() as u64);
            prop_assert_eq!(pixels_of(&found), expected);
        }
    }

    #[test]
    fn only_blocks_that_the_region_reaches_are_read() {
        let asked = Mutex::new(Vec::new());
        let read = |rect: PixelRect| {
            asked.lock().expect("not poisoned").push(rect);
            let is_left = |x: u32| if x < 700 { 50_u8 } else { 200 };
            let rows = rect.y..rect.bottom();
            let pixels = rows.flat_map(|_| (rect.x..rect.right()).map(is_left));
            Ok(pixels
                .flat_map(|value| [value, value, value, 255])
                .collect())
        };
        let area = PixelRect::new(0, 0, 5_000, 600);
        let found = wand(&read, area, (3, 3), &ANY, NEVER).expect("no limit");
        assert_eq!(found.bounds(), PixelRect::new(0, 0, 700, 600));
        assert_eq!(found.num_pixels(), 700 * 600);
        assert_eq!(found.spans().len(), 600, "runs of two blocks become one");
        assert_eq!(found.outline().len(), 1);
        let asked = asked.into_inner().expect("not poisoned");
        assert_eq!(asked.len(), 1 + 4, "the seed and four blocks");
        assert!(asked.iter().all(|rect| rect.right() <= 1_024));
    }

    #[test]
    fn limits_hold() {
        let read = |rect: PixelRect| Ok(vec![9; rect.num_pixels() as usize * 4]);
        let area = PixelRect::new(0, 0, 1_000, 1_000);
        for contiguous in [true, false] {
            let exact = Wand {
                contiguous,
                max_pixels: 1_000_000,
                ..ANY
            };
            let small = Wand {
                max_pixels: 999_999,
                ..exact
            };
            let found = wand(&read, area, (5, 5), &exact, NEVER).expect("just fits");
            assert_eq!(found.num_pixels(), 1_000_000);
            let result = wand(&read, area, (5, 5), &small, NEVER);
            assert!(matches!(
                result,
                Err(MaskError::FillTooLarge {
                    max_pixels: 999_999
                })
            ));
            let result = wand(&read, area, (5, 5), &exact, &|| true);
            assert!(matches!(result, Err(MaskError::FillCancelled)));
            let result = wand(&read, area, (5, 1_000), &exact, NEVER);
            assert!(matches!(result, Err(MaskError::OutsideMask { .. })));
            let no_disk: &ReadPixels<'_> = &|_| Err("no disk".to_owned());
            let short: &ReadPixels<'_> = &|_| Ok(vec![0_u8; 3]);
            for read in [no_disk, short] {
                let result = wand(read, area, (5, 5), &exact, NEVER);
                assert!(matches!(result, Err(MaskError::UnreadablePixels { .. })));
            }
        }
    }

    #[test]
    fn nodata_has_no_region() {
        let read = |rect: PixelRect| Ok(vec![0; rect.num_pixels() as usize * 4]);
        let area = PixelRect::new(0, 0, 100, 100);
        let found = wand(&read, area, (5, 5), &ANY, NEVER).expect("read");
        assert!(found.is_empty());
    }
}
