use std::path::PathBuf;

use crate::exchange::ExportForm;

/// A command that could not be carried out; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command needs an open image.
    #[error("No image is open. Open one first: drop a file on the window, or File › Open…")]
    NoImage,
    /// The command needs a list of images.
    #[error("No folder is open. Open a folder of images to step through it")]
    NoList,
    /// There is nothing further in that direction.
    #[error("{0}")]
    EndOfList(&'static str),
    /// The command needs a label.
    #[error("There is no label yet. Paint one, or open one with File › Open label…")]
    NoLabel,
    /// The command needs a prediction.
    #[error("There is no prediction yet. Train a network, or choose one with Train › Predict with")]
    NoPrediction,
    /// The command needs a trained network.
    #[error("There is no trained network yet. Press Train, or choose a run folder")]
    NoRun,
    /// The label is still being read.
    #[error("The label is still being read; wait a moment")]
    LabelLoading,
    /// The label's own file could not be read whole, so that saving would destroy it.
    #[error(
        "Saving is refused because the label's file could not be read whole; \
         save under another name with Save label as…"
    )]
    LabelNotWhole,
    /// The label was never saved and has no file.
    #[error("The label has no file yet. Choose one with Save label as…")]
    NoLabelFile,
    /// Opening something else would lose strokes.
    #[error("The label has strokes that its file lacks. Save it first, or discard them")]
    UnsavedWork,
    /// Another window writes the project.
    #[error(
        "Another window works on this project, so nothing can be changed here. Close that window \
         and open the image again"
    )]
    ReadOnly,
    /// A stroke is open.
    #[error("Finish the stroke first (lift the brush or press Esc)")]
    StrokeOpen,
    /// There is no stroke to extend or end.
    #[error("There is no open stroke")]
    NoStroke,
    /// The class does not exist.
    #[error("Class {0} does not exist")]
    NoClass(u8),
    /// An image of the list is not where it was.
    #[error("The image is not where it was. File › Find missing images… looks elsewhere: {0}")]
    MissingFile(PathBuf),
    /// There is no walk through differences.
    #[error("No difference is looked at. The Scores panel begins such a walk")]
    NoReview,
    /// Another job of the kind runs.
    #[error("{0} is already running. Stop it first, or wait until it is done")]
    Busy(&'static str),
    /// The file name says no known format.
    #[error("The ending says no format; give it one of {endings}: {0}", endings = ExportForm::ENDINGS)]
    UnknownFormat(PathBuf),
    /// A step that other layers refused.
    #[error("{0}")]
    Refused(String),
}
