use std::path::Path;

use toml::{Table, Value};

use super::{ExperimentSpec, RunSize};
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
        let mut table: Table =
            toml::from_str(&preset.recipe().to_toml()).map_err(|error| wrong(error.to_string()))?;
        let size = &self.size(choice.size).recipe;
        for changes in [&self.recipe, size].into_iter().chain(more.iter().copied()) {
            change(&mut table, changes);
        }
        let mut recipe = Recipe::from_toml(&table.to_string()).map_err(wrong)?;
        recipe.epochs = choice.epochs.unwrap_or(recipe.epochs);
        recipe.device = choice.device.clone().unwrap_or(recipe.device);
        recipe.check()?;
        Ok(recipe)
    }
}

/// Tables with one of these say what they are, so they are replaced and not mixed.
const TAGS: [&str; 2] = ["kind", "way"];

/// Lays `changes` over `table`.
fn change(table: &mut Table, changes: &Table) {
    for (name, value) in changes {
        match (table.get_mut(name), value) {
            (Some(Value::Table(inner)), Value::Table(changes))
                if !TAGS.iter().any(|tag| changes.contains_key(*tag)) =>
            {
                change(inner, changes);
            }
            _ => {
                table.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_laid_over_and_tagged_tables_replaced() {
        let parse = |text: &str| toml::from_str::<Table>(text).expect("a table");
        let mut table = parse("a = 1\n[m]\nx = 1\ny = 2\n[o]\nkind = \"sgd\"\nmomentum = 0.9");
        let changes = parse("b = 2\n[m]\ny = 3\n[o]\nkind = \"adam\"");
        change(&mut table, &changes);
        let expected = parse("a = 1\nb = 2\n[m]\nx = 1\ny = 3\n[o]\nkind = \"adam\"");
        assert_eq!(table, expected);
    }
}
