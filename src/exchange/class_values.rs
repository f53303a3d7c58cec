use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{BurnPlan, ExchangeError, Shape};
use crate::label::{Class, ClassTable, UNLABELED, default_color};

/// How many names an error message lists.
const MAX_LISTED: usize = 20;

/// An attribute's value as people write it: numbers without a fraction as integers, nothing for
/// what is missing.
pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(value) => match whole(value) {
            Some(number) => number.to_string(),
            None => value.to_string(),
        },
    }
}

/// A number without a fraction.
fn whole(value: &Value) -> Option<i64> {
    let float = value.as_f64().filter(|float| float.abs() < 1e15)?;
    (float.fract() == 0.0).then_some(float as i64)
}

/// An attribute's value as the index of a class.
fn index_of(value: &Value) -> Option<u8> {
    u8::try_from(whole(value)?).ok()
}

/// The class that an attribute's value means: by the plan's table of values where it has one, else
/// by index, by name, or by an index written as text.
pub(super) fn class_of(value: Option<&Value>, plan: &BurnPlan, classes: &ClassTable) -> Option<u8> {
    if !plan.values.is_empty() {
        return plan.values.get(&text_of(value)).copied();
    }
    let known = |index| classes.get(index).map(|class| class.index);
    match value? {
        Value::String(name) => {
            let named = classes.by_name(name.trim()).map(|class| class.index);
            named.or_else(|| known(name.trim().parse().ok()?))
        }
        number => known(index_of(number)?),
    }
}

/// Refuses whole numbers that are no index of a class, unless the plan says what values stand for.
/// 255 is what is not labeled.
///
/// # Errors
/// [`ExchangeError::NoIndex`] names the first feature that has one.
pub(super) fn check_indices(shapes: &[Shape], plan: &BurnPlan) -> Result<(), ExchangeError> {
    if !plan.values.is_empty() || plan.otherwise.is_some() {
        return Ok(());
    }
    for shape in shapes {
        let value = shape.properties.get(&plan.attribute);
        let number = value.and_then(whole);
        if let Some(value) = number.filter(|&number| u8::try_from(number).is_err()) {
            return Err(ExchangeError::NoIndex {
                feature: shape.feature,
                attribute: plan.attribute.clone(),
                value,
            });
        }
    }
    Ok(())
}

/// The classes of a plan: its own, else those that the values speak of.
///
/// # Errors
/// [`ExchangeError`] when nothing speaks of classes, or they are not valid together.
pub(super) fn classes_of(shapes: &[Shape], plan: &BurnPlan) -> Result<ClassTable, ExchangeError> {
    if let Some(classes) = &plan.classes {
        return known_by(classes, plan);
    }
    let mut named = BTreeMap::<u8, String>::new();
    for (value, &class) in &plan.values {
        let name = || class_name(Some(value.as_str()), class);
        named.entry(class).or_insert_with(name);
    }
    if named.is_empty() {
        named = spoken_of(shapes, &plan.attribute);
    }
    if let Some(class) = plan.otherwise {
        named.entry(class).or_insert_with(|| "other".to_owned());
    }
    if named.is_empty() {
        return Err(ExchangeError::Attribute {
            attribute: plan.attribute.clone(),
            found: attributes_of(shapes),
        });
    }
    let count = named.len();
    let class = |(place, (index, name)): (usize, (u8, String))| {
        Class::new(index, name, default_color(place, count))
    };
    let classes = named.into_iter().enumerate().map(class).collect();
    Ok(ClassTable::new(None, classes)?)
}

/// The table, which has to know each class that values stand for.
fn known_by(classes: &ClassTable, plan: &BurnPlan) -> Result<ClassTable, ExchangeError> {
    let others = plan
        .otherwise
        .iter()
        .map(|&class| ("everything else", class));
    let values = plan
        .values
        .iter()
        .map(|(value, &class)| (value.as_str(), class));
    for (value, class) in values.chain(others) {
        if classes.get(class).is_none() {
            return Err(ExchangeError::UnknownClass {
                value: value.to_owned(),
                class,
            });
        }
    }
    Ok(classes.clone())
}

fn class_name(name: Option<&str>, index: u8) -> String {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    name.map_or_else(|| format!("class {index}"), str::to_owned)
}

/// Numbers with the name beside them, or names in order of the alphabet.
fn spoken_of(shapes: &[Shape], attribute: &str) -> BTreeMap<u8, String> {
    let mut numbers = BTreeMap::<u8, String>::new();
    let mut names = BTreeSet::<&str>::new();
    for shape in shapes {
        match shape.properties.get(attribute) {
            Some(Value::String(name)) if !name.trim().is_empty() => {
                names.insert(name.trim());
            }
            Some(value) => {
                if let Some(index) = index_of(value).filter(|index| *index != UNLABELED) {
                    let name = shape.properties.get("name").and_then(Value::as_str);
                    let name = || class_name(name, index);
                    numbers.entry(index).or_insert_with(name);
                }
            }
            None => {}
        }
    }
    if numbers.is_empty() {
        let named = (0_u8..UNLABELED).zip(names);
        numbers = named
            .map(|(index, name)| (index, name.to_owned()))
            .collect();
    }
    numbers
}

/// The names of the attributes that there are.
fn attributes_of(shapes: &[Shape]) -> String {
    let keys = shapes.iter().flat_map(|shape| shape.properties.keys());
    let names: BTreeSet<&str> = keys.map(String::as_str).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let listed: Vec<&str> = names.iter().take(MAX_LISTED).copied().collect();
    let more = if names.len() > MAX_LISTED {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::Geometry;
    use super::*;

    fn shape(properties: Value) -> Shape {
        let Value::Object(properties) = properties else {
            panic!("an object");
        };
        Shape {
            geometry: Geometry::Line(vec![[0.0; 2]; 2]),
            feature: 1,
            properties: Arc::new(properties),
        }
    }

    fn names(classes: &ClassTable) -> Vec<(u8, &str)> {
        let each = classes.classes().iter();
        each.map(|class| (class.index, class.name.as_str()))
            .collect()
    }

    #[test]
    fn values_are_text_as_people_write_it() {
        for (value, expected) in [
            (json!(3), "3"),
            (json!(3.0), "3"),
            (json!(-2), "-2"),
            (json!(2.5), "2.5"),
            (json!(" road "), "road"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!(1e300), "1e+300"),
        ] {
            assert_eq!(text_of(Some(&value)), expected);
        }
        assert_eq!(text_of(None), "");
    }

    #[test]
    fn classes_are_those_that_the_values_speak_of() {
        let plan = BurnPlan::by_attribute("kind");
        let numbered = [
            shape(json!({"kind": 4, "name": "water"})),
            shape(json!({"kind": 2.0})),
            shape(json!({"kind": 255})),
            shape(json!({"kind": "tree"})),
        ];
        let classes = classes_of(&numbered, &plan).expect("valid");
        assert_eq!(names(&classes), [(2, "class 2"), (4, "water")]);
        let named = ["tree", "road", "tree", " "].map(|name| shape(json!({"kind": name})));
        let classes = classes_of(&named, &plan).expect("valid");
        assert_eq!(names(&classes), [(0, "road"), (1, "tree")]);
        let error = classes_of(&[shape(json!({"b": 1, "a": 2}))], &plan).expect_err("no class");
        assert!(error.to_string().contains("“kind”"), "{error}");
        assert!(error.to_string().ends_with("has: a, b"), "{error}");
    }

    #[test]
    fn a_table_of_values_makes_classes_or_has_to_agree_with_them() {
        let values = [("A1", 1), ("A2", 1), ("B", 3)];
        let mut plan = BurnPlan {
            values: values
                .map(|(value, class)| (value.to_owned(), class))
                .into(),
            otherwise: Some(9),
            ..BurnPlan::by_attribute("code")
        };
        let classes = classes_of(&[], &plan).expect("valid");
        assert_eq!(names(&classes), [(1, "A1"), (3, "B"), (9, "other")]);
        assert_eq!(class_of(Some(&json!("A2")), &plan, &classes), Some(1));
        assert_eq!(class_of(Some(&json!(3)), &plan, &classes), None);
        plan.otherwise = None;
        let two = [1, 2].map(|index| Class::new(index, format!("c{index}"), [index; 3]));
        plan.classes = Some(ClassTable::new(None, two.to_vec()).expect("valid"));
        let error = classes_of(&[], &plan)
            .expect_err("3 is missing")
            .to_string();
        assert!(error.contains("“B”") && error.contains('3'), "{error}");
    }

    #[test]
    fn classes_are_found_by_index_name_and_written_index() {
        let classes = [Class::new(3, "road", [1; 3]), Class::new(4, "5", [2; 3])];
        let classes = ClassTable::new(None, classes.to_vec()).expect("valid");
        let plan = BurnPlan::by_attribute("any");
        for (value, expected) in [
            (json!(3), Some(3)),
            (json!(3.0), Some(3)),
            (json!("road"), Some(3)),
            (json!("3"), Some(3)),
            (json!("5"), Some(4)),
            (json!(5), None),
            (json!(-3), None),
            (json!(3.5), None),
            (json!("Road"), Some(3)),
            (json!([3]), None),
            (json!(null), None),
        ] {
            assert_eq!(class_of(Some(&value), &plan, &classes), expected, "{value}");
        }
    }
}
