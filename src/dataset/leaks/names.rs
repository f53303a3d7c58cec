use std::collections::{BTreeMap, BTreeSet};

use super::LeakSample;
use super::report::{Found, LeakKind};
use crate::dataset::parts::{TilePlace, frame_name, grid_corner, name_stem, tile_name};

/// Units of 100 m between the corners of neighboring Massachusetts images.
const GRID: u32 = 15;

/// What names alone tell: tiles of one image, frames of one recording, tiles that touch.
pub(super) fn leaks_by_name(samples: &[LeakSample<'_>]) -> Vec<Found> {
    let mut found = tiles(samples);
    found.extend(frames(samples));
    found.extend(neighbors(samples));
    found
}

fn tiles(samples: &[LeakSample<'_>]) -> Vec<Found> {
    let mut parents: BTreeMap<&str, Vec<(usize, TilePlace)>> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        if let Some(tile) = tile_name(name_stem(sample.name)) {
            parents
                .entry(tile.parent)
                .or_default()
                .push((at, tile.place));
        }
    }
    let mut found = Vec::new();
    for (parent, tiles) in parents {
        nearest_pairs(samples, &tiles, tile_distance, |pair, distance| {
            let detail = match distance {
                0 => format!("overlapping tiles of {parent}"),
                1 => format!("neighboring tiles of {parent}"),
                _ => format!("tiles of {parent}"),
            };
            found.push(Found {
                kind: LeakKind::SameParent,
                pair,
                weight: u32::MAX - distance,
                detail,
            });
        });
    }
    found
}

/// 0 for tiles that overlap, 1 for those that touch, 2 when nothing is known, more with distance.
fn tile_distance(a: TilePlace, b: TilePlace) -> u32 {
    match (a, b) {
        (TilePlace::Cell(a, b), TilePlace::Cell(c, d)) => {
            let apart = a.abs_diff(c).max(b.abs_diff(d));
            if apart <= 1 { apart } else { apart + 1 }
        }
        (TilePlace::Window(a), TilePlace::Window(b)) => {
            let gap = |axis: usize| {
                let (start, end) = (a[axis].max(b[axis]), a[axis + 2].min(b[axis + 2]));
                (start >= end).then(|| start - end)
            };
            match (gap(0), gap(1)) {
                (None, None) => 0,
                (x, y) if x.unwrap_or(0) == 0 && y.unwrap_or(0) == 0 => 1,
                (x, y) => x.max(y).unwrap_or(0).saturating_add(2),
            }
        }
        _ => 2,
    }
}

fn frames(samples: &[LeakSample<'_>]) -> Vec<Found> {
    let mut recordings: BTreeMap<&str, Vec<(usize, u32)>> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        if let Some(frame) = frame_name(name_stem(sample.name)) {
            recordings
                .entry(frame.sequence)
                .or_default()
                .push((at, frame.frame));
        }
    }
    let mut found = Vec::new();
    for (recording, frames) in recordings {
        nearest_frames(samples, &frames, |pair, distance| {
            found.push(Found {
                kind: LeakKind::SameRecording,
                pair,
                weight: u32::MAX - distance,
                detail: format!("{distance} frames apart in {recording}"),
            });
        });
    }
    found
}

/// For each sample of a later part, its nearest partner in each earlier part.
fn nearest_pairs<T: Copy>(
    samples: &[LeakSample<'_>],
    members: &[(usize, T)],
    distance: impl Fn(T, T) -> u32,
    mut visit: impl FnMut((u32, u32), u32),
) {
    // A huge parent would cost its square; a thousand tiles of each part show what there is.
    let mut of_part: BTreeMap<_, Vec<(usize, T)>> = BTreeMap::new();
    for &(at, place) in members {
        of_part
            .entry(samples[at].part)
            .or_default()
            .push((at, place));
    }
    for (part, later) in &of_part {
        for (_, earlier) in of_part.range(..part) {
            for &(at, place) in later {
                let partners = earlier.iter().take(1000);
                let near = partners
                    .map(|&(other, its)| (distance(its, place), other))
                    .min();
                if let Some((distance, other)) = near {
                    visit((other as u32, at as u32), distance);
                }
            }
        }
    }
}

/// As [`nearest_pairs`] for numbers, by search in their order.
fn nearest_frames(
    samples: &[LeakSample<'_>],
    frames: &[(usize, u32)],
    mut visit: impl FnMut((u32, u32), u32),
) {
    let mut of_part: BTreeMap<_, BTreeSet<(u32, usize)>> = BTreeMap::new();
    for &(at, frame) in frames {
        of_part
            .entry(samples[at].part)
            .or_default()
            .insert((frame, at));
    }
    for (part, later) in &of_part {
        for (_, earlier) in of_part.range(..part) {
            for &(frame, at) in later {
                let before = earlier.range(..=(frame, usize::MAX)).next_back();
                let after = earlier.range((frame, 0)..).next();
                let near = before.into_iter().chain(after);
                let near = near.map(|&(its, other)| (its.abs_diff(frame), other)).min();
                if let Some((distance, other)) = near {
                    visit((other as u32, at as u32), distance);
                }
            }
        }
    }
}

/// Tiles whose names state map corners on the Massachusetts grid, one step apart. Said only when
/// all corners fit the grid, so that other eight-digit names mean nothing.
fn neighbors(samples: &[LeakSample<'_>]) -> Vec<Found> {
    let mut corners: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (at, sample) in samples.iter().enumerate() {
        if let Some(corner) = grid_corner(name_stem(sample.name)) {
            corners.entry(corner).or_default().push(at);
        }
    }
    let Some(&(x0, y0)) = corners.keys().next() else {
        return Vec::new();
    };
    let fits = |&(x, y): &(u32, u32)| x.abs_diff(x0) % GRID == 0 && y.abs_diff(y0) % GRID == 0;
    if corners.len() < 2 || !corners.keys().all(fits) {
        return Vec::new();
    }
    let mut found: BTreeMap<(usize, crate::dataset::parts::Part), Found> = BTreeMap::new();
    for (&(x, y), here) in &corners {
        for (dx, dy) in [(GRID, 0), (0, GRID), (GRID, GRID)] {
            for at in [
                Some((x + dx, y + dy)),
                (x + dx).checked_sub(2 * dx).map(|x| (x, y + dy)),
            ] {
                let Some(there) = at.and_then(|corner| corners.get(&corner)) else {
                    continue;
                };
                for &a in here {
                    for &b in there
                        .iter()
                        .filter(|&&b| samples[b].part != samples[a].part)
                    {
                        let (first, second) = in_order(samples, a, b);
                        let key = (second, samples[first].part);
                        found.entry(key).or_insert_with(|| Found {
                            kind: LeakKind::Neighbors,
                            pair: (first as u32, second as u32),
                            weight: 0,
                            detail: "their images touch on the map".to_owned(),
                        });
                    }
                }
            }
        }
    }
    found.into_values().collect()
}

/// The two indices, that of the earlier part first.
pub(super) fn in_order(samples: &[LeakSample<'_>], a: usize, b: usize) -> (usize, usize) {
    if (samples[a].part, a) <= (samples[b].part, b) {
        (a, b)
    } else {
        (b, a)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::parts::Part;

    fn found(names: &[(&str, Part)]) -> Vec<(LeakKind, u32, u32, String)> {
        let samples: Vec<LeakSample<'_>> = names
            .iter()
            .map(|&(name, part)| LeakSample {
                name,
                path: Path::new(name),
                part,
            })
            .collect();
        let found = leaks_by_name(&samples);
        found
            .into_iter()
            .map(|found| (found.kind, found.pair.0, found.pair.1, found.detail))
            .collect()
    }

    #[test]
    fn the_nearest_frame_is_named() {
        let leaks = found(&[
            ("0016E5_07959.png", Part::Validation),
            ("0016E5_07900.jpg", Part::Train),
            ("0016E5_07990.jpg", Part::Train),
            ("0001TP_07959.jpg", Part::Train),
            ("0001TP_07999.jpg", Part::Train),
            ("0006R0_f00930.png", Part::Train),
            ("0006R0_f00960.png", Part::Test),
        ]);
        let pairs: Vec<_> = leaks.iter().map(|leak| (leak.0, leak.1, leak.2)).collect();
        let kind = LeakKind::SameRecording;
        assert_eq!(pairs, [(kind, 5, 6), (kind, 2, 0)]);
        assert!(leaks[0].3.contains("30 frames"), "{}", leaks[0].3);
        assert!(leaks[1].3.contains("31 frames"), "{}", leaks[1].3);
    }

    #[test]
    fn tiles_of_one_parent_are_found_and_touching_ones_first() {
        let leaks = found(&[
            ("a_0_0", Part::Train),
            ("a_5_5", Part::Train),
            ("a_5_4", Part::Test),
            ("b_0_0", Part::Test),
            ("c_0_0_9_9", Part::Train),
            ("c_8_8_17_17", Part::Test),
        ]);
        assert_eq!(leaks.len(), 2);
        assert!(
            leaks[0].3.starts_with("neighboring") && leaks[0].1 == 1,
            "{leaks:?}"
        );
        assert!(leaks[1].3.starts_with("overlapping"), "{leaks:?}");
    }

    #[test]
    fn distances_of_tiles() {
        let window = |x, y| TilePlace::Window([x, y, x + 10, y + 10]);
        let table = [
            (TilePlace::Cell(0, 0), TilePlace::Cell(1, 1), 1),
            (TilePlace::Cell(0, 0), TilePlace::Cell(0, 2), 3),
            (window(0, 0), window(9, 9), 0),
            (window(0, 0), window(10, 3), 1),
            (window(0, 0), window(15, 3), 7),
            (TilePlace::Numbered, TilePlace::Numbered, 2),
        ];
        for (a, b, expected) in table {
            assert_eq!(tile_distance(a, b), expected, "{a:?} {b:?}");
            assert_eq!(tile_distance(b, a), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn touching_images_of_the_massachusetts_grid() {
        let names = [
            ("23279035_15.png", Part::Train),
            ("23279050_15.png", Part::Test),
            ("23129065_15.png", Part::Validation),
            ("24779035_15.png", Part::Test),
        ];
        let leaks = found(&names);
        let pairs: Vec<(u32, u32)> = leaks.iter().map(|leak| (leak.1, leak.2)).collect();
        assert_eq!(pairs, [(0, 1), (2, 1)]);
        let all_of_them = found(&[names[0], names[1], ("20190503", Part::Test)]);
        assert!(
            all_of_them.is_empty(),
            "dates are no corners: {all_of_them:?}"
        );
    }
}
