use serde::{Deserialize, Serialize};

use super::distance::squared_distances;
use super::ratio::ratio;
use crate::geom::PixelRect;
use crate::label::{Mask, UNLABELED};

/// The distance within which roads are usually said to match, in pixels.
pub const DEFAULT_RADIUS_PX: u16 = 3;

/// The largest distance that is looked at, in pixels: it bounds the memory and time of a count.
pub const MAX_RADIUS_PX: u16 = 64;

/// Precision and recall of one class that forgive small shifts: a predicted pixel counts as right
/// within some pixels of a true one, and a true pixel as found within as many of a predicted one
/// (V. Mnih, "Machine learning for aerial image labeling", doctoral thesis, University of Toronto,
/// 2013, with 3 pixels for roads).
///
/// Distances are Euclidean, from middle to middle, and the radius itself is still near. (A square
/// around the pixel instead, whose corners reach √2 times as far, makes the figures somewhat
/// higher.) Ground whose truth is unlabeled is as if it were not there: nothing on it is counted,
/// and nothing on it is near to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaxedCounts {
    /// The class that is scored.
    pub class: u8,
    /// How far is near, in pixels.
    pub radius_px: u16,
    /// Pixels of the class in the truth.
    pub truth: u64,
    /// Of those, the ones near to a predicted pixel.
    pub truth_near: u64,
    /// Labeled pixels predicted as the class.
    pub predicted: u64,
    /// Of those, the ones near to a true pixel.
    pub predicted_near: u64,
}

impl RelaxedCounts {
    /// No ground yet; a radius above [`MAX_RADIUS_PX`] is cut to it.
    pub fn new(class: u8, radius_px: u16) -> Self {
        Self {
            class,
            radius_px: radius_px.min(MAX_RADIUS_PX),
            truth: 0,
            truth_near: 0,
            predicted: 0,
            predicted_near: 0,
        }
    }

    /// Counts the pixels inside `rect` of two masks of the same size. Pixels around `rect` are not
    /// counted, but can be near, so that the counts of parts add up to those of the whole.
    ///
    /// Works tile by tile: memory does not grow with the masks.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn add(&mut self, truth: &Mask, prediction: &Mask, rect: PixelRect) {
        assert_eq!(
            truth.size(),
            prediction.size(),
            "truth and prediction cover the same ground"
        );
        let (cols, rows) = truth.grid();
        for (col, row) in (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row))) {
            let may_hold = |mask: &Mask| {
                let class = mask.tile(col, row).uniform_class();
                class.is_none_or(|class| class == self.class)
            };
            let block = truth.tile_rect(col, row).intersect(rect);
            if !block.is_empty() && (may_hold(truth) || may_hold(prediction)) {
                self.add_block(truth, prediction, block);
            }
        }
    }

    /// Adds the counts of other ground.
    ///
    /// # Panics
    /// When the classes or the radii differ.
    pub fn merge(&mut self, other: &Self) {
        let kind = |counted: &Self| (counted.class, counted.radius_px);
        assert_eq!(kind(self), kind(other), "counts of the same class");
        self.truth += other.truth;
        self.truth_near += other.truth_near;
        self.predicted += other.predicted;
        self.predicted_near += other.predicted_near;
    }

    /// Share of the predicted pixels that are near to a true one; `None` when none was predicted.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.predicted_near, self.predicted)
    }

    /// Share of the true pixels that are near to a predicted one; `None` without truth.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.truth_near, self.truth)
    }

    /// Harmonic mean of both, 0 when nothing is near; `None` without truth.
    pub fn f1(&self) -> Option<f64> {
        let recall = self.recall()?;
        let precision = self.precision().unwrap_or(0.0);
        let sum = precision + recall;
        Some(if sum > 0.0 {
            2.0 * precision * recall / sum
        } else {
            0.0
        })
    }

    fn add_block(&mut self, truth: &Mask, prediction: &Mask, block: PixelRect) {
        let around = block
            .grown(u32::from(self.radius_px))
            .intersect(truth.size().bounds());
        let true_pixels = truth.read_rect(around);
        let mut predicted_pixels = prediction.read_rect(around);
        for (predicted, &truth) in predicted_pixels.iter_mut().zip(&true_pixels) {
            if truth == UNLABELED {
                *predicted = UNLABELED;
            }
        }
        let is_counted = block_in(block, around);
        let class = self.class;
        let is_near = self.nearness(&predicted_pixels, around);
        let (all, near) = count(&true_pixels, class, &is_counted, &is_near);
        self.truth += all;
        self.truth_near += near;
        let is_near = self.nearness(&true_pixels, around);
        let (all, near) = count(&predicted_pixels, class, &is_counted, &is_near);
        self.predicted += all;
        self.predicted_near += near;
    }

    /// Whether a pixel of the class is near, by place in the rectangle.
    fn nearness(&self, pixels: &[u8], rect: PixelRect) -> impl Fn(usize) -> bool + use<> {
        let distances = squared_distances(pixels, rect.width as usize, self.class);
        let farthest = u64::from(self.radius_px).pow(2);
        move |at| {
            let near = distances.as_ref().map(|squared| squared[at] <= farthest);
            near.unwrap_or(false)
        }
    }
}

/// Whether a place in `around`, row by row, lies in `block`.
fn block_in(block: PixelRect, around: PixelRect) -> impl Fn(usize) -> bool {
    move |at| {
        let (row, col) = (at as u32 / around.width, at as u32 % around.width);
        block.contains(around.x + col, around.y + row)
    }
}

/// The counted pixels of the class, and those of them that are near.
fn count(
    pixels: &[u8],
    class: u8,
    is_counted: &impl Fn(usize) -> bool,
    is_near: &impl Fn(usize) -> bool,
) -> (u64, u64) {
    let (mut all, mut near) = (0, 0);
    for (at, _) in pixels
        .iter()
        .enumerate()
        .filter(|&(at, &pixel)| pixel == class && is_counted(at))
    {
        all += 1;
        near += u64::from(is_near(at));
    }
    (all, near)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;

    fn mask(size: ImageSize, roads: &[PixelRect]) -> Mask {
        let mut mask = Mask::filled(size, 0);
        for road in roads {
            mask.set_rect(*road, &vec![1; road.num_pixels() as usize]);
        }
        mask
    }

    fn counted(truth: &Mask, prediction: &Mask, radius_px: u16) -> RelaxedCounts {
        let mut counts = RelaxedCounts::new(1, radius_px);
        counts.add(truth, prediction, truth.size().bounds());
        counts
    }

    #[test]
    fn a_shifted_road_is_found_within_the_radius() {
        let size = ImageSize::new(600, 300);
        let truth = mask(size, &[PixelRect::new(0, 100, 600, 1)]);
        let shifted = mask(size, &[PixelRect::new(0, 103, 600, 1)]);
        let near = counted(&truth, &shifted, 3);
        assert_eq!((near.precision(), near.recall()), (Some(1.0), Some(1.0)));
        let far = counted(&truth, &shifted, 2);
        assert_eq!((far.precision(), far.f1()), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn corners_are_measured_across_tiles() {
        let size = ImageSize::new(600, 600);
        let truth = mask(size, &[PixelRect::new(255, 255, 1, 1)]);
        for (x, y, near) in [(257, 257, 1), (258, 256, 0), (258, 255, 1), (258, 258, 0)] {
            let found = counted(&truth, &mask(size, &[PixelRect::new(x, y, 1, 1)]), 3);
            assert_eq!((found.truth_near, found.predicted_near), (near, near));
        }
    }

    #[test]
    fn unlabeled_ground_is_as_if_it_were_not_there() {
        let size = ImageSize::new(40, 1);
        let mut truth = mask(size, &[PixelRect::new(10, 0, 2, 1)]);
        truth.set_rect(PixelRect::new(12, 0, 10, 1), &[UNLABELED; 10]);
        let prediction = mask(size, &[PixelRect::new(12, 0, 11, 1)]);
        let found = counted(&truth, &prediction, 3);
        assert_eq!((found.truth, found.truth_near), (2, 0));
        assert_eq!((found.predicted, found.predicted_near), (1, 0));
        let nothing = counted(&Mask::filled(size, 0), &prediction, 3);
        assert_eq!((nothing.precision(), nothing.recall()), (Some(0.0), None));
        assert_eq!(nothing.f1(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn parts_add_up_and_a_larger_radius_forgives_more(
            roads in prop::collection::vec((0_u32..500, 0_u32..290, 1_u32..60, 1_u32..9), 1..6),
            cut in 1_u32..500, radius in 0_u16..8,
        ) {
            let size = ImageSize::new(500, 290);
            let rects: Vec<_> = roads.iter().map(|&(x, y, w, h)| PixelRect::new(x, y, w, h)).collect();
            let (truth, prediction) = rects.split_at(rects.len() / 2);
            let (truth, prediction) = (mask(size, truth), mask(size, prediction));
            let whole = counted(&truth, &prediction, radius);
            let mut parts = RelaxedCounts::new(1, radius);
            parts.add(&truth, &prediction, PixelRect::new(0, 0, cut, 290));
            let mut rest = RelaxedCounts::new(1, radius);
            rest.add(&truth, &prediction, PixelRect::new(cut, 0, 500 - cut, 290));
            parts.merge(&rest);
            prop_assert_eq!(parts, whole);
            let wider = counted(&truth, &prediction, radius + 1);
            prop_assert!(wider.truth_near >= whole.truth_near && whole.truth >= whole.truth_near);
            prop_assert!(wider.predicted_near >= whole.predicted_near);
            let turned = counted(&prediction, &truth, radius);
            prop_assert_eq!((turned.precision(), turned.recall()), (whole.recall(), whole.precision()));
        }
    }
}
