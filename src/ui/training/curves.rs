use std::sync::Arc;

use egui::{RichText, Ui};

use super::super::{text, theme};
use super::chart::{Chart, ChartLine, Hover, Level, Mark, MarkKind, chart_ui};
use super::header::status_of;
use super::look::Look;
use crate::session::{RunEntry, RunStatus, Session, TrainingPhase};
use crate::train::{
    Axis, BestBy, EpochRow, RunRecord, Scale, StepLoss, StopReason, rate_drops, thinned,
};

const TALL: f32 = 228.0;
const LOW: f32 = 118.0;
/// Below this width charts stand under each other.
const TWO_COLUMNS: f32 = 600.0;

/// The curves of one run, made when its files change and not in every frame.
#[derive(Debug, Default)]
pub struct RunCurves {
    of: Option<(Arc<RunRecord>, (Look, usize, RunStatus))>,
    /// Losses, scores, rate and time.
    pub charts: Vec<Chart>,
}

impl RunCurves {
    /// Makes the curves anew if the run, its status, the look or the running epoch changed.
    pub fn follow(&mut self, entry: &RunEntry, look: Look, session: &Session) {
        let record = &entry.record;
        let live = live_losses(session, record);
        let status = status_of(entry, session);
        let made_for = (look, live.len(), status);
        let is_same = (self.of.as_ref())
            .is_some_and(|(known, of)| Arc::ptr_eq(known, record) && *of == made_for);
        if is_same {
            return;
        }
        let last = record.rows.last().map_or(1, |row| row.epoch).max(2);
        let now = running_epoch(session, record).unwrap_or(0.0);
        let has_steps = !record.step_losses.is_empty() || !live.is_empty();
        let first = if has_steps && look.shows_steps {
            0.0
        } else {
            1.0
        };
        let like = Chart {
            title: "",
            lines: Vec::new(),
            marks: marks(record, status),
            level: None,
            remark: None,
            epochs: [first, f64::from(last).max(now)],
            scale: Scale::of_ratios(),
            number: |value| format!("{value:.3}"),
            height: TALL,
        };
        self.charts = vec![
            loss_chart(&record.rows, look, step_points(record, live), &like),
            score_chart(record, look, &like),
            rate_chart(&record.rows, &like),
            time_chart(&record.rows, &like),
        ];
        self.of = Some((Arc::clone(record), made_for));
    }
}

/// The loss of each step of the epoch that runs here and is not in the run's files yet.
fn live_losses<'a>(session: &'a Session, record: &RunRecord) -> &'a [f64] {
    let state = session.training();
    let is_here = state.run.as_deref() == Some(&record.folder) && state.is_running();
    if is_here { &state.step_losses } else { &[] }
}

/// How far a training that runs here is, in epochs.
fn running_epoch(session: &Session, record: &RunRecord) -> Option<f64> {
    let state = session.training();
    match state.phase {
        TrainingPhase::Running { epoch, step, steps }
            if state.run.as_deref() == Some(&record.folder) =>
        {
            Some(f64::from(epoch) - 1.0 + f64::from(step) / f64::from(steps.max(1)))
        }
        _ => None,
    }
}

/// The loss of each step; the last step of epoch 3 stands at 3.
fn step_points(record: &RunRecord, live: &[f64]) -> Vec<(f64, f64)> {
    let per_epoch = record
        .recipe
        .as_ref()
        .map_or(1, |recipe| recipe.steps_per_epoch);
    let per_epoch = f64::from(per_epoch.max(1));
    let point = |step: &StepLoss| (step.step as f64 / per_epoch, f64::from(step.loss));
    let kept = record.step_losses.iter().map(point);
    let done = record.rows.last().map_or(0.0, |row| f64::from(row.epoch));
    let live = (1..)
        .zip(live)
        .map(|(step, &loss)| (done + f64::from(step) / per_epoch, loss));
    thinned(&kept.chain(live).collect::<Vec<_>>())
}

fn points(rows: &[EpochRow], value: fn(&EpochRow) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |row: &EpochRow| Some((f64::from(row.epoch), value(row)?));
    rows.iter().filter_map(point).collect()
}

fn loss_chart(rows: &[EpochRow], look: Look, steps: Vec<(f64, f64)>, like: &Chart) -> Chart {
    let of_epochs = rows.iter().flat_map(|row| [row.train_loss, row.val_loss]);
    let mut seen: Vec<f64> = of_epochs.collect();
    if look.shows_steps {
        seen.extend(nearly_greatest(&steps));
    }
    let (scale, above) = look.loss_scale(&seen);
    let mut lines = Vec::new();
    if look.shows_steps && !steps.is_empty() {
        lines.push(ChartLine {
            name: "steps".to_owned(),
            color: theme::CURVE_TRAIN,
            points: steps,
            is_noise: true,
            ..ChartLine::default()
        });
    }
    let training = points(rows, |row| Some(row.train_loss));
    let validation = points(rows, |row| Some(row.val_loss));
    lines.push(look.line("training", theme::CURVE_TRAIN, training));
    lines.push(look.line("validation", theme::CURVE_VALIDATION, validation));
    Chart {
        title: "Loss",
        lines,
        remark: (above > 0).then(|| format!("{above} above: Fit all shows them")),
        scale,
        ..like.clone()
    }
}

/// A loss that hardly any step is above.
fn nearly_greatest(steps: &[(f64, f64)]) -> Option<f64> {
    let mut losses: Vec<f64> = steps.iter().map(|&(_, loss)| loss).collect();
    losses.sort_by(f64::total_cmp);
    losses.get(losses.len() * 98 / 100).copied()
}

fn score_chart(record: &RunRecord, look: Look, like: &Chart) -> Chart {
    let accuracy = points(&record.rows, |row| row.pixel_accuracy);
    let iou = points(&record.rows, |row| row.mean_iou);
    let scores = record.validation_scores.as_ref();
    let baseline = scores.and_then(|scores| scores.scores.majority_baseline);
    Chart {
        title: "Scores on the validation ground",
        lines: vec![
            look.line("pixel accuracy", theme::CURVE_ACCURACY, accuracy),
            look.line("mean IoU", theme::CURVE_IOU, iou),
        ],
        level: baseline.map(|value| Level {
            value,
            name: "majority baseline of pixel accuracy",
            color: theme::CURVE_ACCURACY,
        }),
        ..like.clone()
    }
}

fn rate_chart(rows: &[EpochRow], like: &Chart) -> Chart {
    let rates = || rows.iter().map(|row| row.lr);
    let (low, high) = rates().fold((f64::INFINITY, 0.0_f64), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    // A rate that falls tenfold is seen better by its powers.
    let is_wide = high >= 10.0 * low;
    let drops = like
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::RateDrop);
    Chart {
        title: "Learning rate",
        lines: vec![ChartLine {
            name: "rate".to_owned(),
            color: theme::CURVE_TRAIN,
            points: thinned(&points(rows, |row| Some(row.lr))),
            ..ChartLine::default()
        }],
        marks: drops.cloned().collect(),
        scale: Scale::of(if is_wide { Axis::Log } else { Axis::Linear }, rates()),
        number: |rate| format!("{rate:.2e}"),
        height: LOW,
        ..like.clone()
    }
}

fn time_chart(rows: &[EpochRow], like: &Chart) -> Chart {
    Chart {
        title: "Time of an epoch",
        lines: vec![ChartLine {
            name: "seconds".to_owned(),
            color: theme::CURVE_TRAIN,
            points: thinned(&points(rows, |row| Some(row.seconds))),
            ..ChartLine::default()
        }],
        marks: Vec::new(),
        scale: Scale::of(Axis::Linear, rows.iter().map(|row| row.seconds)),
        number: text::duration,
        height: LOW,
        ..like.clone()
    }
}

fn marks(record: &RunRecord, status: RunStatus) -> Vec<Mark> {
    let rows = &record.rows;
    let drops = rate_drops(rows).into_iter().map(|row| Mark {
        epoch: f64::from(row.epoch),
        kind: MarkKind::RateDrop,
        word: format!(
            "The learning rate falls to {:.1e} in epoch {}",
            row.lr, row.epoch
        ),
    });
    let best = record.best_epoch().map(|epoch| Mark {
        epoch: f64::from(epoch),
        kind: MarkKind::Best,
        word: best_words(record, epoch),
    });
    let last = rows.last().map(|row| f64::from(row.epoch));
    let end = end_reason(record, status)
        .zip(last)
        .map(|(word, epoch)| Mark {
            epoch,
            kind: MarkKind::End,
            word,
        });
    drops.chain(best).chain(end).collect()
}

/// The best epoch and what it is best by.
fn best_words(record: &RunRecord, epoch: u32) -> String {
    match record.recipe.as_ref().map(|recipe| &recipe.best_by) {
        None => format!("best: {epoch}"),
        Some(BestBy::Latest) => format!("last: {epoch}"),
        Some(by) => format!("best by {}: {epoch}", by.words()),
    }
}

/// Why a run ended, in a sentence; `None` while it goes on.
pub fn end_reason(record: &RunRecord, status: RunStatus) -> Option<String> {
    if status == RunStatus::Running {
        return None;
    }
    (record.end_words()).or_else(|| guessed_end(record, status))
}

/// What the files of a run that does not say why it ended let one think.
fn guessed_end(record: &RunRecord, status: RunStatus) -> Option<String> {
    let last = record.rows.last()?.epoch;
    let recipe = record.recipe.as_ref();
    let epochs = recipe.map_or(0, |recipe| recipe.epochs);
    let patience = recipe.map_or(0, |recipe| recipe.stop_patience);
    let reason = match status {
        RunStatus::Running | RunStatus::Failed => return None,
        RunStatus::Interrupted => return Some(format!("Interrupted after epoch {last}")),
        RunStatus::Stopped => StopReason::Person,
        RunStatus::Finished if last >= epochs => StopReason::AllEpochs,
        RunStatus::Finished if patience > 0 => StopReason::NoProgress { patience },
        RunStatus::Finished => return Some(format!("Ended after epoch {last}")),
    };
    Some(reason.after(last))
}

/// Losses, scores, rate and time of one run.
pub fn curves_ui(ui: &mut Ui, entry: &RunEntry, curves: &RunCurves, hover: &mut Hover) {
    hover.begin();
    let is_empty = |line: &ChartLine| line.points.is_empty();
    if curves
        .charts
        .first()
        .is_none_or(|loss| loss.lines.iter().all(is_empty))
    {
        ui.weak("Curves appear with the first epoch.");
        return;
    }
    let has_rows = !entry.record.rows.is_empty();
    let shown = if has_rows { curves.charts.len() } else { 1 };
    charts_ui(ui, &curves.charts[..shown], hover);
}

/// Charts in two columns, or under each other where there is little room.
pub fn charts_ui(ui: &mut Ui, charts: &[Chart], hover: &mut Hover) {
    let num_columns = if ui.available_width() < TWO_COLUMNS {
        1
    } else {
        2
    };
    for row in charts.chunks(num_columns) {
        ui.columns(num_columns, |columns| {
            for (column, chart) in columns.iter_mut().zip(row) {
                chart_ui(column, chart, hover);
            }
        });
    }
    hover.end(ui);
}

/// A heading of a part of a page.
pub fn heading(ui: &mut Ui, words: &str) {
    ui.add_space(2.0 * theme::GRID);
    ui.label(RichText::new(words).strong().size(14.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::ClassTable;
    use crate::metrics::{Confusion, Scores};
    use crate::train::{FinalScores, Recipe, RunEnd, ScoredOn};

    fn one_of_four_epochs() -> RunRecord {
        let row = EpochRow {
            epoch: 1,
            best: true,
            ..EpochRow::default()
        };
        let recipe = Recipe {
            epochs: 4,
            ..Recipe::default()
        };
        RunRecord {
            rows: vec![row],
            recipe: Some(recipe),
            ..RunRecord::default()
        }
    }

    #[test]
    fn a_run_that_goes_on_has_no_end() {
        let record = one_of_four_epochs();
        let kinds = |status| {
            let marks = marks(&record, status);
            marks.iter().map(|mark| mark.kind).collect::<Vec<_>>()
        };
        let stopped = end_reason(&record, RunStatus::Stopped);
        assert_eq!(stopped.as_deref(), Some("Stopped by hand in epoch 2"));
        assert_eq!(kinds(RunStatus::Stopped), [MarkKind::Best, MarkKind::End]);
        assert_eq!(end_reason(&record, RunStatus::Running), None);
        assert_eq!(kinds(RunStatus::Running), [MarkKind::Best]);
    }

    #[test]
    fn what_a_run_says_of_its_end_goes_before_what_its_files_let_one_think() {
        let mut record = one_of_four_epochs();
        let words = |record: &RunRecord, status| end_reason(record, status).expect("an end");
        assert_eq!(
            words(&record, RunStatus::Finished),
            "No progress in 10 epochs, ended after epoch 1"
        );
        assert_eq!(
            words(&record, RunStatus::Interrupted),
            "Interrupted after epoch 1"
        );
        let (reason, seconds) = (StopReason::TimeLimit { minutes: 5.0 }, 300.0);
        record.end = Some(RunEnd::Finished { reason, seconds });
        let limit = "The time limit of 5 min is reached, ended after epoch 1";
        assert_eq!(words(&record, RunStatus::Finished), limit);
        let marks = marks(&record, RunStatus::Finished);
        assert_eq!(marks.last().map(|mark| mark.word.as_str()), Some(limit));
        assert_eq!(end_reason(&record, RunStatus::Running), None);
        let reason = StopReason::FarEnough { epoch: 1 };
        record.end = Some(RunEnd::Stopped { reason, seconds });
        assert_eq!(
            words(&record, RunStatus::Stopped),
            "Rests after epoch 1 and can go on"
        );
        let why = "the disk is full".to_owned();
        record.end = Some(RunEnd::Failed { why, seconds });
        let failure = "Failed after epoch 1: the disk is full";
        assert_eq!(words(&record, RunStatus::Failed), failure);
    }

    #[test]
    fn the_best_epoch_says_by_what_and_the_baseline_of_which_line_it_is() {
        let mut record = one_of_four_epochs();
        let words = |record: &RunRecord| marks(record, RunStatus::Running)[0].word.clone();
        assert_eq!(words(&record), "best by validation loss: 1");
        if let Some(recipe) = &mut record.recipe {
            recipe.best_by = BestBy::Latest;
        }
        assert_eq!(words(&record), "last: 1");
        let scores = Scores::new(&Confusion::new(2), &ClassTable::road());
        let scores = Scores {
            majority_baseline: Some(0.5),
            ..scores
        };
        record.validation_scores = Some(FinalScores {
            epoch: 1,
            on: ScoredOn::Validation,
            scores,
        });
        let like = Chart {
            title: "",
            lines: Vec::new(),
            marks: Vec::new(),
            level: None,
            remark: None,
            epochs: [1.0, 2.0],
            scale: Scale::of_ratios(),
            number: |value| format!("{value:.3}"),
            height: TALL,
        };
        let chart = score_chart(&record, Look::default(), &like);
        let level = chart.level.expect("a baseline");
        let of = chart.lines.iter().find(|line| line.color == level.color);
        let name = &of.expect("a line of that color").name;
        assert!(level.name.ends_with(name.as_str()), "{}", level.name);
    }
}
