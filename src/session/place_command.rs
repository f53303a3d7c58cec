use super::{Bookmark, CheckCommand, Coordinates, Panes, ScoreScope};
use crate::geom::PixelRect;
use crate::label::{CellKey, CellState};
use crate::raster::Look;

/// Steps of the walk through differences between label and prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewCommand {
    /// Begins, with the largest difference.
    Start,
    /// The same among the places where the label says one class and the prediction another, or
    /// both the same.
    StartOf {
        /// The label's class.
        truth: u8,
        /// The prediction's class.
        predicted: u8,
        /// Where.
        on: ScoreScope,
    },
    /// The same through squares of ground that are most worth a look, where no cell is done.
    StartDoubtful,
    /// The same through places where the prediction is sure that the label is wrong.
    StartConfident,
    /// The same through places that look like this ground (level-0 pixels), else like what is
    /// selected. No prediction is needed.
    StartSimilar(Option<PixelRect>),
    /// Goes to the next one or the one before.
    Step {
        /// Whether to the next one.
        forth: bool,
    },
    /// Goes to one of the places, counted from 0.
    GoTo(usize),
    /// Takes over what the prediction says there; in squares all but what somebody made.
    Accept,
    /// Leaves the label as it is there. But for similar places this says that what is labeled is
    /// right: it counts as made by hand from then on.
    Reject,
    /// Ends the walk.
    End,
}

/// What is said about places in the open image.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceCommand {
    /// Shows the open image with other bands, contrast or colors.
    Look(Look),
    /// Says how far a cell of the open image is; `None` takes it back.
    MarkCell {
        /// Which cell.
        cell: CellKey,
        /// Done or needs review.
        state: Option<CellState>,
    },
    /// Puts a note on a cell; an empty one is taken off.
    NoteCell {
        /// Which cell.
        cell: CellKey,
        /// What it says.
        note: String,
    },
    /// Remembers a place in the open image.
    AddBookmark(Bookmark),
    /// Forgets a place in the open image.
    RemoveBookmark {
        /// Which place.
        name: String,
    },
    /// Chooses which coordinates of the pointer are shown.
    Coordinates(Coordinates),
    /// Remembers in which panes an image or a folder is seen.
    Panes(Panes),
    /// Looks at points of the map.
    Check(CheckCommand),
}
