//! The one mutable owner of what is open: `Command` in, `Change` and `Notice` out.
//!
//! A [`Session`] is changed only by [`Session::apply`] and by the events of its own jobs, which
//! [`Session::pump`] absorbs. Windows, the command line and tests all speak [`Command`]. This layer
//! knows no widgets, no graphics card and no tensors.

mod apply;
mod asked;
mod checking;
mod classes;
mod command;
mod contest;
mod data;
mod doing;
mod doubts;
mod drawing_in;
mod error;
mod exporting;
mod finetuning;
mod folder_scan;
mod followed;
mod ground;
mod images;
mod importing;
mod ink;
mod instant;
mod instant_aside;
mod jobs;
mod joining;
mod keeping;
mod kept_places;
mod kept_prediction;
mod labels;
mod leash;
mod looking;
mod maker;
mod measures;
mod objects;
mod operations;
mod origins;
mod outcome;
mod overlays;
mod overviews;
mod palette;
mod place_command;
mod places;
mod prediction;
mod prediction_words;
mod preview;
mod progress;
mod queue_command;
mod queueing;
mod rate_search;
mod recipes;
mod review;
mod runs;
mod saving;
mod saving_all;
mod scoring;
mod searching;
mod selecting;
mod settings;
mod similar;
mod state;
mod strokes;
mod study;
mod superpixels;
mod teamwork;
mod thumbnails;
mod training;
mod training_command;
mod training_state;
mod unsaved;

pub use crate::project::Bookmark;
pub use checking::{CheckCommand, MOST_POINTS};
pub use command::{
    ClassCommand, Command, ImportCommand, LayerKind, ProjectCommand, SelectHow, SelectionCommand,
    StepTo, Tool,
};
pub use contest::{Contest, KeptComparison, PredictionCommand};
pub use data::{
    ContactTile, DataCommand, DataPhase, DataSet, MOST_PICTURES, Parted, SamplePictures, Varied,
    VariedPatch, inspect_command,
};
pub use drawing_in::Vectors;
pub use error::CommandError;
pub use exporting::ExportOrder;
pub use finetuning::{FinetuneCommand, FinetunePhase, FinetuneState};
pub use folder_scan::{companion_label, images_in};
pub use ground::{ScoredGround, is_unreviewed};
pub use images::{EntryStatus, ImageEntry, ImageList};
pub use importing::Examined;
pub use ink::{InkChoice, PredictionInk};
pub use instant::{InstantCommand, InstantState, MOST_ANSWERED};
pub use jobs::{Activity, JobId};
pub use joining::Joining;
pub use keeping::{ProjectPlace, Safety};
pub use kept_places::KeptPlace;
pub use operations::{Over, Wholesale};
pub use outcome::{Change, Notice, Severity};
pub use overlays::{Outline, Overlay, OverlayCommand};
pub use place_command::{PlaceCommand, ReviewCommand};
pub use prediction::{Predicting, PredictionState};
pub use prediction_words::{CopiedCommand, QueuedBy};
pub use preview::{MOST_PREVIEWED, Preview};
pub use queue_command::{FoldsOrder, SearchCommand};
pub use queueing::{JudgingState, QueueState, TrialPhase, TrialState};
pub use rate_search::RateSearch;
pub use recipes::RecipeCommand;
pub use review::{Difference, PlaceKind, Review};
pub use runs::{RunEntry, RunSamples, RunStatus, Runs, RunsCommand};
pub use scoring::{KeptScores, ScoreKey, ScoreScope};
pub use searching::{ReadSearch, SearchState, SearchTrialState};
pub use selecting::{Selected, WandSettings};
pub use settings::{Coordinates, MAX_RECENT, Panes, Settings};
pub use state::{ImageId, Layer, LayerId, OpenImage, Session, SessionConfig};
pub use superpixels::SUPERPIXEL_SIDES;
pub use teamwork::their_mask;
pub use training_command::{Pause, QueueCommand, TrainOn};
pub use training_state::{TrainingPhase, TrainingState};
