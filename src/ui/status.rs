use egui::{ProgressBar, RichText, Ui};

use super::coordinates::coordinates_ui;
use super::text;
use super::view::{CommandQueue, View};
use crate::label::UNLABELED;
use crate::session::{Command, LayerKind, Session};

/// The bottom line: where, what, how much memory, how long a frame takes, and what runs.
pub fn status_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            cost_ui(ui, session, view);
            coverage_ui(ui, session, view);
            activities_ui(ui, session, commands);
            if session.image().is_none() || view.training.is_open {
                return;
            }
            // What is left of the line; what does not fit ends there instead of lying over others.
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
    coordinates_ui(ui, pixel.map(|(at, _)| at), session, commands);
    if let Some([width, _]) = image.pixel_meters {
        small(ui, format!("{width:.3} m/px"));
    }
    if let Some(camera) = view.camera {
        small(ui, format!("zoom {}", text::zoom(camera.scale)));
    }
    if let Some((_, (x, y))) = pixel {
        for (kind, name) in [
            (LayerKind::Label, "label"),
            (LayerKind::Prediction, "prediction"),
        ] {
            if let Some(layer) = session.layer(kind) {
                small(
                    ui,
                    format!("{name}: {}", class_name(session, layer.mask.get(x, y))),
                );
            }
        }
    }
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

fn activities_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    for activity in session.activities() {
        let stop = ui
            .small_button("Stop")
            .on_hover_text(format!("Stop: {}", activity.title));
        if stop.clicked() {
            commands.push(Command::StopJob(activity.id));
        }
        match activity.progress {
            Some(share) => {
                let bar = ProgressBar::new(share)
                    .desired_width(110.0)
                    .show_percentage();
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

fn small(ui: &mut Ui, text: String) -> egui::Response {
    ui.label(RichText::new(text).small().monospace())
}
