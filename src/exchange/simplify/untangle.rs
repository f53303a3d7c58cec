use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::arcs::Arcs;
use super::crossing::{Piece, is_inside, meet};
use super::grid::{Extent, Grid};
use super::shorten::{farthest, squared_distance};
use crate::geom::ImagePoint;

/// What arcs are drawn as.
pub(super) struct Drawing<'a> {
    /// The arcs as they were.
    pub(super) arcs: &'a Arcs,
    /// Which of their corners are kept.
    pub(super) kept: Vec<bool>,
    /// Rings that stand for whole arcs, by the number of the arc; the last corner is joined to the
    /// first.
    pub(super) squared: BTreeMap<usize, Vec<ImagePoint>>,
}

/// A straight piece of the drawing.
struct Segment {
    piece: Piece,
    source: Source,
    /// The greatest distance of a corner that it stands for, in pixels.
    reach: f64,
    /// Whether it was not there when pieces were compared last.
    is_new: bool,
}

/// What a piece stands for.
#[derive(Clone, Copy)]
enum Source {
    /// Corners `from` to `to` of all corners of arcs; `middle` is the farthest one between, or
    /// `from` when there is none.
    Chain { from: u32, to: u32, middle: u32 },
    /// An edge of the squared ring of an arc.
    Squared { arc: u32, is_first: bool },
}

impl Drawing<'_> {
    /// Gives arcs corners back, and squared rings up, until no two pieces have more in common than
    /// an end and none has jumped over a corner; `None` when cancelled.
    ///
    /// Arcs as they were have no such pieces, so in the end there is none, however many corners
    /// it takes. That no corner of the drawing lies between a piece and the chain that it stands
    /// for keeps what is on its left there (after de Berg, van Kreveld and Schirra 1998).
    pub(super) fn untangle(&mut self, is_cancelled: &(dyn Fn() -> bool + Sync)) -> Option<()> {
        let mut segments = Vec::new();
        for arc in 0..self.arcs.len() {
            match self.squared.get(&arc) {
                Some(ring) => add_ring(arc, ring, &mut segments),
                None => self.add_arc(arc, &mut segments),
            }
        }
        loop {
            let faulty = self.faulty(&segments, is_cancelled)?;
            if faulty.is_empty() {
                return Some(());
            }
            self.mend(&faulty, &mut segments);
        }
    }

    fn add_arc(&self, arc: usize, segments: &mut Vec<Segment>) {
        let range = self.arcs.range(arc);
        let mut from = range.start;
        for to in range.skip(1) {
            if self.kept[to] {
                segments.push(self.segment(from, to));
                from = to;
            }
        }
    }

    fn segment(&self, from: usize, to: usize) -> Segment {
        let points = &self.arcs.points;
        let (place, reach) = farthest(&points[from..=to]).unwrap_or((0, 0.0));
        Segment {
            piece: [points[from], points[to]],
            source: Source::Chain {
                from: from as u32,
                to: to as u32,
                middle: (from + place) as u32,
            },
            reach,
            is_new: true,
        }
    }

    /// Numbers of the pieces that cannot stay as they are.
    fn faulty(
        &self,
        segments: &[Segment],
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<u32>> {
        let extents: Vec<Extent> = segments
            .par_iter()
            .map(|segment| self.extent(segment))
            .collect();
        if is_cancelled() {
            return None;
        }
        let grid = Grid::new(&extents);
        let cells = (0..grid.len()).into_par_iter().with_min_len(64);
        let mut faulty: Vec<u32> = cells
            .flat_map_iter(|cell| {
                let mut faulty = Vec::new();
                if !is_cancelled() {
                    self.compare(segments, grid.cell(cell), &mut faulty);
                }
                faulty
            })
            .collect();
        faulty.par_sort_unstable();
        faulty.dedup();
        (!is_cancelled()).then_some(faulty)
    }

    fn extent(&self, segment: &Segment) -> Extent {
        let Segment { piece, reach, .. } = *segment;
        let Source::Squared {
            arc,
            is_first: true,
        } = segment.source
        else {
            return Extent::Around { piece, reach };
        };
        // The first edge stands for all the ground that the ring gains and loses.
        let both = self.squared[&(arc as usize)].iter();
        let both = both.chain(&self.arcs.points[self.arcs.range(arc as usize)]);
        Extent::Rect(both.fold(piece, |[low, high], at| {
            [
                ImagePoint::new(low.x.min(at.x), low.y.min(at.y)),
                ImagePoint::new(high.x.max(at.x), high.y.max(at.y)),
            ]
        }))
    }

    fn compare(&self, segments: &[Segment], numbers: &[u32], faulty: &mut Vec<u32>) {
        for (index, &a) in numbers.iter().enumerate() {
            let first = &segments[a as usize];
            for &b in &numbers[index + 1..] {
                let second = &segments[b as usize];
                if !first.is_new && !second.is_new {
                    continue;
                }
                if meet(first.piece, second.piece) {
                    let (first, second) = (first.readiness(), second.readiness());
                    faulty.extend((first >= second).then_some(a));
                    faulty.extend((second >= first).then_some(b));
                    continue;
                }
                if self.has_jumped(first, second) {
                    faulty.push(a);
                }
                if self.has_jumped(second, first) {
                    faulty.push(b);
                }
            }
        }
    }

    /// Whether an end of another piece is on the wrong side of this one.
    fn has_jumped(&self, segment: &Segment, other: &Segment) -> bool {
        match segment.source {
            Source::Chain { from, middle, .. } if from == middle => false,
            Source::Chain { from, to, .. } => {
                let [a, b] = segment.piece;
                let chain = &self.arcs.points[from as usize..=to as usize];
                let reach = segment.reach * segment.reach * (1.0 + 1e-9);
                let is_near = |at| squared_distance(at, a, b) <= reach;
                let mut ends = other.piece.into_iter();
                ends.any(|at| at != a && at != b && is_near(at) && is_inside(chain, at))
            }
            Source::Squared {
                is_first: false, ..
            } => false,
            Source::Squared { arc, .. } => {
                let (number, arc) = (arc, arc as usize);
                if matches!(other.source, Source::Squared { arc, .. } if arc == number) {
                    return false;
                }
                let (old, new) = (&self.arcs.points[self.arcs.range(arc)], &self.squared[&arc]);
                let mut ends = other.piece.into_iter();
                ends.any(|at| is_inside(old, at) != is_inside(new, at))
            }
        }
    }

    /// Replaces faulty pieces by some that are closer to the arcs.
    fn mend(&mut self, faulty: &[u32], segments: &mut Vec<Segment>) {
        let (mut fresh, mut given_up) = (Vec::new(), BTreeSet::new());
        let mut is_faulty = vec![false; segments.len()];
        for &number in faulty {
            is_faulty[number as usize] = true;
            match segments[number as usize].source {
                // Rounding far out may tell such pieces to meet; they are as they were.
                Source::Chain { from, middle, .. } if from == middle => {
                    is_faulty[number as usize] = false;
                }
                Source::Chain { from, to, middle } => {
                    let (from, to, middle) = (from as usize, to as usize, middle as usize);
                    self.kept[middle] = true;
                    fresh.push(self.segment(from, middle));
                    fresh.push(self.segment(middle, to));
                }
                Source::Squared { arc, .. } => {
                    given_up.insert(arc);
                }
            }
        }
        for &arc in &given_up {
            self.squared.remove(&(arc as usize));
            self.add_arc(arc as usize, &mut fresh);
        }
        let mut is_faulty = is_faulty.into_iter();
        segments.retain_mut(|segment| {
            segment.is_new = false;
            let is_faulty = is_faulty.next().unwrap_or(false);
            match segment.source {
                Source::Squared { arc, .. } => !given_up.contains(&arc),
                Source::Chain { .. } => !is_faulty,
            }
        });
        segments.extend(fresh);
    }
}

impl Segment {
    /// How far it is from what it stands for, then its ends so that no two are alike: of two
    /// that meet the greater one goes, in whatever order they come.
    fn readiness(&self) -> [f64; 5] {
        let [a, b] = self.piece;
        let reach = match self.source {
            Source::Squared { .. } => f64::INFINITY,
            Source::Chain { .. } => self.reach,
        };
        [reach, a.x, a.y, b.x, b.y]
    }
}

fn add_ring(arc: usize, ring: &[ImagePoint], segments: &mut Vec<Segment>) {
    for (index, &from) in ring.iter().enumerate() {
        segments.push(Segment {
            piece: [from, ring[(index + 1) % ring.len()]],
            source: Source::Squared {
                arc: arc as u32,
                is_first: index == 0,
            },
            reach: 0.0,
            is_new: true,
        });
    }
}
