use super::field::Tint;
use super::noise::Draw;
use super::plane::{Bounds, TurnedBox, Vec2};
use super::road::{Road, Segment, Village};

/// The shape of a roof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roof {
    Gable,
    Hip,
    Flat,
}

/// A house, barn or hall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Building {
    pub id: u64,
    /// The ridge runs along its axis.
    pub base: TurnedBox,
    pub roof: Roof,
    pub tint: Tint,
    /// Length of the shadow in pixels.
    pub shadow: f32,
}

/// The ground of one household.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub id: u64,
    pub ground: TurnedBox,
    pub yard: TurnedBox,
    pub drive: TurnedBox,
    pub buildings: Vec<Building>,
}

impl Plot {
    /// Around the ground and the buildings with `reach` more on all sides.
    pub fn bounds(&self, reach: f32) -> Bounds {
        let boxes = self
            .buildings
            .iter()
            .map(|building| building.base.bounds(reach));
        boxes.fold(self.ground.bounds(reach), |all, next| all.union(&next))
    }
}

/// What a plot must keep away from.
pub(super) struct Surroundings<'a, W: Fn(Vec2) -> f32> {
    pub segments: &'a [Segment],
    pub villages: &'a [Village],
    pub water: W,
}

/// Where beside a road a plot would be.
struct Stand<'a> {
    road: &'a Road,
    at: Vec2,
    along: Vec2,
    /// Unit vector away from the road.
    out: Vec2,
    width: f32,
}

/// The plots beside `roads`, which belong to one cell.
pub(super) fn plots_along<W: Fn(Vec2) -> f32>(
    roads: &[Road],
    around: &Surroundings<'_, W>,
) -> Vec<Plot> {
    let mut plots: Vec<Plot> = Vec::new();
    for road in roads {
        let mut draw = Draw::new(road.id ^ 0x10B5);
        for side in [-1.0, 1.0] {
            let mut next = draw.between(36.0, 70.0);
            for segment in road.segments() {
                let length = segment.a.distance(segment.b);
                while next < segment.start + length {
                    let along = (segment.b - segment.a).unit();
                    let at = segment.a + along * (next - segment.start);
                    let width = draw.between(68.0, 112.0);
                    let stand = Stand {
                        road,
                        at,
                        along,
                        out: along.perp() * side,
                        width,
                    };
                    plots.extend(settle(&stand, &mut draw, around, &plots));
                    next += width;
                }
            }
        }
    }
    plots
}

fn settle<W: Fn(Vec2) -> f32>(
    stand: &Stand<'_>,
    draw: &mut Draw,
    around: &Surroundings<'_, W>,
    taken: &[Plot],
) -> Option<Plot> {
    let density = around
        .villages
        .iter()
        .map(|village| village.density(stand.at))
        .fold(0.035, f32::max);
    let mut own = Draw::new(draw.bits());
    if !own.chance(density) {
        return None;
    }
    let house = house_on(stand, &mut own);
    if !fits(&house.base, stand.road, around, taken) {
        return None;
    }
    let mut buildings = vec![house];
    if own.chance(0.3) {
        let wing = wing_of(&house, &mut own);
        if fits(&wing.base, stand.road, around, taken) {
            buildings.push(wing);
        }
    }
    for _ in 0..2 {
        let barn = outbuilding_on(stand, &mut own);
        let is_free = buildings.iter().all(|b| !b.base.is_near(&barn.base, 5.0));
        if own.chance(0.65) && is_free && fits(&barn.base, stand.road, around, taken) {
            buildings.push(barn);
        }
    }
    Some(plot_of(stand, &mut own, buildings))
}

fn plot_of(stand: &Stand<'_>, own: &mut Draw, buildings: Vec<Building>) -> Plot {
    let depth = own.between(120.0, 205.0);
    let front = stand.road.half_width + 7.0;
    let strip = |from: f32, to: f32, half: f32, shift: f32| TurnedBox {
        center: stand.at + stand.out * f32::midpoint(from, to) + stand.along * shift,
        axis: stand.along,
        half: Vec2::new(half, (to - from) / 2.0),
    };
    let shift = own.signed() * stand.width * 0.2;
    let yard_from = front + own.between(30.0, 60.0);
    let yard_half = stand.width * own.between(0.16, 0.34);
    Plot {
        id: own.bits(),
        ground: strip(front, front + depth, stand.width * 0.49, 0.0),
        yard: strip(
            yard_from,
            yard_from + own.between(34.0, 66.0),
            yard_half,
            shift * 0.5,
        ),
        drive: strip(
            stand.road.half_width - 3.0,
            yard_from + 10.0,
            own.between(4.5, 7.5),
            shift,
        ),
        buildings,
    }
}

fn house_on(stand: &Stand<'_>, own: &mut Draw) -> Building {
    let long = own.between(17.0, 31.0);
    let short = own.between(14.0, 20.0).min(long);
    let faces = own.chance(0.65);
    let tilt = Vec2::from_angle(0.06 * own.signed());
    let axis = if faces { stand.along } else { stand.out };
    let axis = Vec2::new(
        axis.x * tilt.x - axis.y * tilt.y,
        axis.x * tilt.y + axis.y * tilt.x,
    );
    let deep = if faces { short } else { long };
    let off = stand.road.half_width + own.between(20.0, 44.0) + deep;
    let center = stand.at + stand.out * off + stand.along * (own.signed() * stand.width * 0.12);
    let roof = match own.bits() % 10 {
        0..6 => Roof::Gable,
        6..9 => Roof::Hip,
        _ => Roof::Flat,
    };
    Building {
        id: own.bits(),
        base: TurnedBox {
            center,
            axis,
            half: Vec2::new(long, short),
        },
        roof,
        tint: roof_tint(own),
        shadow: own.between(15.0, 25.0),
    }
}

fn wing_of(house: &Building, own: &mut Draw) -> Building {
    let (long, short) = (house.base.half.x, house.base.half.y);
    let half = Vec2::new(
        short * own.between(0.75, 1.0) + 5.0,
        short * own.between(0.5, 0.7),
    );
    let side = if own.chance(0.5) { 1.0 } else { -1.0 };
    let along = (long - half.y) * if own.chance(0.5) { 1.0 } else { -1.0 };
    let axis = house.base.axis.perp();
    let center = house.base.center + house.base.axis * along + axis * (side * half.x * 0.9);
    let base = TurnedBox { center, axis, half };
    Building {
        id: own.bits(),
        base,
        roof: house.roof,
        tint: house.tint,
        shadow: house.shadow - 3.0,
    }
}

fn outbuilding_on(stand: &Stand<'_>, own: &mut Draw) -> Building {
    let is_barn = own.chance(0.45);
    let (long, short) = if is_barn {
        (own.between(28.0, 50.0), own.between(15.0, 23.0))
    } else {
        (own.between(10.0, 20.0), own.between(8.0, 12.0))
    };
    let across = own.chance(0.5);
    let axis = if across { stand.along } else { stand.out };
    let off = stand.road.half_width + own.between(95.0, 165.0);
    let center = stand.at + stand.out * off + stand.along * (own.signed() * stand.width * 0.3);
    let roof = if own.chance(0.7) {
        Roof::Gable
    } else {
        Roof::Flat
    };
    Building {
        id: own.bits(),
        base: TurnedBox {
            center,
            axis,
            half: Vec2::new(long, short),
        },
        roof,
        tint: roof_tint(own),
        shadow: if is_barn {
            own.between(16.0, 26.0)
        } else {
            own.between(9.0, 13.0)
        },
    }
}

/// Roads farther away than this do not matter to a building.
const KNOWN_ROADS: f32 = 200.0;

fn fits<W: Fn(Vec2) -> f32>(
    base: &TurnedBox,
    road: &Road,
    around: &Surroundings<'_, W>,
    taken: &[Plot],
) -> bool {
    let reach = base.bounds(KNOWN_ROADS);
    let near: Vec<&Segment> = around
        .segments
        .iter()
        .filter(|segment| segment.bounds(0.0).touches(&reach))
        .collect();
    // Whoever is nearer to another road belongs to that one; so plots of two roads never meet.
    let is_clear = base.corners().into_iter().all(|corner| {
        let clearance = |is_own: bool| {
            let these = near
                .iter()
                .filter(|segment| (segment.road == road.id) == is_own);
            these
                .map(|s| s.beside(corner).distance - s.half_width)
                .fold(KNOWN_ROADS, f32::min)
        };
        let own = clearance(true);
        own > 7.0 && clearance(false) >= own.max(20.0)
    });
    is_clear
        && base
            .corners()
            .into_iter()
            .all(|corner| (around.water)(corner) > 12.0)
        && taken
            .iter()
            .flat_map(|plot| &plot.buildings)
            .all(|b| !b.base.is_near(base, 7.0))
}

/// Roofs share their colors with soil, asphalt, gravel, crops and water.
fn roof_tint(own: &mut Draw) -> Tint {
    const ROOFS: [Tint; 11] = [
        [144.0, 90.0, 70.0],
        [126.0, 84.0, 70.0],
        [134.0, 112.0, 92.0],
        [118.0, 82.0, 68.0],
        [112.0, 94.0, 80.0],
        [94.0, 80.0, 70.0],
        [122.0, 120.0, 118.0],
        [98.0, 98.0, 98.0],
        [74.0, 76.0, 78.0],
        [64.0, 80.0, 62.0],
        [142.0, 138.0, 131.0],
    ];
    let light = own.between(0.80, 1.04);
    let tint = own.pick(&ROOFS);
    tint.map(|c| c * light + 4.0 * own.signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::road::roads_of;

    #[test]
    fn houses_stand_beside_roads_and_apart() {
        let roads = roads_of(4, 0, 0);
        let segments: Vec<Segment> = roads.iter().flat_map(Road::segments).collect();
        let villages = [Village::of(4, 0, 0)];
        let around = Surroundings {
            segments: &segments,
            villages: &villages,
            water: |_: Vec2| 500.0,
        };
        let plots = plots_along(&roads, &around);
        assert!(plots.len() >= 4, "{}", plots.len());
        for building in plots.iter().flat_map(|plot| &plot.buildings) {
            let clear = crate::sample::road::road_clearance(&segments, building.base.center);
            assert!(clear > 7.0);
        }
    }
}
