use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::delta::TileDelta;
use super::{Mask, MaskTile};
use crate::geom::PixelRect;

/// Rectangles of level-0 pixels that may look different now; none holds pixels of two mask tiles.
pub type DirtyRects = Vec<PixelRect>;

/// Which tool made an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EditKind {
    /// Brush strokes with a class.
    Brush,
    /// Brush strokes that take the label away.
    Erase,
    /// A filled polygon or lasso.
    Polygon,
    /// A flood fill.
    Fill,
    /// One class replaced by another.
    Replace,
    /// Pixels taken over from a prediction or another mask.
    Accept,
    /// A whole mask read from a file.
    Import,
    /// Specks dropped, holes filled.
    Cleanup,
    /// A filled selection.
    Selection,
    /// A label that somebody says is right as it is.
    Confirm,
}

impl EditKind {
    /// All kinds; a kind's place here is its number in files, so new ones come last.
    pub const ALL: [Self; 10] = [
        Self::Brush,
        Self::Erase,
        Self::Polygon,
        Self::Fill,
        Self::Replace,
        Self::Accept,
        Self::Import,
        Self::Cleanup,
        Self::Selection,
        Self::Confirm,
    ];

    /// What a history list calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Brush => "Brush stroke",
            Self::Erase => "Erase",
            Self::Polygon => "Polygon",
            Self::Fill => "Fill",
            Self::Replace => "Replace class",
            Self::Accept => "Accept prediction",
            Self::Import => "Import mask",
            Self::Cleanup => "Clean up",
            Self::Selection => "Fill selection",
            Self::Confirm => "Label is right",
        }
    }
}

/// What one user action did to a mask. Knows how to be undone; owns no mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which tool made it.
    pub kind: EditKind,
    deltas: Arc<[TileDelta]>,
    /// What it did to the label's origins; see [`Edit::with_origin`].
    origins: Arc<[TileDelta]>,
}

impl Edit {
    /// What turns `before` into `after`; `None` when they are equal. Tiles that both share cost
    /// nothing.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn between(before: &Mask, after: &Mask, kind: EditKind) -> Option<Self> {
        assert_eq!(
            before.size(),
            after.size(),
            "an edit does not change a mask's size"
        );
        let tiles = before.tiles_unlike(after);
        let tiles = tiles.map(|(key, before_tile, after_tile)| {
            let ground = before.tile_rect(key.col, key.row);
            (ground, before_tile, after_tile)
        });
        Self::from_deltas(kind, deltas_of(tiles.collect()))
    }

    /// What this did to a mask is what it does to the label's origins instead, while classes stay.
    #[must_use]
    pub(super) fn of_origins(self) -> Self {
        Self {
            kind: self.kind,
            deltas: Arc::default(),
            origins: self.deltas,
        }
    }

    /// An edit of these deltas, `None` when there are none.
    pub(super) fn from_deltas(kind: EditKind, deltas: Vec<TileDelta>) -> Option<Self> {
        (!deltas.is_empty()).then(|| Self {
            kind,
            deltas: Arc::from(deltas),
            origins: Arc::default(),
        })
    }

    pub(super) fn with_origin_deltas(self, origins: Vec<TileDelta>) -> Self {
        Self {
            origins: Arc::from(origins),
            ..self
        }
    }

    pub(super) fn deltas(&self) -> &[TileDelta] {
        &self.deltas
    }

    pub(super) fn origin_deltas(&self) -> &[TileDelta] {
        &self.origins
    }

    /// The edit that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let swapped = |deltas: &[TileDelta]| deltas.iter().rev().map(TileDelta::swapped).collect();
        Self {
            kind: self.kind,
            deltas: swapped(&self.deltas),
            origins: swapped(&self.origins),
        }
    }

    /// The ground it changes, one rectangle a touched tile.
    pub fn dirty_rects(&self) -> DirtyRects {
        // Where classes stay, it is an edit of the origins alone.
        let deltas = if self.deltas.is_empty() {
            &self.origins
        } else {
            &self.deltas
        };
        deltas.iter().map(TileDelta::rect).collect()
    }

    /// Main memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let deltas = self.deltas.iter().chain(self.origins.iter());
        size_of::<Self>() + deltas.map(TileDelta::bytes).sum::<usize>()
    }

    /// How many pixels went from one class to another, sorted by (from, to).
    pub fn changes(&self) -> Vec<ClassChange> {
        changes_of(&self.deltas)
    }

    /// How many pixels went from one origin to another, sorted by (from, to).
    pub fn origin_changes(&self) -> Vec<ClassChange> {
        changes_of(&self.origins)
    }

    /// How many pixels changed.
    pub fn num_pixels(&self) -> u64 {
        self.changes().iter().map(|change| change.pixels).sum()
    }
}

fn changes_of(deltas: &[TileDelta]) -> Vec<ClassChange> {
    let mut counts = BTreeMap::<(u8, u8), u64>::new();
    for delta in deltas {
        delta.visit(|pixels, from, to| {
            if from != to {
                *counts.entry((from, to)).or_default() += u64::from(pixels);
            }
        });
    }
    let change = |((from, to), pixels)| ClassChange { from, to, pixels };
    counts.into_iter().map(change).collect()
}

/// Pixels that one edit took from one class to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassChange {
    /// The class before.
    pub from: u8,
    /// The class after.
    pub to: u8,
    /// Number of pixels.
    pub pixels: u64,
}

/// The tiles of a mask as they were before an open transaction touched them.
pub(super) type KeptTiles = BTreeMap<(u32, u32), MaskTile>;

/// The edit that led from the kept tiles to the mask as it is.
pub(super) fn edit_since(kept: &KeptTiles, mask: &Mask, kind: EditKind) -> Option<Edit> {
    let tiles = kept
        .iter()
        .map(|(&(row, col), before)| (mask.tile_rect(col, row), before, mask.tile(col, row)));
    Edit::from_deltas(kind, deltas_of(tiles.collect()))
}

/// The changes of tiles, each given by its ground and what was and is there.
fn deltas_of(tiles: Vec<(PixelRect, &MaskTile, &MaskTile)>) -> Vec<TileDelta> {
    // A few tiles, as of a brush stroke, are done before another thread has woken up.
    let tiles = tiles.into_par_iter().with_min_len(8);
    tiles
        .filter_map(|(ground, before, after)| TileDelta::between(ground, before, after))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    fn two_masks() -> (Mask, Mask) {
        let before = Mask::filled(ImageSize::new(600, 300), 1);
        let mut after = before.clone();
        after.set_rect(PixelRect::new(250, 10, 12, 2), &[3; 24]);
        (before, after)
    }

    #[test]
    fn an_edit_knows_what_it_changed() {
        let (before, after) = two_masks();
        let edit = Edit::between(&before, &after, EditKind::Replace).expect("they differ");
        assert_eq!(
            edit.changes(),
            [ClassChange {
                from: 1,
                to: 3,
                pixels: 24
            }]
        );
        let rects = [PixelRect::new(250, 10, 6, 2), PixelRect::new(256, 10, 6, 2)];
        assert_eq!(edit.dirty_rects(), rects);
        assert_eq!(
            Edit::between(&before, &before.clone(), EditKind::Brush),
            None
        );
    }

    #[test]
    fn an_edit_goes_forth_and_back() {
        let (before, after) = two_masks();
        let edit = Edit::between(&before, &after, EditKind::Replace).expect("they differ");
        let mut mask = before.clone();
        assert_eq!(mask.apply(&edit), edit.dirty_rects());
        assert_eq!(mask, after);
        mask.apply(&edit.inverse());
        assert_eq!(mask, before);
        assert_eq!(edit.inverse().inverse(), edit);
    }

    #[test]
    fn an_edit_of_another_mask_is_cut() {
        let (before, after) = two_masks();
        let edit = Edit::between(&before, &after, EditKind::Replace).expect("they differ");
        let mut small = Mask::filled(ImageSize::new(253, 300), 1);
        assert_eq!(small.apply(&edit), [PixelRect::new(250, 10, 3, 2)]);
        assert_eq!(small.histogram()[3], 6);
    }
}
