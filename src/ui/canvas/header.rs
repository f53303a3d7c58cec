use egui::{
    Align2, Color32, FontId, Frame, Label, Layout, Margin, Rect, Response, RichText, Ui, UiBuilder,
    Vec2, vec2,
};
use egui_material_icons::icons;

use super::PaneContent;
use super::scene::{DOUBT, VERDICTS};
use crate::label::ClassTable;
use crate::render::Looked;
use crate::session::Session;
use crate::train::Certainty;
use crate::ui::theme;
use crate::ui::view::View;

const INSET: f32 = 8.0;
const TEXT: Color32 = Color32::from_gray(235);

/// The name of what a pane shows, in its upper left corner; a press chooses something else.
pub fn header_ui(
    ui: &mut Ui,
    within: Rect,
    content: PaneContent,
    session: &Session,
    view: &mut View,
) -> Option<PaneContent> {
    let room = Rect::from_min_max(
        within.min + vec2(INSET, INSET),
        within.right_top() + vec2(-INSET, INSET + 26.0),
    );
    if !room.is_positive() {
        return None;
    }
    let layout = Layout::top_down(egui::Align::Min);
    let place = UiBuilder::new().max_rect(room).layout(layout);
    let mut header = ui.new_child(place);
    header.set_clip_rect(within.intersect(ui.clip_rect()));
    stand_on_picture(&mut header);
    let frame = Frame::new()
        .fill(Color32::from_black_alpha(165))
        .corner_radius(4.0)
        .inner_margin(Margin::symmetric(4, 1));
    let inside = frame.show(&mut header, |ui| {
        ui.visuals_mut().widgets.inactive.weak_bg_fill = Color32::TRANSPARENT;
        let row = ui.horizontal(|ui| {
            let chosen = content_ui(ui, content, session);
            if content.compares() {
                looked_ui(ui, content, session, view);
            }
            said_ui(ui, content, session);
            chosen
        });
        // A legend has a row of its own: panes are narrow.
        if content.has_legend() {
            ui.horizontal_wrapped(|ui| legend_ui(ui, content, view.looked));
        }
        row.inner
    });
    view.covered.push(inside.response.rect);
    inside.inner
}

/// What a header covers at the top of its pane, in points.
pub const fn height(content: PaneContent) -> f32 {
    if content.has_legend() { 57.0 } else { 32.0 }
}

fn content_ui(ui: &mut Ui, content: PaneContent, session: &Session) -> Option<PaneContent> {
    let mut chosen = None;
    ui.menu_button(opening(content.name()), |ui| {
        ui.visuals_mut().override_text_color = None;
        for other in PaneContent::choices(session) {
            if ui.radio(other == content, other.entry(session)).clicked() {
                chosen = Some(other);
                ui.close();
            }
        }
    });
    chosen
}

fn said_ui(ui: &mut Ui, content: PaneContent, session: &Session) {
    let hint = content.hint(session);
    if !hint.is_empty() {
        hint_ui(ui, &hint);
        ui.add_space(4.0);
    }
}

/// As much of the hint as there is room for; the pointer shows all of it.
fn hint_ui(ui: &mut Ui, hint: &str) -> Response {
    let words = RichText::new(format!("·  {hint}")).size(12.0);
    ui.add(Label::new(words).truncate())
}

/// The picture under it is not of the theme: words are light and their ground is dark, also while
/// the pointer is on them or their menu is open.
fn stand_on_picture(ui: &mut Ui) {
    *ui.visuals_mut() = theme::dark();
    ui.visuals_mut().override_text_color = Some(TEXT);
}

fn opening(name: &str) -> RichText {
    let icon = icons::ICON_ARROW_DROP_DOWN.codepoint;
    RichText::new(format!("{name} {icon}")).size(12.0)
}

/// Which errors are shown.
fn looked_ui(ui: &mut Ui, content: PaneContent, session: &Session, view: &mut View) {
    let classes = session.classes();
    let name = looked_name(view.looked, content, classes);
    ui.menu_button(opening(&name), |ui| {
        ui.visuals_mut().override_text_color = None;
        egui::ScrollArea::vertical()
            .max_height(360.0)
            .show(ui, |ui| {
                ui.radio_value(&mut view.looked, Looked::All, "All classes");
                if let pair @ Looked::Pair { .. } = view.looked {
                    ui.radio_value(&mut view.looked, pair, name);
                }
                for class in classes.classes() {
                    let of_class = Looked::Class(class.index);
                    ui.radio_value(&mut view.looked, of_class, &class.name);
                }
            });
    });
}

fn looked_name(looked: Looked, content: PaneContent, classes: &ClassTable) -> String {
    match looked {
        Looked::All => "of all classes".to_owned(),
        Looked::Class(class) => format!("of {}", classes.name_of(class)),
        Looked::Pair { truth, predicted } => {
            let [from, to] = [truth, predicted].map(|class| classes.name_of(class));
            match content {
                PaneContent::Changed => format!("from {from} to {to}"),
                _ => format!("of {from} taken for {to}"),
            }
        }
    }
}

/// What the colors mean.
fn legend_ui(ui: &mut Ui, content: PaneContent, looked: Looked) {
    ui.spacing_mut().item_spacing.y = 1.0;
    // As far in as the words of the menus above.
    ui.add_space(ui.spacing().button_padding.x);
    if let PaneContent::Certainty(measure) = content {
        let [r, g, b] = DOUBT;
        entry_ui(ui, Color32::from_rgb(r, g, b), doubtful(measure));
    } else {
        verdicts_ui(ui, content, looked);
    }
    ui.add_space(4.0);
}

/// What the color of doubt stands for at its strongest, and where it ends.
const fn doubtful(measure: Certainty) -> &'static str {
    match measure {
        Certainty::Probability => "probability 0.5 or less; clear: 1",
        Certainty::Margin => "margin 0.5 or less; clear: 1",
        Certainty::Entropy => "entropy half of the most, or more; clear: 0",
    }
}

fn verdicts_ui(ui: &mut Ui, content: PaneContent, looked: Looked) {
    let colors = VERDICTS;
    let words = match content {
        PaneContent::Changed => ["both", "kept alone", "new alone", "changed"],
        _ => ["right", "missed", "invented", "different"],
    };
    let entries = [
        (colors.found, words[0]),
        (colors.missed, words[1]),
        (colors.invented, words[2]),
        (colors.different, words[3]),
    ];
    let (entries, others) = match (looked, content) {
        (Looked::Class(_), _) => (&entries[..3], "neither"),
        (Looked::Pair { truth, predicted }, _) if truth == predicted => (&entries[..1], "others"),
        (Looked::Pair { .. }, _) => (&entries[3..], "others"),
        (Looked::All, PaneContent::Changed) => (&entries[3..], "same"),
        (Looked::All, _) => (&entries[3..], "right"),
    };
    for ([r, g, b, _], words) in entries.iter().copied().chain([(colors.agreed, others)]) {
        entry_ui(ui, Color32::from_rgb(r, g, b), words);
    }
}

/// A color and its word, which stay together where the row breaks.
fn entry_ui(ui: &mut Ui, color: Color32, words: &str) {
    const SWATCH: f32 = 10.0;
    let font = FontId::proportional(12.0);
    let text = ui.painter().layout_no_wrap(words.to_owned(), font, TEXT);
    let size = vec2(SWATCH + 5.0, 0.0) + text.size();
    let (rect, entry) = ui.allocate_exact_size(size, egui::Sense::hover());
    let swatch = Align2::LEFT_CENTER.align_size_within_rect(Vec2::splat(SWATCH), rect);
    ui.painter().rect_filled(swatch, 2.0, color);
    let place = Align2::RIGHT_CENTER.align_size_within_rect(text.size(), rect);
    ui.painter().galley(place.min, text, TEXT);
    entry.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, words));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_header_are_legible_in_both_themes_whatever_is_done_with_it() {
        for preference in [egui::Theme::Light, egui::Theme::Dark] {
            let ctx = egui::Context::default();
            theme::install(&ctx);
            ctx.set_theme(preference);
            let mut looked_at = 0;
            drop(ctx.run_ui(egui::RawInput::default(), |ui| {
                stand_on_picture(ui);
                let widgets = &ui.visuals().widgets;
                for widget in [
                    widgets.inactive,
                    widgets.hovered,
                    widgets.active,
                    widgets.open,
                ] {
                    let fill = widget.weak_bg_fill;
                    assert!(fill.intensity() < 0.4, "{preference:?}: {fill:?}");
                    looked_at += 1;
                }
                assert_eq!(ui.visuals().text_color(), TEXT);
            }));
            assert!(looked_at >= 4);
        }
    }

    #[test]
    fn a_hint_ends_where_the_pane_does() {
        let ctx = egui::Context::default();
        let mut widths = Vec::new();
        drop(ctx.run_ui(egui::RawInput::default(), |ui| {
            widths = [
                "none",
                "none yet: press Train, then Predict, or turn instant answers on",
            ]
            .map(|hint| {
                let room = Rect::from_min_size(ui.max_rect().min, vec2(200.0, 26.0));
                let layout = Layout::left_to_right(egui::Align::Center);
                let mut pane = ui.new_child(UiBuilder::new().max_rect(room).layout(layout));
                hint_ui(&mut pane, hint).rect.width()
            })
            .to_vec();
        }));
        assert!(widths[0] < 100.0, "{widths:?}");
        assert!(widths[1] > 100.0 && widths[1] <= 200.0, "{widths:?}");
    }
}
