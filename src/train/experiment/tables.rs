use super::cell::CellResult;
use super::spec::BinaryColumn;
use crate::metrics::{Figure, POOLED_OR_PER_IMAGE, RankingScores};
use crate::train::report::{NONE, duration, markdown_row, plain, put, ratio};
use crate::train::{Judgement, RunRecord, ScoredOn, Spread};

/// A column of a table of judgements: its title, the figure that it shows if it is one, and its
/// value.
type Column = (&'static str, Option<Figure>, fn(&Judgement) -> Option<f64>);

/// The columns that an experiment shows.
fn columns(shown: &[BinaryColumn]) -> Vec<Column> {
    let mut columns = ALWAYS.to_vec();
    for column in shown {
        match column {
            BinaryColumn::Iou => columns.push(("IoU", Some(Figure::Iou), |one| class(one)?.iou)),
            BinaryColumn::F1 => {
                columns.push(("F1 at 0.5", Some(Figure::F1AtHalf), |one| class(one)?.f1));
            }
            BinaryColumn::RelaxedF1 => {
                columns.push(("F1 within 3 px", Some(Figure::RelaxedF1), |one| {
                    one.binary.as_ref()?.relaxed.f1()
                }));
            }
            BinaryColumn::Salt => columns.extend(SALT),
            BinaryColumn::Presence => columns.extend(PRESENCE),
            BinaryColumn::Ranking => columns.extend(RANKING),
        }
    }
    columns
}

/// What is known of any number of classes.
const ALWAYS: [Column; 4] = [
    (
        "Majority baseline",
        Some(Figure::MajorityBaseline),
        |judgement| judgement.total.scores.majority_baseline,
    ),
    ("Pixel accuracy", Some(Figure::PixelAccuracy), |judgement| {
        judgement.total.scores.pixel_accuracy
    }),
    ("Mean IoU", Some(Figure::MeanIou), |judgement| {
        judgement.total.scores.mean_iou
    }),
    (
        "Mean IoU of an image",
        Some(Figure::PerImageMeanIou),
        |judgement| judgement.per_image.per_image_mean_iou,
    ),
];

/// The salt competition's score, and what it is without looking.
const SALT: [Column; 2] = [
    ("Competition's score", Some(Figure::SaltPrecision), |one| {
        one.binary.as_ref()?.salt.mean()
    }),
    (
        "Score of an empty answer",
        Some(Figure::SaltEmptyBaseline),
        |one| one.binary.as_ref()?.salt.empty_baseline(),
    ),
];

/// Whether images hold the class, and what one is right in without looking.
const PRESENCE: [Column; 2] = [
    (
        "Images rightly called empty or not",
        Some(Figure::PresenceAccuracy),
        |one| one.binary.as_ref()?.presence.presence_accuracy,
    ),
    (
        "The same answer for all images",
        Some(Figure::PresenceBaseline),
        |one| one.binary.as_ref()?.presence.presence_baseline,
    ),
];

/// What probabilities tell; dashes in judgements of older versions.
const RANKING: [Column; 4] = [
    ("AUROC", Some(Figure::Auroc), |one| ranking(one)?.auroc),
    ("Average precision", Some(Figure::AveragePrecision), |one| {
        ranking(one)?.average_precision
    }),
    ("Threshold chosen on validation", None, |one| {
        ranking(one)?.threshold
    }),
    ("F1 at that threshold", Some(Figure::F1AtThreshold), |one| {
        ranking(one)?.f1_at_threshold
    }),
];

/// What the columns of an experiment are and what they do not tell, as a list.
pub(super) fn column_definitions(shown: &[BinaryColumn]) -> String {
    let mut text = String::new();
    for (title, figure, _) in columns(shown) {
        if let Some(figure) = figure {
            put!(&mut text, "- {title}: {}\n", figure.definition().words());
        }
    }
    put!(&mut text, "- {POOLED_OR_PER_IMAGE}.\n");
    text
}

fn ranking(judgement: &Judgement) -> Option<&RankingScores> {
    judgement.binary.as_ref()?.ranking.as_ref()
}

fn class(judgement: &Judgement) -> Option<&crate::metrics::ClassScores> {
    let class = judgement.binary.as_ref()?.class;
    let rows = &judgement.total.scores.per_class;
    rows.iter().find(|row| row.index == class)
}

/// What predicting whole images came to, one row a run, with mean and deviation of each group of
/// more than one; `None` when nothing was judged.
pub(super) fn judged_table(
    runs: &[(String, RunRecord)],
    on: ScoredOn,
    shown: &[BinaryColumn],
) -> Option<String> {
    let judged: Vec<(&String, String, Judgement)> = runs
        .iter()
        .filter_map(|(group, record)| {
            let judgement = Judgement::load(&record.folder, on)?;
            Some((group, record.name(), judgement))
        })
        .collect();
    let (_, _, first) = judged.first()?;
    let columns = columns(shown);
    let mut text = String::new();
    if let Some(binary) = &first.binary {
        text = format!(
            "The class that is looked for is {}.\n\n",
            plain(&binary.name)
        );
    }
    let titles = columns.iter().map(|(title, ..)| *title);
    text.push_str(&markdown_row(
        ["Run", "Images", "Judged"].into_iter().chain(titles),
    ));
    text.push_str("|---|---:|---:|");
    text.push_str(&"---:|".repeat(columns.len()));
    text.push('\n');
    for (_, name, judgement) in &judged {
        let mut cells = vec![
            plain(name),
            judgement.per_image.images.to_string(),
            times(judgement.reads),
        ];
        cells.extend(columns.iter().map(|(.., value)| ratio(value(judgement))));
        text.push_str(&markdown_row(cells));
    }
    let mut groups: Vec<&String> = judged.iter().map(|(group, ..)| *group).collect();
    groups.dedup();
    for group in groups {
        let own: Vec<&Judgement> = judged
            .iter()
            .filter(|(its, ..)| *its == group)
            .map(|(_, _, judgement)| judgement)
            .collect();
        if own.len() > 1 {
            let mut cells = vec![
                format!("**{}**", plain(group)),
                String::new(),
                String::new(),
            ];
            let spread = |value: fn(&Judgement) -> Option<f64>| {
                Spread::words(Spread::of(own.iter().map(|judgement| value(judgement))))
            };
            cells.extend(columns.iter().map(|(.., value)| spread(*value)));
            text.push_str(&markdown_row(cells));
        }
    }
    Some(text)
}

fn times(reads: u32) -> String {
    match reads {
        1 => "once".to_owned(),
        reads => format!("{reads} times"),
    }
}

/// What patch, batch and accumulation cost; `None` when nothing was measured.
pub(super) fn cost_table(results: &[(CellResult, Option<RunRecord>)]) -> Option<String> {
    if results.is_empty() {
        return None;
    }
    let titles = [
        "Patch",
        "Batch",
        "Accumulated steps",
        "Patches an update",
        "Time a step",
        "Time a patch",
        "Peak memory of the process",
        "Estimate",
        "Steps",
        "Mean IoU (validation)",
    ];
    let mut text = markdown_row(titles);
    text.push('|');
    text.push_str(&"---:|".repeat(titles.len()));
    text.push('\n');
    for (result, record) in results {
        let cell = &result.cell;
        let time = |seconds: Option<f64>| seconds.map_or_else(|| NONE.to_owned(), duration_fine);
        let recipe = record.as_ref().and_then(|record| record.recipe.as_ref());
        let iou = record
            .as_ref()
            .and_then(|record| record.rows.last()?.mean_iou);
        text.push_str(&markdown_row([
            cell.patch.to_string(),
            cell.batch.to_string(),
            cell.accumulate.to_string(),
            (cell.batch * cell.accumulate as usize).to_string(),
            time(result.seconds_a_step),
            time(
                result
                    .seconds_a_step
                    .map(|seconds| seconds / cell.batch as f64),
            ),
            result.peak_bytes.map_or_else(|| NONE.to_owned(), mebibytes),
            recipe.map_or_else(
                || NONE.to_owned(),
                |recipe| mebibytes(recipe.estimated_bytes()),
            ),
            result.steps.to_string(),
            ratio(iou),
        ]));
    }
    Some(text)
}

/// Times below ten seconds with more digits.
fn duration_fine(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else {
        duration(seconds)
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
