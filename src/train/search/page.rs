use std::path::Path;

use super::{RefitResult, SearchResult, SearchRow};
use crate::disk::replace_file;
use crate::train::report::{NONE, csv_line, duration, markdown_row, plain, put, ratio};
use crate::train::{ScoredOn, Spread, TrainError};

impl SearchResult {
    /// Writes `search.csv` and `search.md` into `folder`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        replace_file(&folder.join("search.csv"), self.to_csv().as_bytes())?;
        Ok(replace_file(
            &folder.join("search.md"),
            self.to_markdown().as_bytes(),
        )?)
    }

    /// The trials and the new trainings of the winner as a table for programs, the best first.
    /// Fields without a value are empty; of the new trainings those of what varies are.
    pub fn to_csv(&self) -> String {
        let paths = self.paths.iter().map(String::as_str);
        let before = ["place", "name"].into_iter();
        let after = [
            "rungs",
            "epochs",
            "best_epoch",
            "val_loss",
            "val_mean_iou",
            "test_mean_iou",
            "test_pixel_accuracy",
            "test_majority_baseline",
            "seconds",
            "failure",
            "leaks",
        ];
        let mut text = csv_line(before.chain(paths).chain(after));
        for (place, row) in (1u32..).zip(&self.rows) {
            let mut fields = vec![place.to_string(), row.name.clone()];
            fields.extend(row.values.iter().cloned());
            fields.extend([
                row.rungs.to_string(),
                row.epochs.to_string(),
                row.best_epoch
                    .map_or_else(String::new, |epoch| epoch.to_string()),
                exact(row.val_loss),
                exact(row.mean_iou),
                String::new(),
                String::new(),
                String::new(),
                format!("{:.2}", row.seconds),
                row.failure.clone().unwrap_or_default(),
                row.leaks.clone().unwrap_or_default(),
            ]);
            text.push_str(&csv_line(fields));
        }
        for row in self.refit.iter().flat_map(|refit| &refit.rows) {
            let on = |wanted, value: Option<f64>| exact(value.filter(|_| row.on == wanted));
            let mut fields = vec![String::new(), row.name.clone()];
            fields.extend(self.paths.iter().map(|_| String::new()));
            fields.extend([
                String::new(),
                String::new(),
                row.best_epoch
                    .map_or_else(String::new, |epoch| epoch.to_string()),
                String::new(),
                on(ScoredOn::Validation, row.mean_iou),
                on(ScoredOn::Test, row.mean_iou),
                on(ScoredOn::Test, row.pixel_accuracy),
                on(ScoredOn::Test, row.majority_baseline),
                exact(row.seconds),
                String::new(),
                row.leaks.clone().unwrap_or_default(),
            ]);
            text.push_str(&csv_line(fields));
        }
        text
    }

    /// All of it as a page.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n", plain(&self.title));
        self.push_rungs(&mut text);
        put!(
            &mut text,
            "## Trials\n\nScores are of each trial's best epoch so far, {}; by the {} one is \
             better than another. Who went further stands before who was cut.\n\n",
            ScoredOn::Validation.words(),
            self.score_words()
        );
        for warning in self.leaks() {
            put!(&mut text, "**{}.**\n\n", plain(&warning));
        }
        self.push_trials(&mut text);
        if let Some(refit) = &self.refit {
            push_refit(&mut text, refit);
        }
        text
    }

    /// What chooses, as tables call it.
    pub fn score_words(&self) -> String {
        self.best_by.words()
    }

    fn push_rungs(&self, text: &mut String) {
        text.push_str(&markdown_row(["Part", "Trials", "To epoch", "State"]));
        text.push_str("|---:|---:|---:|---|\n");
        for (at, rung) in self.rungs.iter().enumerate() {
            let state = if at < self.rungs_done {
                "done"
            } else {
                "to do"
            };
            text.push_str(&markdown_row([
                (at + 1).to_string(),
                rung.trials.to_string(),
                rung.until.to_string(),
                state.to_owned(),
            ]));
        }
        let cost = self.cost;
        put!(
            text,
            "\nThat is at most {} epochs, and would be {} without cuts{}.\n\n",
            cost.epochs,
            cost.uncut_epochs,
            match cost.refit_epochs {
                0 => String::new(),
                refit => format!("; training the winner anew takes {refit} more"),
            }
        );
    }

    fn push_trials(&self, text: &mut String) {
        let paths = self.paths.iter().map(|path| plain(path));
        let before = ["Place", "Trial"].map(str::to_owned).into_iter();
        let after = [
            "Epochs",
            "Best epoch",
            "Validation loss",
            "Mean IoU",
            "Training time",
        ];
        text.push_str(&markdown_row(
            before.chain(paths).chain(after.map(str::to_owned)),
        ));
        put!(
            text,
            "|---:|---|{}---:|---:|---:|---:|---:|\n",
            "---|".repeat(self.paths.len())
        );
        for (place, row) in (1u32..).zip(&self.rows) {
            text.push_str(&markdown_row(cells(place, row)));
        }
        text.push('\n');
        let failed = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.failure.as_ref()?)));
        for (row, why) in failed {
            put!(text, "- {} failed: {}\n", row.name, plain(why));
        }
        if self.rows.iter().any(|row| row.failure.is_some()) {
            text.push('\n');
        }
    }
}

fn cells(place: u32, row: &SearchRow) -> Vec<String> {
    let mut cells = vec![place.to_string(), row.name.clone()];
    cells.extend(row.values.iter().map(|value| plain(value)));
    cells.extend([
        row.epochs.to_string(),
        row.best_epoch
            .map_or_else(|| NONE.to_owned(), |epoch| epoch.to_string()),
        row.val_loss
            .map_or_else(|| NONE.to_owned(), |loss| format!("{loss:.4}")),
        row.mean_iou
            .map_or_else(|| NONE.to_owned(), |iou| format!("{iou:.4}")),
        duration(row.seconds),
    ]);
    cells
}

fn push_refit(text: &mut String, refit: &RefitResult) {
    put!(
        text,
        "## The winner trained anew\n\n{} from {} of {} seeds, each to its end.\n\n",
        refit.winner,
        refit.rows.len(),
        refit.wanted
    );
    text.push_str(&markdown_row([
        "Run",
        "Scored on",
        "Best epoch",
        "Pixel accuracy",
        "Mean IoU",
        "Training time",
    ]));
    text.push_str("|---|---|---:|---:|---:|---:|\n");
    for row in &refit.rows {
        text.push_str(&markdown_row([
            row.name.clone(),
            row.on.words().to_owned(),
            row.best_epoch
                .map_or_else(|| NONE.to_owned(), |epoch| epoch.to_string()),
            ratio(row.pixel_accuracy),
            ratio(row.mean_iou),
            row.seconds.map_or_else(|| NONE.to_owned(), duration),
        ]));
    }
    text.push_str(&markdown_row([
        "**mean ± standard deviation**".to_owned(),
        refit
            .on
            .map_or("different ground", ScoredOn::words)
            .to_owned(),
        String::new(),
        Spread::words(refit.pixel_accuracy),
        Spread::words(refit.mean_iou),
        String::new(),
    ]));
    put!(
        text,
        "\nAnswering the most frequent class everywhere has a pixel accuracy of {}.\n",
        Spread::words(refit.majority_baseline)
    );
}

/// A number as tables for programs have it; empty when there is none.
fn exact(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}

#[cfg(test)]
mod tests {
    use super::super::{RefitRow, SearchCost};
    use super::*;
    use crate::train::BestBy;

    #[test]
    fn a_winner_has_its_baseline_beside_its_accuracy() {
        let row = RefitRow {
            name: "refit-seed-7".to_owned(),
            epochs: 9,
            best_epoch: Some(3),
            val_loss: Some(0.5),
            val_mean_iou: Some(0.625),
            on: ScoredOn::Test,
            leaks: Some("5 test images".to_owned()),
            mean_iou: Some(0.5),
            pixel_accuracy: Some(0.75),
            majority_baseline: Some(0.625),
            seconds: Some(1.0),
        };
        let trial = SearchRow {
            name: "trial-0".to_owned(),
            values: vec!["0.1".to_owned()],
            rungs: 1,
            epochs: 9,
            best_epoch: Some(3),
            val_loss: Some(0.5),
            mean_iou: Some(0.625),
            leaks: None,
            seconds: 1.0,
            failure: None,
        };
        let result = SearchResult {
            title: "A search".to_owned(),
            paths: vec!["learning_rate".to_owned()],
            best_by: BestBy::default(),
            rungs: Vec::new(),
            rungs_done: 0,
            cost: SearchCost {
                epochs: 9,
                uncut_epochs: 9,
                refit_epochs: 9,
            },
            rows: vec![trial],
            refit: Some(RefitResult {
                winner: "trial-0".to_owned(),
                wanted: 1,
                rows: vec![row],
                on: Some(ScoredOn::Test),
                mean_iou: None,
                pixel_accuracy: None,
                majority_baseline: None,
            }),
        };
        assert_eq!(
            result.to_csv(),
            "place,name,learning_rate,rungs,epochs,best_epoch,val_loss,val_mean_iou,\
             test_mean_iou,test_pixel_accuracy,test_majority_baseline,seconds,failure,leaks\n\
             1,trial-0,0.1,1,9,3,0.500000,0.625000,,,,1.00,,\n\
             ,refit-seed-7,,,,3,,,0.500000,0.750000,0.625000,1.000000,,5 test images\n"
        );
        assert_eq!(
            result.to_markdown().matches("**5 test images.**").count(),
            1
        );
    }
}
