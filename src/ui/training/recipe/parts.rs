use egui::{ComboBox, Ui};
use serde_json::{Value, json};

use super::field::Field;
use super::row::field_ui;
use super::tree::Tree;

const WAY: &str = "parts.way";
const SHARED: &[&str] = &[
    "ratio",
    "by_folder",
    "by_list",
    "by_group",
    "blocks",
    "stratified",
];

/// What is held out.
pub const PARTS: &[Field] = &[
    Field::whole(
        "parts.seed",
        [
            "Seed of the parts",
            "Which samples are held out follows from it and from their names",
        ],
        (0, u64::MAX),
    )
    .only(
        WAY,
        &[
            "ratio",
            "by_folder",
            "by_list",
            "by_group",
            "blocks",
            "stratified",
            "k_fold",
        ],
    ),
    Field::real(
        "parts.shares.train",
        [
            "Training share",
            "In any unit: 90, 10 and 0 are the same as 0.9, 0.1 and 0",
        ],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::real(
        "parts.shares.validation",
        ["Validation share", "What chooses the epoch"],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::real(
        "parts.shares.test",
        ["Test share", "What judges, once"],
        (0.0, 1e6),
    )
    .only(WAY, SHARED),
    Field::whole(
        "parts.side",
        ["Side of a block", "In pixels"],
        (32, 100_000),
    )
    .only(WAY, &["blocks"]),
    Field::whole(
        "parts.folds",
        ["Folds", "Equal portions, of which one validates"],
        (2, 1_000),
    )
    .only(WAY, &["k_fold"]),
    Field::whole(
        "parts.fold",
        ["Fold", "The portion that validates, from 0"],
        (0, 999),
    )
    .only(WAY, &["k_fold"]),
    Field::word(
        "parts.twins",
        [
            "Equal images",
            "Whether samples of equal pixels may be in different parts",
        ],
        &[("together", "Stay together"), ("apart", "May part")],
    )
    .only(
        WAY,
        &[
            "ratio",
            "by_folder",
            "by_list",
            "by_group",
            "blocks",
            "stratified",
            "k_fold",
        ],
    ),
];

/// A way to make parts: as in the file, as people read it, what it is, and the table it begins as.
type Way = (&'static str, &'static str, &'static str, fn() -> Value);

const WAYS: [Way; 6] = [
    (
        "",
        "As the data set says, else a tenth",
        "Parts that folders or lists state are taken over",
        || Value::Null,
    ),
    (
        "ratio",
        "By shares",
        "Shares of the samples, drawn by name",
        || json!({ "way": "ratio" }),
    ),
    (
        "by_folder",
        "By folder",
        "The parts that folders state; shares of the rest",
        || json!({ "way": "by_folder" }),
    ),
    (
        "by_group",
        "By group",
        "Samples of one place, drive or tile stay together",
        || json!({ "way": "by_group", "group": { "by": "stated" } }),
    ),
    (
        "blocks",
        "By blocks",
        "Square blocks of each image",
        || json!({ "way": "blocks" }),
    ),
    (
        "k_fold",
        "One fold of several",
        "One of equal portions validates, the rest trains",
        || json!({ "way": "k_fold", "folds": 5, "fold": 0 }),
    ),
];

/// What is held out of a data set.
pub fn parts_ui(ui: &mut Ui, tree: &mut Tree, base: &Tree, searched: &str) {
    let flat = flattened(tree);
    let word = tree
        .get("parts.split.way")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let shown = WAYS.iter().find(|(known, ..)| *known == word);
    ui.horizontal(|ui| {
        let label = ui.label("What is held out");
        let combo = ComboBox::from_id_salt("parts")
            .selected_text(shown.map_or("As in the recipe's file", |(_, name, ..)| name))
            .width(230.0)
            .show_ui(ui, |ui| {
                for (known, name, help, begin) in WAYS {
                    let row = ui.selectable_label(known == word, name);
                    if row.on_hover_text(help).clicked() {
                        let split = begin();
                        let parts = if split.is_null() {
                            split
                        } else {
                            json!({ "split": split })
                        };
                        tree.set("parts", parts);
                    }
                }
            });
        combo.response.labelled_by(label.id);
    });
    let (mut edited, base) = (flat.clone(), flattened(base));
    let fields = PARTS
        .iter()
        .filter(|field| field.exists(&flat) && field.matches(searched));
    fields.for_each(|field: &Field| field_ui(ui, field, &mut edited, &base));
    if edited != flat {
        tree.set("parts", nested(edited.get("parts").clone()));
    }
}

/// The tree with what stands in `parts.split` directly in `parts`.
fn flattened(tree: &Tree) -> Tree {
    let mut flat = tree.clone();
    let mut parts = tree.get("parts").clone();
    if let Some(Value::Object(split)) = parts
        .as_object_mut()
        .and_then(|parts| parts.remove("split"))
        && let Some(table) = parts.as_object_mut()
    {
        table.extend(split);
    }
    flat.set("parts", parts);
    flat
}

/// The other way round.
fn nested(mut flat: Value) -> Value {
    let Some(table) = flat.as_object_mut() else {
        return flat;
    };
    let own = ["seed", "twins"].map(|name| (name, table.remove(name)));
    let mut parts = json!({ "split": table });
    for (name, value) in own {
        if let Some(value) = value {
            parts[name] = value;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::parts::PartWay;
    use crate::train::Recipe;

    #[test]
    fn each_way_is_one_that_recipes_know() {
        for (word, _, _, begin) in WAYS {
            let mut tree = Tree::of(&Recipe::default());
            let split = begin();
            if !split.is_null() {
                tree.set("parts", json!({ "split": split }));
            }
            let recipe = tree.recipe().expect(word);
            assert_eq!(recipe.parts.is_some(), !word.is_empty(), "{word}");
            let tree = Tree::of(&recipe);
            let parts = nested(flattened(&tree).get("parts").clone());
            assert_eq!(parts, *tree.get("parts"), "{word}");
            let fields = PARTS.iter().filter(|field| field.exists(&flattened(&tree)));
            for field in fields {
                assert!(
                    !flattened(&tree).get(field.path).is_null(),
                    "{word} {}",
                    field.path
                );
            }
        }
    }

    #[test]
    fn a_fold_is_set_through_its_row() {
        let mut tree = Tree::of(&Recipe::default());
        tree.set("parts", json!({ "split": WAYS[5].3() }));
        let mut flat = flattened(&tree);
        flat.set("parts.fold", json!(3));
        tree.set("parts", nested(flat.get("parts").clone()));
        let parts = tree.recipe().expect("a recipe").parts.expect("parts");
        assert!(matches!(
            parts.split,
            PartWay::KFold {
                fold: 3,
                folds: 5,
                ..
            }
        ));
    }
}
