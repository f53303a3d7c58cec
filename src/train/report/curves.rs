use super::chart::{
    Axis, CHART_STYLE, Chart, CurveLook, HEIGHT, Line, Mark, MarkKind, WIDTH, short,
};
use super::scale::Scale;
use super::words::put;
use crate::train::{EpochRow, RunRecord};

/// A rate that falls by less is on a smooth schedule.
const LEAST_DROP: f64 = 0.1;

/// Losses that span more than this are seen better by their powers.
const WIDE_LOSSES: f64 = 30.0;
/// From so many epochs on lines are smoothed, with the raw ones behind.
const MANY_EPOCHS: usize = 60;

impl CurveLook {
    /// How the curves of these rows are seen best.
    pub fn fitting(rows: &[EpochRow]) -> Self {
        let losses = rows.iter().flat_map(|row| [row.train_loss, row.val_loss]);
        let is_wide = span(losses) > WIDE_LOSSES;
        let is_long = rows.len() >= MANY_EPOCHS;
        Self {
            loss_axis: if is_wide { Axis::Log } else { Axis::Linear },
            smoothing: if is_long { 0.8 } else { 0.0 },
        }
    }
}

/// The greatest positive value over the smallest; 0 without any.
fn span(values: impl Iterator<Item = f64>) -> f64 {
    let positive = values.filter(|value| value.is_finite() && *value > 0.0);
    let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    high / low
}

/// Losses, scores and the learning rate by epoch as one SVG picture with light and dark colors.
pub fn curves_svg(record: &RunRecord, look: CurveLook) -> String {
    let (charts, marks) = (charts(&record.rows, look), marks(record));
    let width = WIDTH * charts.len() as f64;
    let mut svg = format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\">\n\
         <style>{CHART_STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{HEIGHT}\"/>\n"
    );
    for (place, chart) in charts.iter().enumerate() {
        put!(
            &mut svg,
            "<g transform=\"translate({} 0)\">\n",
            WIDTH * place as f64
        );
        chart.draw(&mut svg, &marks);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// The charts of a run, in the order to look at them.
pub(super) fn charts(rows: &[EpochRow], look: CurveLook) -> [Chart; 3] {
    let line = |name, value: fn(&EpochRow) -> Option<f64>| {
        let rows = rows.iter();
        let points = rows
            .filter_map(|row| Some((f64::from(row.epoch), value(row)?)))
            .collect();
        Line { name, points }
    };
    let last_epoch = rows.iter().map(|row| row.epoch).max().unwrap_or(1).max(2);
    let chart = |title, scale, lines| Chart {
        title,
        scale,
        lines,
        smoothing: look.smoothing,
        level: None,
        last_epoch: f64::from(last_epoch),
    };
    let losses = rows.iter().flat_map(|row| [row.train_loss, row.val_loss]);
    let rates = rows.iter().map(|row| row.lr);
    // A rate that falls tenfold is seen better by its powers.
    let rate_axis = if span(rows.iter().map(|row| row.lr)) >= 10.0 {
        Axis::Log
    } else {
        Axis::Linear
    };
    let rate = Chart {
        // What was set was set.
        smoothing: 0.0,
        ..chart(
            "Learning rate",
            Scale::of(rate_axis, rates),
            vec![line("rate", |row| Some(row.lr))],
        )
    };
    [
        chart(
            "Loss",
            Scale::of(look.loss_axis, losses),
            vec![
                line("training", |row| Some(row.train_loss)),
                line("validation", |row| Some(row.val_loss)),
            ],
        ),
        chart(
            "Validation scores",
            Scale::of_ratios(),
            vec![
                line("mean IoU", |row| row.mean_iou),
                line("pixel accuracy", |row| row.pixel_accuracy),
            ],
        ),
        rate,
    ]
}

/// The best epoch, the ends of epochs after which the rate fell or the encoder began to learn, and
/// the end with its reason.
pub(super) fn marks(record: &RunRecord) -> Vec<Mark> {
    let rows = &record.rows;
    let kept = if record.chooses() { "best" } else { "last" };
    let best = rows.iter().rev().find(|row| row.best).map(|row| Mark {
        epoch: f64::from(row.epoch),
        kind: MarkKind::Best,
        text: format!("{kept}: {}", row.epoch),
    });
    // Epoch 3 begins where epoch 2 ends.
    let drops = rate_drops(rows).into_iter().map(|(epoch, text)| Mark {
        epoch: f64::from(epoch) - 1.0,
        kind: MarkKind::RateDrop,
        text,
    });
    let unfreezing = unfreezing(record).map(|(epoch, text)| Mark {
        epoch: f64::from(epoch) - 1.0,
        kind: MarkKind::Unfreezing,
        text,
    });
    let end = rows.last().zip(record.end_words());
    let end = end.map(|(row, text)| Mark {
        epoch: f64::from(row.epoch),
        kind: MarkKind::End,
        text,
    });
    let marks = best.into_iter().chain(drops).chain(unfreezing);
    marks.chain(end).collect()
}

/// The first epoch in which stages of the encoder learned that were frozen before, if the run came
/// to it, with what to say of it.
pub fn unfreezing(record: &RunRecord) -> Option<(u32, String)> {
    // A processor has no driver.
    let environment = record.environment.as_ref();
    let is_cpu = environment.is_none_or(|environment| environment.driver.is_empty());
    let epoch = record.recipe.as_ref()?.unfreezing_epoch(is_cpu)?;
    let is_there = record.rows.iter().any(|row| row.epoch >= epoch);
    is_there.then(|| (epoch, format!("The encoder learns from epoch {epoch} on")))
}

/// Epochs before which a plateau lowered the rate, and those at which it falls from or to a level
/// that lasts, with what to say of each; else a smooth schedule falls everywhere, and nowhere by a
/// step.
pub fn rate_drops(rows: &[EpochRow]) -> Vec<(u32, String)> {
    let lasts = |at: usize| {
        let pair = at
            .checked_sub(1)
            .and_then(|before| Some((rows.get(before)?, rows.get(at)?)));
        pair.is_some_and(|(a, b)| (a.lr - b.lr).abs() <= a.lr.abs() * 1e-6)
    };
    let falls = |at: usize| rows[at].lr < rows[at - 1].lr * (1.0 - LEAST_DROP);
    let drop = |at: usize| {
        let row = &rows[at];
        let shares = rows[at - 1].plateau_share.zip(row.plateau_share);
        let words = match shares {
            Some((before, share)) if share < before => format!(
                "After a plateau the learning rate is {} of what its schedule says from epoch {} on",
                short(share),
                row.epoch
            ),
            _ if falls(at) && (lasts(at - 1) || lasts(at + 1)) => format!(
                "The learning rate falls to {} in epoch {}",
                short(row.lr),
                row.epoch
            ),
            _ => return None,
        };
        Some((row.epoch, words))
    };
    (1..rows.len()).filter_map(drop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Environment, Preset};

    fn row(epoch: u32, loss: f64, lr: f64) -> EpochRow {
        EpochRow {
            epoch,
            train_loss: loss,
            val_loss: loss * 1.2,
            mean_iou: Some(1.0 - loss),
            lr,
            seconds: 1.0,
            best: epoch <= 2,
            ..EpochRow::default()
        }
    }

    fn svg_of(rows: &[EpochRow], look: CurveLook) -> String {
        let record = RunRecord {
            rows: rows.to_vec(),
            ..RunRecord::default()
        };
        curves_svg(&record, look)
    }

    fn epochs_of(rows: &[EpochRow]) -> Vec<u32> {
        let drops = rate_drops(rows).into_iter();
        drops.map(|(epoch, _)| epoch).collect()
    }

    fn drops(rates: &[f64]) -> Vec<u32> {
        let rows: Vec<EpochRow> = (1..)
            .zip(rates)
            .map(|(epoch, &lr)| row(epoch, 0.5, lr))
            .collect();
        epochs_of(&rows)
    }

    #[test]
    fn each_curve_has_its_points() {
        let rows = [row(1, 0.9, 1e-3), row(2, 0.5, 1e-3), row(3, 0.6, 1e-4)];
        let counts = |look| -> Vec<usize> {
            let svg = svg_of(&rows, look);
            let lines = svg.lines().filter(|line| line.contains("<polyline"));
            lines.map(|line| line.matches(',').count()).collect()
        };
        assert_eq!(counts(CurveLook::default()), [3, 3, 3, 0, 3]);
        let smooth = CurveLook {
            smoothing: 0.6,
            loss_axis: Axis::Log,
        };
        assert_eq!(counts(smooth), [3, 3, 3, 3, 3, 3, 0, 0, 3]);
        let svg = svg_of(&rows, smooth);
        let drop = "The learning rate falls to 1.000e-4 in epoch 3";
        assert!(svg.contains("best: 2") && svg.contains(drop));
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn wide_losses_are_seen_by_their_powers_and_long_trainings_smoothed() {
        let rows: Vec<EpochRow> = (1..=60).map(|epoch| row(epoch, 0.5, 1e-3)).collect();
        let look = CurveLook::fitting(&rows);
        assert_eq!((look.loss_axis, look.smoothing), (Axis::Linear, 0.8));
        let look = CurveLook::fitting(&[row(1, 9.0, 1e-3), row(2, 0.1, 1e-3)]);
        assert_eq!((look.loss_axis, look.smoothing), (Axis::Log, 0.0));
        assert_eq!(CurveLook::fitting(&[]), CurveLook::default());
    }

    #[test]
    fn only_steps_of_the_rate_are_drops() {
        assert_eq!(drops(&[1.0, 1.0, 0.1, 0.1, 0.1, 0.01]), [3, 6]);
        assert_eq!(drops(&[1.0, 0.1, 0.1]), [2]);
        assert_eq!(drops(&[1.0, 0.8, 0.5, 0.2, 0.05]), [0; 0]);
        assert_eq!(drops(&[0.5, 1.0, 0.95, 0.94]), [0; 0]);
        assert_eq!(drops(&[]), [0; 0]);
    }

    #[test]
    fn a_plateau_on_a_smooth_schedule_is_a_drop() {
        let shares = [1.0, 1.0, 0.5, 0.5, 0.25];
        let mut rows: Vec<EpochRow> = (1..)
            .zip([0.95, 0.8, 0.3, 0.2, 0.05].into_iter().zip(shares))
            .map(|(epoch, (lr, share))| EpochRow {
                plateau_share: Some(share),
                ..row(epoch, 0.5, lr)
            })
            .collect();
        assert_eq!(epochs_of(&rows), [3, 5]);
        let words =
            "After a plateau the learning rate is 0.5000 of what its schedule says from epoch 3 on";
        assert_eq!(rate_drops(&rows)[0].1, words);
        assert!(svg_of(&rows, CurveLook::default()).contains(words));
        // A run of an older version that was gone on with.
        rows[1].plateau_share = None;
        assert_eq!(epochs_of(&rows), [5]);
    }

    #[test]
    fn the_epoch_from_which_the_encoder_learns_is_marked_once_it_is_there() {
        let mut recipe = Preset::Balanced.recipe();
        recipe.unfreeze_after = 2;
        let mut record = RunRecord {
            rows: vec![row(1, 0.9, 1e-3), row(2, 0.5, 1e-3)],
            recipe: Some(recipe),
            ..RunRecord::default()
        };
        assert_eq!(unfreezing(&record), None);
        record.rows.push(row(3, 0.4, 1e-3));
        let words = "The encoder learns from epoch 3 on";
        assert_eq!(unfreezing(&record), Some((3, words.to_owned())));
        let svg = curves_svg(&record, CurveLook::default());
        assert!(svg.contains(words), "{svg}");
        // On a card nothing is frozen by that recipe.
        record.environment = Some(Environment::of_program(1, ["A card", "A driver"], ""));
        assert_eq!(unfreezing(&record), None);
    }

    #[test]
    fn no_epoch_is_no_panic() {
        for look in [
            CurveLook::default(),
            CurveLook {
                loss_axis: Axis::Log,
                smoothing: f64::NAN,
            },
        ] {
            assert!(svg_of(&[], look).contains("Loss"));
            let odd = [row(1, f64::NAN, f64::INFINITY), row(u32::MAX, -1e308, 0.0)];
            assert!(svg_of(&odd, look).contains("</svg>"));
        }
    }
}
