use std::path::PathBuf;
use std::sync::Arc;

use egui::{
    Color32, ColorImage, Rect, RichText, Sense, Slider, TextureHandle, TextureOptions, Ui, pos2,
    vec2,
};

use crate::raster::RgbaTile;
use crate::session::{ContactTile, DataSet};

/// How wide a picture is at least, in points.
const NARROWEST: f32 = 132.0;
const NAME: f32 = 18.0;

/// Samples in small with their masks over them.
pub struct ContactSheet {
    /// How much the masks cover, 0 to 1.
    opacity: f32,
    of: Option<PathBuf>,
    textures: Vec<(TextureHandle, Option<TextureHandle>)>,
}

impl Default for ContactSheet {
    fn default() -> Self {
        Self {
            opacity: ContactTile::COVER,
            of: None,
            textures: Vec::new(),
        }
    }
}

impl ContactSheet {
    /// Brings pictures that came since the last frame to the graphics card.
    fn follow(&mut self, ui: &Ui, data: &DataSet) {
        if self.of.as_ref() != Some(&data.folder) || self.textures.len() > data.contact.len() {
            self.textures.clear();
            self.of = Some(data.folder.clone());
        }
        for tile in &data.contact[self.textures.len()..] {
            let load = |picture: &Arc<RgbaTile>| {
                let size = [picture.size.width as usize, picture.size.height as usize];
                let image = ColorImage::from_rgba_unmultiplied(size, &picture.pixels);
                ui.load_texture("contact", image, TextureOptions::LINEAR)
            };
            let textures = (load(&tile.image), tile.mask.as_ref().map(load));
            self.textures.push(textures);
        }
    }
}

/// The sheet, and how much the masks cover.
pub fn contact_ui(ui: &mut Ui, data: &DataSet, sheet: &mut ContactSheet) {
    sheet.follow(ui, data);
    ui.horizontal(|ui| {
        let label = ui.label("Masks cover");
        let percent =
            |value: f64, _: std::ops::RangeInclusive<usize>| format!("{:.0} %", value * 100.0);
        let slider = Slider::new(&mut sheet.opacity, 0.0..=1.0).custom_formatter(percent);
        ui.add(slider).labelled_by(label.id);
    });
    let gap = 8.0;
    let count = ((ui.available_width() + gap) / (NARROWEST + gap))
        .floor()
        .max(1.0);
    let width = ((ui.available_width() + gap) / count - gap).floor();
    let pictures: Vec<_> = data.contact.iter().zip(&sheet.textures).collect();
    for row in pictures.chunks(count as usize) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (tile, textures) in row {
                tile_ui(ui, tile, textures, (width, sheet.opacity));
            }
        });
    }
}

fn tile_ui(
    ui: &mut Ui,
    tile: &ContactTile,
    (image, mask): &(TextureHandle, Option<TextureHandle>),
    (width, opacity): (f32, f32),
) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, width + NAME), Sense::hover());
    response.widget_info(|| {
        let words = format!("Sample {}", tile.name);
        egui::WidgetInfo::labeled(egui::Role::Image, true, words)
    });
    let square = Rect::from_min_size(rect.min, vec2(width, width));
    let painter = ui.painter_at(rect);
    painter.rect_filled(square, 3.0, ui.visuals().extreme_bg_color);
    let size = image.size_vec2();
    let shown = Rect::from_center_size(square.center(), size * (width / size.max_elem().max(1.0)));
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(image.id(), shown, whole, Color32::WHITE);
    if let Some(mask) = mask {
        let tint = Color32::from_white_alpha((opacity * 255.0) as u8);
        painter.image(mask.id(), shown, whole, tint);
    }
    let name = egui::Label::new(RichText::new(&tile.name).small().weak()).truncate();
    let foot = Rect::from_min_max(square.left_bottom(), rect.max);
    ui.place(foot, name);
    let part = tile.part.map_or("no part", |part| part.folder());
    let words = match mask {
        Some(_) => format!("{} ({part})", tile.name),
        None => format!("{} ({part}), without a mask", tile.name),
    };
    response.on_hover_text(words);
}
