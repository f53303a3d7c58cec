use crate::geom::ImagePoint;

/// The place of the corner that is farthest from the straight line piece between the ends of a
/// chain, and its distance in pixels; `None` when there is no corner between the ends.
pub(super) fn farthest(chain: &[ImagePoint]) -> Option<(usize, f64)> {
    let (&first, &last) = (chain.first()?, chain.last()?);
    let inner = chain.len().checked_sub(2).filter(|&count| count > 0)?;
    let (mut place, mut most) = (1, -1.0);
    for (index, &point) in chain[1..=inner].iter().enumerate() {
        let squared = squared_distance(point, first, last);
        if squared > most {
            (place, most) = (index + 1, squared);
        }
    }
    Some((place, most.sqrt()))
}

/// Square of the distance of a point from the line piece between two others, which may be one.
pub(super) fn squared_distance(point: ImagePoint, from: ImagePoint, to: ImagePoint) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let (px, py) = (point.x - from.x, point.y - from.y);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (ex, ey) = (px - share * dx, py - share * dy);
    ex * ex + ey * ey
}

/// Which corners of a chain to keep, so that none that goes is more than `tolerance` pixels from
/// the line piece that takes its place (Douglas and Peucker 1973).
///
/// Ends are kept, and of a chain that is closed the corner farthest from its ends.
pub(super) fn shorten(chain: &[ImagePoint], tolerance: f64) -> Vec<bool> {
    if tolerance <= 0.0 {
        return vec![true; chain.len()];
    }
    let mut kept = vec![false; chain.len()];
    let Some(last) = chain.len().checked_sub(1) else {
        return kept;
    };
    (kept[0], kept[last]) = (true, true);
    let mut pieces = vec![(0, last)];
    while let Some((from, to)) = pieces.pop() {
        let Some((place, distance)) = farthest(&chain[from..=to]) else {
            continue;
        };
        if distance > tolerance || chain[from] == chain[to] {
            let middle = from + place;
            kept[middle] = true;
            pieces.extend([(from, middle), (middle, to)]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(points: &[(i32, i32)]) -> Vec<ImagePoint> {
        let point = |&(x, y): &(i32, i32)| ImagePoint::new(x.into(), y.into());
        points.iter().map(point).collect()
    }

    #[test]
    fn distances_are_to_the_piece_not_to_the_line() {
        let at = |x, y| ImagePoint::new(x, y);
        for (point, squared) in [((5.0, 2.0), 4.0), ((-3.0, 4.0), 25.0), ((13.0, 0.0), 9.0)] {
            let found = squared_distance(at(point.0, point.1), at(0.0, 0.0), at(10.0, 0.0));
            assert_eq!(found, squared);
        }
    }

    #[test]
    fn stairs_become_a_slope_from_a_tolerance_on() {
        let stairs = chain(&[(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]);
        let count = |tolerance| {
            let kept = shorten(&stairs, tolerance);
            kept.iter().filter(|&&is_kept| is_kept).count()
        };
        // Each step is half a diagonal from the slope: 0.707.
        assert_eq!([count(0.0), count(0.7), count(0.71)], [7, 3, 2]);
    }

    #[test]
    fn closed_chains_keep_the_farthest_corner() {
        let square = chain(&[(0, 0), (0, 2), (2, 2), (2, 0), (0, 0)]);
        assert_eq!(shorten(&square, 9.0), [true, false, true, false, true]);
        assert_eq!(farthest(&square), Some((2, 8_f64.sqrt())));
        assert_eq!(farthest(&square[..2]), None);
        assert!(shorten(&[], 1.0).is_empty());
    }
}
