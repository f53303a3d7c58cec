use crate::geom::ImagePoint;

/// Area that two rings share over the area that they cover, on the lines through the middle of
/// each row of pixels; 0 when both are empty.
///
/// For rings of pixel corners that is exact, for others within what a line a pixel can tell.
pub(super) fn intersection_over_union(a: &[ImagePoint], b: &[ImagePoint]) -> f64 {
    let heights = || a.iter().chain(b).map(|point| point.y);
    let top = heights().fold(f64::MAX, f64::min).floor();
    let bottom = heights().fold(f64::MIN, f64::max).ceil();
    let rows = (bottom - top).max(0.0) as usize;
    let (first, second) = (crossings(a, top, rows), crossings(b, top, rows));
    let (mut shared, mut both) = (0.0, 0.0);
    for (first, second) in first.iter().zip(&second) {
        both += length(first) + length(second);
        shared += shared_length(first, second);
    }
    if both > shared {
        shared / (both - shared)
    } else {
        0.0
    }
}

/// Where a ring crosses the middle of each row, from left to right.
fn crossings(ring: &[ImagePoint], top: f64, rows: usize) -> Vec<Vec<f64>> {
    let mut crossings = vec![Vec::new(); rows];
    for (index, from) in ring.iter().enumerate() {
        let to = ring[(index + 1) % ring.len()];
        let (high, low) = (from.y.min(to.y), from.y.max(to.y));
        // Rows whose middle is at or below the upper end and above the lower one.
        let row = |y: f64| ((y - top - 0.5).ceil().max(0.0) as usize).min(rows);
        for (row, crossings) in crossings
            .iter_mut()
            .enumerate()
            .take(row(low))
            .skip(row(high))
        {
            let y = top + row as f64 + 0.5;
            crossings.push(from.x + (y - from.y) * (to.x - from.x) / (to.y - from.y));
        }
    }
    for crossings in &mut crossings {
        crossings.sort_unstable_by(f64::total_cmp);
    }
    crossings
}

fn length(crossings: &[f64]) -> f64 {
    crossings
        .chunks_exact(2)
        .map(|pair| pair[1] - pair[0])
        .sum()
}

fn shared_length(first: &[f64], second: &[f64]) -> f64 {
    let mut shared = 0.0;
    let mut rest = second.chunks_exact(2).peekable();
    for pair in first.chunks_exact(2) {
        while let Some(other) = rest.peek() {
            shared += (pair[1].min(other[1]) - pair[0].max(other[0])).max(0.0);
            if other[1] > pair[1] {
                break;
            }
            rest.next();
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_counted_row_by_row() {
        let ring = |points: &[(f64, f64)]| -> Vec<ImagePoint> {
            points.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()
        };
        let square = ring(&[(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0)]);
        let moved = ring(&[(2.0, 0.0), (2.0, 4.0), (6.0, 4.0), (6.0, 0.0)]);
        let triangle = ring(&[(0.0, 0.0), (0.0, 4.0), (4.0, 4.0)]);
        let comb = ring(&[(0.0, 0.0), (0.0, 4.0), (1.0, 4.0), (1.0, 1.0), (3.0, 1.0)]);
        let comb = [comb, ring(&[(3.0, 4.0), (4.0, 4.0), (4.0, 0.0)])].concat();
        for (a, b, expected) in [
            (&square, &square, 1.0),
            (&square, &moved, 1.0 / 3.0),
            (&square, &triangle, 0.5),
            (&square, &comb, 10.0 / 16.0),
            (&moved, &comb, 5.0 / 21.0),
        ] {
            assert!((intersection_over_union(a, b) - expected).abs() < 1e-12);
            assert!((intersection_over_union(b, a) - expected).abs() < 1e-12);
        }
        assert_eq!(intersection_over_union(&[], &[]), 0.0);
    }
}
