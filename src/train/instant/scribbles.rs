use rayon::prelude::*;

use super::store::TileAt;
use crate::geom::PixelRect;
use crate::label::{Mask, Origin, UNLABELED};

/// Examples of a class at most, and of all, so that learning takes no longer the more is labeled.
const MOST_EXAMPLES: u64 = 1_000;
/// See [`MOST_EXAMPLES`].
const MOST_OF_ALL: u64 = 4_000;
/// Tiles with scribbles that are looked at, the nearest ones.
const MOST_TILES: usize = 32;
/// How much likelier a pixel is drawn that a person labeled than one that was taken over from an
/// answer.
const HAND_WEIGHT: u64 = 4;

/// The known pixels that a head learns from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scribbles {
    /// Tiles by row and column, each with the pixels that were drawn.
    pub(super) tiles: Vec<(TileAt, Vec<Known>)>,
    /// Classes that are known somewhere.
    pub(super) num_classes: usize,
    /// Known pixels, of which some were drawn.
    pub(super) num_pixels: u64,
}

/// A pixel of a tile and its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) x: u8,
    pub(super) y: u8,
    pub(super) class: u8,
}

/// Whose labels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// What was labeled here, by hand or by taking an answer over.
    Made,
    /// What was imported as well.
    All,
}

/// The label of a tile as far as it counts.
struct Labeled {
    at: TileAt,
    rect: PixelRect,
    /// Row by row; unlabeled where nothing counts.
    classes: Vec<u8>,
    origins: Vec<u8>,
}

impl Scribbles {
    /// The scribbles of `label` as `origins` say who made them, those nearest to the tile `near` if
    /// there are many. What was imported counts only where there is nothing else.
    pub(super) fn of(label: &Mask, origins: &Mask, near: TileAt) -> Self {
        let mut tiles = labeled(label, origins, near, Trust::Made);
        if tiles.is_empty() {
            tiles = labeled(label, origins, near, Trust::All);
        }
        tiles.sort_by_key(|tile| (tile.at.1, tile.at.0));
        let (mut pixels, mut weights) = ([0_u64; 256], [0_u64; 256]);
        for (class, weight) in tiles.iter().flat_map(Labeled::pixels) {
            pixels[usize::from(class)] += 1;
            weights[usize::from(class)] += weight;
        }
        let num_classes = pixels.iter().filter(|&&number| number > 0).count();
        let most = (MOST_OF_ALL / num_classes.max(1) as u64).min(MOST_EXAMPLES);
        let drawn = tiles
            .par_iter()
            .map(|tile| (tile.at, tile.drawn(&weights, most)));
        Self {
            tiles: drawn.collect(),
            num_classes,
            num_pixels: pixels.iter().sum(),
        }
    }
}

/// The nearest tiles with labels that count.
fn labeled(label: &Mask, origins: &Mask, near: TileAt, trust: Trust) -> Vec<Labeled> {
    let mut places: Vec<TileAt> = origins
        .tiles()
        .filter(|(.., tile)| match tile.uniform_class() {
            Some(UNLABELED) => false,
            Some(origin) => trust == Trust::All || origin != Origin::IMPORTED.index(),
            None => true,
        })
        .map(|(col, row, _)| (col, row))
        .collect();
    let apart = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
    let away = |at: TileAt| apart(at.0, near.0) + apart(at.1, near.1);
    places.sort_by_key(|&at| (away(at), at.1, at.0));
    let tiles = places
        .into_iter()
        .filter_map(|at| Labeled::of(label, origins, at, trust));
    tiles.take(MOST_TILES).collect()
}

impl Labeled {
    /// `None` when nothing in the tile counts.
    fn of(label: &Mask, origins: &Mask, at: TileAt, trust: Trust) -> Option<Self> {
        let rect = label.tile_rect(at.0, at.1);
        let (mut classes, origins) = (label.read_rect(rect), origins.read_rect(rect));
        if trust == Trust::Made {
            for (class, &origin) in classes.iter_mut().zip(&origins) {
                if origin == Origin::IMPORTED.index() {
                    *class = UNLABELED;
                }
            }
        }
        let counts = classes.iter().any(|&class| class != UNLABELED);
        counts.then_some(Self {
            at,
            rect,
            classes,
            origins,
        })
    }

    /// The class of each known pixel and how likely it is drawn.
    fn pixels(&self) -> impl Iterator<Item = (u8, u64)> {
        let pixels = self.classes.iter().zip(&self.origins);
        let known = pixels.filter(|(class, _)| **class != UNLABELED);
        known.map(|(&class, &origin)| (class, weight_of(origin)))
    }

    /// Pixels drawn by their place alone, so that further scribbles leave most draws as they are.
    /// `weights` are the sums over all tiles for each class, of which about `most` are drawn.
    fn drawn(&self, weights: &[u64; 256], most: u64) -> Vec<Known> {
        let width = self.rect.width as usize;
        let mut drawn = Vec::new();
        for (place, (&class, &origin)) in self.classes.iter().zip(&self.origins).enumerate() {
            let (x, y) = (place % width, place / width);
            let at = [self.rect.x + x as u32, self.rect.y + y as u32];
            let total = weights[usize::from(class)];
            let is_drawn = || share_of(at) * (total as f64) < (most * weight_of(origin)) as f64;
            if class != UNLABELED && is_drawn() {
                let (x, y) = (x as u8, y as u8);
                drawn.push(Known { x, y, class });
            }
        }
        drawn
    }
}

fn weight_of(origin: u8) -> u64 {
    if Origin::is_persons(origin) {
        HAND_WEIGHT
    } else {
        1
    }
}

/// A number from 0 to 1 that looks random: `SplitMix64` (Steele et al. 2014) of the place.
fn share_of([x, y]: [u32; 2]) -> f64 {
    let mut bits = (u64::from(x) << 32 | u64::from(y)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(900, 600);

    /// Rectangles of one class each and who made them, painted one after another.
    fn masks(parts: &[(PixelRect, u8, Origin)]) -> (Mask, Mask) {
        let (mut label, mut origins) = (Mask::new(SIZE), Mask::new(SIZE));
        for &(rect, class, origin) in parts {
            let area = rect.num_pixels() as usize;
            label.set_rect(rect, &vec![class; area]);
            origins.set_rect(rect, &vec![origin.index(); area]);
        }
        (label, origins)
    }

    fn numbers(scribbles: &Scribbles, class: u8) -> usize {
        let drawn = scribbles.tiles.iter().flat_map(|(_, known)| known);
        drawn.filter(|known| known.class == class).count()
    }

    #[test]
    fn all_of_a_short_stroke_is_an_example_and_part_of_a_large_one() {
        let (label, origins) = masks(&[
            (PixelRect::new(250, 10, 20, 10), 3, Origin::HAND),
            (PixelRect::new(300, 256, 600, 300), 7, Origin::HAND),
        ]);
        let scribbles = Scribbles::of(&label, &origins, (0, 0));
        assert_eq!((scribbles.num_classes, scribbles.num_pixels), (2, 180_200));
        assert_eq!(numbers(&scribbles, 3), 200);
        assert!((900..1_100).contains(&numbers(&scribbles, 7)));
        let places: Vec<TileAt> = scribbles.tiles.iter().map(|(at, _)| *at).collect();
        assert_eq!(&places[..3], [(0, 0), (1, 0), (1, 1)]);
        let known = scribbles.tiles[1].1[0];
        assert_eq!((known.x, known.y), (0, 10), "places are those in the tile");
        assert_eq!(Scribbles::of(&label, &origins, (9, 9)), scribbles);
    }

    #[test]
    fn imports_count_only_where_there_is_nothing_else() {
        let imported = (PixelRect::new(0, 0, 500, 20), 1, Origin::IMPORTED);
        let (label, origins) = masks(&[imported]);
        assert_eq!(Scribbles::of(&label, &origins, (0, 0)).num_pixels, 10_000);
        let by_hand = (PixelRect::new(100, 0, 10, 20), 2, Origin::HAND);
        let (label, origins) = masks(&[imported, by_hand]);
        let scribbles = Scribbles::of(&label, &origins, (0, 0));
        assert_eq!((scribbles.num_classes, scribbles.num_pixels), (1, 200));
        assert_eq!(
            Scribbles::of(&Mask::new(SIZE), &Mask::new(SIZE), (0, 0)),
            Scribbles::default()
        );
    }

    #[test]
    fn what_a_hand_made_is_drawn_rather_than_what_was_taken_over() {
        let (label, origins) = masks(&[
            (PixelRect::new(0, 0, 100, 100), 1, Origin::HAND),
            (PixelRect::new(0, 100, 100, 400), 1, Origin::model(0)),
        ]);
        let scribbles = Scribbles::of(&label, &origins, (0, 0));
        let all = numbers(&scribbles, 1);
        let known = scribbles.tiles[0].1.iter();
        let by_hand = known.filter(|known| known.y < 100).count();
        assert!((900..1_100).contains(&all));
        assert!((0.45..0.55).contains(&(by_hand as f64 / all as f64)));
    }
}
