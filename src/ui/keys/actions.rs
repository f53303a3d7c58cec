use egui::{Key, Modifiers};

use super::table::ACTIONS;

/// What a key, a menu entry, a button or the command palette can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table below says what each does")]
pub enum Action {
    Open,
    Save,
    SaveAs,
    SaveAllLabels,
    Undo,
    Redo,
    FinishShape,
    CancelShape,
    DropCorner,
    CleanUp,
    CellDone,
    CellReview,
    CellNote,
    Brush,
    Eraser,
    Superpixel,
    Fill,
    Polygon,
    Lasso,
    Rectangle,
    Wand,
    Object,
    Line,
    Ruler,
    Picker,
    Pan,
    SmallerBrush,
    LargerBrush,
    PaintPrediction,
    InstantAnswers,
    SwapClass,
    Unlabeled,
    LessOpacity,
    MoreOpacity,
    FitImage,
    ActualPixels,
    ZoomIn,
    ZoomOut,
    HideLabel,
    HidePrediction,
    CyclePanes,
    ShowErrors,
    Curtain,
    Blink,
    TogglePanels,
    KeySheet,
    ShowCoverage,
    ShowOrigins,
    OutlineMode,
    ShowNavigator,
    ShowLook,
    CommandPalette,
    NextImage,
    PreviousImage,
    NextNotDone,
    NextCell,
    NextDifference,
    PreviousDifference,
    AcceptDifference,
    RejectDifference,
    FindSimilar,
    GoTo,
    AddBookmark,
    PredictImage,
    Train,
    Improve,
    TrainingArea,
    CompareRuns,
    OpenRuns,
    OpenDataset,
    EditRecipe,
    LoadRecipe,
    SaveRecipe,
}

/// Actions that belong together in the key sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    File,
    Edit,
    Tools,
    Classes,
    View,
    Go,
    Train,
}

/// One line of the table of actions.
#[derive(Clone, Copy, Debug)]
pub struct ActionInfo {
    /// What happens.
    pub action: Action,
    /// Its heading in the key sheet.
    pub group: Group,
    /// What menus and the key sheet call it.
    pub name: &'static str,
    /// The keys it has unless somebody changed them, any of which does it.
    pub keys: &'static [(Modifiers, Key)],
}

impl Action {
    /// The line of the table that says this action's name and keys.
    pub fn info(self) -> &'static ActionInfo {
        let found = ACTIONS.iter().find(|info| info.action == self);
        found.expect("a test checks that each action is in the table")
    }

    /// What menus call it.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// What settings files call it.
    pub fn id(self) -> String {
        format!("{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key table of the README.
    fn markdown() -> String {
        let keys = |info: &ActionInfo| {
            let key = |&(modifiers, key): &(Modifiers, Key)| {
                format!("`{}`", super::super::Chord::new(modifiers, key).text())
            };
            info.keys.iter().map(key).collect::<Vec<_>>().join(", ")
        };
        let mut table = "| keys | action | keys | action |\n|---|---|---|---|\n".to_owned();
        for pair in ACTIONS.chunks(2) {
            for info in pair {
                table.extend(["| ", &keys(info), " | ", info.name, " "]);
            }
            table += if pair.len() == 2 { "|\n" } else { "| | |\n" };
        }
        table
    }

    #[test]
    fn the_readme_shows_every_key() {
        let readme = include_str!("../../../README.md");
        assert!(
            readme.contains(&markdown()),
            "the README's key table should be\n{}",
            markdown()
        );
    }

    #[test]
    fn each_action_is_in_the_table_once() {
        for (place, info) in ACTIONS.iter().enumerate() {
            assert_eq!(info.action as usize, place, "{:?}", info.action);
        }
    }
}
