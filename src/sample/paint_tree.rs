use super::canvas::{BUILDING, Canvas, SHADOW, WATER, WOODLAND, scaled};
use super::field::{EstateUse, Tint};
use super::noise::{Draw, hash_at, noise, pixel_hash};
use super::plane::{Bounds, Vec2};
use super::wood::Stand;
use super::world::{Scene, TreeKind};

/// Distance between trees that stand together, in pixels.
const CLOSE: f32 = 12.6;
/// Distance between places where a tree may stand alone, in pixels.
const APART: f32 = 34.0;
/// How far a crown reaches at most, in pixels.
const CROWN_REACH: f32 = 17.0;

#[derive(Clone, Copy, Debug)]
struct Tree {
    seed: u32,
    kind: TreeKind,
    at: Vec2,
    radius: f32,
    tint: Tint,
    is_pointed: bool,
}

/// Paints all trees with their shadows, north to south as one would stack cards.
pub(super) fn paint_trees(canvas: &mut Canvas, scene: &Scene<'_>) {
    // Shadows fall up and to the left, so trees below and to the right matter from farther away.
    let mut bounds = canvas.bounds().grown(CROWN_REACH);
    bounds.max = bounds.max + Vec2::new(6.0, 14.0);
    let mut trees = Vec::new();
    each_place(&bounds, CLOSE, |i, j| {
        trees.extend(close_tree(scene, &bounds, i, j));
    });
    each_place(&bounds, APART, |i, j| {
        trees.extend(lone_tree(scene, &bounds, i, j));
    });
    for tree in &trees {
        paint_tree_shadow(canvas, tree);
        paint_crown(canvas, tree);
    }
}

fn each_place(bounds: &Bounds, spacing: f32, mut visit: impl FnMut(i32, i32)) {
    let index = |v: f32| (v / spacing).floor() as i32;
    for j in index(bounds.min.y) - 1..=index(bounds.max.y) + 1 {
        for i in index(bounds.min.x) - 1..=index(bounds.max.x) + 1 {
            visit(i, j);
        }
    }
}

fn jittered(draw: &mut Draw, i: i32, j: i32, (spacing, jitter): (f32, f32)) -> Vec2 {
    // Every second row is shifted by half a step, so that no lines show.
    let shift = if j.rem_euclid(2) == 0 { 0.25 } else { 0.75 };
    Vec2::new(
        (i as f32 + shift + jitter * draw.signed()) * spacing,
        (j as f32 + 0.5 + jitter * draw.signed()) * spacing,
    )
}

fn close_tree(scene: &Scene<'_>, bounds: &Bounds, i: i32, j: i32) -> Option<Tree> {
    let mut draw = Draw::at(scene.world.seed ^ 0x7EE5, i, j);
    let at = jittered(&mut draw, i, j, (CLOSE, 0.46));
    if !bounds.holds(at) {
        return None;
    }
    let (kind, stand) = scene.trees(at)?;
    let seed = scene.world.seed as u32;
    let glade = noise(seed ^ 0xAC, at.x / 60.0, at.y / 60.0);
    if draw.chance(0.06 + 0.5 * (glade - 0.55).max(0.0)) {
        return None;
    }
    let is_conifer = match stand {
        Stand::Conifer => draw.chance(0.93),
        Stand::Broadleaf => draw.chance(0.06),
        Stand::Mixed => noise(seed ^ 0xAD, at.x / 150.0, at.y / 150.0) + 0.5 * draw.signed() > 0.0,
    };
    Some(tree(kind, at, is_conifer, &mut draw))
}

fn lone_tree(scene: &Scene<'_>, bounds: &Bounds, i: i32, j: i32) -> Option<Tree> {
    let mut draw = Draw::at(scene.world.seed ^ 0x10E, i, j);
    let at = jittered(&mut draw, i, j, (APART, 0.42));
    let luck = draw.unit();
    if luck > 0.34 || !bounds.holds(at) {
        return None;
    }
    if scene.road_clearance(at) < 11.0 || scene.water(at).distance < 8.0 {
        return None;
    }
    let home = scene
        .plots
        .iter()
        .find(|plot| plot.ground.distance(at) < -4.0);
    let is_built = scene
        .plots
        .iter()
        .flat_map(|plot| &plot.buildings)
        .any(|building| building.base.distance(at) < 9.0);
    if is_built || (home.is_none() && scene.wood(at).depth > -12.0) {
        return None;
    }
    let place = scene.estates.at(at);
    let share = match (home, place.estate.land) {
        (Some(plot), _) if plot.yard.distance(at) < 2.0 => 0.0,
        (Some(_), _) => 0.34,
        (None, EstateUse::Meadow) => 0.03,
        (None, _) if place.edge < 9.0 => 0.09,
        (None, _) => 0.002,
    };
    let is_conifer = draw.chance(0.2);
    (luck < share).then(|| tree(TreeKind::Single, at, is_conifer, &mut draw))
}

fn tree(kind: TreeKind, at: Vec2, is_pointed: bool, draw: &mut Draw) -> Tree {
    const LEAVES: [Tint; 4] = [
        [78.0, 96.0, 56.0],
        [68.0, 88.0, 52.0],
        [86.0, 100.0, 60.0],
        [72.0, 88.0, 58.0],
    ];
    const NEEDLES: [Tint; 3] = [[62.0, 80.0, 56.0], [58.0, 76.0, 52.0], [68.0, 84.0, 58.0]];
    let base = if is_pointed {
        draw.pick(&NEEDLES)
    } else {
        draw.pick(&LEAVES)
    };
    let light = draw.between(0.84, 1.18);
    let size = draw.unit();
    let radius = match (kind, is_pointed) {
        (TreeKind::Single, _) => 5.0 + 7.0 * size * size,
        (_, true) => 5.6 + 3.4 * size,
        (_, false) => 6.4 + 7.2 * size * size,
    };
    let tint = base.map(|c| c * light + 3.0 * draw.signed());
    Tree {
        seed: draw.bits() as u32,
        kind,
        at,
        radius,
        tint,
        is_pointed,
    }
}

/// A shadow with a soft border that begins under the crown and ends where its top falls.
fn paint_tree_shadow(canvas: &mut Canvas, tree: &Tree) {
    let length = tree.radius * if tree.is_pointed { 1.1 } else { 0.85 };
    let end = tree.at + SHADOW * length;
    let taper = if tree.is_pointed { 0.35 } else { 0.7 };
    let reach = Bounds::around_stretch(tree.at, end, tree.radius);
    canvas.each_in(&reach, |canvas, index, p| {
        let t = ((p - tree.at).dot(SHADOW) / length).clamp(0.0, 1.0);
        let away = p.distance(tree.at + SHADOW * (t * length));
        let radius = tree.radius * (0.95 + (taper - 0.95) * t);
        let share = ((radius - away) * 0.4).clamp(0.0, 1.0);
        if share > 0.0 && canvas.truth[index] != BUILDING {
            canvas.darken(index, 0.58 * share);
        }
    });
}

fn paint_crown(canvas: &mut Canvas, tree: &Tree) {
    let maps_row = hash_at(
        u64::from(7_u32),
        (tree.at.x / 300.0) as i32,
        (tree.at.y / 300.0) as i32,
    )
    .is_multiple_of(2);
    canvas.each_in(
        &Bounds::around(tree.at, tree.radius * 1.2),
        |canvas, index, p| {
            let off = p - tree.at;
            let away = off.length();
            let leaf = noise(tree.seed, p.x / 3.1, p.y / 3.1);
            let radius = tree.radius * (1.0 + 0.17 * leaf);
            let share = ((radius - away) * 0.75).clamp(0.0, 1.0);
            if share <= 0.0 {
                return;
            }
            canvas.blend(index, crown_color(tree, off, away / radius, leaf), share);
            if share < 0.45 || tree.kind == TreeKind::Single || canvas.truth[index] == BUILDING {
                return;
            }
            canvas.truth[index] = WOODLAND;
            let is_free = canvas.hasty[index] == 0 || canvas.hasty[index] == WATER;
            if tree.kind == TreeKind::Row && maps_row && is_free {
                canvas.hasty[index] = WOODLAND;
            }
        },
    );
}

fn crown_color(tree: &Tree, off: Vec2, t: f32, leaf: f32) -> Tint {
    let sunny = -off.dot(SHADOW) / tree.radius;
    let round = (1.0 - t * t).max(0.0).sqrt();
    let grit = (pixel_hash(tree.seed, off.x as i32, off.y as i32) & 255) as f32 / 255.0 - 0.5;
    let shade = if tree.is_pointed {
        0.66 + 0.34 * (1.0 - t) + 0.30 * sunny
    } else {
        0.66 + 0.32 * round + 0.27 * sunny
    };
    scaled(tree.tint, (shade + 0.16 * leaf + 0.12 * grit).max(0.25))
}
