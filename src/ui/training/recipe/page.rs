use std::sync::Arc;

use egui::{CollapsingHeader, RichText, TextEdit, Ui};

use super::augment::augment_ui;
use super::best_class::{best_class_ui, classes_of};
use super::encoder_rates::encoder_rates_ui;
use super::fields::{SECTIONS, STOPPING, Section};
use super::ground_fields::GROUND;
use super::keep::keep_ui;
use super::learner_fields::OPTIMIZER;
use super::loss::loss_ui;
use super::more;
use super::parts::{self, parts_ui};
use super::preview::{PatchPreview, preview_ui};
use super::rate::rate_ui;
use super::row::field_ui;
use super::tree::Tree;
use crate::geom::ImagePoint;
use crate::session::Session;
use crate::ui::dialogs::FileWish;
use crate::ui::panels::recipe::{TrainForm, device_ui, memory_ui, network_ui, source_ui};
use crate::ui::theme;
use crate::ui::view::{CommandQueue, View};

/// Beyond this width the varied patches stand beside the fields, and stay in sight there.
const BESIDE: f32 = 980.0;
const PATCHES: f32 = 360.0;
/// So high they are with what is said above them.
const PATCHES_HEIGHT: f32 = PATCHES + 80.0;

/// The section that a search for a rate belongs to.
const RATES: &str = "Learning rate";

/// What augmentation is found by.
const VARIED: &str = "augmentation augment turns flips rotation scale shift shear elastic borders \
                      brightness contrast hue saturation gamma shadows blur noise jpeg cutout";

/// All choices of the next training.
pub fn recipe_page_ui(
    ui: &mut Ui,
    session: &Session,
    preview: &mut PatchPreview,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    take_read(session, &mut view.form);
    head_ui(ui, session, view);
    let center = view.camera.map(|camera| camera.center);
    let is_beside = ui.available_width() > BESIDE;
    if is_beside {
        ui.horizontal_top(|ui| {
            let width = ui.available_width() - PATCHES - 16.0;
            ui.vertical(|ui| {
                ui.set_width(width);
                form_ui(ui, session, &mut view.form, None, commands);
            });
            let hidden = ui.clip_rect().top() - ui.min_rect().top();
            let room = ui.min_rect().height() - PATCHES_HEIGHT;
            ui.vertical(|ui| {
                ui.set_width(PATCHES);
                ui.add_space(hidden.min(room).max(0.0));
                preview_ui(ui, session, preview, (&view.form, center), commands);
            });
        });
    } else {
        let preview = Some((preview, center));
        form_ui(ui, session, &mut view.form, preview, commands);
    }
    if let Some(wish) = view.form.wish.take() {
        view.wish(wish);
    }
    ui.add_space(4.0 * theme::GRID);
}

/// Takes a recipe over that was read from a file, once.
fn take_read(session: &Session, form: &mut TrainForm) {
    let Some(read) = session.read_recipe() else {
        return;
    };
    if !form
        .taken
        .as_ref()
        .is_some_and(|taken| Arc::ptr_eq(taken, read))
    {
        form.recipe = (**read).clone();
        form.base = (**read).clone();
        form.taken = Some(Arc::clone(read));
    }
}

fn head_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    source_ui(ui, session, &mut view.form);
    ui.horizontal_wrapped(|ui| {
        network_ui(ui, &mut view.form);
        device_ui(ui, &mut view.form);
    });
    memory_ui(ui, &mut view.form);
    ui.horizontal_wrapped(|ui| {
        let search = TextEdit::singleline(&mut view.form.searched)
            .hint_text("Find a field")
            .desired_width(200.0);
        let search = ui.add(search);
        search
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Find a field"));
        if ui
            .button("Load…")
            .on_hover_text("A recipe file (.toml)")
            .clicked()
        {
            view.wish(FileWish::OpenRecipe);
        }
        if ui
            .button("Save…")
            .on_hover_text("A recipe file (.toml)")
            .clicked()
        {
            view.wish(FileWish::SaveRecipe);
        }
        let is_changed = view.form.recipe != view.form.base;
        let reset = ui.add_enabled(is_changed, egui::Button::new("Reset all"));
        if reset
            .on_hover_text("Back to the preset, or to the file")
            .clicked()
        {
            view.form.recipe = view.form.base.clone();
        }
    });
    ui.add_space(theme::GRID);
}

/// The varied patches, and the middle of the view.
type Preview<'a> = (&'a mut PatchPreview, Option<ImagePoint>);

/// All fields; what is varied stands by augmentation where that is open, else below.
fn form_ui(
    ui: &mut Ui,
    session: &Session,
    form: &mut TrainForm,
    mut preview: Option<Preview<'_>>,
    commands: &mut CommandQueue,
) {
    let (mut tree, base) = (Tree::of(&form.recipe), Tree::of(&form.base));
    let before = tree.clone();
    let searched = form.searched.clone();
    for section in SECTIONS {
        section_ui(ui, section, (&mut tree, &base), &searched, |ui, tree| {
            if section.title == RATES {
                rate_ui(ui, session, form, tree, commands);
            } else if section.title == GROUND.title {
                keep_ui(ui, tree, &mut form.draft);
            } else if section.title == OPTIMIZER.title {
                encoder_rates_ui(ui, tree);
            } else if section.title == STOPPING {
                best_class_ui(ui, tree, classes_of(session, form));
            }
        });
    }
    let said = |words: &str| searched.is_empty() || super::field::is_found(&searched, &[words]);
    let words = "loss terms cross-entropy focal dice jaccard lovasz gamma smoothing class weights weighting";
    if said(words) {
        group_ui(ui, "Loss", tree.differs(&base, "loss"), &searched, |ui| {
            loss_ui(ui, &mut tree, &base, classes_of(session, form));
        });
    }
    let words = "held-out ground parts split validation test folds blocks group list shares";
    if said(words) || parts::is_said(&searched) {
        let is_changed = tree.differs(&base, "parts");
        group_ui(ui, "Held-out ground", is_changed, &searched, |ui| {
            searched_within(&searched, "Held-out ground").clone_into(&mut form.searched);
            parts_ui(ui, session, form, (&mut tree, &base), commands);
            form.searched.clone_from(&searched);
        });
    }
    if said(VARIED) {
        let is_changed = tree.differs(&base, "augment");
        group_ui(ui, "Augmentation", is_changed, &searched, |ui| {
            if let Some((preview, center)) = preview.take() {
                preview_ui(ui, session, preview, (form, center), commands);
            }
            augment_ui(ui, &mut tree, searched_within(&searched, "Augmentation"));
        });
    }
    let others = more::other_paths(&tree, &searched);
    if !others.is_empty() {
        group_ui(ui, "More", false, &searched, |ui| {
            more::more_ui(ui, &mut tree, &mut form.draft, &others);
        });
    }
    if let Some((preview, center)) = preview {
        preview_ui(ui, session, preview, (form, center), commands);
    }
    take_changes(form, &before, &tree);
}

fn take_changes(form: &mut TrainForm, before: &Tree, tree: &Tree) {
    if tree == before {
        return;
    }
    match tree.recipe() {
        Ok(recipe) => {
            form.recipe = recipe;
            form.refused = None;
        }
        Err(why) => form.refused = Some(why),
    }
}

fn section_ui(
    ui: &mut Ui,
    section: &Section,
    (tree, base): (&mut Tree, &Tree),
    searched: &str,
    below: impl FnOnce(&mut Ui, &mut Tree),
) {
    let within = searched_within(searched, section.title);
    let fields = section.fields.iter();
    let fields: Vec<_> = fields
        .filter(|field| field.exists(tree) && field.matches(within))
        .collect();
    if fields.is_empty() {
        return;
    }
    let is_changed = section
        .fields
        .iter()
        .any(|field| tree.differs(base, field.path));
    group_ui(ui, section.title, is_changed, searched, |ui| {
        for field in fields {
            field_ui(ui, field, tree, base);
        }
        below(ui, tree);
    });
}

/// What the fields below a title are filtered by: nothing when the title is what was searched.
fn searched_within<'a>(searched: &'a str, title: &str) -> &'a str {
    if super::field::is_found(searched, &[title]) {
        ""
    } else {
        searched
    }
}

/// A heading that folds; with a mark where something differs, and open while one searches.
fn group_ui(
    ui: &mut Ui,
    title: &str,
    is_changed: bool,
    searched: &str,
    inside: impl FnOnce(&mut Ui),
) {
    let mark = if is_changed { "  • changed" } else { "" };
    let words = RichText::new(format!("{title}{mark}")).strong();
    CollapsingHeader::new(words)
        .id_salt(title)
        .default_open(title == SECTIONS[0].title || title == RATES)
        .open((!searched.is_empty()).then_some(true))
        .show(ui, inside);
}
