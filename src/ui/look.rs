use egui::{
    Button, Color32, ComboBox, DragValue, Pos2, ScrollArea, Sense, Shape, Slider, Stroke, Ui,
    Window, vec2,
};

use super::view::{CommandQueue, View};
use crate::raster::{Contrast, GAMMAS, Look, Ramp, ShownBands, Statistics};
use crate::session::{Command, OpenImage, PlaceCommand, Session};

/// Width of the form, in points.
const WIDTH: f32 = 264.0;
/// A screen of less height, in points, is small: the form is a part of it and scrolls.
const SMALL_SCREEN: f32 = 520.0;
/// The part of a small screen that the form takes at most.
const SMALL_SHARE: f32 = 0.35;
/// Height of the drawing of how often values occur, in points.
const HISTOGRAM_HEIGHT: f32 = 56.0;
const BINS: usize = 64;
/// Red, green and blue that are told apart on dark and light.
const BAND_COLORS: [Color32; 3] = [
    Color32::from_rgb(225, 87, 80),
    Color32::from_rgb(90, 175, 90),
    Color32::from_rgb(86, 140, 225),
];

/// The window that says which bands are shown, in which range, with which colors.
pub fn look_ui(ui: &Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(image) = session.image().filter(|_| !view.training.is_open) else {
        return;
    };
    let height = ui.ctx().content_rect().height();
    Window::new("Bands and contrast")
        .open(&mut view.shows_look)
        .resizable(false)
        .default_width(WIDTH)
        .default_pos([72.0, 72.0])
        .show(ui.ctx(), |ui| {
            let mut form = |ui: &mut Ui| form_ui(ui, image, session.look(), commands);
            if height < SMALL_SCREEN {
                let within = ScrollArea::vertical().max_height(height * SMALL_SHARE);
                within.show(ui, form);
            } else {
                form(ui);
            }
        });
}

fn form_ui(ui: &mut Ui, image: &OpenImage, shown: &Look, commands: &mut CommandQueue) {
    ui.set_width(WIDTH);
    let (bands, colors) = (image.source.tile_bands(), image.source.color_bands());
    if bands.is_empty() {
        ui.weak("Colors of a table: nothing to choose");
        return;
    }
    let mut look = shown.clone();
    bands_ui(ui, &mut look, &bands, &colors);
    if let Some(values) = image.pyramid.statistics() {
        values_ui(ui, &mut look, values, &colors);
    } else {
        ui.weak("The values are not known yet");
    }
    ui.horizontal(|ui| {
        let label = ui.label("Gamma");
        let gamma = Slider::new(&mut look.gamma, GAMMAS)
            .logarithmic(true)
            .max_decimals(2);
        ui.add(gamma).labelled_by(label.id);
    });
    let is_usual = look == Look::default();
    let reset = ui.add_enabled(!is_usual, Button::new("As the file says").small());
    if reset
        .on_hover_text("Usual bands, contrast and gamma")
        .clicked()
    {
        look = Look::default();
    }
    if look != *shown {
        commands.push(Command::Place(PlaceCommand::Look(look)));
    }
}

/// Which values are shown.
fn values_ui(ui: &mut Ui, look: &mut Look, values: &Statistics, colors: &[u16]) {
    let (shown, ranges) = (look.shown_bands(colors), look.ranges(values, colors));
    histogram_ui(ui, shown, &ranges, values);
    contrast_ui(ui, look, ranges);
    if let Contrast::Fixed(ranges) = &mut look.contrast {
        ranges_ui(ui, ranges, matches!(shown, ShownBands::One(..)));
    }
}

fn bands_ui(ui: &mut Ui, look: &mut Look, bands: &[u16], colors: &[u16]) {
    let mut shown = look.shown_bands(colors);
    let before = shown;
    if bands.len() > 1 {
        ui.horizontal(|ui| {
            let is_one = matches!(shown, ShownBands::One(..));
            let one = bands[0];
            let three = [0, 1, 2].map(|at| bands.get(at).copied().unwrap_or(one));
            if ui.selectable_label(!is_one, "Three bands").clicked() && is_one {
                shown = ShownBands::Colors(three);
            }
            if ui.selectable_label(is_one, "One band").clicked() && !is_one {
                shown = ShownBands::One(one, Ramp::Grey);
            }
        });
    }
    match &mut shown {
        ShownBands::Colors(picked) => {
            ui.horizontal(|ui| {
                let names = ["Red", "Green", "Blue"].into_iter().zip(BAND_COLORS);
                for ((name, ink), band) in names.zip(picked) {
                    ui.colored_label(ink, &name[..1]);
                    band_ui(ui, name, band, bands);
                }
            });
        }
        ShownBands::One(band, ramp) => {
            ui.horizontal(|ui| {
                if bands.len() > 1 {
                    band_ui(ui, "Band", band, bands);
                }
                ramp_ui(ui, ramp);
            });
        }
    }
    if shown != before {
        look.bands = Some(shown);
        // Ranges of other bands mean nothing.
        if matches!(look.contrast, Contrast::Fixed(_)) {
            look.contrast = Contrast::Usual;
        }
    }
}

fn band_ui(ui: &mut Ui, name: &str, band: &mut u16, bands: &[u16]) {
    let combo = ComboBox::from_id_salt(("band", name))
        .width(44.0)
        .selected_text((*band + 1).to_string());
    let response = combo.show_ui(ui, |ui| {
        for &known in bands {
            ui.selectable_value(band, known, format!("Band {}", known + 1));
        }
    });
    response
        .response
        .on_hover_text(format!("{name} shows this band"));
}

fn ramp_ui(ui: &mut Ui, ramp: &mut Ramp) {
    let combo = ComboBox::from_id_salt("ramp").selected_text(ramp.name());
    combo.show_ui(ui, |ui| {
        for known in Ramp::ALL {
            ui.horizontal(|ui| {
                swatch_ui(ui, known);
                ui.selectable_value(ramp, known, known.name());
            });
        }
    });
}

/// The colors of a ramp, from the least value on.
fn swatch_ui(ui: &mut Ui, ramp: Ramp) {
    let (rect, _) = ui.allocate_exact_size(vec2(48.0, 10.0), Sense::hover());
    let colors = ramp.colors();
    let mut mesh = egui::Mesh::default();
    for step in 0..=16_u16 {
        let [r, g, b, _] = colors[usize::from(step) * 255 / 16];
        let x = rect.left() + rect.width() * f32::from(step) / 16.0;
        for y in [rect.top(), rect.bottom()] {
            mesh.colored_vertex(Pos2::new(x, y), Color32::from_rgb(r, g, b));
        }
        if step > 0 {
            let at = 2 * u32::from(step);
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    ui.painter().add(Shape::mesh(mesh));
}

fn contrast_ui(ui: &mut Ui, look: &mut Look, ranges: [[f64; 2]; 3]) {
    let contrast = &mut look.contrast;
    ui.horizontal(|ui| {
        let label = ui.label("Contrast");
        let name = match contrast {
            Contrast::Usual => "Usual",
            Contrast::MinMax => "Least to greatest",
            Contrast::Cut(_) => "Cut the ends",
            Contrast::Deviations(_) => "Around the mean",
            Contrast::Fixed(_) => "From … to …",
        };
        let choices = [
            (Contrast::Usual, "Usual"),
            (Contrast::MinMax, "Least to greatest"),
            (Contrast::Cut(0.02), "Cut the ends"),
            (Contrast::Deviations(2.0), "Around the mean"),
            (Contrast::Fixed(ranges), "From … to …"),
        ];
        let combo = ComboBox::from_id_salt("contrast").selected_text(name);
        let combo = combo.show_ui(ui, |ui| {
            for (choice, text) in choices {
                let is_chosen = std::mem::discriminant(contrast) == std::mem::discriminant(&choice);
                if ui.selectable_label(is_chosen, text).clicked() && !is_chosen {
                    *contrast = choice;
                }
            }
        });
        combo.response.labelled_by(label.id);
        match contrast {
            Contrast::Cut(share) => {
                let mut percent = *share * 100.0;
                let drag = DragValue::new(&mut percent)
                    .range(0.0..=49.0)
                    .speed(0.1)
                    .suffix(" %");
                ui.add(drag)
                    .on_hover_text("Share of the values cut off at each end");
                *share = percent / 100.0;
            }
            Contrast::Deviations(count) => {
                let drag = DragValue::new(count)
                    .range(0.1..=10.0)
                    .speed(0.05)
                    .suffix(" σ");
                ui.add(drag)
                    .on_hover_text("Standard deviations to each side of the mean");
            }
            _ => {}
        }
    });
}

fn ranges_ui(ui: &mut Ui, ranges: &mut [[f64; 2]; 3], is_one: bool) {
    let names = ["Red", "Green", "Blue"];
    let count = if is_one { 1 } else { 3 };
    for (name, range) in names.into_iter().zip(ranges.iter_mut()).take(count) {
        ui.horizontal(|ui| {
            let speed = ((range[1] - range[0]).abs() / 200.0).max(1e-4);
            ui.label(if is_one { "Values" } else { name });
            ui.add(DragValue::new(&mut range[0]).speed(speed));
            ui.label("to");
            ui.add(DragValue::new(&mut range[1]).speed(speed));
        });
    }
    if is_one {
        *ranges = [ranges[0]; 3];
    }
}

/// How often values occur, with lines where black and white are.
fn histogram_ui(ui: &mut Ui, shown: ShownBands, ranges: &[[f64; 2]; 3], values: &Statistics) {
    let size = vec2(ui.available_width().min(280.0), HISTOGRAM_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter()
        .rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
    let (bands, inks): (Vec<u16>, Vec<Color32>) = match shown {
        ShownBands::Colors(bands) => (bands.to_vec(), BAND_COLORS.to_vec()),
        ShownBands::One(band, _) => (vec![band], vec![ui.visuals().text_color()]),
    };
    let place = |band: u16| values.samples.bands.iter().position(|&known| known == band);
    let found: Vec<_> = (bands.iter())
        .filter_map(|&band| values.bands.get(place(band)?))
        .collect();
    let ends = found
        .iter()
        .filter_map(|band| Some([band.quantile(0.0)?, band.quantile(1.0)?]));
    let shown = ranges.iter().take(bands.len()).copied();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in ends.chain(shown).flatten() {
        (low, high) = (low.min(value), high.max(value));
    }
    if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
        return;
    }
    let x = |value: f64| rect.left() + rect.width() * ((value - low) / (high - low)) as f32;
    for (band, ink) in found.iter().zip(&inks) {
        let counts = band.histogram([low, high], BINS);
        let most = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
        let step = rect.width() / BINS as f32;
        let line = counts.iter().enumerate().map(|(at, &count)| {
            // The root lets rare values be seen.
            let height = (count as f32 / most).sqrt() * (rect.height() - 4.0);
            Pos2::new(
                rect.left() + (at as f32 + 0.5) * step,
                rect.bottom() - 1.0 - height,
            )
        });
        ui.painter()
            .add(Shape::line(line.collect(), Stroke::new(1.5, *ink)));
    }
    for (range, ink) in ranges.iter().zip(&inks) {
        for &value in range {
            let stroke = Stroke::new(1.0, ink.gamma_multiply(0.7));
            ui.painter().vline(x(value), rect.y_range(), stroke);
        }
    }
    response.on_hover_text(format!(
        "How often values occur, {low:.6} to {high:.6}; lines are black and white"
    ));
}
