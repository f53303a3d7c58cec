use std::fs;
use std::path::Path;

use super::Trial;
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
    /// Its training is over.
    Trained,
    /// Everything is there.
    Complete,
}

impl Stage {
    /// How far `trial` is in the folder `run`.
    ///
    /// # Errors
    /// When the folder holds a run of another recipe, or none that can be read.
    pub(super) fn of(trial: &Trial, run: &Path) -> Result<Self, TrainError> {
        let recipe = run.join("recipe.toml");
        if !recipe.is_file() {
            // The recipe is the last file that is written before the first step.
            let is_begun = run.join(CHECKPOINTS).is_dir() && !run.join("best").exists();
            return Ok(if is_begun { Self::Lost } else { Self::Fresh });
        }
        if Recipe::load(&recipe)? != trial.recipe {
            return Err(TrainError::OtherRecipe(run.to_owned()));
        }
        if can_go_on(run) {
            return Ok(Self::Begun);
        }
        let record = RunRecord::load(run)?;
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
        let is_judged = |on| Judgement::load(run, on).is_some();
        Ok(match trial.judge {
            Some(on) if !is_judged(on) => Self::Trained,
            _ => Self::Complete,
        })
    }
}

/// Whether the recipe had nothing more to do after the run's last epoch.
fn is_over(record: &RunRecord, recipe: &Recipe) -> bool {
    let Some(last) = record.rows.last().filter(|_| record.best.is_some()) else {
        return false;
    };
    let mut stop = EarlyStop::new(recipe.stop_patience);
    let costs = record.rows.iter();
    let costs = costs.map(|row| recipe.best_by.cost(row.val_loss, row.mean_iou));
    let is_stopped = costs.fold(false, |_, cost| stop.judge(cost));
    last.epoch >= recipe.epochs || is_stopped
}

/// Removes what a trial left that was killed before its state was written once.
pub(super) fn clear(run: &Path) -> Result<(), TrainError> {
    fs::remove_dir_all(run).map_err(|source| TrainError::Folder {
        path: run.to_owned(),
        source,
    })
}
