use std::path::Path;

use toml::Table;

use super::{ExperimentSpec, RunSize};
use crate::train::changes::changed;
use crate::train::{DeviceChoice, Recipe, TrainError, Trial};

/// How an experiment is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExperimentChoice {
    /// How much.
    pub size: RunSize,
    /// Epochs at most, instead of what the size says.
    pub epochs: Option<u32>,
    /// Portions of the cross-validation, instead of what the experiment says.
    pub folds: Option<u32>,
    /// Where to compute, instead of what the recipe says.
    pub device: Option<DeviceChoice>,
}

impl ExperimentSpec {
    /// The trainings of the experiment on the data in `data` (absolute), folds and repeats spelled
    /// out.
    ///
    /// # Errors
    /// When a recipe does not work.
    pub fn trials(&self, choice: &ExperimentChoice, data: &Path) -> Result<Vec<Trial>, TrainError> {
        let mut trials = Vec::new();
        for spec in &self.trials {
            let own = match choice.size {
                RunSize::Small => &spec.small,
                RunSize::Full => &spec.full,
            };
            let trial = Trial {
                name: spec.name.clone(),
                group: spec.title.clone(),
                recipe: self.recipe(choice, &[&spec.recipe, own])?,
                data: data.to_owned(),
                judge: self.judge,
                until: None,
            };
            let folds = choice.folds.or(self.folds).filter(|_| self.folds.is_some());
            trials.extend(match folds {
                Some(folds) => trial.folded(folds),
                None if self.seeds.is_empty() => vec![trial],
                None => trial.repeated(&self.seeds),
            });
        }
        Ok(trials)
    }

    /// The preset with the changes of the experiment, the size and `more`.
    pub(super) fn recipe(
        &self,
        choice: &ExperimentChoice,
        more: &[&Table],
    ) -> Result<Recipe, TrainError> {
        let wrong = |why: String| TrainError::Experiment(format!("{}: {why}", self.title));
        let preset = self.preset();
        let preset = preset.ok_or_else(|| wrong(format!("no preset {}", self.preset)))?;
        let size = &self.size(choice.size).recipe;
        let changes = [&self.recipe, size].into_iter().chain(more.iter().copied());
        let mut recipe = changed(&preset.recipe(), changes).map_err(wrong)?;
        recipe.epochs = choice.epochs.unwrap_or(recipe.epochs);
        recipe.device = choice.device.clone().unwrap_or(recipe.device);
        recipe.check()?;
        Ok(recipe)
    }
}
