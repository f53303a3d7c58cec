use rayon::prelude::*;

use super::taps::{Tap, needed, smooth, whole};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};

/// How an image's own pixels become those of a run's grid. Both grids begin at the image's outer
/// upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridScale {
    /// Image pixels along a side of one of the run's.
    step: f64,
}

impl GridScale {
    /// The run's grid is the image's own: nothing is touched.
    pub const OWN: Self = Self { step: 1.0 };
    /// The finest and the coarsest grid, in image pixels along a side.
    const LIMITS: std::ops::RangeInclusive<f64> = 0.125..=32.0;

    /// One of the run's pixels is `step` of the image's along a side; `None` when that is out of
    /// reason.
    pub fn new(step: f64) -> Option<Self> {
        Self::LIMITS.contains(&step).then_some(Self { step })
    }

    /// Whether the two grids are one.
    pub fn is_own(self) -> bool {
        self == Self::OWN
    }

    /// Image pixels along a side of one of the run's.
    pub const fn step(self) -> f64 {
        self.step
    }

    /// The extent in the run's grid of an image of `image` pixels; what is left over at the right
    /// and lower edge counts as a pixel.
    pub fn size(self, image: ImageSize) -> ImageSize {
        let along = |length: u32| {
            if self.is_own() || length == 0 {
                return length;
            }
            ((f64::from(length) / self.step - 1e-6).ceil() as u32).max(1)
        };
        ImageSize::new(along(image.width), along(image.height))
    }

    /// The image pixels under `rect` of the run's grid, whole ones, inside the image.
    pub fn image_rect(self, rect: PixelRect, image: ImageSize) -> PixelRect {
        if self.is_own() {
            return rect.intersect(image.bounds());
        }
        let span = |start: u32, end: u32, length: u32| {
            let start = (f64::from(start) * self.step).round() as u32;
            let end = (f64::from(end) * self.step).round() as u32;
            (start.min(length), end.min(length).saturating_sub(start))
        };
        let (x, width) = span(rect.x, rect.right(), image.width);
        let (y, height) = span(rect.y, rect.bottom(), image.height);
        PixelRect::new(x, y, width, height)
    }

    /// RGBA8 of `rect` (not empty, inside the run's grid) of an image of `image` pixels, whose own
    /// RGBA8 `read` gives: the mean of what a pixel covers where pixels become larger, else lines
    /// between them. Pixels with alpha 0 do not count, and are where less than half counts.
    ///
    /// # Errors
    /// What `read` says.
    pub fn colors<E>(
        self,
        rect: PixelRect,
        image: ImageSize,
        read: impl FnOnce(PixelRect) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        if self.is_own() {
            return read(rect);
        }
        let cols = smooth(rect.x..rect.right(), self.step, image.width);
        let rows = smooth(rect.y..rect.bottom(), self.step, image.height);
        let ground = under(&cols, &rows);
        let pixels = read(ground)?;
        let opaque = |pixel: &[u8; 4]| {
            let counts = f32::from(u8::from(pixel[3] > 0));
            let [red, green, blue, _] = pixel.map(f32::from);
            [red * counts, green * counts, blue * counts, counts, 1.0]
        };
        let pixels: Vec<[f32; 5]> = pixels.as_chunks::<4>().0.iter().map(opaque).collect();
        let sums = mixed(&pixels, ground, &cols, &rows);
        Ok(sums.into_iter().flat_map(color).collect())
    }

    /// `mask` in the run's grid: the class with the greatest share of what a pixel covers where
    /// pixels become larger (of equal ones the first), else that of the nearest pixel.
    pub fn labels(self, mask: &Mask) -> Mask {
        if self.is_own() {
            return mask.clone();
        }
        let (image, size) = (mask.size(), self.size(mask.size()));
        let mut scaled = Mask::new(size);
        let is_empty = |tile: &MaskTile| tile.uniform_class() == Some(UNLABELED);
        if mask.tiles().all(|(_, _, tile)| is_empty(tile)) {
            // Who only predicts has no labels, and all of them at once may be gigabytes.
            return scaled;
        }
        let corners = |end: u32| (0..end).step_by(MASK_TILE_SIZE as usize);
        let tiles: Vec<PixelRect> = corners(size.height)
            .flat_map(|y| corners(size.width).map(move |x| (x, y)))
            .map(|(x, y)| {
                PixelRect::new(x, y, MASK_TILE_SIZE, MASK_TILE_SIZE).intersect(size.bounds())
            })
            .collect();
        let tile = |&rect: &PixelRect| {
            let cols = whole(rect.x..rect.right(), self.step, image.width);
            let rows = whole(rect.y..rect.bottom(), self.step, image.height);
            let ground = under(&cols, &rows);
            majority(&mask.read_rect(ground), ground, &cols, &rows)
        };
        let found: Vec<Vec<u8>> = tiles.par_iter().map(tile).collect();
        for (rect, classes) in tiles.into_iter().zip(found) {
            if classes.iter().any(|&class| class != UNLABELED) {
                scaled.set_rect(rect, &classes);
            }
        }
        scaled
    }

    /// The pixels of the run's grid (of the extent `size`) that say something of the image's pixels
    /// `rect`, not empty, for [`Self::onto_image`].
    pub fn grid_rect(self, rect: PixelRect, size: ImageSize) -> PixelRect {
        if self.is_own() {
            return rect;
        }
        let (cols, rows) = self.back(rect, size);
        under(&cols, &rows)
    }

    /// Numbers at the image's pixels `rect`, from numbers at [`Self::grid_rect`] of them.
    pub fn onto_image(self, numbers: &[f32], rect: PixelRect, size: ImageSize) -> Vec<f32> {
        let (cols, rows) = self.back(rect, size);
        let ground = under(&cols, &rows);
        let numbers: Vec<[f32; 1]> = numbers.iter().map(|&number| [number]).collect();
        let weight = |taps: &[Tap]| -> Vec<f32> {
            taps.iter().map(|tap| tap.weights.iter().sum()).collect()
        };
        let (across, down) = (weight(&cols), weight(&rows));
        let sums = mixed(&numbers, ground, &cols, &rows);
        let weights = down
            .iter()
            .flat_map(|row| across.iter().map(move |col| row * col));
        sums.into_iter()
            .zip(weights)
            .map(|([sum], weight)| sum / weight)
            .collect()
    }

    fn back(self, rect: PixelRect, size: ImageSize) -> (Vec<Tap>, Vec<Tap>) {
        let step = 1.0 / self.step;
        (
            smooth(rect.x..rect.right(), step, size.width),
            smooth(rect.y..rect.bottom(), step, size.height),
        )
    }
}

/// The samples that taps along both axes need.
fn under(cols: &[Tap], rows: &[Tap]) -> PixelRect {
    let (x, y) = (needed(cols), needed(rows));
    PixelRect::new(x.start, y.start, x.end - x.start, y.end - y.start)
}

/// Weighted sums of the samples of `ground`, first along rows, then down.
fn mixed<const N: usize>(
    samples: &[[f32; N]],
    ground: PixelRect,
    cols: &[Tap],
    rows: &[Tap],
) -> Vec<[f32; N]> {
    let width = ground.width as usize;
    let mut across = Vec::with_capacity(ground.height as usize * cols.len());
    for row in samples.chunks_exact(width) {
        across.extend(cols.iter().map(|tap| {
            let row = &row[(tap.first - ground.x) as usize..];
            weighted(&tap.weights, |at| row[at])
        }));
    }
    let mut mixed = Vec::with_capacity(rows.len() * cols.len());
    for tap in rows {
        let top = (tap.first - ground.y) as usize;
        for col in 0..cols.len() {
            let sample = |at: usize| across[(top + at) * cols.len() + col];
            mixed.push(weighted(&tap.weights, sample));
        }
    }
    mixed
}

fn weighted<const N: usize>(weights: &[f32], sample: impl Fn(usize) -> [f32; N]) -> [f32; N] {
    let mut sum = [0.0; N];
    for (at, weight) in weights.iter().enumerate() {
        for (sum, value) in sum.iter_mut().zip(sample(at)) {
            *sum += weight * value;
        }
    }
    sum
}

/// A color from the sums of red, green, blue, what counts, and all.
fn color([red, green, blue, counts, all]: [f32; 5]) -> [u8; 4] {
    if counts * 2.0 < all {
        return [0; 4];
    }
    let [red, green, blue] = [red, green, blue].map(|sum| (sum / counts).round() as u8);
    [red, green, blue, 255]
}

/// The class with the greatest weight under each pair of taps, the first of equals.
fn majority(labels: &[u8], ground: PixelRect, cols: &[Tap], rows: &[Tap]) -> Vec<u8> {
    if labels.iter().all(|label| *label == labels[0]) {
        return vec![labels[0]; cols.len() * rows.len()];
    }
    let width = ground.width as usize;
    let mut classes = Vec::with_capacity(cols.len() * rows.len());
    let mut weights = [0.0_f32; 256];
    for row in rows {
        for col in cols {
            let mut most = (0.0, UNLABELED);
            weights.fill(0.0);
            for (y, down) in row.weights.iter().enumerate() {
                let start = (row.first - ground.y) as usize + y;
                let start = start * width + (col.first - ground.x) as usize;
                for (label, across) in labels[start..].iter().zip(&col.weights) {
                    weights[usize::from(*label)] += down * across;
                }
            }
            for (class, &weight) in (0..=u8::MAX).zip(&weights) {
                // Sums of equal shares differ in their last bits.
                if weight > most.0 + 1e-4 {
                    most = (weight, class);
                }
            }
            classes.push(most.1);
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(step: f64) -> GridScale {
        GridScale::new(step).expect("a scale")
    }

    fn read(image: ImageSize, paint: fn(u32, u32) -> [u8; 4]) -> impl Fn(PixelRect) -> Vec<u8> {
        move |rect| {
            assert_eq!(rect.intersect(image.bounds()), rect);
            let row = |y| (rect.x..rect.right()).flat_map(move |x| paint(x, y));
            (rect.y..rect.bottom()).flat_map(row).collect()
        }
    }

    fn colors(step: f64, rect: PixelRect, paint: fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
        let image = ImageSize::new(40, 30);
        let read = read(image, paint);
        let found = scale(step).colors(rect, image, |rect| Ok::<_, ()>(read(rect)));
        found.expect("colors")
    }

    #[test]
    fn four_pixels_become_their_mean_and_holes_do_not_count() {
        let paint = |x: u32, y: u32| [(x * 10) as u8, (y * 10) as u8, 7, 255];
        let found = colors(2.0, PixelRect::new(1, 0, 2, 1), paint);
        assert_eq!(found, [25, 5, 7, 255, 45, 5, 7, 255]);
        let holes = |x: u32, y: u32| match (x + y) % 2 {
            0 => [100, 0, 0, 255],
            _ => [9, 9, 9, 0],
        };
        assert_eq!(
            colors(2.0, PixelRect::new(0, 0, 1, 1), holes),
            [100, 0, 0, 255]
        );
        let void = |x: u32, _| [50, 0, 0, if x.is_multiple_of(4) { 255 } else { 0 }];
        assert_eq!(colors(4.0, PixelRect::new(0, 0, 1, 1), void), [0; 4]);
    }

    #[test]
    fn larger_pictures_lie_on_lines_between_pixels() {
        let paint = |x: u32, _| [(x * 40) as u8, 0, 0, 255];
        let found = colors(0.5, PixelRect::new(0, 0, 4, 1), paint);
        let reds: Vec<u8> = found.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [0, 10, 30, 50]);
    }

    #[test]
    fn labels_go_by_majority_or_by_the_nearest() {
        let mut mask = Mask::filled(ImageSize::new(5, 4), 1);
        mask.set_rect(PixelRect::new(0, 0, 2, 1), &[3, 3]);
        mask.set_rect(PixelRect::new(2, 0, 1, 2), &[UNLABELED; 2]);
        mask.set_rect(PixelRect::new(3, 0, 1, 1), &[UNLABELED]);
        let half = scale(2.0).labels(&mask);
        assert_eq!(half.size(), ImageSize::new(3, 2));
        // Two of four: the first of equals. Three of four without a label.
        assert_eq!(half.read_rect(half.size().bounds()), [1, 255, 1, 1, 1, 1]);
        let twice = scale(0.5).labels(&mask);
        assert_eq!(twice.size(), ImageSize::new(10, 8));
        for (x, y) in [(0, 0), (3, 1), (4, 0), (9, 7), (5, 3)] {
            let at = |mask: &Mask, x, y| mask.read_rect(PixelRect::new(x, y, 1, 1))[0];
            assert_eq!(at(&twice, x, y), at(&mask, x / 2, y / 2));
        }
    }

    #[test]
    fn the_own_grid_is_not_touched() {
        let image = ImageSize::new(40, 30);
        let rect = PixelRect::new(3, 4, 7, 5);
        assert_eq!(GridScale::OWN.size(image), image);
        assert_eq!(GridScale::OWN.grid_rect(rect, image), rect);
        let paint = |x: u32, y: u32| [x as u8, y as u8, 9, (x % 3) as u8];
        assert_eq!(colors(1.0, rect, paint), read(image, paint)(rect));
        let mask = Mask::filled(image, 2);
        assert_eq!(
            GridScale::OWN.labels(&mask).read_rect(rect),
            mask.read_rect(rect)
        );
    }

    #[test]
    fn numbers_go_back_to_the_image_as_they_came() {
        let image = ImageSize::new(23, 17);
        for step in [0.25, 0.6, 1.5, 2.0, 5.0] {
            let scale = scale(step);
            let size = scale.size(image);
            let rect = PixelRect::new(5, 3, 11, 9);
            let from = scale.grid_rect(rect, size);
            assert_eq!(from.intersect(size.bounds()), from);
            let constant = vec![4.0; from.num_pixels() as usize];
            let back = scale.onto_image(&constant, rect, size);
            assert_eq!(back.len(), 99);
            assert!(back.iter().all(|number| (number - 4.0).abs() < 1e-4));
        }
    }

    proptest! {
        #[test]
        fn a_place_looks_the_same_however_it_is_asked_for(
            step in 0.2_f64..4.0, x in 0_u32..6, y in 0_u32..5,
        ) {
            let paint = |x: u32, y: u32| [(x * 37 + y * 11) as u8, (x ^ y) as u8, 1, 255];
            let all = scale(step).size(ImageSize::new(40, 30));
            let (x, y) = (x.min(all.width - 1), y.min(all.height - 1));
            let whole = colors(step, all.bounds(), paint);
            let one = colors(step, PixelRect::new(x, y, 1, 1), paint);
            prop_assert_eq!(&whole[((y * all.width + x) * 4) as usize..][..4], &one[..]);
        }
    }
}
