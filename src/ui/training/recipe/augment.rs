use egui::{ComboBox, DragValue, RichText, Ui};
use serde_json::{Value, json};

use super::row::real_ui;
use super::tree::Tree;
use crate::dataset::Augmentation;

/// A kind of variation: its name in the file, what people call it, what it does, and between which
/// numbers it may act; none acts or does not.
type Variation = (&'static str, &'static str, &'static str, Option<[f64; 2]>);

const VARIATIONS: [Variation; 17] = [
    (
        "flip",
        "Flip",
        "Left and right, up and down exchanged, each with this probability",
        None,
    ),
    (
        "quarter_turn",
        "Quarter turns",
        "A quarter, half or three quarters of a turn",
        None,
    ),
    (
        "rotation",
        "Rotation",
        "Degrees about the middle of the patch",
        Some([-180.0, 180.0]),
    ),
    (
        "scale",
        "Scale",
        "How many times as large things appear",
        Some([0.5, 2.0]),
    ),
    (
        "shift",
        "Shift",
        "Along each axis, in sides of a patch",
        Some([-0.5, 0.5]),
    ),
    (
        "shear",
        "Shear",
        "Degrees by which upright lines lean",
        Some([-30.0, 30.0]),
    ),
    (
        "elastic",
        "Elastic",
        "Smooth displacements, in pixels",
        Some([0.0, 256.0]),
    ),
    (
        "shadow",
        "Shadows",
        "Soft-edged dark polygons: the share of light that is taken away",
        Some([0.0, 1.0]),
    ),
    (
        "gamma",
        "Gamma",
        "Exponent of colors; below 1 is brighter",
        Some([0.1, 10.0]),
    ),
    (
        "contrast",
        "Contrast",
        "Factor of the distance from middle grey",
        Some([0.0, 4.0]),
    ),
    (
        "brightness",
        "Brightness",
        "What is added to colors in 0 to 1",
        Some([-1.0, 1.0]),
    ),
    (
        "saturation",
        "Saturation",
        "Factor of the distance from grey",
        Some([0.0, 4.0]),
    ),
    (
        "hue",
        "Hue",
        "Degrees about the grey axis",
        Some([-180.0, 180.0]),
    ),
    (
        "blur",
        "Blur",
        "Standard deviation of a Gaussian, in pixels",
        Some([0.0, 8.0]),
    ),
    (
        "noise",
        "Noise",
        "Standard deviation of noise on colors in 0 to 1",
        Some([0.0, 0.5]),
    ),
    (
        "jpeg",
        "JPEG",
        "Quality that the patch is packed and unpacked with",
        Some([1.0, 100.0]),
    ),
    (
        "cutout",
        "Cutout",
        "Rectangles blanked to the mean color, in sides of the patch",
        Some([0.0, 1.0]),
    ),
];

const WORDS: [(&str, &str, &str); 5] = [
    ("none", "None", "Patches as they are"),
    ("turns", "Turns", "Flips and quarter turns"),
    (
        "upright",
        "Upright",
        "Left and right exchanged and mild changes of color, for pictures that have an above",
    ),
    (
        "full",
        "Turns and colors",
        "Flips, quarter turns and mild changes of brightness, contrast and color",
    ),
    (
        "strong",
        "Table…",
        "Each kind with a probability and a range; begins with what suits aerial images",
    ),
];

/// What a patch shows beyond the ground that may be read, and what that is.
const BORDERS: [(&str, &str); 2] = [
    ("reflect", "Pixels and labels mirrored"),
    ("ignore", "Pixels mirrored, nothing is learned from them"),
];

const OFTEN: &str = "How often it acts";
const MOST: &str = "One to this many at a time";
const LABELS: &str = "What is hidden must be guessed from around it; else nothing is learned there";

/// Numbers that some kinds have beside: what they may be, and what they are.
const EXTRAS: [(&str, [f64; 2], &str); 2] = [
    (
        "spacing",
        [8.0, 1024.0],
        "Distance of the lattice's points, in pixels",
    ),
    ("softness", [0.0, 64.0], "Width of the edge, in pixels"),
];

/// How patches are varied between epochs.
pub fn augment_ui(ui: &mut Ui, tree: &mut Tree, searched: &str) {
    let value = tree.get("augment").clone();
    let word = value.as_str().unwrap_or("strong").to_owned();
    ui.horizontal_wrapped(|ui| {
        for (known, name, help) in WORDS {
            let row = ui.selectable_label(known == word, name);
            if row.on_hover_text(help).clicked() && known != word {
                tree.set("augment", json!(known));
            }
        }
    });
    if !value.is_object() {
        return;
    }
    let usual = json!(Augmentation::strong());
    border_ui(ui, tree);
    for variation in VARIATIONS {
        if super::field::is_found(searched, &[variation.0, variation.1, variation.2]) {
            variation_ui(ui, tree, variation, &usual);
        }
    }
}

fn border_ui(ui: &mut Ui, tree: &mut Tree) {
    let word = tree
        .get("augment.border")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    ui.horizontal(|ui| {
        let label = ui.label("Beyond the ground");
        let combo = ComboBox::from_id_salt("border")
            .selected_text(&word)
            .show_ui(ui, |ui| {
                for (known, help) in BORDERS {
                    let row = ui.selectable_label(known == word, known);
                    if row.on_hover_text(help).clicked() {
                        tree.set("augment.border", json!(known));
                    }
                }
            });
        combo.response.labelled_by(label.id);
    });
}

fn variation_ui(ui: &mut Ui, tree: &mut Tree, variation: Variation, usual: &Value) {
    let (name, title, help, bounds) = variation;
    let path = format!("augment.{name}");
    let mut entry = tree.get(&path).clone();
    let before = entry.clone();
    ui.horizontal(|ui| {
        let mut is_on = !entry.is_null();
        let place = egui::vec2(126.0, ui.spacing().interact_size.y);
        let check = ui.allocate_ui(place, |ui| {
            ui.set_min_width(126.0);
            ui.checkbox(&mut is_on, title).on_hover_text(help)
        });
        if check.inner.changed() {
            entry = if is_on {
                usual[name].clone()
            } else {
                Value::Null
            };
        } else if is_on {
            entry_ui(ui, &mut entry, title, bounds);
        }
        ui.add(egui::Label::new(RichText::new(help).small().weak()).truncate());
    });
    if entry != before {
        tree.set(&path, entry);
    }
}

fn entry_ui(ui: &mut Ui, entry: &mut Value, title: &str, bounds: Option<[f64; 2]>) {
    let mut percent = entry["probability"].as_f64().unwrap_or(0.0) * 100.0;
    let drag = DragValue::new(&mut percent)
        .range(0.0..=100.0)
        .speed(1.0)
        .suffix(" %")
        .max_decimals(1);
    let drag = ui.add(drag);
    name(&drag, &format!("{title}, probability"));
    if drag.on_hover_text(OFTEN).changed() {
        entry["probability"] = json!(percent / 100.0);
    }
    if let Some([least, most]) = bounds {
        range_ui(ui, entry, title, [least, most]);
    }
    for (extra, [least, most], help) in EXTRAS {
        if !entry[extra].is_null() {
            let label = ui.label(extra).on_hover_text(help);
            if let Some(number) = real_ui(ui, &entry[extra], least..=most, label.id) {
                entry[extra] = number;
            }
        }
    }
    if let Some(mut most) = entry["most"].as_u64() {
        let label = ui.label("at most").on_hover_text(MOST);
        let range = if entry["labels"].is_null() {
            1..=8
        } else {
            1..=64
        };
        let drag = DragValue::new(&mut most).range(range);
        if ui.add(drag).labelled_by(label.id).changed() {
            entry["most"] = json!(most);
        }
    }
    if let Some(word) = entry["labels"].as_str() {
        let mut is_kept = word == "keep";
        let check = ui.checkbox(&mut is_kept, "labels stay");
        if check.on_hover_text(LABELS).changed() {
            entry["labels"] = json!(if is_kept { "keep" } else { "ignore" });
        }
    }
}

/// The least and the greatest number that is drawn, the smaller one first.
fn range_ui(ui: &mut Ui, entry: &mut Value, title: &str, [least, most]: [f64; 2]) {
    let ends = [0, 1].map(|place| entry["range"][place].as_f64().unwrap_or(least));
    let [mut low, mut high] = ends;
    let speed = (most - least) * 0.002;
    for (number, range, word) in [
        (&mut low, least..=ends[1], "least"),
        (&mut high, ends[0]..=most, "greatest"),
    ] {
        let drag = DragValue::new(number)
            .range(range)
            .speed(speed)
            .max_decimals(4);
        let drag = ui.add(drag);
        name(&drag, &format!("{title}, {word}"));
    }
    if [low, high] != ends {
        entry["range"] = json!([low, high]);
    }
}

/// What is said of a field of the table by its path within it.
#[cfg(test)]
pub fn help_of(path: &str) -> Option<&'static str> {
    let (name, field) = path.split_once('.').unwrap_or((path, ""));
    if name == "border" {
        return BORDERS.first().map(|(_, help)| *help);
    }
    let (_, _, help, _) = *VARIATIONS.iter().find(|(known, ..)| *known == name)?;
    match field {
        "probability" => Some(OFTEN),
        "range" => Some(help),
        "most" => Some(MOST),
        "labels" => Some(LABELS),
        extra => EXTRAS
            .into_iter()
            .find(|(known, ..)| *known == extra)
            .map(|(.., help)| help),
    }
}

fn name(response: &egui::Response, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_table_has_a_row() {
        let strong = json!(Augmentation::strong());
        let table = strong.as_object().expect("a table");
        let kinds = table.keys().filter(|key| *key != "border");
        for kind in kinds.clone() {
            assert!(VARIATIONS.iter().any(|(name, ..)| name == kind), "{kind}");
        }
        assert_eq!(kinds.count(), VARIATIONS.len());
    }
}
