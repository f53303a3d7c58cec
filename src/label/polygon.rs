use std::ops::Range;

use super::span::Span;
use crate::geom::{ImagePoint, ImageSize};

/// A closed outline in level-0 pixels; holds the pixels whose centre is inside by the even-odd rule.
pub(super) struct Polygon<'a> {
    points: &'a [ImagePoint],
    size: ImageSize,
}

impl<'a> Polygon<'a> {
    /// The outline over a mask of `size`; `None` when it has fewer than three points or one is not
    /// a number.
    pub(super) fn new(points: &'a [ImagePoint], size: ImageSize) -> Option<Self> {
        let finite = |point: &ImagePoint| point.x.is_finite() && point.y.is_finite();
        (points.len() >= 3 && points.iter().all(finite)).then_some(Self { points, size })
    }

    /// The rows of the mask that it can reach.
    pub(super) fn rows(&self) -> Range<u32> {
        let ys = || self.points.iter().map(|point| point.y);
        let clamp = |y: f64| y.clamp(0.0, f64::from(self.size.height)) as u32;
        let top = clamp(ys().fold(f64::INFINITY, f64::min).floor());
        top..clamp(ys().fold(f64::NEG_INFINITY, f64::max).ceil())
    }

    /// Its pixels in some rows of the mask, by row and column; spans of one row do not touch.
    pub(super) fn spans(&self, rows: Range<u32>) -> Vec<Span> {
        let (first, last) = (f64::from(rows.start) + 0.5, f64::from(rows.end) - 0.5);
        let near = |(a, b): &(ImagePoint, ImagePoint)| a.y.min(b.y) <= last && a.y.max(b.y) > first;
        let near_edges: Vec<_> = self.edges().filter(near).collect();
        let mut spans = Vec::new();
        let mut crossings = Vec::new();
        for y in rows {
            let center = f64::from(y) + 0.5;
            crossings.clear();
            crossings.extend(
                near_edges
                    .iter()
                    .filter_map(|&(a, b)| crossing(a, b, center)),
            );
            crossings.sort_by(f64::total_cmp);
            self.add_row(y, &crossings, &mut spans);
        }
        spans
    }

    fn add_row(&self, y: u32, crossings: &[f64], spans: &mut Vec<Span>) {
        for pair in crossings.chunks_exact(2) {
            let [start, end] = [pair[0], pair[1]].map(|x| column(x, self.size.width));
            match spans.last_mut() {
                Some(last) if last.y == y && last.end == start && start < end => last.end = end,
                _ if start < end => spans.push(Span { y, start, end }),
                _ => {}
            }
        }
    }

    fn edges(&self) -> impl Iterator<Item = (ImagePoint, ImagePoint)> {
        let next = self.points.iter().cycle().skip(1);
        self.points.iter().copied().zip(next.copied())
    }
}

/// Where an edge crosses the row at `y`; its upper end belongs to it, its lower end does not.
pub(super) fn crossing(a: ImagePoint, b: ImagePoint, y: f64) -> Option<f64> {
    if (a.y <= y) == (b.y <= y) {
        return None;
    }
    Some(a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y)))
}

/// The first pixel of a row whose centre is not left of `x`, at most `width`.
pub(super) fn column(x: f64, width: u32) -> u32 {
    (x - 0.5).ceil().clamp(0.0, f64::from(width)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: ImageSize = ImageSize::new(40, 30);

    fn filled(points: &[ImagePoint]) -> Vec<(u32, u32)> {
        let Some(polygon) = Polygon::new(points, SIZE) else {
            return Vec::new();
        };
        let spans = polygon.spans(polygon.rows());
        spans
            .iter()
            .flat_map(|span| (span.start..span.end).map(|x| (x, span.y)))
            .collect()
    }

    fn outline(points: &[(f64, f64)]) -> Vec<ImagePoint> {
        points.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()
    }

    #[test]
    fn a_square_holds_its_pixels_and_no_more() {
        let square = outline(&[(2.0, 3.0), (6.0, 3.0), (6.0, 5.0), (2.0, 5.0)]);
        assert_eq!(filled(&square).len(), 8);
    }

    #[test]
    fn what_is_enclosed_twice_is_outside() {
        let star = outline(&[
            (0.0, 0.0),
            (10.0, 0.0),
            (10.0, 10.0),
            (0.0, 10.0),
            (0.0, 0.0),
            (3.0, 3.0),
            (7.0, 3.0),
            (7.0, 7.0),
            (3.0, 7.0),
            (3.0, 3.0),
        ]);
        assert_eq!(filled(&star).len(), 100 - 16);
    }

    #[test]
    fn two_points_or_no_numbers_are_no_polygon() {
        assert!(filled(&outline(&[(0.0, 0.0), (9.0, 9.0)])).is_empty());
        assert!(filled(&outline(&[(0.0, 0.0), (9.0, 9.0), (f64::NAN, 1.0)])).is_empty());
    }

    proptest! {
        #[test]
        fn a_polygon_is_its_definition(
            points in prop::collection::vec((-20_i32..200, -20_i32..150), 3..12)
        ) {
            let points: Vec<_> = points
                .iter()
                .map(|&(x, y)| ImagePoint::new(f64::from(x) / 4.0, f64::from(y) / 4.0))
                .collect();
            let filled = filled(&points);
            for (x, y) in (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))) {
                let (cx, cy) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
                let left_of = (0..points.len())
                    .filter_map(|n| crossing(points[n], points[(n + 1) % points.len()], cy))
                    .filter(|&at| at <= cx)
                    .count();
                prop_assert_eq!(filled.contains(&(x, y)), left_of % 2 == 1);
            }
        }
    }
}
