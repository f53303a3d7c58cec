use super::canvas::{CanvasFrame, Gesture, shape_command};
use super::dialogs::FileWish;
use super::keys::Action;
use super::panels::area::check;
use super::panels::improve::{can_improve, improve};
use super::places;
use super::predicting::predict;
use super::view::{CommandQueue, View};
use crate::geom::{Camera, ImagePoint, ScreenPoint};
use crate::label::{Seen, UNLABELED};
use crate::session::{
    CheckCommand, Command, InkChoice, InstantCommand, LayerKind, PredictionInk, ProjectCommand,
    ReviewCommand, ScoreScope, SelectionCommand, Session, StepTo, Tool,
};

/// Growth of the brush at one press of a bracket.
const BRUSH_STEP: f64 = 1.25;
/// Change of opacity at one press of a bracket with Shift.
const OPACITY_STEP: f32 = 0.1;
const KEY_ZOOM: f64 = 1.4;

/// Does what a key, a menu entry or a button stands for.
pub fn perform(
    action: Action,
    ctx: &egui::Context,
    session: &Session,
    view: &mut View,
    commands: &mut CommandQueue,
) {
    if let Some(tool) = tool_of(action) {
        commands.push(Command::SelectTool(tool));
        return;
    }
    match action {
        Action::Open => view.wish(FileWish::Open),
        Action::Save => save(session, view, commands),
        Action::SaveAs => view.wish(FileWish::SaveAs(LayerKind::Label)),
        Action::SaveAllLabels => commands.push(Command::Project(ProjectCommand::SaveAllLabels)),
        Action::Undo => commands.push(Command::Undo),
        Action::Redo => commands.push(Command::Redo),
        Action::Eraser => toggle_eraser(session, commands),
        Action::CleanUp => view.cleanup.toggle(session),
        Action::SmallerBrush => grow_brush(1.0 / BRUSH_STEP, session, commands),
        Action::LargerBrush => grow_brush(BRUSH_STEP, session, commands),
        Action::LessOpacity => change_opacity(-OPACITY_STEP, session, commands),
        Action::MoreOpacity => change_opacity(OPACITY_STEP, session, commands),
        Action::SwapClass => commands.push(Command::SwapClass),
        Action::Unlabeled => commands.push(Command::SelectClass(UNLABELED)),
        Action::FinishShape => finish_shape(session, view, commands),
        Action::CancelShape => cancel_shape(session, view, commands),
        Action::DropCorner => drop_corner(view),
        Action::FitImage => view.camera = None,
        Action::ActualPixels => set_scale(view, 1.0),
        Action::ZoomIn => zoom(ctx, view, KEY_ZOOM),
        Action::ZoomOut => zoom(ctx, view, 1.0 / KEY_ZOOM),
        Action::HideLabel => toggle_layer(LayerKind::Label, session, commands),
        Action::HidePrediction => toggle_layer(LayerKind::Prediction, session, commands),
        Action::NextImage => step(StepTo::Next, session, commands),
        Action::PreviousImage => step(StepTo::Previous, session, commands),
        Action::NextNotDone => step(StepTo::NextNotDone, session, commands),
        Action::PredictImage => commands.push(predict(None, ScoreScope::Whole, session, view)),
        Action::Train => train(session, view, commands),
        Action::Improve => improve_model(session, view, commands),
        Action::ShowOrigins => toggle_layer(LayerKind::Origins, session, commands),
        Action::PaintPrediction => toggle_ink(session, commands),
        Action::InstantAnswers => commands.push(Command::Instant(toggled_instant(session))),
        Action::NextDifference
        | Action::PreviousDifference
        | Action::AcceptDifference
        | Action::RejectDifference => review(action, session, view, commands),
        Action::FindSimilar
        | Action::NextCell
        | Action::CellDone
        | Action::CellReview
        | Action::CellNote
        | Action::GoTo
        | Action::AddBookmark => places::perform(action, session, view, commands),
        // What only the window shows; the tools are taken already.
        _ => toggle_shown(action, view),
    }
}

/// Shows or hides what an action names.
fn toggle_shown(action: Action, view: &mut View) {
    let shown = match action {
        Action::KeySheet => return view.sheet.toggle(),
        Action::CyclePanes => {
            view.layout = view.layout.next();
            return;
        }
        Action::ShowErrors => return view.contents.toggle_errors(view.layout),
        Action::Curtain => {
            view.curtain = view.curtain.is_none().then_some(0.5);
            return;
        }
        // Lasts as long as it is held.
        Action::Blink => return,
        Action::CommandPalette => return view.palette.toggle(),
        Action::TogglePanels => &mut view.shows_panels,
        Action::ShowCoverage => &mut view.shows_coverage,
        Action::OutlineMode => &mut view.outlines,
        Action::ShowNavigator => &mut view.shows_navigator,
        Action::ShowLook => &mut view.shows_look,
        _ => return super::training::perform(action, view),
    };
    *shown = !*shown;
}

/// The tool that an action takes in hand.
const fn tool_of(action: Action) -> Option<Tool> {
    Some(match action {
        Action::Brush => Tool::Brush,
        Action::Superpixel => Tool::Superpixel,
        Action::Fill => Tool::Fill,
        Action::Polygon => Tool::Polygon,
        Action::Lasso => Tool::Lasso,
        Action::Rectangle => Tool::Rectangle,
        Action::Wand => Tool::Wand,
        Action::Object => Tool::Object,
        Action::Line => Tool::Line,
        Action::Ruler => Tool::Ruler,
        Action::Picker => Tool::Picker,
        Action::Pan => Tool::Pan,
        _ => return None,
    })
}

fn save(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let has_file = session
        .layer(LayerKind::Label)
        .is_some_and(|label| label.path.is_some());
    if has_file || session.layer(LayerKind::Label).is_none() {
        commands.push(Command::SaveLabel);
    } else {
        view.wish(FileWish::SaveAs(LayerKind::Label));
    }
}

fn toggle_eraser(session: &Session, commands: &mut CommandQueue) {
    let other = if session.tool() == Tool::Eraser {
        Tool::Brush
    } else {
        Tool::Eraser
    };
    commands.push(Command::SelectTool(other));
}

fn grow_brush(factor: f64, session: &Session, commands: &mut CommandQueue) {
    let grown = session.brush_diameter() * factor;
    // Small brushes grow by whole pixels, or rounding would hold them where they are.
    let whole = if factor > 1.0 {
        grown.ceil()
    } else {
        grown.floor()
    };
    commands.push(Command::SetBrushDiameter(whole));
}

fn change_opacity(by: f32, session: &Session, commands: &mut CommandQueue) {
    for layer in [LayerKind::Label, LayerKind::Prediction] {
        if let Some(shown) = session.layer(layer) {
            commands.push(Command::SetOpacity {
                layer,
                opacity: shown.opacity + by,
            });
        }
    }
}

fn finish_shape(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.selected().is_some() {
        commands.push(Command::Selection(SelectionCommand::Fill));
    }
    let Gesture::Outlining(corners) = std::mem::take(&mut view.gesture) else {
        return;
    };
    match session.tool() {
        Tool::Line => paint_line(&corners, session, commands),
        Tool::Ruler => {}
        _ if corners.len() > 2 => {
            let button = egui::PointerButton::Primary;
            commands.push(shape_command(view, corners, button, false));
        }
        _ => {}
    }
}

/// One stroke along the points.
fn paint_line(points: &[ImagePoint], session: &Session, commands: &mut CommandQueue) {
    let [first, rest @ ..] = points else { return };
    commands.push(Command::BeginStroke {
        at: *first,
        class: session.active_class(),
    });
    commands.extend(rest.iter().map(|&to| Command::ExtendStroke { to }));
    commands.push(Command::EndStroke);
}

/// Walks through the differences; begins the walk where there is none.
fn review(action: Action, session: &Session, view: &mut View, commands: &mut CommandQueue) {
    if session.checked_point().is_some() {
        return point(action, commands);
    }
    let command = match (action, session.review()) {
        (Action::AcceptDifference, _) => ReviewCommand::Accept,
        (Action::RejectDifference, _) => ReviewCommand::Reject,
        (_, None) => ReviewCommand::Start,
        (step, Some(_)) => ReviewCommand::Step {
            forth: step == Action::NextDifference,
        },
    };
    places::walk(command, session, view, commands);
}

/// The same while points of the map are checked; what would accept does nothing there.
fn point(action: Action, commands: &mut CommandQueue) {
    let command = match action {
        Action::AcceptDifference => return,
        Action::RejectDifference => CheckCommand::Say(Seen::Unclear),
        step => CheckCommand::Step {
            forth: step == Action::NextDifference,
        },
    };
    commands.push(check(command));
}

fn toggle_ink(session: &Session, commands: &mut CommandQueue) {
    let ink = match session.ink() {
        InkChoice::ActiveClass => InkChoice::Prediction(PredictionInk::default()),
        InkChoice::Prediction(_) => InkChoice::ActiveClass,
    };
    commands.push(Command::SetInk(ink));
}

/// What turns instant answers off, or on.
pub fn toggled_instant(session: &Session) -> InstantCommand {
    match session.instant() {
        Some(_) => InstantCommand::Off,
        None => InstantCommand::On,
    }
}

fn cancel_shape(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    let is_idle = matches!(view.gesture, Gesture::Idle);
    view.gesture = Gesture::Idle;
    if session.is_stroke_open() {
        commands.push(Command::CancelStroke);
    }
    if is_idle && view.close_window() {
        return;
    }
    if session.selected().is_some() {
        commands.push(Command::Selection(SelectionCommand::Drop));
    } else if session.checked_point().is_some() {
        commands.push(check(CheckCommand::Leave));
    } else if session.review().is_some() {
        commands.push(Command::Review(ReviewCommand::End));
    }
}

fn drop_corner(view: &mut View) {
    if let Gesture::Outlining(corners) = &mut view.gesture {
        corners.pop();
        if corners.is_empty() {
            view.gesture = Gesture::Idle;
        }
    }
}

fn set_scale(view: &mut View, scale: f64) {
    if let Some(camera) = &mut view.camera {
        *camera = Camera { scale, ..*camera };
    }
}

fn zoom(ctx: &egui::Context, view: &mut View, factor: f64) {
    let frame = CanvasFrame {
        rect: ctx.content_rect(),
        pixels_per_point: ctx.pixels_per_point(),
    };
    let size = frame.size();
    if let Some(camera) = &mut view.camera {
        camera.zoom_about(
            size,
            ScreenPoint::new(size.width / 2.0, size.height / 2.0),
            factor,
        );
    }
}

fn toggle_layer(layer: LayerKind, session: &Session, commands: &mut CommandQueue) {
    if let Some(shown) = session.layer(layer) {
        commands.push(Command::ShowLayer {
            layer,
            is_visible: !shown.is_visible,
        });
    }
}

fn step(to: StepTo, session: &Session, commands: &mut CommandQueue) {
    if session.list().is_some() {
        commands.push(Command::Step(to));
    }
}

fn improve_model(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    view.dock.show_improving();
    view.shows_panels = true;
    if can_improve(session) {
        improve(session, view, commands);
    }
}

fn train(session: &Session, view: &mut View, commands: &mut CommandQueue) {
    view.dock.show_training();
    view.shows_panels = true;
    if !session.training().is_running() {
        let recipe = Box::new(view.form.recipe.clone());
        commands.push(Command::StartTraining {
            recipe,
            on: view.form.learn_from(session),
            out: None,
        });
    }
}
