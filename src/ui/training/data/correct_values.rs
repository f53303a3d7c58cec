use egui::{ComboBox, RichText, ScrollArea, Ui};

use crate::dataset::{Corrections, Discovery, OffPalette};
use crate::label::{Encoding, NEAR_CODE};

/// What can be said of colors and numbers that are exactly no class's.
const WAYS: [OffPalette; 4] = [
    OffPalette::Middle,
    OffPalette::Unlabeled,
    OffPalette::Nearest {
        max_distance: NEAR_CODE,
    },
    OffPalette::NEAREST,
];

fn words(way: OffPalette) -> String {
    match way {
        OffPalette::Middle => "split at 128 a channel".to_owned(),
        OffPalette::Unlabeled => "unlabeled".to_owned(),
        OffPalette::NEAREST => "the nearest class".to_owned(),
        OffPalette::Nearest { max_distance } => format!("the nearest class within {max_distance}"),
    }
}

/// What becomes of colors and numbers that are exactly no class's, where there can be such.
pub fn off_palette_ui(ui: &mut Ui, said: &mut Corrections, discovery: Option<&Discovery>) {
    let form = match (said.encoding, discovery) {
        (Encoding::Auto, Some(found)) => found.encoding.form,
        (stated, _) => stated,
    };
    let is_listed = discovery.is_some_and(|found| !found.are_classes_made);
    let can_be = form == Encoding::Rgb || (form == Encoding::Index && is_listed);
    if !can_be && said.off_palette.is_none() {
        return;
    }
    let label = ui.label(RichText::new("Other colors are").weak());
    let shown = match (said.off_palette, discovery) {
        (Some(way), _) => words(way),
        (None, Some(found)) => format!("{} (recognized)", words(found.encoding.off_palette)),
        (None, None) => "as recognized".to_owned(),
    };
    let choice = ComboBox::from_id_salt("off palette").width(190.0);
    let choice = choice.selected_text(shown).show_ui(ui, |ui| {
        ui.selectable_value(&mut said.off_palette, None, "as recognized");
        for way in WAYS {
            ui.selectable_value(&mut said.off_palette, Some(way), words(way));
        }
    });
    choice.response.labelled_by(label.id).on_hover_text(
        "Colors and numbers of masks that are exactly no class's. Split at 128, each channel counts \
         as 0 or 255 where the colors of all classes are such; else they are unlabeled, and numbers \
         stay what they are",
    );
    ui.end_row();
}

/// Which classes count as unlabeled.
pub fn ignored_ui(ui: &mut Ui, said: &mut Corrections, discovery: Option<&Discovery>) {
    let table = discovery.and_then(Discovery::all_classes);
    let table = table.unwrap_or_default();
    if table.is_empty() && said.ignored.is_none() {
        return;
    }
    let label = ui.label(RichText::new("Unlabeled classes").weak());
    let recognized = discovery.map(|found| found.ignored.iter().map(|class| class.index));
    let recognized: Vec<u8> = recognized.into_iter().flatten().collect();
    let mut ignored = said.ignored.clone().unwrap_or(recognized);
    let names: Vec<String> = ignored.iter().map(|&index| table.name_of(index)).collect();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let shown = match said.ignored {
        Some(_) => names,
        None => format!("{names} (recognized)"),
    };
    let menu = ui.menu_button(shown, |ui| {
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for class in table.classes() {
                let mut is_ignored = ignored.contains(&class.index);
                let words = format!("{} {}", class.index, class.name);
                if ui.checkbox(&mut is_ignored, words).changed() {
                    ignored.retain(|&index| index != class.index);
                    ignored.extend(is_ignored.then_some(class.index));
                    ignored.sort_unstable();
                    said.ignored = Some(ignored.clone());
                }
            }
        });
    });
    menu.response.labelled_by(label.id).on_hover_text(
        "Ground of these classes is neither learned from nor judged, for example 0 where it means \
         that nobody labeled it",
    );
    if said.ignored.is_some() && ui.button("As recognized").clicked() {
        said.ignored = None;
    }
    ui.end_row();
}
