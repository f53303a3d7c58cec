use std::ops::Range;

use rayon::prelude::*;

use super::error::ReadError;
use super::source::TileSource;
use super::tile::{Tile, TileFormat};
use crate::geom::{ImageSize, PixelRect};

/// Pixels that may be decoded for a first picture.
const PIXEL_BUDGET: u64 = 12 << 20;
/// Their share of the image, at most, where a sharp picture follows.
const HASTY_SHARE: u64 = 8;
/// Pixels that tell what values there are, along a side of the square that they are put into.
const SAMPLES_SIDE: usize = 150;

/// Pixels whose color is known, row by row, each with the numbers of all layers.
struct Known {
    width: u32,
    texel: usize,
    numbers: Vec<f32>,
}

/// A first picture of a whole image.
pub(super) struct Sketch {
    /// All of it, blurred.
    pub(super) tile: Tile,
    /// Some of its pixels as they are, put into a square: a blurred picture has no extremes.
    pub(super) samples: Tile,
}

/// How much a first picture may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// A sharp one follows and waits for it.
    Hasty,
    /// It is all that will be shown.
    Thorough,
}

/// A picture of `size` of the whole image out of some blocks, spread evenly; `read` gives the pixels
/// of a stored level in `format`.
///
/// When all blocks fit, each is averaged to where it belongs. Else each becomes one color in its
/// middle and all between is blended softly: a blurred picture looks like the image from afar, true
/// blocks among blurred ground look like tiles on a wall.
pub(super) fn sketch(
    source: &dyn TileSource,
    format: TileFormat,
    read: &(dyn Fn(usize, PixelRect) -> Result<Vec<u8>, ReadError> + Sync),
    (size, effort): (ImageSize, Effort),
) -> Result<Sketch, ReadError> {
    let info = source.info();
    let stored = info.level_sizes.len() - 1;
    let level = info.level_sizes[stored];
    let block = source.block_size(stored);
    let (cols, rows) = choose(level, block, size, effort);
    let across: Vec<Span> = spread(level.width, block.width, cols, size.width);
    let down: Vec<Span> = spread(level.height, block.height, rows, size.height);
    let read = |rect| read(stored, rect);
    let steps = SAMPLES_SIDE / ((cols * rows) as usize).isqrt().max(1);
    let rows_of_blocks = (down.par_iter()).map(|down| {
        let mut samples = Vec::new();
        let numbers = row_of_blocks(
            &read,
            (format, steps.max(1)),
            (&across, *down),
            &mut samples,
        )?;
        Ok((numbers, samples))
    });
    let (numbers, samples): (Vec<Vec<f32>>, Vec<Vec<u8>>) = rows_of_blocks
        .collect::<Result<Vec<_>, ReadError>>()?
        .into_iter()
        .unzip();
    let known = Known {
        width: total(&across),
        texel: 4 * usize::from(format.layers),
        numbers: numbers.concat(),
    };
    let (across, down) = (places(&across, size.width), places(&down, size.height));
    Ok(Sketch {
        tile: blend(&known, format, &across, &down),
        samples: squared(&samples.concat(), format),
    })
}

/// Pixels, all layers of one behind the other, as a square tile.
fn squared(pixels: &[u8], format: TileFormat) -> Tile {
    let (texel, layers) = (format.texel_bytes(), usize::from(format.layers));
    let side = (pixels.len() / (texel * layers)).isqrt();
    let rows = pixels.chunks_exact((side * texel * layers).max(1));
    let mut bytes = Vec::with_capacity(side * side * texel * layers);
    for row in rows.take(side) {
        for layer in 0..layers {
            for pixel in row.chunks_exact(texel * layers) {
                bytes.extend_from_slice(&pixel[layer * texel..][..texel]);
            }
        }
    }
    Tile {
        size: ImageSize::new(side as u32, side as u32),
        format,
        bytes,
    }
}

/// Some pixels of a stored level along one axis and the pixels of the picture they make.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    from: u32,
    len: u32,
    shown_from: u32,
    shown_len: u32,
}

fn total(spans: &[Span]) -> u32 {
    spans.iter().map(|span| span.shown_len).sum()
}

/// How many columns and rows of blocks are decoded: as many as the budget allows, and no more
/// than the picture has pixels.
fn choose(level: ImageSize, block: ImageSize, size: ImageSize, effort: Effort) -> (u32, u32) {
    let all = (
        level.width.div_ceil(block.width),
        level.height.div_ceil(block.height),
    );
    let block_pixels = block.num_pixels().max(1);
    let budget = match effort {
        Effort::Hasty => PIXEL_BUDGET.min(level.num_pixels() / HASTY_SHARE),
        Effort::Thorough => PIXEL_BUDGET,
    };
    let affordable = (budget / block_pixels).max(1);
    let shape = f64::from(all.0) / f64::from(all.1);
    let cols = ((affordable as f64 * shape).sqrt() as u32).clamp(1, all.0.min(size.width));
    let rows = ((affordable / u64::from(cols)) as u32).clamp(1, all.1.min(size.height));
    (cols, rows)
}

/// `count` blocks spread evenly over an axis of `len` pixels that is shown in `shown` pixels; one
/// pixel each unless they are all.
fn spread(len: u32, block: u32, count: u32, shown: u32) -> Vec<Span> {
    let blocks = len.div_ceil(block);
    let scale = f64::from(shown) / f64::from(len);
    let mut spans = Vec::with_capacity(count as usize);
    let mut behind = 0;
    for index in 0..count {
        // The middle block of each of `count` equal parts.
        let at = (u64::from(2 * index + 1) * u64::from(blocks) / u64::from(2 * count)) as u32;
        let from = at * block;
        let end = from.saturating_add(block).min(len);
        let (shown_from, shown_end) = if count == blocks {
            let at = |edge: u32| (f64::from(edge) * scale).round() as u32;
            (at(from), at(end))
        } else {
            let middle = f64::midpoint(f64::from(from), f64::from(end)) * scale;
            (middle as u32, middle as u32 + 1)
        };
        let shown_from = shown_from.clamp(behind, shown);
        let shown_end = shown_end.clamp((shown_from + 1).min(shown), shown);
        if shown_end > shown_from {
            let shown_len = shown_end - shown_from;
            spans.push(Span {
                from,
                len: end - from,
                shown_from,
                shown_len,
            });
            behind = shown_end;
        }
    }
    spans
}

/// One row of decoded blocks, each averaged to its shown size; `samples` gets pixels of each, so many
/// steps along a side.
fn row_of_blocks(
    read: &(dyn Fn(PixelRect) -> Result<Vec<u8>, ReadError> + Sync),
    (format, steps): (TileFormat, usize),
    (across, down): (&[Span], Span),
    samples: &mut Vec<u8>,
) -> Result<Vec<f32>, ReadError> {
    let (width, texel) = (total(across) as usize, 4 * usize::from(format.layers));
    let mut row = vec![0.0; width * down.shown_len as usize * texel];
    let mut left = 0;
    for &span in across {
        let rect = PixelRect::new(span.from, down.from, span.len, down.len);
        let bytes = read(rect)?;
        let block = Block {
            bytes: &bytes,
            format,
            width: span.len,
        };
        block.sample(down.len, steps, samples);
        for y in 0..down.shown_len {
            for x in 0..span.shown_len {
                let at = (y as usize * width + (left + x) as usize) * texel;
                let mean = block.mean(&part(span, x), &part(down, y));
                row[at..at + texel].copy_from_slice(&mean);
            }
        }
        left += span.shown_len;
    }
    Ok(row)
}

/// The pixels of a span that make its shown pixel `index`.
fn part(span: Span, index: u32) -> Range<u32> {
    let edge =
        |index: u32| (u64::from(index) * u64::from(span.len) / u64::from(span.shown_len)) as u32;
    let first = edge(index).min(span.len - 1);
    first..edge(index + 1).max(first + 1)
}

/// `rect` of a level whose pixels are smaller than those of the first picture by `halvings`
/// halvings, blended softly out of that.
pub(super) fn enlarged(picture: &Tile, rect: PixelRect, halvings: u8) -> Tile {
    let format = picture.format;
    let (layer, texel) = (format.layer_bytes(picture.size.width), format.texel_bytes());
    let mut across = near(rect.x, rect.width, (picture.size.width, halvings));
    let mut down = near(rect.y, rect.height, (picture.size.height, halvings));
    // No more of the picture is looked at than what lies below.
    let (cols, rows) = (counted_from_zero(&mut across), counted_from_zero(&mut down));
    let mut numbers = Vec::new();
    for row in rows {
        let row = &picture.bytes[row * picture.row_bytes()..][..picture.row_bytes()];
        for at in (cols.start * texel..cols.end * texel).step_by(texel) {
            for layer in row.chunks_exact(layer) {
                numbers.extend(format.pixel(&layer[at..]));
            }
        }
    }
    let known = Known {
        width: cols.len() as u32,
        texel: 4 * usize::from(format.layers),
        numbers,
    };
    blend(&known, format, &across, &down)
}

/// For each of `len` smaller pixels from `from` on its place among `known` pixels along one axis.
fn near(from: u32, len: u32, (known, halvings): (u32, u8)) -> Vec<Place> {
    let scale = f64::from(1_u32 << halvings);
    let place = |at: u32| {
        let at = ((f64::from(from + at) + 0.5) / scale - 0.5).max(0.0);
        let first = (at as u32).min(known - 1);
        Place {
            first,
            second: (first + 1).min(known - 1),
            nearness: at.fract() as f32,
        }
    };
    (0..len).map(place).collect()
}

/// Counts `places` from the first pixel that they need; which pixels these are.
fn counted_from_zero(places: &mut [Place]) -> Range<usize> {
    let start = places.first().map_or(0, |place| place.first);
    let end = places.last().map_or(0, |place| place.second + 1);
    for place in places {
        place.first -= start;
        place.second -= start;
    }
    start as usize..end as usize
}

/// Decoded pixels.
struct Block<'a> {
    bytes: &'a [u8],
    format: TileFormat,
    width: u32,
}

impl Block<'_> {
    /// Adds pixels that lie evenly, so many along each side, to `out`: all layers of one behind the
    /// other.
    fn sample(&self, height: u32, steps: usize, out: &mut Vec<u8>) {
        let texel = self.format.texel_bytes();
        let step = |side: u32| (side as usize).div_ceil(steps);
        let rows = (self.bytes).chunks_exact(self.format.row_bytes(self.width).max(1));
        for row in rows.step_by(step(height)) {
            for x in (0..self.width as usize).step_by(step(self.width)) {
                for layer in row.chunks_exact(self.format.layer_bytes(self.width)) {
                    out.extend_from_slice(&layer[x * texel..][..texel]);
                }
            }
        }
    }

    /// The average of a part, all layers; a few of its pixels are enough for a first picture.
    fn mean(&self, cols: &Range<u32>, rows: &Range<u32>) -> Vec<f32> {
        let step = |range: &Range<u32>| (range.len() / 16).max(1);
        let (row_bytes, texel) = (self.format.row_bytes(self.width), self.format.texel_bytes());
        let mut means = Vec::with_capacity(4 * usize::from(self.format.layers));
        for layer in 0..usize::from(self.format.layers) {
            let (mut sum, mut weight, mut count) = ([0.0_f32; 3], 0.0_f32, 0.0_f32);
            for y in rows.clone().step_by(step(rows)) {
                let row = &self.bytes[y as usize * row_bytes..][..row_bytes];
                let row = &row[layer * self.format.layer_bytes(self.width)..];
                for x in cols.clone().step_by(step(cols)) {
                    let pixel = self.format.pixel(&row[x as usize * texel..][..texel]);
                    (0..3).for_each(|band| sum[band] += pixel[band] * pixel[3]);
                    weight += pixel[3];
                    count += 1.0;
                }
            }
            let mean = |sum: f32| if weight > 0.0 { sum / weight } else { 0.0 };
            means.extend(sum.map(mean));
            means.push(weight / count.max(1.0));
        }
        means
    }
}

/// Between which two known pixels a shown pixel lies, and how near to the second (0 to 1).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    first: u32,
    second: u32,
    nearness: f32,
}

/// For each shown pixel along one axis its place among the known ones.
fn places(spans: &[Span], shown: u32) -> Vec<Place> {
    let known = spans
        .iter()
        .flat_map(|span| span.shown_from..span.shown_from + span.shown_len);
    let known: Vec<u32> = known.collect();
    let place = |at: u32| {
        let behind = known.partition_point(|&known| known <= at);
        let first = behind.saturating_sub(1);
        let second = if behind == 0 {
            0
        } else {
            behind.min(known.len() - 1)
        };
        let gap = known[second].saturating_sub(known[first]);
        let share = f64::from(at.saturating_sub(known[first])) / f64::from(gap.max(1));
        // Smoothstep: no creases where two gaps meet.
        let nearness = (share * share * (3.0 - 2.0 * share)) as f32;
        Place {
            first: first as u32,
            second: second as u32,
            nearness,
        }
    };
    (0..shown).map(place).collect()
}

fn blend(known: &Known, format: TileFormat, across: &[Place], down: &[Place]) -> Tile {
    let mut out = Tile {
        size: ImageSize::new(across.len() as u32, down.len() as u32),
        format,
        bytes: Vec::new(),
    };
    let row_len = known.width as usize * known.texel;
    for y in down {
        let first = &known.numbers[y.first as usize * row_len..][..row_len];
        let second = &known.numbers[y.second as usize * row_len..][..row_len];
        for layer in (0..known.texel).step_by(4) {
            let mut row = Vec::with_capacity(4 * across.len());
            for x in across {
                let [left, right] = [x.first, x.second].map(|at| at as usize * known.texel);
                row.extend((layer..layer + 4).map(|number| {
                    let mix = |row: &[f32]| {
                        row[left + number] * (1.0 - x.nearness) + row[right + number] * x.nearness
                    };
                    mix(first) * (1.0 - y.nearness) + mix(second) * y.nearness
                }));
            }
            out.bytes.extend(format.narrowed(&row));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_blocks_are_chosen_of_a_huge_image() {
        let level = ImageSize::new(30_000, 30_000);
        let root = ImageSize::new(469, 469);
        let choose = |block, effort| choose(level, block, root, effort);
        let tiles = ImageSize::new(256, 256);
        assert_eq!(choose(tiles, Effort::Hasty), (13, 14));
        assert_eq!(choose(tiles, Effort::Thorough), (13, 14));
        assert_eq!(choose(ImageSize::new(30_000, 1), Effort::Hasty), (1, 419));
    }

    #[test]
    fn spans_stay_in_order_and_inside() {
        for (len, block, count, shown) in
            [(30_000, 256, 14, 469), (30_000, 1, 419, 469), (9, 4, 3, 3)]
        {
            let spans = spread(len, block, count, shown);
            assert!(!spans.is_empty());
            for pair in spans.windows(2) {
                assert!(pair[0].shown_from + pair[0].shown_len <= pair[1].shown_from);
            }
            let last = spans.last().unwrap();
            assert!(last.shown_from + last.shown_len <= shown && last.from + last.len <= len);
        }
    }

    #[test]
    fn samples_are_pixels_as_they_are() {
        let format = TileFormat {
            layers: 2,
            ..TileFormat::PICTURE
        };
        // Two rows of three pixels; the second layer is the first and 100.
        let row = |y: u8| [0, 100].map(|more| [0, 1, 2].map(|x| [x, y, more, 255]).concat());
        let bytes = [row(0), row(1)].concat().concat();
        let block = Block {
            bytes: &bytes,
            format,
            width: 3,
        };
        let mut samples = Vec::new();
        block.sample(2, 2, &mut samples);
        let tile = squared(&samples, format);
        assert_eq!(tile.size, ImageSize::new(2, 2));
        let row = |y: u8| [0, 100].map(|more| [0, 2].map(|x| [x, y, more, 255]).concat());
        assert_eq!(tile.bytes, [row(0), row(1)].concat().concat());
    }

    #[test]
    fn an_enlarged_part_is_where_it_was() {
        for layers in 1..=2 {
            let format = TileFormat {
                layers,
                ..TileFormat::PICTURE
            };
            let pixels = [0_u8, 100, 200].map(|red| [red, 0, 0, 255]);
            let picture = Tile {
                size: ImageSize::new(3, 1),
                format,
                bytes: pixels.concat().repeat(usize::from(layers)),
            };
            // The middle pixel, twice as large, and half of the next.
            let part = enlarged(&picture, PixelRect::new(2, 0, 3, 1), 1);
            let reds: Vec<u8> = part.bytes.chunks(4).map(|pixel| pixel[0]).collect();
            assert_eq!(reds, [75, 125, 175].repeat(usize::from(layers)));
            let end = enlarged(&picture, PixelRect::new(4, 0, 2, 1), 1);
            let reds: Vec<u8> = end.bytes.chunks(4).map(|pixel| pixel[0]).collect();
            assert_eq!(reds, [175, 200].repeat(usize::from(layers)));
        }
    }

    #[test]
    fn known_pixels_keep_their_color_and_gaps_are_blended() {
        let spans = [
            Span {
                from: 0,
                len: 1,
                shown_from: 1,
                shown_len: 1,
            },
            Span {
                from: 9,
                len: 1,
                shown_from: 5,
                shown_len: 1,
            },
        ];
        let across = places(&spans, 7);
        let one = places(
            &[Span {
                from: 0,
                len: 1,
                shown_from: 0,
                shown_len: 1,
            }],
            1,
        );
        let known = Known {
            width: 2,
            texel: 4,
            numbers: vec![0.0, 0.0, 0.0, 255.0, 200.0, 100.0, 40.0, 255.0],
        };
        let reds: Vec<u8> = blend(&known, TileFormat::PICTURE, &across, &one)
            .bytes
            .chunks(4)
            .map(|pixel| pixel[0])
            .collect();
        // Smoothstep of a quarter is 5/32.
        assert_eq!(reds, [0, 0, 31, 100, 169, 200, 200]);
    }
}
