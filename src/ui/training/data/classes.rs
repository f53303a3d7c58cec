use egui::{Color32, CornerRadius, Frame, Grid, RichText, Sense, Ui, vec2};

use crate::dataset::{ClassCount, Discovery, Inspection};
use crate::label::ClassTable;
use crate::ui::training::class_table::swatch_ui;
use crate::ui::{text, theme};

const BAR: f32 = 150.0;

/// How often each class occurs: its share of the labeled pixels, and of the masks.
pub fn classes_ui(ui: &mut Ui, inspection: &Inspection, discovery: &Discovery) {
    let values = inspection.classes.iter().map(|class| class.index);
    let own = ClassTable::from_values(values);
    let table = discovery.classes.as_ref().unwrap_or(&own);
    let most = inspection
        .classes
        .iter()
        .map(|class| class.share)
        .fold(0.0, f64::max);
    let masks: usize = inspection.parts.iter().map(|part| part.masks).sum();
    Frame::new()
        .fill(ui.visuals().extreme_bg_color)
        .corner_radius(4.0)
        .inner_margin(8.0)
        .show(ui, |ui| {
            Grid::new("class frequencies")
                .num_columns(5)
                .spacing([14.0, 4.0])
                .show(ui, |ui| {
                    for (head, help) in [
                        ("Class", "By index"),
                        (
                            "Share of labeled pixels",
                            "Bars are drawn against the commonest class",
                        ),
                        ("Pixels", "In all masks that were read"),
                        ("In masks", "Masks that show the class at all"),
                    ] {
                        ui.label(RichText::new(head).small().strong())
                            .on_hover_text(help);
                    }
                    ui.end_row();
                    for class in &inspection.classes {
                        let color = table
                            .get(class.index)
                            .map(|class| theme::class_color(class.color));
                        row_ui(ui, class, color.unwrap_or(Color32::GRAY), (most, masks));
                    }
                });
        });
}

fn row_ui(ui: &mut Ui, class: &ClassCount, color: Color32, (most, masks): (f64, usize)) {
    ui.horizontal(|ui| {
        swatch_ui(ui, color);
        ui.label(&class.name);
    });
    ui.horizontal(|ui| {
        let length = class.share / most.max(f64::MIN_POSITIVE);
        bar_ui(ui, BAR, length as f32, color);
        let percent = class.share * 100.0;
        let words = if percent > 0.0 && percent < 0.1 {
            "< 0.1 %".to_owned()
        } else {
            format!("{percent:.1} %")
        };
        ui.label(RichText::new(words).monospace());
    });
    ui.label(RichText::new(text::grouped(class.pixels)).monospace());
    ui.horizontal(|ui| {
        bar_ui(
            ui,
            BAR / 3.0,
            class.images as f32 / masks.max(1) as f32,
            theme::CURVE_TRAIN,
        );
        ui.label(RichText::new(class.images.to_string()).monospace());
    });
    ui.end_row();
}

fn bar_ui(ui: &mut Ui, width: f32, share: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, 9.0), Sense::empty());
    let round = CornerRadius::same(2);
    let back = ui.visuals().text_color().gamma_multiply(0.1);
    ui.painter().rect_filled(rect, round, back);
    let filled = rect.with_max_x(rect.left() + width * share.clamp(0.0, 1.0));
    ui.painter().rect_filled(filled, round, color);
}
