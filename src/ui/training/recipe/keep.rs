use egui::{DragValue, Ui};
use serde_json::{Value, json};

use super::more::{Draft, word_ui};
use super::tree::Tree;

const KEEP: &str = "patches.keep";
const GROUPS: &str = "updates.groups";
/// The paths of all weights of an encoder begin so.
const ENCODER: &str = "encoder";

/// Which patches are kept: all, or those with more than a share of some classes.
pub fn keep_ui(ui: &mut Ui, tree: &mut Tree, draft: &mut Draft) {
    ui.horizontal(|ui| {
        let mut is_filtered = !tree.get(KEEP).is_null();
        let check = ui.checkbox(&mut is_filtered, "Only patches with more than");
        let check = check.on_hover_text("What is held out is not filtered");
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
        let counted = tree.get("patches.keep.counted").clone();
        let (way, words) = match counted["only"].as_array() {
            Some(classes) => ("only", classes.clone()),
            None => (
                "all_but",
                counted["all_but"].as_array().cloned().unwrap_or_default(),
            ),
        };
        let label = ui.label(if way == "only" { "of" } else { "of all but" });
        let words = words.iter().map(|word| match word {
            Value::String(name) => name.clone(),
            index => index.to_string(),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        if let Some(Value::String(typed)) = word_ui(ui, KEEP, &words, draft, label.id) {
            tree.set("patches.keep.counted", json!({ way: classes(&typed) }));
        }
    });
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

/// How fast the encoder learns beside the rest.
pub fn encoder_rate_ui(ui: &mut Ui, tree: &mut Tree) {
    let groups = tree.get(GROUPS).as_array().cloned().unwrap_or_default();
    let factor = match &groups[..] {
        [] => 1.0,
        [only] if only["prefix"] == ENCODER => only["factor"].as_f64().unwrap_or(1.0),
        _ => {
            ui.weak(format!(
                "{} groups of weights learn at rates of their own; they are edited in the file",
                groups.len()
            ));
            return;
        }
    };
    ui.horizontal(|ui| {
        let label = ui.label("Encoder learns at");
        let mut percent = factor * 100.0;
        let share = DragValue::new(&mut percent)
            .range(0.0..=1000.0)
            .suffix(" % of the rate");
        let share = ui.add(share).labelled_by(label.id);
        if share
            .on_hover_text("A pretrained encoder wants less than the rest, often a tenth")
            .changed()
        {
            let group = json!([{ "prefix": ENCODER, "factor": percent / 100.0 }]);
            let is_plain = (percent - 100.0).abs() < 1e-9;
            tree.set(GROUPS, if is_plain { json!([]) } else { group });
        }
    });
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
        tree.set(GROUPS, json!([{ "prefix": ENCODER, "factor": 0.1 }]));
        let recipe = tree.recipe().expect("a recipe");
        assert!((recipe.updates.groups[0].factor - 0.1).abs() < 1e-9);
        assert!(recipe.patches.keep.is_some());
        tree.set(KEEP, Value::Null);
        assert_eq!(tree.recipe().expect("a recipe").patches.keep, None);
    }
}
