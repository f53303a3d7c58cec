use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::raster::BandMeaning;

/// What is stored for a certain pixel.
const CERTAIN: f64 = 254.0;

/// What says how sure a network is of the class of a pixel; each is 0 to 1, and 1 is certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The probability of the class.
    #[default]
    Probability,
    /// By how much it is more probable than the next one.
    Margin,
    /// 1 less the entropy of all probabilities over that of equal ones.
    Entropy,
}

impl Certainty {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Probability, Self::Margin, Self::Entropy];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Margin => "margin",
            Self::Entropy => "entropy",
        }
    }

    /// What the bytes of a file stand for: the probability, the margin, or the entropy in nats, of
    /// which 254 is the least. Where the number of classes is not known, the entropy is told as a
    /// share of the largest one.
    pub fn meaning(self, num_classes: Option<usize>) -> BandMeaning {
        let step = 1.0 / CERTAIN;
        let (scale, offset, unit) = match (self, num_classes) {
            (Self::Entropy, Some(classes)) => {
                let most = (classes.max(2) as f64).ln();
                (-most * step, most, "nat")
            }
            (Self::Entropy, None) => (-step, 1.0, ""),
            (Self::Probability | Self::Margin, _) => (step, 0.0, ""),
        };
        let description = match (self, num_classes) {
            (Self::Probability, _) => "Probability of the likeliest class".to_owned(),
            (Self::Margin, _) => {
                "Probability of the likeliest class less that of the next one".to_owned()
            }
            (Self::Entropy, Some(classes)) => {
                format!("Entropy of the probabilities of {classes} classes, in nats")
            }
            (Self::Entropy, None) => {
                "Entropy of the probabilities as a share of the largest one".to_owned()
            }
        };
        BandMeaning {
            description: format!(
                "{description}: value x scale + offset; 254 is certain, less is more doubtful, 255 \
                 is no data"
            ),
            scale,
            offset,
            unit,
        }
    }

    /// 254 times the certainty of each pixel. `sums` are the weighted logits, a plane a class,
    /// `shares` the weights they were blended with, `classes` the greatest.
    pub(super) fn of(self, sums: &[f32], shares: &[f32], classes: &[u8]) -> Vec<u8> {
        let area = classes.len();
        let num_classes = sums.len() / area.max(1);
        let at = |place: usize| {
            let best = sums[usize::from(classes[place]) * area + place];
            let scale = 1.0 / shares[place].max(f32::MIN_POSITIVE);
            // Odds beside the best class, whose own are 1.
            let odds = (place..sums.len())
                .step_by(area)
                .map(|at| ((sums[at] - best) * scale).exp());
            let certain = match self {
                Self::Probability => 1.0 / odds.sum::<f32>(),
                Self::Margin => margin(odds),
                Self::Entropy => 1.0 - entropy(odds) / (num_classes.max(2) as f32).ln(),
            };
            (254.0 * certain.clamp(0.0, 1.0)).round() as u8
        };
        (0..area).into_par_iter().map(at).collect()
    }
}

/// The greatest probability less the second, from odds beside the greatest.
fn margin(odds: impl Iterator<Item = f32>) -> f32 {
    let (mut sum, mut first, mut second) = (0.0, 0.0_f32, 0.0_f32);
    for one in odds {
        sum += one;
        if one > first {
            (first, second) = (one, first);
        } else if one > second {
            second = one;
        }
    }
    (first - second) / sum
}

/// The entropy in nats: ln S less the mean of ln o, where S is the sum of the odds o.
fn entropy(odds: impl Iterator<Item = f32>) -> f32 {
    let (mut sum, mut weighted) = (0.0_f32, 0.0_f32);
    for one in odds.filter(|one| *one > 0.0) {
        sum += one;
        weighted += one * one.ln();
    }
    sum.ln() - weighted / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes, three pixels; logits ln 3 and 0 blended with weights 1 and 2, and equal ones.
    fn measured(certainty: Certainty) -> Vec<u8> {
        let three = 3.0_f32.ln();
        let sums = [three, 0.0, 1.0, 0.0, 2.0 * three, 1.0];
        certainty.of(&sums, &[1.0, 2.0, 1.0], &[0, 1, 0])
    }

    #[test]
    fn measures_are_those_of_probabilities_three_quarters_and_one_half() {
        assert_eq!(measured(Certainty::Probability), [191, 191, 127]);
        assert_eq!(measured(Certainty::Margin), [127, 127, 0]);
        // The entropy of 3/4 and 1/4 is 0.8113 bits.
        assert_eq!(measured(Certainty::Entropy), [48, 48, 0]);
    }

    #[test]
    fn what_is_stored_stands_for_what_the_measure_is_called() {
        let three_quarters = [
            (Certainty::Probability, 0.75),
            (Certainty::Margin, 0.5),
            (Certainty::Entropy, 0.5623),
        ];
        for (measure, expected) in three_quarters {
            let meaning = measure.meaning(Some(2));
            let value = meaning.value(measured(measure)[0]);
            assert!((value - expected).abs() < 0.003, "{measure:?}: {value}");
            assert!(meaning.description.contains("254 is certain"));
        }
        let equal = Certainty::Entropy.meaning(Some(5)).value(0);
        assert!((equal - 5.0_f64.ln()).abs() < 1e-9);
        assert!(Certainty::Entropy.meaning(Some(5)).value(254).abs() < 1e-9);
        assert!((Certainty::Entropy.meaning(None).value(48) - 0.8113).abs() < 0.003);
    }

    #[test]
    fn one_class_or_a_sure_one_is_certain() {
        for certainty in Certainty::ALL {
            assert_eq!(certainty.of(&[500.0, -500.0], &[1.0], &[0]), [254]);
            assert_eq!(certainty.of(&[3.0], &[1.0], &[0]), [254]);
        }
    }
}
