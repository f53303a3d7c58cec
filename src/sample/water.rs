use super::noise::{Draw, cloudy, mix, noise_1d};
use super::plane::{TurnedBox, Vec2};
use super::road::{CELL, Segment, road_clearance};

/// Distance between neighbouring rivers, in pixels.
const RIVER_SPACING: f32 = 2_500.0;
const PLACES_TRIED: usize = 14;
/// How far a pond reaches at most from its middle.
const POND_REACH: f32 = 260.0;

/// The rivers of a world: a family of winding lines that run roughly one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rivers {
    seed: u64,
    axis: Vec2,
}

impl Rivers {
    pub fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed ^ 0x51BE);
        Self {
            seed: draw.bits(),
            axis: Vec2::from_angle(draw.between(0.0, 6.2)),
        }
    }

    /// Distance to the nearest bank, negative in the water, and which river it is.
    pub fn distance(&self, p: Vec2) -> (f32, u64) {
        let at = p.in_frame(self.axis);
        let nearest = (at.y / RIVER_SPACING).round() as i32;
        let mut best = (4_000.0, 0);
        for index in nearest - 1..=nearest + 1 {
            let id = mix(self.seed ^ u64::from(index as u32));
            let (here, ahead) = (course(id, index, at.x), course(id, index, at.x + 8.0));
            let slope = (ahead - here) / 8.0;
            let off = (at.y - here).abs() / (1.0 + slope * slope).sqrt();
            let half_width = 19.0 + 7.0 * noise_1d((id >> 20) as u32, at.x / 170.0);
            if off - half_width < best.0 {
                best = (off - half_width, id);
            }
        }
        best
    }
}

fn course(id: u64, index: i32, u: f32) -> f32 {
    let (a, b, c) = (id as u32, (id >> 16) as u32, (id >> 32) as u32);
    (index as f32) * RIVER_SPACING
        + 700.0 * noise_1d(a, u / 2_600.0)
        + 190.0 * noise_1d(b, u / 520.0)
        + 62.0 * noise_1d(c, u / 190.0)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shore {
    /// Grown by itself.
    Wild,
    /// Dug with straight banks.
    Dug,
}

/// A pond or a lake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pond {
    pub id: u64,
    basin: TurnedBox,
    radius: f32,
    shore: Shore,
}

impl Pond {
    /// The pond of cell (cx, cy), as far from `roads` as it can be.
    pub fn of(seed: u64, cx: i32, cy: i32, roads: &[Segment]) -> Self {
        let mut draw = Draw::at(seed ^ 0x9D, cx, cy);
        let mut best = (f32::MIN, Vec2::default());
        for _ in 0..PLACES_TRIED {
            let x = (cx as f32 + draw.between(0.2, 0.8)) * CELL;
            let y = (cy as f32 + draw.between(0.2, 0.8)) * CELL;
            let clearance = road_clearance(roads, Vec2::new(x, y));
            if clearance > best.0 {
                best = (clearance, Vec2::new(x, y));
            }
        }
        let wanted = 88.0 + 90.0 * draw.unit() * draw.unit();
        let radius = wanted
            .min((best.0 - 26.0) / 1.45)
            .clamp(40.0, POND_REACH / 1.45);
        let shore = if draw.chance(0.25) {
            Shore::Dug
        } else {
            Shore::Wild
        };
        let stretch = draw.between(1.05, 1.5);
        let basin = TurnedBox {
            center: best.1,
            axis: Vec2::from_angle(draw.between(0.0, 3.1)),
            half: Vec2::new(radius * stretch, radius / stretch),
        };
        Self {
            id: draw.bits(),
            basin,
            radius,
            shore,
        }
    }

    pub const fn center(&self) -> Vec2 {
        self.basin.center
    }

    /// Distance to the shore, negative in the water; rough when far away.
    pub fn distance(&self, p: Vec2) -> f32 {
        let far = p.distance(self.basin.center) - POND_REACH;
        if far > 60.0 {
            return far;
        }
        let seed = self.id as u32;
        let shift = Vec2::new(cloudy(seed, p, 70.0), cloudy(seed ^ 0x77, p, 70.0));
        match self.shore {
            Shore::Dug => self.basin.grown(-14.0).distance(p + shift * 5.0) - 14.0,
            Shore::Wild => {
                let big = Vec2::new(
                    cloudy(seed ^ 0x1234, p, 1.3 * self.radius),
                    cloudy(seed ^ 0x4321, p, 1.3 * self.radius),
                );
                let at = self
                    .basin
                    .local(p + big * (0.62 * self.radius) + shift * 9.0);
                let (u, v) = (at.x / self.basin.half.x, at.y / self.basin.half.y);
                ((u * u + v * v).sqrt() - 1.0) * self.basin.half.y
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pond_is_wet_near_its_middle_and_dry_far_away() {
        for seed in 0..20 {
            let pond = Pond::of(seed, 0, 0, &[]);
            let nearby = (-3..=3)
                .any(|i| pond.distance(pond.center() + Vec2::new(i as f32 * 18.0, 0.0)) < 0.0);
            assert!(nearby, "seed {seed}");
            assert!(pond.distance(pond.center() + Vec2::new(400.0, 0.0)) > 20.0);
        }
    }

    #[test]
    fn rivers_come_back_in_every_strip_of_the_world() {
        let rivers = Rivers::new(3);
        let across = rivers.axis.perp();
        let wet = (0..9_000)
            .filter(|&i| rivers.distance(across * i as f32).0 < 0.0)
            .count();
        assert!((60..600).contains(&wet), "{wet}");
    }
}
