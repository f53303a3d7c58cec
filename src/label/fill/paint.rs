use std::sync::Arc;

use rayon::prelude::*;

use super::super::tile::SIDE;
use super::super::{DirtyRects, Mask, MaskError, MaskTile, Paint, Stroke};
use super::cover::{Cover, Part};
use super::line::Line;
use super::region::{FillLimits, Region};
use crate::geom::{PixelRect, TileKey};

impl Stroke {
    /// Fills the pixels that are joined to `seed` by sides and have its class.
    ///
    /// # Errors
    /// [`MaskError::FillTooLarge`], [`MaskError::FillCancelled`], [`MaskError::OutsideMask`];
    /// nothing has changed then.
    pub fn flood(
        &mut self,
        mask: &mut Mask,
        seed: (u32, u32),
        paint: &Paint,
        limits: &FillLimits<'_>,
    ) -> Result<DirtyRects, MaskError> {
        let region = Region::around(mask, seed, limits)?;
        if !self.is_open() {
            return Ok(self.fill_through(mask, &region, paint));
        }
        let ink = paint.ink.index();
        if ink == region.class() || !paint.over.contains(region.class()) {
            return Ok(DirtyRects::new());
        }
        let covers: Vec<_> = region.tiles().collect();
        let tiles: Vec<_> = covers
            .par_iter()
            .with_min_len(4)
            .map(|(col, row, cover)| {
                painted(
                    mask.tile(*col, *row),
                    mask.tile_rect(*col, *row),
                    cover,
                    ink,
                )
            })
            .collect();
        let mut dirty = DirtyRects::with_capacity(tiles.len());
        for ((col, row, _), (tile, changed)) in covers.into_iter().zip(tiles) {
            self.keep(mask, col, row);
            mask.set_tile(col, row, tile);
            dirty.push(changed);
        }
        Ok(dirty)
    }

    fn fill_through(&mut self, mask: &mut Mask, region: &Region, paint: &Paint) -> DirtyRects {
        let (mut dirty, mut spans) = (DirtyRects::new(), Vec::new());
        for (col, row, cover) in region.tiles() {
            let ground = mask.tile_rect(col, row);
            spans.clear();
            spans.extend((0..ground.height).flat_map(|y| cover.spans(y, ground)));
            dirty.extend(self.paint_tile(mask, TileKey::new(0, col, row), &spans, paint));
        }
        dirty
    }
}

/// The tile that covers `ground` with the covered pixels in `ink`, and the rectangle around these.
fn painted(tile: &MaskTile, ground: PixelRect, cover: &Cover, ink: u8) -> (MaskTile, PixelRect) {
    let Cover::Part(part) = cover else {
        return (MaskTile::Uniform(ink), ground);
    };
    let mut pixels = tile.to_owned_pixels();
    let rows = Arc::make_mut(&mut pixels).as_chunks_mut::<SIDE>().0;
    for (row, covered) in rows.iter_mut().zip(part.rows()) {
        if !covered.is_empty() {
            paint_row(row, *covered, ink);
        }
    }
    let tile = MaskTile::collapsed(pixels, ground.width, ground.height);
    (tile, rect_around(part, ground))
}

/// For each eight bits, eight bytes whose bits are all as that bit is, the lowest first.
const BYTES_OF_BITS: [u64; 256] = {
    let mut table = [0; 256];
    let mut bits = 0;
    while bits < 256 {
        let mut at = 0;
        while at < 8 {
            table[bits] |= ((bits as u64 >> at & 1) * 0xFF) << (8 * at);
            at += 1;
        }
        bits += 1;
    }
    table
};

fn paint_row(row: &mut [u8; SIDE], covered: Line, ink: u8) {
    let inks = u64::from_le_bytes([ink; 8]);
    for (pixels, bits) in row.as_chunks_mut::<8>().0.iter_mut().zip(covered.eights()) {
        let old = u64::from_le_bytes(*pixels);
        let changed = (old ^ inks) & BYTES_OF_BITS[usize::from(bits)];
        *pixels = (old ^ changed).to_le_bytes();
    }
}

/// The smallest rectangle around the pixels of a part, which has some.
fn rect_around(part: &Part, ground: PixelRect) -> PixelRect {
    let (mut columns, mut rows) = (Line::EMPTY, Line::EMPTY);
    for (y, row) in part.rows().iter().enumerate() {
        if !row.is_empty() {
            columns = columns | *row;
            rows.insert(y);
        }
    }
    let extent = |line: Line| {
        let (first, last) = (line.next(0).unwrap_or(0), line.last(SIDE - 1).unwrap_or(0));
        (first as u32, (last + 1 - first) as u32)
    };
    let ((x, width), (y, height)) = (extent(columns), extent(rows));
    PixelRect::new(ground.x + x, ground.y + y, width, height)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::{EditKind, Ink, PaintOver, Stencil};
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(300, 280);

    fn flooded(
        before: &Mask,
        seed: (u32, u32),
        paint: &Paint,
        stencil: Stencil,
    ) -> (Mask, DirtyRects) {
        let mut mask = before.clone();
        let mut stroke = Stroke::begin(EditKind::Fill).through(stencil);
        let dirty = stroke.flood(&mut mask, seed, paint, &FillLimits::default());
        let dirty = dirty.expect("no limit");
        match stroke.commit(&mask) {
            Some(edit) => {
                assert_eq!(edit.dirty_rects(), dirty);
                let mut undone = mask.clone();
                undone.apply(&edit.inverse());
                assert_eq!(&undone, before);
            }
            None => assert!(dirty.is_empty() && &mask == before),
        }
        (mask, dirty)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Through a stencil, pixels are painted one by one.
        #[test]
        fn a_stencil_that_lets_all_through_changes_nothing(
            stripes in prop::collection::vec((0_u8..3, 1_u32..90), 1..40),
            (x, y) in (0..SIZE.width, 0..SIZE.height),
            ink in prop_oneof![(0_u8..3).prop_map(Ink::Class), Just(Ink::Erase)],
            locked in 0_u8..6,
        ) {
            let mut before = Mask::filled(SIZE, 0);
            for (at, &(class, width)) in stripes.iter().enumerate() {
                let rect = PixelRect::new(at as u32 * 7, at as u32 * 31 % 250, width, 280 - width);
                before.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
            }
            let paint = Paint { ink, over: PaintOver::everything().without(locked) };
            let all = Stencil { within: Some(Mask::filled(SIZE, 0)), source: None };
            let open = flooded(&before, (x, y), &paint, Stencil::default());
            prop_assert_eq!(open, flooded(&before, (x, y), &paint, all));
        }
    }

    #[test]
    fn specks_of_the_ink_are_gone_when_the_ground_is_filled_around_them() {
        let mut mask = Mask::filled(SIZE, 0);
        for (x, y) in [(3, 5), (64, 5), (255, 200), (256, 200)] {
            mask.set_rect(PixelRect::new(x, y, 1, 1), &[7]);
        }
        let (after, dirty) = flooded(&mask, (0, 0), &Paint::class(7), Stencil::default());
        assert!(
            after
                .tiles()
                .all(|(_, _, tile)| tile.uniform_class() == Some(7))
        );
        assert_eq!(dirty.len(), 4);
    }
}
