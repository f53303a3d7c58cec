use std::sync::Arc;

use egui::{Color32, Frame, Grid, RichText, ScrollArea, Ui};

use super::super::{text, theme};
use super::chart::{Chart, ChartLine, Hover, Level};
use super::class_table::{figure_help, swatch_ui};
use super::curves::{charts_ui, heading};
use super::list::Chosen;
use super::look::Look;
use crate::metrics::Figure;
use crate::session::{RunEntry, ScoredGround, Session};
use crate::train::{EpochRow, FinalRow, FinalTable, RunRecord, Scale};

const HEIGHT: f32 = 200.0;

/// The overlaid curves and the table of the ticked runs, made when one of them changes.
#[derive(Debug, Default)]
pub struct Compared {
    of: Option<Made>,
    table: Option<FinalTable>,
    /// Validation loss, mean IoU, training loss, pixel accuracy.
    pub charts: Vec<Chart>,
}

/// What the curves were made of.
#[derive(Debug)]
struct Made {
    records: Vec<Arc<RunRecord>>,
    chosen: Chosen,
    look: Look,
    is_dark: bool,
}

type Value = fn(&EpochRow) -> Option<f64>;
const CURVES: [(&str, Value); 4] = [
    ("Validation loss", |row| Some(row.val_loss)),
    ("Mean IoU", |row| row.mean_iou),
    ("Training loss", |row| Some(row.train_loss)),
    (ACCURACY, |row| row.pixel_accuracy),
];
const ACCURACY: &str = "Pixel accuracy";
/// Baselines that are shown with three digits are the same when they differ by less.
const SAME_BASELINE: f64 = 5e-4;

impl Compared {
    /// Makes curves and table anew if something changed; `true` then.
    fn follow(
        &mut self,
        entries: &[&RunEntry],
        chosen: &Chosen,
        look: Look,
        is_dark: bool,
    ) -> bool {
        if self
            .of
            .as_ref()
            .is_some_and(|made| made.is(entries, chosen, look, is_dark))
        {
            return false;
        }
        let chart = |curve| overlaid_chart(curve, entries, chosen, look, is_dark);
        self.charts = CURVES.into_iter().map(chart).collect();
        let records: Vec<RunRecord> = entries
            .iter()
            .map(|entry| (*entry.record).clone())
            .collect();
        let pinned = chosen.pinned.as_ref();
        let place =
            pinned.and_then(|pinned| records.iter().position(|record| record.folder == *pinned));
        let table = FinalTable::of(&records);
        self.table = Some(match place {
            Some(place) => table.pinned_to(place),
            None => table,
        });
        self.of = Some(Made {
            records: entries
                .iter()
                .map(|entry| Arc::clone(&entry.record))
                .collect(),
            chosen: chosen.clone(),
            look,
            is_dark,
        });
        true
    }
}

impl Made {
    fn is(&self, entries: &[&RunEntry], chosen: &Chosen, look: Look, is_dark: bool) -> bool {
        let same =
            |(known, entry): (&Arc<RunRecord>, &&RunEntry)| Arc::ptr_eq(known, &entry.record);
        self.records.len() == entries.len()
            && self.records.iter().zip(entries).all(same)
            && (self.look, self.is_dark) == (look, is_dark)
            && (&self.chosen.ticked, &self.chosen.pinned) == (&chosen.ticked, &chosen.pinned)
    }
}

fn overlaid_chart(
    (title, value): (&'static str, Value),
    entries: &[&RunEntry],
    chosen: &Chosen,
    look: Look,
    is_dark: bool,
) -> Chart {
    let line = |entry: &&RunEntry| overlaid(entry, chosen, look, is_dark, value);
    let rows = entries.iter().flat_map(|entry| &entry.record.rows);
    let is_loss = title.ends_with("loss");
    let values: Vec<f64> = rows.clone().filter_map(value).collect();
    let (losses, above) = look.loss_scale(&values);
    let last = rows.map(|row| row.epoch).max().unwrap_or(1).max(2);
    let levels = if title == ACCURACY {
        let baseline = |entry: &&RunEntry| {
            let (color, _) = chosen.color(&entry.record.folder, is_dark)?;
            Some((color, entry.record.validation_baseline()))
        };
        baselines(&entries.iter().filter_map(baseline).collect::<Vec<_>>())
    } else {
        Vec::new()
    };
    Chart {
        title,
        lines: entries.iter().filter_map(line).collect(),
        marks: Vec::new(),
        levels,
        remark: (is_loss && above > 0).then(|| format!("{above} above: Fit all shows them")),
        epochs: [1.0, f64::from(last)],
        scale: if is_loss { losses } else { Scale::of_ratios() },
        number: |value| format!("{value:.3}"),
        height: HEIGHT,
    }
}

/// The majority baselines of runs, each in its run's color; one in grey where all have the same.
fn baselines(runs: &[(Color32, Option<f64>)]) -> Vec<Level> {
    let level = |&(color, value): &(Color32, Option<f64>)| {
        Some(Level {
            value: value?,
            name: "majority baseline",
            color,
        })
    };
    let mut levels: Vec<Level> = runs.iter().filter_map(level).collect();
    let is_same = |pair: &[Level]| (pair[0].value - pair[1].value).abs() < SAME_BASELINE;
    if levels.len() == runs.len() && levels.windows(2).all(is_same) {
        levels.truncate(1);
        for level in &mut levels {
            level.color = Color32::GRAY;
        }
    }
    levels
}

fn overlaid(
    entry: &RunEntry,
    chosen: &Chosen,
    look: Look,
    is_dark: bool,
    value: Value,
) -> Option<ChartLine> {
    let (color, is_dashed) = chosen.color(&entry.record.folder, is_dark)?;
    let point = |row: &EpochRow| Some((f64::from(row.epoch), value(row)?));
    let points = entry.record.rows.iter().filter_map(point).collect();
    let line = look.line(&entry.record.name(), color, points);
    Some(ChartLine { is_dashed, ..line })
}

/// The ticked runs over each other, and what they came to.
pub fn compare_ui(
    ui: &mut Ui,
    session: &Session,
    chosen: &Chosen,
    (compared, look, hover): (&mut Compared, Look, &mut Hover),
) {
    let entries = ticked(session, chosen);
    let is_dark = ui.visuals().dark_mode;
    if compared.follow(&entries, chosen, look, is_dark) {
        // The columns of the table find their widths in the next frame.
        ui.request_repaint();
    }
    hover.begin();
    charts_ui(ui, &compared.charts, hover);
    heading(ui, "What they came to");
    if let Some(table) = &compared.table {
        table_ui(ui, table, &entries, chosen);
    }
}

/// The ticked runs that are listed, in the order they were ticked in.
pub fn ticked<'a>(session: &'a Session, chosen: &Chosen) -> Vec<&'a RunEntry> {
    let runs = chosen.ticked.iter();
    runs.filter_map(|run| session.runs().entry(run)).collect()
}

fn table_ui(ui: &mut Ui, table: &FinalTable, entries: &[&RunEntry], chosen: &Chosen) {
    for note in table.warnings() {
        theme::words(
            ui,
            theme::WARNING,
            RichText::new(format!("{note}.")).small(),
        );
    }
    let frame = Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0);
    ScrollArea::horizontal()
        .id_salt("final table")
        .show(ui, |ui| {
            frame.show(ui, |ui| {
                Grid::new("final table")
                    .spacing([18.0, 6.0])
                    .show(ui, |ui| {
                        heads_ui(ui, table);
                        for (place, row) in table.rows.iter().enumerate() {
                            let Some(entry) = entries.get(place) else {
                                continue;
                            };
                            let run = &entry.record.folder;
                            let color = chosen.color(run, ui.visuals().dark_mode);
                            let color = color.map_or(Color32::GRAY, |(color, _)| color);
                            let ground = ScoredGround::of_scores(&entry.record);
                            row_ui(ui, (table, place), row, (color, ground));
                        }
                    });
            });
        });
}

fn heads_ui(ui: &mut Ui, table: &FinalTable) {
    let figure = |figure| figure_help(figure);
    let columns = [
        (
            "Run",
            "The run's folder; the pinned one is the baseline".to_owned(),
        ),
        ("Network", "Family and encoder".to_owned()),
        ("Weights", "Numbers that were learned".to_owned()),
        ("Time", "Of all epochs that ended".to_owned()),
        ("Best epoch", "The epoch whose network was kept".to_owned()),
        (
            "Scored on",
            "Scores of validation ground are too good: the epoch was chosen by them".to_owned(),
        ),
        ("Baseline", figure(Figure::MajorityBaseline)),
        ("Accuracy", figure(Figure::PixelAccuracy)),
        ("Mean IoU", figure(Figure::MeanIou)),
    ];
    for (name, help) in columns {
        ui.label(RichText::new(name).small().strong())
            .on_hover_text(help);
    }
    for of in &table.figures {
        let head = RichText::new(of.definition().symbol).small().strong();
        ui.label(head).on_hover_text(figure(*of));
    }
    for name in &table.classes {
        ui.label(RichText::new(name).small().strong())
            .on_hover_text(figure(Figure::Iou));
    }
    ui.end_row();
}

fn row_ui(
    ui: &mut Ui,
    (table, place): (&FinalTable, usize),
    row: &FinalRow,
    (color, ground): (Color32, ScoredGround),
) {
    ui.horizontal(|ui| {
        swatch_ui(ui, color);
        let pinned = if table.pinned == Some(place) {
            "  (baseline)"
        } else {
            ""
        };
        ui.label(format!("{}{pinned}", row.name));
    });
    let none = || "–".to_owned();
    ui.label(row.network.clone().unwrap_or_else(none));
    let facts = [
        row.num_weights.map_or_else(none, text::grouped),
        row.seconds.map_or_else(none, text::duration),
        row.best_epoch.map_or_else(none, |epoch| epoch.to_string()),
    ];
    for fact in facts {
        ui.label(RichText::new(fact).monospace());
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new(row.on.words()).small());
        theme::ground(ui, ground);
        theme::leak_mark(ui, row.leaks.as_deref());
    });
    ui.label(
        RichText::new(text::ratio(row.majority_baseline))
            .monospace()
            .weak(),
    );
    let best = best_of(table);
    let is_doubtful = !table.notes.is_empty();
    for (at, (score, difference)) in table.compared(place).into_iter().enumerate() {
        let difference = difference.map(|words| difference_words(ui, &words, is_doubtful));
        score_ui(ui, score, difference, best[at]);
    }
    ui.end_row();
}

/// The best value of each column of scores.
fn best_of(table: &FinalTable) -> Vec<Option<f64>> {
    let columns = 2 + table.figures.len() + table.classes.len();
    let mut best: Vec<Option<f64>> = vec![None; columns];
    for place in 0..table.rows.len() {
        for (at, (score, _)) in table.compared(place).into_iter().enumerate() {
            best[at] = match (best[at], score) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
        }
    }
    best
}

/// The difference to the pinned run; without a verdict where the two can hardly be compared.
fn difference_words(ui: &Ui, words: &str, is_doubtful: bool) -> RichText {
    let color = match words.chars().next() {
        Some('+') if !is_doubtful => theme::legible(theme::GOOD, ui.visuals()),
        Some('−') if !is_doubtful => theme::legible(theme::ERROR, ui.visuals()),
        _ => ui.visuals().weak_text_color(),
    };
    RichText::new(words).small().color(color)
}

/// A score, bold where it is the best of its column, and its difference to the pinned run.
fn score_ui(ui: &mut Ui, score: Option<f64>, difference: Option<RichText>, best: Option<f64>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let words = RichText::new(text::ratio(score)).monospace();
        let is_best = score.is_some() && score == best;
        ui.label(if is_best {
            words.strong()
        } else {
            words.weak()
        });
        if let Some(difference) = difference {
            ui.label(difference);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baselines_that_differ_have_the_colors_of_their_runs() {
        let (red, green) = (Color32::RED, Color32::GREEN);
        let levels = |runs: &[(Color32, Option<f64>)]| -> Vec<(Color32, f64)> {
            let levels = baselines(runs).into_iter();
            levels.map(|level| (level.color, level.value)).collect()
        };
        let differ = [(red, Some(0.5)), (green, Some(0.75))];
        assert_eq!(levels(&differ), [(red, 0.5), (green, 0.75)]);
        let same = [(red, Some(0.5)), (green, Some(0.5001))];
        assert_eq!(levels(&same), [(Color32::GRAY, 0.5)]);
        // What one run of two has is not said of both.
        assert_eq!(levels(&[(red, None), (green, Some(0.5))]), [(green, 0.5)]);
        assert!(levels(&[(red, None)]).is_empty());
    }
}
