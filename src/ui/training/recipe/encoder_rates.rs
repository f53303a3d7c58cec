use egui::{CollapsingHeader, DragValue, Ui};
use serde_json::json;

use super::row::title_ui;
use super::tree::Tree;
use crate::train::{EncoderKind, RateGroup, UpdateConfig};

const GROUPS: &str = "updates.groups";
/// The paths of all weights of an encoder begin so.
const ENCODER: &str = "encoder";
/// What is said of the rate of the whole encoder.
pub const ENCODER_HELP: &str = "A pretrained encoder wants less than the rest, often a tenth";
/// Pixels of an image for a pixel of each stage's map, along a side.
const STRIDES: [u32; 5] = [2, 4, 8, 16, 32];

/// How fast the encoder and each of its stages learn beside the rest.
pub fn encoder_rates_ui(ui: &mut Ui, tree: &mut Tree) {
    let value = tree.get(GROUPS).clone();
    let before: Vec<RateGroup> = serde_json::from_value(value).unwrap_or_default();
    let mut groups = before.clone();
    let whole = factor_of(&groups, &[ENCODER]).unwrap_or(1.0);
    if let Some(factor) = factor_ui(ui, ["Encoder learns at", ENCODER_HELP], whole) {
        set_factor(&mut groups, &[ENCODER], (factor != 1.0).then_some(factor));
    }
    let stages = stages_of(tree);
    if let Some(stages) = stages {
        CollapsingHeader::new("Rates of its stages").show(ui, |ui| {
            for (place, prefixes) in stages.into_iter().enumerate() {
                stage_ui(ui, &mut groups, (place, prefixes), whole);
            }
        });
    }
    others_ui(ui, &mut groups, stages);
    if groups != before {
        tree.set(GROUPS, json!(groups));
    }
}

/// How the paths of the encoder's stages begin, in a network that has any.
fn stages_of(tree: &Tree) -> Option<[&'static [&'static str]; 5]> {
    let value = tree.get("model.encoder").clone();
    let encoder: EncoderKind = serde_json::from_value(value).ok()?;
    let is_plain = encoder == EncoderKind::Plain && tree.get("model.family") == "unet";
    (!is_plain).then(|| encoder.stages())
}

/// What is said of a stage, from 0.
pub fn stage_help(place: usize) -> String {
    let stride = STRIDES[place.min(STRIDES.len() - 1)];
    format!(
        "The weights behind the map with a pixel for each {stride} × {stride} of the image; as the \
         encoder unless it is changed here"
    )
}

/// The rate of a stage, and a way back to that of the encoder.
fn stage_ui(
    ui: &mut Ui,
    groups: &mut Vec<RateGroup>,
    (place, prefixes): (usize, &[&str]),
    whole: f64,
) {
    let own = factor_of(groups, prefixes);
    let title = format!("Stage {}", place + 1);
    let help = stage_help(place);
    ui.horizontal(|ui| {
        let changed = factor_ui(ui, [&title, &help], own.unwrap_or(whole));
        if let Some(factor) = changed {
            set_factor(groups, prefixes, Some(factor));
        }
        if own.is_some() && ui.small_button("As the encoder").clicked() {
            set_factor(groups, prefixes, None);
        }
    });
}

/// A share of the rate in percent; the factor that it was changed to.
fn factor_ui(ui: &mut Ui, [title, help]: [&str; 2], factor: f64) -> Option<f64> {
    let (least, most) = UpdateConfig::FACTOR;
    let mut percent = factor * 100.0;
    let drag = DragValue::new(&mut percent)
        .range(least * 100.0..=most * 100.0)
        .max_decimals(3)
        .suffix(" % of the rate");
    let changed = ui.horizontal(|ui| {
        let label = title_ui(ui, title).on_hover_text(help);
        let drag = ui.add(drag).labelled_by(label.id);
        drag.on_hover_text(help).changed()
    });
    changed.inner.then_some(percent / 100.0)
}

/// Groups of other weights, which are edited in the file, and a way to be rid of them.
fn others_ui(
    ui: &mut Ui,
    groups: &mut Vec<RateGroup>,
    stages: Option<[&'static [&'static str]; 5]>,
) {
    let stages = stages.unwrap_or_default();
    let is_shown = |group: &RateGroup| {
        let prefix = group.prefix.as_str();
        prefix == ENCODER || stages.iter().any(|stage| stage.contains(&prefix))
    };
    let others = groups.iter().filter(|group| !is_shown(group));
    let names: Vec<&str> = others.map(|group| group.prefix.as_str()).collect();
    if names.is_empty() {
        return;
    }
    let words = format!(
        "Other weights with rates of their own: {}",
        names.join(", ")
    );
    let is_removed = ui.horizontal(|ui| {
        ui.weak(words);
        let remove = ui.small_button("Remove");
        remove
            .on_hover_text("They learn as the rest does")
            .clicked()
    });
    if is_removed.inner {
        groups.retain(is_shown);
    }
}

/// What is said of the weights whose paths begin so.
fn factor_of(groups: &[RateGroup], prefixes: &[&str]) -> Option<f64> {
    let mut groups = groups.iter();
    let found = groups.find(|group| prefixes.contains(&group.prefix.as_str()));
    found.map(|group| group.factor)
}

/// Says it, or nothing.
fn set_factor(groups: &mut Vec<RateGroup>, prefixes: &[&str], factor: Option<f64>) {
    groups.retain(|group| !prefixes.contains(&group.prefix.as_str()));
    let new = prefixes.iter().filter_map(|prefix| {
        Some(RateGroup {
            prefix: (*prefix).to_owned(),
            factor: factor?,
        })
    });
    groups.extend(new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Preset, Recipe};

    #[test]
    fn stages_have_rates_of_their_own_beside_that_of_the_encoder() {
        let mut tree = Tree::of(&Preset::Balanced.recipe());
        let stages = stages_of(&tree).expect("an encoder");
        let mut groups = tree.recipe().expect("a recipe").updates.groups;
        assert_eq!(factor_of(&groups, &[ENCODER]), Some(0.1));
        assert_eq!(factor_of(&groups, stages[0]), None);
        set_factor(&mut groups, stages[0], Some(0.0));
        set_factor(&mut groups, stages[4], Some(0.5));
        tree.set(GROUPS, json!(groups));
        let updates = tree.recipe().expect("a recipe").updates;
        let paths = [0, 1, 4].map(|stage| format!("encoder.network.stages.{stage}.weight"));
        let factors = paths.map(|path| updates.factor(&path));
        assert_eq!(factors, [0.0, 0.1, 0.5]);
        set_factor(&mut groups, stages[0], None);
        assert_eq!(groups.len(), 2);
    }

    #[test]
    fn the_plain_u_net_has_no_stages() {
        let mut tree = Tree::of(&Recipe::default());
        assert_eq!(stages_of(&tree), None);
        tree.set("model.family", json!("fpn"));
        assert!(stages_of(&tree).is_some());
    }
}
