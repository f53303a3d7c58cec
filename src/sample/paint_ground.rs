use super::canvas::{Canvas, WATER, WOODLAND, blend, raised, scaled, speck};
use super::field::{Border, InParcel, Parcel, ParcelGround, Place, Tint};
use super::noise::{Draw, SlowField, fract, mix, noise, smoothstep};
use super::paint_road::RoadField;
use super::plane::Vec2;
use super::world::{KNOWN, Scene};

const GRASS: Tint = [96.0, 106.0, 70.0];
const SAND: Tint = [160.0, 148.0, 120.0];
const GRAVEL: Tint = [132.0, 127.0, 118.0];
const UNDERGROWTH: Tint = [52.0, 58.0, 40.0];

/// The slow parts of the ground of one block.
struct Slow {
    wander: [SlowField; 2],
    patches: SlowField,
    clouds: SlowField,
    wood: SlowField,
    ragged: SlowField,
    shore: SlowField,
}

impl Slow {
    fn of(scene: &Scene<'_>, canvas: &Canvas) -> Self {
        let (origin, extent) = ((canvas.x0, canvas.y0), (canvas.width, canvas.height));
        let seed = scene.world.seed as u32;
        let sample = |shift, f: &dyn Fn(Vec2) -> f32| SlowField::sample(shift, origin, extent, f);
        Self {
            wander: scene.estates.wander(origin, extent),
            patches: sample(2, &|p| noise(seed ^ 0xC1, p.x / 27.0, p.y / 27.0)),
            clouds: sample(3, &|p| super::noise::cloudy(seed ^ 0xC2, p, 170.0)),
            wood: sample(2, &|p| scene.wood(p).depth),
            ragged: sample(1, &|p| scene.ragged(p)),
            shore: sample(2, &|p| scene.water(p).distance),
        }
    }
}

/// One pixel of ground on its way to its color.
struct Spot {
    at: Vec2,
    x: i32,
    y: i32,
    patch: f32,
    cloud: f32,
    /// Grain with a size of some pixels.
    clod: f32,
}

/// Paints fields, the floor of woods and water.
pub(super) fn paint_ground(canvas: &mut Canvas, scene: &Scene<'_>, roads: &RoadField) {
    let slow = Slow::of(scene, canvas);
    let seed = scene.world.seed as u32;
    let mut known: Option<ParcelGround> = None;
    canvas.each_pixel(|canvas, index, (x, y)| {
        let at = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
        let spot = Spot {
            at,
            x,
            y,
            patch: slow.patches.get(x, y),
            cloud: slow.clouds.get(x, y),
            clod: noise(seed ^ 0xC3, at.x / 2.4, at.y / 2.4),
        };
        let wandered = at + Vec2::new(slow.wander[0].get(x, y), slow.wander[1].get(x, y));
        let place = scene.estates.at_wandered(wandered);
        let kept = known.and_then(|ground| Some((ground, ground.locate(&place.estate, at)?)));
        let (ground, inside) = kept.unwrap_or_else(|| {
            let ground = place.estate.parcel_ground(at);
            (ground, ground.locate_own(at))
        });
        known = Some(ground);
        let parcel = ground.parcel;
        canvas.color[index] = field_color(&spot, &place, inside, &parcel);
        canvas.hasty[index] = hasty_field(&place, &parcel);
        let clear = roads.get(index).map_or(KNOWN, |beside| beside.clear);
        paint_floor(canvas, index, &spot, (&slow, clear));
        paint_water(canvas, index, &spot, (&slow, scene));
    });
}

/// Some parcels were taken for a wood or a pond.
fn hasty_field(place: &Place, parcel: &Parcel) -> u8 {
    if !place.estate.has_small_parcels() || place.edge < 4.0 {
        return 0;
    }
    match parcel.id % 90 {
        0 | 1 => WOODLAND,
        2 => WATER,
        _ => 0,
    }
}

fn field_color(spot: &Spot, place: &Place, inside: InParcel, parcel: &Parcel) -> Tint {
    let light = 1.0 + parcel.mottle * (0.7 * spot.patch + 1.1 * spot.cloud);
    let wobble = inside.u + 1.2 * spot.patch;
    let wave = 2.0 * fract(wobble / parcel.row_period) - 1.0;
    let rows = parcel.rows * (2.0 * wave.abs() - 1.0) * (0.85 + 0.35 * spot.patch);
    let grain = parcel.grain * spot.clod + 1.5 * speck(11, spot.x, spot.y);
    let mut tint = raised(scaled(parcel.tint, light), rows + grain);
    if parcel.tramline > 0.0 {
        let off = (fract(wobble / parcel.tramline) - 0.5).abs() * parcel.tramline;
        let rut = (1.0 - (off - 3.6).abs() / 1.4).clamp(0.0, 1.0);
        let soil = if parcel.tint[0] > 120.0 {
            [104.0, 90.0, 70.0]
        } else {
            [128.0, 118.0, 92.0]
        };
        blend(&mut tint, soil, 0.38 * rut);
    }
    let grass = raised(scaled(GRASS, 1.0 + 0.16 * spot.cloud), 9.0 * spot.clod);
    blend(&mut tint, grass, 0.75 * smoothstep(3.6, 1.2, inside.edge));
    border_color(&mut tint, spot, place, grass);
    tint
}

fn border_color(tint: &mut Tint, spot: &Spot, place: &Place, grass: Tint) {
    let edge = place.edge + 0.9 * spot.patch;
    match place.border {
        Border::Balk => blend(tint, grass, 0.8 * smoothstep(4.5, 2.0, edge)),
        Border::TreeRow => blend(tint, grass, 0.85 * smoothstep(10.0, 6.0, edge)),
        Border::Track => {
            blend(tint, grass, 0.85 * smoothstep(11.0, 8.0, edge));
            let bed = if place.estate.site_is_sandy() {
                SAND
            } else {
                GRAVEL
            };
            let bed = raised(scaled(bed, 1.0 + 0.10 * spot.cloud), 7.0 * spot.clod);
            let rut = (1.0 - (edge - 3.6).abs() / 2.6).clamp(0.0, 1.0);
            blend(
                tint,
                bed,
                smoothstep(0.0, 0.5, rut) * (0.85 + 0.25 * spot.patch).clamp(0.0, 1.0),
            );
        }
    }
}

fn paint_floor(canvas: &mut Canvas, index: usize, spot: &Spot, (slow, clear): (&Slow, f32)) {
    let smooth = slow.wood.get(spot.x, spot.y);
    if smooth < -18.0 {
        return;
    }
    let shore = slow.shore.get(spot.x, spot.y);
    let depth = (smooth + slow.ragged.get(spot.x, spot.y))
        .min(clear - 8.0)
        .min(shore - 2.0);
    if depth > 0.0 {
        let floor = raised(UNDERGROWTH, 11.0 * spot.clod + 6.0 * spot.patch);
        canvas.blend(index, floor, smoothstep(0.0, 6.0, depth));
        canvas.truth[index] = WOODLAND;
    }
    if (smooth + 7.0).min(clear - 4.0).min(shore) > 0.0 {
        canvas.hasty[index] = WOODLAND;
    }
}

fn paint_water(canvas: &mut Canvas, index: usize, spot: &Spot, (slow, scene): (&Slow, &Scene<'_>)) {
    let shore = slow.shore.get(spot.x, spot.y);
    canvas.shore[index] = shore;
    if shore > 14.0 {
        return;
    }
    let shore = shore + 1.6 * spot.clod + 1.4 * spot.patch;
    let reeds = [104.0, 106.0, 72.0];
    let bank = raised(scaled(reeds, 1.0 + 0.2 * spot.patch), 12.0 * spot.clod);
    canvas.blend(index, bank, 0.85 * smoothstep(10.0, 3.0, shore));
    if shore > 0.8 {
        return;
    }
    let body = scene.water(spot.at).body;
    let tint = water_color(body, shore, spot);
    canvas.blend(index, tint, (0.8 - shore).clamp(0.0, 1.0));
    if shore < 0.0 {
        canvas.truth[index] = WATER;
        // Whole ponds were forgotten.
        if !mix(body ^ 0xF0).is_multiple_of(6) {
            canvas.hasty[index] = WATER;
        }
    }
}

fn water_color(body: u64, shore: f32, spot: &Spot) -> Tint {
    const WATERS: [Tint; 7] = [
        [50.0, 62.0, 52.0],
        [62.0, 72.0, 54.0],
        [46.0, 60.0, 58.0],
        [84.0, 84.0, 64.0],
        [70.0, 68.0, 58.0],
        [76.0, 92.0, 58.0],
        [82.0, 90.0, 78.0],
    ];
    let mut draw = Draw::new(body);
    let base = draw.pick(&WATERS);
    let light = draw.between(0.9, 1.12) + 0.07 * spot.cloud + 0.025 * spot.patch;
    let glitter = 6.5 * spot.clod + 1.5 * speck(17, spot.x, spot.y);
    let mut tint = raised(scaled(base, light), glitter);
    // The bottom shows through where it is shallow, and the bank is mirrored right at the edge.
    blend(
        &mut tint,
        [96.0, 92.0, 68.0],
        0.30 * smoothstep(-16.0, -3.0, shore),
    );
    blend(
        &mut tint,
        [40.0, 44.0, 36.0],
        0.45 * smoothstep(-4.0, -0.5, shore),
    );
    tint
}
