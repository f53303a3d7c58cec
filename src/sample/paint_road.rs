use super::canvas::{Canvas, ROAD, raised, speck};
use super::field::Tint;
use super::noise::{Draw, hash_at, noise, noise_1d, smoothstep};
use super::road::{RoadKind, Segment};
use super::world::{KNOWN, Scene};

/// Length of road that is mapped well or badly as a whole, in pixels.
const CHUNK: f32 = 150.0;
/// Distance between the places where a car may be, in pixels.
const CAR_SPACING: f32 = 170.0;

/// A pixel's place beside its nearest road.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoadAt {
    /// Distance to the road's edge, negative on it.
    pub clear: f32,
    across: f32,
    along: f32,
    segment: u32,
}

/// The nearest road of each pixel of a canvas.
#[derive(Debug)]
pub(super) struct RoadField(Vec<RoadAt>);

impl RoadField {
    /// Measures all pixels that are near a road.
    pub fn measure(canvas: &mut Canvas, segments: &[Segment]) -> Self {
        let none = RoadAt {
            clear: KNOWN,
            across: 0.0,
            along: 0.0,
            segment: u32::MAX,
        };
        let mut field = vec![none; canvas.width * canvas.height];
        for (number, segment) in segments.iter().enumerate() {
            let reach = segment.half_width + 24.0;
            canvas.each_in(&segment.bounds(reach), |_, index, p| {
                let beside = segment.beside(p);
                let clear = beside.distance - segment.half_width;
                if clear < field[index].clear {
                    field[index] = RoadAt {
                        clear,
                        across: beside.across,
                        along: beside.along,
                        segment: number as u32,
                    };
                }
            });
        }
        Self(field)
    }

    /// The place of the pixel at `index`, `None` when no road is near.
    pub fn get(&self, index: usize) -> Option<&RoadAt> {
        self.0.get(index).filter(|at| at.segment != u32::MAX)
    }
}

/// Paints verges, surfaces, lines and cars.
pub(super) fn paint_roads(canvas: &mut Canvas, scene: &Scene<'_>, roads: &RoadField) {
    let seed = scene.world.seed as u32;
    canvas.each_pixel(|canvas, index, (x, y)| {
        let Some(at) = roads.get(index) else { return };
        let segment = &scene.segments[at.segment as usize];
        let clod = noise(seed ^ 0xD1, x as f32 / 3.1, y as f32 / 3.1);
        let patch = noise(seed ^ 0xD2, x as f32 / 23.0, y as f32 / 23.0);
        if canvas.shore[index] > 1.0 {
            paint_verge(canvas, index, at.clear + 1.8 * patch, clod);
        }
        if at.clear < 0.5 {
            let mut tint = surface(segment, at, patch);
            tint = raised(tint, 6.5 * clod + 2.4 * speck(31, x, y));
            canvas.blend(index, tint, (0.5 - at.clear).clamp(0.0, 1.0));
        }
        label_road(canvas, index, at, segment);
    });
}

fn paint_verge(canvas: &mut Canvas, index: usize, clear: f32, clod: f32) {
    let grass = raised([104.0, 112.0, 74.0], 10.0 * clod);
    canvas.blend(index, grass, 0.7 * smoothstep(14.0, 9.0, clear));
    let ditch = (1.0 - (clear - 8.5).abs() / 2.0).clamp(0.0, 1.0);
    canvas.darken(index, 0.28 * ditch);
    let gravel = raised([138.0, 130.0, 112.0], 10.0 * clod);
    canvas.blend(index, gravel, 0.65 * smoothstep(4.0, 1.5, clear));
}

fn surface(segment: &Segment, at: &RoadAt, patch: f32) -> Tint {
    let id = segment.road as u32;
    let repair = noise_1d(id ^ 0x9, at.along / 130.0);
    let tone = segment.tone + 5.0 * patch + 9.0 * if repair > 0.35 { 1.0 } else { 0.0 };
    let half = segment.half_width;
    let wheel = (1.0 - ((at.across.abs() - 0.5 * half).abs() / (0.22 * half))).clamp(0.0, 1.0);
    let worn = tone + 7.0 * wheel - 8.0 * smoothstep(0.75, 1.0, at.across.abs() / half);
    let warmth = 0.1 + ((segment.road >> 8) % 64) as f32 / 90.0;
    let mut tint = [
        worn * (1.0 + 0.05 * warmth),
        worn,
        worn * (0.99 - 0.09 * warmth),
    ];
    if segment.kind != RoadKind::Lane {
        let is_dash = segment.kind == RoadKind::Main && at.along.rem_euclid(44.0) < 20.0;
        let middle = if is_dash {
            1.0 - at.across.abs() / 1.3
        } else {
            0.0
        };
        let side = 0.6 * (1.0 - (at.across.abs() - half + 2.2).abs());
        let line = middle.max(side).clamp(0.0, 1.0);
        tint = raised(tint, 58.0 * line);
    }
    car(segment, at).unwrap_or(tint)
}

fn car(segment: &Segment, at: &RoadAt) -> Option<Tint> {
    const PAINTS: [Tint; 6] = [
        [196.0, 196.0, 196.0],
        [52.0, 54.0, 58.0],
        [120.0, 34.0, 32.0],
        [60.0, 74.0, 104.0],
        [150.0, 152.0, 154.0],
        [220.0, 220.0, 216.0],
    ];
    let spot = (at.along / CAR_SPACING).floor();
    let mut draw = Draw::new(hash_at(segment.road, spot as i32, 5));
    let share = if segment.kind == RoadKind::Main {
        0.24
    } else {
        0.10
    };
    if !draw.chance(share) {
        return None;
    }
    let place = (spot + draw.between(0.15, 0.85)) * CAR_SPACING;
    let lane = segment.half_width * if draw.chance(0.5) { 0.45 } else { -0.45 };
    let (u, v) = ((at.along - place).abs(), (at.across - lane).abs());
    let paint = draw.pick(&PAINTS);
    if u < 8.5 && v < 3.7 {
        let is_glass = (u - 4.5).abs() < 1.4 && v < 3.0;
        return Some(if is_glass { [40.0, 44.0, 48.0] } else { paint });
    }
    (u < 9.5 && v < 5.2).then_some([62.0, 62.0, 62.0])
}

/// The truth, and the hasty label with pieces left out or drawn too wide.
fn label_road(canvas: &mut Canvas, index: usize, at: &RoadAt, segment: &Segment) {
    if at.clear <= 0.0 {
        canvas.truth[index] = ROAD;
    }
    let chunk = (at.along / CHUNK).floor() as i32;
    let fate = hash_at(segment.road, chunk, 9) % 100;
    let limit = match fate {
        0..14 => return,
        14..34 => 5.5,
        _ => 0.0,
    };
    if at.clear <= limit {
        canvas.hasty[index] = ROAD;
    }
}
