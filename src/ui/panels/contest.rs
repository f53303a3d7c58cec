use egui::{ComboBox, Grid, RichText, Ui};

use super::scores::left_out_ui;
use crate::metrics::{PredictionComparison, TruthComparison};
use crate::session::{Command, PredictionCommand, ScoredGround, Session};
use crate::ui::canvas::{PaneContent, PaneLayout};
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// A kept prediction (A) against the one that is there now (B): how much changed, and what each
/// class won or lost by it.
pub fn contest_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.kept_places().next().is_none() {
        return;
    }
    ui.strong("Kept prediction A, prediction B");
    choose_ui(ui, session, commands);
    let Some(found) = session.contest().found() else {
        ui.weak("Predict with another network to compare.");
        ui.separator();
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let share = found.changed_share.unwrap_or_default() * 100.0;
        let pixels = text::grouped(found.changed);
        ui.label(format!("{share:.2} % changed its mind"))
            .on_hover_text(format!("{pixels} pixels"));
        if ui.link("Show where").clicked() {
            show_changes(view);
        }
    });
    if let Some(truth) = &found.truth {
        truth_ui(ui, truth, session.contest().ground());
        left_out_ui(ui, session.judging_of_contest().len());
    }
    classes_ui(ui, found);
    if session.is_contest_old() {
        ui.horizontal_wrapped(|ui| {
            ui.weak("The label changed since.");
            if ui.link("Count again").clicked() {
                commands.push(Command::Prediction(PredictionCommand::Compare));
            }
        });
    }
    ui.separator();
}

/// Which of several kept predictions is A.
fn choose_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    if session.kept_places().nth(1).is_none() {
        return;
    }
    let mut a = session.contest().a();
    let name = |place| PaneContent::Kept(place).entry(session);
    ui.horizontal(|ui| {
        let label = ui.label("A");
        let shown = ComboBox::from_id_salt("kept prediction").selected_text(name(a));
        let chosen = shown
            .width(ui.available_width())
            .truncate()
            .show_ui(ui, |ui| {
                for place in session.kept_places() {
                    ui.selectable_value(&mut a, place, name(place));
                }
            });
        chosen.response.labelled_by(label.id);
    });
    if a != session.contest().a() {
        commands.push(Command::Prediction(PredictionCommand::CompareWith(a)));
    }
}

/// Shows the map in the last pane; a single pane is worked in and gets one beside it.
fn show_changes(view: &mut View) {
    if view.layout == PaneLayout::One {
        view.layout = PaneLayout::Two;
    }
    view.contents.show_changes(view.layout);
}

fn truth_ui(ui: &mut Ui, truth: &TruthComparison, ground: ScoredGround) {
    let [mended, spoiled] = [truth.mended, truth.spoiled].map(text::grouped);
    ui.weak(format!(
        "By the label, B mends {mended} px and spoils {spoiled} px."
    ));
    ui.horizontal(|ui| {
        ui.label("Mean IoU");
        let [a, b] = [truth.a.mean_iou, truth.b.mean_iou].map(text::ratio);
        ui.monospace(format!("{a} → {b}"));
        delta_ui(ui, truth.mean_iou_delta);
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("These numbers are of:").small().weak());
        theme::ground(ui, ground);
    });
}

fn classes_ui(ui: &mut Ui, found: &PredictionComparison) {
    let has_truth = found.truth.is_some();
    Grid::new("contest")
        .num_columns(4)
        .striped(true)
        .show(ui, |ui| {
            let heads = if has_truth {
                ["Class", "IoU A", "IoU B", "B − A"]
            } else {
                ["Class", "A, px", "B, px", "B − A"]
            };
            for head in heads {
                ui.label(RichText::new(head).small().strong());
            }
            ui.end_row();
            for class in &found.per_class {
                ui.label(&class.name);
                if has_truth {
                    for value in [class.iou_a, class.iou_b] {
                        ui.label(RichText::new(text::ratio(value)).small().monospace());
                    }
                    delta_ui(ui, class.delta);
                } else {
                    for pixels in [class.pixels_a, class.pixels_b] {
                        ui.label(RichText::new(text::grouped(pixels)).small().monospace());
                    }
                    let more = class.pixels_b as i64 - class.pixels_a as i64;
                    let sign = if more < 0 { "−" } else { "+" };
                    let more = format!("{sign}{}", text::grouped(more.unsigned_abs()));
                    ui.label(RichText::new(more).small().monospace());
                }
                ui.end_row();
            }
        });
}

/// A difference of two ratios with its sign.
fn delta_ui(ui: &mut Ui, delta: Option<f64>) {
    let Some(delta) = delta else {
        ui.label(RichText::new("–").small().monospace());
        return;
    };
    let words = format!("{delta:+.3}").replace('-', "−");
    let words = RichText::new(words).small().monospace();
    ui.label(if delta >= 0.0005 {
        words.color(theme::legible(theme::GOOD, ui.visuals()))
    } else if delta <= -0.0005 {
        words.color(theme::legible(theme::ERROR, ui.visuals()))
    } else {
        words
    });
}
