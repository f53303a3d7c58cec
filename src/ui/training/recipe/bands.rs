use egui::{TextEdit, Ui};
use serde_json::{Value, json};

use crate::dataset::Bands;

/// Which bands are learned from, as words or as numbers with commas. What is typed counts when the
/// field is left, and only if it names bands.
pub fn bands_ui(ui: &mut Ui, path: &str, value: &Value, label: egui::Id) -> Option<Value> {
    let typed = ui.scope_id().with(path);
    let mut text = ui
        .data(|data| data.get_temp::<String>(typed))
        .unwrap_or_else(|| in_words(value));
    let field = TextEdit::singleline(&mut text)
        .hint_text("color, all, or 4, 1, 2")
        .desired_width(160.0);
    let field = ui.add(field).labelled_by(label);
    if field.changed() {
        ui.data_mut(|data| data.insert_temp(typed, text.clone()));
    }
    if !field.lost_focus() {
        return None;
    }
    ui.data_mut(|data| data.remove::<String>(typed));
    let bands = text.parse::<Bands>().ok()?;
    (in_words(value) != text.trim()).then(|| json!(bands))
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Array(bands) => {
            let bands: Vec<String> = bands.iter().map(Value::to_string).collect();
            bands.join(", ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_as_it_is_typed() {
        for (bands, text) in [
            (Bands::Color, "color"),
            (Bands::All, "all"),
            (Bands::List(vec![4, 1, 2]), "4, 1, 2"),
        ] {
            assert_eq!(in_words(&json!(bands)), text);
            assert_eq!(text.parse(), Ok(bands));
        }
    }
}
