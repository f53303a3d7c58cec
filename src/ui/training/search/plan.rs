use std::path::PathBuf;
use std::sync::Arc;

use crate::session::{ReadSearch, Session};
use crate::train::{Recipe, Rung, SearchAxis, SearchChoices, SearchCost, SearchPlan, SearchSpec};
use crate::ui::text;

/// What a search would do, made when a choice changes.
#[derive(Debug)]
pub struct Planned {
    choices: SearchChoices,
    recipe: Recipe,
    file: Option<Arc<ReadSearch>>,
    /// The place of what the recipe has, for each of [`SearchAxis::ALL`].
    pub own: Vec<Option<usize>>,
    /// What is searched, from where.
    pub order: (SearchSpec, Recipe),
    /// What that is, or why it does not work.
    pub outcome: Result<Outcome, String>,
}

/// A search that can start.
#[derive(Debug)]
pub struct Outcome {
    trials: usize,
    rungs: Vec<Rung>,
    cost: SearchCost,
    /// What the person should know.
    pub notes: Vec<String>,
}

impl Planned {
    /// What comes of the choices, or of a search file, for a recipe.
    pub fn of(choices: &SearchChoices, recipe: &Recipe, file: Option<&Arc<ReadSearch>>) -> Self {
        let (spec, base) = match file {
            Some(file) => {
                // Where to compute is no matter of the file.
                let mut base = file.base.clone();
                base.device = recipe.device.clone();
                (file.spec.clone(), base)
            }
            None => choices.order(recipe),
        };
        let nowhere = PathBuf::new;
        let plan = SearchPlan::new(&spec, base.clone(), nowhere(), nowhere(), 0);
        Self {
            choices: choices.clone(),
            recipe: recipe.clone(),
            file: file.cloned(),
            own: SearchAxis::ALL.map(|axis| axis.own(recipe)).to_vec(),
            order: (spec, base),
            outcome: plan.map_err(|why| why.to_string()).map(|plan| Outcome {
                trials: plan.trials().len(),
                rungs: plan.rungs().to_vec(),
                cost: plan.cost(),
                notes: plan.notes().to_vec(),
            }),
        }
    }

    /// Whether it is still about these.
    pub fn is_of(
        &self,
        choices: &SearchChoices,
        recipe: &Recipe,
        file: Option<&Arc<ReadSearch>>,
    ) -> bool {
        let is_same_file = match (&self.file, file) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        is_same_file && self.choices == *choices && self.recipe == *recipe
    }
}

impl Outcome {
    /// How many trials go how far.
    pub fn words(&self) -> String {
        let parts: Vec<String> = (self.rungs.iter())
            .map(|rung| format!("{} to epoch {}", rung.trials, rung.until))
            .collect();
        let noun = if self.trials == 1 { "trial" } else { "trials" };
        format!("{} {noun}: {}", self.trials, parts.join(", "))
    }

    /// What that takes.
    pub fn cost_words(&self, seconds_an_epoch: Option<f64>) -> String {
        let SearchCost {
            epochs,
            uncut_epochs,
            refit_epochs,
        } = self.cost;
        let saved = if uncut_epochs > epochs {
            format!(" instead of {uncut_epochs}")
        } else {
            String::new()
        };
        let refit = match refit_epochs {
            0 => String::new(),
            more => format!(", and {more} for the winner anew"),
        };
        let time = time_words(epochs + refit_epochs, seconds_an_epoch);
        format!("At most {epochs} epochs{saved}{refit}; {time}")
    }
}

/// How long so many epochs take, where that is known.
pub fn time_words(epochs: u64, seconds_an_epoch: Option<f64>) -> String {
    match seconds_an_epoch {
        Some(seconds) => format!("about {}", text::duration(seconds * epochs as f64)),
        None => "how long is known once such a training has begun".to_owned(),
    }
}

/// How long an epoch takes, if the last training was like this one.
pub fn seconds_an_epoch(session: &Session, recipe: &Recipe) -> Option<f64> {
    let state = session.training();
    let size = |recipe: &Recipe| {
        (
            recipe.batch,
            recipe.patch,
            recipe.steps_per_epoch,
            recipe.model.clone(),
            recipe.device.clone(),
        )
    };
    let last = state.recipe.as_ref()?;
    if size(last) != size(recipe) {
        return None;
    }
    if !state.rows.is_empty() {
        let seconds: f64 = state.rows.iter().map(|row| row.seconds).sum();
        return Some(seconds / state.rows.len() as f64);
    }
    let forecast = state.forecast.as_ref()?;
    Some(forecast.seconds_per_step * f64::from(recipe.steps_per_epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_search_takes_is_said_before_it_starts() {
        let (mut choices, recipe) = (SearchChoices::default(), Recipe::default());
        let whole = Planned::of(&choices, &recipe, None).outcome;
        let whole = whole.expect("a plan");
        assert_eq!(whole.words(), "12 trials: 12 to epoch 3, 4 to epoch 9");
        let words = whole.cost_words(Some(2.0));
        let expected = "At most 60 epochs instead of 168, and 42 for the winner anew; about ";
        assert!(words.starts_with(expected), "{words}");
        choices.refits = false;
        let planned = Planned::of(&choices, &recipe, None);
        assert!(planned.is_of(&choices, &recipe, None));
        let outcome = planned.outcome.as_ref().expect("a plan");
        assert_eq!(
            outcome.words(),
            "12 trials: 12 to epoch 3, 4 to epoch 9, 1 to epoch 14"
        );
        let words = outcome.cost_words(Some(2.0));
        assert!(
            words.starts_with("At most 65 epochs instead of 168; about "),
            "{words}"
        );
        assert!(outcome.cost_words(None).contains("how long is known"));
        let mut other = choices.clone();
        other.rate.is_varied = false;
        assert!(!planned.is_of(&other, &recipe, None));
        let nothing = Planned::of(&other, &recipe, None);
        assert!(
            nothing
                .outcome
                .expect_err("nothing varies")
                .contains("nothing varies")
        );
    }

    #[test]
    fn a_search_that_is_shipped_can_be_started() {
        let file = Arc::new(ReadSearch::shipped("camvid").expect("it is there"));
        let (choices, recipe) = (SearchChoices::default(), Recipe::default());
        let planned = Planned::of(&choices, &recipe, Some(&file));
        assert!(planned.outcome.is_ok());
        assert!(planned.is_of(&choices, &recipe, Some(&file)));
        assert!(!planned.is_of(&choices, &recipe, None));
    }
}
