use std::path::Path;

use egui::{RichText, TextEdit, Ui};

use crate::dataset::Corrections;

/// How images and masks are named.
pub fn suffixes_ui(ui: &mut Ui, folder: &Path, said: &mut Corrections) {
    let hint = ["_sat or img_*", "_mask or mask_*"];
    let titles = ["Images end with", "Masks end with"];
    suffix_ui(ui, (folder, titles[0]), hint[0], &mut said.image_suffix);
    suffix_ui(ui, (folder, titles[1]), hint[1], &mut said.mask_suffix);
}

fn suffix_ui(ui: &mut Ui, (folder, title): (&Path, &str), hint: &str, said: &mut Option<String>) {
    let label = ui.label(RichText::new(title).weak());
    let typed = egui::Id::unique(("suffix", folder, title));
    let draft = ui.data(|data| data.get_temp::<String>(typed));
    let is_begun = draft.is_some();
    let mut text = draft.or_else(|| said.clone()).unwrap_or_default();
    let field = TextEdit::singleline(&mut text).hint_text(hint);
    let field = ui.add(field.desired_width(190.0)).labelled_by(label.id);
    if field.changed() {
        ui.data_mut(|data| data.insert_temp(typed, text.clone()));
    }
    // Also where the page was left while somebody typed, which takes the focus unseen.
    let is_left = (is_begun || field.changed()) && !field.has_focus();
    field.on_hover_text(
        "What the names end with, before the ending of the file or with it, or what they are like, \
         with one * for what differs from sample to sample: img_*, or with folders */image.tif. Then \
         names alone tell images and masks apart, whatever their folders are called",
    );
    if is_left {
        ui.data_mut(|data| data.remove::<String>(typed));
        *said = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    if said.is_some() && ui.button("As recognized").clicked() {
        *said = None;
    }
    ui.end_row();
}
