use serde::{Deserialize, Serialize};

use crate::train::TrainError;

/// The rule by which a gradient changes a weight; in a recipe a table with `kind` and what
/// differs from the defaults, which are those of `PyTorch`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Adam (Kingma and Ba 2015).
    Adam(Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW(AdamW),
    /// `RMSprop` (Tieleman and Hinton 2012), not centered.
    RmsProp(RmsProp),
    /// Stochastic gradient descent with momentum.
    Sgd(Sgd),
}

/// See [`OptimizerConfig::Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// How much of the mean gradient stays at a step.
    pub beta_1: f64,
    /// How much of the mean squared gradient stays at a step.
    pub beta_2: f64,
    /// Keeps tiny gradients from large steps.
    pub epsilon: f64,
    /// Share of the weight that is added to its gradient (L2).
    pub weight_decay: f64,
}

/// See [`OptimizerConfig::AdamW`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// How much of the mean gradient stays at a step.
    pub beta_1: f64,
    /// How much of the mean squared gradient stays at a step.
    pub beta_2: f64,
    /// Keeps tiny gradients from large steps.
    pub epsilon: f64,
    /// Share of the weight, times the rate, that it loses at a step.
    pub weight_decay: f64,
}

/// See [`OptimizerConfig::RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// How much of the mean squared gradient stays at a step (Keras's `rho`).
    pub alpha: f64,
    /// Keeps tiny gradients from large steps.
    pub epsilon: f64,
    /// How much of the last step is added to the next; 0: none.
    pub momentum: f64,
    /// Share of the weight that is added to its gradient (L2).
    pub weight_decay: f64,
}

/// See [`OptimizerConfig::Sgd`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// How much of the last step is added to the next; 0: none.
    pub momentum: f64,
    /// Whether the momentum is looked ahead along (Sutskever et al. 2013).
    pub nesterov: bool,
    /// Share of the weight that is added to its gradient (L2).
    pub weight_decay: f64,
}

impl Default for OptimizerConfig {
    /// What this program trains with: a memory of 100 steps suits its short trainings.
    fn default() -> Self {
        Self::AdamW(AdamW {
            beta_2: 0.99,
            weight_decay: 1e-4,
            ..AdamW::default()
        })
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 1e-2,
        }
    }
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
        }
    }
}

impl OptimizerConfig {
    /// What shares that stay at a step may be.
    pub const KEPT: (f64, f64) = (0.0, 0.999_999);
    /// What `epsilon` may be.
    pub const EPSILON: (f64, f64) = (1e-12, 1.0);
    /// What `weight_decay` may be.
    pub const WEIGHT_DECAY: (f64, f64) = (0.0, 1.0);

    /// The name as written in recipes and state files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::RmsProp(_) => "rmsprop",
            Self::Sgd(_) => "sgd",
        }
    }

    /// What is remembered of a weight, in the order of its tensors.
    pub(super) const fn memories(&self) -> &'static [&'static str] {
        match self {
            Self::Adam(_) | Self::AdamW(_) => &["first_moment", "second_moment"],
            Self::RmsProp(RmsProp { momentum, .. }) if *momentum > 0.0 => {
                &["square_mean", "momentum"]
            }
            Self::RmsProp(_) => &["square_mean"],
            Self::Sgd(Sgd { momentum, .. }) if *momentum > 0.0 => &["momentum"],
            Self::Sgd(_) => &[],
        }
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        let decay = match *self {
            Self::Adam(Adam {
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
            })
            | Self::AdamW(AdamW {
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
            }) => {
                within("beta_1", beta_1, Self::KEPT)?;
                within("beta_2", beta_2, Self::KEPT)?;
                within("epsilon", epsilon, Self::EPSILON)?;
                weight_decay
            }
            Self::RmsProp(rule) => {
                within("alpha", rule.alpha, Self::KEPT)?;
                within("epsilon", rule.epsilon, Self::EPSILON)?;
                within("momentum", rule.momentum, Self::KEPT)?;
                rule.weight_decay
            }
            Self::Sgd(rule) => {
                within("momentum", rule.momentum, Self::KEPT)?;
                if rule.nesterov && rule.momentum == 0.0 {
                    let reason = "optimizer.nesterov needs a momentum above 0";
                    return Err(TrainError::Recipe(reason.to_owned()));
                }
                rule.weight_decay
            }
        };
        within("weight_decay", decay, Self::WEIGHT_DECAY)
    }
}

fn within(field: &str, value: f64, (least, most): (f64, f64)) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(TrainError::Recipe(format!(
        "optimizer.{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_read(text: &str, expected: OptimizerConfig) {
        let config: OptimizerConfig = toml::from_str(text).expect("an optimizer");
        assert_eq!(config, expected);
        let again = toml::to_string(&config).expect("text");
        assert_eq!(toml::from_str(&again), Ok(config));
        assert!(text.contains(config.name()));
        config.check().expect("a working one");
    }

    #[test]
    fn a_file_names_the_kind_and_may_leave_the_rest_out() {
        check_read("kind = \"adamw\"", OptimizerConfig::AdamW(AdamW::default()));
        check_read("kind = \"adam\"", OptimizerConfig::Adam(Adam::default()));
        let (alpha, momentum) = (0.9, 0.5);
        check_read(
            "kind = \"rmsprop\"\nalpha = 0.9\n",
            OptimizerConfig::RmsProp(RmsProp {
                alpha,
                ..RmsProp::default()
            }),
        );
        check_read(
            "kind = \"sgd\"\nmomentum = 0.5\nnesterov = true\n",
            OptimizerConfig::Sgd(Sgd {
                momentum,
                nesterov: true,
                ..Sgd::default()
            }),
        );
        assert!(toml::from_str::<OptimizerConfig>("kind = \"sgd\"\nbeta_1 = 0.5").is_err());
        OptimizerConfig::default()
            .check()
            .expect("a working default");
    }

    #[test]
    fn what_cannot_work_is_named() {
        let refused = [
            ("kind = \"adam\"\nbeta_1 = 1.0", "beta_1 is 1"),
            ("kind = \"adamw\"\nepsilon = 0.0", "epsilon"),
            ("kind = \"rmsprop\"\nalpha = nan", "alpha"),
            ("kind = \"sgd\"\nweight_decay = -0.1", "weight_decay"),
            (
                "kind = \"sgd\"\nnesterov = true\nmomentum = 0.0",
                "momentum",
            ),
        ];
        for (text, word) in refused {
            let config: OptimizerConfig = toml::from_str(text).expect("an optimizer");
            let error = config.check().expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
