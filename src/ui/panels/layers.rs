use egui::{Button, Color32, RichText, Sense, Slider, Ui, vec2};
use egui_material_icons::icons;

use super::tools::name_button;
use crate::session::{Command, LayerKind, Session};
use crate::ui::text;
use crate::ui::view::CommandQueue;

/// What the picture is made of: image, label, prediction; eye and opacity for each mask.
pub fn layers_ui(ui: &mut Ui, session: &Session, commands: &mut CommandQueue) {
    mask_ui(ui, LayerKind::Prediction, "Prediction", session, commands);
    ui.separator();
    if session.layer(LayerKind::Certainty).is_some() {
        mask_ui(ui, LayerKind::Certainty, "Certainty", session, commands);
        ui.weak("Red is where the network guesses");
        ui.separator();
    }
    mask_ui(ui, LayerKind::Label, "Label", session, commands);
    ui.separator();
    if session.layer(LayerKind::Origins).is_some() {
        mask_ui(ui, LayerKind::Origins, "Origins", session, commands);
        origins_ui(ui, session);
        ui.separator();
    }
    image_ui(ui, session);
}

fn image_ui(ui: &mut Ui, session: &Session) {
    let Some(image) = session.image() else { return };
    let info = image.info();
    ui.strong("Image");
    ui.label(format!(
        "{} px, {} bands, {}",
        image.size(),
        info.bands,
        info.compression
    ));
    ui.weak(format!(
        "{} stored levels, {}",
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
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter()
                .rect_filled(rect, 2.0, Color32::from_rgb(r, g, b));
            ui.label(&origin.name);
            ui.weak(format!(
                "{:.1} %",
                100.0 * pixels as f64 / total.max(1) as f64
            ));
        });
    }
}

fn mask_ui(
    ui: &mut Ui,
    kind: LayerKind,
    name: &str,
    session: &Session,
    commands: &mut CommandQueue,
) {
    let Some(layer) = session.layer(kind) else {
        ui.strong(name);
        ui.weak(match kind {
            LayerKind::Label | LayerKind::Origins | LayerKind::Preview => {
                "None yet. Paint, or File ▸ Open label…"
            }
            LayerKind::Prediction | LayerKind::Certainty => "None yet. Press Train, then Predict",
        });
        return;
    };
    ui.horizontal(|ui| {
        let (icon, verb) = if layer.is_visible {
            (icons::ICON_VISIBILITY, "Hide")
        } else {
            (icons::ICON_VISIBILITY_OFF, "Show")
        };
        let verb = format!("{verb} {}", name.to_lowercase());
        let eye = ui.add(Button::new(RichText::new(icon.codepoint).size(16.0)).frame(false));
        name_button(&eye, &verb, layer.is_visible);
        if eye.on_hover_text(verb).clicked() {
            commands.push(Command::ShowLayer {
                layer: kind,
                is_visible: !layer.is_visible,
            });
        }
        ui.strong(name);
        if layer.is_loading {
            ui.spinner();
        }
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
        ui.colored_label(crate::ui::theme::ERROR, why);
    }
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
