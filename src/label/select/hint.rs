use crate::geom::{ImagePoint, PixelRect};

/// Whether a hint says that the object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The object is there.
    For,
    /// The object is not there.
    Against,
}

/// A place where a person says that the object is, or is not: a click or a stroke.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// What it says.
    pub side: Side,
    /// A click has one point, a stroke two or more; level-0 pixels.
    pub points: Vec<ImagePoint>,
    /// Half the width of the stroke, in level-0 pixels; the pixel that holds a point belongs to
    /// the hint even when this is 0.
    pub radius: f64,
}

impl Hint {
    /// A click on the pixel that holds `at` and no other.
    pub fn click(side: Side, at: ImagePoint) -> Self {
        Self {
            side,
            points: vec![at],
            radius: 0.0,
        }
    }

    /// Calls `visit` with the places, row by row in `window`, of the hint's pixels, some of them
    /// more than once; points that are not finite are left out.
    pub(super) fn visit_pixels(&self, window: PixelRect, mut visit: impl FnMut(usize)) {
        let is_finite = |point: &&ImagePoint| point.x.is_finite() && point.y.is_finite();
        let points: Vec<ImagePoint> = self.points.iter().filter(is_finite).copied().collect();
        for &point in &points {
            // Its own pixel belongs to it even when no pixel's center is near enough.
            let own = ImagePoint::new(point.x.floor() + 0.5, point.y.floor() + 0.5);
            visit_capsule(window, (own, own), 0.0, &mut visit);
        }
        let radius = if self.radius.is_finite() {
            self.radius.max(0.0)
        } else {
            0.0
        };
        if let [only] = points.as_slice() {
            visit_capsule(window, (*only, *only), radius, &mut visit);
        }
        for ends in points.windows(2) {
            // Half a pixel and a bit, so that a thin stroke has no gaps.
            visit_capsule(window, (ends[0], ends[1]), radius.max(0.75), &mut visit);
        }
    }
}

/// Visits pixels of `window` whose center is not farther than `radius` from the line.
fn visit_capsule(
    window: PixelRect,
    (from, to): (ImagePoint, ImagePoint),
    radius: f64,
    visit: &mut impl FnMut(usize),
) {
    let range = |a: f64, b: f64, first: u32, end: u32| {
        let low = (a.min(b) - radius - 0.5).clamp(f64::from(first), f64::from(end));
        let high = (a.max(b) + radius + 0.5).clamp(f64::from(first), f64::from(end));
        low.floor() as u32..high.ceil() as u32
    };
    let (along_x, along_y) = (to.x - from.x, to.y - from.y);
    let squared = along_x * along_x + along_y * along_y;
    let columns = range(from.x, to.x, window.x, window.right());
    for y in range(from.y, to.y, window.y, window.bottom()) {
        for x in columns.clone() {
            let (dx, dy) = (f64::from(x) + 0.5 - from.x, f64::from(y) + 0.5 - from.y);
            let share = if squared > 0.0 {
                ((dx * along_x + dy * along_y) / squared).clamp(0.0, 1.0)
            } else {
                0.0
            };
            if (dx - share * along_x).hypot(dy - share * along_y) <= radius {
                visit((y - window.y) as usize * window.width as usize + (x - window.x) as usize);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Points, radius and the places they cover.
    type Known = (&'static [(f64, f64)], f64, &'static [usize]);

    fn pixels(points: &[(f64, f64)], radius: f64) -> Vec<usize> {
        let hint = Hint {
            side: Side::For,
            points: points.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect(),
            radius,
        };
        let mut found = BTreeSet::new();
        hint.visit_pixels(PixelRect::new(10, 20, 5, 4), |index| {
            found.insert(index);
        });
        found.into_iter().collect()
    }

    #[test]
    fn clicks_and_strokes_cover_their_pixels() {
        let known: [Known; 8] = [
            (&[(12.9, 21.1)], 0.0, &[7]),
            (&[(12.5, 21.5)], 1.0, &[2, 6, 7, 8, 12]),
            (&[(10.1, 20.1)], f64::NAN, &[0]),
            (&[(10.5, 21.5), (13.5, 21.5)], 0.0, &[5, 6, 7, 8]),
            (&[(11.5, 18.0), (11.5, 99.0)], 0.5, &[1, 6, 11, 16]),
            (&[(9.9, 20.5)], 0.0, &[]),
            (&[(f64::NAN, 20.5)], 9.0, &[]),
            (&[], 9.0, &[]),
        ];
        for (points, radius, expected) in known {
            assert_eq!(pixels(points, radius), expected, "{points:?}");
        }
    }
}
