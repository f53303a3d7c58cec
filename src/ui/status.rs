use egui::{ProgressBar, RichText, Ui};

use super::coordinates::{coordinates_ui, text_width};
use super::pace::Pace;
use super::stop::stop_ui;
use super::text;
use super::view::{CommandQueue, View};
use crate::label::UNLABELED;
use crate::session::{LayerKind, Session};

/// The bottom line: where, what, how much memory, how long a frame takes, and what runs.
pub fn status_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            cost_ui(ui, session, view);
            coverage_ui(ui, session, view);
            activities_ui(ui, session, &mut view.pace, commands);
            if session.image().is_none() || view.training.is_open {
                return;
            }
            // What is left of the line.
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_clip_rect(ui.max_rect().intersect(ui.clip_rect()));
                position_ui(ui, session, view, commands);
            });
        });
    });
}

/// The share of cells that are done; a click shows the grid.
fn coverage_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    let coverage = session.coverage();
    let (done, all) = (coverage.num_done(), coverage.num_cells());
    if all == 0 || (!view.shows_coverage && coverage.marks().next().is_none()) {
        return;
    }
    let percent = 100.0 * done as f64 / all as f64;
    let text = RichText::new(format!("{percent:.0} % done")).small();
    let cells = text::of_all(done, all);
    let hover = format!("{cells} cells are done; click shows or hides the grid");
    if ui
        .add(egui::Button::new(text).frame(false))
        .on_hover_text(hover)
        .clicked()
    {
        view.shows_coverage = !view.shows_coverage;
    }
}

fn position_ui(ui: &mut Ui, session: &Session, view: &View, commands: &mut CommandQueue) {
    let Some(image) = session.image() else { return };
    let pixel = view
        .pointer_at
        .and_then(|at| Some((at, at.pixel_in(image.size())?)));
    match pixel {
        Some((_, (x, y))) => {
            small(
                ui,
                format!(
                    "x {}  y {}",
                    text::grouped(x.into()),
                    text::grouped(y.into())
                ),
            );
        }
        None => {
            small(ui, format!("{} px", image.size()));
        }
    }
    let mut items = Vec::new();
    if let Some([width, _]) = image.pixel_meters {
        items.push(format!("{width:.3} m/px"));
    }
    if let Some(camera) = view.camera {
        items.push(format!("zoom {}", text::zoom(camera.scale)));
    }
    let num_others = items.len();
    // No map tells what is at a point that is checked.
    if let (Some((_, (x, y))), None) = (pixel, session.checked_point()) {
        for (kind, name) in [
            (LayerKind::Label, "label"),
            (LayerKind::Prediction, "prediction"),
        ] {
            let layer = session.layer(kind);
            let class = layer.map(|layer| class_name(session, layer.mask.get(x, y)));
            items.extend(class.map(|class| format!("{name}: {class}")));
        }
    }
    let widths: Vec<f32> = items.iter().map(|item| text_width(ui, item)).collect();
    let classes: f32 = widths[num_others..].iter().sum();
    coordinates_ui(ui, pixel.map(|(at, _)| at), classes, session, commands);
    let first = first_shown(&widths, ui.available_width());
    for item in items.into_iter().skip(first) {
        small(ui, item);
    }
}

/// The first item from which on all fit into `room`, both in points. What comes last matters most
/// and is shown in any case, if need be shortened.
fn first_shown(widths: &[f32], room: f32) -> usize {
    let fits = |from: &usize| widths[*from..].iter().sum::<f32>() <= room;
    let last = widths.len().saturating_sub(1);
    (0..last).find(fits).unwrap_or(last)
}

fn class_name(session: &Session, class: u8) -> String {
    match session.classes().get(class) {
        Some(class) => class.name.clone(),
        None if class == UNLABELED => "unlabeled".to_owned(),
        None => format!("class {class}"),
    }
}

fn cost_ui(ui: &mut Ui, session: &Session, view: &View) {
    if let Some(frame) = view.stats.median() {
        let millis = frame.as_secs_f64() * 1e3;
        small(ui, format!("{millis:.1} ms")).on_hover_text("Median own work of the last frames");
    }
    let resident = memory_stats::memory_stats().map(|stats| stats.physical_mem);
    let hover = format!(
        "Tiles, masks and undo steps: {}",
        text::bytes(session.bytes_used())
    );
    let shown = text::bytes(resident.unwrap_or_else(|| session.bytes_used()));
    small(ui, shown).on_hover_text(hover);
}

fn activities_ui(ui: &mut Ui, session: &Session, pace: &mut Pace, commands: &mut CommandQueue) {
    pace.keep(|job| session.activities().any(|activity| activity.id == job));
    let now = ui.input(|input| input.time);
    // Small buttons.
    ui.spacing_mut().button_padding.y = 0.0;
    for activity in session.activities() {
        let help = format!("Stop: {}", activity.title);
        stop_ui(ui, session, activity.id, ("Stop", &help), commands);
        match activity.progress {
            Some(share) => {
                let training = session.training();
                let left = if training.job == Some(activity.id) {
                    // As its own page says.
                    training.seconds_left()
                } else {
                    pace.seconds_left(activity.id, share, now)
                };
                let words = RichText::new(progress_words(share, left)).small();
                let bar = ProgressBar::new(share).desired_width(130.0).text(words);
                ui.add(bar);
            }
            None => {
                ui.spinner();
            }
        }
        let title = egui::Label::new(RichText::new(&activity.title).small()).truncate();
        ui.add_sized([180.0, 16.0], title);
    }
}

/// The share that is done, and how long the rest takes: 25 % · 40 s left.
fn progress_words(share: f32, seconds_left: Option<f64>) -> String {
    let percent = format!("{:.0} %", 100.0 * share);
    match seconds_left {
        Some(seconds) => format!("{percent} · {} left", text::about(seconds)),
        None => percent,
    }
}

fn small(ui: &mut Ui, text: String) -> egui::Response {
    let text = RichText::new(text).small().monospace();
    ui.add(egui::Label::new(text).truncate())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_least_goes_first_and_no_word_is_cut() {
        let widths = [60.0, 60.0, 100.0, 120.0];
        let shown = [340.0, 339.0, 220.0, 219.0, 10.0].map(|room| first_shown(&widths, room));
        assert_eq!(shown, [0, 1, 2, 3, 3]);
        assert_eq!(first_shown(&[], 100.0), 0);
        let ctx = egui::Context::default();
        let mut widths = [0.0; 2];
        drop(ctx.run_ui(egui::RawInput::default(), |ui| {
            ui.horizontal(|ui| {
                ui.set_max_width(90.0);
                let text = "prediction: woodland".to_owned();
                widths = [text_width(ui, &text), small(ui, text).rect.width()];
            });
        }));
        assert!(widths[0] > 90.0 && widths[1] <= 90.0, "{widths:?}");
    }
}
