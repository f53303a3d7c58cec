use serde::{Deserialize, Serialize};

use crate::dataset::{DatasetError, Rng};

/// A kind that acts or does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// How often it acts, in 0 to 1.
    pub probability: f64,
}

impl Chance {
    /// Whether it acts this time.
    pub(super) fn strikes(self, rng: &mut Rng) -> bool {
        f64::from(rng.unit()) < self.probability
    }

    pub(super) fn check(self, name: &str) -> Result<(), DatasetError> {
        let field = format!("{name}.probability");
        one_within(&field, self.probability, [0.0, 1.0])
    }
}

/// A kind that acts by one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// How often it acts, in 0 to 1.
    pub probability: f64,
    /// The least and the greatest number drawn, evenly; the unit is that of the kind.
    pub range: [f64; 2],
}

impl Vary {
    /// An entry from its two keys.
    pub const fn new(probability: f64, range: [f64; 2]) -> Self {
        Self { probability, range }
    }

    /// The number of one patch, when it acts.
    pub(super) fn drawn(self, rng: &mut Rng) -> Option<f64> {
        let Self { probability, .. } = self;
        Chance { probability }
            .strikes(rng)
            .then(|| self.number(rng))
    }

    /// A number of the range.
    pub(super) fn number(self, rng: &mut Rng) -> f64 {
        let [low, high] = self.range;
        low + (high - low) * f64::from(rng.unit())
    }

    pub(super) fn check(self, name: &str, [least, most]: [f64; 2]) -> Result<(), DatasetError> {
        let Self { probability, .. } = self;
        Chance { probability }.check(name)?;
        let [low, high] = self.range;
        if least <= low && low <= high && high <= most {
            return Ok(());
        }
        Err(DatasetError::Augment(format!(
            "augment.{name}.range is {low} to {high}, it must lie in {least} to {most}, the \
             smaller number first"
        )))
    }
}

/// Smooth displacements: cubic B-splines over a lattice of random offsets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elastic {
    /// How often it acts, in 0 to 1.
    pub probability: f64,
    /// The greatest displacement along an axis in pixels; at most a quarter of `spacing`.
    pub range: [f64; 2],
    /// Distance of the lattice's points in pixels, in 8 to 1024.
    pub spacing: f64,
}

impl Default for Elastic {
    fn default() -> Self {
        Self {
            probability: 0.5,
            range: [0.0, 8.0],
            spacing: 64.0,
        }
    }
}

impl Elastic {
    pub(super) fn check(self) -> Result<(), DatasetError> {
        one_within("elastic.spacing", self.spacing, [8.0, 1024.0])?;
        Vary::new(self.probability, self.range).check("elastic", [0.0, 256.0])?;
        // The slopes of the splines then stay below 1, so that no ground is shown twice.
        if self.range[1] <= self.spacing / 4.0 {
            return Ok(());
        }
        Err(DatasetError::Augment(format!(
            "augment.elastic.range ends at {}, it must be at most a quarter of \
             augment.elastic.spacing ({}), or the ground folds over itself",
            self.range[1], self.spacing
        )))
    }
}

/// Soft-edged dark polygons.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shadow {
    /// How often there is any, in 0 to 1.
    pub probability: f64,
    /// The share of light that is taken away, in 0 to 1.
    pub range: [f64; 2],
    /// One to this many at a time, 8 at most.
    pub most: u32,
    /// Width of the edge in pixels, in 0 to 64.
    pub softness: f64,
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            probability: 0.5,
            range: [0.2, 0.5],
            most: 2,
            softness: 6.0,
        }
    }
}

impl Shadow {
    pub(super) fn check(self) -> Result<(), DatasetError> {
        Vary::new(self.probability, self.range).check("shadow", [0.0, 1.0])?;
        one_within("shadow.softness", self.softness, [0.0, 64.0])?;
        one_within("shadow.most", f64::from(self.most), [1.0, 8.0])
    }
}

/// What becomes of the labels under a cutout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutoutLabels {
    /// They stay: what is hidden must be guessed from around it.
    #[default]
    Keep,
    /// They become 255, and nothing is learned there.
    Ignore,
}

/// Rectangles blanked to the mean color.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cutout {
    /// How often there is any, in 0 to 1.
    pub probability: f64,
    /// Each side of a rectangle in sides of the patch, in 0 to 1.
    pub range: [f64; 2],
    /// One to this many at a time, 64 at most.
    pub most: u32,
    /// What becomes of the labels there.
    pub labels: CutoutLabels,
}

impl Default for Cutout {
    fn default() -> Self {
        Self {
            probability: 0.5,
            range: [0.1, 0.25],
            most: 1,
            labels: CutoutLabels::Keep,
        }
    }
}

impl Cutout {
    pub(super) fn check(self) -> Result<(), DatasetError> {
        Vary::new(self.probability, self.range).check("cutout", [0.0, 1.0])?;
        one_within("cutout.most", f64::from(self.most), [1.0, 64.0])
    }
}

fn one_within(field: &str, value: f64, [least, most]: [f64; 2]) -> Result<(), DatasetError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(DatasetError::Augment(format!(
        "augment.{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_in_their_range_and_strike_as_often_as_asked() {
        let mut rng = Rng::of(&[1]);
        let vary = Vary::new(0.25, [3.0, 5.0]);
        let drawn: Vec<f64> = (0..4000).filter_map(|_| vary.drawn(&mut rng)).collect();
        assert!((900..1100).contains(&drawn.len()), "{}", drawn.len());
        assert!(drawn.iter().all(|number| (3.0..5.0).contains(number)));
        assert_eq!(Vary::new(1.0, [2.0, 2.0]).drawn(&mut rng), Some(2.0));
        assert_eq!(Vary::new(0.0, [2.0, 2.0]).drawn(&mut rng), None);
    }
}
