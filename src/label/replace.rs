use super::span::Span;
use super::{DirtyRects, Ink, Mask, MaskTile, Paint, PaintOver, Stroke};
use crate::geom::{PixelRect, TileKey};

impl Stroke {
    /// Gives every pixel of class `from` inside `area` (level-0 pixels) the class `to`; 255 stands
    /// for unlabeled ground.
    ///
    /// Tiles without a pixel of `from` cost nothing, tiles of one class that lie in the area as a
    /// whole almost nothing.
    pub fn replace_class(
        &mut self,
        mask: &mut Mask,
        from: u8,
        to: u8,
        area: PixelRect,
    ) -> DirtyRects {
        let paint = Paint {
            ink: Ink::Class(to),
            over: PaintOver::only([from]),
        };
        let mut dirty = DirtyRects::new();
        if from == to {
            return dirty;
        }
        for (col, row) in mask.tiles_touching(area) {
            let ground = mask.tile_rect(col, row);
            let part = ground.intersect(area);
            match mask.tile(col, row).uniform_class() {
                Some(class) if class != from => {}
                Some(_) if part == ground => {
                    self.keep(mask, col, row);
                    mask.set_tile(col, row, MaskTile::Uniform(to));
                    dirty.push(ground);
                }
                _ => {
                    let rows = part.y..part.bottom();
                    let span = |y| Span {
                        y,
                        start: part.x,
                        end: part.right(),
                    };
                    let spans: Vec<Span> = rows.map(span).collect();
                    dirty.extend(self.paint_tile(mask, TileKey::new(0, col, row), &spans, &paint));
                }
            }
        }
        dirty
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::EditKind;
    use super::*;
    use crate::geom::ImageSize;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn only_that_class_and_only_inside_the_area(
            painted in prop::collection::vec((0_u32..600, 0_u32..300, 0_u8..3), 0..6),
            area in (0_u32..600, 0_u32..300, 0_u32..600, 0_u32..400),
            from in 0_u8..3,
            to in prop_oneof![0_u8..3, Just(255)],
        ) {
            let size = ImageSize::new(600, 300);
            let mut mask = Mask::filled(size, 0);
            for (x, y, class) in painted {
                mask.set_rect(PixelRect::new(x, y, 290, 90), &vec![class; 290 * 90]);
            }
            let area = PixelRect::new(area.0, area.1, area.2, area.3);
            let before = mask.clone();
            let mut stroke = Stroke::begin(EditKind::Replace);
            let dirty = stroke.replace_class(&mut mask, from, to, area);
            for (x, y) in (0..300).flat_map(|y| (0..600).map(move |x| (x, y))) {
                let old = before.get(x, y);
                let is_replaced = old == from && area.contains(x, y);
                prop_assert_eq!(mask.get(x, y), if is_replaced { to } else { old });
                let is_dirty = dirty.iter().any(|rect| rect.contains(x, y));
                prop_assert!(is_dirty || old == mask.get(x, y));
            }
            for (col, row, tile) in mask.tiles() {
                let classes = mask.read_rect(mask.tile_rect(col, row));
                let is_plain = classes.iter().all(|class| *class == classes[0]);
                prop_assert_eq!(tile.uniform_class().is_some(), is_plain);
            }
            stroke.rollback(&mut mask);
            prop_assert_eq!(mask, before);
        }
    }

    #[test]
    fn a_huge_uniform_mask_is_replaced_by_tiles() {
        let size = ImageSize::new(100_000, 100_000);
        let mut mask = Mask::filled(size, 4);
        let mut stroke = Stroke::begin(EditKind::Replace);
        let dirty = stroke.replace_class(&mut mask, 4, 5, size.bounds());
        assert_eq!(dirty.len(), 391 * 391);
        assert_eq!(mask.histogram()[5], 10_000_000_000);
        assert!(
            stroke
                .replace_class(&mut mask, 4, 6, size.bounds())
                .is_empty()
        );
    }
}
