use egui::{Modal, ScrollArea, Ui};

use super::theme;
use super::view::{CommandQueue, View};
use crate::exchange::Question;
use crate::label::MaskDecisions;
use crate::session::{Command, ImportCommand, Session};

/// What is being answered about a mask file.
#[derive(Clone, Debug, Default)]
pub struct ImportForm {
    /// The answers so far; `None` until the questions were shown.
    decisions: Option<MaskDecisions>,
}

/// Asks what a mask file leaves open before it becomes the label.
pub fn import_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(examined) = session.examined() else {
        view.import.decisions = None;
        return;
    };
    let audit = &examined.audit;
    let questions = audit.open_questions();
    let mut decisions = view.import.decisions.unwrap_or_else(|| {
        let suggested = audit.suggested();
        // What was decided about a file before is likely to hold for the next.
        MaskDecisions {
            zero: session
                .decided_before()
                .map_or(suggested.zero, |before| before.zero),
            ..suggested
        }
    });
    let mut is_taken = false;
    let response = Modal::new(egui::Id::unique("import")).show(ui.ctx(), |ui| {
        ui.set_width(520.0);
        ui.heading("Before this mask becomes the label");
        ui.weak(examined.path.display().to_string());
        ui.add_space(theme::GRID);
        let height = (ui.ctx().content_rect().height() - 240.0).max(120.0);
        ScrollArea::vertical().max_height(height).show(ui, |ui| {
            for sentence in audit.sentences() {
                ui.label(sentence);
            }
            unknown_ui(ui, session);
            for question in &questions {
                question_ui(ui, question, &mut decisions);
            }
        });
        ui.separator();
        ui.horizontal(|ui| {
            is_taken = ui.button("Take it over").clicked();
            if ui.button("Leave it").clicked() {
                ui.close();
            }
            ui.weak("One undo step; the file itself is never changed.");
        });
    });
    view.import.decisions = Some(decisions);
    if is_taken {
        let path = examined.path.clone();
        commands.push(Command::Import(ImportCommand::Take { path, decisions }));
    } else if response.should_close() {
        commands.push(Command::Import(ImportCommand::Leave));
    }
}

/// Values that no class explains, each with a place to look at.
fn unknown_ui(ui: &mut Ui, session: &Session) {
    const MOST_SHOWN: usize = 6;
    let Some(examined) = session.examined() else {
        return;
    };
    for unknown in examined.audit.survey.unknown.iter().take(MOST_SHOWN) {
        let (x, y) = unknown.at;
        ui.weak(format!(
            "No class: {}, {} pixels, one at x {x}, y {y}",
            unknown.value,
            super::text::grouped(unknown.pixels)
        ));
    }
}

fn question_ui(ui: &mut Ui, question: &Question, decisions: &mut MaskDecisions) {
    ui.add_space(2.0 * theme::GRID);
    ui.strong(&question.text);
    for choice in &question.choices {
        let is_chosen = choice.answer.is_in(*decisions);
        if ui.radio(is_chosen, &choice.text).clicked() {
            *decisions = choice.answer.decide(*decisions);
        }
    }
}
