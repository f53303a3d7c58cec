use egui::{Key, Modal, TextEdit, Ui};

use super::coordinates::place_of;
use super::keys::Action;
use super::predicting::show_prediction;
use super::theme;
use super::view::{CommandQueue, View};
use crate::geom::PixelRect;
use crate::label::{CellKey, CellState};
use crate::session::{Bookmark, Command, LayerKind, Notice, PlaceCommand, ReviewCommand, Session};

/// The open question about a place: where to go, what a cell's note or a bookmark says.
#[derive(Clone, Debug, Default)]
pub struct PlaceForm {
    question: Option<Question>,
    text: String,
    refused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Question {
    GoTo,
    Note(CellKey),
    Bookmark,
}

/// The cell under the pointer, else the one in the middle of the view.
fn current_cell(session: &Session, view: &View) -> Option<CellKey> {
    let center = view.camera.map(|camera| camera.center);
    let cell = |at| session.coverage().cell_at(at);
    view.pointer_at
        .and_then(cell)
        .or_else(|| center.and_then(cell))
}

/// Does what the actions about places stand for.
pub fn perform(action: Action, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    match action {
        Action::NextCell => next_cell(session, view),
        Action::CellDone => toggle_cell(CellState::Done, session, view, commands),
        Action::CellReview => toggle_cell(CellState::NeedsReview, session, view, commands),
        Action::FindSimilar => find_similar(session, view, commands),
        _ => ask(action, session, view),
    }
}

/// Begins a walk or goes on with it, with a tool in hand that corrects what is found. Who is asked
/// about a prediction sees it.
pub fn walk(
    command: ReviewCommand,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    let begins = matches!(
        command,
        ReviewCommand::Start
            | ReviewCommand::StartOf { .. }
            | ReviewCommand::StartDoubtful
            | ReviewCommand::StartConfident
    );
    if begins && session.layer(LayerKind::Prediction).is_some() {
        show_prediction(session, view);
    }
    if !session.tool().corrects() {
        commands.push(Command::SelectTool(view.correcting));
    }
    commands.push(Command::Review(command));
}

/// Side of the square around the pointer that is shown where nothing is selected, in pixels.
const SHOWN: u32 = 64;

/// Walks through places like the selection, like what is under the pointer, or like the middle of
/// the view.
fn find_similar(session: &Session, view: &View, commands: &mut CommandQueue) {
    let at = view.pointer_at.or_else(|| Some(view.camera?.center));
    let square = at.map(|at| {
        let corner = |at: f64| (at as u32).saturating_sub(SHOWN / 2);
        PixelRect::new(corner(at.x), corner(at.y), SHOWN, SHOWN)
    });
    let ground = square.filter(|_| session.selected().is_none());
    commands.push(Command::Review(ReviewCommand::StartSimilar(ground)));
}

/// Goes to the next cell that is not done.
fn next_cell(session: &Session, view: &mut View) {
    if session.image().is_none() {
        return;
    }
    let from = view
        .camera
        .and_then(|camera| session.coverage().cell_at(camera.center));
    // From a view of the whole image, one begins with the first cell.
    let is_near = view.visible.width <= 3 * crate::label::CELL_SIDE;
    match session
        .coverage()
        .next_not_done(from.filter(|_| is_near && view.shows_coverage))
    {
        Some(next) => {
            view.shows_coverage = true;
            view.show_rect(session.coverage().rect(next));
        }
        None => view.tell(vec![Notice::info("All cells are done")]),
    }
}

/// Says that the current cell is in this state, or takes it back.
fn toggle_cell(state: CellState, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(cell) = current_cell(session, view) else {
        return;
    };
    view.shows_coverage = true;
    let is_set = session.coverage().mark(cell).state == Some(state);
    let state = (!is_set).then_some(state);
    commands.push(Command::Place(PlaceCommand::MarkCell { cell, state }));
}

/// Opens the question that an action asks.
fn ask(action: Action, session: &Session, view: &mut View) {
    if session.image().is_none() {
        return;
    }
    let (question, text) = match action {
        Action::CellNote => {
            let Some(cell) = current_cell(session, view) else {
                return;
            };
            view.shows_coverage = true;
            let note = session.coverage().note(cell).to_owned();
            (Question::Note(cell), note)
        }
        Action::AddBookmark => {
            let number = session.bookmarks().len() + 1;
            (Question::Bookmark, format!("Place {number}"))
        }
        _ => (Question::GoTo, String::new()),
    };
    view.places = PlaceForm {
        question: Some(question),
        text,
        refused: None,
    };
}

/// Shows the open question.
pub fn places_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let Some(question) = view.places.question else {
        return;
    };
    let (title, hint, button) = match question {
        Question::GoTo => (
            "Go to",
            "x y, easting northing, or longitude latitude",
            "Go",
        ),
        Question::Note(_) => ("Note on the cell", "What should be looked at?", "Keep"),
        Question::Bookmark => ("Bookmark this place", "Name", "Keep"),
    };
    let mut is_answered = false;
    let response = Modal::new(egui::Id::unique("places")).show(ui.ctx(), |ui| {
        ui.set_width(320.0);
        ui.heading(title);
        let field = TextEdit::singleline(&mut view.places.text)
            .hint_text(hint)
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
        field.request_focus();
        if let Some(why) = &view.places.refused {
            theme::words(ui, theme::WARNING, why);
        }
        ui.add_space(theme::GRID);
        ui.horizontal(|ui| {
            is_answered = ui.button(button).clicked();
            if ui.button("Cancel").clicked() {
                view.places.question = None;
            }
        });
        is_answered |= ui.input(|input| input.key_pressed(Key::Enter));
    });
    // Asked once: the answer takes Esc out of the input.
    let is_left = response.should_close();
    if is_answered || is_left {
        ui.memory_mut(egui::Memory::stop_text_input);
    }
    if is_answered {
        answer(question, session, view, commands);
    } else if is_left {
        view.places.question = None;
    }
}

fn answer(question: Question, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let text = view.places.text.trim().to_owned();
    match question {
        Question::GoTo => match place_of(&text, session) {
            Ok(at) => view.go_to(at, None),
            Err(why) => {
                view.places.refused = Some(why);
                return;
            }
        },
        Question::Note(cell) => {
            commands.push(Command::Place(PlaceCommand::NoteCell { cell, note: text }));
        }
        Question::Bookmark => {
            if let Some(camera) = view.camera {
                let mark = Bookmark {
                    name: text,
                    at: camera.center,
                    scale: camera.scale,
                };
                commands.push(Command::Place(PlaceCommand::AddBookmark(mark)));
            }
        }
    }
    view.places = PlaceForm::default();
}
