use std::sync::Arc;

use rayon::prelude::*;

use super::delta::TileDelta;
use super::tile::SIDE;
use super::{
    Edit, EditKind, MASK_TILE_SIZE, Mask, MaskTile, Paint, PaintOver, Selection, Stroke, UNLABELED,
};
use crate::geom::TileKey;

/// Who says that a pixel is of its class.
///
/// The origins of a label are a mask over the same ground with these as its indices, and
/// [`UNLABELED`] where there is no class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(u8);

impl Origin {
    /// A mask file.
    pub const IMPORTED: Self = Self(0);
    /// A person, with a tool.
    pub const HAND: Self = Self(1);
    /// A person, who looked at it and found it right as it was.
    pub const CONFIRMED: Self = Self(254);
    /// How many models can be told apart.
    pub const MOST_MODELS: usize = 252;

    const FIRST_MODEL: u8 = 2;

    /// A model whose prediction was accepted, by its place in the list of such models. All that
    /// are too many count as the last.
    pub fn model(place: usize) -> Self {
        Self(Self::FIRST_MODEL + place.min(Self::MOST_MODELS - 1) as u8)
    }

    /// The index in a mask of origins.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Whether this index says that a person made it, or found it right.
    pub const fn is_persons(index: u8) -> bool {
        index == Self::HAND.0 || index == Self::CONFIRMED.0
    }

    /// The place of the model whose index this is, `None` for an import or a person.
    pub fn model_of(index: u8) -> Option<usize> {
        let is_model = (Self::FIRST_MODEL..Self::CONFIRMED.0).contains(&index);
        is_model.then(|| usize::from(index - Self::FIRST_MODEL))
    }
}

/// What turns classes into the origins of a label that came whole from `origin`.
fn table_of(origin: Origin) -> [u8; 256] {
    let mut table = [origin.index(); 256];
    table[usize::from(UNLABELED)] = UNLABELED;
    table
}

impl MaskTile {
    /// The origins of a tile that came whole from `origin`.
    #[must_use]
    pub fn origins_from(&self, origin: Origin) -> Self {
        let table = table_of(origin);
        match self {
            Self::Uniform(class) => Self::Uniform(table[usize::from(*class)]),
            Self::Pixels(pixels) => {
                let mut pixels = Arc::clone(pixels);
                for class in Arc::make_mut(&mut pixels) {
                    *class = table[usize::from(*class)];
                }
                Self::Pixels(pixels)
            }
        }
    }
}

impl Mask {
    /// The origins of a label that came whole from `origin`.
    #[must_use]
    pub fn origins_from(&self, origin: Origin) -> Self {
        self.clone().recoded(&table_of(origin))
    }

    /// Applies what an edit of the label did to its origins, of which this mask is one.
    pub fn apply_origins(&mut self, edit: &Edit) {
        for delta in edit.origin_deltas() {
            delta.apply_to(self);
        }
    }
}

impl Edit {
    /// Says that what is labeled of `ground` is of `origin` as it is, which is carried out on
    /// `origins`; `None` when that is known.
    pub fn confirming(origins: &mut Mask, ground: &Selection, origin: Origin) -> Option<Self> {
        let paint = Paint {
            over: PaintOver::everything().without(UNLABELED),
            ..Paint::class(origin.index())
        };
        let mut stroke = Stroke::begin(EditKind::Confirm);
        stroke.select(origins, ground, &paint);
        stroke.commit(origins).map(Self::of_origins)
    }

    /// The edit with the change of origins that goes with it, which is carried out on `origins`:
    /// pixels that got another class are of `origin` now, and those that lost theirs of none.
    #[must_use]
    pub fn with_origin(self, origins: &mut Mask, origin: Origin) -> Self {
        let deltas = self.deltas().par_iter().with_min_len(8);
        let tiles: Vec<_> = deltas
            .filter_map(|delta| changed_origins(delta, origins, origin))
            .collect();
        let change = |(key, tile, delta): (TileKey, MaskTile, TileDelta)| {
            origins.set_tile(key.col, key.row, tile);
            delta
        };
        self.with_origin_deltas(tiles.into_iter().map(change).collect())
    }
}

/// The tile of origins after a change of the label, and its own change; `None` when it has none.
fn changed_origins(
    delta: &TileDelta,
    origins: &Mask,
    origin: Origin,
) -> Option<(TileKey, MaskTile, TileDelta)> {
    let rect = delta.rect();
    let key = TileKey::new(0, rect.x / MASK_TILE_SIZE, rect.y / MASK_TILE_SIZE);
    let ground = origins.tile_rect(key.col, key.row);
    let before = origins.tile(key.col, key.row);
    if before.uniform_class() == Some(origin.index()) && !delta.erases() {
        return None;
    }
    let mut pixels = before.to_owned_pixels();
    let target = Arc::make_mut(&mut pixels);
    let (left, top) = (rect.x as usize % SIDE, rect.y as usize % SIDE);
    let (width, mut at) = (rect.width as usize, 0);
    delta.visit(|length, from, to| {
        let end = at + length as usize;
        let new = if to == UNLABELED {
            UNLABELED
        } else {
            origin.index()
        };
        while at < end {
            let (x, y) = (at % width, at / width);
            let count = (end - at).min(width - x);
            if from != to {
                let place = (top + y) * SIDE + left + x;
                target[place..place + count].fill(new);
            }
            at += count;
        }
    });
    let after = MaskTile::collapsed(pixels, ground.width, ground.height);
    let change = TileDelta::between(ground, before, &after)?;
    Some((key, after, change))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::{ImageSize, PixelRect};

    const SIZE: ImageSize = ImageSize::new(300, 270);

    fn painted(before: &Mask, rect: PixelRect, class: u8) -> Mask {
        let rect = rect.intersect(SIZE.bounds());
        let mut after = before.clone();
        after.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
        after
    }

    #[test]
    fn paint_is_by_hand_and_erased_ground_is_nobodys() {
        let label = Mask::filled(SIZE, 4);
        let mut origins = label.origins_from(Origin::IMPORTED);
        let after = painted(&label, PixelRect::new(250, 0, 10, 2), 5);
        let edit = Edit::between(&label, &after, EditKind::Brush).expect("they differ");
        let edit = edit.with_origin(&mut origins, Origin::HAND);
        let at = |origins: &Mask| [249, 250, 259, 260].map(|x| origins.get(x, 1));
        assert_eq!(at(&origins), [0, 1, 1, 0]);
        let erased = painted(&after, PixelRect::new(255, 0, 3, 2), UNLABELED);
        let erase = Edit::between(&after, &erased, EditKind::Erase).expect("they differ");
        let erase = erase.with_origin(&mut origins, Origin::HAND);
        assert_eq!(
            [254, 255, 257, 258].map(|x| origins.get(x, 0)),
            [1, 255, 255, 1]
        );
        origins.apply_origins(&erase.inverse());
        origins.apply_origins(&edit.inverse());
        assert_eq!(origins, label.origins_from(Origin::IMPORTED));
    }

    #[test]
    fn models_are_told_apart_as_far_as_there_is_room() {
        assert_eq!(Origin::model(0).index(), 2);
        assert_eq!(Origin::model(9_999).index(), 253);
        assert_eq!(Origin::model_of(Origin::model(7).index()), Some(7));
        assert_eq!([0, 1, 254, 255].map(Origin::model_of), [None; 4]);
        let persons = [0, 1, 2, 253, 254, 255].map(Origin::is_persons);
        assert_eq!(persons, [false, true, false, false, true, false]);
    }

    proptest! {
        #[test]
        fn origins_follow_edits_forth_and_back(
            steps in prop::collection::vec(
                ((0_u32..300, 0_u32..270, 1_u32..80, 1_u32..80), 0_u8..4, 0_u8..4), 1..12)
        ) {
            let mut label = Mask::new(SIZE);
            let mut origins = Mask::new(SIZE);
            let mut states = vec![origins.clone()];
            let mut edits = Vec::new();
            for ((x, y, width, height), class, origin) in steps {
                let class = if class == 3 { UNLABELED } else { class };
                let after = painted(&label, PixelRect::new(x, y, width, height), class);
                let Some(edit) = Edit::between(&label, &after, EditKind::Brush) else { continue };
                let edit = edit.with_origin(&mut origins, Origin(origin));
                prop_assert_eq!(&Edit::from_bytes(&edit.to_bytes()).expect("ours"), &edit);
                label = after;
                states.push(origins.clone());
                edits.push(edit);
            }
            let labeled = |mask: &Mask| SIZE.num_pixels() - mask.histogram()[255];
            prop_assert_eq!(labeled(&origins), labeled(&label));
            for (edit, before) in edits.iter().zip(&states).rev() {
                origins.apply_origins(&edit.inverse());
                prop_assert_eq!(&origins, before);
            }
            for (edit, after) in edits.iter().zip(&states[1..]) {
                origins.apply_origins(edit);
                prop_assert_eq!(&origins, after);
            }
        }
    }

    #[test]
    fn a_label_is_confirmed_in_one_step_that_can_be_taken_back() {
        let mut label = Mask::filled(SIZE, 4);
        label.set_rect(PixelRect::new(250, 10, 2, 1), &[UNLABELED; 2]);
        let imported = label.origins_from(Origin::IMPORTED);
        let mut origins = imported.clone();
        let ground = Selection::of_rect(PixelRect::new(248, 10, 20, 3));
        let edit = Edit::confirming(&mut origins, &ground, Origin::HAND).expect("a change");
        let by_hand = usize::from(Origin::HAND.index());
        assert_eq!(
            origins.histogram()[by_hand],
            58,
            "ground without a label has no origin"
        );
        assert_eq!((edit.num_pixels(), edit.dirty_rects().len()), (0, 2));
        let read = Edit::from_bytes(&edit.to_bytes()).expect("an edit");
        assert_eq!(read, edit);
        let (before, confirmed) = (label.clone(), origins.clone());
        label.apply(&edit.inverse());
        origins.apply_origins(&edit.inverse());
        assert!(label == before && origins == imported);
        origins.apply_origins(&edit);
        assert!(origins == confirmed);
        assert_eq!(Edit::confirming(&mut origins, &ground, Origin::HAND), None);
    }
}
