use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use super::draw::{Choice, MOST_TRIALS, grid, sample};
use super::halving::epochs_of;
use super::with_base::put_base_first;
use super::words::words;
use super::{Axis, Rung, SearchSpec, SearchWay};
use crate::train::changes::changed;
use crate::train::{BestBy, Recipe, ScoredOn, TrainError, Trial, WallClock};

/// Trials of a random sample when the file does not say.
const USUAL_SAMPLES: usize = 12;

/// A search that can start.
#[derive(Clone, Debug)]
pub struct SearchPlan {
    pub(super) title: String,
    axes: Vec<Axis>,
    trials: Vec<SearchTrial>,
    rungs: Vec<Rung>,
    pub(super) refit_seeds: Vec<u64>,
    pub(super) best_by: BestBy,
    notes: Vec<String>,
    data: PathBuf,
    folder: PathBuf,
    pub(super) cache_bytes: usize,
    /// Tells when a trial begins.
    pub(super) clock: Option<WallClock>,
}

/// One training of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchTrial {
    /// The name of its run folder.
    pub name: String,
    /// What differs from the others, one value for each axis.
    pub values: Vec<Value>,
    /// All choices of the whole training.
    pub recipe: Recipe,
}

/// How many epochs a search takes, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SearchCost {
    /// With the cuts.
    pub epochs: u64,
    /// If every trial were trained whole.
    pub uncut_epochs: u64,
    /// Of training the winner anew, besides.
    pub refit_epochs: u64,
}

impl SearchTrial {
    /// Its values as people read them.
    pub(super) fn value_words(&self) -> Vec<String> {
        self.values.iter().map(words).collect()
    }
}

impl SearchPlan {
    /// Searches as `spec` says from `base` (see [`SearchSpec::base`]) on the data set in `data`
    /// (absolute), in `folder`, which may hold a part of the same search already; at most about
    /// `cache_bytes` of decoded images are kept.
    ///
    /// # Errors
    /// When something that varies is no choice of a recipe, makes scores that cannot be compared,
    /// or leaves no trial that works.
    pub fn new(
        spec: &SearchSpec,
        base: Recipe,
        data: PathBuf,
        folder: PathBuf,
        cache_bytes: usize,
    ) -> Result<Self, TrainError> {
        spec.halving.check()?;
        let axes = spec.axes()?;
        comparable(&axes, &base)?;
        let mut choices = chosen(spec, &axes)?;
        if spec.with_base {
            put_base_first(&mut choices, &axes, &base, spec)?;
        }
        let mut notes = Vec::new();
        let wanted = spec.samples.unwrap_or(USUAL_SAMPLES);
        if spec.way == SearchWay::Random && choices.len() < wanted {
            let there = choices.len();
            notes.push(format!(
                "There are only {there} different trials, not {wanted}"
            ));
        }
        if axes.iter().any(|axis| axis.path == "pixel_size") {
            notes.push(
                "Pixels of different size are scored in their own size, so these validation \
                 scores compare only roughly"
                    .to_owned(),
            );
        }
        let trials = working_trials(&axes, choices, &base, &mut notes)?;
        let epochs = trials.iter().map(|trial| trial.recipe.epochs).max();
        let mut rungs = spec.halving.rungs(trials.len(), epochs.unwrap_or(1));
        let refit_seeds = spec.refit.seeds.clone();
        if !refit_seeds.is_empty()
            && rungs.len() > 1
            && rungs.last().is_some_and(|last| last.trials == 1)
        {
            // The winner is known before, and is trained whole anyway.
            rungs.pop();
        }
        Ok(Self {
            title: spec.title.clone(),
            axes,
            trials,
            rungs,
            refit_seeds,
            best_by: base.best_by.clone(),
            notes,
            data,
            folder,
            cache_bytes,
            clock: None,
        })
    }

    /// Notes in each run folder when its training began, by `clock`.
    #[must_use]
    pub const fn timed(mut self, clock: Option<WallClock>) -> Self {
        self.clock = clock;
        self
    }

    /// What varies, by path.
    pub(super) fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The trials in the order of their names.
    pub fn trials(&self) -> &[SearchTrial] {
        &self.trials
    }

    /// The parts of the search.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// What the user should know before it starts.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The folder that holds the run folders.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many epochs it takes.
    pub fn cost(&self) -> SearchCost {
        let epochs = self.trials.iter().map(|trial| trial.recipe.epochs);
        let longest = u64::from(epochs.clone().max().unwrap_or(0));
        SearchCost {
            epochs: epochs_of(&self.rungs),
            uncut_epochs: epochs.map(u64::from).sum(),
            refit_epochs: self.refit_seeds.len() as u64 * longest,
        }
    }

    /// The trial of a name.
    pub(super) fn trial(&self, name: &str) -> Option<&SearchTrial> {
        self.trials.iter().find(|trial| trial.name == name)
    }

    /// The trial as the queue does it up to `until`.
    pub(super) fn queued(&self, trial: &SearchTrial, until: u32) -> Trial {
        Trial {
            name: trial.name.clone(),
            group: self.label(trial),
            recipe: trial.recipe.clone(),
            data: self.data.clone(),
            judge: None,
            until: Some(until),
        }
    }

    /// The whole trainings of `winner` from each seed.
    pub(super) fn refits(&self, winner: &SearchTrial, judge: Option<ScoredOn>) -> Vec<Trial> {
        let whole = Trial {
            name: "refit".to_owned(),
            judge,
            until: None,
            ..self.queued(winner, 0)
        };
        whole.repeated(&self.refit_seeds)
    }

    /// What is special about a trial, in a line.
    pub fn label(&self, trial: &SearchTrial) -> String {
        said(&self.axes, &trial.values)
    }

    /// A number of what is searched and how: another for other trials or cuts.
    pub(super) fn print(&self) -> String {
        let mut text = format!("{:?}", self.rungs);
        for trial in &self.trials {
            text.push_str(&trial.name);
            text.push_str(&trial.recipe.to_toml());
        }
        format!("{:08x}", crc32c::crc32c(text.as_bytes()))
    }
}

fn chosen(spec: &SearchSpec, axes: &[Axis]) -> Result<Vec<Choice>, TrainError> {
    let wrong = |why: &str| Err(TrainError::Search(why.to_owned()));
    match (spec.way, spec.samples) {
        (SearchWay::Grid, None) => grid(axes),
        (SearchWay::Grid, Some(_)) => wrong(
            "a grid has as many trials as it has; leave samples out, or take way = \"random\"",
        ),
        (SearchWay::Random, samples) => match samples.unwrap_or(USUAL_SAMPLES) {
            0 => wrong("samples is 0, it must be 1 or more"),
            count if count > MOST_TRIALS => wrong("samples must be at most 1000"),
            count => Ok(sample(axes, count, spec.seed)),
        },
    }
}

/// Refuses what would leave scores of different things.
fn comparable(axes: &[Axis], base: &Recipe) -> Result<(), TrainError> {
    for axis in axes {
        let field = axis.path.split('.').next().unwrap_or_default();
        let why = match field {
            "parts" => "all trials must hold the same ground out; set it in [recipe] instead",
            "best_by" => "all trials must be chosen by one score; set it in [recipe] instead",
            "loss" | "class_weighting" if base.best_by == BestBy::ValLoss => {
                "the validation loss of one loss cannot be compared with that of another; set \
                 best_by = \"mean_iou\" in [recipe]"
            }
            _ => continue,
        };
        return Err(TrainError::Search(format!("vary.{}: {why}", axis.path)));
    }
    Ok(())
}

/// The trials whose recipes work; the others are noted.
fn working_trials(
    axes: &[Axis],
    choices: Vec<Choice>,
    base: &Recipe,
    notes: &mut Vec<String>,
) -> Result<Vec<SearchTrial>, TrainError> {
    let mut trials = Vec::new();
    let mut left_out: Option<(String, usize)> = None;
    let digits = choices.len().to_string().len();
    for (number, values) in (1..).zip(choices) {
        let mut recipe = recipe_of(axes, &values, base)?;
        // Trials hold the same ground out, also where their seeds differ.
        recipe.parts = Some(base.parts());
        match recipe.check() {
            Ok(()) => trials.push(SearchTrial {
                name: format!("trial-{number:0digits$}"),
                values,
                recipe,
            }),
            Err(error) => {
                let first = || (format!("{}: {error}", said(axes, &values)), 0);
                left_out.get_or_insert_with(first).1 += 1;
            }
        }
    }
    match left_out {
        Some((first, _)) if trials.is_empty() => Err(TrainError::Search(format!(
            "no trial has a recipe that works; the first is {first}"
        ))),
        Some((first, count)) => {
            notes.push(format!(
                "{count} trials are left out since their recipes do not work; the first is {first}"
            ));
            Ok(trials)
        }
        None => Ok(trials),
    }
}

pub(super) fn recipe_of(
    axes: &[Axis],
    values: &[Value],
    base: &Recipe,
) -> Result<Recipe, TrainError> {
    let changes = |axes: &[Axis]| -> Vec<Table> {
        let pairs = axes.iter().zip(values);
        pairs.map(|(axis, value)| axis.change(value)).collect()
    };
    let all = changes(axes);
    changed(base, &all).map_err(|why| {
        // The first path that makes it no recipe is the one to name.
        let is_wrong = |&count: &usize| changed(base, &all[..count]).is_err();
        let culprit = (1..=all.len()).find(is_wrong).map_or(0, |count| count - 1);
        TrainError::Search(format!(
            "vary.{} with {}: {why}",
            axes[culprit].path,
            words(&values[culprit])
        ))
    })
}

fn said(axes: &[Axis], values: &[Value]) -> String {
    let pairs = axes.iter().zip(values);
    let said: Vec<String> = pairs.map(|(axis, value)| axis.said(value)).collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str) -> Result<SearchPlan, TrainError> {
        let spec = SearchSpec::from_toml(text).expect("a search");
        let base = spec.base(Path::new(""))?;
        SearchPlan::new(&spec, base, "data".into(), "out".into(), 1 << 22)
    }

    #[track_caller]
    fn check_refused(text: &str, word: &str) {
        let error = planned(text).expect_err("a refusal").to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn what_is_no_choice_of_a_recipe_is_named() {
        check_refused(
            "vary.optimzer = [1]",
            "vary.optimzer with 1: unknown field `optimzer`",
        );
        check_refused("vary.model.famly = [\"unet\"]", "vary.model.famly");
        check_refused(
            "vary.model.family = [\"vnet\"]",
            "vary.model.family with vnet",
        );
        check_refused("vary.batch = [0]", "no trial has a recipe that works");
        check_refused("[vary]", "nothing varies");
    }

    #[test]
    fn scores_that_cannot_be_compared_are_refused() {
        check_refused("vary.parts.seed = [1, 2]", "same ground");
        check_refused("vary.best_by = [\"mean_iou\"]", "one score");
        let loss = "vary.loss = [[{ kind = \"dice\" }], [{ kind = \"cross_entropy\" }]]";
        check_refused(loss, "best_by = \"mean_iou\"");
        let plan = planned(&format!("recipe.best_by = \"mean_iou\"\n{loss}"));
        assert_eq!(plan.expect("a plan").trials().len(), 2);
    }

    #[test]
    fn a_grid_counts_itself() {
        let way = "way = \"grid\"\nrecipe.epochs = 9\nhalving.first_epochs = 1\n\
                   refit.seeds = []\nvary.batch = [4, 8, 16]\nvary.seed = [1, 2, 3]";
        let plan = planned(way).expect("a plan");
        let cost = SearchCost {
            epochs: 9 + 3 * 2 + 6,
            uncut_epochs: 81,
            refit_epochs: 0,
        };
        assert_eq!(plan.cost(), cost);
        let names: Vec<&str> = plan
            .trials()
            .iter()
            .map(|trial| trial.name.as_str())
            .collect();
        assert_eq!((names[0], names[8]), ("trial-1", "trial-9"));
        let trials = plan.trials();
        assert_eq!((trials[1].recipe.batch, trials[1].recipe.seed), (4, 2));
        assert!(
            trials
                .iter()
                .all(|trial| trial.recipe.parts() == trials[0].recipe.parts())
        );
        check_refused(&format!("samples = 3\n{way}"), "leave samples out");
    }

    #[test]
    fn a_winner_that_is_trained_anew_need_not_be_trained_to_its_end() {
        let text = "samples = 12\nrecipe.epochs = 30\n\
                    vary.learning_rate = { from = 1e-4, to = 1e-2, scale = \"log\" }\n";
        let plan = planned(text).expect("a plan");
        let cost = SearchCost {
            epochs: 36 + 24,
            uncut_epochs: 360,
            refit_epochs: 90,
        };
        assert_eq!(plan.cost(), cost);
        let whole = planned(&format!("{text}refit.seeds = []")).expect("a plan");
        assert_eq!(whole.rungs().last().map(|rung| rung.until), Some(30));
        assert_ne!(whole.print(), plan.print());
    }

    #[test]
    fn recipes_that_do_not_work_are_left_out_and_noted() {
        let plan = planned("way = \"grid\"\nvary.patch = [64, 100]").expect("a plan");
        assert_eq!(plan.trials().len(), 1);
        assert!(plan.notes()[0].contains("patch 100"), "{:?}", plan.notes());
        let plan = planned("vary.batch = [4, 8]").expect("a plan");
        assert!(plan.notes()[0].contains("only 2"), "{:?}", plan.notes());
    }

    #[test]
    fn every_search_that_is_shipped_works() {
        for name in SearchSpec::shipped_names() {
            let spec = SearchSpec::shipped(name).expect("it is there");
            let base = spec.base(Path::new("")).expect("a recipe");
            let plan = SearchPlan::new(&spec, base, "data".into(), "out".into(), 1);
            let plan = plan.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(plan.notes(), [""; 0], "{name}");
        }
    }
}
