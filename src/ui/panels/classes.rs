use egui::{Button, Key, RichText, TextEdit, Ui, vec2};
use egui_material_icons::icons;

use super::tools::name_button;
use crate::label::{Class, UNLABELED};
use crate::session::{ClassCommand, Command, LayerKind, Session};
use crate::ui::dialogs::FileWish;
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// The class list. Picking a class sends a command; nothing is changed here.
pub fn classes_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let label = session.layer(LayerKind::Label);
    let read = label.filter(|label| !label.is_loading);
    let areas = read.map(|_| session.areas());
    let total = session
        .image()
        .map_or(1, |image| image.size().num_pixels())
        .max(1);
    let classes = session.shown_classes();
    search_ui(ui, classes.len(), view);
    let search = view.class_search.to_lowercase();
    for (place, &class) in classes.iter().enumerate() {
        if !class.name.to_lowercase().contains(&search) {
            continue;
        }
        let share = areas.map(|areas| areas[usize::from(class.index)] as f64 / total as f64);
        ui.horizontal(|ui| {
            color_ui(ui, class, commands);
            name_ui(ui, place, class, session, view, commands);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                eye_ui(ui, class, session, commands);
                lock_ui(ui, class, session, commands);
                if let Some(share) = share {
                    let text = format!("{:.1} %", share * 100.0);
                    ui.label(RichText::new(text).small().monospace().weak())
                        .on_hover_text(format!("Share of the image labeled {}", class.name));
                }
            });
        });
    }
    ui.horizontal(|ui| {
        ui.add_space(26.0);
        let is_active = session.active_class() == UNLABELED;
        let row = ui.selectable_label(is_active, "unlabeled   U");
        if row
            .on_hover_text("Painting it erases; training ignores it")
            .clicked()
        {
            commands.push(Command::SelectClass(UNLABELED));
        }
    });
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        if ui.button("Add class").clicked() {
            // When there is no index left, the command says so.
            let index = session.next_class().unwrap_or(UNLABELED);
            commands.push(Command::Class(ClassCommand::Add {
                name: format!("class {index}"),
            }));
        }
        table_menu(ui, view, commands);
    });
}

/// Long lists can be searched.
fn search_ui(ui: &mut Ui, count: usize, view: &mut View) {
    const LONG: usize = 8;
    if count <= LONG {
        view.class_search.clear();
        return;
    }
    let field = TextEdit::singleline(&mut view.class_search).hint_text("Search classes");
    let field = ui.add(field.desired_width(f32::INFINITY));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Search classes"));
}

/// What concerns the whole table.
fn table_menu(ui: &mut Ui, view: &mut View, commands: &mut CommandQueue) {
    ui.menu_button("Table", |ui| {
        if ui.button("Open classes…").clicked() {
            view.wish(FileWish::OpenClasses);
            ui.close();
        }
        if ui.button("Save classes as…").clicked() {
            view.wish(FileWish::SaveClasses);
            ui.close();
        }
        ui.separator();
        let colors = ui.button("Colors that most people can tell apart");
        if colors.clicked() {
            commands.push(Command::Class(ClassCommand::DefaultColors));
            ui.close();
        }
    });
}

/// What can be done with a class, at a right click.
fn class_menu(
    ui: &mut Ui,
    place: usize,
    class: &Class,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let mut tell = |command| commands.push(Command::Class(command));
    let index = class.index;
    if ui.button("Rename").clicked() {
        view.edited_class = Some((index, class.name.clone()));
        ui.close();
    }
    if ui.button("Show only this, or all").clicked() {
        tell(ClassCommand::Solo { class: index });
        ui.close();
    }
    let mut is_background = session.classes().background() == Some(index);
    let background = ui.checkbox(&mut is_background, "Background");
    let why = "Ground that is nothing else: clear over the image, faint where maps are compared";
    if background.on_hover_text(why).clicked() {
        tell(ClassCommand::Background {
            class: is_background.then_some(index),
        });
        ui.close();
    }
    let last = session.classes().classes().len() - 1;
    for (name, can, to) in [
        ("Move up", place > 0, place.saturating_sub(1)),
        ("Move down", place < last, place + 1),
    ] {
        if ui.add_enabled(can, Button::new(name)).clicked() {
            tell(ClassCommand::Move {
                class: index,
                place: to,
            });
            ui.close();
        }
    }
    ui.separator();
    if ui.button("Merge or remove…").clicked() {
        view.removed_class = Some((index, UNLABELED));
        ui.close();
    }
}

/// Asks which class gets the pixels of one that is to go.
pub fn removal_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some((class, mut into)) = view.removed_class else {
        return;
    };
    let name = session.classes().name_of(class);
    let pixels = session.areas()[usize::from(class)];
    let mut is_decided = false;
    let response = egui::Modal::new(egui::Id::unique("remove class")).show(ui.ctx(), |ui| {
        ui.set_width(360.0);
        ui.heading(format!("Remove “{name}”"));
        ui.label(format!(
            "{} pixels of the label are {name}.",
            text::grouped(pixels)
        ));
        ui.horizontal(|ui| {
            let label = ui.label("They become");
            egui::ComboBox::from_id_salt("their class")
                .selected_text(session.classes().name_of(into))
                .show_ui(ui, |ui| {
                    ui.selectable_value(&mut into, UNLABELED, "unlabeled");
                    for other in session.classes().classes() {
                        if other.index != class {
                            ui.selectable_value(&mut into, other.index, &other.name);
                        }
                    }
                })
                .response
                .labelled_by(label.id);
        });
        ui.weak("Ctrl+Z brings the pixels and the class back.");
        ui.add_space(theme::GRID);
        ui.horizontal(|ui| {
            is_decided = ui.button("Remove the class").clicked();
            if ui.button("Cancel").clicked() {
                ui.close();
            }
        });
    });
    view.removed_class = Some((class, into));
    if is_decided {
        commands.push(Command::Class(ClassCommand::Remove { class, into }));
    }
    if is_decided || response.should_close() {
        view.removed_class = None;
    }
}

fn color_ui(ui: &mut Ui, class: &Class, commands: &mut CommandQueue) {
    let mut color = class.color;
    let response = ui.color_edit_button_srgb(&mut color);
    response.widget_info(|| {
        let name = format!("Color of {}", class.name);
        egui::WidgetInfo::labeled(egui::Role::ColorWell, true, name)
    });
    if color != class.color {
        commands.push(Command::Class(ClassCommand::Recolor {
            class: class.index,
            color,
        }));
    }
}

fn name_ui(
    ui: &mut Ui,
    place: usize,
    class: &Class,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    if let Some((edited, name)) = &mut view.edited_class
        && *edited == class.index
    {
        // The name that takes the editor's place must not inherit its id, and the keys with it.
        let id = egui::Id::unique(("class name", class.index));
        let editor = ui.add(TextEdit::singleline(name).id(id).desired_width(110.0));
        editor.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Class name"));
        let is_pressed = |key| ui.input(|input| input.key_pressed(key));
        let is_done = is_pressed(Key::Enter) || is_pressed(Key::Tab) || editor.clicked_elsewhere();
        // Esc takes the focus before anything is drawn.
        let is_left = editor.lost_focus();
        if is_done {
            commands.push(Command::Class(ClassCommand::Rename {
                class: class.index,
                name: name.clone(),
            }));
        }
        if is_done || is_left {
            editor.surrender_focus();
            view.edited_class = None;
        } else {
            editor.request_focus();
        }
        return;
    }
    let is_active = session.active_class() == class.index;
    let row = ui.selectable_label(is_active, &class.name);
    if row.clicked() {
        commands.push(Command::SelectClass(class.index));
    }
    let row = row.on_hover_text("Double-click renames, right-click shows more");
    if row.double_clicked() {
        view.edited_class = Some((class.index, class.name.clone()));
    }
    row.context_menu(|ui| class_menu(ui, place, class, session, view, commands));
    ui.label(RichText::new(key_of(place)).small().weak());
}

/// The digit that chooses the class at `place`.
fn key_of(place: usize) -> String {
    match place {
        0..10 => ((place + 1) % 10).to_string(),
        10..20 => format!("Shift+{}", (place + 1) % 10),
        _ => String::new(),
    }
}

fn eye_ui(ui: &mut Ui, class: &Class, session: &Session, commands: &mut CommandQueue) {
    let is_visible = session.is_class_visible(class.index);
    let (icon, verb) = if is_visible {
        (icons::ICON_VISIBILITY, "Hide")
    } else {
        (icons::ICON_VISIBILITY_OFF, "Show")
    };
    let button = Button::new(RichText::new(icon.codepoint).size(15.0)).frame(false);
    let eye = ui.add_sized(vec2(20.0, 18.0), button);
    let verb = format!("{verb} {}", class.name);
    name_button(&eye, &verb, is_visible);
    if eye.on_hover_text(verb).clicked() {
        commands.push(Command::Class(ClassCommand::Show {
            class: class.index,
            is_visible: !is_visible,
        }));
    }
}

fn lock_ui(ui: &mut Ui, class: &Class, session: &Session, commands: &mut CommandQueue) {
    let is_locked = session.is_class_locked(class.index);
    let (icon, verb, strength) = if is_locked {
        (icons::ICON_LOCK, "Unlock", 1.0)
    } else {
        (icons::ICON_LOCK_OPEN_RIGHT, "Lock", 0.35)
    };
    let color = ui.visuals().text_color().gamma_multiply(strength);
    let icon = RichText::new(icon.codepoint).size(14.0).color(color);
    let lock = ui.add_sized(vec2(18.0, 18.0), Button::new(icon).frame(false));
    name_button(&lock, &format!("{verb} {}", class.name), is_locked);
    let hover = format!(
        "{verb} {}: a locked class is never painted over",
        class.name
    );
    if lock.on_hover_text(hover).clicked() {
        commands.push(Command::Class(ClassCommand::Lock {
            class: class.index,
            is_locked: !is_locked,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_classes_have_digits() {
        assert_eq!(
            [0, 8, 9, 10, 20].map(key_of),
            ["1", "9", "0", "Shift+1", ""]
        );
    }
}
