use egui::{ComboBox, RichText, Ui};
use serde_json::Value;

use super::field::is_found;
use super::row::{CHOICE, title_ui};
use super::tree::Tree;

/// One of the tables that a field may be.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The word that names it in the file.
    pub word: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub help: &'static str,
    /// The table that it begins as.
    pub begin: fn() -> Value,
}

/// A field that is one of several tables, each with fields of its own.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its path in the file.
    pub path: &'static str,
    /// The path of the word that says which table it is.
    pub word: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does, in a line.
    pub help: &'static str,
    /// The tables.
    pub choices: &'static [Choice],
}

impl Table {
    /// Whether a recipe has it.
    pub fn exists(&self, tree: &Tree) -> bool {
        tree.get(self.path).is_object()
    }

    /// Whether all of the searched words are in what it says.
    pub fn matches(&self, searched: &str) -> bool {
        is_found(searched, &[self.word, self.title, self.help])
    }

    /// Its name and a list to choose from; what was chosen anew.
    pub fn ui(&self, ui: &mut Ui, tree: &Tree) -> Option<Value> {
        let word = tree.get(self.word).as_str().unwrap_or_default();
        let shown = self.choices.iter().find(|choice| choice.word == word);
        let mut chosen = None;
        ui.horizontal(|ui| {
            let label = title_ui(ui, self.title);
            let label = label.on_hover_text(format!("{}\n{}", self.help, self.word));
            let combo = ComboBox::from_id_salt(self.path)
                .selected_text(shown.map_or("As in the recipe's file", |choice| choice.name))
                .width(CHOICE)
                .show_ui(ui, |ui| {
                    for choice in self.choices {
                        let row = ui.selectable_label(choice.word == word, choice.name);
                        if row.on_hover_text(choice.help).clicked() {
                            chosen = Some((choice.begin)());
                        }
                    }
                });
            combo.response.labelled_by(label.id);
            let help = shown.map_or(self.help, |choice| choice.help);
            ui.add(egui::Label::new(RichText::new(help).small().weak()).truncate());
        });
        chosen
    }
}
