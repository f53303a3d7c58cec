use std::sync::Arc;

use egui::{
    Color32, ColorImage, Rect, RichText, Sense, Slider, TextureHandle, TextureOptions, Ui, pos2,
    vec2,
};

use crate::dataset::Augment;
use crate::geom::ImagePoint;
use crate::raster::RgbaTile;
use crate::session::{Command, DataCommand, Session, VariedPatch};
use crate::train::Recipe;
use crate::ui::theme;
use crate::ui::view::CommandQueue;

/// Patches beside each other.
const COLUMNS: usize = 4;
const GAP: f32 = 4.0;
const WIDEST: f32 = 480.0;

/// Sixteen variations of a patch of the open image, as a training would make them.
pub struct PatchPreview {
    seed: u64,
    opacity: f32,
    asked: Option<Asked>,
    shown: Option<Arc<[VariedPatch]>>,
    textures: Vec<[TextureHandle; 2]>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    augment: Augment,
    at: ImagePoint,
    side: u32,
    seed: u64,
}

impl Default for PatchPreview {
    fn default() -> Self {
        Self {
            seed: 1,
            opacity: 0.25,
            asked: None,
            shown: None,
            textures: Vec::new(),
        }
    }
}

impl PatchPreview {
    fn ask(&mut self, recipe: &Recipe, at: ImagePoint, commands: &mut CommandQueue) {
        let asked = Asked {
            augment: recipe.augment.clone(),
            at,
            side: recipe.patch,
            seed: self.seed,
        };
        if self.asked.as_ref() == Some(&asked) {
            return;
        }
        commands.push(Command::Data(DataCommand::Vary {
            augment: Box::new(asked.augment.clone()),
            at: asked.at,
            side: asked.side,
            seed: asked.seed,
        }));
        self.asked = Some(asked);
    }

    fn take(&mut self, ui: &Ui, patches: &Arc<[VariedPatch]>) {
        if self
            .shown
            .as_ref()
            .is_some_and(|shown| Arc::ptr_eq(shown, patches))
        {
            return;
        }
        let load = |picture: &RgbaTile| {
            let size = [picture.size.width as usize, picture.size.height as usize];
            let image = ColorImage::from_rgba_unmultiplied(size, &picture.pixels);
            ui.load_texture("varied patch", image, TextureOptions::LINEAR)
        };
        let both = |patch: &VariedPatch| [load(&patch.image), load(&patch.labels)];
        self.textures = patches.iter().map(both).collect();
        self.shown = Some(Arc::clone(patches));
    }
}

/// The patches, and what else to draw.
pub fn preview_ui(
    ui: &mut Ui,
    session: &Session,
    preview: &mut PatchPreview,
    (recipe, center): (&Recipe, Option<ImagePoint>),
    commands: &mut CommandQueue,
) {
    ui.label(RichText::new("Sixteen variations of a patch").strong());
    let Some(image) = session.image() else {
        ui.weak("Open an image to see how its patches are varied.");
        return;
    };
    let size = image.size();
    let middle = ImagePoint::new(f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    preview.ask(recipe, center.unwrap_or(middle), commands);
    ui.horizontal_wrapped(|ui| {
        if ui
            .button("Draw others")
            .on_hover_text("Another seed")
            .clicked()
        {
            preview.seed += 1;
        }
        let label = ui.label("Labels");
        ui.spacing_mut().slider_width = 80.0;
        let slider = Slider::new(&mut preview.opacity, 0.0..=1.0).show_value(false);
        ui.add(slider).labelled_by(label.id);
    });
    match &session.varied().patches {
        Some(Ok(patches)) => {
            preview.take(ui, patches);
            patches_ui(ui, preview);
        }
        Some(Err(why)) => {
            theme::words(ui, theme::ERROR, why);
        }
        None => {
            ui.spinner();
        }
    }
}

fn patches_ui(ui: &mut Ui, preview: &PatchPreview) {
    let width = ui.available_width().min(WIDEST);
    let side = ((width - GAP * (COLUMNS as f32 - 1.0)) / COLUMNS as f32).floor();
    let rows = preview.textures.len().div_ceil(COLUMNS) as f32;
    let extent = vec2(width, rows * (side + GAP));
    let (rect, response) = ui.allocate_exact_size(extent, Sense::hover());
    response.widget_info(|| {
        let words = format!("{} varied patches", preview.textures.len());
        egui::WidgetInfo::labeled(egui::Role::Image, true, words)
    });
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let tint = Color32::from_white_alpha((preview.opacity * 255.0) as u8);
    for (place, [image, labels]) in preview.textures.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let at = rect.min + vec2(column as f32, row as f32) * (side + GAP);
        let square = Rect::from_min_size(at, vec2(side, side));
        ui.painter()
            .rect_filled(square, 0.0, Color32::from_gray(90));
        ui.painter()
            .image(image.id(), square, whole, Color32::WHITE);
        ui.painter().image(labels.id(), square, whole, tint);
    }
}
