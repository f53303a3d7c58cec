use super::super::Selection;
use super::super::span::Span;
use super::lab::LabPixels;
use super::pieces::join_pieces;
use super::slic::{NO_LABEL, Slic};
use crate::geom::{ImagePoint, PixelRect};

/// A window of an image cut into small connected regions of similar color.
///
/// The same pixels always give the same regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superpixels {
    window: PixelRect,
    /// The number of each pixel's superpixel, row by row.
    labels: Vec<u32>,
    num: usize,
}

impl Superpixels {
    /// Cuts `window` (level-0 pixels), whose RGBA8 pixels are given row by row; those of alpha 0
    /// are nodata and belong to no superpixel.
    ///
    /// `side` is how wide a superpixel is about, in pixels. `compactness` weighs place against
    /// color: 10 is usual, more makes them squarer, less lets them follow edges closer. What is
    /// smaller than a quarter of `side` × `side` becomes part of a neighbor.
    ///
    /// SLIC: Achanta et al., "SLIC Superpixels Compared to State-of-the-art Superpixel Methods",
    /// IEEE TPAMI 34 (2012).
    ///
    /// # Panics
    /// When `pixels` is not four bytes for each pixel of `window` long.
    pub fn of(window: PixelRect, pixels: &[u8], side: u32, compactness: f32) -> Self {
        let (pixels, rest) = pixels.as_chunks::<4>();
        let is_all = pixels.len() as u64 == window.num_pixels() && rest.is_empty();
        assert!(is_all, "four bytes a pixel");
        if window.is_empty() {
            return Self::default();
        }
        let lab = LabPixels::of(pixels);
        let extent = (window.width as usize, window.height as usize);
        let is_known = |index: usize| pixels[index][3] != 0;
        let mut labels = Slic::new(&lab, is_known, extent, side, compactness).run();
        let min_pixels = (side as usize).saturating_mul(side as usize) / 4;
        let num = join_pieces(&mut labels, extent.0, &lab, min_pixels);
        Self {
            window,
            labels,
            num,
        }
    }

    /// The window, in level-0 pixels.
    pub const fn window(&self) -> PixelRect {
        self.window
    }

    /// Number of superpixels; they are numbered from 0.
    pub const fn num(&self) -> usize {
        self.num
    }

    /// The superpixel of level-0 pixel (x, y); `None` outside the window and on nodata.
    pub fn at(&self, x: u32, y: u32) -> Option<u32> {
        if !self.window.contains(x, y) {
            return None;
        }
        let (column, row) = ((x - self.window.x) as usize, (y - self.window.y) as usize);
        let label = self.labels[row * self.window.width as usize + column];
        (label != NO_LABEL).then_some(label)
    }

    /// The superpixels with a pixel whose center is not farther than `radius` from `center`, both
    /// in level-0 pixels, in order.
    pub fn touched(&self, center: ImagePoint, radius: f64) -> Vec<u32> {
        let pixels = |middle: f64, first: u32, end: u32| {
            let low = (middle - radius - 1.0).clamp(f64::from(first), f64::from(end));
            let high = (middle + radius + 1.0).clamp(f64::from(first), f64::from(end));
            low as u32..high as u32
        };
        let columns = pixels(center.x, self.window.x, self.window.right());
        let mut is_touched = vec![false; self.num];
        for y in pixels(center.y, self.window.y, self.window.bottom()) {
            let dy = f64::from(y) + 0.5 - center.y;
            // A negative radius is no circle, though its square is one.
            for x in columns.clone().filter(|_| radius >= 0.0) {
                let dx = f64::from(x) + 0.5 - center.x;
                if dx * dx + dy * dy <= radius * radius
                    && let Some(label) = self.at(x, y)
                {
                    is_touched[label as usize] = true;
                }
            }
        }
        let numbers = (0..self.num as u32).zip(is_touched);
        numbers
            .filter_map(|(number, is_touched)| is_touched.then_some(number))
            .collect()
    }

    /// The pixels of some superpixels; numbers that there are none of are left out.
    pub fn selection(&self, which: &[u32]) -> Selection {
        let mut is_chosen = vec![false; self.num];
        for &number in which {
            if let Some(flag) = is_chosen.get_mut(number as usize) {
                *flag = true;
            }
        }
        let is_in = |label: u32| label != NO_LABEL && is_chosen[label as usize];
        let mut spans = Vec::new();
        let rows = self
            .labels
            .chunks_exact((self.window.width as usize).max(1));
        for (y, row) in (self.window.y..).zip(rows) {
            let mut start = self.window.x;
            for run in row.chunk_by(|&a, &b| is_in(a) == is_in(b)) {
                let end = start + run.len() as u32;
                if is_in(run[0]) {
                    spans.push(Span { y, start, end });
                }
                start = end;
            }
        }
        Selection::from_spans(spans)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn gray(value: u8) -> [u8; 4] {
        [value, value, value, 255]
    }

    /// Whether the pixels of one number hang together by sides.
    fn is_connected(superpixels: &Superpixels, number: u32) -> bool {
        let window = superpixels.window();
        let all = (window.y..window.bottom())
            .flat_map(|y| (window.x..window.right()).map(move |x| (x, y)));
        let mut left: BTreeSet<_> = all
            .filter(|&(x, y)| superpixels.at(x, y) == Some(number))
            .collect();
        let mut stack: Vec<_> = left.first().copied().into_iter().collect();
        while let Some((x, y)) = stack.pop() {
            if left.remove(&(x, y)) {
                let before = [(x.wrapping_sub(1), y), (x, y.wrapping_sub(1))];
                stack.extend([(x + 1, y), (x, y + 1)].into_iter().chain(before));
            }
        }
        left.is_empty()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn superpixels_are_connected_and_cover_all_but_nodata(
            values in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..15), 24 * 30),
            (width, height) in (1_u32..=30, 1_u32..=24),
            side in 0_u32..40,
            compactness in prop_oneof![Just(0.0_f32), Just(10.0), Just(100.0), Just(f32::NAN)],
        ) {
            let color = |&(r, g, alpha): &(u8, u8, u8)| [r * 100, g * 90, 5, alpha];
            let window = PixelRect::new(11, 7, width, height);
            let pixels: Vec<[u8; 4]> = values[..(width * height) as usize].iter().map(color).collect();
            let bytes = pixels.as_flattened();
            let superpixels = Superpixels::of(window, bytes, side, compactness);
            prop_assert_eq!(&superpixels, &Superpixels::of(window, bytes, side, compactness));
            for (index, pixel) in pixels.iter().enumerate() {
                let (x, y) = (11 + index as u32 % width, 7 + index as u32 / width);
                prop_assert_eq!(superpixels.at(x, y).is_some(), pixel[3] != 0);
            }
            let mut num_pixels = 0;
            for number in 0..superpixels.num() as u32 {
                prop_assert!(is_connected(&superpixels, number));
                let own = superpixels.selection(&[number]);
                prop_assert!(!own.is_empty());
                num_pixels += own.num_pixels();
            }
            let known = pixels.iter().filter(|pixel| pixel[3] != 0).count() as u64;
            prop_assert_eq!(num_pixels, known);
            if known == window.num_pixels() && superpixels.num() > 1 {
                let least = u64::from(side * side / 4);
                let is_large = |number| superpixels.selection(&[number]).num_pixels() >= least;
                prop_assert!((0..superpixels.num() as u32).all(is_large));
            }
        }

        #[test]
        fn touched_is_its_definition(
            x in -10.0..60.0_f64,
            y in -10.0..60.0_f64,
            radius in 0.0..25.0_f64,
        ) {
            let window = PixelRect::new(5, 9, 40, 36);
            let pixels = vec![gray(80); 40 * 36];
            let superpixels = Superpixels::of(window, pixels.as_flattened(), 8, 10.0);
            let mut expected = BTreeSet::new();
            for (px, py) in (0..60).flat_map(|py| (0..60).map(move |px| (px, py))) {
                let (dx, dy) = (f64::from(px) + 0.5 - x, f64::from(py) + 0.5 - y);
                if dx * dx + dy * dy <= radius * radius {
                    expected.extend(superpixels.at(px, py));
                }
            }
            let touched = superpixels.touched(ImagePoint::new(x, y), radius);
            prop_assert_eq!(touched, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn plain_ground_is_cut_into_a_grid() {
        let window = PixelRect::new(0, 0, 60, 40);
        let pixels = vec![gray(99); 60 * 40];
        let superpixels = Superpixels::of(window, pixels.as_flattened(), 20, 10.0);
        assert_eq!(superpixels.num(), 6);
        assert_eq!(superpixels.at(0, 0), Some(0));
        assert_eq!(superpixels.at(59, 39), Some(5));
        assert_eq!((superpixels.at(60, 0), superpixels.at(0, 40)), (None, None));
        let all = superpixels.selection(&[5, 4, 3, 2, 1, 0, 0, 77]);
        assert_eq!((all.num_pixels(), all.bounds()), (2_400, window));
    }

    #[test]
    fn a_strong_edge_is_kept() {
        // A disc that no grid cell knows of.
        let is_disc = |x: u32, y: u32| (x as i32 - 37).pow(2) + (y as i32 - 41).pow(2) < 24 * 24;
        let window = PixelRect::new(0, 0, 90, 80);
        let all = (0..80).flat_map(|y| (0..90).map(move |x| (x, y)));
        let pixels: Vec<[u8; 4]> = all
            .clone()
            .map(|(x, y)| gray(if is_disc(x, y) { 40 } else { 190 }))
            .collect();
        let superpixels = Superpixels::of(window, pixels.as_flattened(), 10, 10.0);
        let sides = |inside: bool| -> BTreeSet<u32> {
            let chosen = all.clone().filter(|&(x, y)| is_disc(x, y) == inside);
            chosen.filter_map(|(x, y)| superpixels.at(x, y)).collect()
        };
        let both: Vec<u32> = sides(true).intersection(&sides(false)).copied().collect();
        let mixed = superpixels.selection(&both).num_pixels();
        assert!(mixed < 200, "{mixed} pixels in superpixels on both sides");
    }

    #[test]
    fn nothing_is_touched_by_what_is_no_circle() {
        let window = PixelRect::new(0, 0, 30, 30);
        let superpixels = Superpixels::of(window, &[200; 3_600], 10, 10.0);
        for (x, radius) in [(f64::NAN, 5.0), (5.0, f64::NAN), (5.0, -1.0), (1e300, 5.0)] {
            assert!(
                superpixels
                    .touched(ImagePoint::new(x, 5.0), radius)
                    .is_empty()
            );
        }
        let none = Superpixels::of(PixelRect::default(), &[], 10, 10.0);
        assert_eq!((none.num(), none.at(0, 0)), (0, None));
        assert!(none.selection(&[0]).is_empty());
    }
}
