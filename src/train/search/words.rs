use toml::{Table, Value};

use crate::train::changes::TAGS;

/// Values are looked into no deeper.
const DEEPEST: usize = 8;

/// A value of a recipe as people read it: `sgd (momentum 0.9)`, `cross_entropy + dice`, `0.001`.
pub(super) fn words(value: &Value) -> String {
    said(value, 0)
}

fn said(value: &Value, depth: usize) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Table(table) if depth < DEEPEST => of_table(table, depth),
        Value::Array(values) if depth < DEEPEST && values.iter().all(Value::is_table) => {
            let parts: Vec<String> = values.iter().map(|value| said(value, depth + 1)).collect();
            parts.join(" + ")
        }
        other => other.to_string(),
    }
}

fn of_table(table: &Table, depth: usize) -> String {
    let tag = TAGS
        .iter()
        .find_map(|tag| Some((*tag, table.get(*tag)?.as_str()?)));
    let rest: Vec<String> = table
        .iter()
        .filter(|(name, _)| tag.is_none_or(|(tag, _)| tag != name.as_str()))
        .map(|(name, value)| format!("{name} {}", said(value, depth + 1)))
        .collect();
    let rest = rest.join(", ");
    match tag {
        Some((_, word)) if rest.is_empty() => word.to_owned(),
        Some((_, word)) => format!("{word} ({rest})"),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_shortly() {
        for (text, expected) in [
            ("\"cosine\"", "cosine"),
            ("1e-3", "0.001"),
            ("8", "8"),
            ("{ kind = \"adam\" }", "adam"),
            ("{ kind = \"sgd\", momentum = 0.9 }", "sgd (momentum 0.9)"),
            (
                "[{ kind = \"cross_entropy\" }, { kind = \"dice\", weight = 0.5 }]",
                "cross_entropy + dice (weight 0.5)",
            ),
            ("{ patience = 3 }", "patience 3"),
            ("[1, 2]", "[1, 2]"),
        ] {
            let table: Table = toml::from_str(&format!("v = {text}")).expect("a table");
            assert_eq!(words(&table["v"]), expected);
        }
    }
}
