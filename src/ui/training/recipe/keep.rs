use egui::{ComboBox, DragValue, Ui};
use serde_json::{Value, json};

use super::more::{Draft, word_ui};
use super::tree::Tree;

const KEEP: &str = "patches.keep";
/// What is said of the share.
pub const SHARE_HELP: &str = "What is held out is not filtered";
/// Which classes count: the word in the file, what it is called, and what it does.
pub const COUNTED: [(&str, &str, &str); 2] = [
    (
        "all_but",
        "of all but",
        "Pixels of every class count but those named here, by index or name with commas between",
    ),
    (
        "only",
        "of",
        "Only pixels of the classes named here count, by index or name with commas between",
    ),
];

/// Which patches are kept: all, or those with more than a share of some classes.
pub fn keep_ui(ui: &mut Ui, tree: &mut Tree, draft: &mut Draft) {
    ui.horizontal(|ui| {
        let mut is_filtered = !tree.get(KEEP).is_null();
        let check = ui.checkbox(&mut is_filtered, "Only patches with more than");
        let check = check.on_hover_text(SHARE_HELP);
        if check.changed() {
            let usual = json!({ "counted": { "all_but": [0] }, "more_than": 0.05 });
            tree.set(KEEP, if is_filtered { usual } else { Value::Null });
        }
        if tree.get(KEEP).is_null() {
            return;
        }
        let mut percent = 100.0 * tree.get("patches.keep.more_than").as_f64().unwrap_or(0.05);
        let share = DragValue::new(&mut percent).range(0.0..=99.0).suffix(" %");
        if ui.add(share).labelled_by(check.id).changed() {
            tree.set("patches.keep.more_than", json!(percent / 100.0));
        }
        counted_ui(ui, tree, draft);
    });
}

/// Which classes count.
fn counted_ui(ui: &mut Ui, tree: &mut Tree, draft: &mut Draft) {
    let counted = tree.get("patches.keep.counted").clone();
    let named = |(word, ..): &(&str, &str, &str)| counted[*word].is_array();
    let (way, name, help) = COUNTED.into_iter().find(named).unwrap_or(COUNTED[0]);
    let named = counted[way].as_array().cloned().unwrap_or_default();
    let mut new = None;
    let combo = ComboBox::from_id_salt("counted")
        .selected_text(name)
        .width(80.0)
        .show_ui(ui, |ui| {
            for (word, name, help) in COUNTED {
                let row = ui.selectable_label(word == way, name);
                if row.on_hover_text(help).clicked() {
                    new = Some(json!({ word: named }));
                }
            }
        });
    let combo = combo.response.on_hover_text(help);
    let words = named.iter().map(|word| match word {
        Value::String(name) => name.clone(),
        index => index.to_string(),
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if let Some(Value::String(typed)) = word_ui(ui, KEEP, &words, draft, combo.id) {
        new = Some(json!({ way: classes(&typed) }));
    }
    if let Some(new) = new {
        tree.set("patches.keep.counted", new);
    }
}

/// Classes by index or name, parted by commas.
fn classes(typed: &str) -> Vec<Value> {
    let words = typed.split(',').map(str::trim);
    let class = |word: &str| match word.parse::<u8>() {
        Ok(index) => json!(index),
        Err(_) => json!(word),
    };
    words.filter(|word| !word.is_empty()).map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    #[test]
    fn classes_are_indices_or_names() {
        assert_eq!(classes("0, road , "), [json!(0), json!("road")]);
        assert_eq!(classes("300"), [json!("300")]);
    }

    #[test]
    fn what_is_set_here_makes_a_recipe() {
        let mut tree = Tree::of(&Recipe::default());
        tree.set(
            KEEP,
            json!({ "counted": { "only": classes("road, 2") }, "more_than": 0.1 }),
        );
        let recipe = tree.recipe().expect("a recipe");
        assert!(recipe.patches.keep.is_some());
        tree.set(KEEP, Value::Null);
        assert_eq!(tree.recipe().expect("a recipe").patches.keep, None);
    }
}
