use super::crossing::{doubled_area, meet};
use super::overlap::intersection_over_union;
use super::shorten::shorten;
use crate::geom::ImagePoint;

/// Corners within this distance in pixels are noise of the pixel grid, whatever the tolerance.
const MIN_TOLERANCE: f64 = 1.5;

/// Wider or higher ground, in pixels, is no building.
const MAX_SIDE: f64 = 4096.0;

/// A squared ring has at most this many corners; more are no building.
const MAX_CORNERS: usize = 128;

/// How much a ring must have in common with its original: the intersection over the union.
const MIN_OVERLAP: f64 = 0.8;

/// A border of two directions at right angles; `None` when there is none that covers nearly the
/// same ground.
///
/// `chain` is a closed border of pixel corners, its first corner repeated at the end. The ring
/// runs the same way; its last corner is joined to the first.
pub(super) fn squared(chain: &[ImagePoint], tolerance: f64) -> Option<Vec<ImagePoint>> {
    let ring = &chain[..chain.len().checked_sub(1)?];
    let tolerance = tolerance.max(MIN_TOLERANCE);
    if !is_small(ring) {
        return None;
    }
    let kept = shorten(chain, tolerance);
    let simple = ring.iter().zip(kept).filter(|(_, is_kept)| *is_kept);
    let simple: Vec<ImagePoint> = simple.map(|(&at, _)| at).collect();
    let axis = Axis::of(&simple)?;
    let turned: Vec<ImagePoint> = simple.iter().map(|&at| axis.along(at)).collect();
    let walls = without_short(walls(&turned), 2.0 * tolerance);
    if walls.len() < 4 || walls.len() > MAX_CORNERS || !walls.len().is_multiple_of(2) {
        return None;
    }
    let corners: Vec<ImagePoint> = (0..walls.len())
        .map(|index| {
            let (wall, next) = (&walls[index], &walls[(index + 1) % walls.len()]);
            axis.back(if wall.is_level {
                ImagePoint::new(next.place(), wall.place())
            } else {
                ImagePoint::new(wall.place(), next.place())
            })
        })
        .collect();
    let is_same_way = doubled_area(&corners) * doubled_area(ring) > 0.0;
    let is_good = is_same_way && is_simple(&corners);
    (is_good && intersection_over_union(ring, &corners) >= MIN_OVERLAP).then_some(corners)
}

fn is_small(ring: &[ImagePoint]) -> bool {
    ring.first().is_some_and(|first| {
        let is_near = |at: &ImagePoint| (at.x - first.x).abs().max((at.y - first.y).abs());
        ring.iter().all(|at| is_near(at) <= MAX_SIDE)
    })
}

fn is_simple(ring: &[ImagePoint]) -> bool {
    let edge = |index: usize| [ring[index], ring[(index + 1) % ring.len()]];
    (0..ring.len()).all(|a| (a + 1..ring.len()).all(|b| !meet(edge(a), edge(b))))
}

/// A direction on the plane: cosine and sine of its angle.
struct Axis {
    cosine: f64,
    sine: f64,
}

impl Axis {
    /// The direction that the edges of a ring have most of their length along or across.
    fn of(ring: &[ImagePoint]) -> Option<Self> {
        let edges = (0..ring.len()).map(|index| {
            let (a, b) = (ring[index], ring[(index + 1) % ring.len()]);
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            (dy.atan2(dx).to_degrees().rem_euclid(90.0), dx.hypot(dy))
        });
        let edges: Vec<(f64, f64)> = edges.collect();
        let mut lengths = [0.0; 90];
        for (angle, length) in &edges {
            lengths[*angle as usize % 90] += length;
        }
        let around = |bin: usize| -> f64 { (88..93).map(|by| lengths[(bin + by) % 90]).sum() };
        let peak = (0..90).max_by(|&a, &b| around(a).total_cmp(&around(b)))?;
        let peak = peak as f64 + 0.5;
        let offset = |angle: f64| (angle - peak + 45.0).rem_euclid(90.0) - 45.0;
        let near = edges
            .iter()
            .filter(|(angle, _)| offset(*angle).abs() <= 5.0);
        let (sum, weight) = near.fold((0.0, 0.0), |(sum, weight), (angle, length)| {
            (sum + offset(*angle) * length, weight + length)
        });
        if weight <= 0.0 {
            return None;
        }
        let (sine, cosine) = (peak + sum / weight).to_radians().sin_cos();
        Some(Self { cosine, sine })
    }

    /// A point in coordinates along and across this direction.
    fn along(&self, at: ImagePoint) -> ImagePoint {
        let Self { cosine, sine } = self;
        ImagePoint::new(at.x * cosine + at.y * sine, at.y * cosine - at.x * sine)
    }

    /// The point that has these coordinates along and across.
    fn back(&self, at: ImagePoint) -> ImagePoint {
        let Self { cosine, sine } = self;
        ImagePoint::new(at.x * cosine - at.y * sine, at.x * sine + at.y * cosine)
    }
}

/// Neighboring edges that go more along one axis than along the other.
#[derive(Clone, Copy, Debug)]
struct Wall {
    /// Whether it goes along the first axis.
    is_level: bool,
    /// How far it goes along its axis, with a sign.
    advance: f64,
    /// Length of its edges.
    length: f64,
    /// The place of its edges across its axis, each by its length.
    weighted_place: f64,
}

impl Wall {
    fn of(from: ImagePoint, to: ImagePoint) -> Self {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let is_level = dx.abs() >= dy.abs();
        let length = dx.hypot(dy);
        let middle = ImagePoint::new(from.x.midpoint(to.x), from.y.midpoint(to.y));
        Self {
            is_level,
            advance: if is_level { dx } else { dy },
            length,
            weighted_place: length * if is_level { middle.y } else { middle.x },
        }
    }

    fn place(&self) -> f64 {
        self.weighted_place / self.length
    }

    fn add(&mut self, other: &Self) {
        self.advance += other.advance;
        self.length += other.length;
        self.weighted_place += other.weighted_place;
    }
}

/// Walls in turn along and across.
fn walls(ring: &[ImagePoint]) -> Vec<Wall> {
    let mut walls: Vec<Wall> = Vec::new();
    for (index, &from) in ring.iter().enumerate() {
        let wall = Wall::of(from, ring[(index + 1) % ring.len()]);
        match walls.last_mut() {
            Some(last) if last.is_level == wall.is_level => last.add(&wall),
            _ => walls.push(wall),
        }
    }
    if walls.len() > 1 && walls[0].is_level == walls[walls.len() - 1].is_level {
        let last = walls.remove(walls.len() - 1);
        walls[0].add(&last);
    }
    walls
}

/// Joins the neighbors of walls that are shorter than `least` pixels, the shortest first.
fn without_short(mut walls: Vec<Wall>, least: f64) -> Vec<Wall> {
    while walls.len() > 4 {
        let size = |index: &usize| walls[*index].advance.abs();
        let shortest = (0..walls.len()).min_by(|a, b| size(a).total_cmp(&size(b)));
        let Some(shortest) = shortest.filter(|index| size(index) < least) else {
            break;
        };
        walls.rotate_left(shortest);
        let last = walls.remove(walls.len() - 1);
        walls[1].add(&last);
        walls.remove(0);
    }
    walls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(points: &[(i32, i32)]) -> Vec<ImagePoint> {
        let point = |&(x, y): &(i32, i32)| ImagePoint::new(x.into(), y.into());
        points.iter().chain(points.first()).map(point).collect()
    }

    #[test]
    fn a_chamfer_and_a_notch_go() {
        let ring = [
            (0, 0),
            (0, 20),
            (9, 20),
            (9, 18),
            (11, 18),
            (11, 20),
            (30, 20),
            (30, 2),
        ];
        let ring = chain(&[&ring[..], &[(29, 2), (29, 1), (28, 1), (28, 0)]].concat());
        let squared = squared(&ring, 1.0).expect("nearly a rectangle");
        assert_eq!(squared.len(), 4);
        let bounds = |at: &ImagePoint| (at.x - 15.0).abs() > 14.0 && (at.y - 10.0).abs() > 9.0;
        assert!(squared.iter().all(bounds), "{squared:?}");
    }

    #[test]
    fn what_is_not_right_angled_is_left() {
        // Two blades of a fan: no right angles cover them.
        let fan = chain(&[(0, 0), (0, 60), (20, 60), (2, 30), (60, 40), (60, 20)]);
        assert_eq!(squared(&fan, 1.0), None);
        assert_eq!(squared(&chain(&[(0, 0), (0, 40), (40, 40)]), 1.0), None);
        assert_eq!(squared(&[], 1.0), None);
        assert_eq!(
            squared(&chain(&[(0, 0), (0, 9000), (9000, 9000), (9000, 0)]), 1.0),
            None
        );
    }

    #[test]
    fn the_axis_is_that_of_the_longest_edges() {
        let ring = chain(&[(0, 0), (-10, 20), (30, 40), (40, 20)]);
        let axis = Axis::of(&ring[..4]).expect("there are edges");
        assert!((axis.sine / axis.cosine - 0.5).abs() < 1e-9);
        let at = ImagePoint::new(3.0, 4.0);
        assert!(axis.back(axis.along(at)).distance(at) < 1e-12);
    }
}
