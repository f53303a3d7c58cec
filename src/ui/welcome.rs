use egui::{RichText, Ui, vec2};

use super::dialogs::FileWish;
use super::keys::Action;
use super::theme;
use super::view::{CommandQueue, View};
use crate::session::{Command, Session};

/// What an empty window says: what to do first.
pub fn welcome_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if let Some(activity) = session.activities().next() {
        busy_ui(ui, &activity.title, activity.progress);
        return;
    }
    let top = (ui.available_height() * 0.16).max(16.0);
    ui.add_space(top);
    ui.vertical_centered(|ui| {
        ui.set_max_width(520.0);
        ui.label(RichText::new("Orthobrush").size(30.0).strong());
        ui.label("Browse, correct, train and compare masks of aerial imagery");
        ui.add_space(24.0);
        starts_ui(ui, view, commands);
        ui.add_space(18.0);
        drop_zone_ui(ui);
        ui.add_space(18.0);
        recent_ui(ui, session, commands);
        ui.add_space(18.0);
        let keys = [Action::Brush, Action::Undo, Action::Train, Action::KeySheet];
        let keys: Vec<_> = keys
            .map(|key| format!("{}  {}", view.keymap.text(key), key.name()))
            .into();
        ui.weak(keys.join("     "));
    });
}

fn starts_ui(ui: &mut Ui, view: &mut View, commands: &mut CommandQueue) {
    let wide = vec2(240.0, 34.0);
    let sample = egui::Button::new(RichText::new("Open the sample project").strong())
        .fill(theme::ACCENT.gamma_multiply(0.6))
        .min_size(wide);
    let hover = "A small made-up landscape with a partly wrong label, to try everything on";
    if ui.add(sample).on_hover_text(hover).clicked() {
        commands.push(Command::OpenSample {
            folder: view.config.sample_folder.clone(),
        });
    }
    for (name, wish) in [
        ("Open image…", FileWish::Open),
        ("Open folder…", FileWish::OpenFolder),
    ] {
        if ui.add(egui::Button::new(name).min_size(wide)).clicked() {
            view.wish(wish);
        }
    }
}

fn drop_zone_ui(ui: &mut Ui) {
    let is_hovered = ui.input(|input| !input.raw.hovered_files.is_empty());
    let (rect, _) = ui.allocate_exact_size(vec2(420.0, 64.0), egui::Sense::hover());
    let color = if is_hovered {
        theme::ACCENT
    } else {
        ui.visuals().weak_text_color()
    };
    let stroke = egui::Stroke::new(if is_hovered { 2.0 } else { 1.0 }, color);
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    ui.painter()
        .extend(egui::Shape::dashed_line(&corners, stroke, 6.0, 5.0));
    let hint = "or drop an orthophoto or a folder here";
    let font = egui::FontId::proportional(13.0);
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        hint,
        font,
        color,
    );
}

fn recent_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let mut recent = session.settings().recent_there().peekable();
    if recent.peek().is_none() {
        return;
    }
    ui.label(RichText::new("Recent").small().strong());
    for path in recent.take(5) {
        if ui.link(path.display().to_string()).clicked() {
            commands.push(Command::Open { path: path.clone() });
        }
    }
}

fn busy_ui(ui: &mut Ui, title: &str, progress: Option<f32>) {
    ui.add_space(ui.available_height() * 0.4);
    ui.vertical_centered(|ui| {
        ui.strong(title);
        match progress {
            Some(share) => {
                let bar = egui::ProgressBar::new(share)
                    .desired_width(320.0)
                    .show_percentage();
                ui.add(bar);
            }
            None => {
                ui.spinner();
            }
        }
    });
}
