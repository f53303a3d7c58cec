use std::collections::HashMap;

use serde_json::Value;

use super::document::{Category, Id};
use crate::label::{Class, ClassTable, Rgb, UNLABELED, default_color};

/// The class index of each category id.
type Indices = HashMap<Id, u8>;

/// The classes that categories stand for, their indices by category id, and what the user should
/// know; or why they cannot be classes.
pub(super) fn table_of(
    categories: Vec<Category>,
) -> Result<(ClassTable, Indices, Vec<String>), String> {
    let count = categories.len();
    if count > usize::from(UNLABELED) {
        return Err(format!(
            "it has {count} categories, but a mask has at most 255 classes; \
             take some out or join them"
        ));
    }
    let (indices, notes) = indices_of(&categories);
    let mut index_of = Indices::new();
    let mut classes = Vec::new();
    for (place, (category, &index)) in categories.into_iter().zip(&indices).enumerate() {
        let color = category.color.as_ref().and_then(color_of);
        let mut name = category.name.trim().to_owned();
        if name.is_empty() {
            name = format!("class {index}");
        }
        if index_of.insert(category.id, index).is_some() {
            return Err(format!("two categories have the id of {name:?}"));
        }
        let color = color.unwrap_or_else(|| default_color(place, count));
        classes.push(Class::new(index, name, color));
    }
    let table = ClassTable::new(None, classes).map_err(|error| error.to_string())?;
    Ok((table, index_of, notes))
}

/// A class index for each category, no two alike.
fn indices_of(categories: &[Category]) -> (Vec<u8>, Vec<String>) {
    let index = |number: i64| u8::try_from(number).ok().filter(|&index| index < UNLABELED);
    let own = |category: &Category| index(category.class_index.as_ref()?.as_i64()?);
    let id = |category: &Category| match category.id {
        Id::Number(id) => Some(id),
        Id::Text(_) => None,
    };
    let below = |category: &Category| index(id(category)?.checked_sub(1)?);
    let same = |category: &Category| index(id(category)?);
    let ways: [Option<Vec<u8>>; 3] = [
        categories.iter().map(own).collect(),
        categories.iter().map(below).collect(),
        categories.iter().map(same).collect(),
    ];
    let is_usable = |indices: &Vec<u8>| are_all_unlike(indices);
    if let Some(indices) = ways.into_iter().flatten().find(is_usable) {
        return (indices, Vec::new());
    }
    let note = "The category ids cannot be class indices; classes are numbered in the order of \
                the file";
    ((0..categories.len() as u8).collect(), vec![note.to_owned()])
}

fn are_all_unlike(indices: &[u8]) -> bool {
    let mut seen = [false; 256];
    indices
        .iter()
        .all(|&index| !std::mem::replace(&mut seen[usize::from(index)], true))
}

/// `[r, g, b]` of bytes.
fn color_of(value: &Value) -> Option<Rgb> {
    let byte = |value: &Value| u8::try_from(value.as_u64()?).ok();
    let parts: Option<Vec<u8>> = value.as_array()?.iter().map(byte).collect();
    parts?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<(ClassTable, Indices, Vec<String>), String> {
        table_of(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn indices_are_told_or_follow_from_the_ids() {
        for (text, expected, num_notes) in [
            (
                r#"[{"id": 2, "class_index": 7}, {"id": 9, "class_index": 0}]"#,
                [7, 0],
                0,
            ),
            (
                r#"[{"id": 2, "class_index": 7}, {"id": 9, "class_index": 7}]"#,
                [1, 8],
                0,
            ),
            (r#"[{"id": 1}, {"id": 255}]"#, [0, 254], 0),
            (r#"[{"id": 0}, {"id": 254}]"#, [0, 254], 0),
            (r#"[{"id": 900}, {"id": -1}]"#, [0, 1], 1),
            (r#"[{"id": "x"}, {"id": 1}]"#, [0, 1], 1),
        ] {
            let categories: Vec<Category> = serde_json::from_str(text).expect("JSON");
            let (indices, notes) = indices_of(&categories);
            assert_eq!(
                (indices, notes.len()),
                (expected.to_vec(), num_notes),
                "{text}"
            );
        }
    }

    #[test]
    fn names_and_colors_are_kept_where_there_are_any() {
        let (table, _, _) = table(
            r##"[{"id": 1, "name": " road ", "color": [1, 2, 3]},
                {"id": 2, "name": " ", "color": "#123456"}]"##,
        )
        .expect("valid");
        assert_eq!(table.get(0), Some(&Class::new(0, "road", [1, 2, 3])));
        assert_eq!(table.name_of(1), "class 1");
    }

    #[test]
    fn what_cannot_be_classes_is_told() {
        let many: Vec<String> = (0..256).map(|id| format!("{{\"id\": {id}}}")).collect();
        let many = format!("[{}]", many.join(","));
        for (text, expected) in [
            (many.as_str(), "256 categories"),
            (r#"[{"id": 900}, {"id": 900, "name": "b"}]"#, "\"b\""),
        ] {
            let error = table(text).expect_err("too many");
            assert!(error.contains(expected), "{error}");
        }
        assert!(table("[]").expect("none is fine").0.is_empty());
    }
}
