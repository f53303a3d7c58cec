use super::noise::{Draw, SlowField, hash_at, noise};
use super::plane::{Bounds, Vec2};

/// Distance between neighbouring estates, in pixels.
const ESTATE_SPACING: f32 = 470.0;
/// How far the borders of estates wander.
const WANDER: f32 = 22.0;

pub(super) type Tint = [f32; 3];

/// What an estate is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EstateUse {
    Strips,
    Meadow,
    Plantation,
}

/// What runs along the border between two estates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Border {
    Balk,
    Track,
    TreeRow,
}

/// A group of parcels that share a direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estate {
    site: Vec2,
    id: u64,
    pub land: EstateUse,
    axis: Vec2,
    width: f32,
    length: f32,
}

/// The parts of an estate that lie next to a point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub estate: Estate,
    /// Distance to the border with the next estate.
    pub edge: f32,
    pub border: Border,
}

fn estate_at(seed: u64, i: i32, j: i32) -> Estate {
    let mut draw = Draw::at(seed ^ 0xE57A, i, j);
    let site = Vec2::new(
        (i as f32 + 0.5 + 0.4 * draw.signed()) * ESTATE_SPACING,
        (j as f32 + 0.5 + 0.4 * draw.signed()) * ESTATE_SPACING,
    );
    let woody = noise(seed as u32 ^ 0x77, site.x / 5_200.0, site.y / 5_200.0);
    let lot = draw.unit();
    let plantation = 0.07 + 0.09 * woody;
    let land = if lot < plantation {
        EstateUse::Plantation
    } else if lot < plantation + 0.22 {
        EstateUse::Meadow
    } else {
        EstateUse::Strips
    };
    // Neighbours often share a direction, as if one road had laid them out.
    let general = 1.6 * noise(seed as u32 ^ 0x78, site.x / 1_700.0, site.y / 1_700.0);
    let turn = if draw.chance(0.3) {
        std::f32::consts::FRAC_PI_2
    } else {
        0.0
    };
    Estate {
        site,
        id: draw.bits(),
        land,
        axis: Vec2::from_angle(general + turn + 0.2 * draw.signed()),
        width: draw.between(46.0, 140.0),
        length: draw.between(240.0, 640.0),
    }
}

/// The estates that matter to a block.
#[derive(Debug)]
pub(super) struct Estates {
    seed: u64,
    nearby: Vec<Estate>,
}

impl Estates {
    /// Keeps just the estates that can be first or second nearest inside `bounds`.
    pub fn around(seed: u64, bounds: &Bounds) -> Self {
        let low = bounds.min * (1.0 / ESTATE_SPACING);
        let high = bounds.max * (1.0 / ESTATE_SPACING);
        let mut nearby = Vec::new();
        for j in low.y.floor() as i32 - 2..=high.y.floor() as i32 + 2 {
            for i in low.x.floor() as i32 - 2..=high.x.floor() as i32 + 2 {
                nearby.push(estate_at(seed, i, j));
            }
        }
        let center = bounds.center();
        let mut reach: Vec<f32> = nearby.iter().map(|e| e.site.distance(center)).collect();
        reach.sort_by(f32::total_cmp);
        let limit = reach[1] + 2.0 * (bounds.max.distance(center) + 2.0 * WANDER);
        nearby.retain(|estate| estate.site.distance(center) <= limit);
        Self { seed, nearby }
    }

    /// The slow offsets that make borders wander, for a block.
    pub fn wander(&self, origin: (i32, i32), extent: (usize, usize)) -> [SlowField; 2] {
        [0, 1].map(|axis| SlowField::sample(3, origin, extent, |at| self.offset(at, axis)))
    }

    fn offset(&self, at: Vec2, axis: u32) -> f32 {
        WANDER * noise(self.seed as u32 ^ (0xA0 + axis), at.x / 210.0, at.y / 210.0)
    }

    /// The estate at `p` with borders wandering.
    pub fn at(&self, p: Vec2) -> Place {
        self.at_wandered(p + Vec2::new(self.offset(p, 0), self.offset(p, 1)))
    }

    /// The estate at a point that has wandered already.
    pub fn at_wandered(&self, p: Vec2) -> Place {
        let (mut first, mut second) = ((f32::MAX, 0), (f32::MAX, 0));
        for (index, estate) in self.nearby.iter().enumerate() {
            let off = p - estate.site;
            let squared = off.dot(off);
            if squared < first.0 {
                (second, first) = (first, (squared, index));
            } else if squared < second.0 {
                second = (squared, index);
            }
        }
        let (a, b) = (self.nearby[first.1], self.nearby[second.1]);
        let edge = (second.0 - first.0) / (2.0 * a.site.distance(b.site)).max(1.0);
        let border = match (a.id ^ b.id) % 9 {
            0..4 => Border::Track,
            4..6 => Border::TreeRow,
            _ => Border::Balk,
        };
        Place {
            estate: a,
            edge,
            border,
        }
    }
}

/// How a parcel looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel {
    pub id: u64,
    pub tint: Tint,
    /// Strength of clods and tufts, grey levels.
    pub grain: f32,
    /// Strength of the drill rows, grey levels.
    pub rows: f32,
    /// Distance between drill rows, in pixels.
    pub row_period: f32,
    /// Strength of patches, as a share.
    pub mottle: f32,
    /// Distance between tractor tracks in pixels, 0 when there are none.
    pub tramline: f32,
}

/// A parcel and where it lies; kept from pixel to pixel, since the next one is mostly in it too.
#[derive(Clone, Copy, Debug)]
pub(super) struct ParcelGround {
    estate: u64,
    axis: Vec2,
    pub parcel: Parcel,
    u: (f32, f32),
    v: (f32, f32),
}

/// A point inside its parcel.
#[derive(Clone, Copy, Debug)]
pub(super) struct InParcel {
    /// Across the rows.
    pub u: f32,
    /// Distance to the nearest side of the parcel.
    pub edge: f32,
}

impl ParcelGround {
    /// Where `p` of `estate` is in here, `None` when it is in another parcel.
    pub fn locate(&self, estate: &Estate, p: Vec2) -> Option<InParcel> {
        let at = p.in_frame(self.axis);
        let edge_u = (at.x - self.u.0).min(self.u.1 - at.x);
        let edge_v = (at.y - self.v.0).min(self.v.1 - at.y);
        // A shared side belongs to both; the parcels must not depend on where the pixels before
        // were, so points on a side are always looked up.
        let is_inside = self.estate == estate.id && edge_u > 0.01 && edge_v > 0.01;
        is_inside.then_some(InParcel {
            u: at.x,
            edge: edge_u.min(edge_v),
        })
    }

    /// Where `p` is when this was made for it.
    pub fn locate_own(&self, p: Vec2) -> InParcel {
        let at = p.in_frame(self.axis);
        let edge_u = (at.x - self.u.0).min(self.u.1 - at.x);
        let edge_v = (at.y - self.v.0).min(self.v.1 - at.y);
        InParcel {
            u: at.x,
            edge: edge_u.min(edge_v),
        }
    }
}

impl Estate {
    /// Whether its parcels are small enough to be taken for something else as a whole.
    pub fn has_small_parcels(&self) -> bool {
        self.land == EstateUse::Strips
    }

    /// Whether tracks around here are pale sand rather than gravel.
    pub const fn site_is_sandy(&self) -> bool {
        (self.id >> 40).is_multiple_of(4)
    }

    /// The parcel that holds `p`.
    pub fn parcel_ground(&self, p: Vec2) -> ParcelGround {
        let at = p.in_frame(self.axis);
        let (width, length) = match self.land {
            EstateUse::Strips => (self.width, self.length),
            _ => (3.0 * self.width, self.length),
        };
        let (iu, from_u, to_u) = uneven_cell(self.id, at.x / width);
        let (iv, from_v, to_v) = uneven_cell(self.id ^ iu as u64, at.y / length);
        ParcelGround {
            estate: self.id,
            axis: self.axis,
            parcel: self.parcel(hash_at(self.id, iu, iv)),
            u: (from_u * width, to_u * width),
            v: (from_v * length, to_v * length),
        }
    }

    /// The look of the parcel `key` of this estate.
    fn parcel(&self, key: u64) -> Parcel {
        let mut draw = Draw::new(key);
        let id = draw.bits();
        let crop = match self.land {
            EstateUse::Strips => draw.pick(&CROPS),
            EstateUse::Meadow => draw.pick(&MEADOWS),
            EstateUse::Plantation => FOREST_FLOOR,
        };
        let light = draw.between(0.88, 1.12);
        let tint = crop.tint.map(|c| c * light + 3.5 * draw.signed());
        Parcel {
            id,
            tint,
            grain: crop.grain * draw.between(0.7, 1.4),
            rows: crop.rows * draw.between(0.75, 1.15),
            row_period: draw.between(5.5, 10.5),
            mottle: draw.between(0.04, 0.14),
            tramline: if crop.has_tramlines {
                draw.between(62.0, 96.0)
            } else {
                0.0
            },
        }
    }
}

/// The part of an uneven division of a line that holds `x`: its index, start and end.
fn uneven_cell(seed: u64, x: f32) -> (i32, f32, f32) {
    let cut = |i: i32| i as f32 + 0.3 * Draw::at(seed ^ 0xC07, i, 3).signed();
    let near = x.round() as i32;
    let middle = cut(near);
    if x < middle {
        (near - 1, cut(near - 1), middle)
    } else {
        (near, middle, cut(near + 1))
    }
}

#[derive(Clone, Copy)]
struct Crop {
    tint: Tint,
    grain: f32,
    rows: f32,
    has_tramlines: bool,
}

const fn crop(tint: Tint, grain: f32, rows: f32, has_tramlines: bool) -> Crop {
    Crop {
        tint,
        grain,
        rows,
        has_tramlines,
    }
}

const FOREST_FLOOR: Crop = crop([70.0, 74.0, 52.0], 9.0, 0.0, false);

/// Colors as in summer orthophotos. Most are those of woods, water, roofs or asphalt as well, with
/// about the same roughness within a few pixels; what differs is the pattern: fields have rows.
const CROPS: [Crop; 27] = [
    crop([98.0, 113.0, 70.0], 4.0, 4.0, true),
    crop([82.0, 104.0, 60.0], 5.0, 5.0, true),
    crop([164.0, 150.0, 108.0], 4.0, 5.0, true),
    crop([166.0, 158.0, 128.0], 3.0, 6.0, false),
    crop([142.0, 136.0, 96.0], 5.0, 3.0, true),
    crop([70.0, 90.0, 54.0], 10.0, 6.0, true),
    // Tall and rough like woods.
    crop([46.0, 64.0, 40.0], 19.0, 9.0, false),
    crop([40.0, 56.0, 36.0], 22.0, 6.0, false),
    crop([54.0, 70.0, 44.0], 24.0, 8.0, false),
    crop([36.0, 48.0, 34.0], 17.0, 11.0, false),
    crop([60.0, 76.0, 48.0], 20.0, 11.0, false),
    crop([50.0, 68.0, 46.0], 25.0, 9.0, false),
    // Dark like water, in rows.
    crop([54.0, 66.0, 54.0], 1.2, 8.5, true),
    crop([64.0, 72.0, 56.0], 1.2, 9.0, true),
    crop([80.0, 78.0, 62.0], 1.2, 9.0, true),
    crop([68.0, 80.0, 58.0], 1.2, 8.5, true),
    // Bare soil like asphalt, in furrows.
    crop([120.0, 118.0, 114.0], 1.5, 7.5, true),
    crop([106.0, 104.0, 99.0], 1.5, 7.5, false),
    crop([142.0, 139.0, 132.0], 1.5, 7.5, true),
    crop([130.0, 126.0, 118.0], 1.5, 8.5, false),
    crop([112.0, 110.0, 105.0], 1.5, 8.5, true),
    // Soil like roofs, in furrows.
    crop([118.0, 84.0, 70.0], 2.0, 10.0, true),
    crop([140.0, 100.0, 80.0], 2.0, 10.0, false),
    crop([126.0, 92.0, 76.0], 2.0, 10.0, false),
    crop([110.0, 94.0, 80.0], 2.0, 8.0, true),
    crop([92.0, 80.0, 70.0], 2.5, 9.0, false),
    crop([132.0, 118.0, 98.0], 2.0, 8.5, false),
];

const MEADOWS: [Crop; 9] = [
    crop([102.0, 116.0, 74.0], 7.0, 0.0, false),
    crop([86.0, 104.0, 64.0], 11.0, 0.0, false),
    crop([64.0, 80.0, 50.0], 16.0, 0.0, false),
    crop([134.0, 130.0, 92.0], 8.0, 2.0, false),
    crop([58.0, 72.0, 48.0], 2.0, 7.0, true),
    crop([112.0, 120.0, 80.0], 4.0, 3.0, false),
    crop([50.0, 66.0, 42.0], 21.0, 0.0, false),
    crop([44.0, 58.0, 38.0], 23.0, 0.0, false),
    crop([52.0, 68.0, 46.0], 26.0, 0.0, false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_out_far_estates_changes_nothing() {
        let small = Estates::around(7, &Bounds::around(Vec2::new(900.0, 500.0), 60.0));
        let large = Estates::around(7, &Bounds::around(Vec2::new(900.0, 500.0), 900.0));
        for i in 0..100 {
            let p = Vec2::new(850.0 + i as f32, 555.0 - i as f32);
            let (a, b) = (small.at(p), large.at(p));
            assert_eq!(
                (a.estate.id, a.edge.to_bits()),
                (b.estate.id, b.edge.to_bits())
            );
        }
    }

    #[test]
    fn cuts_of_an_uneven_division_belong_to_one_side_each() {
        for i in 0..4_000 {
            let x = i as f32 * 0.01 - 20.0;
            let (index, from, to) = uneven_cell(9, x);
            assert!(
                from <= x && x <= to && (from - index as f32).abs() <= 0.3,
                "{x}: {from}"
            );
        }
    }
}
