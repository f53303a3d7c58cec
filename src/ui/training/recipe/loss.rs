use egui::{Button, ComboBox, RichText, Ui};
use egui_material_icons::icons;
use serde_json::{Value, json};

use super::row::real_ui;
use super::tree::Tree;
use crate::ui::panels::tools::name_button;

/// A kind of term: as in the file, as people read it, what it is, and its own number.
struct TermKind {
    word: &'static str,
    name: &'static str,
    help: &'static str,
    own: Option<(&'static str, &'static str, f64)>,
}

const KINDS: [TermKind; 6] = [
    TermKind {
        word: "cross_entropy",
        name: "Cross-entropy",
        help: "-ln p of the true class, a mean over pixels; class weights act on it",
        own: Some(("smoothing", "smoothing", 0.99)),
    },
    TermKind {
        word: "binary_cross_entropy",
        name: "Binary cross-entropy",
        help: "The same, held to two classes",
        own: Some(("smoothing", "smoothing", 0.99)),
    },
    TermKind {
        word: "focal",
        name: "Focal",
        help: "Cross-entropy that forgets what is easy; class weights act on it",
        own: Some(("gamma", "gamma", 10.0)),
    },
    TermKind {
        word: "dice",
        name: "Dice",
        help: "1 - the mean Dice coefficient of the classes; rare classes count as much as common ones",
        own: Some(("smooth", "smooth, px", 1e6)),
    },
    TermKind {
        word: "jaccard",
        name: "Jaccard",
        help: "1 - the mean soft IoU of the classes",
        own: Some(("smooth", "smooth, px", 1e6)),
    },
    TermKind {
        word: "lovasz",
        name: "Lovász",
        help: "A convex stand-in for the IoU itself",
        own: None,
    },
];

const WEIGHTINGS: [(&str, &str, &str); 4] = [
    ("none", "None", "Every pixel counts the same"),
    (
        "sqrt_inverse",
        "Root of inverse frequency",
        "Rare classes count more, mildly",
    ),
    (
        "inverse",
        "Inverse frequency",
        "All classes count the same together",
    ),
    (
        "median_frequency",
        "Median frequency",
        "The median of the frequencies over the class's own",
    ),
];

/// The terms of the loss and how classes are weighed.
pub fn loss_ui(ui: &mut Ui, tree: &mut Tree, base: &Tree) {
    let mut terms = tree.get("loss").as_array().cloned().unwrap_or_default();
    let mut removed = None;
    for (place, term) in terms.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            term_ui(ui, place, term);
            let icon = RichText::new(icons::ICON_CLOSE.codepoint).size(14.0);
            let remove = ui.add(Button::new(icon).frame(false));
            name_button(&remove, &format!("Remove term {}", place + 1), false);
            if remove.on_hover_text("Takes the term away").clicked() {
                removed = Some(place);
            }
        });
    }
    if let Some(place) = removed.filter(|_| terms.len() > 1) {
        terms.remove(place);
    }
    ui.horizontal(|ui| {
        if ui
            .button("Add term")
            .on_hover_text("The loss is the weighted sum of its terms")
            .clicked()
        {
            terms.push(json!({ "kind": "dice", "weight": 1.0 }));
        }
        let is_changed = tree.differs(base, "loss");
        if ui
            .add_enabled(is_changed, Button::new("Reset the loss"))
            .clicked()
        {
            terms = base.get("loss").as_array().cloned().unwrap_or_default();
        }
    });
    tree.set("loss", Value::Array(terms));
    weighting_ui(ui, tree);
}

fn term_ui(ui: &mut Ui, place: usize, term: &mut Value) {
    let word = term["kind"].as_str().unwrap_or_default().to_owned();
    let kind = KINDS.iter().find(|kind| kind.word == word);
    let title = format!("Term {}", place + 1);
    let label = ui.label(&title);
    let mut chosen = None;
    let combo = ComboBox::from_id_salt(("term", place))
        .selected_text(kind.map_or(word.as_str(), |kind| kind.name))
        .width(160.0)
        .show_ui(ui, |ui| {
            for kind in &KINDS {
                let row = ui.selectable_label(kind.word == word, kind.name);
                if row.on_hover_text(kind.help).clicked() {
                    chosen = Some(kind.word);
                }
            }
        });
    combo
        .response
        .labelled_by(label.id)
        .on_hover_text(kind.map_or("", |kind| kind.help));
    if let Some(chosen) = chosen {
        *term = json!({ "kind": chosen, "weight": term["weight"] });
    }
    let label = ui.label("weight");
    if let Some(weight) = real_ui(ui, &term["weight"], 0.0..=1e6, label.id) {
        term["weight"] = weight;
    }
    if let Some((field, name, most)) = kind.and_then(|kind| kind.own)
        && !term[field].is_null()
    {
        let label = ui.label(name);
        if let Some(number) = real_ui(ui, &term[field], 0.0..=most, label.id) {
            term[field] = number;
        }
    }
}

fn weighting_ui(ui: &mut Ui, tree: &mut Tree) {
    let value = tree.get("class_weighting").clone();
    let word = value.as_str().unwrap_or("by_hand").to_owned();
    ui.horizontal(|ui| {
        let label = ui.label("Class weights");
        let shown = WEIGHTINGS.iter().find(|(known, ..)| *known == word);
        let combo = ComboBox::from_id_salt("class weights")
            .selected_text(shown.map_or("By hand", |(_, name, _)| name))
            .width(190.0)
            .show_ui(ui, |ui| {
                for (known, name, help) in WEIGHTINGS {
                    let row = ui.selectable_label(known == word, name);
                    if row.on_hover_text(help).clicked() {
                        tree.set("class_weighting", json!(known));
                    }
                }
                let row = ui.selectable_label(word == "by_hand", "By hand");
                if row
                    .on_hover_text("A number for each class from 0 on")
                    .clicked()
                {
                    tree.set("class_weighting", json!({ "by_hand": [1.0, 1.0] }));
                }
            });
        combo.response.labelled_by(label.id);
    });
    if let Some(weights) = value["by_hand"].as_array() {
        by_hand_ui(ui, weights, tree);
    }
}

fn by_hand_ui(ui: &mut Ui, weights: &[Value], tree: &mut Tree) {
    let mut new = weights.to_vec();
    ui.horizontal_wrapped(|ui| {
        for (class, weight) in new.iter_mut().enumerate() {
            let label = ui.label(format!("class {class}"));
            if let Some(number) = real_ui(ui, weight, 0.0..=1e6, label.id) {
                *weight = number;
            }
        }
        if ui.button("One more").clicked() {
            new.push(json!(1.0));
        }
        if ui
            .add_enabled(new.len() > 1, Button::new("One less"))
            .clicked()
        {
            new.pop();
        }
    });
    if new != weights {
        tree.set("class_weighting", json!({ "by_hand": new }));
    }
}
