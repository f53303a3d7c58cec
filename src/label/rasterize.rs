use std::ops::Range;

use super::polygon::{column, crossing};
use super::{Brush, MASK_TILE_SIZE, Mask};
use crate::geom::{ImagePoint, PixelRect};

/// What a class is drawn as, in level-0 pixels, y down.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Pixels whose centers lie inside an odd number of these rings, so that holes are left as they
    /// were, whatever way the rings run. A center on an edge belongs to the figure on its right or
    /// below. Rings may repeat their first point at the end.
    Area(Vec<Vec<ImagePoint>>),
    /// Pixels whose centers are within half of the width of the line through these points, so that
    /// its ends and joints are round. Segments with an end more than 10⁹ pixels away are left out.
    Line {
        /// Joined one after the other; one point alone is a disc.
        points: Vec<ImagePoint>,
        /// In pixels.
        width_px: f64,
    },
}

/// Gives all pixels that a figure covers its class; later figures lie over earlier ones.
///
/// Figures with a coordinate that is not a number are left out, and so is what lies outside the
/// mask.
///
/// Not undoable: for masks that nobody edits yet.
pub fn rasterize(mask: &mut Mask, figures: &[(Figure, u8)]) {
    let size = mask.size();
    let (_, tile_rows) = mask.grid();
    let reached: Vec<Range<u32>> = figures
        .iter()
        .map(|(figure, _)| figure.rows(size.height))
        .collect();
    for tile_row in 0..tile_rows {
        let top = tile_row * MASK_TILE_SIZE;
        let rows = top..top.saturating_add(MASK_TILE_SIZE).min(size.height);
        let mut band: Option<Band> = None;
        for ((figure, class), reached) in figures.iter().zip(&reached) {
            let rows = reached.start.max(rows.start)..reached.end.min(rows.end);
            if !rows.is_empty() {
                band.get_or_insert_with(|| Band::read(mask, tile_row))
                    .paint(figure, rows, *class);
            }
        }
        if let Some(band) = band {
            band.write(mask);
        }
    }
}

impl Figure {
    /// The rows of a mask of `height` that it may reach; none when a coordinate is not a number.
    fn rows(&self, height: u32) -> Range<u32> {
        let (points, radius): (Box<dyn Iterator<Item = &ImagePoint>>, f64) = match self {
            Self::Area(rings) => (Box::new(rings.iter().flatten()), 0.0),
            Self::Line { points, width_px } => (Box::new(points.iter()), width_px / 2.0),
        };
        let mut reached = [f64::INFINITY, f64::NEG_INFINITY];
        for point in points {
            if !(point.x.is_finite() && point.y.is_finite() && radius.is_finite()) {
                return 0..0;
            }
            reached = [reached[0].min(point.y), reached[1].max(point.y)];
        }
        let clamp = |y: f64| y.clamp(0.0, f64::from(height)) as u32;
        clamp((reached[0] - radius).floor())..clamp((reached[1] + radius).ceil())
    }
}

/// One row of tiles while figures are painted on it.
struct Band {
    rect: PixelRect,
    classes: Vec<u8>,
    /// By column of tiles, whether pixels may have changed: other tiles stay shared.
    is_touched: Vec<bool>,
}

impl Band {
    fn read(mask: &Mask, tile_row: u32) -> Self {
        let (cols, _) = mask.grid();
        let ground = mask.tile_rect(0, tile_row);
        let rect = PixelRect::new(0, ground.y, mask.size().width, ground.height);
        Self {
            rect,
            classes: mask.read_rect(rect),
            is_touched: vec![false; cols as usize],
        }
    }

    /// Paints the part of a figure in some rows of the band.
    fn paint(&mut self, figure: &Figure, rows: Range<u32>, class: u8) {
        match figure {
            Figure::Area(rings) => self.paint_area(rings, rows, class),
            Figure::Line { points, width_px } => {
                let brush = Brush::round(*width_px);
                let alone = (points.len() == 1).then(|| [points[0]; 2]);
                let pairs = points.array_windows().copied();
                for [from, to] in pairs.chain(alone) {
                    for span in brush.capsule_in(from, to, rows.clone(), self.rect.width) {
                        self.fill(span.y, span.start..span.end, class);
                    }
                }
            }
        }
    }

    /// An edge is looked at from the first row it crosses to the last, as in the edge-table method
    /// (Foley and van Dam, Computer Graphics, 3.6).
    fn paint_area(&mut self, rings: &[Vec<ImagePoint>], rows: Range<u32>, class: u8) {
        let mut edges = edges_near(rings, &rows);
        edges.sort_unstable_by(|(a, b), (c, d)| a.y.min(b.y).total_cmp(&c.y.min(d.y)));
        let mut coming = edges.into_iter().peekable();
        let mut active: Vec<(ImagePoint, ImagePoint)> = Vec::new();
        let mut crossings = Vec::new();
        for y in rows {
            let center = f64::from(y) + 0.5;
            active.extend(std::iter::from_fn(|| {
                coming.next_if(|(a, b)| a.y.min(b.y) <= center)
            }));
            active.retain(|(a, b)| a.y.max(b.y) > center);
            crossings.clear();
            crossings.extend(active.iter().filter_map(|&(a, b)| crossing(a, b, center)));
            crossings.sort_unstable_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let [start, end] = [pair[0], pair[1]].map(|x| column(x, self.rect.width));
                if start < end {
                    self.fill(y, start..end, class);
                }
            }
        }
    }

    fn fill(&mut self, y: u32, columns: Range<u32>, class: u8) {
        let line = (y - self.rect.y) as usize * self.rect.width as usize;
        self.classes[line + columns.start as usize..line + columns.end as usize].fill(class);
        let last = (columns.end - 1) / MASK_TILE_SIZE;
        self.is_touched[(columns.start / MASK_TILE_SIZE) as usize..=last as usize].fill(true);
    }

    fn write(&self, mask: &mut Mask) {
        let touched = self.is_touched.iter().enumerate();
        for (col, _) in touched.filter(|&(_, &is_touched)| is_touched) {
            let ground = mask.tile_rect(col as u32, self.rect.y / MASK_TILE_SIZE);
            let (left, width) = (ground.x as usize, ground.width as usize);
            let lines = self.classes.chunks_exact(self.rect.width as usize);
            let classes: Vec<u8> = lines
                .flat_map(|line| &line[left..left + width])
                .copied()
                .collect();
            mask.set_rect(ground, &classes);
        }
    }
}

/// The edges that cross the middle of one of the rows.
fn edges_near(rings: &[Vec<ImagePoint>], rows: &Range<u32>) -> Vec<(ImagePoint, ImagePoint)> {
    let (first, last) = (f64::from(rows.start) + 0.5, f64::from(rows.end) - 0.5);
    let near = |(a, b): &(ImagePoint, ImagePoint)| a.y.min(b.y) <= last && a.y.max(b.y) > first;
    let mut edges = Vec::new();
    for ring in rings {
        let next = ring.iter().cycle().skip(1);
        edges.extend(ring.iter().copied().zip(next.copied()).filter(near));
    }
    edges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::polygon::Polygon;
    use super::*;
    use crate::geom::ImageSize;

    fn ring(points: &[(f64, f64)]) -> Vec<ImagePoint> {
        points.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()
    }

    fn square(min: f64, max: f64) -> Vec<ImagePoint> {
        ring(&[(min, min), (max, min), (max, max), (min, max)])
    }

    fn area(rings: Vec<Vec<ImagePoint>>, class: u8) -> (Figure, u8) {
        (Figure::Area(rings), class)
    }

    fn line(points: &[(f64, f64)], width_px: f64, class: u8) -> (Figure, u8) {
        let points = ring(points);
        (Figure::Line { points, width_px }, class)
    }

    #[test]
    fn a_line_covers_the_centers_within_half_of_its_width() {
        // Three rows of 10 and, at each end, the half disc of radius 1.5 without its diameter.
        let mut mask = Mask::new(ImageSize::new(40, 40));
        rasterize(&mut mask, &[line(&[(10.5, 20.5), (19.5, 20.5)], 3.0, 4)]);
        assert_eq!(mask.histogram()[4], 30 + 2 * 3);
        assert_eq!([mask.get(9, 20), mask.get(8, 20)], [4, 255]);
        assert_eq!([mask.get(9, 19), mask.get(9, 18)], [4, 255]);
        let mut dot = Mask::new(ImageSize::new(40, 40));
        rasterize(&mut dot, &[line(&[(10.5, 20.5)], 3.0, 4)]);
        assert_eq!(dot.histogram()[4], 9);
    }

    #[test]
    fn holes_stay_and_later_shapes_lie_over_earlier_ones() {
        let mut mask = Mask::new(ImageSize::new(600, 600));
        let shapes = [
            area(vec![square(0.0, 600.0), square(200.0, 400.0)], 1),
            area(vec![square(390.0, 420.0)], 2),
        ];
        rasterize(&mut mask, &shapes);
        let counts = mask.histogram();
        assert_eq!(counts[2], 900);
        assert_eq!(counts[1], 600 * 600 - 200 * 200 - (900 - 100));
        assert_eq!((mask.get(300, 300), mask.get(395, 395)), (255, 2));
    }

    #[test]
    fn what_is_outside_or_no_number_changes_nothing() {
        let mut mask = Mask::filled(ImageSize::new(300, 300), 4);
        let shapes = [
            area(vec![square(-50.0, -1.0), square(300.0, 900.0)], 1),
            area(vec![square(1.0, f64::NAN)], 1),
            area(vec![ring(&[(1.0, 1.0), (9.0, 9.0)]), Vec::new()], 1),
            area(Vec::new(), 1),
            line(&[(1.0, 1.0), (f64::NAN, 9.0)], 5.0, 1),
            line(&[(1.0, 1.0), (9.0, 9.0)], f64::INFINITY, 1),
            line(&[(1.0, 1.0), (9.0, 9.0)], -3.0, 1),
            line(&[(-9.0, 1.0), (-9.0, 9.0)], 5.0, 1),
            line(&[], 5.0, 1),
        ];
        rasterize(&mut mask, &shapes);
        assert_eq!(mask, Mask::filled(ImageSize::new(300, 300), 4));
    }

    #[test]
    fn a_shape_larger_than_the_mask_fills_it() {
        let mut mask = Mask::new(ImageSize::new(300, 300));
        rasterize(&mut mask, &[area(vec![square(-1e9, 1e9)], 1)]);
        assert_eq!(mask, Mask::filled(ImageSize::new(300, 300), 1));
    }

    /// Of a point from a segment.
    fn distance(at: ImagePoint, a: ImagePoint, b: ImagePoint) -> f64 {
        let along = (at.x - a.x) * (b.x - a.x) + (at.y - a.y) * (b.y - a.y);
        let length = a.distance(b);
        let share = (along / (length * length).max(1e-12)).clamp(0.0, 1.0);
        at.distance(ImagePoint::new(
            a.x + (b.x - a.x) * share,
            a.y + (b.y - a.y) * share,
        ))
    }

    proptest! {
        #[test]
        fn a_ring_is_the_polygon_tool(
            points in prop::collection::vec((-80_i32..1200, -80_i32..1200), 3..12),
        ) {
            let size = ImageSize::new(270, 280);
            let points: Vec<_> = points
                .iter()
                .map(|&(x, y)| ImagePoint::new(f64::from(x) / 4.0, f64::from(y) / 4.0))
                .collect();
            let mut expected = Mask::new(size);
            let polygon = Polygon::new(&points, size).expect("three points");
            for span in polygon.spans(polygon.rows()) {
                let rect = PixelRect::new(span.start, span.y, span.len(), 1);
                expected.set_rect(rect, &vec![7; span.len() as usize]);
            }
            let mut mask = Mask::new(size);
            rasterize(&mut mask, &[area(vec![points], 7)]);
            prop_assert!(mask == expected);
        }

        #[test]
        fn a_line_is_its_definition(
            points in prop::collection::vec((-80_i32..1200, -80_i32..1200), 1..5),
            width in 1_i32..160,
        ) {
            let size = ImageSize::new(270, 280);
            let points: Vec<_> = points
                .iter()
                .map(|&(x, y)| (f64::from(x) / 4.0, f64::from(y) / 4.0))
                .collect();
            let width = f64::from(width) / 3.0;
            let mut mask = Mask::new(size);
            rasterize(&mut mask, &[line(&points, width, 7)]);
            let ends = ring(&points);
            for (x, y) in (0..280).flat_map(|y| (0..270).map(move |x| (x, y))) {
                let center = ImagePoint::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let pairs = ends.iter().zip(ends.iter().skip(1).chain(ends.last()));
                let distances = pairs.map(|(&a, &b)| distance(center, a, b));
                let distance = distances.fold(f64::INFINITY, f64::min);
                if (distance - width / 2.0).abs() > 1e-9 {
                    prop_assert_eq!(mask.get(x, y) == 7, distance < width / 2.0, "{} {}", x, y);
                }
            }
        }
    }
}
