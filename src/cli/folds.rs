use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::drive::Drive;
use super::experiment::Told;
use crate::session::{Command, QueueCommand};
use crate::train::{FinalTable, Recipe, RunRecord, Spread, Trial};

/// Trains `recipe` on the data set once for each portion and seed, and says mean and deviation.
pub fn run(work: &Folds) -> anyhow::Result<()> {
    let trials = work.trials()?;
    let mut drive = Drive::new("Train");
    let mut told = Told::default();
    let command = QueueCommand::Start {
        folder: work.out.clone(),
        trials: trials.clone(),
    };
    drive.finish_with(Command::Queue(command), |session| {
        if !work.is_json {
            told.tell(session);
        }
    })?;
    let report = drive.session().queue().report;
    let report = report.context("The queue was stopped; the same command goes on with it")?;
    let records = trials
        .iter()
        .map(|trial| RunRecord::load(&work.out.join(&trial.name)));
    let records: Vec<RunRecord> = records.filter_map(Result::ok).collect();
    work.say(&FinalTable::of(&records));
    ensure!(
        report.failed == 0,
        "{} trainings failed; the same command tries them again",
        report.failed
    );
    Ok(())
}

/// A cross-validation, or one training from several seeds.
pub struct Folds {
    /// All choices.
    pub recipe: Recipe,
    /// The data set.
    pub data: PathBuf,
    /// The folder for the run folders.
    pub out: PathBuf,
    /// Portions; none: the recipe's own parts.
    pub folds: Option<u32>,
    /// Seeds; none: the recipe's own.
    pub seeds: Vec<u64>,
    /// Whether one JSON object is printed.
    pub is_json: bool,
}

impl Folds {
    fn trials(&self) -> anyhow::Result<Vec<Trial>> {
        let data = std::path::absolute(&self.data)?;
        ensure!(data.is_dir(), "The data is not there: {}", data.display());
        let whole = Trial {
            name: self.folds.map_or("run", |_| "fold").to_owned(),
            group: "mean".to_owned(),
            recipe: self.recipe.clone(),
            data,
            judge: None,
            until: None,
        };
        let folds = self
            .folds
            .map_or_else(|| vec![whole.clone()], |folds| whole.folded(folds));
        if self.seeds.is_empty() {
            return Ok(folds);
        }
        Ok(folds
            .iter()
            .flat_map(|fold| fold.repeated(&self.seeds))
            .collect())
    }

    fn say(&self, table: &FinalTable) {
        let groups = table.grouped(&vec!["mean".to_owned(); table.rows.len()]);
        let Some(group) = groups.first() else {
            return;
        };
        if self.is_json {
            let runs = table.rows.iter().map(|row| {
                json!({
                    "name": row.name,
                    "on": row.on,
                    "best_epoch": row.best_epoch,
                    "mean_iou": row.mean_iou,
                    "pixel_accuracy": row.pixel_accuracy,
                })
            });
            say!(
                "{}",
                json!({
                    "runs": runs.collect::<Vec<_>>(),
                    "on": group.on,
                    "mean_iou": group.mean_iou,
                    "pixel_accuracy": group.pixel_accuracy,
                    "majority_baseline": group.majority_baseline,
                })
            );
            return;
        }
        for (class, iou) in table.classes.iter().zip(&group.per_class_iou) {
            say!("IoU {class}: {}", Spread::words(*iou));
        }
        say!(
            "{} trainings ({}): mean IoU {}, accuracy {}, majority baseline {}",
            group.runs,
            group
                .on
                .map_or("different ground", crate::train::ScoredOn::words),
            Spread::words(group.mean_iou),
            Spread::words(group.pixel_accuracy),
            Spread::words(group.majority_baseline)
        );
    }
}
