use egui::{Align2, Key, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::{ACTIONS, Action};
use crate::session::{Command, Session};
use crate::ui::perform::perform;
use crate::ui::view::{CommandQueue, View};

/// The command palette: everything that can be asked for, found by typing.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    is_open: bool,
    text: String,
    chosen: usize,
}

/// One line of the palette.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Action(Action),
    /// A class by index.
    Class(u8),
    /// A bookmark by its place.
    Bookmark(usize),
}

impl Palette {
    /// Opens it, or closes it.
    pub fn toggle(&mut self) {
        *self = Self {
            is_open: !self.is_open,
            ..Self::default()
        };
    }
}

/// Shows the palette while it is open.
pub fn palette_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if !view.palette.is_open {
        return;
    }
    let found = found(&view.palette.text, session);
    view.palette.chosen = view.palette.chosen.min(found.len().saturating_sub(1));
    let area = Modal::default_area(egui::Id::unique("palette"))
        .anchor(Align2::CENTER_TOP, vec2(0.0, 60.0));
    let mut taken = None;
    let response = Modal::new(egui::Id::unique("palette"))
        .area(area)
        .show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            let (moved, is_taken) = list_keys(ui);
            let field = TextEdit::singleline(&mut view.palette.text)
                .hint_text("What do you want to do?")
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Command"));
            field.request_focus();
            if field.changed() {
                view.palette.chosen = 0;
            }
            let last = found.len().saturating_sub(1);
            let chosen = view.palette.chosen.saturating_add_signed(moved).min(last);
            view.palette.chosen = chosen;
            taken = is_taken.then_some(chosen);
            if found.is_empty() {
                ui.weak("Nothing is called so");
            }
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for (place, entry) in found.iter().enumerate() {
                    let is_chosen = place == view.palette.chosen;
                    let row = entry_ui(ui, entry, is_chosen, session, view);
                    if is_chosen && moved != 0 {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() {
                        taken = Some(place);
                    }
                }
            });
        });
    if response.should_close() {
        view.palette = Palette::default();
    }
    if let Some(entry) = taken.and_then(|place| found.get(place)) {
        view.palette = Palette::default();
        ui.memory_mut(egui::Memory::stop_text_input);
        carry_out(entry, ui, session, view, commands);
    }
}

/// How far the arrow keys move down the list, and whether Enter takes what is chosen; taken out of
/// the input before the text field has them.
fn list_keys(ui: &Ui) -> (isize, bool) {
    ui.input_mut(|input| {
        let mut press = |key| input.consume_key(egui::Modifiers::NONE, key);
        let moved = isize::from(press(Key::ArrowDown)) - isize::from(press(Key::ArrowUp));
        (moved, press(Key::Enter))
    })
}

fn entry_ui(
    ui: &mut Ui,
    entry: &Entry,
    is_chosen: bool,
    session: &Session,
    view: &View,
) -> egui::Response {
    let key = match entry {
        Entry::Action(action) => view.keymap.text(*action),
        _ => String::new(),
    };
    let row = egui::Button::selectable(is_chosen, name_of(entry, session))
        .right_text(RichText::new(key).monospace().weak())
        .min_size(vec2(ui.available_width(), 0.0));
    ui.add(row)
}

fn carry_out(
    entry: &Entry,
    ui: &Ui,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    match entry {
        Entry::Action(action) => perform(*action, ui.ctx(), session, view, commands),
        Entry::Class(class) => commands.push(Command::SelectClass(*class)),
        Entry::Bookmark(place) => {
            if let Some(mark) = session.bookmarks().get(*place) {
                view.go_to(mark.at, Some(mark.scale));
            }
        }
    }
}

fn name_of(entry: &Entry, session: &Session) -> String {
    match entry {
        Entry::Action(action) => action.name().to_owned(),
        Entry::Class(class) => {
            let class = session.classes().get(*class);
            format!("Class: {}", class.map_or("", |class| &class.name))
        }
        Entry::Bookmark(place) => {
            let mark = session.bookmarks().get(*place);
            format!("Go to: {}", mark.map_or("", |mark| &mark.name))
        }
    }
}

/// What matches the text, best first.
fn found(text: &str, session: &Session) -> Vec<Entry> {
    let actions = ACTIONS.iter().map(|info| Entry::Action(info.action));
    let classes = session.shown_classes().into_iter();
    let classes = classes.map(|class| Entry::Class(class.index));
    let bookmarks = (0..session.bookmarks().len()).map(Entry::Bookmark);
    let mut scored: Vec<(u32, Entry)> = actions
        .chain(classes)
        .chain(bookmarks)
        .filter_map(|entry| Some((score(text, &name_of(&entry, session))?, entry)))
        .collect();
    scored.sort_by_key(|(score, _)| *score);
    scored.into_iter().map(|(_, entry)| entry).collect()
}

/// How badly `name` matches: 0 is best; `None` when its letters do not hold those of `text` in
/// order. Letters that follow each other or begin a word count as near.
fn score(text: &str, name: &str) -> Option<u32> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut from, mut score) = (0, 0);
    for letter in text
        .to_lowercase()
        .chars()
        .filter(|letter| !letter.is_whitespace())
    {
        let next = |wanted: fn(&[char], usize) -> bool| {
            (from..name.len()).find(|&at| name[at] == letter && wanted(&name, at))
        };
        let begins_word = |name: &[char], at: usize| at == 0 || !name[at - 1].is_alphanumeric();
        let at = match name.get(from) {
            Some(&near) if near == letter => from,
            _ => next(begins_word).or_else(|| next(|_, _| true))?,
        };
        score += (at - from) as u32;
        from = at + 1;
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_match_and_near_ones_match_better() {
        assert_eq!(score("", "Undo"), Some(0));
        assert_eq!(score("und", "Undo"), Some(0));
        assert_eq!(score("zz", "Undo"), None);
        assert!(score("mw", "Magic wand") < score("ma", "Show or hide the label mask"));
        assert!(score("fit", "Fit image") < score("fit", "Finish polygon, fill selection"));
    }
}
