use burn::tensor::f16;
use rayon::prelude::*;

use crate::geom::{ImageSize, PixelRect};
use crate::nn::Lite0;

/// The stage of the encoder whose features are kept: stride 16, which sees about 200 pixels around.
pub(super) const STAGE: usize = 3;
/// Features of a cell.
pub(super) const CHANNELS: usize = Lite0::CHANNELS[STAGE];
/// Pixels from one of the encoder's cells to the next.
pub(super) const STRIDE: u32 = Lite0::STRIDES[STAGE] as u32;
/// Bytes of an index; cells of larger images are larger.
const MOST_BYTES: u64 = 192 << 20;

/// What a whole image looks like, a vector of length 1 for each cell of a grid; cells without data
/// have length 0. 71 MB for an image of 9,000 × 9,000.
#[derive(Clone, PartialEq)]
pub struct FeatureIndex {
    size: ImageSize,
    /// Side of a cell in level-0 pixels.
    step: u32,
    /// Cell by cell, row by row.
    numbers: Vec<f16>,
}

impl FeatureIndex {
    /// The grid of an image of `size`, nothing seen yet.
    pub(super) fn new(size: ImageSize) -> Self {
        Self {
            size,
            step: step_for(size),
            numbers: vec![f16::ZERO; Self::num_numbers(size)],
        }
    }

    /// What was finished and kept before: `numbers` as [`FeatureIndex::numbers`] gave them; `None`
    /// where they are not as many as an image of `size` has.
    pub(super) fn kept(size: ImageSize, numbers: Vec<f16>) -> Option<Self> {
        let step = step_for(size);
        (numbers.len() == Self::num_numbers(size)).then_some(Self {
            size,
            step,
            numbers,
        })
    }

    /// All vectors, one after the other, row by row.
    pub(super) fn numbers(&self) -> &[f16] {
        &self.numbers
    }

    /// Numbers that the index of an image of `size` has.
    pub(super) fn num_numbers(size: ImageSize) -> usize {
        let [cols, rows] = cells(size, step_for(size));
        cols * rows * CHANNELS
    }

    /// Side of a cell in level-0 pixels.
    pub const fn step(&self) -> u32 {
        self.step
    }

    /// Columns and rows of cells.
    pub(super) const fn grid(&self) -> [usize; 2] {
        cells(self.size, self.step)
    }

    /// The image's size in level-0 pixels.
    pub const fn size(&self) -> ImageSize {
        self.size
    }

    /// Bytes that it takes.
    pub fn bytes_used(&self) -> usize {
        self.numbers.len() * size_of::<f16>()
    }

    /// The vector of a cell, by column and row.
    pub(super) fn cell(&self, col: usize, row: usize) -> &[f16] {
        let first = (row * self.grid()[0] + col) * CHANNELS;
        &self.numbers[first..first + CHANNELS]
    }

    /// All vectors, row by row.
    pub(super) fn vectors(&self) -> impl IndexedParallelIterator<Item = &[f16]> {
        self.numbers.par_chunks_exact(CHANNELS)
    }

    /// A cell's pixels, level 0.
    pub(super) fn rect(&self, col: usize, row: usize) -> PixelRect {
        let (x, y) = (col as u32 * self.step, row as u32 * self.step);
        PixelRect::new(x, y, self.step, self.step).intersect(self.size.bounds())
    }

    /// Notes what is seen in `part` (a whole number of cells from its corner on): `see` adds the
    /// vectors that the encoder has for some pixels to a sum and says how many they are.
    pub(super) fn note(
        &mut self,
        part: PixelRect,
        see: impl Fn(PixelRect, &mut [f32; CHANNELS]) -> usize,
    ) {
        let [cols, rows] = self.grid();
        let span = |from: u32, to: u32, end: usize| {
            (from / self.step) as usize..(to.div_ceil(self.step) as usize).min(end)
        };
        let across = span(part.x, part.right(), cols);
        for row in span(part.y, part.bottom(), rows) {
            for col in across.clone() {
                let mut sum = [0.0; CHANNELS];
                let count = see(self.rect(col, row), &mut sum);
                let first = (row * cols + col) * CHANNELS;
                let cell = &mut self.numbers[first..first + CHANNELS];
                for (number, sum) in cell.iter_mut().zip(sum) {
                    *number = f16::from_f32(if count > 0 { sum / count as f32 } else { 0.0 });
                }
            }
        }
    }

    /// Brings each feature to mean 0 and deviation 1 over the image, and each vector to length 1, so
    /// that the product of two is the cosine of the angle between them.
    pub(super) fn finish(&mut self) {
        let (mut sums, mut count) = (vec![[0.0_f64; 2]; CHANNELS], 0.0_f64);
        for vector in self.numbers.chunks_exact(CHANNELS).filter(|it| is_seen(it)) {
            count += 1.0;
            for (sum, number) in sums.iter_mut().zip(vector) {
                let number = f64::from(number.to_f32());
                sum[0] += number;
                sum[1] += number * number;
            }
        }
        let scale = |[sum, squares]: [f64; 2]| {
            let mean = sum / count.max(1.0);
            let deviation = (squares / count.max(1.0) - mean * mean).max(0.0).sqrt();
            // A feature that is the same everywhere tells nothing.
            let factor = if deviation > 1e-6 {
                1.0 / deviation
            } else {
                0.0
            };
            (mean as f32, factor as f32)
        };
        let scales: Vec<(f32, f32)> = sums.into_iter().map(scale).collect();
        let cells = self.numbers.par_chunks_exact_mut(CHANNELS);
        cells.filter(|it| is_seen(it)).for_each(|vector| {
            let scaled = vector.iter().zip(&scales);
            let scaled = scaled.map(|(number, (mean, factor))| (number.to_f32() - mean) * factor);
            let scaled = unit(scaled.collect());
            for (number, scaled) in vector.iter_mut().zip(scaled) {
                *number = f16::from_f32(scaled);
            }
        });
    }
}

impl std::fmt::Debug for FeatureIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureIndex")
            .field("size", &self.size)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

/// The vector of the same direction and length 1; as it is when it has no length.
pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in &mut vector {
            *number /= length;
        }
    }
    vector
}

/// Whether there is data in a cell.
pub(super) fn is_seen(vector: &[f16]) -> bool {
    vector.iter().any(|&number| number != f16::ZERO)
}

/// Side of the cells of an image: the encoder's, doubled until all fit.
fn step_for(size: ImageSize) -> u32 {
    let bytes = |step: u32| {
        let [cols, rows] = cells(size, step);
        (cols * rows * CHANNELS * size_of::<f16>()) as u64
    };
    let mut step = STRIDE;
    while bytes(step) > MOST_BYTES {
        step *= 2;
    }
    step
}

const fn cells(size: ImageSize, step: u32) -> [usize; 2] {
    [
        size.width.div_ceil(step) as usize,
        size.height.div_ceil(step) as usize,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_grow_with_the_image_so_that_the_index_does_not() {
        for (side, step) in [(9_000, 16), (30_000, 32), (100_000, 128)] {
            let size = ImageSize::new(side, side);
            assert_eq!(step_for(size), step);
        }
        let index = FeatureIndex::new(ImageSize::new(100, 40));
        assert_eq!((index.grid(), index.bytes_used()), ([7, 3], 7 * 3 * 224));
        assert_eq!(index.rect(6, 2), PixelRect::new(96, 32, 4, 8));
    }

    #[test]
    fn finished_vectors_have_length_one_and_tell_what_differs() {
        let mut index = FeatureIndex::new(ImageSize::new(64, 16));
        index.note(PixelRect::new(0, 0, 64, 16), |cell, sum| {
            // The first feature is large and the same everywhere but in the last cell, which is void.
            sum[0] = 100.0;
            sum[1] = if cell.x < 32 { 1.0 } else { 2.0 };
            usize::from(cell.x < 48)
        });
        index.finish();
        let lengths: Vec<f32> = (0..4)
            .map(|col| {
                index
                    .cell(col, 0)
                    .iter()
                    .map(|it| it.to_f32().powi(2))
                    .sum()
            })
            .collect();
        for (length, expected) in lengths.into_iter().zip([1.0, 1.0, 1.0, 0.0]) {
            assert!((length - expected).abs() < 1e-2, "{length}");
        }
        assert_eq!(index.cell(0, 0), index.cell(1, 0));
        assert!(index.cell(0, 0)[1] < f16::ZERO && index.cell(2, 0)[1] > f16::ZERO);
        assert_eq!(index.cell(0, 0)[0], f16::ZERO);
    }
}
