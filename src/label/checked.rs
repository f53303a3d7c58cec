use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Mask, UNLABELED};
use crate::geom::PixelRect;

/// Points of a map that a person looks at, drawn at random class by class, to learn how much ground
/// each class really covers (stratified random sample; Olofsson et al. 2014).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MapCheck {
    /// The classes of the map when the points were drawn, by index; unlabeled ground is in none.
    pub strata: Vec<Stratum>,
    /// The points in a random order, so that those looked at are a sample however many they are.
    pub points: Vec<CheckPoint>,
    /// The map; `None` where earlier versions drew them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CheckedMap>,
}

/// Which map points are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckedMap {
    /// The label.
    Label,
    /// The prediction of the network of this run, or of this file, as far as that is known.
    Prediction(Option<PathBuf>),
}

/// The ground of one class of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stratum {
    /// The class.
    pub class: u8,
    /// Its pixels.
    pub pixels: u64,
}

/// A pixel to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPoint {
    /// Column, level 0.
    pub x: u32,
    /// Row, level 0.
    pub y: u32,
    /// What the map said when it was drawn.
    pub mapped: u8,
    /// What somebody saw there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// What somebody saw at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// This class.
    Class(u8),
    /// It cannot be told; the point does not count.
    Unclear,
}

impl MapCheck {
    /// About `count` points of `map`: half of them spread evenly over its classes, so that rare ones
    /// have some, and half by their ground. `below` draws a number under the one it is given.
    pub fn drawn(map: &Mask, count: usize, mut below: impl FnMut(u64) -> u64) -> Self {
        let counts = map.histogram();
        let strata: Vec<Stratum> = (0..UNLABELED)
            .map(|class| Stratum {
                class,
                pixels: counts[usize::from(class)],
            })
            .filter(|stratum| stratum.pixels > 0)
            .collect();
        let all: u64 = strata.iter().map(|stratum| stratum.pixels).sum();
        let wanted = |stratum: &Stratum| {
            let even = count as f64 / 2.0 / strata.len() as f64;
            let by_ground = count as f64 / 2.0 * (stratum.pixels as f64 / all as f64);
            // Fewer than two of a class leave no estimate at all.
            ((even + by_ground).round() as u64)
                .max(2)
                .min(stratum.pixels)
        };
        let ranks = strata.iter().map(|stratum| {
            let ranks = distinct(wanted(stratum), stratum.pixels, &mut below);
            (stratum.class, ranks)
        });
        let mut points = pixels_of(map, &ranks.collect());
        for at in (1..points.len()).rev() {
            points.swap(at, below(at as u64 + 1) as usize);
        }
        Self {
            strata,
            points,
            of: None,
        }
    }

    /// Of the points of a mapped class: those whose class was seen, and those nobody looked at yet.
    pub fn usable_and_open(&self, mapped: u8) -> (usize, usize) {
        let points = self.points.iter().filter(|point| point.mapped == mapped);
        points.fold((0, 0), |(usable, open), point| match point.seen {
            Some(Seen::Class(_)) => (usable + 1, open),
            Some(Seen::Unclear) => (usable, open),
            None => (usable, open + 1),
        })
    }

    /// Points that were looked at, and of them those that nobody could tell.
    pub fn progress(&self) -> (usize, usize) {
        let count = |is: fn(&Seen) -> bool| {
            let seen = self.points.iter().filter_map(|point| point.seen);
            seen.filter(is).count()
        };
        (count(|_| true), count(|seen| *seen == Seen::Unclear))
    }
}

/// `count` different numbers below `end` (Floyd; Bentley and Floyd 1987).
fn distinct(count: u64, end: u64, below: &mut impl FnMut(u64) -> u64) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for last in end - count..end {
        let drawn = below(last + 1);
        if !found.insert(drawn) {
            found.insert(last);
        }
    }
    found
}

/// The pixels that have these ranks among all of their class, tile by tile and row by row.
fn pixels_of(map: &Mask, ranks: &BTreeMap<u8, BTreeSet<u64>>) -> Vec<CheckPoint> {
    let mut passed: BTreeMap<u8, u64> = BTreeMap::new();
    let mut points = Vec::new();
    for (col, row, tile) in map.tiles() {
        let ground = map.tile_rect(col, row);
        if let Some(class) = tile.uniform_class() {
            let first = passed.entry(class).or_default();
            let end = *first + ground.num_pixels();
            let here = ranks
                .get(&class)
                .into_iter()
                .flat_map(|of| of.range(*first..end));
            points.extend(here.map(|rank| point_at(ground, rank - *first, class)));
            *first = end;
            continue;
        }
        for (place, class) in (0..).zip(map.read_rect(ground)) {
            let rank = passed.entry(class).or_default();
            if ranks.get(&class).is_some_and(|of| of.contains(rank)) {
                points.push(point_at(ground, place, class));
            }
            *rank += 1;
        }
    }
    points
}

/// The pixel at a place of some ground, row by row.
fn point_at(ground: PixelRect, place: u64, mapped: u8) -> CheckPoint {
    let width = u64::from(ground.width);
    CheckPoint {
        x: ground.x + (place % width) as u32,
        y: ground.y + (place / width) as u32,
        mapped,
        seen: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::ImageSize;

    /// Numbers that repeat with a long period.
    fn die() -> impl FnMut(u64) -> u64 {
        let mut state = 7_u64;
        move |end| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end
        }
    }

    /// Much of class 1, an island of class 4 and unlabeled ground.
    fn map() -> Mask {
        let mut map = Mask::filled(ImageSize::new(700, 600), 1);
        map.set_rect(PixelRect::new(300, 250, 20, 10), &[4; 200]);
        map.set_rect(PixelRect::new(0, 0, 100, 600), &vec![UNLABELED; 60_000]);
        map
    }

    #[test]
    fn points_are_of_their_class_all_different_and_rare_classes_have_some() {
        let map = map();
        let check = MapCheck::drawn(&map, 100, die());
        let pixels = [1_u8, 4].map(|class| map.histogram()[usize::from(class)]);
        let expected = [(1, pixels[0]), (4, pixels[1])];
        let strata: Vec<_> = check
            .strata
            .iter()
            .map(|it| (it.class, it.pixels))
            .collect();
        assert_eq!(strata, expected);
        assert!(
            check
                .points
                .iter()
                .all(|it| map.get(it.x, it.y) == it.mapped)
        );
        let places: BTreeSet<_> = check.points.iter().map(|it| (it.x, it.y)).collect();
        assert_eq!((places.len(), check.points.len()), (100, 100));
        let rare = check.points.iter().filter(|it| it.mapped == 4).count();
        assert_eq!(rare, 25);
        let first = check.points[..40]
            .iter()
            .filter(|it| it.mapped == 4)
            .count();
        assert!((3..20).contains(&first), "the order is random: {first}");
    }

    #[test]
    fn each_class_has_two_points_and_says_how_many_are_left() {
        let mut check = MapCheck::drawn(&map(), 2, die());
        assert_eq!(
            [1, 4].map(|class| check.usable_and_open(class)),
            [(0, 2); 2]
        );
        let mut island = check.points.iter_mut().filter(|point| point.mapped == 4);
        island.next().expect("a point").seen = Some(Seen::Class(1));
        island.next().expect("a point").seen = Some(Seen::Unclear);
        assert_eq!(check.usable_and_open(4), (1, 0));
    }

    #[test]
    fn each_pixel_of_a_class_is_drawn_as_often() {
        let map = map();
        let mut die = die();
        let mut right = 0;
        for _ in 0..200 {
            let check = MapCheck::drawn(&map, 20, &mut die);
            let of_island = check.points.iter().filter(|it| it.mapped == 4);
            right += of_island.filter(|it| it.x >= 310).count();
        }
        // 200 times 5 points, half of which lie in each half: 500 with a deviation of 16.
        assert!((430..570).contains(&right), "{right}");
    }

    #[test]
    fn a_small_class_is_drawn_whole_and_nothing_from_nothing() {
        let check = MapCheck::drawn(&map(), 10_000, die());
        assert_eq!(check.points.iter().filter(|it| it.mapped == 4).count(), 200);
        let empty = MapCheck::drawn(&Mask::new(ImageSize::new(9, 9)), 50, die());
        assert_eq!(empty, MapCheck::default());
    }

    #[test]
    fn it_is_written_and_read() {
        let mut check = MapCheck::drawn(&map(), 4, die());
        check.points[0].seen = Some(Seen::Class(4));
        check.points[1].seen = Some(Seen::Unclear);
        assert_eq!(check.progress(), (2, 1));
        let text = serde_json::to_string(&check).expect("written");
        assert_eq!(
            serde_json::from_str::<MapCheck>(&text).expect("read"),
            check
        );
        // Earlier versions did not say which map it was.
        assert!(!text.contains("\"of\""), "{text}");
        check.of = Some(CheckedMap::Prediction(Some(PathBuf::from("runs/a"))));
        let text = serde_json::to_string(&check).expect("written");
        assert_eq!(
            serde_json::from_str::<MapCheck>(&text).expect("read"),
            check
        );
    }
}
