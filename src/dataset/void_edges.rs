use super::discover::spread;
use super::voids::{NEAR, apart, bands};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::ReadError;

/// At most about so many pixels of an image are held.
const MOST_PIXELS: u64 = 4 << 20;
/// What lies beyond the edge of a void is so far from white, or from black, at least in the median.
/// Ground in the shade is nearer to black than any is to white.
const LEAST_FAR: [u8; 2] = [100, 40];
/// How many pixels beyond the edge that is.
const BEYOND: std::ops::RangeInclusive<i64> = 2..=4;
/// So many of an edge's pixels are looked at, and so many of them are tried as ends of a line.
const MOST_POINTS: (usize, usize) = (2_048, 48);
/// So many lines are looked for.
const MOST_LINES: usize = 16;
/// Pixels up to this far from a line are on it.
const TOLERANCE: f64 = 2.0;

/// How far the pixels of an image are from white or from black, to tell voids from ground that is
/// too bright or too dark: those end in straight lines, at ground of any other color. Of large
/// images only every second, third or later pixel of every such row is held.
pub(super) struct Distances {
    step: u32,
    width: i64,
    height: i64,
    values: Vec<u8>,
    /// Whether the region of nearly one color that a pixel is in is a void, once it was judged.
    verdicts: Vec<Option<bool>>,
    least_far: u8,
}

/// Row and column.
type Point = [i32; 2];
/// A point on it, and its direction, one pixel long.
type Line = (Point, [f64; 2]);

/// Where a region ends.
struct Edge {
    /// The first pixels beyond.
    points: Vec<Point>,
    /// How often which distance occurs a little farther out.
    beyond: [u64; 256],
}

impl Distances {
    /// Reads all of an image; `color` is the place of white or black among the two.
    ///
    /// # Errors
    /// [`ReadError`] when a part does not decode.
    pub(super) fn read(
        size: ImageSize,
        (color, grey): (usize, u8),
        read: impl Fn(PixelRect) -> Result<Vec<u8>, ReadError>,
    ) -> Result<Self, ReadError> {
        let kept = |step: u32| (size.width.div_ceil(step), size.height.div_ceil(step));
        let is_small = |&step: &u32| {
            let (width, height) = kept(step);
            u64::from(width) * u64::from(height) <= MOST_PIXELS
        };
        let longest = size.width.max(size.height).max(1);
        let step = (1..=longest).find(is_small).unwrap_or(longest);
        let (width, height) = kept(step);
        let mut values = Vec::new();
        for band in bands(size) {
            let pixels = read(band)?;
            let (pixels, _) = pixels.as_chunks::<4>();
            let rows = (band.y..).zip(pixels.chunks_exact(band.width.max(1) as usize));
            for (_, row) in rows.filter(|(y, _)| y % step == 0) {
                let row = row.iter().step_by(step as usize);
                values.extend(row.map(|pixel| apart(*pixel, grey)));
            }
        }
        Ok(Self {
            step,
            width: i64::from(width),
            height: i64::from(height),
            verdicts: vec![None; values.len()],
            values,
            least_far: LEAST_FAR[color],
        })
    }

    /// Whether an area of pure color is part of a region that ends as voids do. What is too small
    /// to be seen, and what has no end, is.
    pub(super) fn are_of_void(&mut self, area: &[PixelRect]) -> bool {
        let Some(at) = area.iter().find_map(|block| self.place_in(*block)) else {
            return true;
        };
        self.verdicts[at].unwrap_or_else(|| self.judge(at))
    }

    /// A pixel that is held and in a block.
    fn place_in(&self, block: PixelRect) -> Option<usize> {
        let (x, y) = (block.x.div_ceil(self.step), block.y.div_ceil(self.step));
        let is_inside = x * self.step < block.right() && y * self.step < block.bottom();
        let at = is_inside.then(|| self.place(i64::from(x), i64::from(y)))??;
        (self.values[at] <= NEAR).then_some(at)
    }

    fn place(&self, x: i64, y: i64) -> Option<usize> {
        let is_inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        is_inside.then(|| (y * self.width + x) as usize)
    }

    /// Judges the region that a pixel is in.
    fn judge(&mut self, first: usize) -> bool {
        let (region, edge) = self.region(first);
        let long = self.width.max(self.height) / 4;
        let is_void = edge.points.is_empty()
            || (edge.median() >= self.least_far && are_on_lines(edge.points, long as usize));
        for at in region {
            self.verdicts[at as usize] = Some(is_void);
        }
        is_void
    }

    /// The region that a pixel is in, and where it ends inside the image.
    fn region(&mut self, first: usize) -> (Vec<u32>, Edge) {
        let mut edge = Edge {
            points: Vec::new(),
            beyond: [0; 256],
        };
        let (mut region, mut next) = (vec![first as u32], 0);
        self.verdicts[first] = Some(false);
        while let Some(&at) = region.get(next) {
            next += 1;
            let (x, y) = (i64::from(at) % self.width, i64::from(at) / self.width);
            for (right, down) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
                let along = |by: i64| self.place(x + by * right, y + by * down);
                let Some(beside) = along(1) else { continue };
                if self.values[beside] > NEAR {
                    edge.points.push([(y + down) as i32, (x + right) as i32]);
                    for far in BEYOND.filter_map(along) {
                        edge.beyond[usize::from(self.values[far])] += 1;
                    }
                } else if self.verdicts[beside].is_none() {
                    self.verdicts[beside] = Some(false);
                    region.push(beside as u32);
                }
            }
        }
        (region, edge)
    }
}

impl Edge {
    /// The median distance a little farther out.
    fn median(&self) -> u8 {
        let all: u64 = self.beyond.iter().sum();
        let mut up_to = 0;
        let is_half = |distance: &u8| {
            up_to += self.beyond[usize::from(*distance)];
            2 * up_to >= all
        };
        (0..=u8::MAX).find(is_half).unwrap_or(u8::MAX)
    }
}

/// Whether nine of ten points are on two lines, or on more of which each has at least `long` of
/// them: an image that lies slanted on white has four.
fn are_on_lines(mut points: Vec<Point>, long: usize) -> bool {
    points.sort_unstable();
    points.dedup();
    let all = points.len();
    let mut points: Vec<Point> = spread(all, MOST_POINTS.0).map(|at| points[at]).collect();
    let (long, most_left) = (long * points.len() / all.max(1), points.len() / 10);
    for line in 0..MOST_LINES {
        let rest = off_best_line(&points);
        if line >= 2 && points.len() - rest.len() < long {
            break;
        }
        points = rest;
        if points.len() <= most_left {
            return true;
        }
    }
    false
}

/// The points that are not on the line through two of them that has the most.
fn off_best_line(points: &[Point]) -> Vec<Point> {
    let ends: Vec<Point> = spread(points.len(), MOST_POINTS.1)
        .map(|at| points[at])
        .collect();
    let toward = |from: Point, to: Point| [0, 1].map(|axis| f64::from(to[axis] - from[axis]));
    let lines = (0..ends.len()).flat_map(|n| {
        let first = ends[n];
        let seconds = ends[n + 1..].iter();
        seconds.map(move |second| {
            let [down, right] = toward(first, *second);
            let length = right.hypot(down);
            (first, [down / length, right / length])
        })
    });
    let is_on = |(first, [down, right]): Line, point: Point| {
        let [y, x] = toward(first, point);
        (x * down - y * right).abs() <= TOLERANCE
    };
    let count = |line: &Line| points.iter().filter(|point| is_on(*line, **point)).count();
    let best = lines.max_by_key(count);
    let is_off = |point: &Point| best.is_some_and(|line| !is_on(line, *point));
    points.iter().copied().filter(is_off).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether what is white around the middle of an image of 300 × 300 pixels is a void.
    fn is_void(color: (usize, u8), paint: impl Fn(u32, u32) -> u8) -> bool {
        let size = ImageSize::new(300, 300);
        let read = |band: PixelRect| {
            let rows = (band.y..band.bottom()).flat_map(|y| (0..300).map(move |x| (x, y)));
            Ok(rows.flat_map(|(x, y)| [paint(x, y); 4]).collect())
        };
        let distances = Distances::read(size, color, read);
        let corner = [PixelRect::new(0, 0, 16, 16)];
        distances.expect("pixels").are_of_void(&corner)
    }

    /// A white image but for what is inside.
    fn around(inside: impl Fn(i32, i32) -> bool, grey: u8) -> bool {
        is_void((0, 255), |x, y| {
            let is_inside = inside(x as i32 - 150, y as i32 - 150);
            if is_inside { grey } else { 255 }
        })
    }

    #[test]
    fn voids_end_in_lines() {
        // An image that was turned, a wedge, and one with everything white.
        let turned = |x: i32, y: i32| (4 * x + y).abs() < 480 && (x - 4 * y).abs() < 480;
        assert!(around(turned, 90));
        assert!(around(|x, y| x + 3 * y > 0, 90));
        assert!(around(|_, _| false, 90));
        // Round, or ragged as trees before a sky.
        assert!(!around(|x, y| x * x + y * y < 120 * 120, 90));
        let ragged = |x: i32, y: i32| y > ((x + 150) / 10).pow(2) % 67;
        assert!(!around(ragged, 90));
    }

    #[test]
    fn voids_end_at_ground_of_another_color() {
        let wedge = |x: i32, y: i32| x + 3 * y > 0;
        assert!(around(wedge, 140) && !around(wedge, 180));
        let dark = |grey: u8| is_void((1, 0), |x, y| if x + 3 * y > 600 { grey } else { 0 });
        assert!(dark(50) && !dark(30));
    }
}
