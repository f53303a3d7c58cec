use serde::{Deserialize, Serialize};

use crate::train::TrainError;

/// Which parameters decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decays {
    /// All of them, as `PyTorch` does unless told otherwise.
    #[default]
    All,
    /// Weights alone, not biases and what belongs to norms: the parameters with one axis.
    Weights,
}

/// What the parts that see are called in every network but the plain U-Net.
pub(in crate::train) const ENCODER: &str = "encoder";

/// A part of a network with a rate of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateGroup {
    /// The beginning of the paths of its parameters as in a weights file, whole names only: `down`
    /// is that of `down.0.first.weight`, but not of `downward.weight`.
    pub prefix: String,
    /// What the rate is multiplied by; 0: frozen.
    pub factor: f64,
}

/// What is done to gradients before, and to weights after, the rule of the optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateConfig {
    /// Which parameters decay.
    pub decays: Decays,
    /// The most that the norm of all gradients together may be; longer ones are shortened.
    pub clip_norm: Option<f64>,
    /// Batches whose mean gradient makes one step.
    pub accumulate: u32,
    /// How much of the running mean of the weights stays at a step; `None`: no mean is kept.
    /// Young means forget faster: at step t at most (1 + t) / (10 + t) stays.
    pub ema: Option<f64>,
    /// Parts with rates of their own; of several that fit, the one with the longest prefix.
    pub groups: Vec<RateGroup>,
}

impl Default for UpdateConfig {
    fn default() -> Self {
        Self {
            decays: Decays::All,
            clip_norm: None,
            accumulate: 1,
            ema: None,
            groups: Vec::new(),
        }
    }
}

impl UpdateConfig {
    /// What `clip_norm` may be, where it is said.
    pub const CLIP_NORM: (f64, f64) = (1e-6, 1e6);
    /// What `accumulate` may be.
    pub const ACCUMULATE: (u64, u64) = (1, 10_000);
    /// What `ema` may be, where it is said.
    pub const EMA: (f64, f64) = (0.0, 0.999_999);
    /// What the factor of a group may be.
    pub const FACTOR: (f64, f64) = (0.0, 1e3);

    /// The same for a network that may have no part called `encoder`, which then needs no rate.
    pub(in crate::train) fn for_network(&self, has_encoder: bool) -> Self {
        let mut same = self.clone();
        same.groups
            .retain(|group| has_encoder || group.prefix != ENCODER);
        same
    }

    /// What the rate of the parameter at `path` is multiplied by.
    pub fn factor(&self, path: &str) -> f64 {
        self.groups
            .iter()
            .filter(|group| group.holds(path))
            .max_by_key(|group| group.prefix.len())
            .map_or(1.0, |group| group.factor)
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        if let Some(norm) = self.clip_norm {
            within("clip_norm", norm, Self::CLIP_NORM)?;
        }
        let (least, most) = Self::ACCUMULATE;
        let range = (least as f64, most as f64);
        within("accumulate", self.accumulate.into(), range)?;
        if let Some(kept) = self.ema {
            within("ema", kept, Self::EMA)?;
        }
        for group in &self.groups {
            within("groups.factor", group.factor, Self::FACTOR)?;
        }
        Ok(())
    }
}

impl RateGroup {
    /// Whether the parameter at `path` is of this group.
    pub fn holds(&self, path: &str) -> bool {
        let prefix = self.prefix.trim_end_matches('.');
        without_variants(path)
            .strip_prefix(prefix)
            .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('.'))
    }
}

/// `path` without the variants of enums within, which alone begin with a capital and are no part
/// of the names in a weights file.
pub(super) fn without_variants(path: &str) -> String {
    let is_field = |name: &&str| !name.starts_with(|first: char| first.is_ascii_uppercase());
    path.split('.')
        .filter(is_field)
        .collect::<Vec<_>>()
        .join(".")
}

fn within(field: &str, value: f64, (least, most): (f64, f64)) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(TrainError::Recipe(format!(
        "updates.{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(groups: &[(&str, f64)]) -> UpdateConfig {
        let group = |&(prefix, factor): &(&str, f64)| RateGroup {
            prefix: prefix.to_owned(),
            factor,
        };
        UpdateConfig {
            groups: groups.iter().map(group).collect(),
            ..UpdateConfig::default()
        }
    }

    #[test]
    fn the_longest_prefix_of_whole_names_counts() {
        let config = groups(&[("down", 0.1), ("down.0.", 0.0), ("head", 3.0)]);
        let factors = [
            "down.0.weight",
            "down.1.weight",
            "downward.weight",
            "head",
            "up.down",
        ]
        .map(|path| config.factor(path));
        assert_eq!(factors, [0.0, 0.1, 1.0, 3.0, 1.0]);
        assert_eq!(groups(&[("", 0.5), ("a", 2.0)]).factor("b.a"), 0.5);
        let of_family = config.factor("Unet.down.0.Batch.gamma");
        assert_eq!(of_family, 0.0, "variants are not named");
    }

    #[test]
    fn it_survives_a_file() {
        let config = UpdateConfig {
            decays: Decays::Weights,
            clip_norm: Some(1.0),
            ..groups(&[("down", 0.1)])
        };
        let text = toml::to_string(&config).expect("text");
        assert_eq!(toml::from_str(&text), Ok(config));
        assert_eq!(toml::from_str(""), Ok(UpdateConfig::default()));
    }

    #[test]
    fn what_cannot_work_is_named() {
        UpdateConfig::default().check().expect("a working default");
        for (text, word) in [
            ("clip_norm = 0.0", "clip_norm is 0"),
            ("accumulate = 0", "accumulate"),
            ("ema = 1.0", "ema"),
            (
                "groups = [{ prefix = \"a\", factor = -1.0 }]",
                "groups.factor",
            ),
        ] {
            let config: UpdateConfig = toml::from_str(text).expect("a configuration");
            let error = config.check().expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
