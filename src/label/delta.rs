use std::sync::Arc;

use super::runs::Runs;
use super::tile::SIDE;
use super::{MASK_TILE_SIZE, Mask, MaskTile, UNLABELED};
use crate::geom::{PixelRect, TileKey};

/// The change of one tile: what its changed rectangle held before and holds after, in runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TileDelta {
    rect: PixelRect,
    before: Runs,
    after: Runs,
}

impl TileDelta {
    /// The change between two states of the tile that covers `ground`; `None` when there is none.
    pub(super) fn between(ground: PixelRect, before: &MaskTile, after: &MaskTile) -> Option<Self> {
        if before.is_same(after) {
            return None;
        }
        let rect = changed_rect(ground, before, after);
        (!rect.is_empty()).then(|| {
            let (before, after) = (runs_of(ground, before, rect), runs_of(ground, after, rect));
            Self {
                rect,
                before,
                after,
            }
        })
    }

    /// A delta from stored parts; `None` unless `rect` lies in one tile and both fill it.
    pub(super) fn from_parts(rect: PixelRect, before: &[u8], after: &[u8]) -> Option<Self> {
        let inside = |from: u32, length: u32| {
            length > 0
                && length <= MASK_TILE_SIZE
                && from % MASK_TILE_SIZE + length <= MASK_TILE_SIZE
                && from.checked_add(length).is_some()
        };
        if !inside(rect.x, rect.width) || !inside(rect.y, rect.height) {
            return None;
        }
        let num_pixels = rect.width * rect.height;
        let before = Runs::from_bytes(before, num_pixels)?;
        Some(Self {
            rect,
            before,
            after: Runs::from_bytes(after, num_pixels)?,
        })
    }

    pub(super) const fn rect(&self) -> PixelRect {
        self.rect
    }

    /// The encoded runs before and after.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        (self.before.as_bytes(), self.after.as_bytes())
    }

    pub(super) fn swapped(&self) -> Self {
        Self {
            rect: self.rect,
            before: self.after.clone(),
            after: self.before.clone(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        const COUNTERS: usize = 4 * size_of::<usize>();
        let (before, after) = self.parts();
        size_of::<Self>() + COUNTERS + before.len() + after.len()
    }

    /// Calls `visit` with (pixels, from, to) for each stretch, row by row.
    pub(super) fn visit(&self, visit: impl FnMut(u32, u8, u8)) {
        self.before.zip(&self.after, visit);
    }

    /// Whether pixels may have lost their class.
    pub(super) fn erases(&self) -> bool {
        self.after.iter().any(|(_, class)| class == UNLABELED)
    }

    /// Writes the state after into the mask; the changed ground, `None` when it is outside.
    pub(super) fn apply_to(&self, mask: &mut Mask) -> Option<PixelRect> {
        let key = TileKey::new(
            0,
            self.rect.x / MASK_TILE_SIZE,
            self.rect.y / MASK_TILE_SIZE,
        );
        let ground = mask.tile_rect(key.col, key.row);
        let dirty = self.rect.intersect(ground);
        if dirty.is_empty() {
            return None;
        }
        let mut runs = self.after.iter();
        let tile = match (runs.next(), runs.next()) {
            (Some((_, class)), None) if dirty == ground => MaskTile::Uniform(class),
            _ => {
                let mut pixels = mask.take_pixels(key);
                self.write_into(Arc::make_mut(&mut pixels));
                MaskTile::collapsed(pixels, ground.width, ground.height)
            }
        };
        mask.set_tile(key.col, key.row, tile);
        Some(dirty)
    }

    fn write_into(&self, pixels: &mut super::TilePixels) {
        let (left, top) = (self.rect.x as usize % SIDE, self.rect.y as usize % SIDE);
        let width = self.rect.width as usize;
        let mut at = 0;
        for (length, class) in self.after.iter() {
            let end = at + length as usize;
            while at < end {
                let (x, y) = (at % width, at / width);
                let count = (end - at).min(width - x);
                let from = (top + y) * SIDE + left + x;
                pixels[from..from + count].fill(class);
                at += count;
            }
        }
    }
}

/// The smallest rectangle around all pixels that differ; empty when none does.
fn changed_rect(ground: PixelRect, before: &MaskTile, after: &MaskTile) -> PixelRect {
    if let (Some(before), Some(after)) = (before.uniform_class(), after.uniform_class()) {
        return if before == after {
            PixelRect::default()
        } else {
            ground
        };
    }
    let (mut ours, mut theirs) = ([0; SIDE], [0; SIDE]);
    let width = ground.width as usize;
    let mut rect = PixelRect::default();
    for y in 0..ground.height {
        let ours = before.row(y as usize, &mut ours);
        let theirs = after.row(y as usize, &mut theirs);
        let (ours, theirs) = (&ours[..width], &theirs[..width]);
        if ours == theirs {
            continue;
        }
        let differs = |(a, b): (&u8, &u8)| a != b;
        let mut pairs = ours.iter().zip(theirs);
        let first = pairs.position(differs).unwrap_or(0);
        let last = pairs.rposition(differs).map_or(first, |at| first + 1 + at);
        let row = PixelRect::new(
            ground.x + first as u32,
            ground.y + y,
            (last - first + 1) as u32,
            1,
        );
        rect = rect.union(row);
    }
    rect
}

/// The runs of `rect` (mask pixels) in the tile that covers `ground`.
fn runs_of(ground: PixelRect, tile: &MaskTile, rect: PixelRect) -> Runs {
    match tile {
        MaskTile::Uniform(class) => Runs::uniform(rect.width * rect.height, *class),
        MaskTile::Pixels(pixels) => {
            let (left, top) = ((rect.x - ground.x) as usize, (rect.y - ground.y) as usize);
            let row_of = |y: usize| {
                let from = (top + y) * SIDE + left;
                &pixels[from..from + rect.width as usize]
            };
            Runs::encode((0..rect.height as usize).map(row_of))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_holds_only_what_changed() {
        let ground = PixelRect::new(256, 0, 256, 256);
        let before = MaskTile::Uniform(1);
        let mut pixels = super::super::tile::filled_pixels(1);
        Arc::make_mut(&mut pixels)[2 * SIDE + 5] = 7;
        Arc::make_mut(&mut pixels)[3 * SIDE + 4] = 7;
        let delta =
            TileDelta::between(ground, &before, &MaskTile::Pixels(pixels)).expect("differs");
        assert_eq!(delta.rect(), PixelRect::new(260, 2, 2, 2));
        assert_eq!(delta.parts(), (&[4, 1][..], &[1, 1, 2, 7, 1, 1][..]));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let good = [4, 1];
        for (rect, before) in [
            (PixelRect::new(255, 0, 2, 2), &good[..]),
            (PixelRect::new(0, 0, 0, 4), &good[..]),
            (PixelRect::new(0, 0, 300, 1), &good[..]),
            (PixelRect::new(u32::MAX, 0, 4, 1), &good[..]),
            (PixelRect::new(0, 0, 2, 2), &[3, 1][..]),
        ] {
            assert!(
                TileDelta::from_parts(rect, before, &good).is_none(),
                "{rect:?}"
            );
        }
        assert!(TileDelta::from_parts(PixelRect::new(254, 0, 2, 2), &good, &good).is_some());
    }
}
