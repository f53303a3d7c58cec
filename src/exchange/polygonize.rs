use super::rows::{RowReader, clear_row};
use super::sweep::Sweep;
use crate::geom::PixelRect;
use crate::label::Mask;

/// Pixels of one class that are joined by their sides, as a polygon that holds exactly them.
///
/// Its coordinates are whole numbers; `Region<f64>` is one whose border [`generalize`] changed.
///
/// [`generalize`]: super::generalize
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region<C = u32> {
    /// The class index of its pixels.
    pub class: u8,
    /// Number of pixels.
    pub pixels: u64,
    /// Rings of pixel corners (x, y) in level-0 pixels, 0 up to the mask's width and height, with
    /// y down: the outer ring, then its holes.
    ///
    /// The last corner is joined to the first and every corner is a turn. The outer ring runs
    /// counterclockwise as seen on the screen and on a north-up map (RFC 7946, 3.1.6), so from its
    /// first corner, the leftmost of the topmost ones, it goes down; the sum x₁·y₂ − x₂·y₁ over
    /// its edges is negative since y is down. Holes run clockwise. No ring meets a corner twice;
    /// rings may touch in corners but never cross or share an edge.
    pub rings: Vec<Vec<(C, C)>>,
}

/// Every region of one class in `area`, a rectangle of level-0 pixels of which the part inside the
/// mask counts, by the row and column of the first corner; `None` when cancelled.
///
/// Only classes that `keep` accepts become regions. Pixels that meet only at a corner are not
/// joined. Memory is taken for the runs of two rows and for the result; rows like the one above
/// cost little, tiles of one class nearly nothing.
pub fn polygonize(
    mask: &Mask,
    area: PixelRect,
    keep: &dyn Fn(u8) -> bool,
    is_cancelled: &dyn Fn() -> bool,
) -> Option<Vec<Region>> {
    let area = area.intersect(mask.size().bounds());
    let mut regions = Vec::new();
    if area.is_empty() {
        return (!is_cancelled()).then_some(regions);
    }
    let reader = RowReader::new(mask, area, keep);
    let mut row = Vec::new();
    clear_row(&mut row, area.x);
    let mut sweep = Sweep::new(&row);
    for y in area.y..area.bottom() {
        if is_cancelled() {
            return None;
        }
        reader.read(y, &mut row);
        sweep.go_on(y, &row, &mut regions);
    }
    clear_row(&mut row, area.x);
    sweep.go_on(area.bottom(), &row, &mut regions);
    regions.sort_unstable_by_key(|region| {
        let (x, y) = region.rings[0][0];
        (y, x)
    });
    Some(regions)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::test_masks::{any_case, mask_of};
    use super::super::{BurnPlan, burn_in, read_geojson, write_geojson};
    use super::*;
    use crate::geom::{Georef, ImagePoint, ImageSize};
    use crate::label::{ClassTable, Figure, MaskTile, UNLABELED, rasterize};

    const EVERYTHING: PixelRect = PixelRect::new(0, 0, u32::MAX, u32::MAX);

    fn labeled(mask: &Mask, area: PixelRect) -> Vec<Region> {
        polygonize(mask, area, &|class| class != UNLABELED, &|| false).expect("not cancelled")
    }

    /// Twice the area with y down: negative for what runs counterclockwise on the screen.
    fn doubled_area(ring: &[(u32, u32)]) -> i64 {
        (0..ring.len())
            .map(|index| {
                let ((ax, ay), (bx, by)) = (ring[index], ring[(index + 1) % ring.len()]);
                i64::from(ax) * i64::from(by) - i64::from(bx) * i64::from(ay)
            })
            .sum()
    }

    /// Class and pixels of each region by flooding, by the row and column of its first pixel.
    fn flooded(mask: &Mask, area: PixelRect) -> Vec<((u32, u32), u8, u64)> {
        let area = area.intersect(mask.size().bounds());
        let mut seen = HashSet::new();
        let mut regions = Vec::new();
        for (x, y) in
            (area.y..area.bottom()).flat_map(|y| (area.x..area.right()).map(move |x| (x, y)))
        {
            let class = mask.get(x, y);
            if class == UNLABELED || !seen.insert((x, y)) {
                continue;
            }
            let (mut stack, mut pixels) = (vec![(x, y)], 0);
            while let Some((x, y)) = stack.pop() {
                pixels += 1;
                let (left, up) = (x.wrapping_sub(1), y.wrapping_sub(1));
                for (x, y) in [(left, y), (x + 1, y), (x, up), (x, y + 1)] {
                    if area.contains(x, y) && mask.get(x, y) == class && seen.insert((x, y)) {
                        stack.push((x, y));
                    }
                }
            }
            regions.push(((x, y), class, pixels));
        }
        regions
    }

    fn check_rings(region: &Region) {
        let mut edges = HashSet::new();
        for (index, ring) in region.rings.iter().enumerate() {
            assert_eq!(doubled_area(ring) < 0, index == 0, "{region:?}");
            let corners: HashSet<_> = ring.iter().collect();
            assert_eq!(corners.len(), ring.len(), "no corner twice: {region:?}");
            for (index, &b) in ring.iter().enumerate() {
                let a = ring[(index + ring.len() - 1) % ring.len()];
                let c = ring[(index + 1) % ring.len()];
                let is_turn = (a.0 == b.0) != (b.0 == c.0) && (a.1 == b.1) != (b.1 == c.1);
                assert!(is_turn, "{region:?}");
                assert!(edges.insert((a.min(b), a.max(b))), "no edge twice");
            }
        }
        let doubled: i64 = region.rings.iter().map(|ring| doubled_area(ring)).sum();
        assert_eq!(-doubled, 2 * region.pixels as i64, "{region:?}");
    }

    fn painted(size: ImageSize, regions: &[Region]) -> Mask {
        let point = |&(x, y): &(u32, u32)| ImagePoint::new(f64::from(x), f64::from(y));
        let shapes: Vec<_> = regions
            .iter()
            .map(|region| {
                let rings = region.rings.iter();
                let rings = rings.map(|ring| ring.iter().map(point).collect()).collect();
                (Figure::Area(rings), region.class)
            })
            .collect();
        let mut mask = Mask::new(size);
        rasterize(&mut mask, &shapes);
        mask
    }

    /// The mask with all that lies outside the area unlabeled.
    fn cut(mask: &Mask, area: PixelRect) -> Mask {
        let area = area.intersect(mask.size().bounds());
        let mut cut = Mask::new(mask.size());
        cut.set_rect(area, &mask.read_rect(area));
        cut
    }

    proptest! {
        #[test]
        fn regions_are_those_of_flooding_and_hold_their_pixels(case in any_case()) {
            let regions = labeled(&case.mask, case.area);
            let found: Vec<_> = regions
                .iter()
                .map(|region| (region.rings[0][0], region.class, region.pixels))
                .collect();
            prop_assert_eq!(found, flooded(&case.mask, case.area));
            regions.iter().for_each(check_rings);
            let painted = painted(case.mask.size(), &regions);
            prop_assert!(painted == cut(&case.mask, case.area));
            // Shapes of one region at a time, so that none hides what another one lacks.
            let by_class = regions.iter().filter(|region| region.class == 1).cloned();
            let only: Vec<Region> = by_class.collect();
            let kept = polygonize(&case.mask, case.area, &|class| class == 1, &|| false);
            prop_assert_eq!(kept, Some(only));
        }

        #[test]
        fn a_file_gives_the_same_mask(case in any_case()) {
            let georef = Georef::north_up(638_127.25, 487_350.5, 0.25, Some(2180));
            let regions = labeled(&case.mask, case.area);
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("regions.geojson");
            write_geojson(&path, &regions, &ClassTable::default(), Some(&georef)).expect("written");
            let layer = read_geojson(&path).expect("our own");
            prop_assert_eq!((layer.epsg(), layer.skipped), (Some(2180), 0));
            prop_assert_eq!(layer.shapes.len(), regions.len());
            let plan = BurnPlan {
                values: (0..u8::MAX).map(|class| (class.to_string(), class)).collect(),
                ..BurnPlan::by_attribute("class")
            };
            let burned = burn_in(&layer, &plan, case.mask.size(), Some(&georef)).expect("burned");
            prop_assert!(burned.notes.is_empty(), "{:?}", burned.notes);
            prop_assert!(burned.mask == cut(&case.mask, case.area));
        }
    }

    #[test]
    fn a_single_pixel_at_the_border_is_a_square() {
        let regions = labeled(&mask_of(&["..", ".4"]), EVERYTHING);
        let square = vec![(1, 1), (1, 2), (2, 2), (2, 1)];
        let expected = Region {
            class: 4,
            pixels: 1,
            rings: vec![square],
        };
        assert_eq!(regions, [expected]);
    }

    #[test]
    fn holes_in_holes_are_regions_of_their_own() {
        let mask = mask_of(&["11111", "12221", "12121", "12221", "11111"]);
        let regions = labeled(&mask, EVERYTHING);
        let shape: Vec<_> = regions
            .iter()
            .map(|region| (region.class, region.pixels, region.rings.len()))
            .collect();
        assert_eq!(shape, [(1, 16, 2), (2, 8, 2), (1, 1, 1)]);
        assert_eq!(regions[0].rings[1], [(1, 1), (4, 1), (4, 4), (1, 4)]);
    }

    #[test]
    fn pixels_that_meet_at_a_corner_are_apart() {
        let regions = labeled(&mask_of(&["12", "21"]), EVERYTHING);
        assert_eq!(regions.len(), 4);
        assert!(
            regions
                .iter()
                .all(|region| region.pixels == 1 && region.rings[0].len() == 4)
        );
    }

    #[test]
    fn a_hole_that_touches_outside_or_another_hole_is_a_ring_of_its_own() {
        let outside = labeled(&mask_of(&["111", "1.1", "11."]), EVERYTHING);
        assert_eq!((outside.len(), outside[0].rings.len()), (1, 2));
        let holes = labeled(&mask_of(&["1111", "1.11", "11.1", "1111"]), EVERYTHING);
        let lengths: Vec<_> = holes[0].rings.iter().map(Vec::len).collect();
        assert_eq!(lengths, [4, 4, 4]);
    }

    #[test]
    fn nothing_to_do_is_no_region() {
        let mask = mask_of(&["12", "21"]);
        assert!(labeled(&mask, PixelRect::new(1, 1, 0, 5)).is_empty());
        assert!(labeled(&mask, PixelRect::new(7, 7, 5, 5)).is_empty());
        assert!(labeled(&Mask::new(ImageSize::new(900, 900)), EVERYTHING).is_empty());
        assert!(labeled(&Mask::new(ImageSize::new(0, 0)), EVERYTHING).is_empty());
    }

    #[test]
    fn a_huge_mask_of_one_class_is_one_square() {
        let mut mask = Mask::filled(ImageSize::new(100_000, 100_000), 2);
        mask.put_tile(100, 300, MaskTile::Uniform(3));
        let regions = labeled(&mask, EVERYTHING);
        assert_eq!(regions.len(), 2);
        assert_eq!(regions[0].pixels, 10_000_000_000 - 65_536);
        assert_eq!(regions[0].rings[1][0], (25_600, 76_800));
        assert_eq!(regions[1].rings[0][2], (25_856, 77_056));
    }

    #[test]
    fn cancelling_gives_nothing() {
        let mask = Mask::filled(ImageSize::new(300, 300), 1);
        let asked = Cell::new(0);
        let is_cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() > 100
        };
        assert_eq!(
            polygonize(&mask, EVERYTHING, &|_| true, &is_cancelled),
            None
        );
        assert_eq!(asked.get(), 101, "no work after it was cancelled");
    }
}
