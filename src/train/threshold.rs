use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::label::UNLABELED;

/// Probabilities are told in so many steps.
const STEPS: u8 = 254;

/// The probability from which on the second of two classes is predicted. One half, which is usual,
/// takes the likelier class; less finds more of a rare one (roads) and is wrong more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionThreshold(
    /// In 254ths, as probabilities are kept.
    u8,
);

impl Default for DecisionThreshold {
    fn default() -> Self {
        Self(STEPS / 2)
    }
}

impl DecisionThreshold {
    /// The threshold nearest to `probability`, which lies between 0 and 1.
    ///
    /// # Errors
    /// When it does not: either class would be predicted nowhere.
    pub fn new(probability: f64) -> Result<Self, TrainError> {
        if probability > 0.0 && probability < 1.0 {
            let step = (f64::from(STEPS) * probability).round() as u8;
            Ok(Self(step.clamp(1, STEPS - 1)))
        } else {
            Err(TrainError::Threshold(probability))
        }
    }

    /// The probability.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / f64::from(STEPS)
    }

    /// Whether it takes the likelier class.
    pub fn is_half(self) -> bool {
        self == Self::default()
    }

    /// What a model of so many classes can have: of two any, of others one half alone.
    #[must_use]
    pub fn of_classes(self, num_classes: usize) -> Self {
        if num_classes == 2 {
            self
        } else {
            Self::default()
        }
    }

    /// Makes of the likelier one of two classes the one that this threshold takes; `probabilities`
    /// are those of the likelier class, in 254ths.
    pub(super) fn decide(self, classes: &mut [u8], probabilities: &[u8]) {
        if self.is_half() {
            return;
        }
        for (class, &probability) in classes.iter_mut().zip(probabilities) {
            let of_second = match *class {
                UNLABELED => continue,
                0 => STEPS.saturating_sub(probability),
                _ => probability,
            };
            *class = u8::from(of_second >= self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_threshold_finds_more_of_the_second_class_and_a_higher_one_less() {
        // The second class by 0.1, 0.4, 0.6, 0.9, and no data.
        let (likelier, probabilities) = ([0, 0, 1, 1, UNLABELED], [229, 152, 152, 229, 255]);
        let decided = |threshold| {
            let mut classes = likelier;
            let threshold = DecisionThreshold::new(threshold).expect("a probability");
            threshold.decide(&mut classes, &probabilities);
            classes
        };
        assert_eq!(decided(0.5), likelier);
        assert_eq!(decided(0.3), [0, 1, 1, 1, UNLABELED]);
        assert_eq!(decided(0.05), [1, 1, 1, 1, UNLABELED]);
        assert_eq!(decided(0.7), [0, 0, 0, 1, UNLABELED]);
        assert_eq!(decided(0.95), [0, 0, 0, 0, UNLABELED]);
    }

    #[test]
    fn thresholds_are_probabilities_and_of_two_classes_alone() {
        for wrong in [0.0, 1.0, -0.2, 7.0, f64::NAN] {
            let refused = DecisionThreshold::new(wrong).expect_err("no probability");
            assert!(refused.to_string().contains("between 0 and 1"), "{refused}");
        }
        let low = DecisionThreshold::new(0.001).expect("a probability");
        assert!(low.probability() > 0.0 && !low.is_half());
        assert_eq!(low.of_classes(2), low);
        assert!(low.of_classes(5).is_half() && low.of_classes(1).is_half());
        assert!(DecisionThreshold::new(0.5).is_ok_and(DecisionThreshold::is_half));
    }
}
