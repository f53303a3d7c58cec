use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::super::tile::SIDE;
use super::super::{Mask, MaskTile, PaintOver};
use super::Control;
use crate::geom::PixelRect;

/// What every clean-up works on: the mask as it was, and what may change in it.
pub(super) struct Work<'a> {
    pub(super) mask: &'a Mask,
    /// Inside the mask.
    pub(super) area: PixelRect,
    pub(super) over: PaintOver,
    pub(super) control: Control<'a>,
}

/// A tile that changed, with its column and row.
pub(super) type ChangedTile = (u32, u32, MaskTile);

/// The work area's part of one tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) col: u32,
    pub(super) row: u32,
    /// Mask pixels.
    pub(super) rect: PixelRect,
}

impl Work<'_> {
    /// Works out the classes of each part of the area by itself; `None` when cancelled.
    ///
    /// `margin` pixels around a part decide on it. A part is passed over when all tiles that the
    /// margin reaches are of one class, or when nothing in it may change. `after` gives the new
    /// classes row by row, `None` for no change.
    pub(super) fn by_parts(
        &self,
        margin: u32,
        after: impl Fn(&Part) -> Option<Vec<u8>> + Sync,
    ) -> Option<Vec<ChangedTile>> {
        let parts: Vec<Part> = parts_of(self.mask, self.area)
            .filter(|part| self.may_change(part, margin))
            .collect();
        let changed = self.each(&parts, 0.0..1.0, |part| {
            after(part).and_then(|after| self.changed_tile(part, &after))
        })?;
        Some(changed.into_iter().flatten().collect())
    }

    /// Calls `visit` with every item on rayon's threads; the results in order, `None` when
    /// cancelled. `share` is the part of the progress that this pass makes.
    pub(super) fn each<Item: Sync, Out: Send>(
        &self,
        items: &[Item],
        share: Range<f32>,
        visit: impl Fn(&Item) -> Out + Sync,
    ) -> Option<Vec<Out>> {
        let done = AtomicUsize::new(0);
        let total = items.len() as f32;
        items
            .par_iter()
            .map(|item| {
                if (self.control.is_cancelled)() {
                    return None;
                }
                let out = visit(item);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                let way = (done as f32 / total).min(1.0);
                (self.control.progress)(share.start + (share.end - share.start) * way);
                Some(out)
            })
            .collect()
    }

    /// The tile with the part's classes replaced where they may be; `None` when nothing differs.
    pub(super) fn changed_tile(&self, part: &Part, after: &[u8]) -> Option<ChangedTile> {
        let (mask, rect) = (self.mask, part.rect);
        let before = mask.read_rect(rect);
        let changes = |(&old, &new): (&u8, &u8)| old != new && self.over.contains(old);
        if !before.iter().zip(after).any(changes) {
            return None;
        }
        let ground = mask.tile_rect(part.col, part.row);
        let mut pixels = mask.tile(part.col, part.row).to_owned_pixels();
        let target = Arc::make_mut(&mut pixels);
        let width = rect.width as usize;
        let lines = before.chunks_exact(width).zip(after.chunks_exact(width));
        for (y, (old, new)) in lines.enumerate() {
            let from = ((rect.y - ground.y) as usize + y) * SIDE + (rect.x - ground.x) as usize;
            for (place, pair) in target[from..from + width]
                .iter_mut()
                .zip(old.iter().zip(new))
            {
                if changes(pair) {
                    *place = *pair.1;
                }
            }
        }
        let tile = MaskTile::collapsed(pixels, ground.width, ground.height);
        Some((part.col, part.row, tile))
    }

    /// `rect` with a margin, cut at the edge of the mask.
    pub(super) fn with_margin(&self, rect: PixelRect, margin: u32) -> PixelRect {
        rect.grown(margin).intersect(self.mask.size().bounds())
    }

    fn may_change(&self, part: &Part, margin: u32) -> bool {
        let class = self.mask.tile(part.col, part.row).uniform_class();
        let is_locked = class.is_some_and(|class| !self.over.contains(class));
        let is_same = |(col, row)| self.mask.tile(col, row).uniform_class() == class;
        let mut around = self.mask.tiles_touching(part.rect.grown(margin));
        !is_locked && (class.is_none() || !around.all(is_same))
    }
}

/// The parts of `area`, row of tiles by row of tiles.
pub(super) fn parts_of(mask: &Mask, area: PixelRect) -> impl Iterator<Item = Part> {
    mask.tiles_touching(area).map(move |(col, row)| Part {
        col,
        row,
        rect: mask.tile_rect(col, row).intersect(area),
    })
}
