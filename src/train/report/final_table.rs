use super::{JudgedClass, RunRecord, ScoredOn};
use crate::dataset::SplitReport;
use crate::metrics::Figure;
use crate::train::EpochRow;
use crate::train::leak_check::warnings_of_runs;

/// Several runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalTable {
    /// The names of all classes, in the order in which the runs name them.
    pub classes: Vec<String>,
    /// What else is a column: those of [`JudgedClass::RANKING`] that a run of two classes has a value
    /// of.
    pub figures: Vec<Figure>,
    /// One row a run.
    pub rows: Vec<FinalRow>,
    /// The place of the row that the others are compared with.
    pub pinned: Option<usize>,
    /// What keeps the rows from being compared, in sentences for the user.
    pub notes: Vec<String>,
}

/// What one run came to. Ratios are 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalRow {
    /// The run folder's name.
    pub name: String,
    /// The network's family and encoder.
    pub network: Option<String>,
    /// Numbers that the network learned.
    pub num_weights: Option<u64>,
    /// Time of all epochs, in seconds.
    pub seconds: Option<f64>,
    /// The best epoch, from 1.
    pub best_epoch: Option<u32>,
    /// The ground that the scores are of.
    pub on: ScoredOn,
    /// Why they may be too good: what that ground shares with other parts.
    pub leaks: Option<String>,
    /// Share of the labeled pixels that are right.
    pub pixel_accuracy: Option<f64>,
    /// The pixel accuracy of answering the most frequent class everywhere.
    pub majority_baseline: Option<f64>,
    /// Mean `IoU` over the classes with truth.
    pub mean_iou: Option<f64>,
    /// The value of each of the table's figures; none where the run was not judged.
    pub ranked: Vec<Option<f64>>,
    /// The `IoU` of each of the table's classes.
    pub per_class_iou: Vec<Option<f64>>,
}

impl FinalTable {
    /// The runs in the given order; classes belong together by name.
    pub fn of(records: &[RunRecord]) -> Self {
        let mut classes: Vec<String> = Vec::new();
        for class in records.iter().flat_map(RunRecord::class_scores) {
            if !classes.contains(&class.name) {
                classes.push(class.name);
            }
        }
        // What no run has a value of would be an empty column.
        let is_told = |at: &usize| {
            let ranked = |record: &RunRecord| record.ranked(record.figures().on)[*at];
            records.iter().any(|record| ranked(record).is_some())
        };
        let told: Vec<usize> = if records.iter().any(RunRecord::is_binary) {
            (0..JudgedClass::RANKING.len()).filter(is_told).collect()
        } else {
            Vec::new()
        };
        let row = |record| FinalRow::of(record, &classes, &told);
        Self {
            rows: records.iter().map(row).collect(),
            figures: told.iter().map(|&at| JudgedClass::RANKING[at]).collect(),
            classes,
            pinned: None,
            notes: doubts(records),
        }
    }

    /// The notes, and behind them what leaks.
    pub fn warnings(&self) -> Vec<String> {
        [&self.notes[..], &self.leaks()].concat()
    }

    /// Why scores may be too good, each reason once, in sentences without a period.
    pub fn leaks(&self) -> Vec<String> {
        let rows = self.rows.iter();
        warnings_of_runs(rows.map(|row| (row.name.as_str(), row.leaks.as_deref())))
    }

    /// The same without [`Self::figures`], for pages that have a table of their own for them.
    #[must_use]
    pub(in crate::train) fn without_figures(mut self) -> Self {
        self.figures.clear();
        self.rows.iter_mut().for_each(|row| row.ranked.clear());
        self
    }

    /// The same with differences to the row at `place`; to none when there is no such row.
    pub fn pinned_to(mut self, place: usize) -> Self {
        self.pinned = (place < self.rows.len()).then_some(place);
        self
    }

    /// The row that `row` is compared with: none for the pinned one itself.
    pub(super) fn baseline_of(&self, place: usize) -> Option<&FinalRow> {
        let pinned = self.pinned.filter(|&pinned| pinned != place)?;
        self.rows.get(pinned)
    }
}

impl FinalRow {
    fn of(record: &RunRecord, classes: &[String], told: &[usize]) -> Self {
        let (figures, scores) = (record.figures(), record.class_scores());
        let ranked = record.ranked(figures.on);
        let iou = |name: &String| {
            let class = scores.iter().find(|class| class.name == *name);
            class.and_then(|class| class.iou)
        };
        Self {
            name: record.name(),
            network: record.network(),
            num_weights: record.num_weights,
            seconds: record.seconds(),
            best_epoch: record.best_row().map(|row: &EpochRow| row.epoch),
            on: figures.on,
            leaks: record.leak_warning(figures.on),
            pixel_accuracy: figures.pixel_accuracy,
            majority_baseline: figures.majority_baseline,
            mean_iou: figures.mean_iou,
            ranked: told.iter().map(|&at| ranked[at]).collect(),
            per_class_iou: classes.iter().map(iou).collect(),
        }
    }

    /// The ground of the scores in words, with a mark where it is not apart.
    pub(super) fn scored_on(&self) -> String {
        let mark = if self.leaks.is_some() { ", leaks" } else { "" };
        format!("{}{mark}", self.on.words())
    }

    /// The scores of the row: pixel accuracy, mean `IoU`, the table's figures, then the classes.
    pub(super) fn scores(&self) -> Vec<Option<f64>> {
        let mut scores = vec![self.pixel_accuracy, self.mean_iou];
        scores.extend(self.ranked.iter().chain(&self.per_class_iou));
        scores
    }
}

fn doubts(records: &[RunRecord]) -> Vec<String> {
    let mut notes = Vec::new();
    let grounds: Vec<ScoredOn> = records.iter().map(|record| record.figures().on).collect();
    if grounds.windows(2).any(|pair| pair[0] != pair[1]) {
        notes.push(
            "Some scores are of validation ground and some of test ground; they cannot be compared"
                .to_owned(),
        );
    }
    let splits = records.iter().filter_map(|record| record.split.as_ref());
    let splits: Vec<&SplitReport> = splits.collect();
    if splits
        .windows(2)
        .any(|pair| !is_same_ground(pair[0], pair[1]))
    {
        notes.push(
            "The runs held out different ground, so that differences between them are partly \
             differences of the ground"
                .to_owned(),
        );
    }
    if splits.len() < records.len() {
        notes.push("What was held out is not known of every run".to_owned());
    }
    notes
}

fn is_same_ground(one: &SplitReport, other: &SplitReport) -> bool {
    let ground = |split: &SplitReport| {
        let mut files = split.validation_files.clone();
        files.sort_unstable();
        (
            split.validation_pixels,
            split.validation_blocks.clone(),
            files,
        )
    };
    ground(one) == ground(other)
}

#[cfg(test)]
mod tests {
    use super::super::test_run::{hostile_run, leaking_run, plain_run};
    use super::*;

    #[test]
    fn classes_belong_together_by_name() {
        let (one, other) = (plain_run(), hostile_run());
        let table = FinalTable::of(&[one.record(), other.record(), one.record()]);
        assert_eq!(table.classes.len(), 4);
        let road = |place: usize| table.rows[place].per_class_iou[1];
        assert_eq!(
            (road(0), road(1), road(2)),
            (Some(1.0 / 3.0), None, Some(1.0 / 3.0))
        );
        assert_eq!(table.notes, [""; 0]);
    }

    #[test]
    fn a_run_whose_parts_are_not_apart_is_marked() {
        let run = leaking_run();
        let table = FinalTable::of(&[run.record(), plain_run().record()]);
        let (text, html) = (table.to_markdown(), table.to_html());
        assert!(text.contains("| validation, selected on it, leaks | 0.600 |"));
        assert!(html.contains("<td class=\"name\">validation, selected on it, leaks</td>"));
        let sentence = "2 validation images are copied; split before";
        for page in [text, html] {
            assert_eq!(page.matches(sentence).count(), 1, "{page}");
            assert_eq!(page.matches("selected on it, leaks").count(), 1, "{page}");
            assert!(!page.contains("test images"), "nothing was judged: {page}");
        }
        let csv = table.to_csv();
        let ends: Vec<bool> = csv.lines().map(|line| line.contains(sentence)).collect();
        assert_eq!(ends, [false, true, false], "{csv}");
    }

    #[test]
    fn runs_that_cannot_be_compared_are_said() {
        let run = plain_run();
        let (one, mut other) = (run.record(), run.record());
        if let Some(split) = &mut other.split {
            split.validation_files.reverse();
        }
        assert_eq!(FinalTable::of(&[one.clone(), other.clone()]).notes, [""; 0]);
        if let Some(split) = &mut other.split {
            split.validation_files.pop();
        }
        let mut scores = other.validation_scores.clone().expect("written");
        scores.on = ScoredOn::Test;
        other.test_scores = Some(scores);
        let table = FinalTable::of(&[one, other]);
        assert_eq!(table.notes.len(), 2);
        assert_eq!(
            (table.rows[0].on, table.rows[1].on),
            (ScoredOn::Validation, ScoredOn::Test)
        );
    }

    #[test]
    fn only_a_row_that_is_there_is_pinned() {
        let table = FinalTable::of(&[plain_run().record()]);
        assert_eq!(table.clone().pinned_to(1).pinned, None);
        let pinned = table.pinned_to(0);
        assert_eq!((pinned.pinned, pinned.baseline_of(0)), (Some(0), None));
    }
}
