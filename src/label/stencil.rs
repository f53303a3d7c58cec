use super::tile::SIDE;
use super::{Mask, MaskTile, PaintOver, UNLABELED};
use crate::geom::{ImageSize, PixelRect, TileKey};

/// What a stroke is painted through: other masks over the same ground that say what comes down
/// where. The default lets everything through.
///
/// A clone costs little: masks share their tiles.
#[derive(Clone, Debug, Default)]
pub struct Stencil {
    /// Where paint may come down: pixels that are not [`UNLABELED`]; `None`: everywhere.
    pub within: Option<Mask>,
    /// What comes down instead of the ink.
    pub source: Option<Source>,
}

/// A mask whose classes are painted, such as a prediction. Its unlabeled ground paints nothing.
#[derive(Clone, Debug)]
pub struct Source {
    /// The classes.
    pub classes: Mask,
    /// Those of them that are painted.
    pub only: PaintOver,
    /// How sure the classes are, 0 to 254 in a mask, and how sure they must be to be painted;
    /// ground without an answer is not painted.
    pub sure: Option<(Mask, u8)>,
}

/// A stencil's part for one tile.
pub(super) struct TileStencil<'a> {
    within: Option<&'a MaskTile>,
    source: Option<&'a Source>,
    classes: Option<&'a MaskTile>,
    sure: Option<(&'a MaskTile, u8)>,
}

impl Stencil {
    /// Whether everything is let through as it is.
    pub const fn is_open(&self) -> bool {
        self.within.is_none() && self.source.is_none()
    }

    /// The pixels of these rectangles as ground to be painted within, for a mask of `size`.
    pub fn ground_of(size: ImageSize, rects: &[PixelRect]) -> Mask {
        let mut ground = Mask::new(size);
        for rect in rects {
            for (col, row) in ground.tiles_touching(*rect) {
                let inside = ground.tile_rect(col, row).intersect(*rect);
                if inside == ground.tile_rect(col, row) {
                    ground.put_tile(col, row, MaskTile::Uniform(0));
                } else {
                    ground.set_rect(inside, &vec![0; inside.num_pixels() as usize]);
                }
            }
        }
        ground
    }

    /// The part for a tile; `None` when nothing of it may be painted.
    pub(super) fn tile(&self, key: TileKey) -> Option<TileStencil<'_>> {
        let tile_of = |mask| Mask::tile(mask, key.col, key.row);
        let within = self.within.as_ref().map(tile_of);
        if within.and_then(MaskTile::uniform_class) == Some(UNLABELED) {
            return None;
        }
        let source = self.source.as_ref();
        Some(TileStencil {
            within,
            source,
            classes: source.map(|source| tile_of(&source.classes)),
            sure: source.and_then(|source| {
                let (mask, least) = source.sure.as_ref()?;
                Some((tile_of(mask), *least))
            }),
        })
    }
}

impl TileStencil<'_> {
    /// What comes down on the pixel at `place` of the tile when `ink` is painted; `None`: nothing.
    pub(super) fn ink(&self, place: usize, ink: u8) -> Option<u8> {
        let at = |tile: &MaskTile| match tile {
            MaskTile::Uniform(class) => *class,
            MaskTile::Pixels(pixels) => pixels[place],
        };
        debug_assert!(place < SIDE * SIDE);
        if self.within.is_some_and(|within| at(within) == UNLABELED) {
            return None;
        }
        let (Some(classes), Some(source)) = (self.classes, self.source) else {
            return Some(ink);
        };
        let class = at(classes);
        let is_sure = self.sure.is_none_or(|(sure, least)| {
            let sure = at(sure);
            sure != UNLABELED && sure >= least
        });
        (class != UNLABELED && is_sure && source.only.contains(class)).then_some(class)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Brush, EditKind, Paint, Stroke};
    use super::*;
    use crate::geom::ImagePoint;

    const SIZE: ImageSize = ImageSize::new(300, 300);

    fn all() -> Vec<ImagePoint> {
        [(0.0, 0.0), (300.0, 0.0), (300.0, 300.0), (0.0, 300.0)]
            .map(|(x, y)| ImagePoint::new(x, y))
            .to_vec()
    }

    fn striped() -> Mask {
        let mut mask = Mask::new(SIZE);
        for (stripe, class) in [1, 2, 3, UNLABELED].into_iter().enumerate() {
            let rect = PixelRect::new(0, stripe as u32 * 75, 300, 75);
            mask.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        }
        mask
    }

    #[test]
    fn only_sure_and_wanted_classes_of_a_source_come_down() {
        let mut mask = Mask::filled(SIZE, 0);
        let mut sure = Mask::filled(SIZE, 200);
        sure.set_rect(PixelRect::new(0, 0, 150, 300), &vec![99; 150 * 300]);
        let stencil = Stencil {
            within: None,
            source: Some(Source {
                classes: striped(),
                only: PaintOver::everything().without(2),
                sure: Some((sure, 100)),
            }),
        };
        let mut stroke = Stroke::begin(EditKind::Accept).through(stencil);
        let dirty = stroke.polygon(&mut mask, &all(), &Paint::class(9));
        assert_eq!(dirty.len(), 2);
        let column = |mask: &Mask, x| [10, 80, 160, 230].map(|y| mask.get(x, y));
        assert_eq!(column(&mask, 10), [0, 0, 0, 0]);
        assert_eq!(column(&mask, 200), [1, 0, 3, 0]);
        let edit = stroke.commit(&mask).expect("a change");
        mask.apply(&edit.inverse());
        assert_eq!(mask, Mask::filled(SIZE, 0));
    }

    #[test]
    fn paint_stays_within_chosen_ground_across_tiles() {
        let mut mask = Mask::new(SIZE);
        let part = PixelRect::new(200, 100, 90, 30);
        let stencil = Stencil {
            within: Some(Stencil::ground_of(SIZE, &[part])),
            source: None,
        };
        let mut stroke = Stroke::begin(EditKind::Brush).through(stencil);
        let (from, to) = (ImagePoint::new(0.0, 115.0), ImagePoint::new(300.0, 115.0));
        let dirty = stroke.segment(&mut mask, (from, to), &Brush::round(60.0), &Paint::class(4));
        assert_eq!(mask.histogram()[4], part.num_pixels());
        assert_eq!(
            (mask.get(200, 100), mask.get(289, 129), mask.get(290, 110)),
            (4, 4, 255)
        );
        let seen = dirty
            .iter()
            .fold(PixelRect::default(), |all, rect| all.union(*rect));
        assert_eq!(seen, part);
        stroke.rollback(&mut mask);
        assert_eq!(mask, Mask::new(SIZE));
    }
}
