use super::nearest::{FAR, Sites};
use super::work::{ChangedTile, Part, Work};

/// Grows a class by a disc.
pub(super) fn dilate(work: &Work<'_>, class: u8, radius: u32) -> Option<Vec<ChangedTile>> {
    work.by_parts(radius, |part| {
        let around = work.with_margin(part.rect, radius);
        let classes = work.mask.read_rect(around);
        if is_full(work, part, class) || !classes.contains(&class) {
            return None;
        }
        let sites = Sites {
            window: around,
            classes: &classes,
            is_site: only(class),
        };
        let near = sites.nearest(part.rect, radius);
        Some(blend(
            work,
            part,
            |old, at| {
                if near[at] == FAR { old } else { class }
            },
        ))
    })
}

/// Shrinks a class by a disc.
pub(super) fn erode(work: &Work<'_>, class: u8, radius: u32) -> Option<Vec<ChangedTile>> {
    if !work.over.contains(class) {
        return Some(Vec::new());
    }
    work.by_parts(radius, |part| {
        if !has_class(work, part, class) {
            return None;
        }
        let around = work.with_margin(part.rect, radius);
        let classes = work.mask.read_rect(around);
        let sites = Sites {
            window: around,
            classes: &classes,
            is_site: all_but(class),
        };
        let near = sites.nearest(part.rect, radius);
        Some(blend(work, part, |old, at| {
            if near[at] == FAR { old } else { near[at] as u8 }
        }))
    })
}

/// Removes the pixels of a class that no disc inside it covers.
pub(super) fn open(work: &Work<'_>, class: u8, radius: u32) -> Option<Vec<ChangedTile>> {
    if !work.over.contains(class) {
        return Some(Vec::new());
    }
    work.by_parts(2 * radius, |part| {
        if !has_class(work, part, class) {
            return None;
        }
        let (near, is_core) = two_steps(work, part, all_but(class), radius);
        Some(blend(work, part, |old, at| {
            // Another class is its own nearest one; the core of `class` has none near enough.
            if is_core[at] { old } else { near[at] as u8 }
        }))
    })
}

/// Gives a class the pixels that no disc outside it covers.
pub(super) fn close(work: &Work<'_>, class: u8, radius: u32) -> Option<Vec<ChangedTile>> {
    work.by_parts(2 * radius, |part| {
        let around = work.with_margin(part.rect, radius);
        if is_full(work, part, class) || !work.mask.read_rect(around).contains(&class) {
            return None;
        }
        let (_, is_outside) = two_steps(work, part, only(class), radius);
        Some(blend(
            work,
            part,
            |old, at| {
                if is_outside[at] { old } else { class }
            },
        ))
    })
}

/// The nearest site of each pixel of the part, and whether a disc that holds no site covers it.
fn two_steps(
    work: &Work<'_>,
    part: &Part,
    is_site: [bool; 256],
    radius: u32,
) -> (Vec<u32>, Vec<bool>) {
    let around = work.with_margin(part.rect, 2 * radius);
    let classes = work.mask.read_rect(around);
    let sites = Sites {
        window: around,
        classes: &classes,
        is_site,
    };
    let centers = work.with_margin(part.rect, radius);
    let near = sites.nearest(centers, radius);
    let is_center: Vec<u8> = near.iter().map(|&key| u8::from(key == FAR)).collect();
    let discs = Sites {
        window: centers,
        classes: &is_center,
        is_site: only(1),
    };
    let covered = discs.nearest(part.rect, radius);
    let width = centers.width as usize;
    let (left, top) = (part.rect.x - centers.x, part.rect.y - centers.y);
    let inside = near
        .chunks_exact(width)
        .skip(top as usize)
        .take(part.rect.height as usize)
        .flat_map(|line| &line[left as usize..][..part.rect.width as usize]);
    (
        inside.copied().collect(),
        covered.iter().map(|&key| key != FAR).collect(),
    )
}

fn is_full(work: &Work<'_>, part: &Part, class: u8) -> bool {
    work.mask.tile(part.col, part.row).uniform_class() == Some(class)
}

fn has_class(work: &Work<'_>, part: &Part, class: u8) -> bool {
    match work.mask.tile(part.col, part.row).uniform_class() {
        Some(uniform) => uniform == class,
        None => work.mask.read_rect(part.rect).contains(&class),
    }
}

/// The part with each class replaced by `new` of it and of its place.
fn blend(work: &Work<'_>, part: &Part, new: impl Fn(u8, usize) -> u8) -> Vec<u8> {
    let mut classes = work.mask.read_rect(part.rect);
    for (at, class) in classes.iter_mut().enumerate() {
        *class = new(*class, at);
    }
    classes
}

fn only(class: u8) -> [bool; 256] {
    std::array::from_fn(|index| index == usize::from(class))
}

fn all_but(class: u8) -> [bool; 256] {
    std::array::from_fn(|index| index != usize::from(class))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_masks::{any_case, blocky, check, huge, pixels};
    use super::super::{Cleanup, Control, clean_up};
    use crate::geom::{ImageSize, PixelRect};
    use crate::label::{Mask, PaintOver};

    /// The least (squared distance, class) of the pixels within the radius that `is_site` takes.
    fn nearest(
        mask: &Mask,
        classes: &[u8],
        at: usize,
        radius: u32,
        site: &dyn Fn(u8) -> bool,
    ) -> Option<(u32, u8)> {
        let bounds = mask.size().bounds();
        let (x, y) = (at as u32 % bounds.width, at as u32 / bounds.width);
        let square = PixelRect::new(x, y, 1, 1).grown(radius).intersect(bounds);
        let rows = square.y..square.bottom();
        rows.flat_map(|v| (square.x..square.right()).map(move |u| (u, v)))
            .map(|(u, v)| {
                let (dx, dy) = (u.abs_diff(x), v.abs_diff(y));
                (dx * dx + dy * dy, classes[(v * bounds.width + u) as usize])
            })
            .filter(|&(squared, class)| squared <= radius * radius && site(class))
            .min()
    }

    fn all(mask: &Mask, classes: &[u8], radius: u32, site: &dyn Fn(u8) -> bool) -> Vec<Option<u8>> {
        let near = |at| nearest(mask, classes, at, radius, site).map(|(_, class)| class);
        (0..classes.len()).map(near).collect()
    }

    fn dilated(mask: &Mask, class: u8, radius: u32) -> Vec<u8> {
        let old = pixels(mask);
        let near = all(mask, &old, radius, &|other| other == class);
        old.iter()
            .zip(near)
            .map(|(old, near)| near.unwrap_or(*old))
            .collect()
    }

    fn eroded(mask: &Mask, class: u8, radius: u32) -> Vec<u8> {
        let old = pixels(mask);
        let near = all(mask, &old, radius, &|other| other != class);
        old.iter()
            .zip(near)
            .map(|(old, near)| near.unwrap_or(*old))
            .collect()
    }

    fn opened(mask: &Mask, class: u8, radius: u32) -> Vec<u8> {
        let shrunk = eroded(mask, class, radius);
        let covered = all(mask, &shrunk, radius, &|other| other == class);
        let back = shrunk
            .iter()
            .zip(covered)
            .map(|(new, covered)| covered.unwrap_or(*new));
        back.collect()
    }

    fn closed(mask: &Mask, class: u8, radius: u32) -> Vec<u8> {
        let old = pixels(mask);
        let open = all(mask, &dilated(mask, class, radius), radius, &|other| {
            other != class
        });
        old.iter()
            .zip(open)
            .map(|(old, open)| if open.is_some() { *old } else { class })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn growing_and_shrinking_are_their_definitions(
            case in any_case(),
            class in 0_u8..3,
            radius in 0_u32..9,
        ) {
            check(&case, Cleanup::Dilate { class, radius }, &dilated(&case.mask, class, radius));
            check(&case, Cleanup::Erode { class, radius }, &eroded(&case.mask, class, radius));
        }

        #[test]
        fn opening_and_closing_are_their_definitions(
            case in any_case(),
            class in 0_u8..3,
            radius in 0_u32..6,
        ) {
            check(&case, Cleanup::Open { class, radius }, &opened(&case.mask, class, radius));
            check(&case, Cleanup::Close { class, radius }, &closed(&case.mask, class, radius));
        }
    }

    fn cleaned(mask: &Mask, what: Cleanup) -> Mask {
        let (area, over) = (mask.size().bounds(), PaintOver::everything());
        clean_up(mask, area, &over, what, &Control::default()).expect("not cancelled")
    }

    #[test]
    fn the_largest_radius_crosses_tiles() {
        let mut mask = Mask::filled(ImageSize::new(900, 800), 0);
        mask.set_rect(PixelRect::new(300, 270, 2, 1), &[1, 1]);
        mask.set_rect(PixelRect::new(880, 790, 1, 1), &[2]);
        let radius = 256;
        let grown = cleaned(&mask, Cleanup::Dilate { class: 1, radius });
        let shrunk = cleaned(&mask, Cleanup::Erode { class: 0, radius });
        let old = pixels(&mask);
        for at in (0..old.len()).step_by(61) {
            let (x, y) = (at as i32 % 900, at as i32 / 900);
            let squared = |u: i32, v: i32| (x - u).pow(2) + (y - v).pow(2);
            let ones = squared(300, 270).min(squared(301, 270));
            let (one, two) = (ones <= 65_536, squared(880, 790));
            let is_one = one && old[at] == 0;
            assert_eq!(
                grown.get(x as u32, y as u32),
                if is_one { 1 } else { old[at] }
            );
            let taken = match (one, two <= 65_536) {
                (true, true) => {
                    if ones <= two {
                        1
                    } else {
                        2
                    }
                }
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 0,
            };
            let expected = if old[at] == 0 { taken } else { old[at] };
            assert_eq!(shrunk.get(x as u32, y as u32), expected, "{x}, {y}");
        }
    }

    #[test]
    fn the_edge_of_the_mask_eats_nothing() {
        let full = Mask::filled(ImageSize::new(40, 30), 1);
        let mut mask = full.clone();
        mask.set_rect(PixelRect::new(20, 15, 1, 1), &[0]);
        let (class, radius) = (1, 3);
        assert_eq!(cleaned(&full, Cleanup::Erode { class, radius }), full);
        assert_eq!(
            cleaned(&mask, Cleanup::Erode { class, radius }).histogram()[0],
            29
        );
        assert_eq!(cleaned(&mask, Cleanup::Close { class, radius }), full);
    }

    #[test]
    fn a_huge_mask_takes_no_time_where_it_is_bare() {
        let mask = huge();
        let (class, radius) = (1, 5);
        let opened = cleaned(&mask, Cleanup::Open { class, radius });
        // The edge of the mask completes the discs of the first square only.
        assert_eq!((opened.get(0, 0), opened.get(51_004, 77_304)), (1, 0));
        let radius = 4;
        let grown = cleaned(&mask, Cleanup::Dilate { class, radius });
        assert!(grown.histogram()[1] > mask.histogram()[1]);
        assert!(grown.tile(9, 9).is_same(mask.tile(9, 9)));
    }

    #[test]
    fn sizes_of_one_pixel_are_fine() {
        for size in [
            ImageSize::new(1, 1),
            ImageSize::new(1, 600),
            ImageSize::new(600, 1),
        ] {
            let mask = blocky(size, 3, 2, 3);
            let what = Cleanup::Close {
                class: 1,
                radius: 2,
            };
            assert_eq!(pixels(&cleaned(&mask, what)), closed(&mask, 1, 2));
        }
    }
}
