//! Every field of a recipe has a row that says what it does, and no row allows what a check
//! refuses.

use serde_json::{Value, json};

use super::encoder_rates::{ENCODER_HELP, stage_help};
use super::field::{Field, Kind};
use super::fields::SECTIONS;
use super::keep::{COUNTED, SHARE_HELP};
use super::part_fields::{PARTS, TABLES, WAYS};
use super::tree::Tree;
use super::{augment, loss, more, parts};
use crate::dataset::Augment;
use crate::train::{EncoderKind, Family, Recipe};
use crate::ui::panels::recipe::DEVICE_HELP;

/// Words that make tables of other fields.
const SCHEDULES: [&str; 6] = [
    "constant",
    "step",
    "exponential",
    "cosine",
    "polynomial",
    "one_cycle",
];
const RULES: [&str; 4] = ["adam", "adamw", "rmsprop", "sgd"];
const TERMS: [&str; 6] = [
    "cross_entropy",
    "binary_cross_entropy",
    "focal",
    "dice",
    "jaccard",
    "lovasz",
];

/// A recipe with all that a file may leave out.
fn full() -> Tree {
    let mut tree = Tree::of(&Recipe {
        augment: Augment::strong(),
        ..Recipe::default()
    });
    let terms = TERMS.map(|kind| json!({ "kind": kind }));
    for (path, value) in [
        ("updates.clip_norm", json!(1.0)),
        ("updates.ema", json!(0.99)),
        (
            "updates.groups",
            json!([{ "prefix": "encoder", "factor": 0.1 }]),
        ),
        ("schedule.warm_up", json!(10)),
        ("model.output_stride", json!(16)),
        ("model.width", json!(64)),
        (
            "patches.keep",
            json!({ "counted": { "all_but": [0] }, "more_than": 0.05 }),
        ),
        ("loss", json!(terms)),
    ] {
        tree.set(path, value);
    }
    again(&tree)
}

/// The tree with what it leaves out.
fn again(tree: &Tree) -> Tree {
    Tree::of(&tree.recipe().expect("a recipe"))
}

fn with(tree: &Tree, path: &str, value: Value) -> Tree {
    let mut tree = tree.clone();
    tree.set(path, value);
    again(&tree)
}

/// Recipes that have every table that a person can choose, each at least once.
fn all() -> Vec<Tree> {
    let full = full();
    let mut all = vec![full.clone()];
    for kind in SCHEDULES {
        all.push(with(&full, "schedule", json!({ "kind": kind })));
    }
    for kind in RULES {
        all.push(with(&full, "optimizer", json!({ "kind": kind })));
    }
    all.push(with(
        &full,
        "class_weighting",
        json!({ "by_hand": [1.0, 2.0] }),
    ));
    for way in WAYS.choices.iter().filter(|way| !way.word.is_empty()) {
        let ruled = with(&full, "parts", json!({ "split": (way.begin)() }));
        all.push(ruled.clone());
        for table in TABLES.iter().filter(|table| table.exists(&ruled)) {
            for choice in table.choices {
                all.push(with(&ruled, table.path, (choice.begin)()));
            }
        }
    }
    let unit = json!({ "unit": "group", "group": { "by": "stated" } });
    let folds = json!({ "way": "k_fold", "folds": 5, "fold": 0, "unit": unit });
    let folds = with(&full, "parts", json!({ "split": folds }));
    let group = TABLES.last().expect("the groups of folds");
    for choice in group.choices {
        all.push(with(&folds, group.path, (choice.begin)()));
    }
    all
}

/// The paths of the values of a tree; what stands in a list has the list's path.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{name}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn rows() -> impl Iterator<Item = &'static Field> {
    SECTIONS.iter().flat_map(|section| section.fields)
}

/// What the form says of the field at a path; an empty text where it says nothing.
fn help_of(tree: &Tree, path: &str) -> String {
    let fields = rows().chain(PARTS).filter(|field| field.path == path);
    let fields: Vec<&Field> = fields.collect();
    if !fields.is_empty() {
        let shown = fields.iter().find(|field| field.exists(tree));
        return shown.map_or_else(String::new, |field| field.help.to_owned());
    }
    if let Some(help) = parts::help_of(path) {
        return help.to_owned();
    }
    if let Some(path) = path.strip_prefix("augment.") {
        return augment::help_of(path).unwrap_or_default().to_owned();
    }
    match path {
        "class_weighting" | "class_weighting.by_hand" => {
            let word = tree.get("class_weighting").as_str().unwrap_or("by_hand");
            loss::weighting_help(word).unwrap_or_default().to_owned()
        }
        "loss" => help_of_terms(tree.get(path)),
        "device" => DEVICE_HELP.to_owned(),
        // What it says of the family and the encoder that are chosen.
        "model.family" => Family::ALL[0].help().to_owned(),
        "model.encoder" => EncoderKind::ALL[0].help().to_owned(),
        // It follows from the bands, which have a row.
        "model.in_channels" => help_of(tree, "bands"),
        "patches.keep.more_than" => SHARE_HELP.to_owned(),
        "patches.keep.counted.all_but" => COUNTED[0].2.to_owned(),
        "patches.keep.counted.only" => COUNTED[1].2.to_owned(),
        "updates.groups" => format!("{ENCODER_HELP} {}", stage_help(0)),
        _ => String::new(),
    }
}

/// What is said of all fields of all terms; an empty text where one has none.
fn help_of_terms(terms: &Value) -> String {
    let mut said = String::new();
    for term in terms.as_array().expect("terms") {
        let kind = term["kind"].as_str().expect("a kind");
        for field in term.as_object().expect("a table").keys() {
            let Some(help) = loss::help_of(kind, field).filter(|help| !help.is_empty()) else {
                return String::new();
            };
            said.push_str(help);
        }
    }
    said
}

#[test]
fn every_field_of_a_recipe_is_shown_and_explained() {
    for tree in all() {
        let mut paths = Vec::new();
        leaves(tree.get(""), "", &mut paths);
        // A part of the recipe that is left out has the row that chooses it.
        paths.retain(|path| !(path == "parts" || path == "patches.keep"));
        for path in paths {
            assert!(!help_of(&tree, &path).is_empty(), "{path} is not explained");
        }
        let others = more::other_paths(&tree, "");
        assert!(others.is_empty(), "without a row: {others:?}");
    }
}

/// Both ends of what a row lets a person choose.
fn ends(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Whole(least, most) | Kind::MaybeWhole(least, most, _) => {
            vec![json!(least), json!(most)]
        }
        Kind::Real(least, most)
        | Kind::MaybeReal(least, most, _)
        | Kind::WordOrReal(_, (least, most), _) => vec![json!(least), json!(most)],
        Kind::Word(_) | Kind::Bands | Kind::Text | Kind::Flag => Vec::new(),
    }
}

#[test]
fn no_row_allows_what_a_check_refuses() {
    let mut num_ends = 0;
    for kind in SCHEDULES {
        for rule in RULES {
            let mut tree = Tree::of(&Recipe::default());
            tree.set("schedule", json!({ "kind": kind }));
            tree.set("optimizer", json!({ "kind": rule }));
            tree.set("updates.ema", json!(0.99));
            let tree = again(&tree);
            for row in rows().filter(|row| row.exists(&tree)) {
                for end in ends(row.kind) {
                    num_ends += 1;
                    let mut changed = tree.clone();
                    changed.set(row.path, end.clone());
                    let recipe = changed.recipe().expect(row.path);
                    let why = recipe.check().err().map(|why| why.to_string());
                    // Other fields may not go with it; the number itself must do.
                    let is_named = |why: &String| {
                        why.contains(&format!("{} is ", row.path)) && why.contains("it must be")
                    };
                    assert!(!why.as_ref().is_some_and(is_named), "{end}: {why:?}");
                }
            }
        }
    }
    assert!(num_ends > 100, "{num_ends}");
}
