use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::hint::Side;
use super::maxflow::FlowGraph;
use super::object_color::densities;
use super::region_graph::{RegionGraph, distance_squared};

/// A capacity that no cut is worth.
const FIRM: f32 = 1e6;

/// Distance at which ground is no longer the hint's own, in edges crossed.
const NEAR: f32 = 6.0;

/// How much a hint against the object counts among colors of the background.
const AGAINST_SHARE: f32 = 0.1;

/// How much the hints count among colors of the object once it is known roughly.
const SEED_SHARE: f32 = 5.0;

/// Colors rarer than this tell nothing.
const RARE: f32 = 0.02;

/// The most that color may say, as the logarithm of odds.
const MOST_COLOR: f32 = 2.5;

/// What being nearer to hints of one side says.
const PLACE_WEIGHT: f32 = 4.0;

/// What an edge of no contrast costs a pixel of its length.
const EDGE_WEIGHT: f32 = 2.0;

/// How much the object is favored in the cuts among which one is chosen.
const FAVORS: [f32; 9] = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];

/// What the hints say of each region.
pub(super) struct Seeds(Vec<Option<Side>>);

impl Seeds {
    /// Each region goes with most of its marked pixels, and when they tie it is for the object.
    pub(super) fn of(marks: &[Option<Side>], labels: &[u32], num: usize) -> Self {
        let mut votes: Vec<Option<i32>> = vec![None; num];
        for (mark, &label) in marks.iter().zip(labels) {
            if let Some(side) = mark {
                let vote = if *side == Side::For { 1 } else { -1 };
                *votes[label as usize].get_or_insert(0) += vote;
            }
        }
        let side = |votes: i32| if votes >= 0 { Side::For } else { Side::Against };
        Self(votes.into_iter().map(|votes| votes.map(side)).collect())
    }

    fn is(&self, region: usize, side: Side) -> bool {
        self.0[region] == Some(side)
    }

    fn any(&self, side: Side) -> bool {
        self.0.contains(&Some(side))
    }
}

/// Whether each region belongs to the object; `reach` is its expected width in pixels at most.
pub(super) fn chosen_regions(graph: &RegionGraph, seeds: &Seeds, reach: f32) -> Vec<bool> {
    let search = Search::new(graph, seeds, reach);
    let weigh = |weight: &dyn Fn(usize) -> f32| (0..graph.num()).map(weight).collect::<Vec<f32>>();
    let total: f32 = graph.areas.iter().sum();
    let is_for = |region: usize| f32::from(u8::from(seeds.is(region, Side::For)));
    let outside = weigh(&|region| {
        let own = graph.areas[region] * (1.0 - is_for(region));
        let far = own * (1.0 - (-search.near[region] / NEAR).exp());
        let is_against = f32::from(u8::from(seeds.is(region, Side::Against)));
        far + is_against * total * AGAINST_SHARE
    });
    let inside = weigh(&|region| graph.areas[region] * is_for(region));
    let first = search.best_cut(&search.costs(&inside, &outside));
    let share = |region: usize| f32::from(u8::from(first[region]));
    let refit = weigh(&|region| graph.areas[region] * share(region) + SEED_SHARE * inside[region]);
    let rest = weigh(&|region| outside[region] * (1.0 - share(region)));
    search.best_cut(&search.costs(&refit, &rest))
}

/// What stays the same while the object's colors are learned.
struct Search<'a> {
    graph: &'a RegionGraph,
    seeds: &'a Seeds,
    reach: f32,
    /// How far each region is from hints for the object.
    near: Vec<f32>,
    /// What each region's place costs the object.
    place: Vec<f32>,
    /// Edges of the flow graph.
    pairs: Vec<(u32, u32, f32, f32)>,
}

impl<'a> Search<'a> {
    fn new(graph: &'a RegionGraph, seeds: &'a Seeds, reach: f32) -> Self {
        let near = distances(graph, seeds, Side::For);
        let far = distances(graph, seeds, Side::Against);
        let weight = if seeds.any(Side::Against) {
            PLACE_WEIGHT
        } else {
            0.0
        };
        let place = near.iter().zip(&far).map(|(&near, &far)| {
            let nearer = (near - far) / (near + far).max(1e-3);
            weight * nearer + 0.3 * (near / NEAR).min(3.0)
        });
        let pairs = graph.borders.iter().map(|border| {
            let weak = 1.0 - graph.strength(border.contrast);
            let capacity = border.length * (EDGE_WEIGHT * weak + 0.05);
            (border.ends.0, border.ends.1, capacity, capacity)
        });
        Self {
            graph,
            seeds,
            reach,
            place: place.collect(),
            pairs: pairs.collect(),
            near,
        }
    }

    /// What each region costs the object a pixel, by its color and place.
    fn costs(&self, inside: &[f32], outside: &[f32]) -> Vec<f32> {
        let inside = densities(&self.graph.features, inside);
        let outside = densities(&self.graph.features, outside);
        let colors = inside.iter().zip(outside).map(|(inside, outside)| {
            let odds = (outside + RARE) / (inside + RARE);
            odds.ln().clamp(-MOST_COLOR, MOST_COLOR)
        });
        colors
            .zip(&self.place)
            .map(|(color, place)| color + place)
            .collect()
    }

    /// The best of several cuts, the first of those that are equally good.
    fn best_cut(&self, costs: &[f32]) -> Vec<bool> {
        let mut best = (f32::NEG_INFINITY, vec![false; self.graph.num()]);
        for favor in FAVORS {
            let cut = self.cut(costs, favor);
            let score = self.score(&cut, costs);
            if score > best.0 {
                best = (score, cut);
            }
        }
        best.1
    }

    fn cut(&self, costs: &[f32], favor: f32) -> Vec<bool> {
        let terminal = (0..self.graph.num()).map(|region| match self.seeds.0[region] {
            Some(Side::For) => FIRM,
            Some(Side::Against) => -FIRM,
            // Ground that no path of known pixels leads to.
            None if self.near[region].is_infinite() => -FIRM,
            None => (favor - costs[region]) * self.graph.areas[region] / self.graph.side,
        });
        FlowGraph::new(terminal.collect(), &self.pairs).cut()
    }

    /// How good an object is: its outline runs along edges, its colors are its own, and it is
    /// neither wider than expected nor a speck.
    fn score(&self, cut: &[bool], costs: &[f32]) -> f32 {
        let graph = self.graph;
        let (mut length, mut strong) = (0.0, 0.0);
        for border in &graph.borders {
            if cut[border.ends.0 as usize] != cut[border.ends.1 as usize] {
                length += border.length;
                strong += border.length * graph.strength(border.contrast);
            }
        }
        let (mut area, mut cost) = (0.0, 0.0);
        for region in (0..graph.num()).filter(|&region| cut[region]) {
            // The edge of the window is no evidence, and no reason to shun it.
            length += 0.3 * graph.open[region];
            area += graph.areas[region];
            cost += graph.areas[region] * costs[region];
        }
        let too_wide = (area.sqrt() / self.reach - 1.0).max(0.0);
        let num_sides = (area.sqrt() / graph.side).max(0.5);
        strong / length.max(1.0) - 0.1 * cost / area.max(1.0) - 0.5 * too_wide - 0.3 / num_sides
    }
}

/// How far each region is from hints of one side along the path that crosses the weakest edges;
/// infinite where none leads. E. W. Dijkstra (1959).
fn distances(graph: &RegionGraph, seeds: &Seeds, side: Side) -> Vec<f32> {
    let mut distances = vec![f32::INFINITY; graph.num()];
    let mut heap = BinaryHeap::new();
    for region in (0..graph.num()).filter(|&region| seeds.is(region, side)) {
        distances[region] = 0.0;
        heap.push(Reached {
            distance: 0.0,
            region,
        });
    }
    while let Some(Reached { distance, region }) = heap.pop() {
        if distance > distances[region] {
            continue;
        }
        let (x, y) = graph.middles[region];
        for (other, border) in graph.borders_around(region) {
            let (to_x, to_y) = graph.middles[other];
            let way = (x - to_x).hypot(y - to_y) / graph.side;
            let change = distance_squared(&graph.features[region], &graph.features[other]).sqrt();
            let edge = 0.5 * (border.contrast + change) / graph.edge;
            let new = distance + 0.1 * way + edge.min(5.0);
            if new < distances[other] {
                distances[other] = new;
                heap.push(Reached {
                    distance: new,
                    region: other,
                });
            }
        }
    }
    if !seeds.any(side) {
        distances.fill(1e3);
    }
    distances
}

/// A region that is reached, the nearest first and of several the one of the lowest number.
struct Reached {
    distance: f32,
    region: usize,
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        let nearer = other.distance.total_cmp(&self.distance);
        nearer.then(other.region.cmp(&self.region))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Reached {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Reached {}

#[cfg(test)]
mod tests {
    use super::super::slic::NO_LABEL;
    use super::*;

    #[test]
    fn a_region_goes_with_most_of_its_marks() {
        let (yes, no) = (Some(Side::For), Some(Side::Against));
        let marks = [yes, no, no, yes, no, None, None];
        let seeds = Seeds::of(&marks, &[0, 0, 0, 1, 1, 1, NO_LABEL], 3);
        assert_eq!(seeds.0, [no, yes, None]);
    }
}
