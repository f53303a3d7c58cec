use serde::{Deserialize, Serialize};

use crate::nn::{EncoderKind, ModelConfig, NUM_LEVELS};
use crate::train::TrainError;

/// Whether the stages of a pretrained encoder hold still, so that what they see in a patch is
/// computed once and kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepFeatures {
    /// On the CPU, where the encoder is most of the work, all stages hold still and the decoder
    /// alone learns, unless `model.frozen_stages` holds only some of them. Elsewhere never.
    #[default]
    Auto,
    /// Those that `model.frozen_stages` holds still, or all when that is 0.
    Always,
    /// The encoder looks at every patch anew; all stages but `model.frozen_stages` learn.
    Never,
}

/// How the numbers of features are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// In two bytes, to three digits.
    #[default]
    Half,
    /// In four bytes, to the last bit.
    Single,
}

/// How features of an encoder that holds still are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureConfig {
    /// Whether.
    pub keep: KeepFeatures,
    /// How many patches are kept for each patch that fits into the labelled training ground side
    /// by side, each moved, turned and tinted in its own way. Variations are drawn once: the
    /// training sees so many of each place and no more, where a training that keeps nothing sees
    /// new ones at every step.
    pub variants: u32,
    /// How numbers are kept.
    pub precision: Precision,
    /// Megabytes (2^20 bytes) of memory for them.
    pub memory_mb: u32,
    /// Megabytes in a temporary file of the run folder for what memory does not hold.
    pub disk_mb: u32,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            keep: KeepFeatures::Auto,
            variants: 4,
            precision: Precision::Half,
            memory_mb: 1024,
            disk_mb: 4096,
        }
    }
}

/// 1 TiB.
const MOST_MB: u32 = 1 << 20;

impl FeatureConfig {
    /// How many stages of the encoder of `model` have their features kept on the CPU or another
    /// device; 0: none.
    pub(in crate::train) fn kept_stages(&self, model: &ModelConfig, is_cpu: bool) -> usize {
        let held = model.frozen_stages;
        let all = NUM_LEVELS;
        match self.keep {
            _ if model.encoder != EncoderKind::Lite0 => 0,
            KeepFeatures::Always if held == 0 => all,
            KeepFeatures::Always => held,
            KeepFeatures::Auto if is_cpu && (held == 0 || held == all) => all,
            KeepFeatures::Auto | KeepFeatures::Never => 0,
        }
    }

    /// Why the features of so many stages are kept, for the user.
    pub(in crate::train) fn reason(&self, model: &ModelConfig, kept_stages: usize) -> &'static str {
        match self.keep {
            KeepFeatures::Auto if kept_stages > 0 => {
                "That is the default on a CPU; to train the encoder as well, choose Never at Keep \
                 features in the recipe (features.keep)"
            }
            KeepFeatures::Auto if model.frozen_stages > 0 => {
                "The encoder learns behind its frozen stages, as the recipe says"
            }
            KeepFeatures::Auto => {
                "The encoder learns as well; to train the decoder only, choose Always at Keep \
                 features in the recipe (features.keep)"
            }
            KeepFeatures::Always | KeepFeatures::Never => "The recipe says so",
        }
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub(in crate::train) fn check(&self, model: &ModelConfig) -> Result<(), TrainError> {
        if self.keep == KeepFeatures::Always && model.encoder != EncoderKind::Lite0 {
            return Err(TrainError::Recipe(format!(
                "features.keep is always, which needs model.encoder lite0, not {}",
                model.encoder.name()
            )));
        }
        within("variants", self.variants, 1, 10_000)?;
        within("memory_mb", self.memory_mb, 1, MOST_MB)?;
        within("disk_mb", self.disk_mb, 0, MOST_MB)
    }
}

fn within(field: &str, value: u32, least: u32, most: u32) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(TrainError::Recipe(format!(
        "features.{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lite0(frozen_stages: usize) -> ModelConfig {
        ModelConfig {
            encoder: EncoderKind::Lite0,
            frozen_stages,
            ..ModelConfig::default()
        }
    }

    #[test]
    fn what_is_kept_by_choice_stages_and_device() {
        use KeepFeatures::{Always, Auto, Never};
        // Choice, frozen stages, on the CPU, elsewhere.
        let table = [
            (Auto, 0, 5, 0),
            (Auto, 5, 5, 0),
            (Auto, 3, 0, 0),
            (Always, 0, 5, 5),
            (Always, 3, 3, 3),
            (Never, 0, 0, 0),
            (Never, 5, 0, 0),
        ];
        for (keep, frozen_stages, on_cpu, elsewhere) in table {
            let config = FeatureConfig {
                keep,
                ..FeatureConfig::default()
            };
            let kept = [true, false].map(|cpu| config.kept_stages(&lite0(frozen_stages), cpu));
            assert_eq!(kept, [on_cpu, elsewhere], "{keep:?} {frozen_stages}");
            assert_eq!(config.kept_stages(&ModelConfig::default(), true), 0);
        }
    }

    #[test]
    fn it_survives_a_file_and_may_be_left_out() {
        let config = FeatureConfig {
            keep: KeepFeatures::Always,
            variants: 7,
            precision: Precision::Single,
            memory_mb: 10,
            disk_mb: 0,
        };
        let text = toml::to_string(&config).expect("text");
        assert_eq!(toml::from_str(&text), Ok(config));
        assert_eq!(toml::from_str(""), Ok(FeatureConfig::default()));
        assert!(toml::from_str::<FeatureConfig>("keep = \"sometimes\"").is_err());
    }

    #[test]
    fn what_cannot_work_is_named() {
        let check = |text: &str, model: &ModelConfig, word: &str| {
            let config: FeatureConfig = toml::from_str(text).expect("a configuration");
            let error = config.check(model).expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        };
        FeatureConfig::default()
            .check(&ModelConfig::default())
            .expect("a working default");
        check("keep = \"always\"", &ModelConfig::default(), "lite0");
        check("variants = 0", &lite0(0), "variants is 0");
        check("memory_mb = 0", &lite0(0), "memory_mb");
        check("disk_mb = 2000000", &lite0(0), "disk_mb");
    }
}
