use super::{Bend, Square};

/// Steps of a source position between two pixels; bilinear weights are whole numbers of them.
const STEPS: f64 = 256.0;
/// Two of the four channels of a pixel, 16 bits each.
const LANES: u32 = 0x00FF_00FF;
const HALVES: u32 = 0x0080_0080;

impl Bend {
    /// A patch of `side` out of `ground`, in which the upper left corner of the unbent patch lies
    /// at `corner`: colors bilinear among pixels with data, labels and the want of data from the
    /// nearest pixel.
    pub(super) fn resampled(&self, ground: &Square, corner: [f64; 2], side: usize) -> Square {
        let pictures = ground.rgba.chunks_exact(ground.side * ground.side * 4);
        let mut rgba = vec![0; side * side * 4 * pictures.len()];
        let mut labels = vec![0; side * side];
        for (picture, bent) in pictures.zip(rgba.chunks_exact_mut(side * side * 4)) {
            self.resample_picture((ground, picture), corner, bent, &mut labels);
        }
        Square { side, rgba, labels }
    }

    /// One of the pictures of `ground` into `bent`, and its labels.
    fn resample_picture(
        &self,
        (ground, picture): (&Square, &[u8]),
        corner: [f64; 2],
        bent: &mut [u8],
        labels: &mut [u8],
    ) {
        let side = labels.len().isqrt();
        let pixels = picture.as_chunks::<4>().0;
        let has_holes = ground.has_holes();
        let colors = bent.as_chunks_mut::<4>().0.chunks_exact_mut(side);
        let mut rows = SourceRows::new(self, ground.side, corner, side);
        for (y, (colors, labels)) in colors.zip(labels.chunks_exact_mut(side)).enumerate() {
            let targets = colors.iter_mut().zip(labels);
            for (&[x, y], (color, label)) in rows.row(y).iter().zip(targets) {
                let nearest = near(y) * ground.side + near(x);
                *label = ground.labels[nearest];
                let first = (y >> 8) as usize * ground.side + (x >> 8) as usize;
                let upper = &pixels[first..first + 2];
                let lower = &pixels[first + ground.side..first + ground.side + 2];
                let four = [upper[0], upper[1], lower[0], lower[1]];
                let (x, y) = (x & 255, y & 255);
                if !has_holes {
                    *color = blended(four, x, y);
                } else if pixels[nearest][3] > 0 {
                    *color = blended_with_holes(four, x, y);
                }
            }
        }
    }
}

/// Source positions of a patch's pixels, row by row, in 256ths of a pixel from the middle of the
/// ground's first pixel.
struct SourceRows<'a> {
    bend: &'a Bend,
    field: Option<super::elastic::FieldRows<'a>>,
    /// Source position of the middle of the patch.
    middle: [f64; 2],
    half: f64,
    /// The last position that has a next pixel.
    last: u32,
    row: Vec<[u32; 2]>,
}

impl<'a> SourceRows<'a> {
    fn new(bend: &'a Bend, ground: usize, corner: [f64; 2], side: usize) -> Self {
        let half = side as f64 / 2.0;
        let along = |axis: usize| corner[axis] + half + bend.shift[axis] - 0.5;
        Self {
            bend,
            field: bend.field.as_ref().map(|field| field.rows(side)),
            middle: [along(0), along(1)],
            half,
            last: (ground as u32 - 1) * 256 - 1,
            row: vec![[0; 2]; side],
        }
    }

    fn row(&mut self, y: usize) -> &[[u32; 2]] {
        let [[xx, xy], [yx, yy]] = self.bend.matrix;
        let (right, down) = (0.5 - self.half, y as f64 + 0.5 - self.half);
        // Half a step is added so that cutting off rounds.
        let x0 = (self.middle[0] + xx * right + xy * down) * STEPS + 0.5;
        let y0 = (self.middle[1] + yx * right + yy * down) * STEPS + 0.5;
        let (across, along) = (xx * STEPS, yx * STEPS);
        let last = self.last;
        // The window was made to hold all; the limit is for the last bit of the arithmetic.
        let place = |x: f64, y: f64| [(x as u32).min(last), (y as u32).min(last)];
        if let Some(field) = &mut self.field {
            for ((step, to), by) in self.row.iter_mut().enumerate().zip(field.row(y)) {
                let step = step as f64;
                *to = place(
                    x0 + across * step + f64::from(by[0]) * STEPS,
                    y0 + along * step + f64::from(by[1]) * STEPS,
                );
            }
        } else {
            for (step, to) in self.row.iter_mut().enumerate() {
                let step = step as f64;
                *to = place(x0 + across * step, y0 + along * step);
            }
        }
        &self.row
    }
}

/// The pixel nearest to a position.
const fn near(position: u32) -> usize {
    (position.wrapping_add(128) >> 8) as usize
}

/// Bilinear, two channels at a time; `x` and `y` are 256ths.
fn blended(four: [[u8; 4]; 4], x: u32, y: u32) -> [u8; 4] {
    let four = four.map(u32::from_le_bytes);
    let mix = |a: u32, b: u32, share: u32| {
        let sum = a
            .wrapping_mul(256 - share)
            .wrapping_add(b.wrapping_mul(share));
        (sum.wrapping_add(HALVES) >> 8) & LANES
    };
    let lanes = |shift: u32| {
        let [a, b, c, d] = four.map(|pixel| (pixel >> shift) & LANES);
        mix(mix(a, b, x), mix(c, d, x), y)
    };
    (lanes(0) | (lanes(8) << 8)).to_le_bytes()
}

/// As [`blended`] among those of the four that have data; one has.
fn blended_with_holes(four: [[u8; 4]; 4], x: u32, y: u32) -> [u8; 4] {
    let weights = [(256 - x) * (256 - y), x * (256 - y), (256 - x) * y, x * y];
    let mut sums = [0_u32; 4];
    let mut total = 0_u32;
    for (pixel, weight) in four.iter().zip(weights) {
        if pixel[3] > 0 {
            total += weight;
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += weight * u32::from(*value);
            }
        }
    }
    sums.map(|sum| ((sum + total / 2) / total.max(1)) as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::warp::source_matrix;
    use super::super::{DisplacementField, Turn};
    use super::*;
    use crate::dataset::{MirroredWindow, Rng};
    use crate::label::UNLABELED;

    const SIDE: usize = 12;

    /// A square of `side` of noise with labels 0 to 3; some pixels have no data when `holes`.
    fn noise(side: usize, seed: u64, holes: bool) -> Square {
        let mut rng = Rng::of(&[seed]);
        let mut square = Square {
            side,
            rgba: (0..side * side * 4).map(|_| rng.bits() as u8).collect(),
            labels: (0..side * side).map(|_| (rng.bits() & 3) as u8).collect(),
        };
        for (at, pixel) in square.rgba.chunks_exact_mut(4).enumerate() {
            let is_hole = holes && rng.below(4) == 0;
            pixel[3] = if is_hole { 0 } else { 255 };
            if is_hole {
                square.labels[at] = UNLABELED;
            }
        }
        square
    }

    /// What `bend` makes of the patch in the middle of `ground`.
    fn bent(bend: &Bend, ground: &Square) -> Square {
        let at = (ground.side - SIDE) as f64 / 2.0;
        bend.resampled(ground, [at, at], SIDE)
    }

    fn middle(ground: &Square) -> Square {
        let at = (ground.side - SIDE) / 2;
        let rows = at..at + SIDE;
        let part = |samples: &[u8], width: usize| {
            let row = |y: usize| samples[(y * ground.side + at) * width..][..SIDE * width].to_vec();
            rows.clone().flat_map(row).collect()
        };
        Square {
            side: SIDE,
            rgba: part(&ground.rgba, 4),
            labels: part(&ground.labels, 1),
        }
    }

    #[test]
    fn identity_numbers_give_the_patch_itself() {
        let bend = Bend {
            matrix: [[1.0, 0.0], [0.0, 1.0]],
            shift: [0.0; 2],
            field: Some(DisplacementField::drawn(12, 0.0, 8.0, &mut Rng::of(&[1]))),
        };
        let ground = noise(SIDE + 4, 1, false);
        assert_eq!(bent(&bend, &ground), middle(&ground));
    }

    #[test]
    fn turns_by_matrix_are_the_exact_turns() {
        let ground = noise(SIDE + 4, 2, false);
        let still = middle(&ground);
        for turn in Turn::all() {
            let bend = Bend {
                matrix: turn.matrix(),
                shift: [0.0; 2],
                field: None,
            };
            let found = bent(&bend, &ground);
            assert_eq!(found.rgba, turn.applied(&still.rgba, SIDE, 4), "{turn:?}");
            assert_eq!(
                found.labels,
                turn.applied(&still.labels, SIDE, 1),
                "{turn:?}"
            );
        }
    }

    #[test]
    fn right_angles_are_exact_quarter_turns() {
        let ground = noise(SIDE + 4, 3, false);
        let still = middle(&ground);
        for (degrees, turned_by) in [
            (90.0, [0.0, 1.0]),
            (-90.0, [0.0, -1.0]),
            (180.0, [-1.0, 0.0]),
        ] {
            let bend = Bend {
                matrix: source_matrix(degrees, 1.0, 0.0),
                shift: [0.0; 2],
                field: None,
            };
            let turns = Turn::all().filter(|turn| {
                let [row, [yx, yy]] = turn.matrix();
                // The first row tells the way, a positive determinant that nothing is flipped.
                row == turned_by && row[0] * yy - row[1] * yx > 0.0
            });
            let turn = turns.last().expect("a turn");
            let found = bent(&bend, &ground);
            assert_eq!(found.rgba, turn.applied(&still.rgba, SIDE, 4), "{degrees}");
            assert_eq!(
                found.labels,
                turn.applied(&still.labels, SIDE, 1),
                "{degrees}"
            );
        }
    }

    #[test]
    fn half_a_pixel_is_the_mean_of_two() {
        assert_eq!(
            blended([[0; 4], [100; 4], [0; 4], [100; 4]], 128, 0),
            [50; 4]
        );
        let hole = [200, 200, 200, 0];
        let value = [[10, 20, 30, 255], hole, hole, [30, 20, 10, 255]];
        assert_eq!(blended_with_holes(value, 128, 128), [20, 20, 20, 255]);
    }

    #[test]
    fn a_window_of_odd_side_is_read_without_a_shift() {
        let bend = Bend {
            matrix: [[1.0, 0.0], [0.0, 1.0]],
            shift: [0.0; 2],
            field: None,
        };
        let place = MirroredWindow {
            x: 0,
            y: 0,
            side: 5,
        };
        let window = bend.window(place);
        let ground = noise(window.side as usize, 3, false);
        let found = bend.resampled(&ground, [-window.x as f64, -window.y as f64], 5);
        let row = -window.y as usize * ground.side + -window.x as usize;
        assert_eq!(found.labels[..5], ground.labels[row..row + 5]);
    }

    proptest! {
        #[test]
        fn labels_are_never_mixed_and_colors_never_leave_their_range(
            seed: u64, turn in -3.2_f64..3.2, scale in 0.5_f64..2.0, holes: bool,
        ) {
            let (sin, cos) = turn.sin_cos();
            let bend = Bend {
                matrix: [[cos * scale, sin * scale], [-sin * scale, cos * scale]],
                shift: [0.0; 2],
                field: None,
            };
            let ground = noise(44, seed, holes);
            let found = bent(&bend, &ground);
            let most = |square: &Square| square.rgba.chunks(4).map(|p| p[0]).max();
            prop_assert!(most(&found) <= most(&ground));
            for (pixel, label) in found.rgba.chunks_exact(4).zip(&found.labels) {
                prop_assert!(ground.labels.contains(label));
                prop_assert_eq!(pixel[3] == 0, *label == UNLABELED);
            }
        }
    }
}
