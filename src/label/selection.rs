use std::collections::HashMap;
use std::sync::Arc;

use super::outline::outline;
use super::polygon::Polygon;
use super::span::Span;
use super::{DirtyRects, EditKind, MASK_TILE_SIZE, Mask, Paint, Stroke, UNLABELED};
use crate::geom::{ImagePoint, ImageSize, PixelRect, TileKey};

/// Level-0 pixels found by a tool; can be drawn as a preview and painted as one step.
///
/// A clone costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    spans: Arc<Vec<Span>>,
    bounds: PixelRect,
    num_pixels: u64,
}

impl Selection {
    /// The pixels of these spans, which are sorted by row and column; those of one row neither
    /// overlap nor touch.
    pub(super) fn from_spans(spans: Vec<Span>) -> Self {
        debug_assert!(
            spans
                .windows(2)
                .all(|pair| (pair[0].y, pair[0].end) < (pair[1].y, pair[1].start)),
            "sorted and apart"
        );
        let num_pixels = spans.iter().map(|span| u64::from(span.len())).sum();
        let left = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let right = spans.iter().map(|span| span.end).max().unwrap_or(0);
        let top = spans.first().map_or(0, |span| span.y);
        let bottom = spans.last().map_or(0, |span| span.y + 1);
        Self {
            spans: Arc::new(spans),
            bounds: PixelRect::new(left, top, right - left, bottom - top),
            num_pixels,
        }
    }

    /// Number of pixels.
    pub const fn num_pixels(&self) -> u64 {
        self.num_pixels
    }

    /// Whether there is no pixel.
    pub const fn is_empty(&self) -> bool {
        self.num_pixels == 0
    }

    /// The smallest rectangle around the pixels, in level-0 pixels.
    pub const fn bounds(&self) -> PixelRect {
        self.bounds
    }

    /// The pixels as runs, sorted by row and column; runs of one row neither overlap nor touch.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// All pixels of a rectangle, level 0.
    pub fn of_rect(rect: PixelRect) -> Self {
        let row = |y| Span {
            y,
            start: rect.x,
            end: rect.right(),
        };
        let rows = if rect.is_empty() {
            0..0
        } else {
            rect.y..rect.bottom()
        };
        Self::from_spans(rows.map(row).collect())
    }

    /// The pixels in a mask of `size` whose centers are inside a polygon (even-odd); its last point
    /// is joined to its first.
    pub fn of_polygon(points: &[ImagePoint], size: ImageSize) -> Self {
        let Some(polygon) = Polygon::new(points, size) else {
            return Self::default();
        };
        Self::from_spans(polygon.spans(polygon.rows()))
    }

    /// The pixels that polygons hold by the even-odd rule: one within another is a hole.
    pub fn of_polygons<'a>(
        polygons: impl IntoIterator<Item = &'a [ImagePoint]>,
        size: ImageSize,
    ) -> Self {
        polygons.into_iter().fold(Self::default(), |all, points| {
            let one = Self::of_polygon(points, size);
            all.without(&one).with(&one.without(&all))
        })
    }

    /// The labeled pixels of a mask; `None` when they are in more runs than `most`.
    pub fn of_labeled(mask: &Mask, most: usize) -> Option<Self> {
        let (cols, rows) = mask.grid();
        let is_bare = |col, row| mask.tile(col, row).uniform_class() == Some(UNLABELED);
        let mut spans = Vec::new();
        for row in (0..rows).filter(|&row| (0..cols).any(|col| !is_bare(col, row))) {
            let first = mask.tile_rect(0, row);
            for y in first.y..first.bottom() {
                let line = mask.read_rect(PixelRect::new(0, y, mask.size().width, 1));
                let mut start = 0;
                for run in line.chunk_by(|a, b| (*a == UNLABELED) == (*b == UNLABELED)) {
                    let end = start + run.len() as u32;
                    if run[0] != UNLABELED {
                        spans.push(Span { y, start, end });
                    }
                    start = end;
                }
            }
            if spans.len() > most {
                return None;
            }
        }
        Some(Self::from_spans(spans))
    }

    /// The pixels as rectangles, none of which overlap: rows that follow each other are one where
    /// they begin and end alike.
    pub fn rects(&self) -> Vec<PixelRect> {
        let mut rects: Vec<PixelRect> = Vec::new();
        let mut last_of: HashMap<(u32, u32), usize> = HashMap::new();
        for span in self.spans.iter() {
            let columns = (span.start, span.end);
            let above = last_of.get(&columns).map(|&at| &mut rects[at]);
            if let Some(rect) = above.filter(|rect| rect.bottom() == span.y) {
                rect.height += 1;
            } else {
                last_of.insert(columns, rects.len());
                rects.push(PixelRect::new(span.start, span.y, span.len(), 1));
            }
        }
        rects
    }

    /// The pixels that are in either.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        self.combined(other, |own, others| own || others)
    }

    /// The pixels that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.combined(other, |own, others| own && !others)
    }

    /// The pixels for which `is_in` holds, given whether each has them; none has not.
    fn combined(&self, other: &Self, is_in: impl Fn(bool, bool) -> bool) -> Self {
        // Where one of the two begins or ends: (row, column, is it the other, does it begin).
        let edges = |selection: &Self, is_other: bool| {
            let edge = |span: &Span| {
                let Span { y, start, end } = *span;
                [(y, start, is_other, true), (y, end, is_other, false)]
            };
            selection.spans.iter().flat_map(edge).collect::<Vec<_>>()
        };
        let mut all = edges(self, false);
        all.extend(edges(other, true));
        all.sort_unstable();
        let (mut inside, mut began, mut spans) = ([false; 2], None, Vec::new());
        for at in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (y, x) = (at[0].0, at[0].1);
            for &(_, _, is_other, begins) in at {
                inside[usize::from(is_other)] = begins;
            }
            match (began, is_in(inside[0], inside[1])) {
                (None, true) => began = Some(x),
                (Some(start), false) => {
                    spans.push(Span { y, start, end: x });
                    began = None;
                }
                _ => {}
            }
        }
        Self::from_spans(spans)
    }

    /// The pixels as ground to be painted within, for a mask of `size`.
    pub fn ground(&self, size: ImageSize) -> Mask {
        let mut ground = Mask::new(size);
        let mut stroke = Stroke::begin(EditKind::Selection);
        stroke.select(&mut ground, self, &Paint::class(0));
        drop(stroke.commit(&ground));
        ground
    }

    /// The edge between selected and other pixels as polygons of level-0 pixel corners.
    ///
    /// The last point of a polygon is joined to its first and every point is a turn. Polygons
    /// around pixels run clockwise as seen on the screen, those around holes the other way; pixels
    /// that meet only at a corner have polygons of their own or touch there without crossing. By
    /// the even-odd rule all of them together hold the selected pixels and no others.
    pub fn outline(&self) -> Vec<Vec<ImagePoint>> {
        outline(&self.spans)
    }
}

impl Stroke {
    /// Paints the selected pixels; those outside the mask are left out.
    pub fn select(&mut self, mask: &mut Mask, selection: &Selection, paint: &Paint) -> DirtyRects {
        let size = mask.size();
        let (cols, _) = mask.grid();
        let mut dirty = DirtyRects::new();
        // Sorted out by tile in one pass, since a noisy region has thousands of spans a row.
        let mut by_tile = vec![Vec::new(); cols as usize];
        let inside = selection.spans.partition_point(|span| span.y < size.height);
        let same_tile_row = |a: &Span, b: &Span| a.y / MASK_TILE_SIZE == b.y / MASK_TILE_SIZE;
        for band in selection.spans[..inside].chunk_by(same_tile_row) {
            for span in band.iter().filter(|span| span.start < size.width) {
                let last = (span.end.min(size.width) - 1) / MASK_TILE_SIZE;
                for col in span.start / MASK_TILE_SIZE..=last {
                    let part = Span {
                        end: span.end.min(size.width),
                        ..*span
                    };
                    by_tile[col as usize].extend(part.within_tile(col * MASK_TILE_SIZE));
                }
            }
            let row = band[0].y / MASK_TILE_SIZE;
            for (col, spans) in by_tile.iter_mut().enumerate() {
                let key = TileKey::new(0, col as u32, row);
                dirty.extend(self.paint_tile(mask, key, spans, paint));
                spans.clear();
            }
        }
        dirty
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PaintOver;
    use super::*;

    /// The set bits of `rows` as a selection, column 0 first, moved by (x, y).
    fn selection_of(rows: &[u32], (x, y): (u32, u32)) -> Selection {
        let mut spans = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let set = |column: u32| row >> column & 1 == 1;
            let starts = (0..32).filter(|&column| set(column) && (column == 0 || !set(column - 1)));
            spans.extend(starts.map(|start| {
                let end = (start..32).find(|&column| !set(column)).unwrap_or(32);
                Span {
                    y: y + index as u32,
                    start: x + start,
                    end: x + end,
                }
            }));
        }
        Selection::from_spans(spans)
    }

    fn signed_area(points: &[ImagePoint]) -> f64 {
        let next = points.iter().cycle().skip(1);
        let cross = |(a, b): (&ImagePoint, &ImagePoint)| a.x * b.y - b.x * a.y;
        points.iter().zip(next).map(cross).sum::<f64>() / 2.0
    }

    proptest! {
        #[test]
        fn selections_are_added_and_taken_away_pixel_by_pixel(
            one in prop::collection::vec(any::<u32>(), 0..8),
            other in prop::collection::vec(any::<u32>(), 0..8),
        ) {
            let size = ImageSize::new(40, 10);
            let (a, b) = (selection_of(&one, (1, 1)), selection_of(&other, (3, 2)));
            let pixels = |selection: &Selection| selection.ground(size);
            let (with, without) = (pixels(&a.with(&b)), pixels(&a.without(&b)));
            let (a, b) = (pixels(&a), pixels(&b));
            for (x, y) in (0..40).flat_map(|x| (0..10).map(move |y| (x, y))) {
                let (in_a, in_b) = (a.get(x, y) == 0, b.get(x, y) == 0);
                prop_assert_eq!(with.get(x, y) == 0, in_a || in_b);
                prop_assert_eq!(without.get(x, y) == 0, in_a && !in_b);
            }
        }

        #[test]
        fn an_outline_holds_the_selected_pixels_and_no_others(
            rows in prop::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(!0)], 0..24),
        ) {
            let selection = selection_of(&rows, (3, 5));
            let rings = selection.outline();
            let area: f64 = rings.iter().map(|ring| signed_area(ring)).sum();
            prop_assert_eq!(area, selection.num_pixels() as f64);
            let mut parity = vec![[false; 40]; 40];
            for ring in &rings {
                let polygon = Polygon::new(ring, ImageSize::new(40, 40)).expect("a polygon");
                for span in polygon.spans(0..40) {
                    for x in span.start..span.end {
                        parity[span.y as usize][x as usize] ^= true;
                    }
                }
                for (index, b) in ring.iter().enumerate() {
                    let a = ring[(index + ring.len() - 1) % ring.len()];
                    let c = ring[(index + 1) % ring.len()];
                    let is_turn = (a.x == b.x) != (b.x == c.x) && (a.y == b.y) != (b.y == c.y);
                    prop_assert!(is_turn, "{:?}", ring);
                }
            }
            for span in selection.spans() {
                for x in span.start..span.end {
                    parity[span.y as usize][x as usize] ^= true;
                }
            }
            prop_assert!(parity.iter().flatten().all(|flag| !flag));
        }

        #[test]
        fn painting_a_selection_is_painting_its_pixels(
            rows in prop::collection::vec(any::<u32>(), 1..24),
            x in 240_u32..300,
            y in 240_u32..300,
        ) {
            let mut mask = Mask::filled(ImageSize::new(290, 280), 1);
            mask.set_rect(PixelRect::new(250, 250, 20, 20), &[2; 400]);
            let selection = selection_of(&rows, (x, y));
            let mut expected = mask.clone();
            for span in selection.spans() {
                for x in span.start..span.end {
                    if expected.get(x, span.y) == 1 {
                        expected.set_rect(PixelRect::new(x, span.y, 1, 1), &[3]);
                    }
                }
            }
            let paint = Paint { over: PaintOver::only([1]), ..Paint::class(3) };
            let mut stroke = Stroke::begin(EditKind::Fill);
            stroke.select(&mut mask, &selection, &paint);
            prop_assert_eq!(&mask, &expected);
            stroke.rollback(&mut mask);
            prop_assert_eq!(mask.histogram()[3], 0);
        }
    }

    #[test]
    fn a_hole_has_a_ring_that_runs_the_other_way() {
        let rings =
            selection_of(&[0b1_1111, 0b1_0001, 0b1_0101, 0b1_0001, 0b1_1111], (0, 0)).outline();
        let areas: Vec<f64> = rings.iter().map(|ring| signed_area(ring)).collect();
        assert_eq!(areas, [25.0, -9.0, 1.0]);
        assert!(rings.iter().all(|ring| ring.len() == 4));
    }

    #[test]
    fn rectangles_hold_each_pixel_once_and_polygons_leave_holes() {
        let selection = selection_of(&[0b0110, 0b0110, 0b1011, 0b0011], (5, 7));
        let expected = [(6, 7, 2, 2), (5, 9, 2, 2), (8, 9, 1, 1)];
        let expected = expected.map(|(x, y, w, h)| PixelRect::new(x, y, w, h));
        assert_eq!(selection.rects(), expected);
        let ring = selection_of(&[0b1_1111, 0b1_0001, 0b1_1111], (3, 4));
        let outline = ring.outline();
        let size = ImageSize::new(20, 20);
        let again = Selection::of_polygons(outline.iter().map(Vec::as_slice), size);
        assert_eq!(again, ring);
        let ground = ring.ground(size);
        assert_eq!(Selection::of_labeled(&ground, 4), Some(ring));
        assert_eq!(Selection::of_labeled(&ground, 3), None);
    }

    #[test]
    fn nothing_selected_is_nothing_drawn_or_painted() {
        let none = Selection::default();
        assert!(none.outline().is_empty() && none.is_empty() && none.bounds().is_empty());
        let mut mask = Mask::new(ImageSize::new(9, 9));
        let mut stroke = Stroke::begin(EditKind::Fill);
        assert!(stroke.select(&mut mask, &none, &Paint::class(1)).is_empty());
        assert_eq!(stroke.commit(&mask), None);
    }
}
