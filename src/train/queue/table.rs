use std::path::{Path, PathBuf};

use crate::disk::replace_file;
use crate::train::report::{csv_line, put};
use crate::train::{FinalGroup, FinalTable, RunRecord, Spread, TrainError};

/// What trainings that are the same but for fold or seed came to, and what that is together.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueTable {
    /// One row a training.
    pub runs: FinalTable,
    /// Mean and standard deviation over all of them.
    pub group: FinalGroup,
}

impl QueueTable {
    /// What the runs of these names in the folder of a queue say; `None` without any.
    pub fn read(folder: &Path, names: &[String]) -> Option<Self> {
        let records = names.iter().map(|name| RunRecord::load(&folder.join(name)));
        let records: Vec<RunRecord> = records
            .filter_map(Result::ok)
            .filter(|record| record.best.is_some())
            .collect();
        Self::of(FinalTable::of(&records))
    }

    fn of(runs: FinalTable) -> Option<Self> {
        let groups = vec!["mean".to_owned(); runs.rows.len()];
        let group = runs.grouped(&groups).pop()?;
        Some(Self { runs, group })
    }

    /// Writes `folds.csv` and `folds.md` into `folder` and says where the page lies.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, TrainError> {
        let page = folder.join("folds.md");
        replace_file(&folder.join("folds.csv"), self.to_csv().as_bytes())?;
        replace_file(&page, self.to_markdown().as_bytes())?;
        Ok(page)
    }

    /// The table for programs: a row a training, then their mean and standard deviation.
    pub fn to_csv(&self) -> String {
        let mut text = self.runs.to_csv();
        let exact = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.6}"));
        let group = &self.group;
        for name in ["mean", "standard_deviation"] {
            let number = |spread: Option<Spread>| match name {
                "mean" => spread.map(|spread| spread.mean),
                _ => spread.and_then(|spread| spread.deviation),
            };
            let mut cells = vec![
                name.to_owned(),
                String::new(),
                String::new(),
                exact(number(group.seconds)),
                exact(number(group.best_epoch)),
                group
                    .on
                    .map_or_else(String::new, |on| on.words().to_owned()),
            ];
            let scores = [
                &group.majority_baseline,
                &group.pixel_accuracy,
                &group.mean_iou,
            ];
            let scores = scores.into_iter().chain(&group.ranked);
            let scores = scores.chain(&group.per_class_iou);
            cells.extend(scores.map(|spread| exact(number(*spread))));
            // What leaks is said of each training.
            cells.push(String::new());
            text.push_str(&csv_line(cells));
        }
        text
    }

    /// The same as a page.
    pub fn to_markdown(&self) -> String {
        let mut text = "# Trainings taken together\n\n".to_owned();
        put!(
            &mut text,
            "Mean and standard deviation of {} trainings that are the same but for fold or seed.\n\n",
            self.group.runs
        );
        let group = std::slice::from_ref(&self.group);
        text.push_str(&self.runs.groups_markdown(group));
        text.push_str("\n## Each training\n\n");
        text.push_str(&self.runs.to_markdown());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{FinalRow, ScoredOn};

    fn table(scores: &[f64]) -> Option<QueueTable> {
        let row = |(at, &score): (usize, &f64)| FinalRow {
            name: format!("fold-{at}"),
            network: Some("unet, plain".to_owned()),
            num_weights: Some(1_000),
            seconds: Some(10.0),
            best_epoch: Some(2),
            on: ScoredOn::Validation,
            leaks: (at > 0).then(|| format!("1 image of fold {at}")),
            pixel_accuracy: Some(score + 0.25),
            majority_baseline: Some(0.5),
            mean_iou: Some(score),
            ranked: vec![None],
            per_class_iou: vec![Some(score), None],
        };
        QueueTable::of(FinalTable {
            classes: vec!["road".to_owned(), "water".to_owned()],
            figures: vec![crate::metrics::Figure::Auroc],
            rows: scores.iter().enumerate().map(row).collect(),
            pinned: None,
            notes: Vec::new(),
        })
    }

    #[test]
    fn folds_have_a_mean_and_a_deviation() {
        let table = table(&[0.25, 0.5, 0.75]).expect("three");
        let csv = table.to_csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 6, "{csv}");
        let cells = |line: &str| line.split(',').count();
        assert!(lines[4].starts_with("mean,,,10.000000,2.000000,"), "{csv}");
        assert!(lines[4].ends_with(",0.500000,0.750000,0.500000,,0.500000,,"));
        assert!(lines[5].ends_with(",0.000000,0.250000,0.250000,,0.250000,,"));
        // What selected the epoch stands in quotes, as it has a comma.
        assert_eq!(cells(lines[4]), cells(lines[0]) + 1, "{csv}");
        let page = table.to_markdown();
        assert!(
            page.contains("0.500 ± 0.250") && page.contains("| fold-2 |"),
            "{page}"
        );
        assert!(page.contains("\nfold-2: 1 image of fold 2.\n"), "{page}");
        assert!(lines[3].ends_with(",,1 image of fold 2"), "{csv}");
        assert!(super::tests::table(&[]).is_none());
    }

    #[test]
    fn files_are_written_beside_the_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let page = table(&[0.5]).expect("one").write(folder.path());
        assert_eq!(page.expect("written"), folder.path().join("folds.md"));
        assert!(folder.path().join("folds.csv").is_file());
    }
}
