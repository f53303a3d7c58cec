use super::{Cutout, CutoutLabels, Vary};
use crate::dataset::Rng;
use crate::geom::PixelRect;
use crate::label::UNLABELED;

/// One blanked rectangle of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole(PixelRect);

impl Hole {
    /// The rectangles of one patch of `side`, each within it.
    pub(super) fn drawn(cutout: Cutout, side: usize, rng: &mut Rng) -> Vec<Self> {
        let share = Vary::new(cutout.probability, cutout.range);
        if share.drawn(rng).is_none() {
            return Vec::new();
        }
        let count = 1 + rng.below(u64::from(cutout.most));
        let hole = |_| {
            let [width, height] =
                [(); 2].map(|()| (share.number(rng) * side as f64).round() as u32);
            let mut start = |length: u32| rng.below(side as u64 + 1 - u64::from(length)) as u32;
            let (x, y) = (start(width), start(height));
            Self(PixelRect::new(x, y, width, height))
        };
        (0..count).map(hole).collect()
    }

    /// Blanks RGBA8 of a square of `side`: alpha 0 stands for the mean.
    pub(super) fn apply(
        self,
        rgba: &mut [u8],
        labels: &mut [u8],
        side: usize,
        under: CutoutLabels,
    ) {
        let Self(hole) = self;
        let width = hole.width as usize;
        for y in hole.y..hole.bottom() {
            let start = y as usize * side + hole.x as usize;
            for pixel in rgba[start * 4..][..width * 4].as_chunks_mut::<4>().0 {
                pixel[3] = 0;
            }
            if under == CutoutLabels::Ignore {
                labels[start..][..width].fill(UNLABELED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_lie_within_the_patch() {
        for n in 0..300 {
            let cutout = Cutout {
                probability: 1.0,
                range: [0.0, 1.0],
                most: 3,
                labels: CutoutLabels::Keep,
            };
            let holes = Hole::drawn(cutout, 16, &mut Rng::of(&[n]));
            assert!((1..=3).contains(&holes.len()));
            let fits = |hole: &Hole| hole.0.right() <= 16 && hole.0.bottom() <= 16;
            assert!(holes.iter().all(fits), "{holes:?}");
        }
    }

    #[test]
    fn labels_under_a_hole_stay_or_are_ignored() {
        let hole = Hole(PixelRect::new(1, 0, 1, 2));
        for (under, expected) in [(CutoutLabels::Keep, 4), (CutoutLabels::Ignore, UNLABELED)] {
            let (mut rgba, mut labels) = ([9; 16], [4; 4]);
            hole.apply(&mut rgba, &mut labels, 2, under);
            assert_eq!(labels, [4, expected, 4, expected]);
            let alphas: Vec<u8> = rgba.chunks(4).map(|pixel| pixel[3]).collect();
            assert_eq!(alphas, [9, 0, 9, 0]);
        }
    }
}
