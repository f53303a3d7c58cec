use super::cells::Cells;
use super::hash;
use super::scan::ValidationWindow;
use crate::geom::PixelRect;

/// Which held-out patches are shown to people, rising: `count` of them, spread over the held-out
/// ground in equal stretches; of each stretch one that is labeled for the most part where there is
/// one, then one that shows the most classes; which of those follows from `seed`.
pub(super) fn shown(
    scans: &[Cells],
    windows: &[ValidationWindow],
    side: u32,
    (count, seed): (usize, u64),
) -> Vec<usize> {
    let classes = num_classes(scans, windows, side);
    // Windows at an edge count the strip alone that no other window counts.
    let is_mostly_counted = |window: usize| {
        let (_, (x, y), ground) = windows[window];
        let counted = PixelRect::new(x, y, side, side).intersect(ground);
        2 * counted.num_pixels() >= u64::from(side).pow(2)
    };
    let count = count.min(windows.len());
    let stretch = |at: usize| at * windows.len() / count..(at + 1) * windows.len() / count;
    let best = |at: usize| {
        let order = |&window: &usize| {
            let drawn = hash(&[seed, window as u64]);
            (is_mostly_counted(window), classes[window], drawn)
        };
        stretch(at).max_by_key(order)
    };
    (0..count).filter_map(best).collect()
}

/// How many classes each window shows.
fn num_classes(scans: &[Cells], windows: &[ValidationWindow], side: u32) -> Vec<u32> {
    let mut counts = Vec::with_capacity(windows.len());
    for of_scene in windows.chunk_by(|a, b| a.0 == b.0) {
        let scan = &scans[of_scene[0].0];
        let mut seen = vec![0; of_scene.len()];
        let histogram = scan.histogram(|_| true);
        for class in (0..255).filter(|&class: &u8| histogram[usize::from(class)] > 0) {
            let sums = scan.sums(Some(class));
            for (seen, &(_, (x, y), ground)) in seen.iter_mut().zip(of_scene) {
                let rect = PixelRect::new(x, y, side, side).intersect(ground);
                *seen += u32::from(sums.over(rect) > 0);
            }
        }
        counts.extend(seen);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;
    use crate::label::Mask;

    #[test]
    fn patches_that_show_many_classes_are_shown_from_everywhere() {
        let size = ImageSize::new(64 * 8, 64);
        let mut mask = Mask::filled(size, 0);
        // Windows 1, 2 and 7 show a second class, 6 a third.
        for (window, class) in [(1, 1), (2, 1), (6, 1), (7, 1)] {
            mask.set_rect(PixelRect::new(window * 64, 0, 8, 8), &[class; 64]);
        }
        mask.set_rect(PixelRect::new(6 * 64 + 32, 0, 8, 8), &[2; 64]);
        let scans = [Cells::scan(&mask)];
        let windows: Vec<ValidationWindow> =
            (0..8).map(|at| (0, (at * 64, 0), size.bounds())).collect();
        assert_eq!(shown(&scans, &windows, 64, (4, 1))[..2], [1, 2]);
        assert_eq!(shown(&scans, &windows, 64, (4, 1))[3], 6);
        assert_eq!(shown(&scans, &windows, 64, (2, 1))[1], 6);
        assert_eq!(
            shown(&scans, &windows, 64, (9, 1)),
            [0, 1, 2, 3, 4, 5, 6, 7]
        );
        let plain: Vec<Vec<usize>> = (0..9)
            .map(|seed| shown(&scans, &windows[3..6], 64, (1, seed)))
            .collect();
        assert!(plain.iter().any(|shown| *shown != plain[0]));
        let strip = (0, (6 * 64, 0), PixelRect::new(6 * 64, 48, 64, 16));
        assert_eq!(shown(&scans, &[windows[3], strip], 64, (1, 1)), [0]);
        assert!(shown(&scans, &[], 64, (4, 1)).is_empty());
    }
}
