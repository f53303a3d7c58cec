use std::sync::Arc;

use super::outline::outline;
use super::span::Span;
use super::{DirtyRects, MASK_TILE_SIZE, Mask, Paint, Stroke};
use crate::geom::{ImagePoint, PixelRect, TileKey};

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

    use super::super::polygon::Polygon;
    use super::super::{EditKind, Mask, PaintOver};
    use super::*;
    use crate::geom::ImageSize;

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
    fn nothing_selected_is_nothing_drawn_or_painted() {
        let none = Selection::default();
        assert!(none.outline().is_empty() && none.is_empty() && none.bounds().is_empty());
        let mut mask = Mask::new(ImageSize::new(9, 9));
        let mut stroke = Stroke::begin(EditKind::Fill);
        assert!(stroke.select(&mut mask, &none, &Paint::class(1)).is_empty());
        assert_eq!(stroke.commit(&mask), None);
    }
}
