use std::collections::BTreeSet;
use std::path::PathBuf;

use egui::{Label, RichText, Ui};
use serde_json::{Value, json};

use super::best_class::classes_of;
use super::field::is_found;
use super::part_fields::{CLASSES, LISTS, List, PARTS, TABLES, WAY, WAYS};
use super::parted::parted_ui;
use super::row::{field_ui, title_ui};
use super::tree::Tree;
use crate::dataset::Part;
use crate::dataset::parts::{PartRule, PartWay};
use crate::label::ClassTable;
use crate::session::{Session, TrainOn};
use crate::ui::dialogs::FileWish;
use crate::ui::panels::recipe::TrainForm;
use crate::ui::panels::tools::name_button;
use crate::ui::view::CommandQueue;

/// So many classes are offered where nobody knows which there are.
const UNKNOWN: u8 = 10;

/// Whether a field of the file has a row here.
pub fn has_row(path: &str) -> bool {
    help_of(path).is_some()
}

/// What is said of the field at a path.
pub fn help_of(path: &str) -> Option<&'static str> {
    let fields = PARTS.iter().map(|field| (field.path, field.help));
    let tables = [WAYS].into_iter().chain(TABLES.iter().copied());
    let tables = tables.map(|table| (table.word, table.help));
    let lists = LISTS.into_iter().map(|(_, path, _, help)| (path, help));
    let mut all = fields.chain(tables).chain(lists).chain([CLASSES]);
    all.find(|(known, _)| *known == path).map(|(_, help)| help)
}

/// Whether the searched words are in what a row says.
pub fn is_said(searched: &str) -> bool {
    PARTS.iter().any(|field| field.matches(searched))
        || TABLES.iter().any(|table| table.matches(searched))
        || LISTS.iter().any(|list| is_list_found(list, searched))
}

fn is_list_found((_, path, title, help): &List, searched: &str) -> bool {
    is_found(searched, &[path, title, help])
}

/// What is held out of a data set.
pub fn parts_ui(
    ui: &mut Ui,
    session: &Session,
    form: &mut TrainForm,
    (tree, base): (&mut Tree, &Tree),
    commands: &mut CommandQueue,
) {
    if let Some(split) = WAYS.ui(ui, tree) {
        choose_way(tree, split);
    }
    parted_ui(ui, session, form, commands);
    for table in TABLES {
        if table.exists(tree)
            && table.matches(&form.searched)
            && let Some(chosen) = table.ui(ui, tree)
        {
            tree.set(table.path, chosen);
        }
    }
    if tree.get("parts.split.lists").is_object() {
        for list in LISTS
            .iter()
            .filter(|list| is_list_found(list, &form.searched))
        {
            list_ui(ui, *list, tree, &mut form.wish);
        }
    }
    if tree.get(CLASSES.0).is_array() {
        counted_ui(ui, tree, classes_of(session, form));
    }
    given_ui(ui, tree);
    for field in PARTS {
        if field.exists(tree) && field.matches(&form.searched) {
            field_ui(ui, field, tree, base);
        }
    }
}

/// Another way; its seed and what becomes of equal images stay.
fn choose_way(tree: &mut Tree, split: Value) {
    if split.is_null() {
        tree.set("parts", Value::Null);
    } else if tree.get("parts").is_object() {
        tree.set("parts.split", split);
    } else {
        tree.set("parts", json!({ "split": split }));
    }
}

/// The file of a list, and a button that asks for it.
fn list_ui(
    ui: &mut Ui,
    (part, path, title, help): List,
    tree: &mut Tree,
    wish: &mut Option<FileWish>,
) {
    ui.horizontal(|ui| {
        title_ui(ui, title).on_hover_text(format!("{help}\n{path}"));
        let choose = ui.button("Choose…");
        name_button(&choose, &format!("Choose the {} list", part.word()), false);
        if choose.on_hover_text("A text file").clicked() {
            *wish = Some(FileWish::PartList(part));
        }
        if let Some(file) = tree.get(path).as_str().map(str::to_owned) {
            let leave = ui.button("Leave out");
            name_button(
                &leave,
                &format!("Leave the {} list out", part.word()),
                false,
            );
            if leave.clicked() {
                tree.set(path, Value::Null);
            }
            ui.add(Label::new(file).truncate());
        }
        ui.add(Label::new(RichText::new(help).small().weak()).truncate());
    });
}

/// The classes whose pixels count, each to be taken in or out.
fn counted_ui(ui: &mut Ui, tree: &mut Tree, table: Option<&ClassTable>) {
    let (path, help) = CLASSES;
    let value = tree.get(path).clone();
    let chosen: BTreeSet<u8> = serde_json::from_value(value).unwrap_or_default();
    let table = table.filter(|table| !table.is_empty());
    let mut offered = chosen.clone();
    match table {
        Some(table) => offered.extend(table.classes().iter().map(|class| class.index)),
        None => offered.extend(0..UNKNOWN),
    }
    let mut new = chosen.clone();
    ui.horizontal_wrapped(|ui| {
        title_ui(ui, "Classes").on_hover_text(format!("{help}\n{path}"));
        for class in offered {
            let name = table.map_or_else(|| format!("class {class}"), |table| table.name_of(class));
            let toggle = ui.selectable_label(chosen.contains(&class), name);
            if toggle.on_hover_text(help).clicked() && !new.remove(&class) {
                new.insert(class);
            }
        }
    });
    if new != chosen {
        tree.set(path, json!(new));
    }
}

/// How many blocks were chosen one by one; which they are is said in the file.
fn given_ui(ui: &mut Ui, tree: &Tree) {
    if tree.get(WAY) != "given" {
        return;
    }
    let count = |name: &str| {
        let blocks = tree.get(&format!("parts.split.{name}"));
        blocks.as_array().map_or(0, Vec::len)
    };
    let (choosing, judging) = (count("validation"), count("test"));
    ui.weak(format!(
        "Blocks that were chosen one by one: {choosing} for validation, {judging} for the test; \
         they are edited in the file"
    ));
}

/// Takes a list of names over for a part; a list within the data set is named from there.
pub fn take_list(form: &mut TrainForm, part: Part, path: PathBuf, session: &Session) {
    let folder = match form.learn_from(session) {
        TrainOn::Folder(folder) | TrainOn::Corrected(folder, _) => Some(folder),
        _ => None,
    };
    let Some(PartRule {
        split: PartWay::ByList { lists, .. },
        ..
    }) = &mut form.recipe.parts
    else {
        return;
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    let within = folder.and_then(|folder| Some(path.strip_prefix(folder).ok()?.to_owned()));
    let list = match part {
        Part::Train => &mut lists.train,
        Part::Validation => &mut lists.validation,
        Part::Test => &mut lists.test,
    };
    *list = Some(within.unwrap_or(path));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::parts::{FoldUnit, GroupBy};
    use crate::train::{Preset, Recipe};

    /// A recipe whose parts are made as these changes say.
    fn recipe(changes: &[(&str, Value)]) -> Recipe {
        let mut tree = Tree::of(&Recipe::default());
        for (path, value) in changes {
            if *path == WAYS.path {
                choose_way(&mut tree, value.clone());
            } else {
                tree.set(path, value.clone());
            }
            // As the form does from one frame to the next.
            tree = Tree::of(&tree.recipe().expect(path));
        }
        tree.recipe().expect("a recipe")
    }

    fn begun(word: &str) -> Value {
        let choice = WAYS.choices.iter().find(|choice| choice.word == word);
        (choice.expect("a way").begin)()
    }

    #[test]
    fn each_choice_of_each_table_is_one_that_recipes_know() {
        for way in WAYS.choices {
            let first = recipe(&[(WAYS.path, (way.begin)())]);
            assert_eq!(first.parts.is_some(), !way.word.is_empty(), "{}", way.word);
            let tree = Tree::of(&first);
            for table in TABLES.iter().filter(|table| table.exists(&tree)) {
                for choice in table.choices {
                    let changes = [(WAYS.path, (way.begin)()), (table.path, (choice.begin)())];
                    let tree = Tree::of(&recipe(&changes));
                    assert_eq!(tree.get(table.word), choice.word);
                }
            }
        }
    }

    #[test]
    fn every_field_of_a_way_is_in_the_file() {
        for way in WAYS.choices {
            let tree = Tree::of(&recipe(&[(WAYS.path, (way.begin)())]));
            for field in PARTS.iter().filter(|field| field.exists(&tree)) {
                assert!(
                    !tree.get(field.path).is_null(),
                    "{} {}",
                    way.word,
                    field.path
                );
            }
        }
    }

    #[test]
    fn folds_of_groups_are_set_through_their_rows() {
        let group = json!({ "by": "up_to", "separator": "_" });
        let recipe = recipe(&[
            (WAYS.path, begun("k_fold")),
            (
                "parts.split.unit",
                json!({ "unit": "group", "group": group }),
            ),
            ("parts.split.unit.group.separator", json!("-")),
            ("parts.split.fold", json!(3)),
            ("parts.seed", json!(7)),
        ]);
        let parts = recipe.parts.expect("parts");
        let unit = FoldUnit::Group {
            group: GroupBy::UpTo {
                separator: "-".to_owned(),
            },
        };
        let split = PartWay::KFold {
            folds: 5,
            fold: 3,
            unit,
        };
        assert_eq!((parts.seed, parts.split), (7, split));
    }

    #[test]
    fn another_way_keeps_the_seed() {
        let changes = [
            (WAYS.path, begun("ratio")),
            ("parts.seed", json!(7)),
            (WAYS.path, begun("stratified")),
        ];
        assert_eq!(recipe(&changes).parts.expect("parts").seed, 7);
    }

    #[test]
    fn the_split_of_every_preset_is_a_choice_of_the_form() {
        for preset in Preset::ALL {
            let tree = Tree::of(&preset.recipe());
            let word = tree.get(WAY).as_str().unwrap_or_default();
            let is_known = WAYS.choices.iter().any(|choice| choice.word == word);
            assert!(is_known, "{}: {word}", preset.name());
        }
    }

    #[test]
    fn rows_are_found_by_what_they_say() {
        for words in ["separator", "bins", "test list", "gap", "mixture"] {
            assert!(is_said(words), "{words}");
        }
        assert!(!is_said("nothing of the kind"));
    }
}
