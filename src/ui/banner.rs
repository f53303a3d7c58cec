use egui::{Color32, Frame, Panel, RichText, Ui};

use super::dialogs::FileWish;
use super::theme;
use super::view::View;
use crate::session::{LayerKind, Safety, Session};

/// A bar across the window while strokes are not safe, or cannot be made: what is wrong, that
/// nothing is lost, and what to do. It stays until that is over.
pub fn banner_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    let (text, color, offers_save) = match session.safety() {
        Safety::Failing(why) => (
            format!(
                "{why}. Strokes stay in memory and are written as soon as the disk takes them: \
                 free some room, or save the label elsewhere."
            ),
            theme::ERROR,
            true,
        ),
        Safety::ReadOnly => (
            "Another window works on this project, so nothing can be changed here. Close it and \
             open the image again."
                .to_owned(),
            theme::WARNING,
            false,
        ),
        _ => return,
    };
    let frame = Frame::new().fill(color).inner_margin(6.0);
    Panel::top("banner").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(text).color(Color32::BLACK).strong());
            if offers_save && ui.button("Save label as…").clicked() {
                view.wish(FileWish::SaveAs(LayerKind::Label));
            }
        });
    });
}
