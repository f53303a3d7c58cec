use egui::{
    Color32, CornerRadius, FontFamily, FontId, RectAlign, Response, RichText, Stroke, TextStyle,
    Theme, Tooltip, Ui, Visuals,
};

use crate::session::ScoredGround;

/// The one accent color; everything else is grey, since imagery is judged against grey.
pub const ACCENT: Color32 = Color32::from_rgb(90, 160, 235);
/// Training loss in plots.
pub const CURVE_TRAIN: Color32 = Color32::from_rgb(140, 140, 140);
/// Validation loss in plots.
pub const CURVE_VALIDATION: Color32 = Color32::from_rgb(230, 159, 0);
/// Mean IoU in plots.
pub const CURVE_IOU: Color32 = Color32::from_rgb(86, 180, 233);
/// Pixel accuracy in plots.
pub const CURVE_ACCURACY: Color32 = Color32::from_rgb(0, 158, 115);
/// What is behind an image.
pub const CANVAS: Color32 = Color32::from_rgb(38, 38, 38);
/// Something failed.
pub const ERROR: Color32 = Color32::from_rgb(235, 110, 100);
/// Something needs attention.
pub const WARNING: Color32 = Color32::from_rgb(230, 180, 80);
/// Something is safe.
pub const GOOD: Color32 = Color32::from_rgb(110, 190, 130);
/// Space between things, in points; everything is a multiple of it.
pub const GRID: f32 = 4.0;

/// Sets fonts, sizes and both themes.
pub fn install(ctx: &egui::Context) {
    egui_material_icons::initialize(ctx);
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
    ctx.set_visuals_of(Theme::Dark, dark());
    ctx.set_visuals_of(Theme::Light, light());
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (
                TextStyle::Heading,
                FontId::new(17.0, FontFamily::Proportional),
            ),
            (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
            (
                TextStyle::Button,
                FontId::new(13.0, FontFamily::Proportional),
            ),
            (
                TextStyle::Small,
                FontId::new(11.0, FontFamily::Proportional),
            ),
            (
                TextStyle::Monospace,
                FontId::new(12.0, FontFamily::Monospace),
            ),
        ]
        .into();
        style.spacing.item_spacing = egui::vec2(2.0 * GRID, GRID + 2.0);
        style.spacing.button_padding = egui::vec2(2.0 * GRID, GRID - 1.0);
        style.spacing.interact_size.y = 22.0;
        style.spacing.combo_height = 340.0;
    });
}

/// The dark theme, also of what stands on a picture in the light one.
pub fn dark() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = Color32::from_gray(30);
    visuals.window_fill = Color32::from_gray(34);
    visuals.extreme_bg_color = Color32::from_gray(20);
    visuals.faint_bg_color = Color32::from_gray(38);
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, Color32::from_gray(50));
    visuals.widgets.noninteractive.fg_stroke = Stroke::new(1.0, Color32::from_gray(190));
    visuals.widgets.inactive.bg_fill = Color32::from_gray(52);
    visuals.widgets.inactive.weak_bg_fill = Color32::from_gray(48);
    shared(visuals)
}

fn light() -> Visuals {
    let mut visuals = Visuals::light();
    visuals.panel_fill = Color32::from_gray(236);
    visuals.window_fill = Color32::from_gray(244);
    visuals.faint_bg_color = Color32::from_gray(226);
    visuals.widgets.noninteractive.fg_stroke = Stroke::new(1.0, Color32::from_gray(50));
    // Dark enough to be read, by the contrast of 4.5 that WCAG asks for.
    visuals.weak_text_color = Some(Color32::from_gray(104));
    visuals.widgets.inactive.weak_bg_fill = Color32::from_gray(220);
    // Empty boxes and circles have an edge with the contrast of 3 that WCAG asks for; the tracks of
    // sliders have none, so their ground is darker than the panel.
    visuals.widgets.inactive.bg_fill = Color32::from_gray(200);
    visuals.widgets.inactive.bg_stroke = Stroke::new(1.0, Color32::from_gray(134));
    visuals.widgets.inactive.fg_stroke = Stroke::new(1.0, Color32::from_gray(20));
    shared(visuals)
}

fn shared(mut visuals: Visuals) -> Visuals {
    let round = CornerRadius::same(4);
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.55);
    visuals.selection.stroke = Stroke::new(1.0, visuals.strong_text_color());
    visuals.hyperlink_color = legible(ACCENT, &visuals);
    visuals.window_corner_radius = CornerRadius::same(6);
    for widget in [
        &mut visuals.widgets.noninteractive,
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = round;
    }
    visuals
}

/// A color of signs and curves as words of it are legible on this ground.
pub fn legible(color: Color32, visuals: &Visuals) -> Color32 {
    if visuals.dark_mode {
        color
    } else {
        color.lerp_to_gamma(Color32::BLACK, 0.4)
    }
}

/// A line in one of the colors of signs.
pub fn words(ui: &mut Ui, color: Color32, words: impl Into<RichText>) -> Response {
    ui.colored_label(legible(color, ui.visuals()), words)
}

/// What ground a number beside it is of, in small words; all of it when pointed at.
pub fn ground(ui: &mut Ui, of: ScoredGround) -> Response {
    ui.label(RichText::new(of.word()).small().weak())
        .on_hover_text(of.sentence())
}

/// A mark beside a number of ground that is not apart; why when pointed at.
pub fn leak_mark(ui: &mut Ui, warning: Option<&str>) {
    if let Some(warning) = warning {
        words(ui, WARNING, RichText::new("leaks").small()).on_hover_text(format!("{warning}."));
    }
}

/// Why the numbers above may be too good, a line for each reason.
pub fn leak_lines(ui: &mut Ui, warnings: &[String]) {
    for warning in warnings {
        words(ui, WARNING, RichText::new(format!("{warning}.")).small());
    }
}

/// A tooltip at the side of a menu's entry, as wide as there is room, so that it covers no other.
pub fn beside<'a>(mut tooltip: Tooltip<'a>, entry: &Response) -> Tooltip<'a> {
    let room = entry.ctx.content_rect().right() - entry.rect.right() - 6.0 * GRID;
    let usual = entry.ctx.global_style().spacing.tooltip_width;
    let at_side = tooltip.popup.align(RectAlign::RIGHT_START);
    let at_side = at_side.align_alternatives(&[RectAlign::RIGHT_END]);
    tooltip.popup = at_side.width(usual.min(room).max(120.0));
    tooltip
}

/// A class color as the window's own color type.
pub const fn class_color([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of relative luminances, of greys.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let [one, other] = [one, other].map(|grey| egui::Rgba::from(grey).r() + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn a_tooltip_beside_an_entry_covers_no_other() {
        let ctx = egui::Context::default();
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(800.0, 500.0));
        let words = "orthobrush predict --image a.tif ".repeat(20);
        let mut places = None;
        for _ in 0..3 {
            let input = egui::RawInput {
                screen_rect: Some(screen),
                ..Default::default()
            };
            drop(ctx.run_ui(input, |ui| {
                ui.add_space(40.0);
                let entry = ui.button("Prediction");
                let tooltip = beside(Tooltip::for_widget(&entry), &entry);
                let shown = tooltip.show(|ui| ui.label(&words)).expect("it is open");
                places = Some((entry.rect, shown.response.rect));
            }));
        }
        let (entry, tooltip) = places.expect("both are laid out");
        assert!(tooltip.left() >= entry.right(), "{entry:?} {tooltip:?}");
        assert!(screen.contains_rect(tooltip), "{tooltip:?}");
    }

    #[test]
    fn empty_boxes_and_tracks_are_seen_in_the_light_theme() {
        let visuals = light();
        let widget = visuals.widgets.inactive;
        for ground in [visuals.panel_fill, visuals.window_fill] {
            assert!(contrast(widget.bg_stroke.color, ground) >= 3.0);
            assert!(contrast(widget.bg_fill, ground) >= 1.3);
        }
        assert!(contrast(widget.bg_fill, widget.fg_stroke.color) >= 4.5);
    }
}
