use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    BestBy, DeviceChoice, FeatureConfig, OptimizerConfig, Plateau, Schedule, Span, TrainError,
    Unlabeled, UpdateConfig,
};
use crate::dataset::parts::{PartRule, PartWay, Shares};
use crate::dataset::{Augment, Bands, PatchConfig, PatchFilter, PixelSize, RareClasses};
use crate::disk::{from_toml, replace_file};
use crate::label::ClassTable;
use crate::nn::{Loss, ModelConfig, NormKind};

/// Whether rare classes count more in the terms of the loss that are means over pixels.
///
/// What is validated and saved has the weights taken out of its odds again, so that rare classes
/// are learned but not overdrawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeighting {
    /// Every pixel counts the same.
    None,
    /// By the square root of the inverse frequency in the training ground.
    #[default]
    SqrtInverse,
    /// By the inverse frequency in the training ground.
    Inverse,
    /// By the median of the frequencies over the class's own (Eigen & Fergus 2015).
    MedianFrequency,
    /// By these numbers, one for each class from 0 on.
    ByHand(Vec<f32>),
}

impl ClassWeighting {
    /// Says what does not work with `num_classes`, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] where weights by hand are not one for each class or no numbers from 0
    /// on.
    pub(super) fn check(&self, num_classes: usize) -> Result<(), TrainError> {
        let Self::ByHand(weights) = self else {
            return Ok(());
        };
        if weights.len() != num_classes {
            return wrong(format!(
                "class_weighting.by_hand has {} numbers, it must have one for each of the \
                 {num_classes} classes",
                weights.len()
            ));
        }
        match weights.iter().find(|it| !it.is_finite() || **it < 0.0) {
            Some(weight) => wrong(format!(
                "class_weighting.by_hand holds {weight}, it must hold numbers from 0 on"
            )),
            None => Ok(()),
        }
    }
}

/// What is done when the patches of a step do not fit into the memory at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryUse {
    /// Fewer are computed at once and their gradients are added up; this is said.
    #[default]
    Fit,
    /// All are computed at once, whatever comes of it.
    AsStated,
}

/// Which places of the training ground patches are drawn from; what is held out is never chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchChoice {
    /// How strongly ground that shows rare classes is preferred: `"none"`, `"balanced"` or a number
    /// in 0 to 1.
    pub rare_classes: RareClasses,
    /// Which patches are worth keeping; all when missing.
    pub keep: Option<PatchFilter>,
}

/// All choices of a training; a TOML file. What a file leaves out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// What is held out, the first weights, and every patch follow from this.
    pub seed: u64,
    /// Epochs at most.
    pub epochs: u32,
    /// Steps between two looks at the held-out ground.
    pub steps_per_epoch: u32,
    /// Patches in a step. On the CPU 5 and more are faster than 4.
    pub batch: usize,
    /// Columns and rows of a patch: a multiple of 32 and of 2^depth.
    pub patch: u32,
    /// How large a pixel is on the ground: `"auto"` (that of most images), `"as_is"`, or meters.
    /// Images of another size are resampled to it.
    pub pixel_size: PixelSize,
    /// Which bands the network learns from: `"color"`, `"all"` or a list such as `[4, 1, 2]`,
    /// counted from 1. `model.in_channels` follows from it.
    pub bands: Bands,
    /// The full learning rate.
    pub learning_rate: f64,
    /// How the rate changes from step to step.
    pub schedule: Schedule,
    /// When the rate falls because nothing gets better.
    pub plateau: Plateau,
    /// Epochs without progress after which the training ends; 0: never.
    pub stop_patience: u32,
    /// Minutes of work after which the training ends with the epoch that runs; 0: never.
    pub time_limit_minutes: f64,
    /// Epochs after which stages of a pretrained encoder that hold still until then
    /// (`model.frozen_stages`, `features.keep`) learn as well; 0: never.
    pub unfreeze_after: u32,
    /// Seconds after which the state is written in the middle of an epoch, so that no more work is
    /// lost when the program is killed; 60 when left out. Nothing that is learned depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_seconds: Option<f64>,
    /// What is done when a step does not fit into the memory.
    pub memory: MemoryUse,
    /// Whether cheap intermediate results are computed again on the way back instead of being
    /// kept: less memory with group norms, more time, the same gradients.
    pub gradient_checkpointing: bool,
    /// Which epoch is kept as the best.
    pub best_by: BestBy,
    /// Whether rare classes count more.
    pub class_weighting: ClassWeighting,
    /// What is made small.
    pub loss: Loss,
    /// How gradients become weights.
    pub optimizer: OptimizerConfig,
    /// What is done to gradients before that, and to weights after it.
    pub updates: UpdateConfig,
    /// Which files of a folder are held out: what it states itself, else a tenth, of which tiles of
    /// one image and frames of one recording stay together.
    pub parts: Option<PartRule>,
    /// Which patches are drawn.
    pub patches: PatchChoice,
    /// How ground without labels is learned from.
    pub unlabeled: Unlabeled,
    /// How patches are varied.
    pub augment: Augment,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Whether a pretrained encoder holds still and what it sees is kept.
    pub features: FeatureConfig,
    /// The network.
    pub model: ModelConfig,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 14,
            steps_per_epoch: 50,
            batch: 8,
            patch: 128,
            pixel_size: PixelSize::Auto,
            bands: Bands::Color,
            learning_rate: 4e-3,
            schedule: Schedule::default(),
            plateau: Plateau {
                patience: 5,
                factor: 0.5,
                ..Plateau::default()
            },
            stop_patience: 10,
            time_limit_minutes: 0.0,
            unfreeze_after: 0,
            state_seconds: None,
            memory: MemoryUse::Fit,
            gradient_checkpointing: false,
            best_by: BestBy::ValLoss,
            class_weighting: ClassWeighting::SqrtInverse,
            loss: Loss::default(),
            optimizer: OptimizerConfig::default(),
            updates: UpdateConfig::default(),
            parts: None,
            patches: PatchChoice::default(),
            unlabeled: Unlabeled::default(),
            augment: Augment::Full,
            device: DeviceChoice::Auto,
            features: FeatureConfig::default(),
            model: ModelConfig::default(),
        }
    }
}

/// So much work may be lost where a recipe does not say.
const STATE_SECONDS: f64 = 60.0;
/// A state is written each epoch anyway.
const MOST_STATE_SECONDS: f64 = 86_400.0;
/// Activations above this are refused before anything is allocated.
const MOST_BYTES: u64 = 64 << 30;
/// What gradient checkpointing leaves of the memory of a step with group norms (measured on the
/// CPU with the U-Net: 0.87 of 1.12 GB). Batch norms are one operation with what follows, and
/// nothing is saved (1.69 of 1.68 GB).
const KEPT_WITH_CHECKPOINTS: f64 = 0.8;

impl Recipe {
    /// What `epochs` may be.
    pub const EPOCHS: (u64, u64) = (1, 100_000);
    /// What `steps_per_epoch` may be.
    pub const STEPS_PER_EPOCH: (u64, u64) = (1, 1_000_000);
    /// What `batch` may be.
    pub const BATCH: (u64, u64) = (1, 512);
    /// What `patch` may be.
    pub const PATCH: (u64, u64) = (32, 4096);
    /// The most that `learning_rate` may be; it is above 0.
    pub const MOST_RATE: f64 = 1.0;
    /// The most that `time_limit_minutes` may be, ten years: whoever wants more wants no limit.
    pub const MOST_MINUTES: f64 = 5_256_000.0;

    /// A recipe from the text of a TOML file.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        from_toml(text)
    }

    /// The recipe as the text of a TOML file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe holds only numbers, words and tables")
    }

    /// Reads the recipe file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or does not parse.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let failed = |reason| TrainError::RecipeFile {
            reason,
            path: path.to_owned(),
        };
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Self::from_toml(&text).map_err(failed)
    }

    /// Writes the recipe to `path`, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        Ok(replace_file(path, self.to_toml().as_bytes())?)
    }

    /// How patches of `classes` are cut and varied.
    ///
    /// # Errors
    /// When the filter names a class that there is not.
    pub(super) fn patch_config(&self, classes: &ClassTable) -> Result<PatchConfig, TrainError> {
        let keep = self.patches.keep.as_ref();
        Ok(PatchConfig {
            keep: keep.map(|keep| keep.resolved(classes)).transpose()?,
            rare: self.patches.rare_classes,
            pixel_size: self.pixel_size,
            bands: self.bands.clone(),
            seed: self.seed,
            side: self.patch,
            num_classes: classes.num_classes(),
            augment: self.augment.clone(),
            parts: self.parts(),
        })
    }

    /// Steps of the whole training when it is not ended early.
    pub fn total_steps(&self) -> u64 {
        self.steps_up_to(self.epochs)
    }

    /// Steps of the epochs up to the end of `epoch`.
    pub fn steps_up_to(&self, epoch: u32) -> u64 {
        u64::from(epoch) * u64::from(self.steps_per_epoch)
    }

    /// Seconds after which the state is written in the middle of an epoch.
    pub fn state_seconds(&self) -> f64 {
        self.state_seconds.unwrap_or(STATE_SECONDS)
    }

    /// What a schedule must know of the training's length.
    pub fn span(&self) -> Span {
        Span {
            steps: self.total_steps(),
            steps_per_epoch: u64::from(self.steps_per_epoch),
        }
    }

    /// Which files are held out.
    pub fn parts(&self) -> PartRule {
        let as_stated = || PartRule {
            seed: self.seed,
            split: PartWay::ByFolder {
                shares: Shares::default(),
            },
            ..PartRule::default()
        };
        self.parts.clone().unwrap_or_else(as_stated)
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        let model = &self.model;
        within("epochs", self.epochs.into(), Self::EPOCHS)?;
        let steps = self.steps_per_epoch.into();
        within("steps_per_epoch", steps, Self::STEPS_PER_EPOCH)?;
        within("batch", self.batch as u64, Self::BATCH)?;
        within("patch", self.patch.into(), Self::PATCH)?;
        model.check().map_err(TrainError::Recipe)?;
        let step = model.stride().max(32) as u32;
        if !self.patch.is_multiple_of(step) {
            return wrong(format!(
                "patch is {}, it must be a multiple of {step}",
                self.patch
            ));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= Self::MOST_RATE) {
            return wrong(format!(
                "learning_rate is {}, it must be above 0 and at most {}, such as 0.004",
                self.learning_rate,
                Self::MOST_RATE
            ));
        }
        if !(0.0..=Self::MOST_MINUTES).contains(&self.time_limit_minutes) {
            return wrong(format!(
                "time_limit_minutes is {}, it must be in 0 to {}",
                self.time_limit_minutes,
                Self::MOST_MINUTES
            ));
        }
        let state_seconds = self.state_seconds();
        if !(0.0..=MOST_STATE_SECONDS).contains(&state_seconds) {
            return wrong(format!(
                "state_seconds is {state_seconds}, it must be in 0 to {MOST_STATE_SECONDS}"
            ));
        }
        self.augment.check()?;
        self.features.check(model)?;
        self.check_unfreezing()?;
        self.plateau.check()?;
        self.optimizer.check()?;
        self.updates.check()?;
        self.unlabeled.check(self.updates.ema)?;
        self.schedule.check()?;
        let bytes = self.unfrozen().as_ref().unwrap_or(self).estimated_bytes();
        if bytes > MOST_BYTES {
            let needed = bytes >> 30;
            return wrong(format!(
                "it needs about {needed} GiB; use smaller patches or batches"
            ));
        }
        Ok(())
    }

    /// About how much memory a step takes.
    pub fn estimated_bytes(&self) -> u64 {
        self.bytes_of(self.batch)
    }

    /// About how much memory so many patches at once take.
    pub fn bytes_of(&self, patches: usize) -> u64 {
        let pixels = u64::from(self.patch).pow(2) * patches as u64;
        let kept = if self.gradient_checkpointing && self.model.norm == NormKind::Group {
            KEPT_WITH_CHECKPOINTS
        } else {
            1.0
        };
        (pixels as f64 * self.model.numbers_a_pixel() * kept) as u64 * size_of::<f32>() as u64
    }
}

fn within(field: &str, value: u64, (least, most): (u64, u64)) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    wrong(format!(
        "{field} is {value}, it must be in {least} to {most}"
    ))
}

fn wrong(what: String) -> Result<(), TrainError> {
    Err(TrainError::Recipe(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_works_and_survives_a_file() {
        let recipe = Recipe::default();
        recipe.check().expect("a working default");
        assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
    }

    #[test]
    fn a_file_may_leave_things_out_but_not_misspell_them() {
        let recipe = Recipe::from_toml("epochs = 3\ndevice = \"cpu\"\n[model]\ndepth = 2\n");
        let recipe = recipe.expect("a recipe");
        assert_eq!((recipe.epochs, recipe.model.depth, recipe.batch), (3, 2, 8));
        assert_eq!(recipe.device, DeviceChoice::Cpu);
        let error = Recipe::from_toml("epoch = 3").expect_err("a misspelling");
        let words = "line 1, “epoch = 3”: unknown field `epoch`; write one of `seed`, `epochs`";
        assert!(error.starts_with(words), "{error}");
    }

    #[test]
    fn how_often_the_state_is_written_is_said_where_it_is_unusual() {
        let usual = Recipe::default().to_toml();
        assert!(!usual.contains("state_seconds"), "{usual}");
        let often = Recipe {
            state_seconds: Some(0.5),
            ..Recipe::default()
        };
        assert_eq!(Recipe::from_toml(&often.to_toml()), Ok(often));
    }

    #[test]
    fn patches_are_chosen_in_a_table() {
        let text = "[patches]\nrare_classes = \"balanced\"\n\
                    keep = { counted = { all_but = [\"background\"] }, more_than = 0.1 }\n";
        let recipe = Recipe::from_toml(text).expect("a recipe");
        assert_eq!(recipe.patches.rare_classes, RareClasses::BALANCED);
        let keep = recipe.patches.keep.as_ref().expect("a filter");
        assert!((keep.more_than - 0.1).abs() < 1e-9);
        assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Recipe), word: &str) {
        let mut recipe = Recipe::default();
        change(&mut recipe);
        let error = recipe.check().expect_err("a refusal").to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn what_cannot_work_is_named() {
        check_refused(|recipe| recipe.epochs = 0, "epochs is 0");
        check_refused(|recipe| recipe.batch = 0, "batch");
        check_refused(|recipe| recipe.patch = 100, "multiple of 32");
        check_refused(
            |recipe| (recipe.model.depth, recipe.patch) = (6, 96),
            "multiple of 64",
        );
        check_refused(|recipe| recipe.model.base_filters = 0, "base_filters");
        check_refused(|recipe| recipe.model.in_channels = 65, "in_channels is 65");
        check_refused(|recipe| recipe.learning_rate = f64::NAN, "learning_rate");
        check_refused(
            |recipe| recipe.learning_rate = 0.0,
            "learning_rate is 0, it must be above 0",
        );
        check_refused(|recipe| recipe.time_limit_minutes = -1.0, "time_limit");
        check_refused(|recipe| recipe.state_seconds = Some(-1.0), "state_seconds");
        check_refused(|recipe| recipe.plateau.factor = 0.0, "plateau.factor");
        check_refused(|recipe| recipe.updates.accumulate = 0, "accumulate");
        check_refused(|recipe| (recipe.patch, recipe.batch) = (4096, 512), "GiB");
    }
}
