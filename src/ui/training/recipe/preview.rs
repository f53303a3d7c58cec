use std::path::PathBuf;
use std::sync::Arc;

use egui::{
    Color32, ColorImage, Rect, RichText, Sense, Slider, TextureHandle, TextureOptions, Ui, pos2,
    vec2,
};

use crate::dataset::Corrections;
use crate::geom::ImagePoint;
use crate::raster::RgbaTile;
use crate::session::{Command, DataCommand, Session, TrainOn, VariedPatch};
use crate::ui::panels::recipe::TrainForm;
use crate::ui::theme;
use crate::ui::view::CommandQueue;

/// Patches beside each other.
const COLUMNS: usize = 4;
const GAP: f32 = 4.0;
const WIDEST: f32 = 480.0;

/// Sixteen patches as a training would vary them: one of the open image, or those that would be
/// drawn from a data set.
pub struct PatchPreview {
    /// Another number shows others; of a data set it is the epoch.
    seed: u64,
    opacity: f32,
    asked: Option<DataCommand>,
    shown: Option<Arc<[VariedPatch]>>,
    textures: Vec<[TextureHandle; 2]>,
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
    fn ask(&mut self, wanted: DataCommand, commands: &mut CommandQueue) {
        if self.asked.as_ref() != Some(&wanted) {
            commands.push(Command::Data(wanted.clone()));
            self.asked = Some(wanted);
        }
    }

    /// The patches to show; `None` when nothing is open.
    fn wanted(
        &self,
        session: &Session,
        form: &TrainForm,
        center: Option<ImagePoint>,
    ) -> Option<DataCommand> {
        let recipe = &form.recipe;
        if let Some((folder, corrections)) = data_set(session, form) {
            return Some(DataCommand::Draw {
                folder,
                corrections,
                recipe: Box::new(recipe.clone()),
                epoch: self.seed,
            });
        }
        let size = session.image()?.size();
        let middle = ImagePoint::new(f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
        Some(DataCommand::Vary {
            augment: Box::new(recipe.augment.clone()),
            at: center.unwrap_or(middle),
            side: recipe.patch,
            seed: self.seed,
        })
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

/// The data set that patches are drawn from: the one that the next training learns from, or without
/// an image the one that is looked at.
fn data_set(session: &Session, form: &TrainForm) -> Option<(PathBuf, Corrections)> {
    let has_image = session.image().is_some();
    match form.learn_from(session) {
        TrainOn::Corrected(folder, corrections) => Some((folder, corrections)),
        TrainOn::Folder(folder) if form.data.is_some() || !has_image => {
            Some((folder, Corrections::default()))
        }
        _ if has_image => None,
        _ => {
            let data = session.data()?;
            Some((data.folder.clone(), data.corrections.clone()))
        }
    }
}

/// The patches, and what else to draw.
pub fn preview_ui(
    ui: &mut Ui,
    session: &Session,
    preview: &mut PatchPreview,
    (form, center): (&TrainForm, Option<ImagePoint>),
    commands: &mut CommandQueue,
) {
    let wanted = preview.wanted(session, form, center);
    let (title, help) = match wanted {
        Some(DataCommand::Draw { .. }) => (
            "Sixteen training patches, varied",
            "The first ones that the training would draw; others are those of its next epochs",
        ),
        _ => (
            "Sixteen variations of a patch",
            "Of the image in the middle of the view",
        ),
    };
    let title = ui.label(RichText::new(title).strong());
    let Some(wanted) = wanted else {
        ui.weak("Open an image or a data set to see how its patches are varied.");
        return;
    };
    title.on_hover_text(help);
    preview.ask(wanted, commands);
    ui.horizontal_wrapped(|ui| {
        if ui
            .button("Draw others")
            .on_hover_text("Another seed, or the next epoch")
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
        None => waiting_ui(ui, session),
    }
}

fn waiting_ui(ui: &mut Ui, session: &Session) {
    ui.horizontal(|ui| {
        ui.spinner();
        if let Some(share) = session.reading_labels() {
            ui.weak(format!("Reading all labels, {:.0} %", share * 100.0));
        }
    });
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
