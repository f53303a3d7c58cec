use egui::{RichText, Ui};
use egui_material_icons::icons;

use crate::session::{Command, EntryStatus, ImageEntry, Session, StepTo};
use crate::ui::dialogs::FileWish;
use crate::ui::text;
use crate::ui::theme;
use crate::ui::view::{CommandQueue, View};

/// Side of a thumbnail in points.
const ROW: f32 = 36.0;

/// The images of the open folder: status, name, score.
pub fn images_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(list) = session.list() else {
        ui.weak("Open a folder to step through its images.");
        if ui.button("Open folder…").clicked() {
            view.wish(FileWish::OpenFolder);
        }
        return;
    };
    let done = list
        .entries
        .iter()
        .filter(|entry| entry.status == EntryStatus::Done)
        .count();
    ui.label(format!("{done} of {} done", list.entries.len()));
    if let Some(current) = list.current {
        let mut is_done = list.entries[current].status == EntryStatus::Done;
        if ui.checkbox(&mut is_done, "This image is done").changed() {
            commands.push(Command::MarkDone { is_done });
        }
    }
    if list
        .entries
        .iter()
        .any(|entry| entry.status == EntryStatus::Missing)
        && ui.button("Find missing images…").clicked()
    {
        view.wish(FileWish::Relink);
    }
    ui.separator();
    for (index, entry) in list.entries.iter().enumerate() {
        let is_open = list.current == Some(index);
        ui.horizontal(|ui| {
            status_ui(ui, entry.status);
            thumbnail_ui(ui, entry, view);
            let row = ui.selectable_label(is_open, file_name(entry));
            if row
                .on_hover_text(entry.image.display().to_string())
                .clicked()
                && !is_open
            {
                commands.push(Command::Step(StepTo::Index(index)));
            }
            if let Some(score) = entry.score {
                ui.label(RichText::new(text::ratio(Some(score))).small().monospace());
            }
        });
    }
}

fn thumbnail_ui(ui: &mut Ui, entry: &ImageEntry, view: &mut View) {
    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(ROW), egui::Sense::hover());
    let Some(picture) = &entry.thumbnail else {
        return;
    };
    let texture = view
        .thumbnails
        .entry(entry.image.clone())
        .or_insert_with(|| {
            let size = [picture.size.width as usize, picture.size.height as usize];
            let pixels = egui::ColorImage::from_rgba_unmultiplied(size, &picture.pixels);
            ui.load_texture("thumbnail", pixels, egui::TextureOptions::LINEAR)
        });
    let scale = ROW / texture.size_vec2().max_elem();
    let shown = egui::Rect::from_center_size(rect.center(), texture.size_vec2() * scale);
    let whole = egui::Rect::from_min_max(egui::Pos2::ZERO, egui::pos2(1.0, 1.0));
    ui.painter()
        .image(texture.id(), shown, whole, egui::Color32::WHITE);
}

fn file_name(entry: &ImageEntry) -> String {
    entry
        .image
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn status_ui(ui: &mut Ui, status: EntryStatus) {
    let (icon, meaning, color) = match status {
        EntryStatus::New => (
            icons::ICON_RADIO_BUTTON_UNCHECKED,
            "New",
            ui.visuals().weak_text_color(),
        ),
        EntryStatus::InWork => (icons::ICON_CONTRAST, "In work", theme::WARNING),
        EntryStatus::Done => (icons::ICON_CHECK_CIRCLE, "Done", theme::GOOD),
        EntryStatus::Missing => (icons::ICON_ERROR, "Missing", theme::ERROR),
    };
    let mark = RichText::new(icon.codepoint).size(14.0).color(color);
    ui.label(mark).on_hover_text(meaning);
}
