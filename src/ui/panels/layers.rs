use egui::{Align, Button, Color32, Label, Layout, RadioButton, RichText, Sense, Slider, Ui, vec2};
use egui_material_icons::icons;

use super::tools::name_button;
use crate::session::{
    Command, ImportCommand, LayerKind, OverlayCommand, Predicting, PredictionCommand, Session,
};
use crate::train::Certainty;
use crate::ui::canvas::{OVERLAY_COLORS, PaneContent};
use crate::ui::dialogs::FileWish;
use crate::ui::view::{CommandQueue, View};
use crate::ui::{text, theme};

/// What the picture is made of: image, label, prediction; eye and opacity for each mask.
pub fn layers_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let mut mask_ui = |ui: &mut Ui, kind, name: &str, commands: &mut CommandQueue| {
        if mask_ui(ui, kind, name, session, commands) {
            view.wish(FileWish::SaveAs(kind));
        }
    };
    mask_ui(ui, LayerKind::Prediction, "Prediction", commands);
    threshold_ui(ui, session, commands);
    ui.separator();
    let measures = Certainty::ALL.map(LayerKind::Certainty);
    if measures.iter().any(|&kind| session.layer(kind).is_some()) {
        let chosen = LayerKind::Certainty(session.certainty_measure());
        mask_ui(ui, chosen, "Certainty", commands);
        measure_ui(ui, session, commands);
        ui.weak("Red is where the network guesses");
        ui.separator();
    }
    for place in session.kept_places() {
        let name = PaneContent::Kept(place).entry(session);
        mask_ui(ui, LayerKind::Kept(place), &name, commands);
        ui.separator();
    }
    mask_ui(ui, LayerKind::Label, "Label", commands);
    ui.separator();
    if session.layer(LayerKind::Origins).is_some() {
        mask_ui(ui, LayerKind::Origins, "Origins", commands);
        origins_ui(ui, session);
        ui.separator();
    }
    overlays_ui(ui, session, commands);
    image_ui(ui, session, &mut view.shows_look);
}

/// From which probability on the second of two classes is predicted.
fn threshold_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let Some((threshold, class)) = session.decision_threshold() else {
        return;
    };
    let is_free = session.prediction_state().job.is_none();
    let kept_as = ui.scope_id().with("decision threshold");
    let held = ui.data(|data| data.get_temp::<f64>(kept_as));
    let mut probability = held.unwrap_or_else(|| threshold.probability());
    ui.horizontal(|ui| {
        let label = ui.label("Threshold");
        let slider = Slider::new(&mut probability, 0.01..=0.99)
            .fixed_decimals(2)
            .update_while_editing(false);
        let slider = ui.add_enabled(is_free, slider).labelled_by(label.id);
        let words = format!(
            "{class} is predicted from this probability on; 0.50 takes the likelier class, less \
             finds more of {class} and is wrong more often. Finished blocks need no other look"
        );
        let slider = slider.on_hover_text(words);
        if slider.dragged() {
            // Nothing is read anew before it is let go.
            ui.data_mut(|data| data.insert_temp(kept_as, probability));
        } else if slider.changed() || slider.drag_stopped() {
            let command = PredictionCommand::DecideAt(probability);
            commands.push(Command::Prediction(command));
            ui.data_mut(|data| data.remove::<f64>(kept_as));
        }
    });
}

/// What says how sure the network is.
fn measure_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    let not = "Predict here to see the others";
    ui.horizontal_wrapped(|ui| {
        for measure in Certainty::ALL {
            let is_shown = session.certainty_measure() == measure;
            let radio = RadioButton::new(is_shown, measure.name());
            let radio = ui.add_enabled(session.can_measure(measure), radio);
            if radio.on_disabled_hover_text(not).clicked() {
                commands.push(Command::SetPredicting(Predicting::Certainty(measure)));
            }
        }
    });
}

/// Polygons and lines over the image: eye, color, name, and a way to let go of them.
fn overlays_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    if session.overlays().is_empty() {
        return;
    }
    let mut send = |command| commands.push(Command::Import(ImportCommand::Overlay(command)));
    for (place, overlay) in session.overlays().iter().enumerate() {
        let name = overlay.path.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        ui.horizontal(|ui| {
            let is_visible = overlay.is_visible;
            if eye_ui(ui, &name, is_visible) {
                send(OverlayCommand::Show {
                    place,
                    is_visible: !is_visible,
                });
            }
            swatch(ui, OVERLAY_COLORS[place % OVERLAY_COLORS.len()]);
            ui.add(Label::new(&*name).truncate())
                .on_hover_text(overlay.path.display().to_string());
            let close = Button::new(RichText::new(icons::ICON_CLOSE.codepoint).size(14.0));
            let close = ui.add(close.frame(false));
            name_button(&close, &format!("Remove {name}"), false);
            if close
                .on_hover_text("Take it away; the file stays")
                .clicked()
            {
                send(OverlayCommand::Remove { place });
            }
        });
        ui.weak(format!("{} outlines on this image", overlay.outlines.len()));
    }
    ui.separator();
}

fn image_ui(ui: &mut Ui, session: &Session, shows_look: &mut bool) {
    let Some(image) = session.image() else { return };
    let info = image.info();
    ui.strong("Image");
    ui.label(format!(
        "{} px, {} bands, {}",
        image.size(),
        info.bands,
        info.compression
    ));
    ui.toggle_value(shows_look, "Bands and contrast…");
    ui.weak(format!(
        "{} levels, {}",
        info.level_sizes.len(),
        info.format
    ));
    ui.weak(image.path.display().to_string());
}

/// Who made the label, with colors and pixels.
fn origins_ui(ui: &mut Ui, session: &Session) {
    let layer = session.layer(LayerKind::Origins);
    if !layer.is_some_and(|layer| layer.is_visible) {
        ui.weak("Who made each pixel: a file, a hand, a model");
        return;
    }
    let total: u64 = session.origin_areas().iter().take(255).sum();
    for origin in session.origins().classes() {
        let pixels = session.origin_areas()[usize::from(origin.index)];
        if pixels == 0 {
            continue;
        }
        ui.horizontal(|ui| {
            let [r, g, b] = origin.color;
            swatch(ui, Color32::from_rgb(r, g, b));
            ui.label(&origin.name);
            ui.weak(format!(
                "{:.1} %",
                100.0 * pixels as f64 / total.max(1) as f64
            ));
        });
    }
}

/// A mask's eye, opacity, file and memory; whether it is to be saved.
fn mask_ui(
    ui: &mut Ui,
    kind: LayerKind,
    name: &str,
    session: &Session,
    commands: &mut CommandQueue,
) -> bool {
    let Some(layer) = session.layer(kind) else {
        ui.strong(name);
        ui.weak(match kind {
            LayerKind::Label | LayerKind::Origins | LayerKind::Preview => {
                "None yet. Paint, or File › Open label…"
            }
            LayerKind::Prediction
            | LayerKind::Certainty(_)
            | LayerKind::Kept(_)
            | LayerKind::Replaced => "None yet. Press Train, then Predict",
        });
        return false;
    };
    let is_saved = ui.horizontal(|ui| {
        if eye_ui(ui, &name.to_lowercase(), layer.is_visible) {
            commands.push(Command::ShowLayer {
                layer: kind,
                is_visible: !layer.is_visible,
            });
        }
        ui.strong(name);
        if layer.is_loading {
            ui.spinner();
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            save_ui(ui, name, !layer.is_loading)
        })
        .inner
    });
    opacity_ui(ui, kind, layer.opacity, commands);
    let file = layer.path.as_ref().map_or_else(
        || "no file yet".to_owned(),
        |path| path.display().to_string(),
    );
    ui.weak(file);
    ui.weak(format!(
        "{} in memory",
        text::bytes(layer.mask.bytes_used())
    ));
    if let Some(why) = &layer.broken {
        theme::words(ui, theme::ERROR, why);
    }
    is_saved.inner
}

/// A button that saves `name` to a file; whether it was pressed.
fn save_ui(ui: &mut Ui, name: &str, can_save: bool) -> bool {
    let save = Button::new(RichText::new(icons::ICON_SAVE.codepoint).size(16.0));
    let save = ui.add_enabled(can_save, save.frame(false));
    let words = format!("Save {} as…", name.to_lowercase());
    name_button(&save, &words, false);
    save.on_hover_text(words).clicked()
}

/// A button that hides or shows `name`; whether it was pressed.
fn eye_ui(ui: &mut Ui, name: &str, is_visible: bool) -> bool {
    let (icon, verb) = if is_visible {
        (icons::ICON_VISIBILITY, "Hide")
    } else {
        (icons::ICON_VISIBILITY_OFF, "Show")
    };
    let verb = format!("{verb} {name}");
    let eye = ui.add(Button::new(RichText::new(icon.codepoint).size(16.0)).frame(false));
    name_button(&eye, &verb, is_visible);
    eye.on_hover_text(verb).clicked()
}

fn swatch(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.0, color);
}

fn opacity_ui(ui: &mut Ui, layer: LayerKind, opacity: f32, commands: &mut CommandQueue) {
    let mut opacity = opacity;
    ui.horizontal(|ui| {
        let label = ui.label("Opacity");
        let percent = |value: f64, _| format!("{:.0} %", value * 100.0);
        let slider = Slider::new(&mut opacity, 0.0..=1.0).custom_formatter(percent);
        if ui.add(slider).labelled_by(label.id).changed() {
            commands.push(Command::SetOpacity { layer, opacity });
        }
    });
}
