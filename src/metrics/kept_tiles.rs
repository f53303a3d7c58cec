use std::collections::HashMap;

use rayon::prelude::*;

use super::per_tile::{Counts, Scratch, Tally, TileCounts, scratch, tallies_of};
use super::tiled_ground::{Cut, SIDE, TiledGround};
use crate::geom::PixelRect;
use crate::label::{Mask, MaskTile, UNLABELED};

/// The counts of a part of the ground, kept while masks and part change: tiles that the part holds
/// whole are taken as they are known, and those that it cuts are counted again only where they
/// changed.
#[derive(Debug, Default)]
pub struct PartCounts<const N: usize>(KeptTiles<Vec<Tally<N>>, N>);

/// The confusion of truth and prediction on a part of the ground.
pub type PartConfusion = PartCounts<2>;

/// Whether a part of the ground holds a labeled pixel of some kind, kept as [`PartCounts`] are.
/// One is asked for one kind only.
#[derive(Debug, Default)]
pub struct PartFact(KeptTiles<bool, 2>);

/// What was found of each tile of a part of the ground in some masks.
#[derive(Debug, Default)]
struct KeptTiles<T, const N: usize>(HashMap<(u32, u32), Kept<T, N>>);

/// What was found, and of what; tiles share their pixels with the masks.
#[derive(Debug)]
struct Kept<T, const N: usize> {
    tiles: [MaskTile; N],
    cut: Option<Cut>,
    found: T,
}

impl<const N: usize> PartCounts<N> {
    /// The counts inside `ground` of the masks that were counted as `counts`.
    pub fn of<C: Counts<N>>(
        &mut self,
        ground: &TiledGround,
        counts: &TileCounts<C, N>,
        masks: [&Mask; N],
    ) -> C {
        let mut sum = counts.total().of_nothing();
        let mut add = |tallies: &[Tally<N>]| {
            for tally in tallies {
                sum.count(tally.says, u64::from(tally.pixels));
            }
        };
        let (cut, whole): (Vec<_>, Vec<_>) = ground.tiles().partition(|(_, cut)| cut.is_some());
        for (at, _) in whole {
            add(counts.tallies(at));
        }
        let find =
            |tiles: [&MaskTile; N], rect: PixelRect, cut: Option<&Cut>, scratch: &mut Scratch| {
                tallies_of(tiles, rect, cut, scratch)
            };
        self.0.follow(ground, &cut, masks, scratch, find);
        for kept in self.0.0.values() {
            add(&kept.found);
        }
        sum
    }
}

impl PartFact {
    /// Whether a pixel inside `ground` has a class in the first mask and a value in the second that
    /// `is_it` accepts.
    pub fn holds(
        &mut self,
        ground: &TiledGround,
        masks: [&Mask; 2],
        is_it: impl Fn(u8) -> bool + Sync,
    ) -> bool {
        let may_hold = |((col, row), _): &((u32, u32), Option<&Cut>)| {
            let [class, value] = masks.map(|mask| mask.tile(*col, *row).uniform_class());
            class != Some(UNLABELED) && value.is_none_or(&is_it)
        };
        let tiles: Vec<_> = ground.tiles().filter(may_hold).collect();
        let find = |tiles: [&MaskTile; 2], rect: PixelRect, cut: Option<&Cut>, (): &mut ()| {
            has_any(tiles, rect, cut, &is_it)
        };
        self.0.follow(ground, &tiles, masks, || (), find);
        self.0.0.values().any(|kept| kept.found)
    }
}

impl<T: Send, const N: usize> KeptTiles<T, N> {
    /// Finds what is not known yet of these tiles of `ground`, and forgets all others.
    fn follow<S>(
        &mut self,
        ground: &TiledGround,
        tiles: &[((u32, u32), Option<&Cut>)],
        masks: [&Mask; N],
        scratch: impl Fn() -> S + Sync + Send,
        find: impl Fn([&MaskTile; N], PixelRect, Option<&Cut>, &mut S) -> T + Sync + Send,
    ) {
        let mut before = std::mem::take(&mut self.0);
        let mut unknown = Vec::new();
        for &(at, cut) in tiles {
            let now = masks.map(|mask| mask.tile(at.0, at.1));
            match before.remove(&at).filter(|kept| kept.is_of(now, cut)) {
                Some(kept) => {
                    self.0.insert(at, kept);
                }
                None => unknown.push((at, now, cut)),
            }
        }
        let found = unknown
            .into_par_iter()
            .map_init(scratch, |scratch, (at, tiles, cut)| {
                let kept = Kept {
                    tiles: tiles.map(MaskTile::clone),
                    cut: cut.cloned(),
                    found: find(tiles, ground.rect(at), cut, scratch),
                };
                (at, kept)
            });
        self.0.extend(found.collect::<Vec<_>>());
    }
}

impl<T, const N: usize> Kept<T, N> {
    /// Whether it was found of the same pixels.
    fn is_of(&self, tiles: [&MaskTile; N], cut: Option<&Cut>) -> bool {
        let is_same_cut = match (&self.cut, cut) {
            (Some(ours), Some(theirs)) => ours.is_same(theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        is_same_cut
            && self
                .tiles
                .iter()
                .zip(tiles)
                .all(|(ours, theirs)| ours.is_same(theirs))
    }
}

/// Whether a pixel of the tile at `ground`, as far as `cut` holds it, has a class in the first mask
/// and a value in the second that `is_it` accepts.
fn has_any(
    [ours, theirs]: [&MaskTile; 2],
    ground: PixelRect,
    cut: Option<&Cut>,
    is_it: impl Fn(u8) -> bool,
) -> bool {
    let (mut our_plain, mut their_plain, mut held) = ([0; SIDE], [0; SIDE], [true; SIDE]);
    let width = (ground.width as usize).min(SIDE);
    (0..ground.height).any(|y| {
        if let Some(cut) = cut {
            cut.row(ground.y + y, ground, &mut held);
        }
        let (ours, theirs) = (
            ours.row(y as usize, &mut our_plain),
            theirs.row(y as usize, &mut their_plain),
        );
        let row = ours[..width].iter().zip(&theirs[..width]);
        let row = row.zip(&held[..width]);
        // All of a row at once and without a branch, which is far faster than to stop within it.
        let any = row.fold(0, |any, ((&class, &value), &is_held)| {
            let [held, labeled, wanted] = [is_held, class != UNLABELED, is_it(value)].map(u8::from);
            any | held & labeled & wanted
        });
        any != 0
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Confusion, TileConfusion};
    use super::*;
    use crate::geom::ImageSize;

    const SIZE: ImageSize = ImageSize::new(700, 600);

    /// A rectangle and a class, [`UNLABELED`] among them.
    fn painted() -> impl Strategy<Value = (PixelRect, u8)> {
        let class = prop_oneof![0_u8..3, Just(UNLABELED)];
        let rect = (0_u32..700, 0_u32..600, 1_u32..400, 1_u32..400);
        (rect, class).prop_map(|((x, y, w, h), class)| {
            (PixelRect::new(x, y, w, h).intersect(SIZE.bounds()), class)
        })
    }

    fn paint(mask: &mut Mask, (rect, class): (PixelRect, u8)) {
        mask.set_rect(rect, &vec![class; rect.num_pixels() as usize]);
    }

    /// What each pixel has: whether `ground` holds it, and its values in the masks.
    fn pixels(ground: &Mask, masks: [&Mask; 2]) -> impl Iterator<Item = [u8; 2]> {
        let bounds = SIZE.bounds();
        let [ours, theirs] = masks.map(|mask| mask.read_rect(bounds));
        let all = ground
            .read_rect(bounds)
            .into_iter()
            .zip(ours.into_iter().zip(theirs));
        let held = all.filter(|(held, _)| *held != UNLABELED);
        held.map(|(_, (ours, theirs))| [ours, theirs])
    }

    /// What is kept of a part of the ground is what is found when every pixel is looked at.
    fn check(kept: &mut KeptBoth, part: &Part, of: &Counted) {
        let (ground, expected_ground) = part;
        let masks = [&of.0, &of.1];
        let mut expected = Confusion::new(3);
        for [truth, prediction] in pixels(expected_ground, masks) {
            expected.add_many(truth, prediction, 1);
        }
        assert_eq!(kept.0.of(ground, &of.2, masks), expected);
        let is_two = |value| value == 2;
        let mut all = pixels(expected_ground, masks);
        let is_any = all.any(|[class, value]| class != UNLABELED && is_two(value));
        assert_eq!(kept.1.holds(ground, masks, is_two), is_any);
        let is_empty = pixels(expected_ground, masks).next().is_none();
        assert_eq!(ground.is_empty(), is_empty);
        assert!(ground.is_within(&[SIZE.bounds()]));
        let touches = ground.touches(SIZE.bounds());
        assert_eq!(touches, !is_empty);
    }

    type KeptBoth = (PartConfusion, PartFact);
    /// A part of the ground, and the same as a mask.
    type Part = (TiledGround, Mask);
    /// Truth, prediction and their counts.
    type Counted = (Mask, Mask, TileConfusion);

    /// The ground of these rectangles, and of the labeled pixels of `chosen`, without the last.
    fn parts(rects: &[PixelRect], chosen: &Mask) -> [Part; 2] {
        let (taken, put) = rects.split_last().expect("a rectangle");
        let mut of_rects = Mask::new(SIZE);
        for rect in put {
            paint(&mut of_rects, (*rect, 0));
        }
        let mut of_mask = chosen.clone();
        for mask in [&mut of_rects, &mut of_mask] {
            paint(mask, (*taken, UNLABELED));
        }
        let without = [*taken];
        [
            (TiledGround::of_rects(SIZE, put).without(&without), of_rects),
            (TiledGround::of_mask(chosen).without(&without), of_mask),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_is_kept_of_a_part_follows_strokes_and_other_parts(
            strokes in prop::collection::vec((painted(), any::<bool>()), 1..8),
            scopes in prop::collection::vec(prop::collection::vec(painted(), 2..5), 1..3),
            chosen in prop::collection::vec(painted(), 1..5),
        ) {
            let (truth, prediction) = (Mask::new(SIZE), Mask::filled(SIZE, 1));
            let counts = TileConfusion::new(&truth, &prediction, 3);
            let mut counted = (truth, prediction, counts);
            let mut selected = Mask::new(SIZE);
            for part in chosen {
                paint(&mut selected, part);
            }
            let rects = |scope: &Vec<(PixelRect, u8)>| -> Vec<PixelRect> {
                scope.iter().map(|(rect, _)| *rect).collect()
            };
            let parts: Vec<Part> =
                scopes.iter().flat_map(|scope| parts(&rects(scope), &selected)).collect();
            // Each part has numbers of its own, and all share some, as when another is looked at.
            let mut own: Vec<_> = parts.iter().map(|_| KeptBoth::default()).collect();
            let mut shared = KeptBoth::default();
            for (stroke, is_truth) in strokes {
                let mask = if is_truth { &mut counted.0 } else { &mut counted.1 };
                paint(mask, stroke);
                let dirty: Vec<_> = TileConfusion::tiles_in(stroke.0).collect();
                counted.2.update([&counted.0, &counted.1], &dirty);
                for (part, own) in parts.iter().zip(&mut own) {
                    check(own, part, &counted);
                    check(&mut shared, part, &counted);
                }
            }
        }
    }

    #[test]
    fn ground_is_within_rectangles_that_hold_it_together() {
        let rects = [
            PixelRect::new(10, 10, 300, 300),
            PixelRect::new(310, 10, 50, 300),
        ];
        let ground = TiledGround::of_rects(SIZE, &[PixelRect::new(20, 20, 340, 200)]);
        assert!(ground.is_within(&rects));
        assert!(!ground.is_within(&rects[..1]));
        assert!(!TiledGround::of_rects(SIZE, &[SIZE.bounds()]).is_within(&rects));
        assert!(ground.touches(PixelRect::new(359, 219, 100, 100)));
        assert!(!ground.touches(PixelRect::new(360, 219, 100, 100)));
        assert!(ground.without(&rects).is_empty());
    }
}
