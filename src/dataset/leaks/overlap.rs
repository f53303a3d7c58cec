use std::collections::BTreeSet;

use super::LeakSample;
use super::names::in_order;
use super::report::{Found, LeakKind};

/// The least share of the smaller image that an overlap on the map covers.
const LEAST_OVERLAP: f64 = 0.01;
/// EPSG code and `[min_x, min_y, max_x, max_y]` in map units.
pub(super) type MapExtent = (u32, [f64; 4]);

/// Pairs of different parts whose extents overlap, those in `known` left out.
pub(super) fn map_overlaps(
    samples: &[LeakSample<'_>],
    extents: &[Option<MapExtent>],
    known: &BTreeSet<(u32, u32)>,
) -> Vec<Found> {
    let mut placed: Vec<(u32, [f64; 4], usize)> = extents
        .iter()
        .enumerate()
        .filter_map(|(at, extent)| extent.map(|(epsg, extent)| (epsg, extent, at)))
        .filter(|(_, extent, _)| extent.iter().all(|edge| edge.is_finite()))
        .collect();
    placed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1[0].total_cmp(&b.1[0])));
    let mut found = Vec::new();
    for (position, &(epsg, extent, a)) in placed.iter().enumerate() {
        let to_the_right = placed[position + 1..].iter();
        let beside = to_the_right.take_while(|other| other.0 == epsg && other.1[0] < extent[2]);
        for &(_, other, b) in beside.filter(|other| samples[other.2].part != samples[a].part) {
            let share = overlap(extent, other);
            let (first, second) = in_order(samples, a, b);
            let pair = (first as u32, second as u32);
            if share >= LEAST_OVERLAP && !known.contains(&pair) {
                found.push(Found {
                    kind: LeakKind::MapOverlap,
                    pair,
                    weight: (share * 1e6) as u32,
                    detail: format!("{:.0} % of the smaller one", share * 100.0),
                });
            }
        }
    }
    found
}

/// The share of the smaller of two extents that both cover.
fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let along = |axis: usize| (a[axis + 2].min(b[axis + 2]) - a[axis].max(b[axis])).max(0.0);
    let area = |extent: [f64; 4]| (extent[2] - extent[0]) * (extent[3] - extent[1]);
    let smaller = area(a).min(area(b));
    if smaller > 0.0 {
        along(0) * along(1) / smaller
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::parts::Part;

    #[test]
    fn overlaps_are_measured_by_the_smaller_image() {
        let square = |x: f64, y: f64, side: f64| [x, y, x + side, y + side];
        let table = [
            (square(0.0, 0.0, 10.0), square(5.0, 0.0, 10.0), 0.5),
            (square(0.0, 0.0, 10.0), square(2.0, 2.0, 2.0), 1.0),
            (square(0.0, 0.0, 10.0), square(10.0, 0.0, 10.0), 0.0),
            (square(0.0, 0.0, 0.0), square(0.0, 0.0, 1.0), 0.0),
        ];
        for (a, b, share) in table {
            assert_eq!(
                (overlap(a, b), overlap(b, a)),
                (share, share),
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn only_one_map_and_different_parts_count() {
        let parts = [
            Part::Test,
            Part::Train,
            Part::Test,
            Part::Train,
            Part::Train,
        ];
        let samples = parts.map(|part| LeakSample {
            name: "a",
            path: Path::new("a"),
            part,
        });
        let extent = [0.0, 0.0, 1.0, 1.0];
        let extents = [
            Some((2180, extent)),
            Some((2180, extent)),
            Some((2180, [5.0, 5.0, 6.0, 6.0])),
            Some((3857, extent)),
            Some((2180, [f64::NAN; 4])),
        ];
        let found = map_overlaps(&samples, &extents, &BTreeSet::new());
        let pairs: Vec<(u32, u32)> = found.iter().map(|found| found.pair).collect();
        assert_eq!(pairs, [(1, 0)]);
        assert!(map_overlaps(&samples, &extents, &BTreeSet::from([(1, 0)])).is_empty());
    }
}
