use std::collections::BTreeMap;

use super::TileConfusion;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};

/// Side of a mask tile as a length of slices.
pub(super) const SIDE: usize = MASK_TILE_SIZE as usize;

/// A part of an image's ground by mask tiles: those that it holds whole, and what it holds of
/// others.
#[derive(Clone, Debug)]
pub struct TiledGround {
    size: ImageSize,
    /// What is held of each tile, by (column, row); `None`: all of it.
    tiles: BTreeMap<(u32, u32), Option<Box<Cut>>>,
}

/// A part of a tile: what `base` and `put` hold, without `taken`.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// Pixels that are not unlabeled.
    base: MaskTile,
    /// In level-0 pixels, inside of the tile.
    put: Vec<PixelRect>,
    /// As `put`.
    taken: Vec<PixelRect>,
}

impl TiledGround {
    /// The ground of rectangles in level-0 pixels, of an image of `size`. What several hold counts
    /// once.
    pub fn of_rects(size: ImageSize, rects: &[PixelRect]) -> Self {
        let mut tiles = BTreeMap::new();
        for &rect in rects {
            for (at, tile, part) in parts(size, rect) {
                if part == tile {
                    tiles.insert(at, None);
                    continue;
                }
                let nothing = || Some(Box::new(Cut::of(MaskTile::Uniform(UNLABELED))));
                if let Some(cut) = tiles.entry(at).or_insert_with(nothing) {
                    cut.put.push(part);
                }
            }
        }
        Self { size, tiles }
    }

    /// All but the unlabeled pixels of a mask.
    pub fn of_mask(mask: &Mask) -> Self {
        let held = |(col, row, tile): (u32, u32, &MaskTile)| match tile.uniform_class() {
            Some(UNLABELED) => None,
            Some(_) => Some(((col, row), None)),
            None => Some(((col, row), Some(Box::new(Cut::of(tile.clone()))))),
        };
        Self {
            size: mask.size(),
            tiles: mask.tiles().filter_map(held).collect(),
        }
    }

    /// The same without what these rectangles hold.
    #[must_use]
    pub fn without(mut self, rects: &[PixelRect]) -> Self {
        for &rect in rects {
            for (at, tile, part) in parts(self.size, rect) {
                if part == tile {
                    self.tiles.remove(&at);
                } else if let Some(held) = self.tiles.get_mut(&at) {
                    let all = || Box::new(Cut::of(MaskTile::Uniform(0)));
                    held.get_or_insert_with(all).taken.push(part);
                }
            }
        }
        self
    }

    /// Whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        !self
            .tiles()
            .any(|(at, cut)| cut.is_none_or(|cut| cut.touches(self.rect(at), self.rect(at))))
    }

    /// Whether these rectangles together hold all of it.
    pub fn is_within(&self, rects: &[PixelRect]) -> bool {
        // Nearly always a tile far from all of them says so at once.
        let is_near = |rect: PixelRect| rects.iter().any(|it| !it.intersect(rect).is_empty());
        let is_far =
            |(at, cut): ((u32, u32), Option<&Cut>)| cut.is_none() && !is_near(self.rect(at));
        !self.tiles().any(is_far) && self.clone().without(rects).is_empty()
    }

    /// Whether it holds a pixel of `rect`.
    pub fn touches(&self, rect: PixelRect) -> bool {
        parts(self.size, rect).any(|(at, tile, part)| {
            let held = self.tiles.get(&at);
            held.is_some_and(|cut| cut.as_ref().is_none_or(|cut| cut.touches(tile, part)))
        })
    }

    /// The tiles of which it holds a part, so that their pixels must be looked at.
    pub fn num_cut(&self) -> usize {
        self.tiles().filter(|(_, cut)| cut.is_some()).count()
    }

    /// Column and row of each tile that it holds something of, and what; `None`: all.
    pub(super) fn tiles(&self) -> impl Iterator<Item = ((u32, u32), Option<&Cut>)> {
        self.tiles.iter().map(|(at, cut)| (*at, cut.as_deref()))
    }

    /// The ground of a tile in level-0 pixels, cut at the image's edge.
    pub(super) fn rect(&self, at: (u32, u32)) -> PixelRect {
        tile_rect(self.size, at)
    }
}

impl Cut {
    const fn of(base: MaskTile) -> Self {
        Self {
            base,
            put: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Whether both hold the same for certain, without a look at pixels.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.base.is_same(&other.base) && (&self.put, &self.taken) == (&other.put, &other.taken)
    }

    /// Tells which pixels of row `y` (level 0) of the tile at `tile` it holds. What lies beyond the
    /// image's edge has no meaning.
    pub(super) fn row(&self, y: u32, tile: PixelRect, held: &mut [bool; SIDE]) {
        let mut plain = [0; SIDE];
        let base = self.base.row((y - tile.y) as usize, &mut plain);
        for (held, class) in held.iter_mut().zip(base) {
            *held = *class != UNLABELED;
        }
        for (rects, is_held) in [(&self.put, true), (&self.taken, false)] {
            for rect in rects
                .iter()
                .filter(|rect| (rect.y..rect.bottom()).contains(&y))
            {
                held[(rect.x - tile.x) as usize..][..rect.width as usize].fill(is_held);
            }
        }
    }

    /// Whether it holds a pixel of `part` of the tile at `tile`.
    fn touches(&self, tile: PixelRect, part: PixelRect) -> bool {
        let mut held = [false; SIDE];
        (part.y..part.bottom()).any(|y| {
            self.row(y, tile, &mut held);
            held[(part.x - tile.x) as usize..][..part.width as usize].contains(&true)
        })
    }
}

/// The tiles that a rectangle touches: column and row, ground, and the rectangle's part of it.
fn parts(
    size: ImageSize,
    rect: PixelRect,
) -> impl Iterator<Item = ((u32, u32), PixelRect, PixelRect)> {
    TileConfusion::tiles_in(rect.intersect(size.bounds())).map(move |at| {
        let tile = tile_rect(size, at);
        (at, tile, tile.intersect(rect))
    })
}

fn tile_rect(size: ImageSize, (col, row): (u32, u32)) -> PixelRect {
    let [x, y] = [col, row].map(|index| index.saturating_mul(MASK_TILE_SIZE));
    PixelRect::new(x, y, MASK_TILE_SIZE, MASK_TILE_SIZE).intersect(size.bounds())
}
