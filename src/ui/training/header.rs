use egui::{Color32, Frame, Response, RichText, Ui};

use super::super::dialogs::FileWish;
use super::super::view::View;
use super::super::{text, theme};
use super::class_table::figure_help;
use super::marks::end_reason;
use super::preparing::notes_ui;
use crate::metrics::Figure;
use crate::session::{RunEntry, RunStatus, ScoredGround, Session};
use crate::train::{Environment, Forecast, RunRecord, ScoredOn, step_seconds};

/// A fact with a large value.
pub struct Tile {
    /// What it is of.
    pub name: &'static str,
    /// The fact.
    pub value: String,
    /// What belongs to it.
    pub note: String,
    /// What it means.
    pub help: String,
}

/// What a run is, how it is, and what it came to.
pub fn header_ui(ui: &mut Ui, entry: &RunEntry, session: &Session) {
    let record = &entry.record;
    ui.horizontal_wrapped(|ui| {
        ui.heading(session.runs().name_of(record))
            .on_hover_text(record.folder.display().to_string());
        status_ui(ui, entry, session);
    });
    let words = RichText::new(what(record)).weak();
    ui.label(words);
    let status = status_of(entry, session);
    if let Some(reason) = end_reason(record, status) {
        if status == RunStatus::Failed {
            theme::words(ui, theme::ERROR, reason);
        } else {
            ui.weak(reason);
        }
    }
    ui.add_space(theme::GRID);
    ui.horizontal_wrapped(|ui| {
        let ground = ScoredGround::of_scores(record);
        let on = record.scores().map(|scores| scores.on);
        let leaks = record.leak_warning(on.unwrap_or(ScoredOn::Validation));
        let mark = leaks.map_or("", |_| " · leaks");
        for tile in score_tiles(record) {
            let name = format!("{} · {}{mark}", tile.name, ground.word());
            framed_ui(ui, &tile, &name).on_hover_text(ground.sentence());
        }
        for tile in tiles(entry, session) {
            tile_ui(ui, &tile);
        }
    });
    theme::leak_lines(ui, &record.leak_warnings());
    // What a run that goes on lacks is still to come.
    let is_over = status != RunStatus::Running;
    for note in record.notes.iter().filter(|_| is_over) {
        theme::words(ui, theme::WARNING, RichText::new(note).small());
    }
    notes_ui(ui, record, session);
    ui.add_space(theme::GRID);
}

/// Network, size and length in a line.
fn what(record: &RunRecord) -> String {
    let mut parts: Vec<String> = record.network().into_iter().collect();
    let weights = record.num_weights;
    parts.extend(weights.map(|weights| format!("{} weights", text::grouped(weights))));
    if let Some(recipe) = &record.recipe {
        parts.push(format!(
            "patches of {} px, {} in a step",
            recipe.patch, recipe.batch
        ));
        parts.push(format!(
            "{} × {} steps",
            recipe.epochs, recipe.steps_per_epoch
        ));
        parts.push(format!("seed {}", recipe.seed));
    }
    parts.join("  ·  ")
}

/// How a run is: one that is trained here goes on, whatever its folder says of an earlier part.
pub fn status_of(entry: &RunEntry, session: &Session) -> RunStatus {
    if is_here(entry, session) {
        RunStatus::Running
    } else {
        entry.status
    }
}

/// The word for a run's status, its color and what it means.
pub fn status_words(entry: &RunEntry, session: &Session) -> (&'static str, Color32, &'static str) {
    if is_here(entry, session) && session.training().is_paused {
        return ("paused", theme::WARNING, "It rests until “Go on”");
    }
    if is_here(entry, session) {
        return ("running", theme::ACCENT, "It is trained in this window");
    }
    match entry.status {
        RunStatus::Running => ("running", theme::ACCENT, "Another program is training it"),
        RunStatus::Finished => ("finished", theme::GOOD, "It came to its end"),
        RunStatus::Stopped => ("stopped", theme::WARNING, "It was stopped and can go on"),
        RunStatus::Failed => ("failed", theme::ERROR, "It failed, as is said below"),
        RunStatus::Interrupted => (
            "interrupted",
            theme::WARNING,
            "Its program went away in the middle; it can go on if there is a state",
        ),
    }
}

fn status_ui(ui: &mut Ui, entry: &RunEntry, session: &Session) {
    let (word, color, help) = status_words(entry, session);
    Frame::new()
        .fill(color.gamma_multiply(0.22))
        .corner_radius(8.0)
        .inner_margin(egui::Margin::symmetric(8, 2))
        .show(ui, |ui| {
            ui.label(
                RichText::new(word)
                    .small()
                    .color(ui.visuals().strong_text_color()),
            );
        })
        .response
        .on_hover_text(help);
}

/// What the best network scores.
fn score_tiles(record: &RunRecord) -> [Tile; 2] {
    let scores = record.scores();
    let row = record.best_row();
    let on = scores.map_or(ScoredOn::Validation, |scores| scores.on);
    let mean_iou = scores.map_or_else(|| row.and_then(|row| row.mean_iou), |s| s.scores.mean_iou);
    let accuracy = scores.map_or_else(
        || row.and_then(|row| row.pixel_accuracy),
        |scores| scores.scores.pixel_accuracy,
    );
    let baseline = scores.map_or_else(
        || row.and_then(|row| row.majority_baseline),
        |scores| scores.scores.majority_baseline,
    );
    let epoch = row.map_or_else(String::new, |row| format!("epoch {}, ", row.epoch));
    [
        Tile {
            name: "Mean IoU",
            value: text::ratio(mean_iou),
            note: format!("{epoch}{}", on.words()),
            help: figure_help(Figure::MeanIou),
        },
        Tile {
            name: "Pixel accuracy",
            value: text::ratio(accuracy),
            note: baseline.map_or_else(String::new, |share| format!("majority alone {share:.3}")),
            help: format!(
                "{}\n\n{}",
                figure_help(Figure::PixelAccuracy),
                figure_help(Figure::MajorityBaseline)
            ),
        },
    ]
}

fn tiles(entry: &RunEntry, session: &Session) -> Vec<Tile> {
    let record = &entry.record;
    let mut tiles = vec![time_tile(record)];
    tiles.extend(left_tile(entry, session));
    tiles.extend(step_tile(entry, session));
    let forecast = session.training().forecast.as_ref();
    let forecast = forecast.filter(|_| is_here(entry, session));
    tiles.extend(memory_tile(record, forecast));
    let environment = record.environment.as_ref();
    tiles.extend(environment.and_then(device_tile));
    tiles
}

/// Where it was computed: the word, and the whole name behind it.
fn device_tile(environment: &Environment) -> Option<Tile> {
    let device = &environment.device;
    let short = device.split(" (").next().filter(|name| !name.is_empty())?;
    Some(Tile {
        name: "Device",
        value: short.to_owned(),
        note: environment.system.clone(),
        help: format!("Where it was computed: {device}"),
    })
}

fn time_tile(record: &RunRecord) -> Tile {
    let epochs = record.rows.len();
    let seconds = record.seconds();
    let each = seconds.map(|seconds| seconds / epochs.max(1) as f64);
    Tile {
        name: "Time",
        value: seconds.map_or_else(|| "–".to_owned(), text::duration),
        note: each.map_or_else(String::new, |each| {
            let noun = if epochs == 1 { "epoch" } else { "epochs" };
            format!("{epochs} {noun} of {}", text::duration(each))
        }),
        help: "Of all epochs that ended, validation included".to_owned(),
    }
}

/// How long it still takes, of a run that goes on.
fn left_tile(entry: &RunEntry, session: &Session) -> Option<Tile> {
    let record = &entry.record;
    let state = session.training();
    let left = if is_here(entry, session) {
        state.seconds_left()
    } else if entry.status == RunStatus::Running {
        let epochs = record.recipe.as_ref()?.epochs;
        let left = epochs.saturating_sub(record.rows.last()?.epoch);
        record
            .seconds()
            .map(|seconds| seconds / record.rows.len() as f64 * f64::from(left))
    } else {
        return None;
    };
    Some(Tile {
        name: "Time left",
        value: left.map_or_else(|| "–".to_owned(), text::duration),
        note: if is_here(entry, session) && state.is_judging() {
            "judging the epoch".to_owned()
        } else {
            "if it is not ended early".to_owned()
        },
        help: "The epochs left, each as long as those before".to_owned(),
    })
}

/// Whether the run is trained in this window now.
fn is_here(entry: &RunEntry, session: &Session) -> bool {
    let state = session.training();
    state.is_running() && state.run.as_deref() == Some(&entry.record.folder)
}

/// How long a step takes, and whether the device waits for images.
fn step_tile(entry: &RunEntry, session: &Session) -> Option<Tile> {
    let record = &entry.record;
    let forecast = session.training().forecast.as_ref();
    let of_epoch = || {
        let (row, recipe) = (record.rows.last()?, record.recipe.as_ref()?);
        let steps = f64::from(recipe.steps_per_epoch.max(1));
        Some([row.data_seconds / steps, row.compute_seconds / steps])
    };
    let of_forecast = || {
        let forecast = forecast.filter(|_| is_here(entry, session))?;
        let data = forecast.data_seconds_per_step;
        Some([data, forecast.seconds_per_step - data])
    };
    let measured = step_seconds(&record.step_losses);
    let measured = measured.or_else(of_epoch).or_else(of_forecast);
    let [data, compute] = measured.filter(|[data, compute]| data + compute > 0.0)?;
    let seconds = data + compute;
    Some(Tile {
        name: "A step",
        value: text::span(seconds),
        note: format!("{:.0} % waiting for images", data / seconds * 100.0),
        help: format!(
            "In the last steps: {:.1} ms of waiting for images to be decoded and varied, {:.1} ms \
             of computing (steps.csv)",
            data * 1000.0,
            compute * 1000.0
        ),
    })
}

/// What the training took of the memory so far: by its record, and by what was measured on the
/// first steps of one in this window until an epoch has ended.
fn memory_tile(record: &RunRecord, forecast: Option<&Forecast>) -> Option<Tile> {
    let of_forecast = forecast.and_then(|forecast| forecast.bytes);
    let held = record.peak_bytes().max(of_forecast);
    if held.is_none() && forecast.is_none() {
        return None;
    }
    let in_words = |bytes: u64| text::bytes(bytes as usize);
    let of_step = forecast.map(|forecast| {
        let expected = in_words(forecast.estimated_bytes);
        match forecast.step_bytes {
            Some(bytes) => format!("{} for steps, {expected} expected", in_words(bytes)),
            None => format!("{expected} expected for a step"),
        }
    });
    Some(Tile {
        name: "Memory",
        value: held.map_or_else(|| "–".to_owned(), in_words),
        note: of_step.unwrap_or_else(|| "at most".to_owned()),
        help: "The most main memory that the program held while it trained, by the end of each \
               epoch (peak_bytes of metrics.csv); beside it, while it trains in this window, what \
               was taken for steps that were measured before the first epoch, and what a step was \
               thought to take of the device's memory"
            .to_owned(),
    })
}

/// Draws a fact.
pub fn tile_ui(ui: &mut Ui, tile: &Tile) {
    framed_ui(ui, tile, tile.name);
}

fn framed_ui(ui: &mut Ui, tile: &Tile, name: &str) -> Response {
    let frame = Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(egui::Margin::symmetric(10, 7));
    let shown = frame.show(ui, |ui| {
        ui.set_min_width(104.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(name).small().weak());
            ui.label(RichText::new(&tile.value).size(18.0).strong());
            ui.label(RichText::new(&tile.note).small().weak());
        });
    });
    shown.response.on_hover_text(&tile.help)
}

/// What to do where there is no run.
pub fn empty_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    ui.add_space(60.0);
    ui.vertical_centered(|ui| {
        ui.heading("No run to show");
        if session.image().is_some() {
            ui.weak("Press Train: curves, scores and pictures of what the network sees appear here while it learns.");
        } else {
            ui.weak("Open an image with a label and press Train, or open the folder of an earlier run.");
        }
        ui.add_space(2.0 * theme::GRID);
        if ui.button("Open run…").clicked() {
            view.wish(FileWish::OpenRuns);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::EpochRow;

    #[test]
    fn memory_is_told_by_the_record_and_before_it_by_the_first_steps() {
        let row = |peak_bytes| EpochRow {
            peak_bytes,
            ..EpochRow::default()
        };
        let mut record = RunRecord::default();
        let forecast = Forecast {
            bytes: Some(1_000_000_000),
            estimated_bytes: 5_000_000,
            seconds_per_step: 1.0,
            data_seconds_per_step: 0.0,
            seconds_left: 9.0,
            steps: 2,
            encoding_seconds: 0.0,
            unfreezing: None,
            step_bytes: None,
        };
        let told = |record: &RunRecord, forecast: Option<&Forecast>| {
            memory_tile(record, forecast).map(|tile| (tile.value, tile.note))
        };
        let words = |value: &str, note: &str| Some((value.to_owned(), note.to_owned()));
        assert_eq!(told(&record, None), None);
        let at_first = words("1.00 GB", "5 MB expected for a step");
        assert_eq!(told(&record, Some(&forecast)), at_first);
        // A run that was gone on with has a process of less memory behind one of more.
        record.rows = vec![
            row(None),
            row(Some(3_000_000_000)),
            row(Some(2_000_000_000)),
        ];
        let later = words("3.00 GB", "5 MB expected for a step");
        assert_eq!(told(&record, Some(&forecast)), later);
        assert_eq!(told(&record, None), words("3.00 GB", "at most"));
    }
}
