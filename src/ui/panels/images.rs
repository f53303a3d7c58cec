use std::collections::HashSet;
use std::path::PathBuf;

use egui::{Align, Layout, Rect, RichText, Role, TextEdit, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use egui_material_icons::icons;

use crate::session::{
    Command, EntryStatus, ImageEntry, ImageList, ProjectCommand, Session, StepTo,
};
use crate::ui::dialogs::FileWish;
use crate::ui::keys::Action;
use crate::ui::text;
use crate::ui::theme;
use crate::ui::view::{CommandQueue, View};

/// Side of a thumbnail in points.
const ROW: f32 = 36.0;
/// So many images are worth a field to search them.
const SEARCHED: usize = 12;
/// Pictures on the graphics card; a screen has fewer rows.
const MOST_TEXTURES: usize = 300;

/// What the list of images shows.
#[derive(Debug, Default)]
pub struct ImagesView {
    /// Only images whose names hold this are listed.
    search: String,
    /// The image that was scrolled to.
    current: Option<usize>,
    folder: Option<PathBuf>,
    /// The images whose pictures were asked for.
    shown: Vec<usize>,
}

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
    let done = text::of_all(done as u64, list.entries.len() as u64);
    ui.label(format!("{done} done"));
    let unsaved: HashSet<usize> = session.unsaved().collect();
    unsaved_ui(ui, unsaved.len(), commands);
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
    if list.entries.len() >= SEARCHED {
        let search = TextEdit::singleline(&mut view.images.search)
            .hint_text("Search images")
            .desired_width(f32::INFINITY);
        let search = ui.add(search);
        search.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search images"));
    }
    ui.separator();
    let rows = found(list, &view.images.search);
    rows_ui(ui, (list, &rows), &unsaved, view, commands);
}

/// How many labels their files lack, and the button that saves them.
fn unsaved_ui(ui: &mut Ui, count: usize, commands: &mut CommandQueue) {
    let words = match count {
        0 => return,
        1 => "1 label is not saved to its file yet".to_owned(),
        _ => {
            let count = text::grouped(count as u64);
            format!("{count} labels are not saved to their files yet")
        }
    };
    theme::words(ui, theme::WARNING, words);
    let save = ui.button(Action::SaveAllLabels.name());
    let help = "Each label goes to its own file; what is up to date is left alone";
    if save.on_hover_text(help).clicked() {
        commands.push(Command::Project(ProjectCommand::SaveAllLabels));
    }
}

/// Places of the images whose names hold `searched`.
fn found(list: &ImageList, searched: &str) -> Vec<usize> {
    let searched = searched.trim().to_lowercase();
    let entries = list.entries.iter().enumerate();
    let is_found = |entry: &ImageEntry| {
        searched.is_empty() || file_name(entry).to_lowercase().contains(&searched)
    };
    entries
        .filter(|(_, entry)| is_found(entry))
        .map(|(at, _)| at)
        .collect()
}

/// Draws those of `rows` that are in sight, and asks for their pictures.
fn rows_ui(
    ui: &mut Ui,
    (list, rows): (&ImageList, &[usize]),
    unsaved: &HashSet<usize>,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let height = ROW + ui.spacing().item_spacing.y;
    let size = vec2(ui.available_width(), height * rows.len() as f32);
    let (_, all) = ui.allocate_space(size);
    let row_rect = |row: usize| {
        let top = all.top() + height * row as f32;
        Rect::from_min_size(pos2(all.left(), top), vec2(all.width(), ROW))
    };
    let seen = ui.clip_rect();
    let row_at = |y: f32| ((y - all.top()) / height).max(0.0) as usize;
    let end = (row_at(seen.bottom()) + 1).min(rows.len());
    let shown = &rows[row_at(seen.top()).min(end)..end];
    let first = end - shown.len();
    for (row, &at) in (first..).zip(shown) {
        let place = UiBuilder::new().max_rect(row_rect(row)).id_salt(at);
        let place = place.layout(Layout::left_to_right(Align::Center));
        let is_unsaved = unsaved.contains(&at);
        ui.scope_builder(place, |ui| {
            row_ui(ui, (list, at), is_unsaved, view, commands);
        });
    }
    let images = &mut view.images;
    if images.current != list.current {
        images.current = list.current;
        let current = list
            .current
            .and_then(|at| rows.iter().position(|&row| row == at));
        if let Some(row) = current.filter(|row| !seen.contains_rect(row_rect(*row))) {
            ui.scroll_to_rect(row_rect(row), Some(Align::Center));
        }
    }
    let is_new = images.folder.as_ref() != Some(&list.folder) || images.shown != *shown;
    if is_new {
        images.folder = Some(list.folder.clone());
        images.shown = shown.to_vec();
        commands.push(Command::MakeThumbnails { of: shown.to_vec() });
    }
    if view.thumbnails.len() > MOST_TEXTURES {
        // Those in sight come back with the next frame.
        view.thumbnails.clear();
        ui.request_repaint();
    }
}

fn row_ui(
    ui: &mut Ui,
    (list, at): (&ImageList, usize),
    is_unsaved: bool,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let (entry, is_open) = (&list.entries[at], list.current == Some(at));
    status_ui(ui, entry.status);
    thumbnail_ui(ui, entry, view);
    if is_unsaved {
        let mark = RichText::new(icons::ICON_SAVE.codepoint).size(14.0);
        theme::words(ui, theme::WARNING, mark)
            .on_hover_text("Its label is not saved to its file yet; all strokes are kept");
    }
    let row = ui.selectable_label(is_open, file_name(entry));
    if row
        .on_hover_text(entry.image.display().to_string())
        .clicked()
        && !is_open
    {
        commands.push(Command::Step(StepTo::Index(at)));
    }
    if let Some(score) = entry.score {
        ui.label(RichText::new(text::ratio(Some(score))).small().monospace())
            .on_hover_text("Mean IoU of the last prediction against the label");
        theme::ground(ui, entry.ground);
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
    let mark = RichText::new(icon.codepoint).size(14.0);
    theme::words(ui, color, mark).on_hover_text(meaning);
}
