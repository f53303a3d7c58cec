use serde::Serialize;

use super::ledger::SearchLedger;
use super::{Rung, SearchCost, SearchPlan, SearchTrial};
use crate::train::leak_check::warnings_of_runs;
use crate::train::{BestBy, FinalRow, FinalTable, RunRecord, ScoredOn, Spread};

/// What a search came to so far, from the files of its runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchResult {
    /// The heading.
    pub title: String,
    /// What varies, as paths into the recipe.
    pub paths: Vec<String>,
    /// The score that chooses.
    pub best_by: BestBy,
    /// The parts of the search.
    pub rungs: Vec<Rung>,
    /// How many of them are over.
    pub rungs_done: usize,
    /// How many epochs all of it takes, at most.
    pub cost: SearchCost,
    /// The trials, the best first: who went further stands before who was cut, what failed last.
    pub rows: Vec<SearchRow>,
    /// What the winner trained anew came to, as far as it was.
    pub refit: Option<RefitResult>,
}

/// A trial. Its scores are those of its best epoch on the validation part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchRow {
    /// Its name, also that of its run folder.
    pub name: String,
    /// What it has at each path.
    pub values: Vec<String>,
    /// Parts that it was in and that are over.
    pub rungs: usize,
    /// Epochs that ended.
    pub epochs: u32,
    /// The best of them, from 1.
    pub best_epoch: Option<u32>,
    /// The loss in it.
    pub val_loss: Option<f64>,
    /// The mean `IoU` in it.
    pub mean_iou: Option<f64>,
    /// Why they may be too good: what the validation part shares with others.
    pub leaks: Option<String>,
    /// Time of all epochs.
    pub seconds: f64,
    /// Why it failed.
    pub failure: Option<String>,
}

/// The winner trained anew from several seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RefitResult {
    /// The winner.
    pub winner: String,
    /// Trainings that are to be done.
    pub wanted: usize,
    /// Those that are done.
    pub rows: Vec<RefitRow>,
    /// The ground of all scores; `None` when it is not the same.
    pub on: Option<ScoredOn>,
    /// Over the seeds.
    pub mean_iou: Option<Spread>,
    /// Over the seeds.
    pub pixel_accuracy: Option<Spread>,
    /// Over the seeds: the accuracy of answering the most frequent class everywhere.
    pub majority_baseline: Option<Spread>,
}

/// One new training of the winner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RefitRow {
    /// Its name, also that of its run folder.
    pub name: String,
    /// Epochs that it was trained.
    pub epochs: u32,
    /// The best epoch, from 1.
    pub best_epoch: Option<u32>,
    /// The validation loss of the best epoch.
    pub val_loss: Option<f64>,
    /// The mean `IoU` of the best epoch on the ground that chooses.
    pub val_mean_iou: Option<f64>,
    /// The ground of the scores.
    pub on: ScoredOn,
    /// Why they may be too good: what that ground shares with other parts.
    pub leaks: Option<String>,
    /// The mean `IoU` of the best network.
    pub mean_iou: Option<f64>,
    /// The share of the labeled pixels that it has right.
    pub pixel_accuracy: Option<f64>,
    /// The pixel accuracy of answering the most frequent class everywhere.
    pub majority_baseline: Option<f64>,
    /// Time of all epochs.
    pub seconds: Option<f64>,
}

impl SearchResult {
    /// What the folder of `plan` says.
    pub(super) fn read(plan: &SearchPlan, ledger: &SearchLedger) -> Self {
        let mut rows: Vec<SearchRow> = Vec::new();
        for rung in ledger.rungs.iter().rev() {
            for standing in &rung.standings {
                let is_known = rows.iter().any(|row| row.name == standing.name);
                if let Some(trial) = plan.trial(&standing.name).filter(|_| !is_known) {
                    let mut row = row_of(plan, trial);
                    let rungs = ledger.rungs.iter();
                    let is_in = |name: &str| name == trial.name;
                    row.rungs = rungs
                        .filter(|rung| rung.standings.iter().any(|one| is_in(&one.name)))
                        .count();
                    row.failure.clone_from(&standing.failure);
                    rows.push(row);
                }
            }
        }
        let (good, failed): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.failure.is_none());
        let winner = good.first().map(|row| row.name.clone());
        let is_known = |name: &str| good.iter().chain(&failed).any(|row| row.name == name);
        let unknown = plan.trials().iter().filter(|trial| !is_known(&trial.name));
        let unknown: Vec<SearchRow> = unknown.map(|trial| row_of(plan, trial)).collect();
        let is_over = ledger.rungs.len() >= plan.rungs().len();
        Self {
            title: plan.title.clone(),
            paths: plan.axes().iter().map(|axis| axis.path.clone()).collect(),
            best_by: plan.best_by.clone(),
            rungs: plan.rungs().to_vec(),
            cost: plan.cost(),
            rungs_done: ledger.rungs.len(),
            rows: good.into_iter().chain(unknown).chain(failed).collect(),
            refit: winner
                .filter(|_| is_over && !plan.refit_seeds.is_empty())
                .and_then(|winner| RefitResult::read(plan, plan.trial(&winner)?)),
        }
    }

    /// Why scores may be too good, each reason once, in sentences without a period.
    pub fn leaks(&self) -> Vec<String> {
        let scored = self.rows.iter().filter(|row| row.best_epoch.is_some());
        let trials = scored.map(|row| (row.name.as_str(), row.leaks.as_deref()));
        let refits = self.refit.iter().flat_map(|refit| &refit.rows);
        let refits = refits.map(|row| (row.name.as_str(), row.leaks.as_deref()));
        let mut all = warnings_of_runs(trials);
        for warning in warnings_of_runs(refits) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }
}

fn row_of(plan: &SearchPlan, trial: &SearchTrial) -> SearchRow {
    let record = RunRecord::load(&plan.folder().join(&trial.name)).unwrap_or_default();
    let best = record.best_row();
    SearchRow {
        name: trial.name.clone(),
        values: trial.value_words(),
        rungs: 0,
        epochs: record.rows.last().map_or(0, |row| row.epoch),
        best_epoch: best.map(|row| row.epoch),
        val_loss: best.map(|row| row.val_loss),
        mean_iou: best.and_then(|row| row.mean_iou),
        leaks: record.leak_warning(ScoredOn::Validation),
        seconds: record.seconds().unwrap_or_default(),
        failure: None,
    }
}

impl RefitResult {
    /// What the new trainings of `winner` came to.
    fn read(plan: &SearchPlan, winner: &SearchTrial) -> Option<Self> {
        let trials = plan.refits(winner, None);
        let loaded = trials.iter().filter_map(|trial| {
            let record = RunRecord::load(&plan.folder().join(&trial.name)).ok()?;
            let is_whole = record.best.is_some() && !record.can_go_on;
            (is_whole && record.recipe.as_ref() == Some(&trial.recipe)).then_some(record)
        });
        let records: Vec<RunRecord> = loaded.collect();
        let table = FinalTable::of(&records);
        let group = table
            .grouped(&vec![winner.name.clone(); records.len()])
            .pop()?;
        let rows = table.rows.into_iter().zip(&records);
        let rows = rows.map(|(row, record)| RefitRow::of(row, record));
        Some(Self {
            winner: winner.name.clone(),
            wanted: trials.len(),
            rows: rows.collect(),
            on: group.on,
            mean_iou: group.mean_iou,
            pixel_accuracy: group.pixel_accuracy,
            majority_baseline: group.majority_baseline,
        })
    }
}

impl RefitRow {
    fn of(row: FinalRow, record: &RunRecord) -> Self {
        let best = record
            .rows
            .iter()
            .find(|of| Some(of.epoch) == row.best_epoch);
        let loss = best
            .map(|best| best.val_loss)
            .filter(|loss| loss.is_finite());
        Self {
            name: row.name,
            epochs: record.rows.last().map_or(0, |last| last.epoch),
            best_epoch: row.best_epoch,
            val_loss: loss,
            val_mean_iou: best.and_then(|best| best.mean_iou),
            on: row.on,
            leaks: row.leaks,
            mean_iou: row.mean_iou,
            pixel_accuracy: row.pixel_accuracy,
            majority_baseline: row.majority_baseline,
            seconds: row.seconds,
        }
    }
}
