use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What says how sure a network is of the class of a pixel; each is 0 to 1, and 1 is certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    fn one_class_or_a_sure_one_is_certain() {
        for certainty in Certainty::ALL {
            assert_eq!(certainty.of(&[500.0, -500.0], &[1.0], &[0]), [254]);
            assert_eq!(certainty.of(&[3.0], &[1.0], &[0]), [254]);
        }
    }
}
