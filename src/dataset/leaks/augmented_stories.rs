//! Searches for copies as augmentation writes them: turned by any angle, mirrored, resized, cut, of
//! other brightness.

use super::stories::{Made, search, summary};
use super::{LeakKind, LeakReport};
use crate::dataset::hash;
use crate::dataset::parts::Part::{Test, Train};
use crate::geom::ImageSize;

impl Made {
    /// The picture turned about its middle, clockwise, after mirroring where told so, enlarged, and
    /// with more contrast; black where nothing is known.
    fn augmented(&self, degrees: f32, scale: f32, is_mirrored: bool) -> Self {
        let ImageSize { width, height } = self.info.size;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let middle = [(width - 1) as f32 / 2.0, (height - 1) as f32 / 2.0];
        Self::new(width, height, |x, y| {
            let (x, y) = (x as f32 - middle[0], y as f32 - middle[1]);
            let (u, v) = ((cos * x + sin * y) / scale, (cos * y - sin * x) / scale);
            let u = if is_mirrored { -u } else { u };
            self.between(u + middle[0], v + middle[1])
        })
    }

    /// The brightness between pixels, a little more of it; 0 outside.
    fn between(&self, x: f32, y: f32) -> u8 {
        let ImageSize { width, height } = self.info.size;
        let is_inside = |at: f32, length: u32| at >= 0.0 && at < (length - 1) as f32;
        if !is_inside(x, width) || !is_inside(y, height) {
            return 0;
        }
        let (left, top) = (x as u32, y as u32);
        let (u, v) = (x - left as f32, y - top as f32);
        let at = |x: u32, y: u32| f32::from(self.at(left + x, top + y));
        let upper = at(0, 0) * (1.0 - u) + at(1, 0) * u;
        let lower = at(0, 1) * (1.0 - u) + at(1, 1) * u;
        ((upper * (1.0 - v) + lower * v) * 1.1 + 5.0) as u8
    }
}

/// What is found of a copy of the first of two pictures; `None` where that is not one pair.
fn found(original: &Made, copy: Made) -> Option<(LeakKind, String)> {
    let report = search(&[
        (original.clone(), Train),
        (Made::ground(77, 400, 300), Train),
        (copy, Test),
    ]);
    let LeakReport { leaks, .. } = &report;
    let [leak] = &leaks[..] else {
        return None;
    };
    let pair = &leak.examples[0];
    (leak.pairs == 1 && pair.first == "p0").then(|| (leak.kind, pair.detail.clone()))
}

#[test]
fn copies_are_found_however_turned_resized_and_mirrored() {
    let table = [
        (10.0, 1.0, false, "turned 10° clockwise"),
        (33.0, 1.0, false, "turned 33° clockwise"),
        (137.0, 1.0, false, "turned 137° clockwise"),
        (0.0, 0.6, false, "reduced to 60 %"),
        (0.0, 0.8, false, "reduced to 80 %"),
        (0.0, 1.3, false, "enlarged 1.3 times"),
        (0.0, 1.8, false, "enlarged 1.8 times"),
        (-70.0, 1.0, true, "mirrored, turned 70° counterclockwise"),
        (
            25.0,
            1.3,
            true,
            "mirrored, turned 25° clockwise, enlarged 1.3 times",
        ),
        (
            160.0,
            0.8,
            true,
            "mirrored, turned 160° clockwise, reduced to 80 %",
        ),
    ];
    for (seed, (degrees, scale, is_mirrored, words)) in (100..).zip(table) {
        let original = Made::ground(seed, 400, 300);
        let copy = original.augmented(degrees, scale, is_mirrored);
        let (kind, detail) = found(&original, copy).unwrap_or_else(|| panic!("{words}"));
        assert!(detail.ends_with(words), "{words}: {detail}");
        let is_most = (0.75..1.4).contains(&scale);
        assert_eq!(kind == LeakKind::Copy, is_most, "{words}: {kind:?}");
    }
}

#[test]
fn cuts_of_turned_pictures_are_common_ground() {
    for (seed, degrees) in [(120, 20.0), (121, -48.0), (122, 101.0)] {
        let original = Made::ground(seed, 400, 300);
        let cut = original
            .augmented(degrees, 1.2, seed == 121)
            .crop(90, 40, 220, 220);
        let (kind, detail) = found(&original, cut).unwrap_or_else(|| panic!("{degrees}"));
        assert_eq!(kind, LeakKind::SameGround, "{detail}");
        assert!(detail.contains("turned"), "{detail}");
    }
}

#[test]
fn copies_at_right_angles_are_told_once() {
    let original = Made::ground(130, 400, 300);
    let (kind, detail) = found(&original, original.augmented(180.0, 1.0, false)).expect("a pair");
    assert_eq!(
        (kind, detail.contains("turned or flipped")),
        (LeakKind::Copy, true)
    );
}

#[test]
fn repeating_textures_raise_no_alarm() {
    // Boards, grids and plain fields of other angles and sizes, each with its own noise.
    let texture = |seed: u64| {
        let (kind, angle) = (seed % 3, 0.3 * seed as f32);
        let side = 9.0 + (seed % 5) as f32 * 3.0;
        let (sin, cos) = angle.sin_cos();
        Made::new(300, 300, move |x, y| {
            let noise = (hash(&[seed, x.into(), y.into()]) >> 60) as f32;
            let (x, y) = (x as f32, y as f32);
            let (u, v) = ((cos * x + sin * y) / side, (cos * y - sin * x) / side);
            let is_odd = (u.floor() + v.floor()).rem_euclid(2.0) > 0.5;
            let is_line = u.rem_euclid(1.0) < 0.25 || v.rem_euclid(1.0) < 0.25;
            let base = match (kind, is_odd, is_line) {
                (0, true, _) | (1, _, true) => 180.0,
                (2, ..) => 120.0,
                _ => 60.0,
            };
            (base + noise) as u8
        })
    };
    let pictures: Vec<_> = (0..18u64)
        .map(|seed| (texture(seed), if seed % 2 == 0 { Train } else { Test }))
        .collect();
    let report = search(&pictures);
    assert_eq!(summary(&report), [], "{report:?}");
}
