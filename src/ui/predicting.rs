use std::path::PathBuf;

use egui::{Button, ComboBox, RectAlign, Role, ScrollArea, Tooltip, Ui, Vec2, WidgetInfo, vec2};

use super::canvas::{PaneContent, PaneLayout};
use super::dialogs::FileWish;
use super::view::{CommandQueue, View};
use super::{text, theme};
use crate::geom::ImagePoint;
use crate::label::WantedCells;
use crate::session::{
    Command, CopiedCommand, KeptPlace, LayerKind, PredictionCommand, ScoreScope, Session,
};
use crate::train::RunRecord;

/// Lists of runs are at least so wide and at most so high, in points.
const LIST_SIZE: Vec2 = vec2(220.0, 320.0);
const GO_ON_HELP: &str = "Computes what is missing, with the same network and choices";
const WHERE_HELP: &str = "The Train panel chooses where";

/// The ground that the next prediction is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PredictOn {
    /// The whole image.
    #[default]
    Whole,
    /// What is seen.
    View,
    /// What is selected.
    Selection,
    /// Cells, by what somebody said of them.
    Cells(WantedCells),
}

impl PredictOn {
    const ALL: [Self; 6] = [
        Self::Whole,
        Self::View,
        Self::Selection,
        Self::Cells(WantedCells::Done),
        Self::Cells(WantedCells::Review),
        Self::Cells(WantedCells::Open),
    ];

    /// What people call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "The whole image",
            Self::View => "What is in view",
            Self::Selection => "The selection",
            Self::Cells(WantedCells::Done) => "Cells that are done",
            Self::Cells(WantedCells::Review) => "Cells that need review",
            Self::Cells(WantedCells::Open) => "Cells that are not done",
        }
    }

    const fn scope(self, view: &View) -> ScoreScope {
        match self {
            Self::Whole => ScoreScope::Whole,
            Self::View => ScoreScope::Within(view.visible),
            Self::Selection => ScoreScope::Selection,
            Self::Cells(wanted) => ScoreScope::Cells(wanted),
        }
    }

    fn is_there(self, session: &Session, view: &View) -> bool {
        match self {
            Self::Whole => true,
            Self::View => !view.visible.is_empty(),
            Self::Selection => session.selected().is_some(),
            Self::Cells(wanted) => !session.coverage().cells(wanted).is_empty(),
        }
    }
}

/// Chooses the ground that the next prediction is of, with whichever network.
pub fn where_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    let label = ui.label("Predict on");
    let chosen = view.form.predict_on;
    let choice = ComboBox::from_id_salt("predict on").selected_text(chosen.name());
    let shown = choice.show_ui(ui, |ui| {
        for on in PredictOn::ALL {
            let entry = Button::selectable(on == chosen, on.name());
            if ui.add_enabled(on.is_there(session, view), entry).clicked() {
                view.form.predict_on = on;
            }
        }
    });
    shown.response.labelled_by(label.id);
}

/// Why nothing can be predicted now where it is chosen to be; `None` when it can.
pub fn why_not(session: &Session, view: &View) -> Option<&'static str> {
    if session.image().is_none() {
        Some("Open an image first")
    } else if session.prediction_state().job.is_some() {
        Some("A prediction runs")
    } else if view.form.predict_on.is_there(session, view) {
        None
    } else {
        Some("There is no such ground; choose where to predict in the Train panel")
    }
}

/// Predicts some ground, what is seen first, where panes show it.
pub fn predict(
    run: Option<PathBuf>,
    on: ScoreScope,
    session: &Session,
    view: &mut View,
) -> Command {
    let near = near(view);
    show_prediction(session, view);
    Command::Prediction(PredictionCommand::Predict { run, on, near })
}

/// Predicts where it is chosen to.
pub fn predict_there(run: Option<PathBuf>, session: &Session, view: &mut View) -> Command {
    let on = view.form.predict_on.scope(view);
    predict(run, on, session, view)
}

/// Changes to panes that show the prediction, unless one that is seen does.
pub fn show_prediction(session: &Session, view: &mut View) {
    let contents = &mut view.contents;
    let shows = |content: &PaneContent| content.follows_prediction(session);
    let is_behind = view.curtain.is_some() && shows(&contents.behind);
    if is_behind || contents.of(view.layout).iter().any(shows) {
        return;
    }
    view.layout = PaneLayout::Three;
    if !contents.of(view.layout).iter().any(shows) {
        contents.choose(view.layout, 2, PaneContent::Prediction);
    }
}

/// The middle of what is seen.
fn near(view: &View) -> Option<ImagePoint> {
    let seen = view.visible;
    (!seen.is_empty()).then(|| seen.center())
}

/// Says that a prediction is not finished, and goes on with it.
pub fn go_on_ui(ui: &mut Ui, session: &Session, view: &View, commands: &mut CommandQueue) {
    let Some((done, all)) = session.unfinished_prediction() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        let blocks = text::of_all(done, all);
        ui.label(format!("{blocks} blocks are predicted"));
        let go_on = ui.button("Go on");
        if go_on.on_hover_text(GO_ON_HELP).clicked() {
            commands.push(go_on_predicting(view));
        }
    });
}

fn go_on_predicting(view: &View) -> Command {
    let near = near(view);
    Command::Prediction(PredictionCommand::GoOn { near })
}

/// Whether the image can be predicted now.
pub fn can_predict(session: &Session) -> bool {
    session.image().is_some() && session.prediction_state().job.is_none()
}

/// The listed runs, the newest first, to predict with where it is chosen to; any other is chosen by
/// its folder.
pub fn runs_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.set_min_width(LIST_SIZE.x);
    view.training.keep_looking(ui, session, commands);
    let on = view.form.predict_on;
    let words = format!("Predict on: {}", on.name());
    ui.weak(words).on_hover_text(WHERE_HELP);
    let why_not = why_not(session, view);
    if let Some(why_not) = why_not {
        ui.weak(why_not);
    }
    ui.add_enabled_ui(why_not.is_none(), |ui| {
        let list = ScrollArea::vertical().max_height(LIST_SIZE.y);
        list.show(ui, |ui| {
            for entry in &session.runs().entries {
                if run_ui(ui, &entry.record, session) {
                    let run = entry.record.folder.clone();
                    commands.push(predict_there(Some(run), session, view));
                    ui.close();
                }
            }
        });
        if !session.runs().entries.is_empty() {
            ui.separator();
        }
        if ui.button("Another folder…").clicked() {
            view.wish(FileWish::PredictWith);
            ui.close();
        }
    });
}

/// A run and its network; whether it was chosen.
fn run_ui(ui: &mut Ui, record: &RunRecord, session: &Session) -> bool {
    let is_shown = session.prediction_state().run.as_ref() == Some(&record.folder);
    let network = record.network().unwrap_or_default();
    let name = session.runs().name_of(record);
    let button = Button::new(name.as_str()).shortcut_text(network);
    let is_there = record.best.is_some();
    let button = ui.add_enabled(is_there, button.selected(is_shown));
    button.widget_info(|| WidgetInfo::selected(Role::Button, is_there, is_shown, &name));
    // Beside the list, not over the next run.
    let mut place = Tooltip::for_enabled(&button);
    place.popup = place.popup.align(RectAlign::RIGHT);
    place.show(|ui| ui.label(record.folder.display().to_string()));
    button
        .on_disabled_hover_text("No epoch of it was finished")
        .clicked()
}

/// What the menu offers beside predicting the whole image: parts of it, another network to compare
/// with, and the same as a command line.
pub fn predict_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    ui.menu_button("Predict only", |ui| parts_menu(ui, session, view, commands));
    let is_unfinished = session.unfinished_prediction().is_some();
    let go_on = ui.add_enabled(is_unfinished, Button::new("Go on with the prediction"));
    if go_on.on_hover_text(GO_ON_HELP).clicked() {
        commands.push(go_on_predicting(view));
    }
    let is_idle = session.prediction_state().job.is_none();
    let can_keep = is_idle && session.layer(LayerKind::Prediction).is_some();
    let keep = ui.add_enabled(can_keep, Button::new("Keep prediction to compare"));
    let help = "Predict with another network then: panes show both and where they differ, and the \
                scores what each class won or lost. Four are kept at most, one of a network";
    if keep.on_hover_text(help).clicked() {
        commands.push(Command::Prediction(PredictionCommand::Keep));
    }
    drop_ui(ui, session, view, commands);
    ui.menu_button("Copy as command", |ui| copy_menu(ui, session, view));
}

/// Lets go of kept predictions: of the only one by a button, of several by a menu of their names.
fn drop_ui(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    const NAME: &str = "Drop kept prediction";
    let places: Vec<KeptPlace> = session.kept_places().collect();
    let mut drop = |place, was_last| {
        commands.push(Command::Prediction(PredictionCommand::DropKept(place)));
        view.contents.forget(place, was_last);
    };
    match places[..] {
        [] => {}
        [place] => {
            if ui.button(NAME).clicked() {
                drop(place, true);
            }
        }
        _ => {
            ui.menu_button(NAME, |ui| {
                for &place in &places {
                    if ui.button(PaneContent::Kept(place).entry(session)).clicked() {
                        drop(place, false);
                        ui.close();
                    }
                }
            });
        }
    }
}

fn copy_menu(ui: &mut Ui, session: &Session, view: &View) {
    for what in CopiedCommand::ALL {
        let words = session.as_command(match what {
            CopiedCommand::Finetune if view.improves_thoroughly => {
                CopiedCommand::FinetuneThoroughly
            }
            CopiedCommand::Evaluate(_) => CopiedCommand::Evaluate(view.scores.scope(view.visible)),
            CopiedCommand::Compare(_) => CopiedCommand::Compare(view.scores.scope(view.visible)),
            what => what,
        });
        let button = ui.add_enabled(words.is_ok(), Button::new(what.name()));
        match words {
            Ok(words) => {
                theme::beside(Tooltip::for_enabled(&button), &button).show(|ui| ui.label(&words));
                if button.clicked() {
                    ui.ctx().copy_text(words);
                    ui.close();
                }
            }
            Err(why_not) => {
                let place = theme::beside(Tooltip::for_disabled(&button), &button);
                place.show(|ui| ui.label(why_not.to_string()));
            }
        }
    }
}

fn parts_menu(ui: &mut Ui, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let state = session.prediction_state();
    let run = state.run.clone().or_else(|| session.model_in_use());
    let is_idle = session.image().is_some() && state.job.is_none() && run.is_some();
    for on in &PredictOn::ALL[1..] {
        let is_there = on.is_there(session, view);
        let button = ui.add_enabled(is_idle && is_there, Button::new(on.name()));
        let help = "The rest of the prediction stays if the same network made it";
        if button.on_hover_text(help).clicked() {
            commands.push(predict(run.clone(), on.scope(view), session, view));
            ui.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Waker;
    use crate::session::{ProjectPlace, SessionConfig};
    use crate::ui::view::ViewConfig;

    #[test]
    fn a_prediction_is_seen_when_it_is_asked_for() {
        let session = Session::new(SessionConfig {
            waker: Waker::none(),
            settings_path: None,
            projects: ProjectPlace::Nowhere,
        });
        let mut view = View::new(ViewConfig {
            gpu: None,
            gpu_tile_bytes: 0,
            waker: Waker::none(),
            sample_folder: PathBuf::new(),
        });
        let layout_after = |layout, contents: &[PaneContent], view: &mut View| {
            view.layout = layout;
            for (place, &content) in contents.iter().enumerate() {
                view.contents.choose(layout, place, content);
            }
            predict(None, ScoreScope::Whole, &session, view);
            view.layout
        };
        let originals = [PaneContent::Original; 3];
        let after = layout_after(PaneLayout::One, &originals[..1], &mut view);
        assert_eq!(after, PaneLayout::Three);
        // Where panes were chosen that do not show it, the last one does.
        let after = layout_after(PaneLayout::Three, &originals, &mut view);
        assert_eq!(after, PaneLayout::Three);
        let shown = view.contents.of(after);
        assert_eq!(shown[..2], originals[..2]);
        assert_eq!(shown[2], PaneContent::Prediction);
        // Panes that show it stay.
        let errors = [PaneContent::Errors, PaneContent::Original];
        let after = layout_after(PaneLayout::Two, &errors, &mut view);
        assert_eq!(after, PaneLayout::Two);
    }
}
