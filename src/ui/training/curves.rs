use std::sync::Arc;

use egui::{Color32, RichText, Ui};

use super::super::{text, theme};
use super::chart::{Chart, ChartLine, Hover, Level, MarkKind, chart_ui};
use super::header::status_of;
use super::look::Look;
use super::marks::marks;
use crate::session::{RunEntry, RunStatus, Session, TrainingPhase};
use crate::train::{Axis, EpochRow, RunRecord, Scale, StepLoss, thinned};

const TALL: f32 = 236.0;
const LOW: f32 = 126.0;
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
            levels: Vec::new(),
            remark: None,
            epochs: [first, f64::from(last).max(now)],
            scale: Scale::of_ratios(),
            number: |value| format!("{value:.3}"),
            height: TALL,
        };
        self.charts = vec![
            loss_chart(&record.rows, look, step_points(record, live), &like),
            score_chart(record, look, &like),
            rate_chart(record, look.shows_steps, &like),
            time_chart(&record.rows, &like),
        ];
        self.of = Some((Arc::clone(record), made_for));
    }
}

/// The losses of the epoch that runs here, by the number of the step; some may be in the run's files
/// already.
fn live_losses<'a>(session: &'a Session, record: &RunRecord) -> &'a [(u64, f64)] {
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

/// Steps of an epoch.
fn steps_per_epoch(record: &RunRecord) -> f64 {
    let recipe = record.recipe.as_ref();
    f64::from(recipe.map_or(1, |recipe| recipe.steps_per_epoch.max(1)))
}

/// The loss of each step once; the last step of epoch 3 stands at 3. From the first step on that was
/// taken here, what the files say is either the same or will be taken again.
fn step_points(record: &RunRecord, live: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let per_epoch = steps_per_epoch(record);
    let first = live.first().map_or(u64::MAX, |&(step, _)| step);
    let kept = record.step_losses.iter();
    let kept = kept.map(|kept| (kept.step, f64::from(kept.loss)));
    let kept = kept.filter(|&(step, _)| step < first);
    let points = kept.chain(live.iter().copied());
    let points = points.map(|(step, loss)| (step as f64 / per_epoch, loss));
    thinned(&points.collect::<Vec<_>>())
}

fn points(rows: &[EpochRow], value: fn(&EpochRow) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |row: &EpochRow| Some((f64::from(row.epoch), value(row)?));
    rows.iter().filter_map(point).collect()
}

fn loss_chart(rows: &[EpochRow], look: Look, steps: Vec<(f64, f64)>, like: &Chart) -> Chart {
    let of_epochs = rows.iter().flat_map(|row| [row.train_loss, row.val_loss]);
    let mut seen: Vec<f64> = of_epochs.collect();
    if look.shows_steps {
        seen.extend(least_and_nearly_greatest(&steps));
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

/// The least loss, which an axis of powers would leave out else, and one that hardly any step is
/// above.
fn least_and_nearly_greatest(steps: &[(f64, f64)]) -> impl Iterator<Item = f64> {
    let mut losses: Vec<f64> = steps.iter().map(|&(_, loss)| loss).collect();
    losses.sort_by(f64::total_cmp);
    let places = [0, losses.len() * 98 / 100];
    places
        .into_iter()
        .filter_map(move |at| losses.get(at).copied())
}

fn score_chart(record: &RunRecord, look: Look, like: &Chart) -> Chart {
    let accuracy = points(&record.rows, |row| row.pixel_accuracy);
    let iou = points(&record.rows, |row| row.mean_iou);
    let level = |value| Level {
        value,
        name: "majority baseline of pixel accuracy",
        color: theme::CURVE_ACCURACY,
    };
    Chart {
        title: "Scores on the validation ground",
        lines: vec![
            look.line("pixel accuracy", theme::CURVE_ACCURACY, accuracy),
            look.line("mean IoU", theme::CURVE_IOU, iou),
        ],
        levels: record
            .validation_baseline()
            .map(level)
            .into_iter()
            .collect(),
        ..like.clone()
    }
}

/// The rate of each step where steps are shown and have one, so that warm-ups and restarts within
/// an epoch are seen; else that at the end of each epoch.
fn rate_points(record: &RunRecord, shows_steps: bool) -> Vec<(f64, f64)> {
    let per_epoch = steps_per_epoch(record);
    let of_step = |step: &StepLoss| Some((step.step as f64 / per_epoch, f64::from(step.lr?)));
    let steps = record.step_losses.iter().filter(|_| shows_steps);
    let of_steps: Vec<(f64, f64)> = steps.filter_map(of_step).collect();
    if of_steps.is_empty() {
        return points(&record.rows, |row| Some(row.lr));
    }
    of_steps
}

fn rate_chart(record: &RunRecord, shows_steps: bool, like: &Chart) -> Chart {
    let points = rate_points(record, shows_steps);
    let rates = || points.iter().map(|&(_, rate)| rate);
    let (low, high) = rates().fold((f64::INFINITY, 0.0_f64), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    // A rate that falls tenfold is seen better by its powers.
    let is_wide = high >= 10.0 * low;
    let axis = if is_wide { Axis::Log } else { Axis::Linear };
    let drops = like
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::RateDrop);
    Chart {
        title: "Learning rate",
        scale: Scale::of(axis, rates()),
        lines: vec![ChartLine {
            name: "rate".to_owned(),
            color: theme::CURVE_TRAIN,
            points: thinned(&points),
            ..ChartLine::default()
        }],
        marks: drops.cloned().collect(),
        number: |rate| format!("{rate:.2e}"),
        height: LOW,
        ..like.clone()
    }
}

/// The time of each epoch, and how much of it was waiting for images and computing where that was
/// measured.
fn time_chart(rows: &[EpochRow], like: &Chart) -> Chart {
    type Value = fn(&EpochRow) -> Option<f64>;
    let parts: [(&str, Color32, Value); 2] = [
        ("data", theme::CURVE_VALIDATION, |row| {
            Some(row.data_seconds)
        }),
        ("compute", theme::CURVE_IOU, |row| Some(row.compute_seconds)),
    ];
    let is_measured = (rows.iter()).any(|row| row.data_seconds + row.compute_seconds > 0.0);
    let total: (&str, Color32, Value) = ("total", theme::CURVE_TRAIN, |row| Some(row.seconds));
    let shown = parts.into_iter().filter(|_| is_measured).chain([total]);
    let lines = shown.map(|(name, color, value)| ChartLine {
        name: name.to_owned(),
        color,
        points: thinned(&points(rows, value)),
        ..ChartLine::default()
    });
    let values = (rows.iter()).flat_map(|row| [row.seconds, row.data_seconds, row.compute_seconds]);
    Chart {
        title: "Time of an epoch",
        lines: lines.collect(),
        marks: Vec::new(),
        scale: Scale::of(Axis::Linear, values),
        number: text::span,
        height: LOW,
        ..like.clone()
    }
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
    use crate::train::{BestBy, FinalScores, ScoredOn};
    use crate::ui::training::marks::tests::one_of_four_epochs;

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
        let chart = score_chart(&record, Look::default(), &like());
        let [level] = chart.levels[..] else {
            panic!("one baseline");
        };
        assert_eq!(level.value, 0.5);
        let of = chart.lines.iter().find(|line| line.color == level.color);
        let name = &of.expect("a line of that color").name;
        assert!(level.name.ends_with(name.as_str()), "{}", level.name);
    }

    fn like() -> Chart {
        Chart {
            title: "",
            lines: Vec::new(),
            marks: Vec::new(),
            levels: Vec::new(),
            remark: None,
            epochs: [1.0, 2.0],
            scale: Scale::of_ratios(),
            number: |value| format!("{value:.3}"),
            height: TALL,
        }
    }

    fn step(step: u64, lr: Option<f32>) -> StepLoss {
        StepLoss {
            step,
            loss: 1.0,
            seconds: None,
            lr,
        }
    }

    #[test]
    fn steps_that_are_in_the_files_already_are_drawn_once() {
        let mut record = one_of_four_epochs();
        if let Some(recipe) = &mut record.recipe {
            recipe.steps_per_epoch = 4;
        }
        // Stopped in the second epoch after its second step; the files know a step of this part.
        record.step_losses = (1..=7).map(|at| step(at, None)).collect();
        let places = |live: &[(u64, f64)]| -> Vec<f64> {
            let points = step_points(&record, live).into_iter();
            points.map(|(place, _)| place).collect()
        };
        assert_eq!(places(&[]), [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]);
        let (before, went_on) = ([0.25, 0.5, 0.75, 1.0, 1.25, 1.5], [(7, 0.5), (8, 0.25)]);
        assert_eq!(places(&went_on[..1]), [&before[..], &[1.75]].concat());
        assert_eq!(places(&went_on), [&before[..], &[1.75, 2.0]].concat());
        assert_eq!(step_points(&record, &went_on)[6], (1.75, 0.5));
    }

    #[test]
    fn the_rate_is_that_of_steps_where_they_have_one() {
        let mut record = one_of_four_epochs();
        record.rows[0].lr = 0.25;
        if let Some(recipe) = &mut record.recipe {
            recipe.steps_per_epoch = 2;
        }
        let points = |record: &RunRecord, shows_steps| {
            let chart = rate_chart(record, shows_steps, &like());
            chart.lines[0].points.clone()
        };
        let by_epoch = [(1.0, 0.25)];
        assert_eq!(points(&record, true), by_epoch);
        record.step_losses = vec![step(1, None), step(2, None)];
        assert_eq!(points(&record, true), by_epoch);
        record.step_losses = vec![step(1, Some(0.125)), step(2, Some(0.25))];
        assert_eq!(points(&record, true), [(0.5, 0.125), (1.0, 0.25)]);
        assert_eq!(points(&record, false), by_epoch);
    }

    #[test]
    fn a_plateau_is_marked_at_the_rate() {
        let mut record = one_of_four_epochs();
        record.rows = [1.0, 0.5]
            .into_iter()
            .zip(1..)
            .map(|(share, epoch)| EpochRow {
                epoch,
                plateau_share: Some(share),
                ..EpochRow::default()
            })
            .collect();
        let like = Chart {
            marks: marks(&record, RunStatus::Running),
            ..like()
        };
        let chart = rate_chart(&record, true, &like);
        let drops = chart.marks.iter().map(|mark| (mark.kind, mark.epoch));
        let drops: Vec<_> = drops.collect();
        assert_eq!(drops, [(MarkKind::RateDrop, 1.0)]);
    }

    #[test]
    fn time_has_its_parts_where_they_were_measured() {
        let mut rows = one_of_four_epochs().rows;
        rows[0].seconds = 9.0;
        let lines = |rows: &[EpochRow]| -> Vec<(String, f64)> {
            let lines = time_chart(rows, &like()).lines.into_iter();
            lines.map(|line| (line.name, line.points[0].1)).collect()
        };
        assert_eq!(lines(&rows), [("total".to_owned(), 9.0)]);
        (rows[0].data_seconds, rows[0].compute_seconds) = (2.0, 6.0);
        let expected = [("data", 2.0), ("compute", 6.0), ("total", 9.0)];
        assert_eq!(
            lines(&rows),
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }
}
