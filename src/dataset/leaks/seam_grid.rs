/// Seams are at least so many lines apart: blocks of JPEG are smaller.
const LEAST_PERIOD: usize = 64;
/// The least share of likeness that is lost at a seam. Within real ground of forty strips and more
/// it is 0.2 at most.
const LEAST_LOST: f32 = 0.3;
/// A seam loses so many times what is lost at one in twenty boundaries.
const TIMES: f32 = 3.0;
/// Lines on each side of a seam that it takes in.
const REACH: usize = 3;
/// The strongest seams are looked at.
const MOST_SEAMS: usize = 128;
/// Lines by which a seam may lie beside its place.
const SLACK: usize = 1;
/// Seams and edges of the image that make a distance regular.
const FEWEST_PLACES: usize = 3;

/// Seams at a regular distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SeamGrid {
    /// Lines from one to the next.
    pub(super) period: f64,
    /// How many there are.
    pub(super) seams: usize,
    /// The sum of the shares of likeness that are lost at them.
    pub(super) lost: f64,
    /// Places where one could be.
    places: usize,
    /// How far they, and edges of the image, lie beside these, squared.
    deviation: f64,
}

impl SeamGrid {
    /// The grid that has most of the seams, by what is lost at the boundary before each line.
    /// Nearly all of its places are seams, and nearly all seams are in such places: a straight road
    /// has two edges.
    pub(super) fn of(lost: &[Option<f32>]) -> Option<Self> {
        let seams = Seams::of(lost);
        let ends = [&[0], &seams.places[..], &[lost.len()]].concat();
        let spans = ends.iter().enumerate().flat_map(|(at, &from)| {
            let later = ends[at + 1..].iter();
            later.map(move |&to| (from, to - from))
        });
        let grids = spans.flat_map(|(from, span)| {
            let parts = 1..=span / LEAST_PERIOD;
            parts.map(move |parts| (from as f64, span as f64 / parts as f64))
        });
        let grids = grids.filter_map(|(from, period)| seams.grid(from, period));
        grids.max_by(|a, b| {
            let fewer = (a.seams, b.places).cmp(&(b.seams, a.places));
            fewer.then(b.deviation.total_cmp(&a.deviation))
        })
    }
}

/// Boundaries where much is lost.
struct Seams<'a> {
    lost: &'a [Option<f32>],
    /// The lines before which they lie, rising.
    places: Vec<usize>,
}

impl<'a> Seams<'a> {
    fn of(lost: &'a [Option<f32>]) -> Self {
        let known = (0..).zip(lost);
        let mut known: Vec<(usize, f32)> = known
            .filter_map(|(at, lost)| Some((at, (*lost)?)))
            .collect();
        known.sort_by(|a, b| b.1.total_cmp(&a.1));
        let usual = known.get(known.len() / 20).map_or(1.0, |known| known.1);
        let least = LEAST_LOST.max(TIMES * usual);
        let mut places: Vec<usize> = Vec::new();
        for (at, _) in known.into_iter().take_while(|(_, lost)| *lost >= least) {
            if places.iter().all(|place| place.abs_diff(at) > REACH) {
                places.push(at);
            }
        }
        places.truncate(MOST_SEAMS);
        places.sort_unstable();
        Self { lost, places }
    }

    /// The seam at a line or beside it.
    fn near(&self, line: usize) -> Option<usize> {
        let at = self.places.partition_point(|place| place + SLACK < line);
        let seam = self.places.get(at).copied();
        seam.filter(|seam| *seam <= line + SLACK)
    }

    /// The grid that has a place at `from`, if most of its places are seams and the other way round.
    fn grid(&self, from: f64, period: f64) -> Option<SeamGrid> {
        let (extent, slack) = (self.lost.len() as f64, SLACK as f64);
        let first = from % period;
        let apart = |edge: f64| {
            let after = (edge - first).rem_euclid(period);
            after.min(period - after)
        };
        let edges = [0.0, extent].map(apart).into_iter();
        let edges: Vec<f64> = edges.filter(|apart| *apart <= slack).collect();
        let mut grid = SeamGrid {
            period,
            seams: 0,
            lost: 0.0,
            places: 0,
            deviation: edges.iter().map(|apart| apart.powi(2)).sum(),
        };
        let mut judged = 0;
        let places = (0..).map(|at| first + f64::from(at) * period);
        let places = places.take_while(|place| *place < extent - slack);
        for place in places.skip_while(|place| *place <= slack) {
            let at = place.round() as usize;
            let seam = self.near(at);
            grid.places += 1;
            judged += usize::from(seam.is_some() || self.lost[at].is_some());
            if let Some(seam) = seam {
                grid.seams += 1;
                grid.lost += f64::from(self.lost[seam].unwrap_or(0.0));
                grid.deviation += (place - seam as f64).powi(2);
            }
        }
        let is_most = |of: usize| grid.seams * 4 >= of * 3;
        let is_regular = grid.seams > 0 && grid.seams + edges.len() >= FEWEST_PLACES;
        (is_regular && is_most(judged) && is_most(self.places.len())).then_some(grid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is lost along 1,000 lines with seams at these places.
    #[track_caller]
    fn check(places: &[usize], expected: Option<(f64, usize)>) {
        let usual = |at: usize| (at > 9 && at < 990).then_some(0.05 + (at % 7) as f32 / 100.0);
        let mut lost: Vec<Option<f32>> = (0..1_000).map(usual).collect();
        for &place in places {
            // Half of it is lost beside the seam, too.
            lost[place - 1..=place + 1].copy_from_slice(&[Some(0.4), Some(0.9), Some(0.4)]);
        }
        let found = SeamGrid::of(&lost).map(|grid| (grid.period, grid.seams));
        assert_eq!(found, expected, "{places:?}");
    }

    #[test]
    fn a_regular_distance_is_found_exactly() {
        check(&[200, 400, 600, 800], Some((200.0, 4)));
        check(&[500], Some((500.0, 1)));
        check(&[300, 600, 900], Some((300.0, 3)));
        // Cut off on the left, with one that was not seen.
        check(
            &[50, 150, 250, 350, 550, 650, 750, 850, 950],
            Some((100.0, 9)),
        );
        // Resized.
        check(&[333, 667], Some((1_000.0 / 3.0, 2)));
    }

    #[test]
    fn single_seams_and_both_edges_of_roads_are_no_grid() {
        for places in [
            &[][..],
            &[300],
            &[300, 420],
            &[120, 430, 610, 900],
            &[100, 112, 300, 312, 500, 512, 700, 712, 900, 912],
        ] {
            check(places, None);
        }
        let all: Vec<usize> = (1..31).map(|at| at * 32).collect();
        check(&all, None);
    }
}
