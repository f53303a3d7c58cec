use super::blur::{Grey, REACH, blurred};
use crate::geom::PixelRect;

/// Distance of the second differences, in pixels.
const STEP: usize = 3;
/// The least curvature of a landmark: a spot of about three steps of brightness.
const LEAST_CURVATURE: f32 = 960_000.0;
/// The least ratio of the curvatures' product to the square of their sum; edges have less.
const LEAST_ROUNDNESS: f32 = 0.1;

/// Pixels about a part of an image that must be known to find its spots.
pub(super) const fn halo(radius: usize) -> usize {
    radius + STEP + REACH
}

/// A part of an image, smoothed, and how much each of its pixels is the middle of a spot.
pub(super) struct Relief {
    /// The smoothed brightness, as [`blurred`] gives it.
    pub(super) smooth: Vec<f32>,
    curvature: Vec<f32>,
    width: usize,
    height: usize,
}

impl Relief {
    pub(super) fn of(grey: &Grey) -> Self {
        let smooth = blurred(grey);
        Self {
            curvature: curvatures(&smooth, grey),
            smooth,
            width: grey.width(),
            height: grey.height(),
        }
    }

    /// Spots that have no stronger one within `radius` pixels in x and y; those within `wanted`,
    /// which is counted from the part's upper left corner, as they are.
    pub(super) fn spots(&self, radius: usize, wanted: PixelRect) -> Vec<(usize, usize)> {
        let (left, top) = (wanted.x as usize, wanted.y as usize);
        let (right, bottom) = (wanted.right() as usize, wanted.bottom() as usize);
        let block = radius + 1;
        let mut spots = Vec::new();
        for y0 in (top..bottom).step_by(block) {
            for x0 in (left..right).step_by(block) {
                let (x1, y1) = ((x0 + block).min(right), (y0 + block).min(bottom));
                let (best, x, y) = strongest(&self.curvature, self.width, (x0, y0, x1, y1));
                if best >= LEAST_CURVATURE && self.is_alone(best, (x, y), radius) {
                    spots.push((x, y));
                }
            }
        }
        spots
    }

    /// Whether nothing within `radius` is as strong as the spot `best` at (x, y).
    fn is_alone(&self, best: f32, (x, y): (usize, usize), radius: usize) -> bool {
        let low = |at: usize| at.saturating_sub(radius);
        let (right, bottom) = (
            (x + radius + 1).min(self.width),
            (y + radius + 1).min(self.height),
        );
        let rivals = (low(y)..bottom)
            .flat_map(|row| &self.curvature[row * self.width + low(x)..row * self.width + right])
            .filter(|&&other| other >= best);
        rivals.take(2).count() == 1
    }
}

/// The greatest value in columns x0..x1 and rows y0..y1, and where it is.
fn strongest(
    values: &[f32],
    width: usize,
    (x0, y0, x1, y1): (usize, usize, usize, usize),
) -> (f32, usize, usize) {
    let mut best = (0.0, x0, y0);
    for y in y0..y1 {
        for (x, &value) in (x0..x1).zip(&values[y * width + x0..y * width + x1]) {
            if value > best.0 {
                best = (value, x, y);
            }
        }
    }
    best
}

/// The determinant of the second differences, where the ground is a spot rather than an edge; 0
/// elsewhere (Bay et al. 2006 use the same measure with other filters).
fn curvatures(smooth: &[f32], grey: &Grey) -> Vec<f32> {
    let (width, height) = (grey.width(), grey.height());
    let edge = REACH + STEP;
    let mut curvature = vec![0.0; width * height];
    if width <= 2 * edge || height <= 2 * edge {
        return curvature;
    }
    for y in edge..height - edge {
        let row = |y: usize| &smooth[y * width..][..width];
        let (above, here, below) = (row(y - STEP), row(y), row(y + STEP));
        let out = &mut curvature[y * width..][..width];
        let columns = above.windows(2 * STEP + 1).zip(here.windows(2 * STEP + 1));
        let columns = columns.zip(below.windows(2 * STEP + 1));
        let out = &mut out[edge..width - edge];
        for (out, ((above, here), below)) in out.iter_mut().zip(columns.skip(REACH)) {
            let twice = 2.0 * here[STEP];
            let xx = here[0] + here[2 * STEP] - twice;
            let yy = above[STEP] + below[STEP] - twice;
            let xy = (above[0] + below[2 * STEP] - (above[2 * STEP] + below[0])) / 4.0;
            let product = xx * yy - xy * xy;
            let sum = xx + yy;
            let is_spot = product > LEAST_ROUNDNESS * sum * sum;
            *out = if is_spot { product } else { 0.0 };
        }
    }
    curvature
}
