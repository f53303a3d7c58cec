use super::chains::{Chains, NO_NODE};
use super::open::OpenRegions;
use super::polygonize::Region;
use super::rows::{NOTHING, Start};

/// Neighbors of one class in a row, up to the start of the next run.
#[derive(Clone, Copy)]
struct Run {
    start: u32,
    class: u16,
    /// Its number among the open regions.
    region: u32,
    /// The turn at the far end of the edge on its left, which runs down.
    left: u32,
    /// The turn at the far end of the edge on its right, which runs up.
    right: u32,
}

/// The four edges that may meet in a corner, clockwise as seen on the screen.
const WEST: usize = 0;
const NORTH: usize = 1;
const EAST: usize = 2;
const SOUTH: usize = 3;

/// The runs around a corner by their places in the rows above and below.
struct Around {
    upper_left: usize,
    upper_right: usize,
    lower_left: usize,
    lower_right: usize,
}

/// Goes over rows from top to bottom, knows the last one, and joins the edges between runs of
/// different classes to the rings of the regions on both sides.
pub(super) struct Sweep {
    upper: Vec<Run>,
    lower: Vec<Run>,
    /// The turns at the far ends of the edge that comes to the corner from the left: that of the
    /// region above, then that of the region below.
    west: [u32; 2],
    regions: OpenRegions,
    chains: Chains,
}

impl Sweep {
    /// A sweep that has come to an area from above.
    pub(super) fn new(row: &[Start]) -> Self {
        Self {
            upper: row.iter().copied().map(Run::new).collect(),
            lower: Vec::new(),
            west: [NO_NODE; 2],
            regions: OpenRegions::default(),
            chains: Chains::default(),
        }
    }

    /// Goes on to row `y` with these runs; adds the regions that ended above it.
    pub(super) fn go_on(&mut self, y: u32, row: &[Start], finished: &mut Vec<Region>) {
        let is_same =
            |(run, start): (&Run, &Start)| (run.start, run.class) == (start.x, start.class);
        if self.upper.len() == row.len() && self.upper.iter().zip(row).all(is_same) {
            self.count_pixels();
            return;
        }
        self.lower.clear();
        self.lower.extend(row.iter().copied().map(Run::new));
        self.find_regions(y);
        self.add_corners(y);
        for run in self.upper.iter().filter(|run| run.class != NOTHING) {
            if let Some(region) = self.regions.take_finished(run.region, y) {
                finished.push(Region {
                    class: region.class,
                    pixels: region.pixels,
                    rings: self.chains.take_rings(region.entries),
                });
            }
        }
        for run in self.lower.iter_mut().filter(|run| run.class != NOTHING) {
            run.region = self.regions.root(run.region);
        }
        self.regions.recycle();
        std::mem::swap(&mut self.upper, &mut self.lower);
        self.count_pixels();
    }

    fn count_pixels(&mut self) {
        for pair in self
            .upper
            .windows(2)
            .filter(|pair| pair[0].class != NOTHING)
        {
            self.regions
                .add_pixels(pair[0].region, pair[1].start - pair[0].start);
        }
    }

    /// Gives each run of the lower row the region of the runs above it of its class, or a new one.
    fn find_regions(&mut self, y: u32) {
        let mut first = 0;
        for index in 0..self.lower.len() {
            let end = end_of(&self.lower, index);
            let run = &mut self.lower[index];
            if run.class == NOTHING {
                continue;
            }
            while end_of(&self.upper, first) <= run.start {
                first += 1;
            }
            let mut region = None;
            let above = self.upper[first..].iter();
            for upper in above.take_while(|upper| upper.start < end) {
                if upper.class == run.class {
                    region = Some(match region {
                        None => self.regions.go_on(upper.region, y),
                        Some(region) => self.regions.join(region, upper.region, &mut self.chains),
                    });
                }
            }
            run.region = region.unwrap_or_else(|| self.regions.add(run.class as u8, y));
        }
    }

    /// Goes over the corners between both rows where a run starts above or below.
    fn add_corners(&mut self, y: u32) {
        let (mut a, mut b) = (0, 0);
        loop {
            let next = |row: &[Run], at: usize| row.get(at + 1).map(|run| run.start);
            let (upper, lower) = (next(&self.upper, a), next(&self.lower, b));
            let Some(x) = upper.into_iter().chain(lower).min() else {
                return;
            };
            let (upper_left, lower_left) = (a, b);
            a += usize::from(upper == Some(x));
            b += usize::from(lower == Some(x));
            let around = Around {
                upper_left,
                upper_right: a,
                lower_left,
                lower_right: b,
            };
            self.add_corner((x, y), &around);
        }
    }

    /// Lets the rings of all regions around a corner pass it. Pixels of one region that are
    /// neighbors around the corner are passed together, others each by itself.
    fn add_corner(&mut self, at: (u32, u32), around: &Around) {
        let classes = [
            self.upper[around.upper_left].class,
            self.upper[around.upper_right].class,
            self.lower[around.lower_right].class,
            self.lower[around.lower_left].class,
        ];
        // Each pixel's edge is the one before it clockwise, so west is that of the upper left.
        let is_edge = |edge: usize| classes[edge] != classes[(edge + 3) % 4];
        let mut east = [NO_NODE; 2];
        let is_cross = (0..4).all(is_edge);
        for enter in (0..4).filter(|&edge| is_edge(edge)) {
            let class = classes[enter];
            if class == NOTHING {
                continue;
            }
            let leave = (1..4)
                .map(|turn| (enter + turn) % 4)
                .find(|&edge| is_edge(edge))
                .expect("a corner never has one edge only");
            if (leave + 2) % 4 == enter {
                self.go_straight(enter, around, &mut east);
            } else {
                let is_pinch = is_cross && class == classes[(enter + 2) % 4];
                let node = self.chains.add(at, is_pinch);
                self.turn(node, (enter, leave), around, &mut east);
            }
        }
        self.west = east;
    }

    /// Lets a ring that comes along the edge `enter` go on without a turn.
    fn go_straight(&mut self, enter: usize, around: &Around, east: &mut [u32; 2]) {
        match enter {
            WEST => east[0] = self.west[0],
            NORTH => {
                self.lower[around.lower_right].left = self.upper[around.upper_right].left;
            }
            EAST => east[1] = self.west[1],
            _ => self.lower[around.lower_left].right = self.upper[around.upper_left].right,
        }
    }

    /// Lets a ring that comes along one edge leave along another; the region is on its left.
    fn turn(
        &mut self,
        node: u32,
        (enter, leave): (usize, usize),
        around: &Around,
        east: &mut [u32; 2],
    ) {
        match enter {
            WEST => self.chains.join(self.west[0], node),
            NORTH => self.chains.join(self.upper[around.upper_right].left, node),
            EAST => east[1] = node,
            _ => self.lower[around.lower_left].right = node,
        }
        match leave {
            WEST => self.chains.join(node, self.west[1]),
            NORTH => self.chains.join(node, self.upper[around.upper_left].right),
            EAST => east[0] = node,
            _ => self.lower[around.lower_right].left = node,
        }
        // The topmost edge of every ring, outer or hole, begins or ends with such a turn.
        let region = match (enter, leave) {
            (EAST, SOUTH) => self.lower[around.lower_right].region,
            (SOUTH, EAST) => self.lower[around.lower_left].region,
            _ => return,
        };
        self.regions.add_entry(region, node, &mut self.chains);
    }
}

impl Run {
    fn new(start: Start) -> Self {
        Self {
            start: start.x,
            class: start.class,
            region: 0,
            left: NO_NODE,
            right: NO_NODE,
        }
    }
}

/// The column behind a run; beyond all for the last one.
fn end_of(row: &[Run], index: usize) -> u32 {
    row.get(index + 1).map_or(u32::MAX, |next| next.start)
}
