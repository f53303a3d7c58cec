use egui::{RichText, ThemePreference, Ui};

use super::canvas::PaneLayout;
use super::coordinates::coordinates_menu;
use super::dialogs::FileWish;
use super::keys::Action;
use super::panels::improve::can_improve;
use super::perform::perform;
use super::predicting::{can_predict, predict_menu, runs_menu};
use super::safety::safety_ui;
use super::view::{CommandQueue, View};
use crate::session::{Command, LayerKind, Over, PlaceCommand, Predicting, Session};
use crate::train::{Certainty, Flips};

/// The menu bar, and at its right end: is my work safe, which device draws.
pub fn menu_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    egui::MenuBar::new().ui(ui, |ui| {
        ui.menu_button("File", |ui| file_menu(ui, session, view, commands));
        ui.menu_button("Edit", |ui| {
            action(
                ui,
                Action::Undo,
                session.can_undo(),
                session,
                view,
                commands,
            );
            action(
                ui,
                Action::Redo,
                session.can_redo(),
                session,
                view,
                commands,
            );
        });
        ui.menu_button("View", |ui| view_menu(ui, session, view, commands));
        ui.menu_button("Label", |ui| label_menu(ui, session, view, commands));
        ui.menu_button("Go", |ui| go_menu(ui, session, view, commands));
        ui.menu_button("Train", |ui| train_menu(ui, session, view, commands));
        ui.menu_button("Help", |ui| {
            action(ui, Action::CommandPalette, true, session, view, commands);
            action(ui, Action::KeySheet, true, session, view, commands);
            ui.label(format!("Orthobrush {}", env!("CARGO_PKG_VERSION")));
        });
        place_ui(ui, view);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            right_side(ui, session, view);
        });
    });
}

fn file_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let has_image = session.image().is_some();
    action(ui, Action::Open, true, session, view, commands);
    wish(ui, "Open folder…", true, FileWish::OpenFolder, view);
    action(ui, Action::OpenDataset, true, session, view, commands);
    if ui.button("Open sample project").clicked() {
        commands.push(Command::OpenSample {
            folder: view.config.sample_folder.clone(),
        });
    }
    ui.menu_button("Open recent", |ui| recent_ui(ui, session, commands));
    ui.separator();
    wish(
        ui,
        "Open label…",
        has_image,
        FileWish::OpenMask(LayerKind::Label),
        view,
    );
    wish(
        ui,
        "Open prediction…",
        has_image,
        FileWish::OpenMask(LayerKind::Prediction),
        view,
    );
    ui.separator();
    let has_label = session.layer(LayerKind::Label).is_some();
    action(ui, Action::Save, has_label, session, view, commands);
    action(ui, Action::SaveAs, has_label, session, view, commands);
    let has_list = session.list().is_some();
    action(ui, Action::SaveAllLabels, has_list, session, view, commands);
    leaving_ui(ui, has_label, view);
    let has_prediction = session.layer(LayerKind::Prediction).is_some();
    wish(
        ui,
        "Save prediction as…",
        has_prediction,
        FileWish::SaveAs(LayerKind::Prediction),
        view,
    );
    image_files_ui(ui, has_image, view);
    ui.separator();
    wish(ui, "Find missing images…", has_list, FileWish::Relink, view);
    if ui.button("Quit").clicked() {
        ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
    }
}

/// Files that are made of images.
fn image_files_ui(ui: &mut Ui, has_image: bool, view: &mut View) {
    let name = "Save image with overviews…";
    wish(ui, name, has_image, FileWish::ExportImage, view);
    ui.menu_button("Join images", |ui| {
        let name = "Adjoining images of a folder…";
        wish(ui, name, true, FileWish::JoinFolder, view);
        let name = "Bands of the same ground…";
        wish(ui, name, has_image, FileWish::AddBands, view);
    });
}

/// Ways out of the program for the label and the project.
fn leaving_ui(ui: &mut Ui, has_label: bool, view: &mut View) {
    let export = egui::Button::new("Export label…");
    if ui.add_enabled(has_label, export).clicked() {
        view.export.is_open = true;
    }
    ui.menu_button("Project", |ui| {
        for (name, asked) in [
            ("Export the history…", FileWish::ExportHistory),
            ("Compare with another project…", FileWish::OpenTheirs),
            ("Pack into a folder…", FileWish::Pack),
        ] {
            wish(ui, name, has_label, asked, view);
        }
    });
}

fn recent_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let mut recent = session.settings().recent_there().peekable();
    if recent.peek().is_none() {
        ui.label("Nothing yet");
    }
    for path in recent {
        if ui.button(path.display().to_string()).clicked() {
            commands.push(Command::Open { path: path.clone() });
        }
    }
}

fn view_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let has_image = session.image().is_some();
    for shown in [
        Action::FitImage,
        Action::ActualPixels,
        Action::ZoomIn,
        Action::ZoomOut,
    ] {
        action(ui, shown, has_image, session, view, commands);
    }
    ui.separator();
    for layout in PaneLayout::ALL {
        ui.radio_value(&mut view.layout, layout, layout.name());
    }
    ui.separator();
    let has_prediction = session.layer(LayerKind::Prediction).is_some();
    for shown in [Action::ShowErrors, Action::Curtain] {
        action(ui, shown, has_prediction, session, view, commands);
    }
    ui.separator();
    action(ui, Action::ShowCoverage, has_image, session, view, commands);
    let has_label = session.layer(LayerKind::Label).is_some();
    action(ui, Action::ShowOrigins, has_label, session, view, commands);
    action(ui, Action::OutlineMode, has_label, session, view, commands);
    action(
        ui,
        Action::ShowNavigator,
        has_image,
        session,
        view,
        commands,
    );
    action(ui, Action::ShowLook, has_image, session, view, commands);
    ui.checkbox(&mut view.shows_held_out, "Show held-out ground");
    ui.menu_button("Coordinates", |ui| {
        coordinates_menu(ui, session, commands);
    });
    action(ui, Action::TogglePanels, true, session, view, commands);
    ui.separator();
    theme_ui(ui);
}

/// Dark, light, or as the system has it; in words, since no font here has egui's signs.
fn theme_ui(ui: &mut Ui) {
    let chosen = ui.ctx().options(|options| options.theme_preference);
    for (theme, name) in [
        (ThemePreference::System, "Colors of the system"),
        (ThemePreference::Dark, "Dark"),
        (ThemePreference::Light, "Light"),
    ] {
        if ui.radio(chosen == theme, name).clicked() {
            ui.ctx().set_theme(theme);
        }
    }
}

fn label_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let has_image = session.image().is_some();
    let tools = [
        Action::Brush,
        Action::Eraser,
        Action::Superpixel,
        Action::Fill,
        Action::Polygon,
        Action::Lasso,
        Action::Rectangle,
        Action::Wand,
        Action::Object,
        Action::Line,
        Action::Ruler,
        Action::Picker,
        Action::Pan,
    ];
    for tool in tools {
        action(ui, tool, has_image, session, view, commands);
    }
    ui.separator();
    let [has_label, has_prediction] =
        [LayerKind::Label, LayerKind::Prediction].map(|kind| session.layer(kind).is_some());
    for (wish, is_possible) in [
        (Action::CleanUp, has_label),
        (Action::InstantAnswers, has_image),
        (Action::PaintPrediction, has_prediction),
    ] {
        action(ui, wish, is_possible, session, view, commands);
    }
    accept_ui(ui, has_prediction, commands);
    let has_both = has_label && has_prediction;
    action(
        ui,
        Action::NextDifference,
        has_both,
        session,
        view,
        commands,
    );
    let is_reviewing = session.review().is_some();
    for decision in [
        Action::PreviousDifference,
        Action::AcceptDifference,
        Action::RejectDifference,
    ] {
        action(ui, decision, is_reviewing, session, view, commands);
    }
}

fn accept_ui(ui: &mut Ui, has_prediction: bool, commands: &mut CommandQueue) {
    for (name, help, over) in [
        (
            "Take the prediction over",
            "Everywhere but in cells that are done and over what was painted by hand",
            Over::Rest,
        ),
        (
            "Take the prediction over everything",
            "Also over what was painted by hand",
            Over::All,
        ),
    ] {
        let accept = ui.add_enabled(has_prediction, egui::Button::new(name));
        if accept.on_hover_text(help).clicked() {
            commands.push(Command::AcceptPrediction(over));
        }
    }
}

fn go_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    for to in [
        Action::NextImage,
        Action::PreviousImage,
        Action::NextNotDone,
    ] {
        action(ui, to, session.list().is_some(), session, view, commands);
    }
    ui.separator();
    let has_image = session.image().is_some();
    for cell in [
        Action::NextCell,
        Action::CellDone,
        Action::CellReview,
        Action::CellNote,
    ] {
        action(ui, cell, has_image, session, view, commands);
    }
    ui.separator();
    for place in [Action::FindSimilar, Action::GoTo, Action::AddBookmark] {
        action(ui, place, has_image, session, view, commands);
    }
    for mark in session.bookmarks() {
        ui.horizontal(|ui| {
            if ui.button(&mark.name).clicked() {
                view.go_to(mark.at, Some(mark.scale));
                ui.close();
            }
            let forget = ui.small_button("forget");
            if forget.on_hover_text("Forget this bookmark").clicked() {
                let name = mark.name.clone();
                commands.push(Command::Place(PlaceCommand::RemoveBookmark { name }));
            }
        });
    }
}

fn train_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let can_train = view.form.can_start(session) && !session.training().is_running();
    action(ui, Action::Train, can_train, session, view, commands);
    let can_improve = can_improve(session);
    action(ui, Action::Improve, can_improve, session, view, commands);
    let has_run = session.model_in_use().is_some() && session.image().is_some();
    action(ui, Action::PredictImage, has_run, session, view, commands);
    ui.add_enabled_ui(can_predict(session), |ui| {
        ui.menu_button("Predict with", |ui| runs_menu(ui, session, view, commands));
    });
    predict_menu(ui, session, view, commands);
    let mut flips = session.flips() == Flips::All;
    let check = ui.checkbox(&mut flips, "Predict mirror images too");
    let help = "Four looks at each window instead of one: somewhat better, four times the work";
    if check.on_hover_text(help).changed() {
        let flips = if flips { Flips::All } else { Flips::None };
        commands.push(Command::SetPredicting(Predicting::Flips(flips)));
    }
    ui.menu_button("Doubt is measured by", |ui| {
        for measure in Certainty::ALL {
            let is_chosen = session.certainty_measure() == measure;
            if ui.radio(is_chosen, measure.name()).clicked() {
                commands.push(Command::SetPredicting(Predicting::Certainty(measure)));
                ui.close();
            }
        }
    });
    ui.separator();
    for shown in [
        Action::TrainingArea,
        Action::EditRecipe,
        Action::CompareRuns,
        Action::OpenRuns,
    ] {
        action(ui, shown, true, session, view, commands);
    }
}

/// What the window shows: the image, or training.
fn place_ui(ui: &mut Ui, view: &mut View) {
    ui.separator();
    let key = view.keymap.text(Action::TrainingArea);
    for (is_training, name) in [(false, "Image"), (true, "Training")] {
        let is_shown = view.training.is_open == is_training;
        let tab = ui.selectable_label(is_shown, name);
        if tab
            .on_hover_text(format!("{key} changes between image and training"))
            .clicked()
        {
            view.training.is_open = is_training;
        }
    }
}

fn action(
    ui: &mut Ui,
    action: Action,
    is_enabled: bool,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let ellipsis = if matches!(
        action,
        Action::Open
            | Action::SaveAs
            | Action::CleanUp
            | Action::CellNote
            | Action::GoTo
            | Action::ShowLook
            | Action::AddBookmark
            | Action::OpenRuns
            | Action::OpenDataset
    ) {
        "…"
    } else {
        ""
    };
    let name = format!("{}{ellipsis}", action.name());
    let button = egui::Button::new(name).shortcut_text(view.keymap.text(action));
    if ui.add_enabled(is_enabled, button).clicked() {
        perform(action, ui.ctx(), session, view, commands);
    }
}

fn wish(ui: &mut Ui, name: &str, is_enabled: bool, wish: FileWish, view: &mut View) {
    if ui
        .add_enabled(is_enabled, egui::Button::new(name))
        .clicked()
    {
        view.wish(wish);
    }
}

fn right_side(ui: &mut Ui, session: &Session, view: &View) {
    if let Some(renderer) = &view.renderer {
        let adapter = renderer.gpu().summary();
        let text = RichText::new(&adapter.name).small().weak();
        let hover = format!(
            "Drawn by {} ({}, {})",
            adapter.name, adapter.kind, adapter.backend
        );
        ui.add(egui::Label::new(text).truncate())
            .on_hover_text(hover);
        ui.separator();
    }
    safety_ui(ui, session, view);
    if let Some(image) = session.image() {
        let name = RichText::new(image.name()).strong();
        ui.add(egui::Label::new(name).truncate())
            .on_hover_text(image.path.display().to_string());
    }
}
