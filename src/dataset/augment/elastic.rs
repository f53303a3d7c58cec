use crate::dataset::Rng;

/// Smooth displacements over a patch: uniform cubic B-splines over a lattice of random offsets.
/// Splines lie within the hull of their points, so no displacement exceeds the greatest offset.
#[derive(Clone, Debug)]
pub(super) struct DisplacementField {
    most: f64,
    spacing: f64,
    cols: usize,
    /// X and y for each point of the lattice, by row; the first point lies one spacing before the
    /// patch.
    offsets: Vec<[f32; 2]>,
}

/// Where a pixel lies between lattice points: the first of four, and the weight of each.
type Knot = (usize, [f32; 4]);

impl DisplacementField {
    /// Offsets of at most `most` pixels every `spacing` pixels over a patch of `side`.
    pub(super) fn drawn(side: u32, most: f64, spacing: f64, rng: &mut Rng) -> Self {
        let cols = (f64::from(side) / spacing).floor() as usize + 4;
        let reach = most as f32;
        let offset = |_| [rng.between(-reach, reach), rng.between(-reach, reach)];
        Self {
            most,
            spacing,
            cols,
            offsets: (0..cols * cols).map(offset).collect(),
        }
    }

    /// The greatest displacement along an axis, in pixels.
    pub(super) const fn most(&self) -> f64 {
        self.most
    }

    /// The displacements row by row.
    pub(super) fn rows(&self, side: usize) -> FieldRows<'_> {
        FieldRows {
            field: self,
            knots: (0..side).map(|at| self.knot(at)).collect(),
            blend: vec![[0.0; 2]; self.cols],
        }
    }

    fn knot(&self, at: usize) -> Knot {
        let along = (at as f64 + 0.5) / self.spacing;
        let first = along.floor();
        let t = (along - first) as f32;
        let s = 1.0 - t;
        let weights = [
            s * s * s,
            3.0 * t * t * t - 6.0 * t * t + 4.0,
            3.0 * s * s * s - 6.0 * s * s + 4.0,
            t * t * t,
        ];
        (first as usize, weights.map(|weight| weight / 6.0))
    }
}

/// Reads a field one row of the patch after the other.
pub(super) struct FieldRows<'a> {
    field: &'a DisplacementField,
    knots: Vec<Knot>,
    /// The four lattice rows around the row that is read, blended.
    blend: Vec<[f32; 2]>,
}

impl FieldRows<'_> {
    /// X and y displacement of each pixel of row `y`, in pixels.
    pub(super) fn row(&mut self, y: usize) -> impl Iterator<Item = [f32; 2]> + '_ {
        let (first, weights) = self.knots[y];
        let cols = self.field.cols;
        self.blend.fill([0.0; 2]);
        for (step, weight) in weights.iter().enumerate() {
            let points = &self.field.offsets[(first + step) * cols..][..cols];
            for (blend, point) in self.blend.iter_mut().zip(points) {
                blend[0] += weight * point[0];
                blend[1] += weight * point[1];
            }
        }
        let blend = &self.blend;
        self.knots.iter().map(move |&(first, weights)| {
            let mut sum = [0.0; 2];
            for (weight, point) in weights.iter().zip(&blend[first..first + 4]) {
                sum[0] += weight * point[0];
                sum[1] += weight * point[1];
            }
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displacements_are_bounded_and_smooth() {
        for (n, side) in [(1, 64_u32), (2, 65), (3, 10), (4, 300)] {
            let field = DisplacementField::drawn(side, 5.0, 20.0, &mut Rng::of(&[n]));
            let mut rows = field.rows(side as usize);
            let all: Vec<Vec<[f32; 2]>> =
                (0..side as usize).map(|y| rows.row(y).collect()).collect();
            // The slope of a spline is at most twice the greatest offset over the spacing.
            let steep = 2.0 * 5.0 / 20.0 + 1e-4;
            for row in &all {
                assert!(row.iter().flatten().all(|by| by.abs() <= 5.0));
                assert!(
                    row.windows(2)
                        .all(|two| (two[0][0] - two[1][0]).abs() <= steep)
                );
            }
            for two in all.windows(2) {
                assert!((two[0][0][1] - two[1][0][1]).abs() <= steep);
            }
        }
    }

    #[test]
    fn the_weights_of_a_spline_are_as_published() {
        let field = DisplacementField::drawn(4, 1.0, 1.0, &mut Rng::of(&[1]));
        // Half way between two points: 1/48, 23/48, 23/48, 1/48.
        let (first, weights) = field.knot(3);
        assert_eq!(first, 3);
        for (weight, expected) in weights.iter().zip([1.0, 23.0, 23.0, 1.0]) {
            assert!((weight * 48.0 - expected).abs() < 1e-5, "{weights:?}");
        }
    }
}
