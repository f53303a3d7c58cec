use rayon::prelude::*;

use super::store::TileAt;
use crate::geom::PixelRect;
use crate::label::{Mask, Origin, UNLABELED};

/// Examples of a class at most, and of all, so that learning takes no longer the more is labeled.
const MOST_EXAMPLES: u64 = 1_000;
/// See [`MOST_EXAMPLES`].
const MOST_OF_ALL: u64 = 4_000;
/// Tiles with scribbles that are looked at: of each class its share, the nearest ones. Of more
/// classes than this one tile each.
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
    /// Known pixels of these tiles, of which some were drawn.
    pub(super) num_pixels: u64,
    /// Tells one choice of tiles from another; `None` is all that there are.
    pub(super) nearest: Option<u32>,
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
    /// The scribbles of `label` as `origins` say who made them, if there are many those of each class
    /// that are nearest to the tile `near`. What was imported counts only where there is nothing
    /// else.
    pub(super) fn of(label: &Mask, origins: &Mask, near: TileAt) -> Self {
        let mut trust = Trust::Made;
        let mut places = labeled(label, origins, near, trust);
        if places.is_empty() {
            trust = Trust::All;
            places = labeled(label, origins, near, trust);
        }
        let mut chosen = shared_out(&places);
        chosen.sort_by_key(|&(col, row)| (row, col));
        let nearest = (chosen.len() < places.len()).then(|| fingerprint(&chosen));
        let tiles = chosen
            .par_iter()
            .filter_map(|&at| Labeled::of(label, origins, at, trust));
        let tiles: Vec<Labeled> = tiles.collect();
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
            nearest,
        }
    }
}

/// The tiles with labels that count and the classes in each, from `near` outwards.
fn labeled(label: &Mask, origins: &Mask, near: TileAt, trust: Trust) -> Vec<(TileAt, Vec<u8>)> {
    let places: Vec<TileAt> = origins
        .tiles()
        .filter(|(.., tile)| match tile.uniform_class() {
            Some(UNLABELED) => false,
            Some(origin) => trust == Trust::All || origin != Origin::IMPORTED.index(),
            None => true,
        })
        .map(|(col, row, _)| (col, row))
        .collect();
    let known = places.into_par_iter().filter_map(|at| {
        let classes = classes_in(label, origins, at, trust);
        (!classes.is_empty()).then_some((at, classes))
    });
    let mut known: Vec<(TileAt, Vec<u8>)> = known.collect();
    let apart = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
    let away = |at: TileAt| apart(at.0, near.0) + apart(at.1, near.1);
    known.sort_by_key(|&(at, _)| (away(at), at.1, at.0));
    known
}

/// The classes that count in a tile that somebody labeled.
fn classes_in(label: &Mask, origins: &Mask, at: TileAt, trust: Trust) -> Vec<u8> {
    let plain = |mask: &Mask| mask.tile(at.0, at.1).uniform_class();
    if let (Some(class), Some(_)) = (plain(label), plain(origins)) {
        return (class != UNLABELED).then_some(class).into_iter().collect();
    }
    let mut is_there = [false; 256];
    if let Some(tile) = Labeled::of(label, origins, at, trust) {
        for (class, _) in tile.pixels() {
            is_there[usize::from(class)] = true;
        }
    }
    let classes = 0..UNLABELED;
    classes.filter(|&it| is_there[usize::from(it)]).collect()
}

/// The tiles that are looked at, of those with labels from the nearest on: as many of each class as
/// of every other, where there are, and the nearest of the rest.
fn shared_out(places: &[(TileAt, Vec<u8>)]) -> Vec<TileAt> {
    let mut numbers = [0_usize; 256];
    for &class in places.iter().flat_map(|(_, classes)| classes) {
        numbers[usize::from(class)] += 1;
    }
    let num_classes = numbers.iter().filter(|&&number| number > 0).count();
    let share = (MOST_TILES / num_classes.max(1)).max(1);
    let mut taken = [0; 256];
    let (mut chosen, mut left) = (Vec::new(), Vec::new());
    for (at, classes) in places {
        if classes.iter().any(|&it| taken[usize::from(it)] < share) {
            chosen.push(*at);
            for &class in classes {
                taken[usize::from(class)] += 1;
            }
        } else {
            left.push(*at);
        }
    }
    let room = MOST_TILES.saturating_sub(chosen.len());
    chosen.extend(left.into_iter().take(room));
    chosen
}

fn fingerprint(tiles: &[TileAt]) -> u32 {
    tiles.iter().fold(0, |sum, (col, row)| {
        let sum = crc32c::crc32c_append(sum, &col.to_le_bytes());
        crc32c::crc32c_append(sum, &row.to_le_bytes())
    })
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
    use crate::label::MASK_TILE_SIZE;

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
    #[test]
    fn of_many_tiles_each_class_has_its_share_and_a_choice_is_told_from_another() {
        let side = MASK_TILE_SIZE;
        let size = ImageSize::new(60 * side, side);
        let hand = |size| Mask::filled(size, Origin::HAND.index());
        let mut label = Mask::filled(size, 1);
        label.fill_rect(PixelRect::new(40 * side, 0, 19 * side, side), 2);
        label.fill_rect(PixelRect::new(59 * side + 9, 9, 5, 5), 3);
        let columns_from = |col: u32| {
            let scribbles = Scribbles::of(&label, &hand(size), (col, 0));
            let columns: Vec<u32> = scribbles.tiles.iter().map(|(at, _)| at.0).collect();
            (columns, scribbles.num_classes, scribbles.nearest)
        };
        let (columns, num_classes, nearest) = columns_from(0);
        // A third each and, as the third class is in one tile alone, the nearest beside.
        let expected: Vec<u32> = (0..21).chain(40..50).chain([59]).collect();
        assert_eq!((&columns, num_classes), (&expected, 3));
        assert!(nearest.is_some());
        assert_eq!(columns_from(0), (columns, num_classes, nearest));
        assert_ne!(columns_from(30).2, nearest);
        // Few tiles are all looked at, from wherever.
        let few = ImageSize::new(9 * side, 3 * side);
        let label = Mask::filled(few, 4);
        let scribbles = Scribbles::of(&label, &hand(few), (8, 2));
        assert_eq!((scribbles.tiles.len(), scribbles.nearest), (27, None));
    }

    #[test]
    fn of_more_classes_than_tiles_are_looked_at_each_has_one() {
        let places = |at: u32| ((at, 0), vec![(at / 2) as u8]);
        let places: Vec<(TileAt, Vec<u8>)> = (0..100).map(places).collect();
        let columns: Vec<u32> = shared_out(&places).iter().map(|at| at.0).collect();
        assert!(columns.iter().copied().eq((0..50).map(|class| 2 * class)));
    }
}
