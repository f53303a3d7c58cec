use super::blur::Grey;
use super::turn::Turn;
use crate::geom::ImageSize;

/// Cells a side of a thumbnail.
pub(super) const SIDE: usize = 24;
const CELLS: usize = SIDE * SIDE;
/// Frequencies in each direction that the hash looks at.
const WAVES: usize = 8;
/// Images whose thumbnail varies less than this many steps of brightness show nothing to compare.
const LEAST_DEVIATION: f32 = 1.5;

/// A small picture of an image, stretched to the square and to full contrast.
#[derive(Clone)]
pub(super) struct Thumb {
    cells: [u8; CELLS],
    /// Signs of the lowest frequencies of its cosine transform, the mean left out.
    pub(super) hash: u64,
    /// Whether there is anything to see.
    pub(super) is_flat: bool,
}

impl Thumb {
    fn new(values: &[f32; CELLS]) -> Self {
        let mean = values.iter().sum::<f32>() / CELLS as f32;
        let square = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f32>();
        let low = values.iter().copied().fold(f32::INFINITY, f32::min);
        let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let scale = if high > low {
            255.0 / (high - low)
        } else {
            0.0
        };
        Self {
            cells: std::array::from_fn(|cell| ((values[cell] - low) * scale).round() as u8),
            hash: wave_signs(values),
            is_flat: (square / CELLS as f32).sqrt() < LEAST_DEVIATION,
        }
    }

    /// The hash of the turned picture: a flip changes the signs of the odd frequencies.
    pub(super) fn hash_turned(&self, turn: Turn) -> u64 {
        // Where the axes of the turned picture lie in this one.
        let back = turn.inverse();
        let (axis_u, axis_v) = (back.apply(1, 0), back.apply(0, 1));
        let swap = axis_u.0 == 0;
        let (negative_u, negative_v) = (axis_u.0 + axis_u.1 < 0, axis_v.0 + axis_v.1 < 0);
        let mut hash = 0;
        for wave in 1..WAVES * WAVES {
            let (u, v) = (wave % WAVES, wave / WAVES);
            let from = if swap { u * WAVES + v } else { wave };
            let changes = (negative_u && u % 2 == 1) ^ (negative_v && v % 2 == 1);
            hash |= ((self.hash >> from & 1) ^ u64::from(changes)) << wave;
        }
        hash
    }

    /// How alike two pictures are, `self` turned first: the correlation of the cells and that of
    /// their differences from the cells about them, each at most 1.
    pub(super) fn likeness(&self, turn: Turn, other: &Self) -> (f32, f32) {
        let mine: Vec<f32> = self.cells.iter().map(|&cell| f32::from(cell)).collect();
        let mine = turn.square(&mine, SIDE);
        let theirs: Vec<f32> = other.cells.iter().map(|&cell| f32::from(cell)).collect();
        (
            correlation(&mine, &theirs),
            correlation(&detail(&mine), &detail(&theirs)),
        )
    }
}

/// Each cell less the mean of the four about it, edges left out.
fn detail(cells: &[f32]) -> Vec<f32> {
    let inside = 1..SIDE - 1;
    inside
        .clone()
        .flat_map(|y| inside.clone().map(move |x| y * SIDE + x))
        .map(|at| {
            let about = cells[at - 1] + cells[at + 1] + cells[at - SIDE] + cells[at + SIDE];
            cells[at] - about / 4.0
        })
        .collect()
}

/// Pearson's correlation; 0 when one side does not vary.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa > 0.0 && bb > 0.0 {
        ab / (aa * bb).sqrt()
    } else {
        0.0
    }
}

fn wave_signs(values: &[f32; CELLS]) -> u64 {
    let cosine = |wave: usize, at: usize| {
        (std::f32::consts::PI * wave as f32 * (at as f32 + 0.5) / SIDE as f32).cos()
    };
    let table: Vec<f32> = (0..WAVES * SIDE)
        .map(|i| cosine(i / SIDE, i % SIDE))
        .collect();
    let mut rows = [0.0f32; SIDE * WAVES];
    for y in 0..SIDE {
        for u in 0..WAVES {
            let terms = (0..SIDE).map(|x| values[y * SIDE + x] * table[u * SIDE + x]);
            rows[y * WAVES + u] = terms.sum();
        }
    }
    (1..WAVES * WAVES).fold(0, |hash, wave| {
        let (u, v) = (wave % WAVES, wave / WAVES);
        let sum: f32 = (0..SIDE)
            .map(|y| rows[y * WAVES + u] * table[v * SIDE + y])
            .sum();
        hash | u64::from(sum > 0.0) << wave
    })
}

/// Adds up the cells of a thumbnail from parts of an image, each pixel by the area it covers.
pub(super) struct ThumbSums {
    size: ImageSize,
    sums: [f64; CELLS],
    areas: [f64; CELLS],
}

impl ThumbSums {
    pub(super) const fn new(size: ImageSize) -> Self {
        Self {
            size,
            sums: [0.0; CELLS],
            areas: [0.0; CELLS],
        }
    }

    /// Adds the pixels of `grey` that lie in its columns `cols` and rows `rows`.
    pub(super) fn add(
        &mut self,
        grey: &Grey,
        cols: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
    ) {
        let covers: Vec<(usize, usize, f32)> = cols
            .flat_map(|x| {
                let covers = covered(u64::from(grey.rect.x) + x as u64, self.size.width);
                covers.map(move |(cell, area)| (x, cell, area))
            })
            .collect();
        let width = grey.width();
        for y in rows {
            let luma = &grey.luma[y * width..][..width];
            let void = grey.void.as_ref().map(|void| &void[y * width..][..width]);
            let (mut sums, mut areas) = ([0.0f32; SIDE], [0.0f32; SIDE]);
            for &(x, cell, area) in &covers {
                let area = if void.is_some_and(|void| void[x]) {
                    0.0
                } else {
                    area
                };
                sums[cell] += f32::from(luma[x]) * area;
                areas[cell] += area;
            }
            for (row, part) in covered(u64::from(grey.rect.y) + y as u64, self.size.height) {
                for cell in 0..SIDE {
                    self.sums[row * SIDE + cell] += f64::from(sums[cell] * part);
                    self.areas[row * SIDE + cell] += f64::from(areas[cell] * part);
                }
            }
        }
    }

    /// The thumbnail; cells without opaque pixels get the mean.
    pub(super) fn finish(&self) -> Thumb {
        let (sum, area) = (
            self.sums.iter().sum::<f64>(),
            self.areas.iter().sum::<f64>(),
        );
        let mean = if area > 0.0 { sum / area } else { 0.0 };
        Thumb::new(&std::array::from_fn(|cell| {
            let area = self.areas[cell];
            (if area > 1e-9 {
                self.sums[cell] / area
            } else {
                mean
            }) as f32
        }))
    }
}

/// The cells that pixel `at` of a line of `length` covers, with the share of a cell it covers.
fn covered(at: u64, length: u32) -> impl Iterator<Item = (usize, f32)> {
    // Positions are counted in 1 / (length * SIDE) of the line.
    let (length, side) = (u64::from(length.max(1)), SIDE as u64);
    let (start, end) = (at * side, (at + 1) * side);
    (start / length..=(end - 1) / length)
        .filter(move |&cell| cell < side)
        .map(move |cell| {
            let shared = end.min((cell + 1) * length) - start.max(cell * length);
            (cell as usize, shared as f32 / length as f32)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::PixelRect;

    fn thumb(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Thumb {
        let rect = PixelRect::new(0, 0, width, height);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let grey = Grey {
            rect,
            luma: pixels.map(|(x, y)| luma(x, y)).collect(),
            void: None,
        };
        let mut sums = ThumbSums::new(ImageSize::new(width, height));
        sums.add(&grey, 0..width as usize, 0..height as usize);
        sums.finish()
    }

    fn hilly(x: f32, y: f32) -> u8 {
        let wave = (7.0 * x + 2.0 * y * y).sin() + (5.0 * y - 3.0 * x * y).cos() + 0.6 * x;
        (110.0 + 40.0 * wave) as u8
    }

    #[test]
    fn a_resized_and_dimmed_copy_has_the_same_picture() {
        let large = thumb(301, 257, |x, y| hilly(x as f32 / 301.0, y as f32 / 257.0));
        let small = thumb(64, 64, |x, y| {
            hilly(x as f32 / 64.0, y as f32 / 64.0) / 2 + 30
        });
        assert!((large.hash ^ small.hash).count_ones() <= 6);
        let (alike, detail) = large.likeness(Turn::new((false, false), false), &small);
        assert!(alike > 0.99 && detail > 0.8, "{alike} {detail}");
    }

    #[test]
    fn hashes_turn_with_their_pictures() {
        let side = 48;
        let hill = |x: u32, y: u32| hilly(x as f32 / 48.0, y as f32 / 48.0);
        let plain = thumb(side, side, hill);
        let values: Vec<u8> = (0..side * side)
            .map(|at| hill(at % side, at / side))
            .collect();
        for turn in Turn::all() {
            let turned = turn.square(&values, side as usize);
            let turned = thumb(side, side, |x, y| turned[(y * side + x) as usize]);
            assert!(
                (plain.hash_turned(turn) ^ turned.hash).count_ones() <= 2,
                "{turn:?}"
            );
            assert!(plain.likeness(turn, &turned).0 > 0.999, "{turn:?}");
        }
    }

    #[test]
    fn a_flat_image_shows_nothing() {
        assert!(thumb(101, 101, |_, _| 77).is_flat);
        assert!(!thumb(101, 101, |x, _| x as u8).is_flat);
        assert!(!thumb(3, 2, |x, y| (60 * x + 40 * y) as u8).is_flat);
    }

    #[test]
    fn each_pixel_is_counted_by_its_area() {
        let halves = thumb(2, 1, |x, _| 200 * x as u8);
        assert_eq!((halves.cells[11], halves.cells[12]), (0, 255));
        for length in [1, 7, 24, 101] {
            let total: f32 = (0..length)
                .flat_map(|at| covered(at, length as u32))
                .map(|(_, a)| a)
                .sum();
            assert!((total - 24.0).abs() < 1e-3, "{length} {total}");
        }
    }
}
