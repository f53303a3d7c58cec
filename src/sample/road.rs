use super::noise::{Draw, hash_at, lerp, mix, noise_1d};
use super::plane::{Bounds, Vec2};

/// Side of the squares that own features, in pixels. Every square has a crossing, a wood, a pond and
/// some houses, so that a world of this size holds all classes.
pub(super) const CELL: f32 = 1024.0;
/// Length of the straight pieces that a road is made of, in pixels.
const PIECE: f32 = 26.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoadKind {
    /// Two lanes with a dashed line between them.
    Main,
    /// A narrow road between villages.
    Local,
    /// A dead end among houses.
    Lane,
}

/// A road of one owner cell as a chain of points.
#[derive(Clone, Debug)]
pub(super) struct Road {
    pub id: u64,
    pub kind: RoadKind,
    pub half_width: f32,
    /// Grey level of the surface, 0 to 255.
    pub tone: f32,
    pub points: Vec<Vec2>,
}

/// A straight piece of a road.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub a: Vec2,
    pub b: Vec2,
    /// Way along the road at `a`, in pixels.
    pub start: f32,
    pub road: u64,
    pub kind: RoadKind,
    pub half_width: f32,
    pub tone: f32,
}

/// Where a point lies beside a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// Distance to the middle line.
    pub distance: f32,
    /// Way along the road.
    pub along: f32,
    /// Signed distance across, positive to the right.
    pub across: f32,
}

impl Segment {
    pub fn beside(&self, p: Vec2) -> Beside {
        let way = self.b - self.a;
        let squared = way.dot(way).max(1e-6);
        let t = ((p - self.a).dot(way) / squared).clamp(0.0, 1.0);
        let off = p - (self.a + way * t);
        let length = squared.sqrt();
        let side = way.x * off.y - way.y * off.x;
        let distance = off.length();
        Beside {
            distance,
            along: self.start + t * length,
            across: distance.copysign(side),
        }
    }

    pub fn bounds(&self, reach: f32) -> Bounds {
        Bounds::around_stretch(self.a, self.b, reach)
    }
}

impl Road {
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let mut start = 0.0;
        self.points.windows(2).map(move |pair| {
            let (a, b) = (pair[0], pair[1]);
            let here = start;
            start += a.distance(b);
            Segment {
                a,
                b,
                start: here,
                road: self.id,
                kind: self.kind,
                half_width: self.half_width,
                tone: self.tone,
            }
        })
    }
}

/// Distance from `p` to the nearest road's edge; far away when there is none.
pub(super) fn road_clearance(segments: &[Segment], p: Vec2) -> f32 {
    segments
        .iter()
        .map(|s| s.beside(p).distance - s.half_width)
        .fold(4_000.0, f32::min)
}

/// The crossing of a cell.
pub(super) fn node(seed: u64, cx: i32, cy: i32) -> Vec2 {
    let mut draw = Draw::at(seed ^ 0x0DE, cx, cy);
    let place = |c: i32, off: f32| (c as f32 + 0.5 + 0.33 * off) * CELL;
    Vec2::new(place(cx, draw.signed()), place(cy, draw.signed()))
}

/// The roads that cell (cx, cy) owns: to the crossing on its right, to the one below, or both, and
/// a dead end.
pub(super) fn roads_of(seed: u64, cx: i32, cy: i32) -> Vec<Road> {
    let mut draw = Draw::at(seed ^ 0x0AD5, cx, cy);
    let from = node(seed, cx, cy);
    let is_end = !wishes(seed, cx - 1, cy).0 && !wishes(seed, cx, cy - 1).1;
    let (right, down) = if is_end {
        (true, true)
    } else {
        wishes(seed, cx, cy)
    };
    let mut roads = Vec::new();
    if right {
        let is_main = mix(seed ^ 0x11 ^ u64::from(cy as u32)).is_multiple_of(3);
        roads.push(link(draw.bits(), from, node(seed, cx + 1, cy), is_main));
    }
    if down {
        let is_main = mix(seed ^ 0x22 ^ u64::from(cx as u32)).is_multiple_of(3);
        roads.push(link(draw.bits(), from, node(seed, cx, cy + 1), is_main));
    }
    let lane = lane_off(&mut draw, &roads[0]);
    roads.push(lane);
    roads
}

/// Whether a cell wants roads to the right and downwards; a crossing that no other road reaches
/// gets both, since roads between villages do not just end.
fn wishes(seed: u64, cx: i32, cy: i32) -> (bool, bool) {
    match hash_at(seed ^ 0x3157, cx, cy) % 10 {
        0..4 => (true, true),
        4..7 => (true, false),
        _ => (false, true),
    }
}

fn link(id: u64, from: Vec2, to: Vec2, is_main: bool) -> Road {
    let mut draw = Draw::new(id);
    let (kind, half_width) = if is_main {
        (RoadKind::Main, draw.between(14.0, 17.5))
    } else {
        (RoadKind::Local, draw.between(10.0, 12.5))
    };
    let tone = draw.between(98.0, 158.0);
    let winding = (draw.between(40.0, 120.0), draw.between(10.0, 34.0));
    Road {
        id,
        kind,
        half_width,
        tone,
        points: winding_way(id, from, to, winding),
    }
}

/// A chain of points that leaves the straight line in long and short bends, less near the ends.
fn winding_way(id: u64, from: Vec2, to: Vec2, (long, short): (f32, f32)) -> Vec<Vec2> {
    let length = from.distance(to);
    let side = (to - from).unit().perp();
    let steps = (length / PIECE).ceil().max(2.0) as usize;
    let (seed_a, seed_b) = (id as u32, (id >> 32) as u32);
    let point = |i: usize| {
        let t = i as f32 / steps as f32;
        let hold = (4.0 * t * (1.0 - t)).clamp(0.0, 1.0);
        let bend = long * noise_1d(seed_a, t * length / 420.0 + 0.5)
            + short * noise_1d(seed_b, t * length / 150.0 + 0.5);
        Vec2::new(lerp(from.x, to.x, t), lerp(from.y, to.y, t)) + side * (bend * hold)
    };
    (0..=steps).map(point).collect()
}

fn lane_off(draw: &mut Draw, road: &Road) -> Road {
    let id = draw.bits();
    let start = (draw.between(0.14, 0.34) * road.points.len() as f32) as usize;
    let (from, next) = (road.points[start], road.points[start + 1]);
    let side = if draw.chance(0.5) { 1.0 } else { -1.0 };
    let along = (next - from).unit();
    let heading = (along.perp() * side + along * draw.between(-0.35, 0.35)).unit();
    let to = from + heading * draw.between(170.0, 330.0);
    let winding = (draw.between(10.0, 50.0), 0.0);
    Road {
        id,
        kind: RoadKind::Lane,
        half_width: draw.between(8.5, 10.5),
        tone: draw.between(100.0, 165.0),
        points: winding_way(id, from, to, winding),
    }
}

/// How thickly a place around a crossing is built up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Village {
    pub center: Vec2,
    pub radius: f32,
}

impl Village {
    pub fn of(seed: u64, cx: i32, cy: i32) -> Self {
        let mut draw = Draw::at(seed ^ 0x71A6, cx, cy);
        let size = draw.unit();
        Self {
            center: node(seed, cx, cy),
            radius: 400.0 + 330.0 * size * size,
        }
    }

    /// Share of building plots taken at `p`.
    pub fn density(&self, p: Vec2) -> f32 {
        (1.45 * (1.0 - p.distance(self.center) / self.radius)).clamp(0.0, 0.94)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_owns_a_road_that_starts_at_its_crossing() {
        for seed in 0..50 {
            let roads = roads_of(seed, 0, 0);
            assert!(roads.len() >= 2);
            assert!(roads[0].points[0].distance(node(seed, 0, 0)) < 1.0);
        }
    }

    #[test]
    fn a_point_beside_a_segment_knows_how_far_and_on_which_side() {
        let segment = Segment {
            a: Vec2::new(0.0, 0.0),
            b: Vec2::new(10.0, 0.0),
            start: 100.0,
            road: 1,
            kind: RoadKind::Lane,
            half_width: 2.0,
            tone: 0.0,
        };
        let beside = segment.beside(Vec2::new(4.0, 3.0));
        assert!((beside.distance - 3.0).abs() < 1e-6 && (beside.across - 3.0).abs() < 1e-6);
        assert!((beside.along - 104.0).abs() < 1e-5);
        assert!((road_clearance(&[segment], Vec2::new(4.0, -5.0)) - 3.0).abs() < 1e-6);
    }
}
