use std::collections::BTreeMap;

use rayon::prelude::*;

use super::super::{Region, polygonize};
use super::arcs::{Arcs, Step};
use super::shorten::shorten;
use super::small::merge_small;
use super::square::squared;
use super::untangle::Drawing;
use crate::geom::{ImagePoint, PixelRect};
use crate::label::Mask;

/// Larger tolerances, in pixels, count as this one.
const MAX_TOLERANCE: f64 = 1000.0;

/// How regions lose detail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generalize {
    /// How far a corner that goes may be from the border that takes its place, in pixels; 0 keeps
    /// all, from 0.71 on stairs of single pixels become slopes.
    pub tolerance_px: f64,
    /// The minimum mapping unit: the smallest ground of one class that stays, in pixels. Smaller
    /// ground is merged before simplification, so only [`generalize_mask`] heeds it; 0 and 1 merge
    /// nothing.
    pub min_pixels: u64,
    /// Indices of classes whose borders become right-angled, such as buildings.
    ///
    /// Only borders with the same region, or with nothing, all the way around: both sides take
    /// the squared ring, so a hole of a meadow is still exactly the building in it. A building
    /// that touches two regions or the frame is simplified like all others.
    pub squared: Vec<u8>,
}

/// Every region of one class in `area` with simpler borders; `None` when cancelled.
///
/// That is [`polygonize`] followed by [`generalize`], after ground smaller than
/// [`Generalize::min_pixels`] took the class that most pixels beside it have.
pub fn generalize_mask(
    mask: &Mask,
    area: PixelRect,
    keep: &dyn Fn(u8) -> bool,
    options: &Generalize,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Region<f64>>> {
    let area = area.intersect(mask.size().bounds());
    let mask = merge_small(mask, area, options.min_pixels, is_cancelled)?;
    let regions = polygonize(&mask, area, keep, is_cancelled)?;
    generalize(&regions, area, options, is_cancelled)
}

/// Regions of [`polygonize`] with simpler borders, in the same order; `None` when cancelled.
///
/// Neighbors keep exactly the same border: each edge of a region is that of one other region, the
/// other way round, or lies beside nothing. So what is labeled without gaps stays so. Corners on
/// the edge of `frame`, the area in level-0 pixels that the regions are from, stay where they are,
/// as do those where three or more sides meet; a narrow gap along that edge may close. Corners that
/// stay are pixel corners, but for squared rings.
///
/// Rings do not cross and do not touch but in corners of the original; each region keeps its
/// holes. Rings run as [`Region::rings`] says but may start anywhere, and corners where other
/// regions meet are in them though they need not be turns. `pixels` stays the number of pixels.
/// Exact for masks of up to 2²⁶ pixels a side.
pub fn generalize(
    regions: &[Region],
    frame: PixelRect,
    options: &Generalize,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Region<f64>>> {
    let tolerance = Some(options.tolerance_px).filter(|tolerance| !tolerance.is_nan());
    let tolerance = tolerance.map_or(0.0, |tolerance| tolerance.clamp(0.0, MAX_TOLERANCE));
    let is_squared = |class: u8| options.squared.contains(&class);
    let arcs = Arcs::of(regions, frame, &is_squared, is_cancelled)?;
    let kept: Vec<Vec<bool>> = (0..arcs.len())
        .into_par_iter()
        .map(|arc| {
            let tolerance = if is_cancelled() { 0.0 } else { tolerance };
            shorten(&arcs.points[arcs.range(arc)], tolerance)
        })
        .collect();
    let squared: Vec<(usize, Vec<ImagePoint>)> = (0..arcs.len())
        .into_par_iter()
        .filter(|&arc| arcs.is_island[arc] && arcs.is_squared[arc] && !is_cancelled())
        .filter_map(|arc| Some((arc, squared(&arcs.points[arcs.range(arc)], tolerance)?)))
        .collect();
    let mut drawing = Drawing {
        arcs: &arcs,
        kept: kept.concat(),
        squared: BTreeMap::from_iter(squared),
    };
    // What is exact needs no look.
    if tolerance > 0.0 || !drawing.squared.is_empty() {
        drawing.untangle(is_cancelled)?;
    }
    (!is_cancelled()).then(|| redrawn(regions, &drawing))
}

/// The regions with the borders of a drawing.
fn redrawn(regions: &[Region], drawing: &Drawing<'_>) -> Vec<Region<f64>> {
    let mut rings = drawing.arcs.rings.iter();
    let regions = regions.iter().map(|region| Region {
        class: region.class,
        pixels: region.pixels,
        rings: rings
            .by_ref()
            .take(region.rings.len())
            .map(|steps| ring(steps, drawing))
            .collect(),
    });
    regions.collect()
}

fn ring(steps: &[Step], drawing: &Drawing<'_>) -> Vec<(f64, f64)> {
    let mut ring = Vec::new();
    for step in steps {
        let from = ring.len();
        let add = |at: &ImagePoint| ring.push((at.x, at.y));
        if let Some(squared) = drawing.squared.get(&step.arc()) {
            squared.iter().for_each(add);
            if step.is_backwards() {
                ring.reverse();
            }
            continue;
        }
        let range = drawing.arcs.range(step.arc());
        let points = drawing.arcs.points[range.clone()].iter();
        let kept = points.zip(&drawing.kept[range]).filter(|(_, kept)| **kept);
        kept.map(|(at, _)| at).for_each(add);
        if step.is_backwards() {
            ring[from..].reverse();
        }
        // The next step begins with it.
        ring.pop();
    }
    ring
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::super::test_masks::{any_case, mask_of};
    use super::super::crossing::{doubled_area, is_inside, meet};
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::UNLABELED;

    type Ring = Vec<(f64, f64)>;

    fn simple(tolerance_px: f64) -> Generalize {
        Generalize {
            tolerance_px,
            ..Generalize::default()
        }
    }

    fn points(ring: &Ring) -> Vec<ImagePoint> {
        ring.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()
    }

    fn edges(ring: &[ImagePoint]) -> impl Iterator<Item = [ImagePoint; 2]> {
        (0..ring.len()).map(|at| [ring[at], ring[(at + 1) % ring.len()]])
    }

    fn generalized(
        mask: &Mask,
        area: PixelRect,
        keep: &dyn Fn(u8) -> bool,
        options: &Generalize,
    ) -> Vec<Region<f64>> {
        generalize_mask(mask, area, keep, options, &|| false).expect("not cancelled")
    }

    /// The ring without corners on straight lines, from its first corner by row and column.
    fn turns(ring: &Ring) -> Vec<(u32, u32)> {
        let count = ring.len();
        let is_turn = |at: &usize| {
            let (a, b, c) = (
                ring[(at + count - 1) % count],
                ring[*at],
                ring[(at + 1) % count],
            );
            (a.0 - b.0) * (b.1 - c.1) != (a.1 - b.1) * (b.0 - c.0)
        };
        let turns = (0..count).filter(is_turn).map(|at| ring[at]);
        let mut turns: Vec<_> = turns.map(|(x, y)| (x as u32, y as u32)).collect();
        let first = (0..turns.len()).min_by_key(|&at| (turns[at].1, turns[at].0));
        turns.rotate_left(first.expect("rings have turns"));
        turns
    }

    /// Every edge is that of two regions, there and back, or lies on the frame.
    fn check_edges(regions: &[Region<f64>], frame: PixelRect) {
        let all = check_pieces(regions);
        let (right, bottom) = (f64::from(frame.right()), f64::from(frame.bottom()));
        for &[ax, ay, bx, by] in &all {
            let [x, y] = [f64::from_bits(ax), f64::from_bits(ay)];
            let on_side = ax == bx && (x == f64::from(frame.x) || x == right);
            let on_frame = on_side || ay == by && (y == f64::from(frame.y) || y == bottom);
            assert_eq!(all.contains(&[bx, by, ax, ay]), !on_frame, "{x}, {y}");
        }
    }

    /// The bits of all edges, of which none is there twice and none meet.
    fn check_pieces(regions: &[Region<f64>]) -> HashSet<[u64; 4]> {
        let mut all = HashSet::new();
        let mut pieces = Vec::new();
        for ring in regions.iter().flat_map(|region| &region.rings) {
            for [a, b] in edges(&points(ring)) {
                let key = [a.x, a.y, b.x, b.y].map(f64::to_bits);
                assert!(all.insert(key), "an edge twice: {a:?}, {b:?}");
                if !all.contains(&[b.x, b.y, a.x, a.y].map(f64::to_bits)) {
                    pieces.push([a, b]);
                }
            }
        }
        pieces.sort_unstable_by(|[a, b], [c, d]| a.x.min(b.x).total_cmp(&c.x.min(d.x)));
        for (index, &[a, b]) in pieces.iter().enumerate() {
            let near = pieces[index + 1..].iter();
            for &other in near.take_while(|[c, d]| c.x.min(d.x) <= a.x.max(b.x)) {
                assert!(!meet([a, b], other), "{a:?} {b:?} {other:?}");
            }
        }
        all
    }

    /// Rings run as they must, holes lie in the outer ring and not in each other.
    fn check_rings(region: &Region<f64>) {
        let rings: Vec<_> = region.rings.iter().map(points).collect();
        for (index, ring) in rings.iter().enumerate() {
            let area = doubled_area(ring);
            assert!(ring.len() > 2 && if index == 0 { area < 0.0 } else { area > 0.0 });
            for (number, other) in rings.iter().enumerate().filter(|(n, _)| *n != index) {
                let free = ring.iter().find(|at| !other.contains(at));
                let is_in = free.is_some_and(|&at| is_inside(other, at));
                assert_eq!(is_in, number == 0 && index > 0, "{region:?}");
            }
        }
    }

    fn area_of(regions: &[Region<f64>]) -> f64 {
        let rings = regions.iter().flat_map(|region| &region.rings);
        rings.map(|ring| doubled_area(&points(ring)) / -2.0).sum()
    }

    fn any_tolerance() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.71), Just(1.0), 0.0..4.0_f64, 4.0..60.0_f64]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn no_tolerance_changes_nothing(case in any_case()) {
            let keep = |class| class != UNLABELED;
            let exact = polygonize(&case.mask, case.area, &keep, &|| false).expect("not cancelled");
            let found = generalized(&case.mask, case.area, &keep, &simple(0.0));
            let back = found.iter().map(|region| Region {
                class: region.class,
                pixels: region.pixels,
                rings: region.rings.iter().map(turns).collect(),
            });
            prop_assert_eq!(back.collect::<Vec<_>>(), exact);
        }

        #[test]
        fn neighbors_keep_one_border_and_nothing_meets(
            case in any_case(),
            tolerance in any_tolerance(),
            squared in prop::collection::vec(0_u8..3, 0..3),
        ) {
            let area = case.area.intersect(PixelRect::new(0, 0, 130, 110));
            let frame = area.intersect(case.mask.size().bounds());
            let options = Generalize { squared, ..simple(tolerance) };
            let all = generalized(&case.mask, area, &|_| true, &options);
            check_edges(&all, frame);
            all.iter().for_each(check_rings);
            let pixels = f64::from(frame.width) * f64::from(frame.height);
            prop_assert!((area_of(&all) - pixels).abs() < 1e-6);
            let kept = generalized(&case.mask, area, &|class| class != UNLABELED, &options);
            check_pieces(&kept);
            kept.iter().for_each(check_rings);
        }
    }

    #[test]
    fn an_island_stays_on_its_side() {
        let rows = [
            "1111111111",
            "1111122222",
            "1111121222",
            "1111122222",
            "1111111111",
            "1111111111",
        ];
        let mask = mask_of(&rows);
        for tolerance in [0.5, 1.0, 3.0, 50.0] {
            let frame = mask.size().bounds();
            let regions = generalized(&mask, frame, &|_| true, &simple(tolerance));
            assert_eq!(area_of(&regions), 60.0);
            check_edges(&regions, frame);
            regions.iter().for_each(check_rings);
        }
    }

    /// A mask of 1 with an ell of 2 that is turned by an angle.
    fn building(degrees: f64) -> Mask {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let ell = [(0, 0), (100, 0), (100, 60), (50, 60), (50, 30), (0, 30)];
        let ell = ell.map(|(x, y)| ImagePoint::new(f64::from(x) - 50.0, f64::from(y) - 30.0));
        let class = |at: u32| {
            let (x, y) = (f64::from(at % 200) - 99.5, f64::from(at / 200) - 99.5);
            let at = ImagePoint::new(x * cosine + y * sine, y * cosine - x * sine);
            if is_inside(&ell, at) { 2 } else { 1 }
        };
        let classes: Vec<u8> = (0..200 * 200).map(class).collect();
        let mut mask = Mask::new(ImageSize::new(200, 200));
        mask.set_rect(mask.size().bounds(), &classes);
        mask
    }

    #[test]
    fn a_building_becomes_right_angled_and_its_meadow_follows() {
        for degrees in [0.0, 7.0, 30.0, 45.0, 88.0] {
            let options = Generalize {
                squared: vec![2],
                ..simple(1.0)
            };
            let mask = building(degrees);
            let frame = mask.size().bounds();
            let regions = generalized(&mask, frame, &|_| true, &options);
            let house = points(&regions[1].rings[0]);
            assert_eq!(house.len(), 6, "{degrees}");
            for ([a, b], [_, c]) in edges(&house).zip(edges(&house).skip(1)) {
                let product = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y);
                assert!(product.abs() < 1e-6, "{degrees}");
            }
            assert!((area_of(&regions[1..]) - 4500.0).abs() < 150.0, "{degrees}");
            check_edges(&regions, frame);
        }
    }

    #[test]
    fn a_building_between_two_regions_keeps_corners_of_pixels() {
        let mut mask = building(30.0);
        mask.set_rect(PixelRect::new(0, 0, 200, 95), &{
            let rect = mask.read_rect(PixelRect::new(0, 0, 200, 95));
            let other = |class| if class == 1 { 3 } else { class };
            rect.into_iter().map(other).collect::<Vec<u8>>()
        });
        let options = Generalize {
            squared: vec![2],
            ..simple(1.0)
        };
        let regions = generalized(&mask, mask.size().bounds(), &|_| true, &options);
        let corners = regions.iter().flat_map(|region| &region.rings).flatten();
        for (x, y) in corners {
            assert_eq!((x.fract(), y.fract()), (0.0, 0.0));
        }
        assert_eq!(area_of(&regions), 40_000.0);
    }

    #[test]
    fn cancelling_gives_nothing() {
        let mask = mask_of(&["12", "21"]);
        let regions = polygonize(&mask, mask.size().bounds(), &|_| true, &|| false);
        let regions = regions.expect("not cancelled");
        let found = generalize(&regions, mask.size().bounds(), &simple(1.0), &|| true);
        assert_eq!(found, None);
    }
}
