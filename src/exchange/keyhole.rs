use std::collections::BTreeMap;

use super::Region;

/// A pixel corner (x, y) in level-0 pixels.
type Corner = (u32, u32);

/// A region as one ring, for formats without holes.
///
/// From the first corner of each hole a bridge goes left to the nearest edge of another ring, along
/// a row of corners whose lower pixels belong to the region. The ring goes there and back, so both
/// the even-odd and the nonzero rule give the region's pixels. The outer ring's direction stays.
pub(super) fn joined_ring(region: &Region) -> Vec<Corner> {
    let rings = &region.rings;
    let mut paths: Vec<Path> = rings.iter().map(|ring| Path::new(ring)).collect();
    for bridge in bridges(rings) {
        paths[bridge.ring].bridges.push((bridge.edge, bridge));
    }
    paths.iter_mut().for_each(Path::sort);
    walk(&paths)
}

/// Where a hole is joined to a ring.
#[derive(Clone, Copy)]
struct Bridge {
    /// The ring it leads to.
    ring: usize,
    /// The first corner of the edge there.
    edge: usize,
    /// The point on that edge.
    at: Corner,
    /// The hole's place among the rings.
    hole: usize,
}

/// A bridge from each hole.
///
/// The nearest edge on the left is never one of the hole itself, whose first corner is the leftmost
/// of the topmost ones; it is on a ring that starts above or, in the same row, on the left. So
/// bridges lead from each hole to the outer ring in the end.
fn bridges(rings: &[Vec<Corner>]) -> Vec<Bridge> {
    let mut edges = edges_along_columns(rings);
    edges.sort_unstable_by_key(|edge| edge.top);
    let mut holes: Vec<usize> = (1..rings.len()).collect();
    holes.sort_unstable_by_key(|&hole| rings[hole].first().map(|&(x, y)| (y, x)));
    // By column; an edge that ended is replaced by the next one there or left out when it is met.
    let mut open: BTreeMap<u32, Edge> = BTreeMap::new();
    let mut coming = edges.into_iter().peekable();
    let mut found = Vec::new();
    for hole in holes {
        let Some(&(x, y)) = rings[hole].first() else {
            continue;
        };
        while let Some(edge) = coming.next_if(|edge| edge.top <= y) {
            open.insert(edge.x, edge);
        }
        while let Some((&at, edge)) = open.range(..x).next_back() {
            if edge.bottom > y {
                found.push(Bridge {
                    ring: edge.ring,
                    edge: edge.index,
                    at: (at, y),
                    hole,
                });
                break;
            }
            open.remove(&at);
        }
    }
    found
}

/// An edge along a column of corners.
struct Edge {
    x: u32,
    top: u32,
    bottom: u32,
    ring: usize,
    /// The place of its first corner in the ring.
    index: usize,
}

fn edges_along_columns(rings: &[Vec<Corner>]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (number, ring) in rings.iter().enumerate() {
        let next = ring.iter().cycle().skip(1);
        for (index, (a, b)) in ring.iter().zip(next).enumerate() {
            if a.0 == b.0 {
                edges.push(Edge {
                    x: a.0,
                    top: a.1.min(b.1),
                    bottom: a.1.max(b.1),
                    ring: number,
                    index,
                });
            }
        }
    }
    edges
}

/// A ring and the bridges that lead to it, by edge.
struct Path<'a> {
    ring: &'a [Corner],
    bridges: Vec<(usize, Bridge)>,
}

impl<'a> Path<'a> {
    fn new(ring: &'a [Corner]) -> Self {
        Self {
            ring,
            bridges: Vec::new(),
        }
    }

    /// Brings the bridges into the order in which the ring comes by.
    fn sort(&mut self) {
        let ring = self.ring;
        self.bridges.sort_by_key(|&(edge, bridge)| {
            let (start, end) = (ring[edge].1, ring[(edge + 1) % ring.len()].1);
            let y = i64::from(bridge.at.1);
            (edge, if end > start { y } else { -y })
        });
    }
}

/// How far a ring was walked.
struct Step {
    ring: usize,
    /// The next corner; behind the last one it is the first again.
    corner: usize,
    /// The next of its bridges.
    bridge: usize,
    /// Where to go back to at the end.
    back: Option<Corner>,
}

/// All rings in one: each hole's is walked where its bridge is met.
fn walk(paths: &[Path<'_>]) -> Vec<Corner> {
    let start = |ring, back| Step {
        ring,
        corner: 0,
        bridge: 0,
        back,
    };
    let mut ring = Vec::new();
    let mut push = |at| {
        if ring.last() != Some(&at) {
            ring.push(at);
        }
    };
    // Holes may be joined in long chains, so this is no recursion.
    let mut steps: Vec<Step> = (!paths.is_empty())
        .then(|| start(0, None))
        .into_iter()
        .collect();
    while let Some(step) = steps.last_mut() {
        let path = &paths[step.ring];
        match path.bridges.get(step.bridge) {
            Some(&(edge, bridge)) if edge < step.corner => {
                step.bridge += 1;
                push(bridge.at);
                steps.push(start(bridge.hole, Some(bridge.at)));
                continue;
            }
            _ => {}
        }
        if let Some(&corner) = path.ring.get(step.corner) {
            push(corner);
            step.corner += 1;
            continue;
        }
        if let Some(back) = step.back {
            path.ring.first().into_iter().for_each(|&first| push(first));
            push(back);
        }
        steps.pop();
    }
    ring
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::polygonize;
    use super::super::test_masks::any_case;
    use super::*;
    use crate::geom::ImagePoint;
    use crate::label::{Figure, Mask, UNLABELED, rasterize};

    #[test]
    fn a_hole_is_joined_by_a_bridge_to_its_left() {
        let region = Region {
            class: 0,
            pixels: 8,
            rings: vec![
                vec![(0, 0), (0, 3), (3, 3), (3, 0)],
                vec![(1, 1), (2, 1), (2, 2), (1, 2)],
            ],
        };
        assert_eq!(
            joined_ring(&region),
            [
                (0, 0),
                (0, 1),
                (1, 1),
                (2, 1),
                (2, 2),
                (1, 2),
                (1, 1),
                (0, 1),
                (0, 3),
                (3, 3),
                (3, 0)
            ]
        );
    }

    #[test]
    fn long_chains_of_holes_are_one_ring() {
        const COUNT: u32 = 100_000;
        let mut rings = vec![vec![(0, 0), (0, 3), (2 * COUNT + 1, 3), (2 * COUNT + 1, 0)]];
        rings.extend((0..COUNT).map(|n| {
            let x = 2 * n + 1;
            vec![(x, 1), (x + 1, 1), (x + 1, 2), (x, 2)]
        }));
        let region = Region {
            class: 0,
            pixels: 1,
            rings,
        };
        assert!(joined_ring(&region).len() > 6 * COUNT as usize);
        let none = Region {
            class: 0,
            pixels: 0,
            rings: Vec::new(),
        };
        assert!(joined_ring(&none).is_empty());
    }

    /// The winding number of a ring around the center of each pixel of a row that starts at 0.
    fn windings(ring: &[(u32, u32)], y: u32, width: u32) -> Vec<i32> {
        let mut changes = vec![0; width as usize + 1];
        for (index, a) in ring.iter().enumerate() {
            let b = ring[(index + 1) % ring.len()];
            if a.0 == b.0 && a.1.min(b.1) <= y && y < a.1.max(b.1) {
                changes[a.0 as usize] += if b.1 > a.1 { 1 } else { -1 };
            }
        }
        let mut sum = 0;
        changes[..width as usize]
            .iter()
            .map(|change| {
                sum += change;
                sum
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn one_ring_holds_the_pixels_by_either_rule(case in any_case()) {
            let size = case.mask.size();
            let labeled = |class| class != UNLABELED;
            let regions = polygonize(&case.mask, size.bounds(), &labeled, &|| false);
            let regions = regions.expect("not cancelled");
            let shapes: Vec<_> = regions
                .iter()
                .map(|region| {
                    let ring = joined_ring(region);
                    let point = |(x, y)| ImagePoint::new(f64::from(x), f64::from(y));
                    let rings = vec![ring.into_iter().map(point).collect()];
                    (Figure::Area(rings), region.class)
                })
                .collect();
            let mut mask = Mask::new(size);
            rasterize(&mut mask, &shapes);
            prop_assert!(mask == case.mask);
            for region in regions.iter().take(20) {
                let ring = joined_ring(region);
                for y in (0..size.height).step_by(7) {
                    let is_wound = windings(&ring, y, size.width);
                    prop_assert!(is_wound.iter().all(|&winding| winding == 0 || winding == 1));
                }
            }
        }
    }
}
