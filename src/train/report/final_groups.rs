use serde::Serialize;

use super::words::{NONE, duration, markdown_row, plain};
use super::{FinalRow, FinalTable, ScoredOn};

/// Mean and standard deviation of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (over one less than their number); none of a single one.
    pub deviation: Option<f64>,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    /// Of the values that exist; `None` without any.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().flatten().collect();
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            count,
        })
    }

    /// As people read it, with three digits.
    pub fn words(spread: Option<Self>) -> String {
        match spread {
            None => NONE.to_owned(),
            Some(Self {
                mean,
                deviation: None,
                ..
            }) => format!("{mean:.3}"),
            Some(Self {
                mean,
                deviation: Some(deviation),
                ..
            }) => format!("{mean:.3} ± {deviation:.3}"),
        }
    }
}

/// Runs that are the same but for fold or seed, taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalGroup {
    /// What they have in common.
    pub name: String,
    /// How many there are.
    pub runs: usize,
    /// The ground that the scores are of; `None` when it is not the same in all.
    pub on: Option<ScoredOn>,
    /// Seconds of a training.
    pub seconds: Option<Spread>,
    /// The best epoch.
    pub best_epoch: Option<Spread>,
    /// The pixel accuracy of answering the most frequent class everywhere.
    pub majority_baseline: Option<Spread>,
    /// Share of the labeled pixels that are right.
    pub pixel_accuracy: Option<Spread>,
    /// Mean `IoU` over the classes with truth.
    pub mean_iou: Option<Spread>,
    /// Each of the table's figures.
    pub ranked: Vec<Option<Spread>>,
    /// The `IoU` of each of the table's classes.
    pub per_class_iou: Vec<Option<Spread>>,
}

impl FinalTable {
    /// The rows taken together by `groups`, the name of each row's group; groups stand in the
    /// order of their first rows.
    pub fn grouped(&self, groups: &[String]) -> Vec<FinalGroup> {
        let mut names: Vec<&String> = Vec::new();
        for name in groups {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let members = |name: &String| -> Vec<&FinalRow> {
            let rows = self.rows.iter().zip(groups);
            let own = rows.filter(|(_, group)| *group == name);
            own.map(|(row, _)| row).collect()
        };
        let group = |name: &String| {
            let sizes = (self.figures.len(), self.classes.len());
            group_of(name, &members(name), sizes)
        };
        names.into_iter().map(group).collect()
    }

    /// Groups as a Markdown table: mean and standard deviation.
    pub fn groups_markdown(&self, groups: &[FinalGroup]) -> String {
        let columns = [
            "Network",
            "Runs",
            "Training time",
            "Best epoch",
            "Scored on",
            "Majority baseline",
            "Pixel accuracy",
            "Mean IoU",
        ];
        let classes = self.classes.iter();
        let classes = classes.map(|name| plain(&format!("IoU {name}")));
        let figures = self.figures.iter();
        let figures = figures.map(|figure| figure.definition().symbol);
        let columns = columns.into_iter().chain(figures).map(str::to_owned);
        let mut text = markdown_row(columns.chain(classes));
        text.push_str("|---|---:|---:|---:|---|");
        text.push_str(&"---:|".repeat(3 + self.figures.len() + self.classes.len()));
        text.push('\n');
        for group in groups {
            let mut cells = vec![
                plain(&group.name),
                group.runs.to_string(),
                group
                    .seconds
                    .map_or_else(|| NONE.to_owned(), |seconds| duration(seconds.mean)),
                group
                    .best_epoch
                    .map_or_else(|| NONE.to_owned(), |epoch| format!("{:.1}", epoch.mean)),
                group
                    .on
                    .map_or("different ground", ScoredOn::words)
                    .to_owned(),
                Spread::words(group.majority_baseline),
                Spread::words(group.pixel_accuracy),
                Spread::words(group.mean_iou),
            ];
            let scores = group.ranked.iter().chain(&group.per_class_iou);
            cells.extend(scores.map(|score| Spread::words(*score)));
            text.push_str(&markdown_row(cells));
        }
        text
    }
}

fn group_of(
    name: &str,
    rows: &[&FinalRow],
    (num_figures, num_classes): (usize, usize),
) -> FinalGroup {
    let spread =
        |value: fn(&FinalRow) -> Option<f64>| Spread::of(rows.iter().map(|row| value(row)));
    let first = rows.first().map(|row| row.on);
    let figure = |at: usize| Spread::of(rows.iter().map(|row| row.ranked[at]));
    let class = |at: usize| Spread::of(rows.iter().map(|row| row.per_class_iou[at]));
    FinalGroup {
        name: name.to_owned(),
        runs: rows.len(),
        on: first.filter(|on| rows.iter().all(|row| row.on == *on)),
        seconds: spread(|row| row.seconds),
        best_epoch: spread(|row| row.best_epoch.map(f64::from)),
        majority_baseline: spread(|row| row.majority_baseline),
        pixel_accuracy: spread(|row| row.pixel_accuracy),
        mean_iou: spread(|row| row.mean_iou),
        ranked: (0..num_figures).map(figure).collect(),
        per_class_iou: (0..num_classes).map(class).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_run::plain_run;
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let spread = Spread::of([Some(1.0), None, Some(2.0), Some(3.0)]);
        assert_eq!(
            spread,
            Some(Spread {
                mean: 2.0,
                deviation: Some(1.0),
                count: 3
            })
        );
        assert_eq!(Spread::words(spread), "2.000 ± 1.000");
        assert_eq!(Spread::words(Spread::of([Some(0.5)])), "0.500");
        assert_eq!(Spread::of([None]), None);
    }

    #[test]
    fn runs_of_one_group_are_averaged() {
        let run = plain_run();
        let mut table = FinalTable::of(&[run.record(), run.record(), run.record()]);
        table.rows[1].mean_iou = Some(0.7);
        table.rows[2].on = ScoredOn::Test;
        let groups = ["a", "a", "b"].map(str::to_owned);
        let found = table.grouped(&groups);
        assert_eq!((found.len(), found[0].runs, found[1].runs), (2, 2, 1));
        assert!((found[0].mean_iou.expect("two runs").mean - 0.6).abs() < 1e-12);
        assert_eq!(found[1].on, Some(ScoredOn::Test));
        let text = table.groups_markdown(&found);
        assert!(text.contains("| a | 2 | 2 min 00 s | 2.0 | validation, selected on it |"));
        let mixed = table.grouped(&vec!["all".to_owned(); 3]);
        assert_eq!(mixed[0].on, None);
    }
}
