use std::time::{Duration, Instant};

use egui::{Align2, Area, Button, Color32, Frame, Rect, RichText, Stroke, Ui, vec2};
use egui_material_icons::icons;

use super::panels::tools::name_button;
use super::theme;
use crate::session::{Notice, Severity};

/// Older messages give way; nobody reads more at once.
const SHOWN_AT_ONCE: usize = 5;
const WIDTH: f32 = 380.0;

/// What the program has to say, at the lower right of the canvas, where it hides no curve and no
/// button. Failures stay until they are closed.
#[derive(Debug, Default)]
pub struct Messages {
    shown: Vec<(Notice, Instant)>,
    /// Notes about the training that the shown message stands for.
    num_notes: usize,
}

impl Messages {
    /// Shows a message; one that is shown already starts anew.
    pub fn add(&mut self, notice: Notice) {
        let notice = if notice.is_of_training {
            self.gathered(notice)
        } else {
            notice
        };
        self.shown.retain(|(known, _)| *known != notice);
        self.shown.push((notice, Instant::now()));
        if self.shown.len() > SHOWN_AT_ONCE {
            self.shown.remove(0);
        }
    }

    /// One message for all notes about a training, which the Run page has.
    fn gathered(&mut self, note: Notice) -> Notice {
        let num_shown = self.shown.len();
        self.shown.retain(|(known, _)| !known.is_of_training);
        let is_first = self.shown.len() == num_shown;
        self.num_notes = if is_first { 1 } else { self.num_notes + 1 };
        let notes = match self.num_notes {
            1 => "1 note".to_owned(),
            many => format!("{many} notes"),
        };
        Notice {
            text: format!("{notes} about this training: see the Run page"),
            ..note
        }
    }

    /// Draws the messages inside `canvas` (points) and forgets those whose time is over.
    pub fn show(&mut self, ui: &Ui, canvas: Rect) {
        self.shown.retain(|(notice, since)| {
            lifetime(notice.severity).is_none_or(|lifetime| since.elapsed() < lifetime)
        });
        if self.shown.is_empty() {
            return;
        }
        ui.request_repaint_after(Duration::from_millis(500));
        let mut closed = None;
        Area::new(egui::Id::unique("messages"))
            .order(egui::Order::Foreground)
            .pivot(Align2::RIGHT_BOTTOM)
            .fixed_pos(canvas.right_bottom() - vec2(12.0, 12.0))
            .show(ui.ctx(), |ui| {
                for (place, (notice, _)) in self.shown.iter().enumerate() {
                    if message_ui(ui, notice) {
                        closed = Some(place);
                    }
                }
            });
        if let Some(place) = closed {
            self.shown.remove(place);
        }
    }
}

const fn lifetime(severity: Severity) -> Option<Duration> {
    match severity {
        Severity::Info => Some(Duration::from_secs(5)),
        Severity::Warning => Some(Duration::from_secs(12)),
        Severity::Error => None,
    }
}

/// Draws one message; `true` when it was closed.
fn message_ui(ui: &mut Ui, notice: &Notice) -> bool {
    let (icon, color) = match notice.severity {
        Severity::Info => (icons::ICON_CHECK_CIRCLE, theme::GOOD),
        Severity::Warning => (icons::ICON_WARNING, theme::WARNING),
        Severity::Error => (icons::ICON_ERROR, theme::ERROR),
    };
    let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, color.gamma_multiply(0.7)));
    let shown = frame.show(ui, |ui| {
        ui.set_width(WIDTH);
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon.codepoint).size(17.0).color(color));
            let text = egui::Label::new(&notice.text).wrap();
            ui.allocate_ui(vec2(WIDTH - 60.0, 0.0), |ui| ui.add(text));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), close_ui)
                .inner
        })
    });
    shown.inner.inner
}

fn close_ui(ui: &mut Ui) -> bool {
    let icon = RichText::new(icons::ICON_CLOSE.codepoint)
        .size(14.0)
        .color(Color32::GRAY);
    let close = ui.add(Button::new(icon).frame(false));
    name_button(&close, "Close message", false);
    close.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_about_a_training_are_one_message() {
        let mut messages = Messages::default();
        let note = |text: &str| Notice {
            is_of_training: true,
            ..Notice::warning(text)
        };
        let texts = |messages: &Messages| -> Vec<String> {
            let shown = messages.shown.iter();
            shown.map(|(notice, _)| notice.text.clone()).collect()
        };
        messages.add(note("Two images are the same"));
        let one = "1 note about this training: see the Run page";
        assert_eq!(texts(&messages), [one]);
        messages.add(Notice::info("Saved"));
        messages.add(note("A step is computed in pieces"));
        let two = "2 notes about this training: see the Run page";
        assert_eq!(texts(&messages), ["Saved", two]);
        messages.shown.clear();
        messages.add(note("Two images are the same"));
        assert_eq!(texts(&messages), [one]);
    }

    #[test]
    fn a_message_is_shown_once_and_old_ones_give_way() {
        let mut messages = Messages::default();
        (0..3).for_each(|_| messages.add(Notice::error("The disk is full")));
        assert_eq!(messages.shown.len(), 1);
        (0..9).for_each(|number| messages.add(Notice::info(number.to_string())));
        assert_eq!(messages.shown.len(), SHOWN_AT_ONCE);
    }
}
