use super::super::Region;
use super::corners::{Corner, Corners};
use crate::geom::{ImagePoint, PixelRect};

/// No arc, no node.
const NONE: u32 = u32::MAX;

/// The borders between regions, cut at nodes, and the rings as walks along them.
///
/// Nodes are corners where borders to three or more sides meet, corners on the frame, and one
/// corner of each border that has no other node.
pub(super) struct Arcs {
    /// The corners of all arcs, one arc after the other, first and last ones included.
    pub(super) points: Vec<ImagePoint>,
    /// Where each arc begins in `points`, and the end of the last one.
    starts: Vec<usize>,
    /// Arcs that are a whole border by themselves: no third region meets them.
    pub(super) is_island: Vec<bool>,
    /// Arcs beside a region of a class that is to be squared.
    pub(super) is_squared: Vec<bool>,
    /// The steps of each ring of each region in order.
    pub(super) rings: Vec<Vec<Step>>,
}

/// An arc that a ring takes, forwards or backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(u32);

impl Step {
    const NONE: Self = Self(NONE);

    /// The number of the arc.
    pub(super) fn arc(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether the arc is taken from its end to its start.
    pub(super) fn is_backwards(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Arcs {
    /// The borders of regions in `frame`; `None` when cancelled.
    pub(super) fn of(
        regions: &[Region],
        frame: PixelRect,
        is_squared: &dyn Fn(u8) -> bool,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Self> {
        let corners = Corners::of(regions.iter().flat_map(|region| &region.rings));
        if is_cancelled() {
            return None;
        }
        let nodes = nodes(regions, &corners, frame);
        let mut walk = Walk::new(&corners, &nodes);
        for region in regions {
            if is_cancelled() {
                return None;
            }
            let is_squared = is_squared(region.class);
            for ring in &region.rings {
                walk.add_ring(ring, is_squared);
            }
        }
        Some(walk.arcs)
    }

    /// The number of arcs.
    pub(super) fn len(&self) -> usize {
        self.is_island.len()
    }

    /// Where an arc's corners stand in `points`.
    pub(super) fn range(&self, arc: usize) -> std::ops::Range<usize> {
        self.starts[arc]..self.starts[arc + 1]
    }
}

/// East, south, west and north as 0 to 3.
fn direction(from: Corner, to: Corner) -> usize {
    match (from.0 == to.0, from < to) {
        (false, true) => 0,
        (true, true) => 1,
        (false, false) => 2,
        (true, false) => 3,
    }
}

/// Whether each corner is a node.
fn nodes(regions: &[Region], corners: &Corners, frame: PixelRect) -> Vec<bool> {
    let mut sides = vec![0_u8; corners.len()];
    for ring in regions.iter().flat_map(|region| &region.rings) {
        for (index, &from) in ring.iter().enumerate() {
            let to = ring[(index + 1) % ring.len()];
            let (there, back) = (1 << direction(from, to), 1 << direction(to, from));
            sides[corners.number(from) as usize] |= there;
            sides[corners.number(to) as usize] |= back;
            // A ring that goes straight past a corner is a side of it all the same.
            corners.between(from, to, |number| sides[number as usize] |= there | back);
        }
    }
    let on_frame =
        |(x, y): Corner| x == frame.x || y == frame.y || x == frame.right() || y == frame.bottom();
    (0..)
        .zip(&sides)
        .map(|(number, side)| side.count_ones() > 2 || on_frame(corners.at(number)))
        .collect()
}

/// Goes along rings and notes each arc when it is met first.
struct Walk<'a> {
    corners: &'a Corners,
    /// The number of each corner among the nodes.
    nodes: Vec<u32>,
    /// The arc that leaves each node in each direction.
    leaving: Vec<[Step; 4]>,
    /// How many nodes other arcs may share or the frame holds; later ones are alone.
    num_shared: u32,
    /// The ring in hand: numbers of its corners, those that it passes straight included.
    ring: Vec<u32>,
    arcs: Arcs,
}

impl<'a> Walk<'a> {
    fn new(corners: &'a Corners, is_node: &[bool]) -> Self {
        let mut count = 0;
        let nodes = is_node
            .iter()
            .map(|&is_node| {
                count += u32::from(is_node);
                if is_node { count - 1 } else { NONE }
            })
            .collect();
        Self {
            corners,
            nodes,
            leaving: vec![[Step::NONE; 4]; count as usize],
            num_shared: count,
            ring: Vec::new(),
            arcs: Arcs {
                points: Vec::new(),
                starts: vec![0],
                is_island: Vec::new(),
                is_squared: Vec::new(),
                rings: Vec::new(),
            },
        }
    }

    fn add_ring(&mut self, ring: &[Corner], is_squared: bool) {
        self.ring.clear();
        for (index, &from) in ring.iter().enumerate() {
            let to = ring[(index + 1) % ring.len()];
            self.ring.push(self.corners.number(from));
            self.corners
                .between(from, to, |number| self.ring.push(number));
        }
        let is_node = |number: &u32| self.nodes[*number as usize] != NONE;
        let start = self.ring.iter().position(is_node);
        let start = start.unwrap_or_else(|| self.add_node());
        self.ring.rotate_left(start);
        self.ring.push(self.ring[0]);
        let (mut steps, mut from) = (Vec::new(), 0);
        for to in 1..self.ring.len() {
            if self.nodes[self.ring[to] as usize] != NONE {
                let step = self.step(from, to);
                self.arcs.is_squared[step.arc()] |= is_squared;
                steps.push(step);
                from = to;
            }
        }
        self.arcs.rings.push(steps);
    }

    /// Makes the first corner by row and column of a ring without nodes one; its place in the ring.
    ///
    /// The ring on the other side of the border chooses the same one.
    fn add_node(&mut self) -> usize {
        let first = (0..self.ring.len()).min_by_key(|&at| self.ring[at]);
        let first = first.expect("rings have corners");
        self.nodes[self.ring[first] as usize] = self.leaving.len() as u32;
        self.leaving.push([Step::NONE; 4]);
        first
    }

    /// The arc between two places in the ring, which is known when the other side came by.
    fn step(&mut self, from: usize, to: usize) -> Step {
        let corner = |place: usize| self.corners.at(self.ring[place]);
        let node = |place: usize| self.nodes[self.ring[place] as usize] as usize;
        let (start, end) = (node(from), node(to));
        let out = direction(corner(from), corner(from + 1));
        let known = self.leaving[start][out];
        if known != Step::NONE {
            return known;
        }
        let back = direction(corner(to), corner(to - 1));
        // From the same end whichever side comes first: ways to simplify depend on it.
        let is_backwards = (self.ring[to], back) < (self.ring[from], out);
        let begin = self.arcs.points.len();
        let points = (from..=to).map(corner);
        let points = points.map(|(x, y)| ImagePoint::new(f64::from(x), f64::from(y)));
        self.arcs.points.extend(points);
        if is_backwards {
            self.arcs.points[begin..].reverse();
        }
        self.arcs.starts.push(self.arcs.points.len());
        let arc = self.arcs.is_island.len() as u32;
        let is_island = start >= self.num_shared as usize;
        self.arcs.is_island.push(is_island);
        self.arcs.is_squared.push(false);
        let step = Step(arc << 1 | u32::from(is_backwards));
        self.leaving[start][out] = step;
        self.leaving[end][back] = Step(step.0 ^ 1);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::polygonize;
    use super::super::super::test_masks::mask_of;
    use super::*;

    fn arcs(rows: &[&str]) -> Arcs {
        let mask = mask_of(rows);
        let frame = mask.size().bounds();
        let regions = polygonize(&mask, frame, &|_| true, &|| false).expect("not cancelled");
        Arcs::of(&regions, frame, &|class| class == 2, &|| false).expect("not cancelled")
    }

    #[test]
    fn three_regions_meet_in_a_node() {
        let arcs = arcs(&["1122", "1122", "3333"]);
        // Around the frame: 4 corners and 3 ends of borders; inside: 3 arcs from one node.
        assert_eq!(arcs.len(), 7 + 3);
        assert_eq!(arcs.points.len(), 2 * 10);
        assert!(!arcs.is_island.contains(&true));
        let shared: Vec<Step> = arcs.rings.concat();
        let takes = |arc| shared.iter().filter(|step| step.arc() == arc).count();
        let count = |times| (0..arcs.len()).filter(|&arc| takes(arc) == times).count();
        assert_eq!((count(1), count(2)), (7, 3));
    }

    #[test]
    fn an_island_is_one_arc_that_both_sides_take() {
        let arcs = arcs(&["11111", "12211", "11211", "11111"]);
        let island = arcs.is_island.iter().position(|&is_island| is_island);
        let island = island.expect("one island");
        assert_eq!(arcs.range(island).len(), 7);
        assert!(arcs.is_squared[island]);
        let [hole, ring] = [&arcs.rings[1], &arcs.rings[2]].map(|steps| steps[0]);
        assert_eq!((hole.arc(), ring.arc()), (island, island));
        assert_ne!(hole.is_backwards(), ring.is_backwards());
    }

    #[test]
    fn pixels_that_touch_by_corners_are_no_islands() {
        let arcs = arcs(&["1111", "1211", "1121", "1111"]);
        assert!(!arcs.is_island.contains(&true));
        assert_eq!(arcs.rings[1].len(), 1, "a loop at the node between them");
    }
}
