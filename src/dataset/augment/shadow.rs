use std::f32::consts::TAU;

use super::{Shadow, Vary};
use crate::dataset::Rng;

/// The narrowest edge, in pixels: a step, antialiased.
const NARROWEST: f32 = 1.0;

/// One dark convex polygon.
#[derive(Clone, Debug)]
pub(super) struct Shade {
    /// For each side the factors of x, y and 1 that give the distance from it, inwards positive.
    sides: Vec<[f32; 3]>,
    /// Share of light that is taken away.
    darkness: f32,
    /// Width of the edge in pixels.
    softness: f32,
}

impl Shade {
    /// The shadows of one patch of `side`.
    pub(super) fn drawn(shadow: Shadow, side: usize, rng: &mut Rng) -> Vec<Self> {
        let darkness = Vary::new(shadow.probability, shadow.range);
        let Some(first) = darkness.drawn(rng) else {
            return Vec::new();
        };
        let count = 1 + rng.below(u64::from(shadow.most));
        let shade = |number: u64| {
            let darkness = match number {
                0 => first,
                _ => darkness.number(rng),
            };
            Self {
                sides: polygon(side as f32, rng),
                darkness: darkness as f32,
                softness: (shadow.softness as f32).max(NARROWEST),
            }
        };
        (0..count).map(shade).collect()
    }

    pub(super) fn apply(&self, rgba: &mut [u8], side: usize) {
        let mut within = vec![0.0_f32; side];
        let pixels = rgba.as_chunks_mut::<4>().0;
        for (y, row) in pixels.chunks_exact_mut(side).enumerate() {
            within.fill(f32::INFINITY);
            for &[by_x, by_y, at_zero] in &self.sides {
                let first = at_zero + by_y * (y as f32 + 0.5) + by_x * 0.5;
                for (x, within) in within.iter_mut().enumerate() {
                    *within = within.min(first + by_x * x as f32);
                }
            }
            for (pixel, within) in row.iter_mut().zip(&within) {
                let share = (within / self.softness + 0.5).clamp(0.0, 1.0);
                let light = ((1.0 - self.darkness * share) * 256.0 + 0.5) as u32;
                for value in &mut pixel[..3] {
                    *value = (u32::from(*value).wrapping_mul(light).wrapping_add(128) >> 8) as u8;
                }
            }
        }
    }
}

/// Three to six corners in order on an ellipse, so that the polygon is convex; its middle lies in
/// the patch, its half axes are 0.15 to 0.6 sides.
fn polygon(side: f32, rng: &mut Rng) -> Vec<[f32; 3]> {
    let middle = [rng.unit() * side, rng.unit() * side];
    let half = [rng.between(0.15, 0.6) * side, rng.between(0.15, 0.6) * side];
    let (tilt_sin, tilt_cos) = (rng.unit() * TAU).sin_cos();
    let count = 3 + rng.below(4) as usize;
    let corners: Vec<[f32; 2]> = (0..count)
        .map(|corner| {
            // At most 0.6 of a step from its place, so that no two change places.
            let turn = (corner as f32 + rng.between(-0.3, 0.3)) / count as f32 * TAU;
            let (u, v) = (turn.cos() * half[0], turn.sin() * half[1]);
            [
                middle[0] + u * tilt_cos - v * tilt_sin,
                middle[1] + u * tilt_sin + v * tilt_cos,
            ]
        })
        .collect();
    let side_from = |at: usize| {
        let ([x, y], [next_x, next_y]) = (corners[at], corners[(at + 1) % count]);
        let length = (next_x - x).hypot(next_y - y).max(f32::EPSILON);
        let (by_x, by_y) = ((y - next_y) / length, (next_x - x) / length);
        [by_x, by_y, -(by_x * x + by_y * y)]
    };
    (0..count).map(side_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shadow_darkens_within_and_fades_at_its_edge() {
        // The half plane right of x = 4.
        let shade = Shade {
            sides: vec![[1.0, 0.0, -4.0]],
            darkness: 0.5,
            softness: 2.0,
        };
        let mut rgba = [200, 100, 50, 255].repeat(64);
        shade.apply(&mut rgba, 8);
        let reds: Vec<u8> = rgba.chunks(4).take(8).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [200, 200, 200, 175, 125, 100, 100, 100]);
        assert!(rgba.chunks(4).all(|pixel| pixel[3] == 255));
    }

    #[test]
    fn polygons_hold_their_middle_and_darken_only() {
        for n in 0..100 {
            let shadow = Shadow {
                probability: 1.0,
                range: [0.5, 0.5],
                most: 3,
                softness: 0.0,
            };
            let shades = Shade::drawn(shadow, 64, &mut Rng::of(&[n]));
            assert!((1..=3).contains(&shades.len()));
            let mut rgba = [200; 64 * 64 * 4];
            shades[0].apply(&mut rgba, 64);
            assert!(rgba.iter().all(|value| (100..=200).contains(value)));
            let dark = rgba.chunks(4).filter(|pixel| pixel[0] == 100).count();
            assert!(dark > 15, "{n}: {dark}");
        }
    }
}
