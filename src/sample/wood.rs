use super::noise::{Draw, cloudy};
use super::plane::{Bounds, Vec2};
use super::road::{CELL, Segment, road_clearance};

/// How far a wood reaches from its middle at most.
const WOOD_REACH: f32 = 420.0;

/// What grows in a stand of trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Broadleaf,
    Conifer,
    Mixed,
}

/// A wood with a ragged border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wood {
    pub id: u64,
    center: Vec2,
    radius: f32,
    axis: Vec2,
    stretch: f32,
    pub stand: Stand,
}

impl Wood {
    /// The one or two woods of cell (cx, cy); they like to be away from roads.
    pub fn of(seed: u64, cx: i32, cy: i32, roads: &[Segment]) -> Vec<Self> {
        let mut draw = Draw::at(seed ^ 0x300D, cx, cy);
        let first = Self::near(&mut draw, (cx, cy), roads, (185.0, 280.0));
        let second = Self::near(&mut draw, (cx, cy), roads, (90.0, 185.0));
        vec![first, second]
    }

    fn near(draw: &mut Draw, cell: (i32, i32), roads: &[Segment], radii: (f32, f32)) -> Self {
        let mut best = (f32::MIN, Vec2::default());
        for _ in 0..4 {
            let x = (cell.0 as f32 + draw.between(0.18, 0.82)) * CELL;
            let y = (cell.1 as f32 + draw.between(0.18, 0.82)) * CELL;
            let clearance = road_clearance(roads, Vec2::new(x, y));
            if clearance > best.0 {
                best = (clearance, Vec2::new(x, y));
            }
        }
        Self {
            id: draw.bits(),
            center: best.1,
            radius: draw.between(radii.0, radii.1),
            axis: Vec2::from_angle(draw.between(0.0, 3.1)),
            stretch: draw.between(1.0, 1.45),
            stand: draw.pick(&[Stand::Broadleaf, Stand::Mixed, Stand::Conifer]),
        }
    }

    /// Around all places within `reach` of the wood.
    pub fn bounds(&self, reach: f32) -> Bounds {
        Bounds::around(self.center, WOOD_REACH + reach)
    }

    /// How deep in the wood `p` is, negative outside, in pixels.
    pub fn depth(&self, p: Vec2) -> f32 {
        let far = WOOD_REACH - p.distance(self.center);
        if far < -60.0 {
            return far;
        }
        let seed = self.id as u32;
        let bend = Vec2::new(cloudy(seed, p, 260.0), cloudy(seed ^ 0x99, p, 260.0));
        let at = (p + bend * 130.0 - self.center).in_frame(self.axis);
        let at = Vec2::new(at.x / self.stretch, at.y * self.stretch);
        // Many woods end at a straight boundary: a rounded square is nearer to that than a circle.
        let box_like = at.x.abs().max(at.y.abs());
        self.radius - (0.5 * box_like + 0.5 * at.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wood_has_an_inside_and_an_outside() {
        for wood in (0..20).flat_map(|seed| Wood::of(seed, 0, 0, &[])) {
            let inside =
                (-4..=4).any(|i| wood.depth(wood.center + Vec2::new(i as f32 * 30.0, 0.0)) > 0.0);
            assert!(inside);
            assert!(wood.depth(wood.center + Vec2::new(620.0, 0.0)) < 0.0);
        }
    }
}
