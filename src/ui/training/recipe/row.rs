use std::ops::RangeInclusive;

use egui::{Button, ComboBox, DragValue, Response, RichText, TextEdit, Ui, WidgetText};
use egui_material_icons::icons;
use serde_json::{Value, json};

use super::bands::bands_ui;
use super::field::{Field, Kind};
use super::tree::Tree;
use crate::ui::panels::tools::name_button;
use crate::ui::theme;

const TITLE: f32 = 130.0;
const VALUE: f32 = 190.0;
/// The room of the way back to the usual value.
const RESET: f32 = 26.0;
/// Value and way back together, for lists that have no way back.
pub const CHOICE: f32 = VALUE + RESET;

/// A field: its name, its value, a mark and a way back where it differs, and its help.
pub fn field_ui(ui: &mut Ui, field: &Field, tree: &mut Tree, base: &Tree) {
    ui.horizontal(|ui| {
        let is_changed = tree.differs(base, field.path);
        let title = RichText::new(field.title);
        let title = if is_changed { title.strong() } else { title };
        let opacity = if field.is_used(tree) { 1.0 } else { 0.5 };
        ui.multiply_opacity(opacity);
        let label = title_ui(ui, title).on_hover_text(format!("{}\n{}", field.help, field.path));
        in_column(ui, VALUE, |ui| value_ui(ui, field, tree, label.id));
        reset_ui(ui, field, tree, base, is_changed);
        ui.add(egui::Label::new(RichText::new(field.help).small().weak()).truncate());
    });
}

/// The name of a field, in the column of the names.
pub fn title_ui(ui: &mut Ui, title: impl Into<WidgetText>) -> Response {
    in_column(ui, TITLE, |ui| ui.add(egui::Label::new(title).truncate()))
}

fn in_column<R>(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    let place = egui::vec2(width, ui.spacing().interact_size.y);
    let left = egui::Layout::left_to_right(egui::Align::Center);
    let shown = ui.allocate_ui_with_layout(place, left, |ui| {
        ui.set_min_width(width);
        content(ui)
    });
    shown.inner
}

fn reset_ui(ui: &mut Ui, field: &Field, tree: &mut Tree, base: &Tree, is_changed: bool) {
    if !is_changed {
        ui.add_space(RESET);
        return;
    }
    let icon = RichText::new(icons::ICON_UNDO.codepoint)
        .size(14.0)
        .color(theme::ACCENT);
    let reset = ui.add(Button::new(icon).frame(false));
    name_button(&reset, &format!("Reset {}", field.title), false);
    let usual = base.get(field.path);
    let usual = if usual.is_null() {
        "nothing".to_owned()
    } else {
        usual.to_string()
    };
    if reset
        .on_hover_text(format!("Changed; back to {usual}"))
        .clicked()
    {
        tree.set(field.path, base.get(field.path).clone());
    }
}

fn value_ui(ui: &mut Ui, field: &Field, tree: &mut Tree, label: egui::Id) {
    let value = tree.get(field.path).clone();
    let new = match field.kind {
        Kind::Whole(low, high) => whole_ui(ui, &value, low..=high, label),
        Kind::Real(low, high) => real_ui(ui, &value, low..=high, label),
        Kind::Word(words) => word_ui(ui, field.path, &value, words, label),
        Kind::Bands => bands_ui(ui, field.path, &value, label),
        Kind::Text => text_ui(ui, &value, label),
        Kind::Flag => flag_ui(ui, &value, field.title),
        Kind::MaybeWhole(low, high, usual) => {
            let edit = |ui: &mut Ui, value: &Value| whole_ui(ui, value, low..=high, label);
            maybe_ui(ui, &value, field, json!(usual), edit)
        }
        Kind::WordOrReal(words, (low, high), usual) => {
            word_or_real_ui(ui, (field.path, &value), words, (low..=high, usual), label)
        }
        Kind::MaybeReal(low, high, usual) => {
            let edit = |ui: &mut Ui, value: &Value| real_ui(ui, value, low..=high, label);
            maybe_ui(ui, &value, field, json!(usual), edit)
        }
    };
    let Some(value) = new else { return };
    match field.path.strip_suffix(".kind") {
        // Another kind has other fields; those that are left out have their defaults.
        Some(parent) => tree.set(parent, json!({ "kind": value })),
        None => tree.set(field.path, value),
    }
}

fn whole_ui(
    ui: &mut Ui,
    value: &Value,
    range: RangeInclusive<u64>,
    label: egui::Id,
) -> Option<Value> {
    let mut number = value.as_u64().unwrap_or(*range.start());
    let speed = (number as f64 * 0.01).max(0.1);
    let drag = DragValue::new(&mut number).range(range).speed(speed);
    let response = ui.add(drag).labelled_by(label);
    response.changed().then(|| json!(number))
}

/// A number that may be very small; dragging changes it by its own size.
pub fn real_ui(
    ui: &mut Ui,
    value: &Value,
    range: RangeInclusive<f64>,
    label: egui::Id,
) -> Option<Value> {
    real_drag(ui, value, range, label).1
}

/// As [`real_ui`], with a name before it and what it does where the pointer rests on either.
pub fn named_real_ui(
    ui: &mut Ui,
    [name, help]: [&str; 2],
    value: &Value,
    (least, most): (f64, f64),
) -> Option<Value> {
    let label = ui.label(name).on_hover_text(help);
    let (drag, number) = real_drag(ui, value, least..=most, label.id);
    drag.on_hover_text(help);
    number
}

fn real_drag(
    ui: &mut Ui,
    value: &Value,
    range: RangeInclusive<f64>,
    label: egui::Id,
) -> (Response, Option<Value>) {
    let mut number = value.as_f64().unwrap_or(*range.start());
    let speed = (number.abs() * 0.01)
        .max(1e-6)
        .max((range.end() - range.start()).min(10.0) * 1e-5);
    let drag = DragValue::new(&mut number)
        .range(range)
        .speed(speed)
        .max_decimals(9)
        .custom_formatter(|number, _| short(number));
    let response = ui.add(drag).labelled_by(label);
    let new = response.changed().then(|| json!(number));
    (response, new)
}

/// A number as people write it into a recipe.
fn short(number: f64) -> String {
    if number == 0.0 || (1e-3..1e6).contains(&number.abs()) {
        let text = format!("{number:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{number:e}")
    }
}

fn word_ui(
    ui: &mut Ui,
    path: &str,
    value: &Value,
    words: &[(&str, &str)],
    label: egui::Id,
) -> Option<Value> {
    let word = value.as_str().unwrap_or_default();
    let shown = words.iter().find(|(known, _)| *known == word);
    let mut chosen = None;
    ComboBox::from_id_salt(path)
        .selected_text(shown.map_or(word, |(_, name)| name))
        .width(VALUE - 20.0)
        .show_ui(ui, |ui| {
            for (known, name) in words {
                if ui.selectable_label(*known == word, *name).clicked() {
                    chosen = Some(json!(known));
                }
            }
        })
        .response
        .labelled_by(label);
    chosen
}

/// A word from a list whose last entry stands for a number of one's own.
fn word_or_real_ui(
    ui: &mut Ui,
    (path, value): (&str, &Value),
    words: &[(&str, &str)],
    (range, usual): (RangeInclusive<f64>, f64),
    label: egui::Id,
) -> Option<Value> {
    const OWN: &str = "own number";
    if value.is_number() {
        let new = real_ui(ui, value, range, label);
        let back = ui.small_button("×").on_hover_text("Back to a word");
        return new.or_else(|| back.clicked().then(|| json!(words[0].0)));
    }
    let own = (OWN, "A number…");
    let all: Vec<(&str, &str)> = words.iter().copied().chain([own]).collect();
    let chosen = word_ui(ui, path, value, &all, label)?;
    Some(if chosen == OWN { json!(usual) } else { chosen })
}

fn text_ui(ui: &mut Ui, value: &Value, label: egui::Id) -> Option<Value> {
    let mut text = value.as_str().unwrap_or_default().to_owned();
    let field = TextEdit::singleline(&mut text).desired_width(VALUE - 30.0);
    let response = ui.add(field).labelled_by(label);
    response.changed().then(|| json!(text))
}

fn flag_ui(ui: &mut Ui, value: &Value, title: &str) -> Option<Value> {
    let mut flag = value.as_bool().unwrap_or(false);
    let response = ui.checkbox(&mut flag, "");
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, flag, title));
    response.changed().then(|| json!(flag))
}

fn maybe_ui(
    ui: &mut Ui,
    value: &Value,
    field: &Field,
    usual: Value,
    edit: impl FnOnce(&mut Ui, &Value) -> Option<Value>,
) -> Option<Value> {
    let mut is_set = !value.is_null();
    let response = ui.checkbox(&mut is_set, "");
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_set, field.title)
    });
    if response.changed() {
        return Some(if is_set { usual } else { Value::Null });
    }
    if value.is_null() {
        ui.weak(field.unset);
        return None;
    }
    edit(ui, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let texts = [0.0, 0.5, 4e-3, 1e-5, 64.0, 2.5e7].map(short);
        assert_eq!(texts, ["0", "0.5", "0.004", "1e-5", "64", "2.5e7"]);
    }
}
