use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{EpochRow, Forecast, Remedy};
use crate::dataset::SplitReport;
use crate::geom::PixelRect;

/// What a training says.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainEvent {
    /// Where it computes and why there.
    DeviceChosen {
        /// The device's name.
        name: String,
        /// A sentence for the user.
        reason: String,
    },
    /// What is held out, and the image or the folder of the data set that is learned from.
    Split(SplitReport, Option<PathBuf>),
    /// Something is tried before the first epoch; lost when the listener is behind.
    Trying {
        /// What is tried, like "Opening each image".
        what: &'static str,
        /// How many of it are done.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// What the training takes: before its first epoch, or measured on its own first steps where it
    /// is short, goes on from a model or from a state.
    Forecast(Forecast),
    /// A step does not fit into the memory at once; what helps, in the order to try it in.
    Tight(Vec<Remedy>),
    /// The training rests; its device serves others.
    Paused,
    /// It goes on after a pause.
    GoesOn,
    /// A step is done; lost when the listener is behind.
    Step {
        /// Epoch, from 1.
        epoch: u32,
        /// Step in the epoch, from 1.
        step: u32,
        /// Steps in an epoch.
        steps: u32,
        /// The loss of the step's batch.
        loss: f64,
        /// Time that the step waited for its images.
        data_seconds: f64,
        /// Time that the device computed.
        compute_seconds: f64,
    },
    /// An epoch is done.
    EpochEnded(EpochRow),
    /// A new best checkpoint is on the disk.
    BestSaved {
        /// Epoch, from 1.
        epoch: u32,
        /// The checkpoint's folder.
        path: PathBuf,
        /// Whether it is better than the model that the training began with on the same held-out
        /// ground; also where that is not known.
        beats_start: bool,
        /// Whether its numbers are the best; else nothing chooses, and it is the last so far.
        is_chosen: bool,
    },
    /// Which part of the network learns, and how; nothing to act on.
    Explained(String),
    /// Something the user should know.
    Note(String),
    /// The training is over, by itself or because it was stopped.
    Finished(TrainReport),
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainStatus {
    /// By its recipe.
    Finished,
    /// By the user, or because it was to rest; what was best so far is kept.
    Stopped,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs of the recipe are done.
    #[default]
    AllEpochs,
    /// The epochs without progress were as many as the recipe's patience.
    NoProgress {
        /// The patience.
        patience: u32,
    },
    /// The recipe's time is over.
    TimeLimit {
        /// The limit.
        minutes: f64,
    },
    /// It rests, and can go on.
    FarEnough {
        /// The last epoch that it was to do.
        epoch: u32,
    },
    /// Somebody stopped it.
    Person,
}

impl StopReason {
    /// Whether the training is over or can go on.
    pub(super) const fn status(self) -> TrainStatus {
        match self {
            Self::AllEpochs | Self::NoProgress { .. } | Self::TimeLimit { .. } => {
                TrainStatus::Finished
            }
            Self::FarEnough { .. } | Self::Person => TrainStatus::Stopped,
        }
    }

    /// Why a training ended that completed `epochs` epochs, in a sentence that says when.
    pub fn after(self, epochs: u32) -> String {
        match self {
            Self::AllEpochs if epochs == 1 => "Finished its only epoch".to_owned(),
            Self::AllEpochs => format!("Finished all {epochs} epochs"),
            Self::NoProgress { .. } | Self::TimeLimit { .. } => {
                format!("{self}, ended after epoch {epochs}")
            }
            Self::FarEnough { .. } => self.to_string(),
            Self::Person => format!("Stopped by hand in epoch {}", epochs.saturating_add(1)),
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllEpochs => f.write_str("All epochs are done"),
            Self::NoProgress { patience: 1 } => f.write_str("An epoch brought no progress"),
            Self::NoProgress { patience } => write!(f, "No progress in {patience} epochs"),
            Self::TimeLimit { minutes } => write!(f, "The time limit of {minutes} min is reached"),
            Self::FarEnough { epoch } => write!(f, "Rests after epoch {epoch} and can go on"),
            Self::Person => f.write_str("Stopped by hand"),
        }
    }
}

/// What a training came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    /// How it ended.
    pub status: TrainStatus,
    /// Why it ended.
    #[serde(default)]
    pub reason: StopReason,
    /// Epochs that were completed.
    pub epochs: u32,
    /// The epoch whose weights are the best; 0 when no epoch was completed.
    pub best_epoch: u32,
    /// The best epoch's mean `IoU` over the held-out ground.
    pub best_mean_iou: Option<f64>,
    /// The folder of the best checkpoint; without a completed epoch that of the weights as they
    /// were when the training was stopped.
    pub checkpoint: PathBuf,
    /// The device's name.
    pub device: String,
    /// Time the whole training took.
    pub seconds: f64,
    /// What was held out.
    pub split: SplitReport,
}

/// What a prediction says.
#[derive(Clone, Debug, PartialEq)]
pub enum PredictEvent {
    /// Where it computes and why there.
    DeviceChosen {
        /// The device's name.
        name: String,
        /// A sentence for the user.
        reason: String,
    },
    /// How far it is; lost when the listener is behind.
    Progress {
        /// Blocks done.
        done_blocks: u64,
        /// Blocks in all.
        total_blocks: u64,
    },
    /// The share that is done, 0 to 1, also within blocks; lost when the listener is behind.
    Share(f64),
    /// A block is done.
    Block {
        /// Its place, in image pixels.
        rect: PixelRect,
        /// Its classes by row; 255 where the image has no data.
        classes: Vec<u8>,
        /// How sure they are by each measure of the plan, 0 to 254 (see [`super::Certainty`]); 255
        /// where there is no data.
        sure: Vec<Vec<u8>>,
    },
    /// From here on finished blocks are not kept, or none could be; why.
    NotKept(String),
    /// All blocks are done.
    Finished(PredictReport),
}

/// What a prediction came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictReport {
    /// Blocks that were computed.
    pub blocks: u64,
    /// Windows the network looked at; a window may be looked at more than once when memory is
    /// short, and windows without data are not.
    pub windows: u64,
    /// The device's name.
    pub device: String,
    /// Time it took.
    pub seconds: f64,
}
