use egui::{Key, Modifiers};

use super::actions::{Action, ActionInfo, Group};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const SHIFT: Modifiers = Modifiers::SHIFT;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

const fn bind(
    group: Group,
    action: Action,
    name: &'static str,
    keys: &'static [(Modifiers, Key)],
) -> ActionInfo {
    ActionInfo {
        action,
        group,
        name,
        keys,
    }
}

/// All actions, in the order of the key sheet. Digits choose classes and are not listed here.
pub const ACTIONS: &[ActionInfo] = &[
    bind(Group::File, Action::Open, "Open image", &[(CTRL, Key::O)]),
    bind(Group::File, Action::Save, "Save label", &[(CTRL, Key::S)]),
    bind(
        Group::File,
        Action::SaveAs,
        "Save label as",
        &[(CTRL_SHIFT, Key::S)],
    ),
    bind(Group::Edit, Action::Undo, "Undo", &[(CTRL, Key::Z)]),
    bind(
        Group::Edit,
        Action::Redo,
        "Redo",
        &[(CTRL_SHIFT, Key::Z), (CTRL, Key::Y)],
    ),
    bind(
        Group::Edit,
        Action::FinishShape,
        "Finish polygon, fill selection",
        &[(NONE, Key::Enter)],
    ),
    bind(
        Group::Edit,
        Action::CancelShape,
        "Cancel polygon or stroke",
        &[(NONE, Key::Escape)],
    ),
    bind(
        Group::Edit,
        Action::DropCorner,
        "Drop the last corner",
        &[(NONE, Key::Backspace)],
    ),
    bind(Group::Edit, Action::CleanUp, "Clean up", &[(NONE, Key::M)]),
    bind(
        Group::Edit,
        Action::CellDone,
        "Cell is done, or not",
        &[(NONE, Key::K)],
    ),
    bind(
        Group::Edit,
        Action::CellReview,
        "Cell needs review, or not",
        &[(SHIFT, Key::K)],
    ),
    bind(
        Group::Edit,
        Action::CellNote,
        "Note on a cell",
        &[(CTRL, Key::K)],
    ),
    bind(Group::Tools, Action::Brush, "Brush", &[(NONE, Key::B)]),
    bind(Group::Tools, Action::Eraser, "Eraser", &[(NONE, Key::E)]),
    bind(
        Group::Tools,
        Action::Superpixel,
        "Superpixel brush",
        &[(NONE, Key::S)],
    ),
    bind(
        Group::Tools,
        Action::Fill,
        "Fill region",
        &[(NONE, Key::F), (NONE, Key::G)],
    ),
    bind(Group::Tools, Action::Polygon, "Polygon", &[(NONE, Key::P)]),
    bind(Group::Tools, Action::Lasso, "Lasso", &[(NONE, Key::L)]),
    bind(
        Group::Tools,
        Action::Rectangle,
        "Rectangle",
        &[(NONE, Key::R)],
    ),
    bind(Group::Tools, Action::Wand, "Magic wand", &[(NONE, Key::W)]),
    bind(
        Group::Tools,
        Action::Object,
        "Find object",
        &[(SHIFT, Key::W)],
    ),
    bind(
        Group::Tools,
        Action::Line,
        "Line, road or river",
        &[(SHIFT, Key::L)],
    ),
    bind(Group::Tools, Action::Ruler, "Measure", &[(SHIFT, Key::R)]),
    bind(
        Group::Tools,
        Action::Picker,
        "Pick class",
        &[(NONE, Key::I)],
    ),
    bind(Group::Tools, Action::Pan, "Pan", &[(NONE, Key::V)]),
    bind(
        Group::Tools,
        Action::SmallerBrush,
        "Smaller brush",
        &[(NONE, Key::OpenBracket)],
    ),
    bind(
        Group::Tools,
        Action::LargerBrush,
        "Larger brush",
        &[(NONE, Key::CloseBracket)],
    ),
    bind(
        Group::Tools,
        Action::PaintPrediction,
        "Take from the prediction",
        &[(NONE, Key::T)],
    ),
    bind(
        Group::Classes,
        Action::SwapClass,
        "Swap class with the previous one",
        &[(NONE, Key::X)],
    ),
    bind(
        Group::Classes,
        Action::Unlabeled,
        "Paint unlabeled",
        &[(NONE, Key::U)],
    ),
    bind(
        Group::View,
        Action::LessOpacity,
        "Less opacity",
        &[(SHIFT, Key::OpenBracket)],
    ),
    bind(
        Group::View,
        Action::MoreOpacity,
        "More opacity",
        &[(SHIFT, Key::CloseBracket)],
    ),
    bind(
        Group::View,
        Action::FitImage,
        "Fit image",
        &[(CTRL, Key::Num0), (NONE, Key::Home)],
    ),
    bind(
        Group::View,
        Action::ActualPixels,
        "Actual pixels",
        &[(CTRL, Key::Num1)],
    ),
    bind(
        Group::View,
        Action::ZoomIn,
        "Zoom in",
        &[(CTRL, Key::Equals), (CTRL, Key::Plus)],
    ),
    bind(
        Group::View,
        Action::ZoomOut,
        "Zoom out",
        &[(CTRL, Key::Minus)],
    ),
    bind(
        Group::View,
        Action::HideLabel,
        "Show or hide the label",
        &[(NONE, Key::H)],
    ),
    bind(
        Group::View,
        Action::HidePrediction,
        "Show or hide the prediction",
        &[(SHIFT, Key::H)],
    ),
    bind(
        Group::View,
        Action::CyclePanes,
        "One, two, three or four panes",
        &[(NONE, Key::C)],
    ),
    bind(
        Group::View,
        Action::ShowErrors,
        "Show or hide where the prediction errs",
        &[(SHIFT, Key::E)],
    ),
    bind(
        Group::View,
        Action::Curtain,
        "Curtain between label and prediction",
        &[(SHIFT, Key::C)],
    ),
    bind(
        Group::View,
        Action::Blink,
        "Show the prediction while held",
        &[(NONE, Key::Backtick)],
    ),
    bind(
        Group::View,
        Action::TogglePanels,
        "Hide or show all panels",
        &[(NONE, Key::F9)],
    ),
    bind(Group::View, Action::KeySheet, "Keys", &[(NONE, Key::F1)]),
    bind(
        Group::View,
        Action::ShowCoverage,
        "Show or hide the coverage grid",
        &[(SHIFT, Key::G)],
    ),
    bind(
        Group::View,
        Action::ShowOrigins,
        "Show or hide who made the label",
        &[(SHIFT, Key::O)],
    ),
    bind(
        Group::View,
        Action::OutlineMode,
        "Classes as outlines",
        &[(NONE, Key::O)],
    ),
    bind(
        Group::View,
        Action::ShowNavigator,
        "Show or hide the navigator",
        &[(SHIFT, Key::N)],
    ),
    bind(
        Group::View,
        Action::CommandPalette,
        "Command palette",
        &[(CTRL_SHIFT, Key::P)],
    ),
    bind(
        Group::Go,
        Action::NextImage,
        "Next image",
        &[(NONE, Key::D), (NONE, Key::PageDown)],
    ),
    bind(
        Group::Go,
        Action::PreviousImage,
        "Previous image",
        &[(NONE, Key::A), (NONE, Key::PageUp)],
    ),
    bind(
        Group::Go,
        Action::NextNotDone,
        "Next image that is not done",
        &[(CTRL_SHIFT, Key::D)],
    ),
    bind(
        Group::Go,
        Action::NextCell,
        "Next cell that is not done",
        &[(NONE, Key::Q)],
    ),
    bind(
        Group::Go,
        Action::NextDifference,
        "Next difference",
        &[(NONE, Key::J)],
    ),
    bind(
        Group::Go,
        Action::PreviousDifference,
        "Previous difference",
        &[(SHIFT, Key::J)],
    ),
    bind(
        Group::Go,
        Action::AcceptDifference,
        "Take the difference over",
        &[(NONE, Key::Y)],
    ),
    bind(
        Group::Go,
        Action::RejectDifference,
        "Leave the difference",
        &[(NONE, Key::N)],
    ),
    bind(
        Group::Go,
        Action::GoTo,
        "Go to coordinates",
        &[(CTRL, Key::G)],
    ),
    bind(
        Group::Go,
        Action::AddBookmark,
        "Bookmark this place",
        &[(CTRL, Key::B)],
    ),
    bind(
        Group::Train,
        Action::PredictImage,
        "Predict the whole image",
        &[(CTRL_SHIFT, Key::Enter)],
    ),
    bind(Group::Train, Action::Train, "Train", &[(CTRL, Key::T)]),
    bind(
        Group::Train,
        Action::TrainingArea,
        "Training area, or back to the image",
        &[(NONE, Key::F8)],
    ),
    bind(
        Group::Train,
        Action::CompareRuns,
        "Compare runs",
        &[(SHIFT, Key::F8)],
    ),
    bind(Group::Train, Action::OpenRuns, "Open runs", &[]),
    bind(Group::Train, Action::OpenDataset, "Open dataset", &[]),
    bind(
        Group::Train,
        Action::EditRecipe,
        "Edit the recipe",
        &[(CTRL, Key::F8)],
    ),
    bind(Group::Train, Action::LoadRecipe, "Load a recipe", &[]),
    bind(Group::Train, Action::SaveRecipe, "Save the recipe", &[]),
];
