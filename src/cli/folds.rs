use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::drive::Drive;
use super::experiment::Told;
use crate::disk::path_text;
use crate::session::{Command, FoldsOrder, QueueCommand};
use crate::train::{QueueTable, ScoredOn, Spread};

/// Trains `recipe` on the data set once for each portion and seed, and says mean and deviation.
pub fn run(order: FoldsOrder, is_json: bool) -> anyhow::Result<()> {
    let mut drive = Drive::new("Train");
    let mut told = Told::default();
    let command = QueueCommand::CrossValidate(Box::new(order));
    drive.finish_with(Command::Queue(command), |session| {
        if !is_json {
            told.tell(session);
        }
    })?;
    let queue = drive.session().queue();
    let report = queue.report;
    let report = report.context("The queue was stopped; the same command goes on with it")?;
    if let Some(table) = &queue.table {
        say_table(table, queue.page.as_deref(), is_json);
    }
    ensure!(
        report.failed == 0,
        "{} trainings failed; the same command tries them again",
        report.failed
    );
    Ok(())
}

fn say_table(table: &QueueTable, page: Option<&Path>, is_json: bool) {
    let (runs, group) = (&table.runs, &table.group);
    if is_json {
        let runs = runs.rows.iter().map(|row| {
            json!({
                "name": row.name,
                "on": row.on,
                "best_epoch": row.best_epoch,
                "mean_iou": row.mean_iou,
                "pixel_accuracy": row.pixel_accuracy,
                "majority_baseline": row.majority_baseline,
                "leaks": row.leaks,
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
                "page": page.map(path_text),
            })
        );
        return;
    }
    for (class, iou) in runs.classes.iter().zip(&group.per_class_iou) {
        say!("IoU {class}: {}", Spread::words(*iou));
    }
    if let Some(page) = page {
        say!("{}", page.display());
    }
    for warning in runs.leaks() {
        say!("warning: {warning}");
    }
    say!(
        "{} trainings ({}): mean IoU {}, accuracy {}, majority baseline {}",
        group.runs,
        group.on.map_or("different ground", ScoredOn::words),
        Spread::words(group.mean_iou),
        Spread::words(group.pixel_accuracy),
        Spread::words(group.majority_baseline)
    );
}
