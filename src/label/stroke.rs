use std::sync::Arc;

use super::edit::{KeptTiles, edit_since};
use super::polygon::Polygon;
use super::span::Span;
use super::tile::SIDE;
use super::{
    Brush, DirtyRects, Edit, EditKind, MASK_TILE_SIZE, Mask, MaskTile, Paint, PaintOver, Stencil,
    UNLABELED,
};
use crate::geom::{ImagePoint, PixelRect, TileKey};

/// An open change of one mask: everything between pressing and releasing the pointer.
///
/// It keeps the tiles it touches as they were, so that it can be taken back, and it must be given
/// the same mask each time. Ends by [`Stroke::commit`] or [`Stroke::rollback`].
#[derive(Clone, Debug)]
#[must_use = "a stroke that is dropped leaves its paint without an edit"]
pub struct Stroke {
    kind: EditKind,
    kept: KeptTiles,
    stencil: Stencil,
}

impl Stroke {
    /// Opens a change that will become an edit of this kind.
    pub const fn begin(kind: EditKind) -> Self {
        let stencil = Stencil {
            within: None,
            source: None,
        };
        Self {
            kind,
            kept: KeptTiles::new(),
            stencil,
        }
    }

    /// The same change, painted through a stencil of masks that are as large as the stroke's own.
    /// [`Stroke::place`] and [`Stroke::take_over`] have their own source and no stencil.
    pub fn through(mut self, stencil: Stencil) -> Self {
        self.stencil = stencil;
        self
    }

    /// Draws the brush along the segment; equal ends make a single dab.
    pub fn segment(
        &mut self,
        mask: &mut Mask,
        (from, to): (ImagePoint, ImagePoint),
        brush: &Brush,
        paint: &Paint,
    ) -> DirtyRects {
        let mut dirty = DirtyRects::new();
        self.paint_spans(
            mask,
            &brush.capsule(from, to, mask.size()),
            paint,
            &mut dirty,
        );
        dirty
    }

    /// Fills the polygon (even-odd on pixel centres); its last point is joined to its first.
    pub fn polygon(&mut self, mask: &mut Mask, points: &[ImagePoint], paint: &Paint) -> DirtyRects {
        let mut dirty = DirtyRects::new();
        let Some(polygon) = Polygon::new(points, mask.size()) else {
            return dirty;
        };
        let rows = polygon.rows();
        // By rows of tiles, so that a polygon over a huge mask never lists all its rows at once.
        let bands = rows.start / MASK_TILE_SIZE..rows.end.div_ceil(MASK_TILE_SIZE);
        for band in bands {
            let top = (band * MASK_TILE_SIZE).max(rows.start);
            let bottom = (band + 1).saturating_mul(MASK_TILE_SIZE).min(rows.end);
            self.paint_spans(mask, &polygon.spans(top..bottom), paint, &mut dirty);
        }
        dirty
    }

    /// Copies classes into `rect`, row by row; [`UNLABELED`] among them leaves the pixel alone.
    ///
    /// # Panics
    /// When `classes` is not `rect.width * rect.height` long.
    pub fn place(
        &mut self,
        mask: &mut Mask,
        rect: PixelRect,
        classes: &[u8],
        over: PaintOver,
    ) -> DirtyRects {
        let old = mask.read_rect(rect);
        assert_eq!(old.len(), classes.len(), "one class a pixel");
        let merge = |(&new, &old): (&u8, &u8)| {
            if new != UNLABELED && over.contains(old) {
                new
            } else {
                old
            }
        };
        let merged: Vec<u8> = classes.iter().zip(&old).map(merge).collect();
        let mut after = mask.clone();
        after.set_rect(rect, &merged);
        self.take_over(mask, &after)
    }

    /// Makes `mask` equal to `after`, a mask of the same size; what both share costs nothing.
    pub fn take_over(&mut self, mask: &mut Mask, after: &Mask) -> DirtyRects {
        let Some(edit) = Edit::between(mask, after, self.kind) else {
            return DirtyRects::new();
        };
        for rect in edit.dirty_rects() {
            let (col, row) = (rect.x / MASK_TILE_SIZE, rect.y / MASK_TILE_SIZE);
            self.keep(mask, col, row);
            mask.set_tile(col, row, after.tile(col, row).clone());
        }
        edit.dirty_rects()
    }

    /// Ends the stroke; `None` when the mask is as it was.
    pub fn commit(self, mask: &Mask) -> Option<Edit> {
        edit_since(&self.kept, mask, self.kind)
    }

    /// Ends the stroke and puts everything back.
    pub fn rollback(self, mask: &mut Mask) -> DirtyRects {
        let rects = self
            .kept
            .keys()
            .map(|&(row, col)| mask.tile_rect(col, row))
            .collect();
        for ((row, col), tile) in self.kept {
            mask.set_tile(col, row, tile);
        }
        rects
    }

    /// Paints spans that are sorted by row and do not overlap.
    fn paint_spans(
        &mut self,
        mask: &mut Mask,
        spans: &[Span],
        paint: &Paint,
        dirty: &mut DirtyRects,
    ) {
        let mut inside = Vec::new();
        for band in spans.chunk_by(|a, b| a.y / MASK_TILE_SIZE == b.y / MASK_TILE_SIZE) {
            let left = band.iter().map(|span| span.start).min().unwrap_or(0) / MASK_TILE_SIZE;
            let right = band.iter().map(|span| span.end).max().unwrap_or(0);
            let row = band[0].y / MASK_TILE_SIZE;
            for col in left..right.div_ceil(MASK_TILE_SIZE) {
                inside.clear();
                let edge = col * MASK_TILE_SIZE;
                inside.extend(band.iter().filter_map(|span| span.within_tile(edge)));
                dirty.extend(self.paint_tile(mask, TileKey::new(0, col, row), &inside, paint));
            }
        }
    }

    /// Paints spans (mask pixels) that all lie in one tile; the ground that changed.
    pub(super) fn paint_tile(
        &mut self,
        mask: &mut Mask,
        key: TileKey,
        spans: &[Span],
        paint: &Paint,
    ) -> Option<PixelRect> {
        if !self.is_open() {
            return self.paint_through(mask, key, spans, paint);
        }
        let old = mask.tile(key.col, key.row);
        let changed = changed_ground(old, spans, paint);
        if changed.is_empty() {
            return None;
        }
        let ground = mask.tile_rect(key.col, key.row);
        let ink = paint.ink.index();
        let is_whole =
            spans.iter().map(|span| u64::from(span.len())).sum::<u64>() == ground.num_pixels();
        let is_plain = old.uniform_class().is_some() || paint.over == PaintOver::everything();
        self.keep(mask, key.col, key.row);
        let tile = if is_whole && is_plain {
            MaskTile::Uniform(ink)
        } else {
            let mut pixels = mask.take_pixels(key);
            let target = Arc::make_mut(&mut pixels);
            for &span in spans {
                paint_row(&mut target[tile_range(span)], paint);
            }
            MaskTile::collapsed(pixels, ground.width, ground.height)
        };
        mask.set_tile(key.col, key.row, tile);
        Some(changed)
    }

    fn paint_through(
        &mut self,
        mask: &mut Mask,
        key: TileKey,
        spans: &[Span],
        paint: &Paint,
    ) -> Option<PixelRect> {
        let ground = mask.tile_rect(key.col, key.row);
        let stencil = self.stencil.tile(key)?;
        let before = mask.tile(key.col, key.row).clone();
        let mut pixels = mask.take_pixels(key);
        let target = Arc::make_mut(&mut pixels);
        let (ink, mut changed) = (paint.ink.index(), PixelRect::default());
        for &span in spans {
            for (place, x) in tile_range(span).zip(span.start..) {
                let new = stencil.ink(place, ink).unwrap_or(target[place]);
                if new != target[place] && paint.over.contains(target[place]) {
                    target[place] = new;
                    changed = changed.union(PixelRect::new(x, span.y, 1, 1));
                }
            }
        }
        let tile = MaskTile::collapsed(pixels, ground.width, ground.height);
        mask.set_tile(key.col, key.row, tile);
        if changed.is_empty() {
            mask.set_tile(key.col, key.row, before);
            return None;
        }
        self.kept.entry((key.row, key.col)).or_insert(before);
        Some(changed)
    }

    /// Whether paint comes down wherever it is let to, as no stencil holds it off.
    pub(super) const fn is_open(&self) -> bool {
        self.stencil.is_open()
    }

    pub(super) fn keep(&mut self, mask: &Mask, col: u32, row: u32) {
        self.kept
            .entry((row, col))
            .or_insert_with(|| mask.tile(col, row).clone());
    }
}

fn tile_range(span: Span) -> std::ops::Range<usize> {
    let from = span.y as usize % SIDE * SIDE + span.start as usize % SIDE;
    from..from + span.len() as usize
}

fn paint_row(row: &mut [u8], paint: &Paint) {
    let ink = paint.ink.index();
    if paint.over == PaintOver::everything() {
        row.fill(ink);
        return;
    }
    for class in row.iter_mut().filter(|class| paint.over.contains(**class)) {
        *class = ink;
    }
}

/// The rectangle around those spans in which painting changes something.
fn changed_ground(old: &MaskTile, spans: &[Span], paint: &Paint) -> PixelRect {
    let ink = paint.ink.index();
    let changes = |class: u8| class != ink && paint.over.contains(class);
    let rect_of = |span: &Span| PixelRect::new(span.start, span.y, span.len(), 1);
    let touched: &mut dyn Iterator<Item = &Span> = match old {
        MaskTile::Uniform(class) if changes(*class) => &mut spans.iter(),
        MaskTile::Uniform(_) => &mut [].iter(),
        MaskTile::Pixels(pixels) => &mut spans
            .iter()
            .filter(|&&span| pixels[tile_range(span)].iter().any(|&class| changes(class))),
    };
    touched.fold(PixelRect::default(), |ground, span| {
        ground.union(rect_of(span))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FillLimits, History};
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(700, 560);

    #[derive(Clone, Debug)]
    enum Step {
        Segment(ImagePoint, ImagePoint, Brush),
        Polygon(Vec<ImagePoint>),
        Flood(u32, u32),
        Place(PixelRect, u8),
    }

    fn any_point() -> impl Strategy<Value = ImagePoint> {
        (-50.0..750.0, -50.0..600.0).prop_map(|(x, y)| ImagePoint::new(x, y))
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let brush = prop_oneof![
            (0.0..300.0).prop_map(Brush::round),
            (0.0..300.0).prop_map(Brush::square)
        ];
        prop_oneof![
            4 => (any_point(), any_point(), brush).prop_map(|(a, b, brush)| Step::Segment(a, b, brush)),
            2 => prop::collection::vec(any_point(), 3..7).prop_map(Step::Polygon),
            1 => (0..SIZE.width, 0..SIZE.height).prop_map(|(x, y)| Step::Flood(x, y)),
            1 => (0_u32..700, 0_u32..560, 1_u32..300, 1_u32..300, 0_u8..4)
                .prop_map(|(x, y, w, h, class)| Step::Place(PixelRect::new(x, y, w, h), class)),
        ]
    }

    fn any_paint() -> impl Strategy<Value = Paint> {
        let ink = prop_oneof![
            (0_u8..4).prop_map(super::super::Ink::Class),
            Just(super::super::Ink::Erase)
        ];
        let over = prop_oneof![
            Just(PaintOver::everything()),
            (0_u8..4).prop_map(|locked| PaintOver::everything().without(locked)),
            Just(PaintOver::only([0, 255])),
        ];
        (ink, over).prop_map(|(ink, over)| Paint { ink, over })
    }

    fn take(stroke: &mut Stroke, mask: &mut Mask, step: &Step, paint: &Paint) -> DirtyRects {
        match step {
            Step::Segment(from, to, brush) => stroke.segment(mask, (*from, *to), brush, paint),
            Step::Polygon(points) => stroke.polygon(mask, points, paint),
            Step::Flood(x, y) => stroke
                .flood(mask, (*x, *y), paint, &FillLimits::default())
                .expect("inside"),
            Step::Place(rect, class) => {
                let classes = vec![*class; rect.num_pixels() as usize];
                stroke.place(mask, *rect, &classes, paint.over)
            }
        }
    }

    fn assert_only_dirty_pixels_changed(before: &Mask, after: &Mask, dirty: &[PixelRect]) {
        let bounds = before.size().bounds();
        let (old, new) = (before.read_rect(bounds), after.read_rect(bounds));
        for (at, _) in old
            .iter()
            .zip(&new)
            .enumerate()
            .filter(|(_, (old, new))| old != new)
        {
            let (x, y) = (at as u32 % bounds.width, at as u32 / bounds.width);
            assert!(
                dirty.iter().any(|rect| rect.contains(x, y)),
                "{x}, {y} is not dirty"
            );
        }
    }

    /// No tile of one class is kept as pixels.
    fn assert_sparse(mask: &Mask) {
        for (col, row, tile) in mask
            .tiles()
            .filter(|(_, _, tile)| tile.uniform_class().is_none())
        {
            let classes = mask.read_rect(mask.tile_rect(col, row));
            assert!(
                classes.iter().any(|class| *class != classes[0]),
                "{tile:?} is uniform"
            );
        }
    }

    type Strokes = Vec<(Paint, Vec<Step>)>;

    fn any_strokes() -> impl Strategy<Value = Strokes> {
        prop::collection::vec((any_paint(), prop::collection::vec(any_step(), 1..4)), 1..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn history_walks_back_and_forth_over_every_pixel(strokes in any_strokes()) {
            let (mut mask, mut history) = (Mask::new(SIZE), History::new(1 << 24));
            let mut states = vec![mask.clone()];
            for (paint, steps) in &strokes {
                let mut stroke = Stroke::begin(EditKind::Brush);
                for step in steps {
                    let before = mask.clone();
                    let dirty = take(&mut stroke, &mut mask, step, paint);
                    assert_only_dirty_pixels_changed(&before, &mask, &dirty);
                    assert_sparse(&mask);
                }
                if let Some(edit) = stroke.commit(&mask) {
                    let whole = Edit::between(&states[states.len() - 1], &mask, EditKind::Brush);
                    prop_assert_eq!(edit.changes(), whole.expect("changed").changes());
                    history.push(edit);
                    states.push(mask.clone());
                }
                prop_assert_eq!(&states[states.len() - 1], &mask);
            }
            for state in states.iter().rev().skip(1) {
                mask.apply(&history.undo().expect("a step"));
                prop_assert_eq!(&mask, state);
                assert_sparse(&mask);
            }
            for state in states.iter().skip(1) {
                mask.apply(&history.redo().expect("a step"));
                prop_assert_eq!(&mask, state);
            }
        }

        #[test]
        fn a_stroke_rolled_back_never_was(before in any_strokes(), strokes in any_strokes()) {
            let mut mask = Mask::new(SIZE);
            let mut stroke = Stroke::begin(EditKind::Brush);
            for (paint, steps) in &before {
                for step in steps {
                    take(&mut stroke, &mut mask, step, paint);
                }
            }
            drop(stroke.commit(&mask));
            let kept = mask.clone();
            let mut stroke = Stroke::begin(EditKind::Brush);
            for (paint, steps) in &strokes {
                for step in steps {
                    take(&mut stroke, &mut mask, step, paint);
                }
            }
            let after = mask.clone();
            let dirty = stroke.rollback(&mut mask);
            prop_assert_eq!(&mask, &kept);
            assert_only_dirty_pixels_changed(&after, &mask, &dirty);
        }
    }

    #[test]
    fn a_locked_class_stays() {
        let mut mask = Mask::new(SIZE);
        mask.set_rect(PixelRect::new(100, 100, 300, 300), &vec![2; 90_000]);
        let mut stroke = Stroke::begin(EditKind::Polygon);
        let all = [(0.0, 0.0), (700.0, 0.0), (700.0, 560.0), (0.0, 560.0)]
            .map(|(x, y)| ImagePoint::new(x, y));
        let over = PaintOver::everything().without(2);
        stroke.polygon(
            &mut mask,
            &all,
            &Paint {
                over,
                ..Paint::class(1)
            },
        );
        let counts = mask.histogram();
        assert_eq!((counts[2], counts[1]), (90_000, 700 * 560 - 90_000));
    }

    #[test]
    fn painting_what_is_there_already_is_no_edit() {
        let mut mask = Mask::filled(SIZE, 1);
        let mut stroke = Stroke::begin(EditKind::Brush);
        let at = ImagePoint::new(50.0, 50.0);
        let dirty = stroke.segment(&mut mask, (at, at), &Brush::round(90.0), &Paint::class(1));
        assert!(dirty.is_empty());
        assert_eq!(stroke.commit(&mask), None);
    }

    #[test]
    fn what_is_painted_and_painted_back_is_no_edit() {
        let mut mask = Mask::filled(SIZE, 1);
        let mut stroke = Stroke::begin(EditKind::Brush);
        let at = ImagePoint::new(250.0, 250.0);
        for class in [2, 1] {
            stroke.segment(
                &mut mask,
                (at, at),
                &Brush::round(90.0),
                &Paint::class(class),
            );
        }
        assert_eq!(stroke.commit(&mask), None);
    }
}
