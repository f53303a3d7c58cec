use std::f32::consts::TAU;

use super::canvas::{BUILDING, Canvas, SHADOW, raised, scaled, speck};
use super::field::Tint;
use super::noise::{Draw, fract, noise, smoothstep};
use super::plane::{TurnedBox, Vec2};
use super::village::{Building, Plot, Roof};
use super::world::Scene;

/// Paints lawns, yards and drives.
pub(super) fn paint_plots(canvas: &mut Canvas, scene: &Scene<'_>) {
    let seed = scene.world.seed as u32;
    for plot in &scene.plots {
        paint_lawn(canvas, plot, seed);
        let mut draw = Draw::new(plot.id ^ 0x4A2D);
        let gravel = gravel_tint(&mut draw);
        for ground in [plot.yard, plot.drive] {
            canvas.each_in(&ground.bounds(4.0), |canvas, index, p| {
                let rough = 2.5 * noise(seed ^ 0xE1, p.x / 13.0, p.y / 13.0);
                let share =
                    dry(canvas, index) * (0.5 - (ground.distance(p) + rough)).clamp(0.0, 1.0);
                if share > 0.0 {
                    let clod = noise(seed ^ 0xE2, p.x / 2.6, p.y / 2.6);
                    canvas.blend(
                        index,
                        raised(gravel, 11.0 * clod + 2.0 * rough),
                        0.92 * share,
                    );
                }
            });
        }
    }
}

fn gravel_tint(draw: &mut Draw) -> Tint {
    let tint = draw.pick(&[
        [132.0, 128.0, 120.0],
        [122.0, 118.0, 112.0],
        [142.0, 137.0, 128.0],
        [112.0, 110.0, 106.0],
        [126.0, 108.0, 88.0],
        [160.0, 156.0, 146.0],
    ]);
    scaled(tint, draw.between(0.9, 1.1))
}

/// 1 on land and 0 in the water.
fn dry(canvas: &Canvas, index: usize) -> f32 {
    smoothstep(2.0, 6.0, canvas.shore[index])
}

fn paint_lawn(canvas: &mut Canvas, plot: &Plot, seed: u32) {
    const LAWNS: [Tint; 5] = [
        [92.0, 110.0, 66.0],
        [112.0, 118.0, 80.0],
        [78.0, 96.0, 58.0],
        [128.0, 122.0, 90.0],
        [100.0, 98.0, 72.0],
    ];
    let mut draw = Draw::new(plot.id ^ 0x1A77);
    let base = draw.pick(&LAWNS);
    let has_beds = draw.chance(0.3);
    let has_hedge = draw.chance(0.35);
    canvas.each_in(&plot.ground.bounds(1.0), |canvas, index, p| {
        let edge = plot.ground.distance(p);
        let share = dry(canvas, index) * (0.5 - edge).clamp(0.0, 1.0);
        if share <= 0.0 {
            return;
        }
        let clod = noise(seed ^ 0xE3, p.x / 2.7, p.y / 2.7);
        let patch = noise(seed ^ 0xE4, p.x / 24.0, p.y / 24.0);
        let mut tint = raised(scaled(base, 1.0 + 0.1 * patch), 7.0 * clod);
        let at = plot.ground.local(p);
        if has_beds && at.y.abs() > plot.ground.half.y * 0.5 && at.x > 0.0 {
            let bed = 2.0 * fract(at.x / 9.0) - 1.0;
            let soil = raised([92.0, 80.0, 62.0], 6.0 * clod);
            super::canvas::blend(
                &mut tint,
                soil,
                smoothstep(-0.2, 0.3, bed.abs() - 0.45) * 0.8,
            );
        }
        canvas.blend(index, tint, 0.9 * share);
        if has_hedge && edge > -3.4 {
            canvas.blend(index, raised([58.0, 74.0, 46.0], 14.0 * clod), 0.85 * share);
        }
    });
}

/// Paints the buildings and the shadows that they cast.
pub(super) fn paint_buildings(canvas: &mut Canvas, scene: &Scene<'_>) {
    let all = || scene.plots.iter().flat_map(|plot| &plot.buildings);
    for building in all() {
        paint_shadow(canvas, building);
    }
    for building in all() {
        paint_roof(canvas, building, scene.world.seed as u32);
        label_building(canvas, building);
    }
}

fn paint_shadow(canvas: &mut Canvas, building: &Building) {
    let cast = SHADOW * building.shadow;
    let base = building.base;
    let reach = base.bounds(1.0).union(&base.moved(cast).bounds(1.0));
    let local_cast = cast.in_frame(base.axis);
    canvas.each_in(&reach, |canvas, index, p| {
        if is_swept(base.local(p), local_cast, base.half) {
            canvas.darken(index, 0.88);
        }
    });
}

/// Whether a box of `half` extent passes over `at` while it moves by `way`.
fn is_swept(at: Vec2, way: Vec2, half: Vec2) -> bool {
    let slab = |at: f32, way: f32, half: f32| {
        if way.abs() < 1e-4 {
            return if at.abs() <= half {
                (0.0, 1.0)
            } else {
                (1.0, 0.0)
            };
        }
        let (a, b) = ((at - half) / way, (at + half) / way);
        (a.min(b), a.max(b))
    };
    let (from_x, to_x) = slab(at.x, way.x, half.x);
    let (from_y, to_y) = slab(at.y, way.y, half.y);
    from_x.max(from_y).max(0.0) <= to_x.min(to_y).min(1.0)
}

/// What stands on a roof, in the roof's own frame.
struct Fittings {
    chimney: Option<Vec2>,
    panels: Option<TurnedBox>,
    course: f32,
}

fn fittings(building: &Building) -> Fittings {
    let mut draw = Draw::new(building.id ^ 0xF17);
    let half = building.base.half;
    let chimney = Vec2::new(half.x * 0.6 * draw.signed(), half.y * 0.3 * draw.signed());
    let panels = TurnedBox {
        center: Vec2::new(half.x * 0.25 * draw.signed(), half.y * 0.5),
        axis: Vec2::new(1.0, 0.0),
        half: Vec2::new(half.x * draw.between(0.25, 0.5), half.y * 0.3),
    };
    Fittings {
        chimney: (building.shadow > 14.0 && draw.chance(0.7)).then_some(chimney),
        panels: draw.chance(0.12).then_some(panels),
        course: draw.between(2.6, 4.2),
    }
}

fn paint_roof(canvas: &mut Canvas, building: &Building, seed: u32) {
    let fit = fittings(building);
    let base = building.base;
    canvas.each_in(&base.bounds(1.0), |canvas, index, p| {
        let edge = base.distance(p);
        let share = (0.5 - edge).clamp(0.0, 1.0);
        if share <= 0.0 {
            return;
        }
        let at = base.local(p);
        let (light, ridge) = slope_light(building, at);
        let patch = noise(seed ^ 0xE6, p.x / 11.0, p.y / 11.0);
        let (x, y) = canvas.pixel(index);
        let courses = 2.4 * (fract(at.y.abs() / fit.course) - 0.5);
        let grain = 2.2 * speck(41, x, y) + 3.0 * patch + courses + ridge;
        let mut tint = raised(scaled(building.tint, light), grain);
        if fit.panels.is_some_and(|panels| panels.distance(at) < 0.0) {
            tint = raised([46.0, 52.0, 68.0], 2.0 * patch);
        }
        if edge > -1.3 {
            tint = scaled(tint, 0.86);
        }
        if fit
            .chimney
            .is_some_and(|c| (at - c).x.abs() < 1.9 && (at - c).y.abs() < 1.9)
        {
            tint = [158.0, 140.0, 126.0];
        }
        canvas.blend(index, tint, share);
    });
}

/// How much light the roof gets at `at` (in its own frame), and the brightness of its ridges.
fn slope_light(building: &Building, at: Vec2) -> (f32, f32) {
    let (axis, half) = (building.base.axis, building.base.half);
    let (to_end, to_side) = (half.x - at.x.abs(), half.y - at.y.abs());
    let side = axis.perp() * at.y.signum();
    let end = axis * at.x.signum();
    let (normal, ridge) = match building.roof {
        Roof::Flat => {
            return (
                1.0 + if to_end.min(to_side) < 2.4 { 0.14 } else { 0.0 },
                0.0,
            );
        }
        Roof::Gable => (side, at.y.abs()),
        Roof::Hip if to_end < to_side => (end, to_side - to_end),
        Roof::Hip => (side, at.y.abs().min(to_end - to_side)),
    };
    (
        1.0 - 0.26 * normal.dot(SHADOW),
        15.0 * (1.0 - ridge / 1.3).clamp(0.0, 1.0),
    )
}

/// The truth, and the hasty label where some are missing, shifted or fused with their neighbours.
fn label_building(canvas: &mut Canvas, building: &Building) {
    let base = building.base;
    canvas.each_in(&base.bounds(1.0), |canvas, index, p| {
        if base.distance(p) <= 0.0 {
            canvas.truth[index] = BUILDING;
        }
    });
    let mut draw = Draw::new(building.id ^ 0xBAD);
    let drawn = match draw.bits() % 100 {
        0..13 => return,
        13..38 => base.moved(Vec2::from_angle(draw.between(0.0, TAU)) * draw.between(3.0, 8.0)),
        38..52 => base.grown(7.0),
        _ => base,
    };
    canvas.each_in(&drawn.bounds(1.0), |canvas, index, p| {
        if drawn.distance(p) <= 0.0 {
            canvas.hasty[index] = BUILDING;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shadow_reaches_as_far_as_the_box_moves() {
        let (way, half) = (Vec2::new(0.0, 10.0), Vec2::new(4.0, 2.0));
        let swept = |x: f32, y: f32| is_swept(Vec2::new(x, y), way, half);
        assert!(swept(0.0, 0.0) && swept(3.9, 11.9) && swept(-3.9, 5.0));
        assert!(!swept(0.0, 12.1) && !swept(4.1, 5.0) && !swept(0.0, -2.1));
    }
}
