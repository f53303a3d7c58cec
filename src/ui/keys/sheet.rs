use egui::{Grid, Key, Modal, RichText, ScrollArea, TextEdit, Ui};

use super::{ACTIONS, Action, ActionInfo, Chord, KeyChanges, chord_of, is_class_key, rebound};
use crate::session::{Command, Session};
use crate::ui::theme;
use crate::ui::view::{CommandQueue, View};

/// The key sheet: all keys, searchable; a click on one changes it.
#[derive(Clone, Debug, Default)]
pub struct KeySheet {
    /// Whether it is shown.
    pub is_open: bool,
    search: String,
    /// The action that waits for its new key.
    waiting: Option<Action>,
    /// A pressed key that another action has, until the person decides.
    taken: Option<(Action, Chord)>,
    /// Why a pressed key cannot be had.
    refused: Option<String>,
}

impl KeySheet {
    /// Shows it, or hides it.
    pub fn toggle(&mut self) {
        *self = Self {
            is_open: !self.is_open,
            ..Self::default()
        };
    }
}

/// Shows the key sheet while it is open.
pub fn sheet_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if !view.sheet.is_open {
        return;
    }
    let changes = &session.settings().keys;
    take_key(ui, view, changes, commands);
    let response = Modal::new(egui::Id::unique("keys")).show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        ui.heading("Keys");
        ui.weak("Digits choose classes: 1 … 9, 0, and with Shift the next ten. The wheel zooms; with Alt it sizes the brush. Click a key to change it.");
        ui.add_space(theme::GRID);
        let field = TextEdit::singleline(&mut view.sheet.search)
            .hint_text("Search")
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Search keys"));
        conflict_ui(ui, view, changes, commands);
        ui.separator();
        let height = (ui.ctx().content_rect().height() - 260.0).max(120.0);
        ScrollArea::vertical()
.auto_shrink([false, true]).max_height(height).show(ui, |ui| list_ui(ui, view));
        ui.separator();
        let can_restore = !changes.is_empty();
        if ui.add_enabled(can_restore, egui::Button::new("Restore the defaults")).clicked() {
            commands.push(Command::SetKeys(KeyChanges::new()));
        }
    });
    if response.should_close() {
        view.sheet = KeySheet::default();
    }
}

fn list_ui(ui: &mut Ui, view: &mut View) {
    let search = view.sheet.search.to_lowercase();
    let is_found = |info: &&ActionInfo| {
        let keys = view.keymap.all_text(info.action);
        info.name.to_lowercase().contains(&search) || keys.to_lowercase().contains(&search)
    };
    let shown: Vec<&ActionInfo> = ACTIONS.iter().filter(is_found).collect();
    for group in shown.chunk_by(|a, b| a.group == b.group) {
        ui.label(
            RichText::new(format!("{:?}", group[0].group))
                .strong()
                .color(theme::ACCENT),
        );
        Grid::new(("keys", group[0].action))
            .num_columns(2)
            .min_col_width(170.0)
            .show(ui, |ui| {
                for info in group {
                    key_ui(ui, info, view);
                    ui.label(info.name);
                    ui.end_row();
                }
            });
        ui.add_space(theme::GRID);
    }
    if shown.is_empty() {
        ui.weak("No key and no action is called so");
    }
}

fn key_ui(ui: &mut Ui, info: &ActionInfo, view: &mut View) {
    let is_waiting = view.sheet.waiting == Some(info.action);
    let text = if is_waiting {
        "press a key…".to_owned()
    } else {
        match view.keymap.all_text(info.action) {
            keys if keys.is_empty() => "none".to_owned(),
            keys => keys,
        }
    };
    let button = egui::Button::selectable(is_waiting, RichText::new(text).monospace());
    let button = ui.add(button);
    let name = format!("Change the key of {}", info.name);
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    if button.clicked() {
        view.sheet.waiting = (!is_waiting).then_some(info.action);
        view.sheet.taken = None;
        view.sheet.refused = None;
    }
}

/// Takes the key that an action waits for.
fn take_key(ui: &Ui, view: &mut View, changes: &KeyChanges, commands: &mut CommandQueue) {
    let Some(action) = view.sheet.waiting else {
        return;
    };
    let pressed = ui.input_mut(|input| {
        let is_whole =
            |event: &egui::Event| chord_of(event).is_some_and(|(it, _)| !it.is_modifier());
        let at = input.events.iter().position(is_whole)?;
        chord_of(&input.events.remove(at))
    });
    let Some((chord, _)) = pressed else { return };
    view.sheet.waiting = None;
    if chord.key == Key::Escape {
        return;
    }
    if is_class_key(chord) {
        view.sheet.refused = Some(format!("{} chooses a class", chord.text()));
    } else if view
        .keymap
        .action(chord)
        .is_some_and(|owner| owner != action)
    {
        view.sheet.taken = Some((action, chord));
    } else {
        commands.push(Command::SetKeys(rebound(changes, action, chord)));
    }
}

fn conflict_ui(ui: &mut Ui, view: &mut View, changes: &KeyChanges, commands: &mut CommandQueue) {
    if let Some(why) = &view.sheet.refused {
        theme::words(ui, theme::WARNING, why);
    }
    let Some((action, chord)) = view.sheet.taken else {
        return;
    };
    let owner = view.keymap.action(chord).map_or("", Action::name);
    ui.horizontal_wrapped(|ui| {
        theme::words(
            ui,
            theme::WARNING,
            format!("{} is the key of “{owner}”.", chord.text()),
        );
        if ui
            .button(format!("Give it to “{}”", action.name()))
            .clicked()
        {
            commands.push(Command::SetKeys(rebound(changes, action, chord)));
            view.sheet.taken = None;
        }
        if ui.button("Leave it").clicked() {
            view.sheet.taken = None;
        }
    });
}
