use burn::tensor::f16;

use super::head::Head;
use super::sight::Level;
use crate::label::MASK_TILE_SIZE;

/// Side of a tile in pixels: that of a mask's tiles.
pub(super) const SIDE: usize = MASK_TILE_SIZE as usize;
/// Columns and rows of tiles that are looked at together, since the encoder is faster with larger
/// images. Which tiles these are does not depend on what is asked.
pub(super) const BLOCK: u32 = 2;
/// Pixels around a block that are looked at along with it.
pub(super) const MARGIN: usize = 64;
/// Side of what is looked at; a multiple of the coarsest stride, so that all maps halve evenly.
pub(super) const WINDOW: usize = SIDE * BLOCK as usize + 2 * MARGIN;

/// What is seen of one tile. It follows from the pixels of its block's window alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SeenTile {
    maps: Vec<SeenMap>,
    /// Pixels without data, row by row; empty when there are none.
    void: Vec<bool>,
    moments: Moments,
}

/// The features of one level.
///
/// Cell k lies on pixel s k - 1 of the tile, in both directions, where s is the stride: the encoder
/// pads below and to the right, so that a cell stands for the last of the pixels that it was made
/// of. There are cells 0 to side / s, so that all pixels lie between some.
#[derive(Clone, Debug, PartialEq)]
struct SeenMap {
    level: Level,
    /// By channel and row.
    numbers: Vec<f16>,
}

/// Number, sum and sum of squares of each feature's cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) sums: Vec<[f64; 3]>,
}

impl SeenTile {
    /// Cuts the tile whose first pixel is at `corner` of a window out of its maps, and keeps their
    /// numbers in two bytes.
    pub(super) fn cut(
        levels: &[Level],
        maps: &[Vec<f32>],
        rgba: &[u8],
        corner: (usize, usize),
    ) -> Self {
        let of_levels = levels.iter().zip(maps);
        let maps = of_levels.map(|(&level, map)| SeenMap::cut(level, map, corner));
        let maps: Vec<SeenMap> = maps.collect();
        Self {
            void: void_of(rgba, corner),
            moments: Moments {
                sums: maps.iter().flat_map(SeenMap::sums).collect(),
            },
            maps,
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.maps.iter().map(|map| map.numbers.len());
        let moments = self.moments.sums.len() * size_of::<[f64; 3]>();
        numbers.sum::<usize>() * size_of::<f16>() + self.void.len() + moments
    }

    /// Whether there is no data at a pixel, given by its place row by row.
    pub(super) fn is_void(&self, place: usize) -> bool {
        self.void.get(place).copied().unwrap_or(false)
    }

    /// Appends the features of the pixel (x, y) to `out`, each on a line between its cells.
    pub(super) fn features_at(&self, x: usize, y: usize, out: &mut Vec<f32>) {
        for map in &self.maps {
            map.features_at(x, y, out);
        }
    }

    /// Adds the cells of each feature to `moments`.
    pub(super) fn count(&self, moments: &mut Moments) {
        let features = self.moments.sums.len();
        moments.sums.resize(features, [0.0; 3]);
        for (all, sums) in moments.sums.iter_mut().zip(&self.moments.sums) {
            for (all, sum) in all.iter_mut().zip(sums) {
                *all += sum;
            }
        }
    }

    /// The logits of the tile's pixels, a plane for each class of `head`. Each level's share is
    /// found at its own cells, which is the same as to weigh the features of each pixel.
    pub(super) fn logits(&self, head: &Head) -> Vec<f32> {
        let area = SIDE * SIDE;
        let mut planes = Vec::with_capacity(head.num_classes() * area);
        for &bias in head.biases() {
            planes.resize(planes.len() + area, bias);
        }
        let mut first = 0;
        for map in &self.maps {
            let cells = map.level.cells();
            let coarse = map.weighted(head, first);
            let coarse = coarse.chunks_exact(cells * cells);
            for (coarse, plane) in coarse.zip(planes.chunks_exact_mut(area)) {
                add_between(map.level, coarse, plane);
            }
            first += map.level.channels;
        }
        planes
    }
}

impl Level {
    /// Cells of a tile along a side.
    const fn cells(self) -> usize {
        SIDE / self.stride + 1
    }

    /// The cell at or before a pixel, the one after it, and the share of that.
    fn between(self, pixel: usize) -> (usize, usize, f32) {
        let cell = (pixel + 1) / self.stride;
        let share = ((pixel + 1) % self.stride) as f32 / self.stride as f32;
        (cell, (cell + 1).min(self.cells() - 1), share)
    }
}

impl SeenMap {
    fn cut(level: Level, map: &[f32], corner: (usize, usize)) -> Self {
        let (wide, cells) = (WINDOW / level.stride, level.cells());
        // Cell i of a window lies on pixel s (i + 1) - 1 of it.
        let first = |pixel: usize| pixel / level.stride - 1;
        let (left, top) = (first(corner.0), first(corner.1));
        let mut numbers = Vec::with_capacity(level.channels * cells * cells);
        for channel in map.chunks_exact(wide * wide) {
            for row in channel.chunks_exact(wide).skip(top).take(cells) {
                let kept = row[left..left + cells].iter();
                numbers.extend(kept.map(|&number| f16::from_f32(number)));
            }
        }
        Self { level, numbers }
    }

    fn features_at(&self, x: usize, y: usize, out: &mut Vec<f32>) {
        let cells = self.level.cells();
        let (left, right, across) = self.level.between(x);
        let (top, bottom, down) = self.level.between(y);
        for channel in self.numbers.chunks_exact(cells * cells) {
            let at = |x: usize, y: usize| channel[y * cells + x].to_f32();
            let upper = at(left, top) * (1.0 - across) + at(right, top) * across;
            let lower = at(left, bottom) * (1.0 - across) + at(right, bottom) * across;
            out.push(upper * (1.0 - down) + lower * down);
        }
    }

    /// Number, sum and sum of squares of each channel.
    fn sums(&self) -> impl Iterator<Item = [f64; 3]> {
        let channels = self.numbers.chunks_exact(self.level.cells().pow(2));
        channels.map(|channel| {
            channel
                .iter()
                .fold([channel.len() as f64, 0.0, 0.0], |sums, number| {
                    let number = f64::from(number.to_f32());
                    [sums[0], sums[1] + number, sums[2] + number * number]
                })
        })
    }

    /// The share of each class's logits in the cells; `first` is the place of the first feature.
    fn weighted(&self, head: &Head, first: usize) -> Vec<f32> {
        let area = self.level.cells().pow(2);
        let mut sums = vec![0.0_f32; head.num_classes() * area];
        let mut wide = vec![0.0_f32; area];
        for (at, channel) in self.numbers.chunks_exact(area).enumerate() {
            for (wide, number) in wide.iter_mut().zip(channel) {
                *wide = number.to_f32();
            }
            for (class, sums) in sums.chunks_exact_mut(area).enumerate() {
                let weight = head.weights_of(class)[first + at];
                for (sum, number) in sums.iter_mut().zip(&wide) {
                    *sum += weight * number;
                }
            }
        }
        sums
    }
}

/// Where the tile at `corner` of a window has no data; empty when it has data everywhere.
fn void_of(rgba: &[u8], (left, top): (usize, usize)) -> Vec<bool> {
    let rows = rgba.chunks_exact(4 * WINDOW).skip(top).take(SIDE);
    let tile = rows.flat_map(|row| row.as_chunks::<4>().0[left..left + SIDE].iter());
    let void: Vec<bool> = tile.map(|pixel| pixel[3] == 0).collect();
    if void.contains(&true) {
        void
    } else {
        Vec::new()
    }
}

/// Adds to the pixels of a tile what lies on lines between the cells of a level.
fn add_between(level: Level, coarse: &[f32], plane: &mut [f32]) {
    let cells = level.cells();
    let columns: Vec<_> = (0..SIDE).map(|x| level.between(x)).collect();
    let mut line = vec![0.0_f32; cells];
    for (y, row) in plane.chunks_exact_mut(SIDE).enumerate() {
        let (top, bottom, down) = level.between(y);
        let (upper, lower) = (&coarse[top * cells..], &coarse[bottom * cells..]);
        for ((number, upper), lower) in line.iter_mut().zip(upper).zip(lower) {
            *number = upper * (1.0 - down) + lower * down;
        }
        for (pixel, &(left, right, across)) in row.iter_mut().zip(&columns) {
            *pixel += line[left] * (1.0 - across) + line[right] * across;
        }
    }
}
