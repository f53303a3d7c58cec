use super::super::side::Side;
use super::regions::Regions;
use super::work::{ChangedTile, Work};

/// Ground that is not of the class.
const OTHER: u8 = 1;

/// Fills the small regions of other classes that do not reach the border of the area.
pub(super) fn fill_holes(work: &Work<'_>, class: u8, max_pixels: u64) -> Option<Vec<ChangedTile>> {
    let key_of = std::array::from_fn(|index| {
        if index == usize::from(class) {
            0
        } else {
            OTHER
        }
    });
    let regions = Regions::of(work, work.area, key_of, 0.7)?;
    let mut is_hole = vec![false; regions.roots.len()];
    for patch in &regions.patches {
        for (number, _) in patch.pieces().filter(|(_, piece)| piece.key == OTHER) {
            let root = regions.roots[number as usize] as usize;
            is_hole[root] = regions.num_pixels[root] <= max_pixels;
        }
    }
    for (index, patch) in regions.patches.iter().enumerate() {
        for side in Side::ALL {
            if regions.beside(index, side).is_none() {
                for number in patch.along(side) {
                    is_hole[regions.roots[number as usize] as usize] = false;
                }
            }
        }
    }
    regions.recolored(work, 0.7, |region| {
        is_hole[region as usize].then_some(class)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_masks::{any_case, check, pixels};
    use super::super::{Cleanup, Control, clean_up};
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Mask, PaintOver};

    fn by_definition(mask: &Mask, area: PixelRect, class: u8, max_pixels: u64) -> Vec<u8> {
        let (mut after, width) = (pixels(mask), mask.size().width);
        let area = area.intersect(mask.size().bounds());
        let at = |(x, y): (u32, u32)| (y * width + x) as usize;
        let mut seen = vec![false; after.len()];
        for start in
            (area.y..area.bottom()).flat_map(|y| (area.x..area.right()).map(move |x| (x, y)))
        {
            let (mut region, mut next, mut is_open) = (Vec::new(), vec![start], false);
            while let Some((x, y)) = next.pop() {
                if !area.contains(x, y) {
                    is_open = true;
                } else if mask.get(x, y) != class && !std::mem::replace(&mut seen[at((x, y))], true)
                {
                    region.push((x, y));
                    next.extend([(x + 1, y), (x, y + 1)]);
                    next.extend([(x.wrapping_sub(1), y), (x, y.wrapping_sub(1))]);
                }
            }
            if !is_open && region.len() as u64 <= max_pixels {
                for pixel in region {
                    after[at(pixel)] = class;
                }
            }
        }
        after
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn holes_are_their_definition(case in any_case(), class in 0_u8..3, few in any::<bool>()) {
            for max_pixels in if few { [1, 12] } else { [500, u64::MAX] } {
                let free = by_definition(&case.mask, case.area, class, max_pixels);
                check(&case, Cleanup::FillHoles { class, max_pixels }, &free);
            }
        }
    }

    #[test]
    fn a_hole_of_whole_tiles_in_a_huge_mask_is_filled() {
        let size = ImageSize::new(100_000, 100_000);
        let mut mask = Mask::filled(size, 0);
        let (left, side) = (3 * 256 + 7, 6 * 256 + 9);
        for (x, y, width, height) in [
            (0, 0, side, 1),
            (0, side - 1, side, 1),
            (0, 0, 1, side),
            (side - 1, 0, 1, side),
        ] {
            let rect = PixelRect::new(left + x, left + y, width, height);
            mask.set_rect(rect, &vec![4; rect.num_pixels() as usize]);
        }
        let inside = u64::from(side - 2) * u64::from(side - 2);
        let filled = |max_pixels| {
            let what = Cleanup::FillHoles {
                class: 4,
                max_pixels,
            };
            clean_up(
                &mask,
                size.bounds(),
                &PaintOver::everything(),
                what,
                &Control::default(),
            )
            .expect("not cancelled")
        };
        assert_eq!(filled(inside - 1), mask);
        let full = filled(inside);
        assert_eq!(full.histogram()[4], u64::from(side) * u64::from(side));
        assert_eq!(full.tile(5, 5).uniform_class(), Some(4));
        assert!(full.tile(100, 5).is_same(mask.tile(100, 5)));
    }
}
