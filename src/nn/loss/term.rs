use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use super::LossError;
use super::compared::Compared;
use super::cross_entropy::smoothed_cross_entropy;
use super::focal::focal_of;
use super::lovasz::lovasz_of;
use super::overlap::{Overlap, SMOOTH};

/// One part of a loss; in a recipe a table with `kind` and what differs from the defaults.
///
/// `weight` is how much the part counts in the sum. Class weights act on the first three.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LossTerm {
    /// -ln p of the true class, a mean over pixels.
    CrossEntropy {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
        /// How much of a label is spread over all classes, from 0 to below 1.
        #[serde(default)]
        smoothing: f64,
    },
    /// Cross-entropy of the sigmoid of the difference of two logits. The softmax of two logits is
    /// that sigmoid, so this is [`LossTerm::CrossEntropy`], but held to two classes.
    BinaryCrossEntropy {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
        /// How much of a label is spread over both classes, from 0 to below 1.
        #[serde(default)]
        smoothing: f64,
    },
    /// Cross-entropy that forgets what is easy, see [`focal`](super::focal()).
    Focal {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
        /// The power of 1 - p; 0 is the cross-entropy.
        #[serde(default = "two")]
        gamma: f64,
    },
    /// See [`Overlap::dice`].
    Dice {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
        /// Added above and below the fraction, in pixels.
        #[serde(default = "usual_smooth")]
        smooth: f64,
    },
    /// See [`Overlap::jaccard`].
    Jaccard {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
        /// Added above and below the fraction, in pixels.
        #[serde(default = "usual_smooth")]
        smooth: f64,
    },
    /// See [`lovasz_softmax`](super::lovasz_softmax).
    Lovasz {
        /// Share in the sum.
        #[serde(default = "one")]
        weight: f64,
    },
}

const fn one() -> f64 {
    1.0
}

/// Lin et al. 2017 found 2 the best.
const fn two() -> f64 {
    2.0
}

const fn usual_smooth() -> f64 {
    SMOOTH
}

impl LossTerm {
    /// What `weight` may be.
    pub const WEIGHT: (f64, f64) = (1e-6, 1e6);
    /// What `smoothing` may be.
    pub const SMOOTHING: (f64, f64) = (0.0, 0.999);
    /// What `gamma` may be.
    pub const GAMMA: (f64, f64) = (0.0, 10.0);
    /// What `smooth` may be.
    pub const SMOOTH: (f64, f64) = (0.0, 1e6);

    /// How much the term counts in the sum.
    pub const fn weight(&self) -> f64 {
        match self {
            Self::CrossEntropy { weight, .. }
            | Self::BinaryCrossEntropy { weight, .. }
            | Self::Focal { weight, .. }
            | Self::Dice { weight, .. }
            | Self::Jaccard { weight, .. }
            | Self::Lovasz { weight } => *weight,
        }
    }

    /// Says what does not work with `num_classes`, if anything.
    ///
    /// # Errors
    /// Names the field, what it may be and what it is.
    pub fn check(&self, num_classes: usize) -> Result<(), LossError> {
        within("weight", self.weight(), Self::WEIGHT)?;
        match *self {
            Self::CrossEntropy { smoothing, .. } => within("smoothing", smoothing, Self::SMOOTHING),
            Self::BinaryCrossEntropy { smoothing, .. } if num_classes == 2 => {
                within("smoothing", smoothing, Self::SMOOTHING)
            }
            Self::BinaryCrossEntropy { .. } => Err(LossError::Unusable(format!(
                "binary_cross_entropy is for 2 classes, there are {num_classes}; use cross_entropy"
            ))),
            Self::Focal { gamma, .. } => within("gamma", gamma, Self::GAMMA),
            Self::Dice { smooth, .. } | Self::Jaccard { smooth, .. } => {
                within("smooth", smooth, Self::SMOOTH)
            }
            Self::Lovasz { .. } => Ok(()),
        }
    }

    /// The term's value without its weight.
    fn value(&self, compared: &Compared, class_weights: &[f32]) -> Result<Tensor<1>, LossError> {
        Ok(match *self {
            Self::CrossEntropy { smoothing, .. } | Self::BinaryCrossEntropy { smoothing, .. } => {
                let weights = compared.by_class(class_weights)?;
                smoothed_cross_entropy(compared, weights, smoothing).mean()
            }
            Self::Focal { gamma, .. } => {
                focal_of(compared, compared.by_class(class_weights)?, gamma).mean()
            }
            Self::Dice { smooth, .. } => Overlap::of(compared).dice(smooth),
            Self::Jaccard { smooth, .. } => Overlap::of(compared).jaccard(smooth),
            Self::Lovasz { .. } => lovasz_of(compared)?,
        })
    }
}

/// What a training makes small: the weighted sum of its terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Loss(pub Vec<LossTerm>);

impl Default for Loss {
    fn default() -> Self {
        Self(vec![LossTerm::CrossEntropy {
            weight: one(),
            smoothing: 0.0,
        }])
    }
}

impl Loss {
    /// Cross-entropy and `dice` times the Dice loss; 0: cross-entropy alone.
    pub fn with_dice(dice: f64) -> Self {
        let mut loss = Self::default();
        if dice > 0.0 {
            loss.0.push(LossTerm::Dice {
                weight: dice,
                smooth: SMOOTH,
            });
        }
        loss
    }

    /// Says what does not work with `num_classes`, if anything.
    ///
    /// # Errors
    /// As [`LossTerm::check`]; also when there is no term or more than any training needs.
    pub fn check(&self, num_classes: usize) -> Result<(), LossError> {
        const MOST_TERMS: usize = 16;
        if !(1..=MOST_TERMS).contains(&self.0.len()) {
            return Err(LossError::Unusable(format!(
                "it has {} terms, there must be 1 to {MOST_TERMS}",
                self.0.len()
            )));
        }
        for (at, term) in self.0.iter().enumerate() {
            term.check(num_classes).map_err(|error| match error {
                LossError::Unusable(what) => {
                    LossError::Unusable(format!("term {} of loss: {what}", at + 1))
                }
                error @ LossError::Unreadable(_) => error,
            })?;
        }
        Ok(())
    }

    /// Whether class weights change anything.
    pub fn heeds_class_weights(&self) -> bool {
        let heeds = |term: &LossTerm| {
            matches!(
                term,
                LossTerm::CrossEntropy { .. }
                    | LossTerm::BinaryCrossEntropy { .. }
                    | LossTerm::Focal { .. }
            )
        };
        self.0.iter().any(heeds)
    }

    /// The loss of `logits` `[N, C, H, W]` against `labels` `[N, H, W]`, one element; 0 where no
    /// pixel has a class. There is one class weight for each class, from 0 on.
    ///
    /// # Errors
    /// When the class weights do not fit, there is no term, or Lovász cannot read the device.
    pub fn value(
        &self,
        logits: Tensor<4>,
        labels: Tensor<3, Int>,
        class_weights: &[f32],
    ) -> Result<Tensor<1>, LossError> {
        let compared = Compared::new(logits, labels);
        let mut sum: Option<Tensor<1>> = None;
        for term in &self.0 {
            let value = term.value(&compared, class_weights)? * term.weight();
            sum = Some(match sum {
                Some(sum) => sum + value,
                None => value,
            });
        }
        sum.ok_or_else(|| LossError::Unusable("it has no term".to_owned()))
    }
}

fn within(field: &str, value: f64, (least, most): (f64, f64)) -> Result<(), LossError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(LossError::Unusable(format!(
        "{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        loss: Loss,
    }

    #[track_caller]
    fn check_read(text: &str, expected: Vec<LossTerm>) {
        let file: File = toml::from_str(text).expect("a loss");
        assert_eq!(file.loss, Loss(expected));
        let again = toml::to_string(&file).expect("text");
        assert_eq!(toml::from_str::<File>(&again).expect("a loss"), file);
    }

    #[test]
    fn a_file_names_the_terms_and_may_leave_the_rest_out() {
        check_read(
            "loss = [{ kind = \"cross_entropy\" }, { kind = \"dice\", weight = 0.5 }]",
            Loss::with_dice(0.5).0,
        );
        check_read(
            "[[loss]]\nkind = \"focal\"\n[[loss]]\nkind = \"lovasz\"\n",
            vec![
                LossTerm::Focal {
                    weight: 1.0,
                    gamma: 2.0,
                },
                LossTerm::Lovasz { weight: 1.0 },
            ],
        );
        assert_eq!(Loss::with_dice(0.0), Loss::default());
    }

    #[test]
    fn a_misspelled_field_is_refused() {
        for text in [
            "loss = [{ kind = \"dice\", gamma = 2.0 }]",
            "loss = [{ kind = \"lovasz\", wieght = 2.0 }]",
            "loss = [{ kind = \"hinge\" }]",
        ] {
            assert!(toml::from_str::<File>(text).is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check_refused(terms: Vec<LossTerm>, num_classes: usize, word: &str) {
        let error = Loss(terms).check(num_classes).expect_err("a refusal");
        assert!(error.to_string().contains(word), "{error}");
    }

    #[test]
    fn what_cannot_work_is_named() {
        Loss::default().check(5).expect("a working default");
        let (weight, smoothing, gamma) = (1.0, 0.0, 2.0);
        check_refused(vec![], 5, "0 terms");
        check_refused(vec![LossTerm::Lovasz { weight }; 17], 5, "17 terms");
        check_refused(vec![LossTerm::Lovasz { weight: f64::NAN }], 5, "weight");
        let smoothing_of_all = LossTerm::CrossEntropy {
            weight,
            smoothing: 1.0,
        };
        check_refused(vec![smoothing_of_all], 5, "smoothing is 1");
        let binary = LossTerm::BinaryCrossEntropy { weight, smoothing };
        check_refused(vec![binary], 3, "2 classes");
        Loss(vec![binary]).check(2).expect("two classes");
        check_refused(
            vec![LossTerm::Focal {
                weight,
                gamma: -gamma,
            }],
            5,
            "gamma",
        );
        let smooth = -1.0;
        check_refused(vec![LossTerm::Jaccard { weight, smooth }], 5, "smooth");
    }
}
