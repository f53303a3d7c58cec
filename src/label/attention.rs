use rayon::prelude::*;

use super::{Mask, UNLABELED};
use crate::geom::PixelRect;

/// A square of ground that somebody should look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubtful {
    /// The ground in level-0 pixels.
    pub rect: PixelRect,
    /// How much it is worth a look, 0 to 1: the mean doubt of its pixels.
    pub doubt: f64,
}

/// How sure a pixel of a certainty layer can be, 0 to 254.
const SURE: f64 = 254.0;
/// Weight of doubt on ground where label and prediction agree, beside 1 where they differ.
const AGREED_SHARE: f64 = 0.25;
/// A square this many sides away or more from all chosen ones counts in full, a neighbor half.
const FAR: f64 = 4.0;

/// The squares of `side` pixels that are most worth a look, the most doubtful first, at most
/// `count`. A pixel's doubt is 1 less its certainty (`certainty` as predictions make it, 255 where
/// nothing is predicted); it counts less where `label` says what `prediction` says. Squares near
/// one that was chosen before count less, so that they spread over the image. `is_open` says which
/// squares may be chosen.
pub fn doubtful_places(
    certainty: &Mask,
    [label, prediction]: [&Mask; 2],
    (side, count): (u32, usize),
    is_open: impl Fn(PixelRect) -> bool + Sync,
) -> Vec<Doubtful> {
    let bounds = certainty.size().bounds();
    let (cols, rows) = (bounds.width.div_ceil(side), bounds.height.div_ceil(side));
    let places: Vec<(u32, u32)> = (0..rows)
        .flat_map(|row| (0..cols).map(move |col| (col, row)))
        .collect();
    let doubt_at = |&(col, row): &(u32, u32)| {
        let rect = PixelRect::new(col * side, row * side, side, side).intersect(bounds);
        if !is_open(rect) {
            return None;
        }
        let doubt = mean_doubt(
            &certainty.read_rect(rect),
            &label.read_rect(rect),
            &prediction.read_rect(rect),
        )?;
        Some(((col, row), Doubtful { rect, doubt }))
    };
    let mut open: Vec<_> = places.par_iter().filter_map(doubt_at).collect();
    let mut nearest = vec![FAR; open.len()];
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let worth = |at: usize| open[at].1.doubt * (0.5 + 0.5 * (nearest[at] - 1.0) / (FAR - 1.0));
        let best = (0..open.len()).max_by(|&a, &b| worth(a).total_cmp(&worth(b)).then(b.cmp(&a)));
        let Some(best) = best else { break };
        let (place, found) = open.swap_remove(best);
        nearest.swap_remove(best);
        for (distance, ((col, row), _)) in nearest.iter_mut().zip(&open) {
            let apart = f64::from(place.0.abs_diff(*col)).hypot(f64::from(place.1.abs_diff(*row)));
            *distance = distance.min(apart.min(FAR));
        }
        chosen.push(found);
    }
    chosen
}

/// The mean doubt over what is predicted; `None` where nothing is.
fn mean_doubt(certainty: &[u8], label: &[u8], prediction: &[u8]) -> Option<f64> {
    let (mut sum, mut pixels) = (0.0, 0_u64);
    for ((&sure, &label), &prediction) in certainty.iter().zip(label).zip(prediction) {
        if sure == UNLABELED || prediction == UNLABELED {
            continue;
        }
        let weight = if label == prediction {
            AGREED_SHARE
        } else {
            1.0
        };
        sum += weight * (1.0 - f64::from(sure) / SURE);
        pixels += 1;
    }
    (pixels > 0).then(|| sum / pixels as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(640, 64);

    /// Ten squares of 64 pixels with these certainties.
    fn certainty(of: [u8; 10]) -> Mask {
        let mut mask = Mask::new(SIZE);
        for (col, sure) in (0..).zip(of) {
            mask.set_rect(PixelRect::new(col * 64, 0, 64, 64), &[sure; 4096]);
        }
        mask
    }

    fn columns(found: &[Doubtful]) -> Vec<u32> {
        found.iter().map(|place| place.rect.x / 64).collect()
    }

    #[test]
    fn doubt_comes_first_and_neighbors_of_what_was_chosen_later() {
        let certainty = certainty([254, 10, 0, 30, 254, 254, 255, 254, 120, 254]);
        let (label, prediction) = (Mask::new(SIZE), Mask::filled(SIZE, 1));
        let found = doubtful_places(&certainty, [&label, &prediction], (64, 4), |_| true);
        assert_eq!(columns(&found), [2, 8, 1, 3]);
        assert!((found[0].doubt - 1.0).abs() < 1e-9);
        let open = |rect: PixelRect| rect.x != 128;
        let found = doubtful_places(&certainty, [&label, &prediction], (64, 1), open);
        assert_eq!(columns(&found), [1]);
        let all = doubtful_places(&certainty, [&label, &prediction], (64, 99), |_| true);
        assert_eq!(
            all.len(),
            9,
            "where nothing is predicted nothing is doubtful"
        );
    }

    #[test]
    fn ground_where_label_and_prediction_differ_counts_more() {
        let certainty = certainty([100, 60, 254, 254, 254, 254, 254, 254, 254, 254]);
        let prediction = Mask::filled(SIZE, 1);
        let mut label = Mask::filled(SIZE, 1);
        label.set_rect(PixelRect::new(0, 0, 64, 64), &[0; 4096]);
        let found = doubtful_places(&certainty, [&label, &prediction], (64, 2), |_| true);
        assert_eq!(columns(&found), [0, 1]);
    }
}
