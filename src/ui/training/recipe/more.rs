use egui::{TextEdit, Ui};
use serde_json::{Value, json};

use super::field::is_found;
use super::fields::SECTIONS;
use super::parts;
use super::row::real_ui;
use super::tree::Tree;

/// What has an editor of its own, or belongs to the images and not to the person.
const ELSEWHERE: [&str; 9] = [
    "augment",
    "class_weighting",
    "device",
    "loss",
    "model.family",
    "model.encoder",
    "model.in_channels",
    "patches.keep",
    "updates.groups",
];

/// What is said of a field without a row.
const HELP: &str = "A field by its path in the recipe's file";

/// Words that are being typed into a field, by its path; they count when the field is left.
pub type Draft = Option<(String, String)>;

/// The paths of the fields that no section shows, in the order of the file.
pub fn other_paths(tree: &Tree, searched: &str) -> Vec<String> {
    let mut paths = Vec::new();
    collect(tree.get(""), "", &mut paths);
    paths.retain(|path| is_found(searched, &[path]));
    paths
}

fn collect(value: &Value, path: &str, paths: &mut Vec<String>) {
    let mut rows = SECTIONS.iter().flat_map(|section| section.fields);
    let has_row = rows.any(|field| field.path == path) || parts::has_row(path);
    if has_row || ELSEWHERE.contains(&path) {
        return;
    }
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{name}"), paths);
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::String(_) => paths.push(path.to_owned()),
        // Lists are edited in the file.
        Value::Null | Value::Array(_) => {}
    }
}

/// Fields that have no row of their own, by what they are in the file.
pub fn more_ui(ui: &mut Ui, tree: &mut Tree, draft: &mut Draft, paths: &[String]) {
    for path in paths {
        let value = tree.get(path).clone();
        ui.horizontal(|ui| {
            let label = ui.label(path).on_hover_text(HELP);
            let new = match &value {
                Value::Bool(flag) => {
                    let mut flag = *flag;
                    let check = ui.checkbox(&mut flag, "").labelled_by(label.id);
                    check.changed().then(|| json!(flag))
                }
                Value::Number(number) if number.is_u64() => {
                    let mut number = number.as_u64().unwrap_or_default();
                    let drag = ui
                        .add(egui::DragValue::new(&mut number))
                        .labelled_by(label.id);
                    drag.changed().then(|| json!(number))
                }
                Value::Number(_) => real_ui(ui, &value, -1e12..=1e12, label.id),
                _ => word_ui(
                    ui,
                    path,
                    value.as_str().unwrap_or_default(),
                    draft,
                    label.id,
                ),
            };
            if let Some(new) = new {
                tree.set(path, new);
            }
        });
    }
}

/// A word; half of one is no word yet, so it counts when the field is left.
pub fn word_ui(
    ui: &mut Ui,
    path: &str,
    word: &str,
    draft: &mut Draft,
    label: egui::Id,
) -> Option<Value> {
    let is_typed = draft.as_ref().is_some_and(|(of, _)| of == path);
    let mut text = match draft {
        Some((_, typed)) if is_typed => typed.clone(),
        _ => word.to_owned(),
    };
    let field = ui.add(TextEdit::singleline(&mut text).desired_width(160.0));
    let field = field.labelled_by(label);
    if field.changed() {
        *draft = Some((path.to_owned(), text.clone()));
    }
    let is_left = field.lost_focus() && is_typed;
    if is_left {
        *draft = None;
    }
    is_left.then(|| json!(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    #[test]
    fn what_no_section_shows_is_shown_by_its_path() {
        let mut tree = Tree::of(&Recipe::default());
        let before = other_paths(&tree, "").len();
        tree.set("plateau.new_number", json!(1.5));
        tree.set("new_table", json!({ "word": "a", "list": [1] }));
        let paths = other_paths(&tree, "");
        assert_eq!(paths.len(), before + 2, "{paths:?}");
        assert!(paths.iter().any(|path| path == "plateau.new_number"));
        assert_eq!(other_paths(&tree, "new_table"), ["new_table.word"]);
    }
}
