use super::blur::{Grey, REACH};
use super::spots::{Relief, halo};
use super::turn::Turn;
use crate::dataset::Rng;
use crate::geom::{ImageSize, PixelRect};

/// Sample positions about a landmark, in pixels; symmetric, so that turns map them onto themselves.
const OFFSETS: [i64; 8] = [-18, -13, -8, -3, 3, 8, 13, 18];
/// Pixels that a landmark keeps from the edge of its image.
pub(super) const MARGIN: u32 = 18 + REACH as u32;

/// A place that the content of an image chooses, wherever the image's edges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landmark {
    /// What the ground about it looks like, in the orientation in which it gets brighter to the
    /// right and, less so, downward: comparisons of smoothed pixels.
    pub(super) look: u64,
    /// Column and row in the image.
    pub(super) at: (u32, u32),
    /// The turn from the image to that orientation.
    pub(super) turn: Turn,
}

/// Finds landmarks; one for each run, since all images must be looked at alike.
pub(super) struct Finder {
    /// No landmark has a stronger one within this many pixels in x and y.
    radius: usize,
    pairs: Vec<(usize, usize)>,
}

impl Finder {
    pub(super) fn new(radius: u32) -> Self {
        let mut rng = Rng::of(&[0x6C61_6E64]);
        let mut pairs = Vec::with_capacity(64);
        while pairs.len() < 64 {
            let (a, b) = (rng.below(64) as usize, rng.below(64) as usize);
            let apart = (a % 8).abs_diff(b % 8) + (a / 8).abs_diff(b / 8);
            if apart >= 3 {
                pairs.push((a, b));
            }
        }
        Self {
            radius: radius as usize,
            pairs,
        }
    }

    /// Pixels about a part of an image that must be known to find its landmarks.
    pub(super) fn halo(&self) -> u32 {
        halo(self.radius).max(MARGIN as usize) as u32
    }

    /// The landmarks in `core` of an image of `size`; `grey`, with its `relief`, is `core` with its
    /// halo, as far as the image reaches.
    pub(super) fn landmarks(
        &self,
        (grey, relief): (&Grey, &Relief),
        core: PixelRect,
        size: ImageSize,
    ) -> Vec<Landmark> {
        let (right, bottom) = (
            size.width.saturating_sub(MARGIN),
            size.height.saturating_sub(MARGIN),
        );
        if right <= MARGIN || bottom <= MARGIN {
            return Vec::new();
        }
        let inner = PixelRect::new(MARGIN, MARGIN, right - MARGIN, bottom - MARGIN);
        let wanted = core.intersect(inner);
        let wanted = PixelRect {
            x: wanted.x.saturating_sub(grey.rect.x),
            y: wanted.y.saturating_sub(grey.rect.y),
            ..wanted
        };
        let spots = relief.spots(self.radius, wanted);
        let landmark = |(x, y)| self.described(&relief.smooth, grey, (x, y));
        spots.into_iter().filter_map(landmark).collect()
    }

    /// The landmark at (x, y) of `grey`; `None` on transparent ground.
    fn described(&self, smooth: &[f32], grey: &Grey, (x, y): (usize, usize)) -> Option<Landmark> {
        let width = grey.width();
        let index = |dx: i64, dy: i64| (y as i64 + dy) as usize * width + (x as i64 + dx) as usize;
        let grid = |cell: usize| (OFFSETS[cell % 8], OFFSETS[cell / 8]);
        let on_void = |void: &Vec<bool>| {
            (0..64).any(|cell| {
                let (dx, dy) = grid(cell);
                void[index(dx, dy)]
            })
        };
        if grey.void.as_ref().is_some_and(on_void) {
            return None;
        }
        let sample = |turn: Turn, cell: usize| {
            let (dx, dy) = grid(cell);
            let (dx, dy) = turn.apply(dx, dy);
            smooth[index(dx, dy)]
        };
        let straight: [f32; 64] = std::array::from_fn(|cell| sample(Turn::NONE, cell));
        let (slope_x, slope_y) = slopes(&straight);
        let turn = Turn::new(
            (slope_x < 0.0, slope_y < 0.0),
            slope_y.abs() > slope_x.abs(),
        );
        let back = turn.inverse();
        let mut values: [f32; 64] = std::array::from_fn(|cell| sample(back, cell));
        let (slope_x, slope_y) = slopes(&values);
        for (cell, value) in values.iter_mut().enumerate() {
            let (dx, dy) = grid(cell);
            *value -= slope_x * dx as f32 + slope_y * dy as f32;
        }
        let bits = self.pairs.iter().enumerate();
        let look = bits.fold(0, |look, (bit, &(a, b))| {
            look | u64::from(values[a] > values[b]) << bit
        });
        Some(Landmark {
            look,
            at: (grey.rect.x + x as u32, grey.rect.y + y as u32),
            turn,
        })
    }
}

/// How fast the 64 values about a landmark rise to the right and downward, for each pixel.
fn slopes(values: &[f32; 64]) -> (f32, f32) {
    let square: i64 = OFFSETS.iter().map(|offset| offset * offset).sum();
    let scale = 1.0 / (8 * square) as f32;
    let (mut x, mut y) = (0.0, 0.0);
    for (cell, value) in values.iter().enumerate() {
        x += OFFSETS[cell % 8] as f32 * value;
        y += OFFSETS[cell / 8] as f32 * value;
    }
    (x * scale, y * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::hash;

    /// Random ground, smooth enough to have spots; `turn` is applied about the middle of 200 pixels.
    fn ground(x0: u32, y0: u32, width: u32, height: u32, turn: Turn) -> Grey {
        let value = |x: u32, y: u32| {
            let (x, y) = turn.apply(2 * i64::from(x) - 199, 2 * i64::from(y) - 199);
            let cell = |at: i64| (i64::midpoint(at, 199) / 7) as u64;
            (hash(&[cell(x), cell(y)]) >> 56) as u8
        };
        let rect = PixelRect::new(0, 0, width, height);
        let luma = (0..height).flat_map(|y| (0..width).map(move |x| (x0 + x, y0 + y)));
        Grey {
            rect,
            luma: luma.map(|(x, y)| value(x, y)).collect(),
            void: None,
        }
    }

    fn landmarks(grey: &Grey) -> Vec<Landmark> {
        let size = ImageSize::new(grey.rect.width, grey.rect.height);
        Finder::new(10).landmarks((grey, &Relief::of(grey)), grey.rect, size)
    }

    #[test]
    fn a_crop_has_the_landmarks_of_its_ground() {
        let whole = landmarks(&ground(0, 0, 200, 200, Turn::NONE));
        let crop = landmarks(&ground(31, 17, 150, 160, Turn::NONE));
        assert!(
            whole.len() > 40 && crop.len() > 20,
            "{} {}",
            whole.len(),
            crop.len()
        );
        let again = crop.iter().filter(|landmark| {
            let at = (landmark.at.0 + 31, landmark.at.1 + 17);
            whole.contains(&Landmark { at, ..**landmark })
        });
        // Near the crop's edges others are the strongest.
        assert!(again.count() * 10 >= crop.len() * 8);
    }

    #[test]
    fn turned_ground_looks_the_same() {
        let looks = |turn| {
            let found = landmarks(&ground(0, 0, 200, 200, turn));
            let mut looks: Vec<u64> = found.iter().map(|landmark| landmark.look).collect();
            looks.sort_unstable();
            looks
        };
        let straight = looks(Turn::NONE);
        for turn in Turn::all() {
            let turned = looks(turn);
            let kept = turned
                .iter()
                .filter(|look| straight.binary_search(look).is_ok());
            assert!(kept.count() * 10 >= straight.len() * 9, "{turn:?}");
        }
    }

    #[test]
    fn transparent_and_tiny_pictures_have_no_landmarks() {
        let mut grey = ground(0, 0, 200, 200, Turn::NONE);
        grey.void = Some(vec![true; 200 * 200]);
        assert_eq!(landmarks(&grey), []);
        for side in [1, 5, 44] {
            assert_eq!(landmarks(&ground(0, 0, side, side, Turn::NONE)), []);
        }
    }
}
