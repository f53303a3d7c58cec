use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::field::{Border, EstateUse, Estates};
use super::noise::{Draw, mix, noise};
use super::plane::{Bounds, Vec2};
use super::road::{CELL, Road, Segment, Village, road_clearance, roads_of};
use super::village::{Plot, Surroundings, plots_along};
use super::water::{Pond, Rivers};
use super::wood::{Stand, Wood};

/// Distances to features are known up to this many pixels and cut off there, so that a block need
/// not know what lies farther away.
pub(super) const KNOWN: f32 = 60.0;
/// No feature reaches farther than this out of its owner cell and the next ones.
const STRAY: f32 = 260.0;
/// Cells kept in memory; one takes some tens of kilobytes.
const CELLS_KEPT: usize = 600;

/// An endless landscape that is a pure function of its seed.
#[derive(Debug)]
pub struct World {
    pub(super) seed: u64,
    pub(super) rivers: Rivers,
    /// Strength of each color channel, the look of one flight.
    pub(super) cast: [f32; 3],
    cells: Mutex<HashMap<(i32, i32), Arc<Cell>>>,
}

#[derive(Debug)]
struct Cell {
    segments: Vec<Segment>,
    pond: Pond,
    woods: Vec<Wood>,
    plots: Vec<Arc<Plot>>,
}

impl World {
    /// The landscape of `seed`.
    pub fn new(seed: u64) -> Self {
        let seed = mix(seed ^ 0x0B5E_55ED);
        let mut draw = Draw::new(seed ^ 0xCA57);
        let light = draw.between(0.97, 1.03);
        let cast = [0; 3].map(|_| light + 0.025 * draw.signed());
        Self {
            seed,
            rivers: Rivers::new(seed),
            cast,
            cells: Mutex::default(),
        }
    }

    fn segments_around(&self, cx: i32, cy: i32) -> Vec<Segment> {
        neighbours(cx, cy)
            .flat_map(|(x, y)| roads_of(self.seed, x, y))
            .flat_map(|road| road.segments().collect::<Vec<_>>())
            .collect()
    }

    fn pond(&self, cx: i32, cy: i32) -> Pond {
        Pond::of(self.seed, cx, cy, &self.segments_around(cx, cy))
    }

    fn make_cell(&self, cx: i32, cy: i32) -> Cell {
        let around = self.segments_around(cx, cy);
        let villages: Vec<Village> = neighbours(cx, cy)
            .map(|(x, y)| Village::of(self.seed, x, y))
            .collect();
        let ponds: Vec<Pond> = neighbours(cx, cy).map(|(x, y)| self.pond(x, y)).collect();
        let water = |p: Vec2| {
            let pond = ponds
                .iter()
                .map(|pond| pond.distance(p))
                .fold(KNOWN, f32::min);
            pond.min(self.rivers.distance(p).0)
        };
        let surroundings = Surroundings {
            segments: &around,
            villages: &villages,
            water,
        };
        let roads = roads_of(self.seed, cx, cy);
        let plots = plots_along(&roads, &surroundings)
            .into_iter()
            .map(Arc::new)
            .collect();
        Cell {
            segments: roads.iter().flat_map(Road::segments).collect(),
            pond: ponds[4],
            woods: Wood::of(self.seed, cx, cy, &around),
            plots,
        }
    }

    fn cell(&self, cx: i32, cy: i32) -> Arc<Cell> {
        let lock = || self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = lock().get(&(cx, cy)) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(self.make_cell(cx, cy));
        let mut cells = lock();
        if cells.len() >= CELLS_KEPT {
            cells.retain(|&(_, row), _| (row - cy).abs() <= 2);
        }
        Arc::clone(cells.entry((cx, cy)).or_insert(cell))
    }

    /// All that can be seen in `bounds`.
    pub(super) fn scene(&self, bounds: &Bounds) -> Scene<'_> {
        let wide = bounds.grown(STRAY);
        let index = |v: f32| (v / CELL).floor() as i32;
        let mut scene = Scene {
            world: self,
            segments: Vec::new(),
            ponds: Vec::new(),
            woods: Vec::new(),
            plots: Vec::new(),
            estates: Estates::around(self.seed, &bounds.grown(48.0)),
        };
        for cy in index(wide.min.y) - 1..=index(wide.max.y) {
            for cx in index(wide.min.x) - 1..=index(wide.max.x) {
                scene.add(&self.cell(cx, cy), bounds);
            }
        }
        scene
    }
}

/// The cell itself is the fifth of the nine.
fn neighbours(cx: i32, cy: i32) -> impl Iterator<Item = (i32, i32)> {
    (-1..=1).flat_map(move |dy| (-1..=1).map(move |dx| (cx + dx, cy + dy)))
}

/// The features that a block of pixels needs.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub world: &'a World,
    pub segments: Vec<Segment>,
    pub ponds: Vec<Pond>,
    pub plots: Vec<Arc<Plot>>,
    pub estates: Estates,
    woods: Vec<Wood>,
}

/// The nearest water.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaterAt {
    /// Distance to the shore, negative in the water, at most [`KNOWN`].
    pub distance: f32,
    /// Which river or pond it is.
    pub body: u64,
}

/// The trees at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct WoodAt {
    /// How deep inside a wood, negative outside, in pixels; roads and water not yet counted.
    pub depth: f32,
    pub stand: Stand,
}

impl Scene<'_> {
    fn add(&mut self, cell: &Cell, bounds: &Bounds) {
        let near = bounds.grown(40.0);
        self.segments.extend(
            cell.segments
                .iter()
                .filter(|s| s.bounds(s.half_width + KNOWN).touches(&near)),
        );
        let pond = Bounds::around(cell.pond.center(), 260.0 + KNOWN);
        if pond.touches(&near) {
            self.ponds.push(cell.pond);
        }
        self.woods.extend(
            cell.woods
                .iter()
                .filter(|wood| wood.bounds(KNOWN).touches(&near)),
        );
        let plots = cell
            .plots
            .iter()
            .filter(|plot| plot.bounds(KNOWN).touches(&near));
        self.plots.extend(plots.map(Arc::clone));
    }

    pub fn water(&self, p: Vec2) -> WaterAt {
        let (distance, body) = self.world.rivers.distance(p);
        let mut nearest = WaterAt {
            distance: distance.min(KNOWN),
            body,
        };
        for pond in &self.ponds {
            let distance = pond.distance(p);
            if distance < nearest.distance {
                nearest = WaterAt {
                    distance,
                    body: pond.id,
                };
            }
        }
        nearest
    }

    /// Distance to the nearest road's edge, at most [`KNOWN`].
    pub fn road_clearance(&self, p: Vec2) -> f32 {
        road_clearance(&self.segments, p).min(KNOWN)
    }

    pub fn wood(&self, p: Vec2) -> WoodAt {
        let mut at = WoodAt {
            depth: -KNOWN,
            stand: Stand::Mixed,
        };
        for wood in &self.woods {
            let depth = wood.depth(p);
            if depth > at.depth {
                at = WoodAt {
                    depth,
                    stand: wood.stand,
                };
            }
        }
        let place = self.estates.at(p);
        if place.estate.land == EstateUse::Plantation && place.edge - 7.0 > at.depth {
            at = WoodAt {
                depth: place.edge - 7.0,
                stand: Stand::Conifer,
            };
        }
        let homes = self
            .plots
            .iter()
            .map(|plot| plot.ground.distance(p))
            .fold(KNOWN, f32::min);
        at.depth = at.depth.min(homes - 4.0);
        at
    }

    /// How deep a wood or a row of trees is at `p` and what it is, with its ragged border and all
    /// that keeps trees away; `None` without trees.
    pub fn trees(&self, p: Vec2) -> Option<(TreeKind, Stand)> {
        let water = self.water(p).distance;
        if water < 3.0 || self.road_clearance(p) < 9.0 {
            return None;
        }
        let wood = self.wood(p);
        if wood.depth + self.ragged(p) > 2.0 {
            return Some((TreeKind::Wood, wood.stand));
        }
        if self.plots.iter().any(|plot| plot.ground.distance(p) < 5.0) {
            return None;
        }
        let seed = self.world.seed as u32;
        if water < 24.0 && noise(seed ^ 0xB4, p.x / 95.0, p.y / 95.0) > 0.18 {
            return Some((TreeKind::Row, Stand::Broadleaf));
        }
        let place = self.estates.at(p);
        let is_gap = noise(seed ^ 0xB5, p.x / 120.0, p.y / 120.0) < -0.35;
        let is_row = place.border == Border::TreeRow && place.edge < 8.0 && !is_gap;
        is_row.then_some((TreeKind::Row, Stand::Broadleaf))
    }

    /// The ragged part of the border of woods, in pixels.
    pub fn ragged(&self, p: Vec2) -> f32 {
        let seed = self.world.seed as u32;
        9.0 * noise(seed ^ 0xB1, p.x / 44.0, p.y / 44.0)
            + 4.0 * noise(seed ^ 0xB2, p.x / 15.0, p.y / 15.0)
    }
}

/// Which trees stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeKind {
    /// In a wood.
    Wood,
    /// In a row along a border or a bank; counts as woodland.
    Row,
    /// Alone in a garden or a field; counts as background.
    Single,
}
