use egui::{Button, ComboBox, RichText, Ui};
use egui_material_icons::icons;
use serde_json::{Value, json};

use super::row::named_real_ui;
use super::tree::Tree;
use crate::label::ClassTable;
use crate::train::LossTerm;
use crate::ui::panels::tools::name_button;

/// A kind of term: as in the file, as people read it, what it is, and its own number.
struct TermKind {
    word: &'static str,
    name: &'static str,
    help: &'static str,
    own: Option<TermNumber>,
}

/// A number of a term: as in the file, as people read it, what it does, and what it may be.
struct TermNumber {
    field: &'static str,
    name: &'static str,
    help: &'static str,
    range: (f64, f64),
}

const WEIGHT: TermNumber = TermNumber {
    field: "weight",
    name: "weight",
    help: "How much the term counts in the sum",
    range: LossTerm::WEIGHT,
};

const SMOOTHING: TermNumber = TermNumber {
    field: "smoothing",
    name: "smoothing",
    help: "How much of a label is spread over all classes: 0 trusts labels wholly, 0.1 is usual where they err",
    range: LossTerm::SMOOTHING,
};

const GAMMA: TermNumber = TermNumber {
    field: "gamma",
    name: "gamma",
    help: "How much what is easy is forgotten, the power of 1 - p: 0 is the cross-entropy, 2 is usual",
    range: LossTerm::GAMMA,
};

const SMOOTH: TermNumber = TermNumber {
    field: "smooth",
    name: "smooth, px",
    help: "Pixels added above and below the fraction, which steadies classes that a batch hardly shows",
    range: LossTerm::SMOOTH,
};

const KINDS: [TermKind; 6] = [
    TermKind {
        word: "cross_entropy",
        name: "Cross-entropy",
        help: "-ln p of the true class, a mean over pixels; class weights act on it",
        own: Some(SMOOTHING),
    },
    TermKind {
        word: "binary_cross_entropy",
        name: "Binary cross-entropy",
        help: "The same, held to two classes",
        own: Some(SMOOTHING),
    },
    TermKind {
        word: "focal",
        name: "Focal",
        help: "Cross-entropy that forgets what is easy; class weights act on it",
        own: Some(GAMMA),
    },
    TermKind {
        word: "dice",
        name: "Dice",
        help: "1 - the mean Dice coefficient of the classes; rare classes count as much as common ones",
        own: Some(SMOOTH),
    },
    TermKind {
        word: "jaccard",
        name: "Jaccard",
        help: "1 - the mean soft IoU of the classes",
        own: Some(SMOOTH),
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

/// What is said of weights by hand.
const BY_HAND: &str = "How much a pixel of the class counts: a number for each class from 0 on";

/// The terms of the loss and how classes are weighed.
pub fn loss_ui(ui: &mut Ui, tree: &mut Tree, base: &Tree, classes: Option<&ClassTable>) {
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
    weighting_ui(ui, tree, classes.filter(|classes| !classes.is_empty()));
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
    let numbers = [Some(&WEIGHT), kind.and_then(|kind| kind.own.as_ref())];
    for number in numbers.into_iter().flatten() {
        let words = [number.name, number.help];
        if !term[number.field].is_null()
            && let Some(new) = named_real_ui(ui, words, &term[number.field], number.range)
        {
            term[number.field] = new;
        }
    }
}

fn weighting_ui(ui: &mut Ui, tree: &mut Tree, classes: Option<&ClassTable>) {
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
                if row.on_hover_text(BY_HAND).clicked() {
                    let count = classes.map_or(2, ClassTable::num_classes);
                    tree.set("class_weighting", json!({ "by_hand": vec![1.0; count] }));
                }
            });
        combo.response.labelled_by(label.id);
    });
    if let Some(weights) = value["by_hand"].as_array() {
        by_hand_ui(ui, weights, tree, classes);
    }
}

fn by_hand_ui(ui: &mut Ui, weights: &[Value], tree: &mut Tree, classes: Option<&ClassTable>) {
    let mut new = weights.to_vec();
    ui.horizontal_wrapped(|ui| {
        for (class, weight) in new.iter_mut().enumerate() {
            let name = name_of(class, classes);
            if let Some(number) = named_real_ui(ui, [&name, BY_HAND], weight, (0.0, 1e6)) {
                *weight = number;
            }
        }
        match classes.map(ClassTable::num_classes) {
            Some(count) if count == new.len() => {}
            Some(count) => {
                let words = format!("One for each of {count} classes");
                if ui.button(words).clicked() {
                    new.resize(count, json!(1.0));
                }
            }
            None => length_ui(ui, &mut new),
        }
    });
    if new != weights {
        tree.set("class_weighting", json!({ "by_hand": new }));
    }
}

/// How many there are, where nobody knows the classes.
fn length_ui(ui: &mut Ui, weights: &mut Vec<Value>) {
    if ui.button("One more").clicked() {
        weights.push(json!(1.0));
    }
    let less = Button::new("One less");
    if ui.add_enabled(weights.len() > 1, less).clicked() {
        weights.pop();
    }
}

fn name_of(class: usize, classes: Option<&ClassTable>) -> String {
    let known = classes.zip(u8::try_from(class).ok());
    known.map_or_else(
        || format!("class {class}"),
        |(classes, class)| classes.name_of(class),
    )
}

/// What is said of a field of a term by its kind, or of its kind.
#[cfg(test)]
pub fn help_of(kind: &str, field: &str) -> Option<&'static str> {
    let kind = KINDS.iter().find(|known| known.word == kind)?;
    if field == "kind" {
        return Some(kind.help);
    }
    let mut numbers = [Some(&WEIGHT), kind.own.as_ref()].into_iter().flatten();
    let number = numbers.find(|number| number.field == field)?;
    Some(number.help)
}

/// What is said of a way to weigh classes.
#[cfg(test)]
pub fn weighting_help(word: &str) -> Option<&'static str> {
    let known = WEIGHTINGS.iter().find(|(known, ..)| *known == word);
    let by_hand = (word == "by_hand").then_some(BY_HAND);
    known.map(|(_, _, help)| *help).or(by_hand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_hand_have_the_names_of_the_classes() {
        let classes = ClassTable::road();
        assert_eq!(name_of(1, Some(&classes)), "road");
        assert_eq!(name_of(1, None), "class 1");
        assert_eq!(name_of(300, Some(&classes)), "class 300");
    }
}
