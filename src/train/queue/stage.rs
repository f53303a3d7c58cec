use std::fs;
use std::path::Path;

use super::{QueuePlan, Trial};
use crate::train::resume::STATE_FILE;
use crate::train::run_folder::CHECKPOINTS;
use crate::train::{EarlyStop, Judgement, Recipe, RunRecord, TrainError, can_go_on};

/// How far a trial is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is there.
    Fresh,
    /// It was killed before its state was written once; what is there is of no use.
    Lost,
    /// It can go on.
    Begun,
    /// Its training is over, or as far as the trial wants it.
    Trained,
    /// Everything is there.
    Complete,
}

impl Stage {
    /// How far `trial` is in its run folder.
    ///
    /// # Errors
    /// When the folder holds a run of another recipe or on other data, or none that can be read.
    pub(super) fn of(plan: &QueuePlan, trial: &Trial) -> Result<Self, TrainError> {
        let run = &plan.run_of(trial);
        let recipe = run.join("recipe.toml");
        if !recipe.is_file() {
            // The recipe is the last file that is written before the first step.
            let is_begun = run.join(CHECKPOINTS).is_dir() && !run.join("best").exists();
            return Ok(if is_begun { Self::Lost } else { Self::Fresh });
        }
        if Recipe::load(&recipe)? != trial.recipe {
            return Err(TrainError::OtherRecipe(run.clone()));
        }
        plan.data_of(trial).is_kept_in(run)?;
        let record = RunRecord::load(run)?;
        let is_judged = |on| Judgement::load(run, on).is_some();
        let trained = match trial.judge {
            Some(on) if !is_judged(on) => Self::Trained,
            _ => Self::Complete,
        };
        if can_go_on(run) {
            let epochs = record.rows.last().map_or(0, |row| row.epoch);
            let rests = trial.until.is_some_and(|until| epochs >= until);
            return Ok(if rests { trained } else { Self::Begun });
        }
        if !is_over(&record, &trial.recipe) {
            // The first state is written after the first epoch at the latest. What has more was
            // made by another version or by hand, and is not ours to remove.
            let is_lost = record.rows.len() <= 1 && !run.join(STATE_FILE).exists();
            return is_lost.then_some(Self::Lost).ok_or_else(|| {
                TrainError::Queue(format!(
                    "The run is not finished but cannot go on in this version; remove it to train \
                     it anew: {}",
                    run.display()
                ))
            });
        }
        Ok(trained)
    }
}

/// Whether the recipe had nothing more to do after the run's last epoch.
fn is_over(record: &RunRecord, recipe: &Recipe) -> bool {
    let Some(last) = record.rows.last().filter(|_| record.best.is_some()) else {
        return false;
    };
    let mut stop = EarlyStop::new(recipe.stop_patience);
    let classes = record.classes.clone().unwrap_or_default();
    let costs = record.rows.iter();
    let costs = costs.map(|row| recipe.best_by.cost(row, &classes));
    let is_stopped = costs.fold(false, |_, cost| stop.judge(cost));
    // A state is there from the first step on, so what has a time limit and none has reached it.
    let is_timed = recipe.time_limit_minutes > 0.0 && !record.folder.join(STATE_FILE).exists();
    last.epoch >= recipe.epochs || is_stopped || is_timed
}

/// Removes what a trial left that was killed before its state was written once.
pub(super) fn clear(run: &Path) -> Result<(), TrainError> {
    fs::remove_dir_all(run).map_err(|source| TrainError::Folder {
        path: run.to_owned(),
        source,
    })
}
