use std::path::PathBuf;

use super::{FoldsOrder, SearchCommand};
use crate::dataset::Corrections;
use crate::train::{DeviceChoice, ScoredOn, Trial};

/// What a training learns from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrainOn {
    /// The open image and its label.
    #[default]
    OpenImage,
    /// All images with masks of a data set, in any arrangement that is recognized.
    Folder(PathBuf),
    /// The same, with what was recognized of it corrected.
    Corrected(PathBuf, Corrections),
    /// What a run read that was stopped or killed: it goes on, with its own recipe.
    Resume(PathBuf),
}

/// What a person asks of a training that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It rests after the batch that runs.
    Rest,
    /// It takes up where it rests.
    GoOn,
    /// Whether trainings wait between two steps while somebody works in the window.
    MakeRoom(bool),
}

/// What can be done with runs as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueCommand {
    /// Does trials one after the other in a folder; those that are done there are left alone.
    Start {
        /// The queue's folder.
        folder: PathBuf,
        /// The trials.
        trials: Vec<Trial>,
    },
    /// Goes on with a queue that was begun.
    GoOn {
        /// The queue's folder.
        folder: PathBuf,
    },
    /// Trains once for each portion of the data and from each seed, and writes a table of it.
    CrossValidate(Box<FoldsOrder>),
    /// Searches the choices of a recipe.
    Search(SearchCommand),
    /// Judges the best network of a run that has ended; each time is counted.
    Judge {
        /// The run folder.
        run: PathBuf,
        /// The part.
        on: ScoredOn,
        /// Where to compute; without, as the run did.
        device: Option<DeviceChoice>,
    },
}
