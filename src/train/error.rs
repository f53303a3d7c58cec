use std::io;
use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::disk::ReplaceError;
use crate::label::MaskError;
use crate::nn::{LossError, WeightsError};
use crate::raster::ReadError;

/// Why a training or a prediction cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A number of the recipe is outside what works.
    #[error("The recipe does not work: {0}")]
    Recipe(String),
    /// A recipe file does not parse.
    #[error("The recipe cannot be read ({reason}); correct the file or choose another: {path}")]
    RecipeFile {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The threads that load patches ended early.
    #[error(
        "The next patches could not be loaded: {0}; go on with the training from its last state"
    )]
    Loading(String),
    /// What a training will need was tried and does not work.
    #[error("Nothing was trained yet: {what} failed. {why}")]
    Preflight {
        /// What was tried.
        what: &'static str,
        /// Why it failed and what to do, in sentences.
        why: String,
        /// Whether that may pass without a change of the recipe.
        may_pass: bool,
    },
    /// The disk has too little room for the run.
    #[error(
        "The run will write about {wanted} and the disk has {free} free; make room or choose \
         another folder: {path}"
    )]
    DiskFull {
        /// What the run will write, with its unit.
        wanted: String,
        /// What there is, with its unit.
        free: String,
        /// The run folder.
        path: PathBuf,
    },
    /// One patch at a time is too much.
    #[error(
        "The memory does not suffice for even one patch at a time ({0}); choose smaller patches, a \
         narrower network or another device"
    )]
    OutOfMemory(String),
    /// Pixels could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The class table could not be written.
    #[error(transparent)]
    Classes(#[from] MaskError),
    /// The run folder already holds a run.
    #[error("The folder already holds a run; choose another or remove it: {0}")]
    FolderTaken(PathBuf),
    /// The folder that a run is to go into holds files that are of no run.
    #[error(
        "The folder holds other files ({found}), and a run needs one of its own; name a new one: \
         {path}"
    )]
    FolderInUse {
        /// The first of them, by name.
        found: String,
        /// The folder.
        path: PathBuf,
    },
    /// A path is no text, which the files of a run would have to be able to name.
    #[error(
        "The name is no UTF-8 text, and the files of a run could not hold it; rename it or choose \
         another: {0}"
    )]
    NoText(PathBuf),
    /// The folder holds no run.
    #[error("The folder holds no run; choose the one with recipe.toml in it: {0}")]
    NoRun(PathBuf),
    /// A run held no ground out for a part.
    #[error(
        "The run held no {part} part out, so there is nothing to judge it on; train with a rule \
         that gives that part a share: {path}"
    )]
    NoPart {
        /// The part.
        part: &'static str,
        /// The run folder.
        path: PathBuf,
    },
    /// A queue does not work or cannot be read.
    #[error("{0}")]
    Queue(String),
    /// The folder holds no queue.
    #[error("The folder holds no queue of trainings: {0}")]
    NoQueue(PathBuf),
    /// A trial's folder holds a run of another recipe.
    #[error(
        "The folder holds a run of another recipe; choose another folder for this queue, or \
         remove that run: {0}"
    )]
    OtherRecipe(PathBuf),
    /// Somebody else trains into the folder, or judges what is in it.
    #[error(
        "Another Orthobrush trains or judges in this folder; wait for it, or name another: {0}"
    )]
    InUse(PathBuf),
    /// A folder holds trainings on other data.
    #[error(
        "The trainings in this folder were begun on other data, or with other corrections of it; \
         choose another folder: {0}"
    )]
    OtherData(PathBuf),
    /// An experiment does not work or its files cannot be read.
    #[error("{0}")]
    Experiment(String),
    /// A search file does not parse.
    #[error("The search cannot be read ({reason}); correct the file or choose another: {path}")]
    SearchFile {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// A search asks for what cannot be.
    #[error("The search does not work: {0}")]
    Search(String),
    /// The folder holds the trials of another search.
    #[error("The folder holds another search; choose another or remove it: {0}")]
    OtherSearch(PathBuf),
    /// A run is finished, or none.
    #[error("There is nothing to go on with: the run is finished, or there is none: {0}")]
    NothingLeft(PathBuf),
    /// A fine-tuning is over but was not judged.
    #[error(
        "The training is over and only its verdict is missing; `orthobrush finetune` with this \
         folder as --out gives it: {0}"
    )]
    NotJudged(PathBuf),
    /// A training cannot go on since its data changed.
    #[error(
        "The images or labels of this training are not what they were ({what}), so it cannot go \
         on; start a new one: {path}"
    )]
    GroundChanged {
        /// What is different.
        what: &'static str,
        /// The run folder.
        path: PathBuf,
    },
    /// A file of the run could not be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),
    /// A folder of the run could not be made or renamed.
    #[error(
        "The run cannot be written ({source}); check that the disk has space and the folder is \
         writable: {path}"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log of a run could not be written.
    #[error(
        "The log cannot be written ({source}); check that the disk has space and the folder is \
         writable: {path}"
    )]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of a trained model is missing or damaged.
    #[error("The model cannot be read ({reason}); choose a run folder or a checkpoint: {path}")]
    Model {
        /// What is wrong.
        reason: String,
        /// The file or folder.
        path: PathBuf,
    },
    /// A model's weights do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The loss does not work.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// An optimizer's state is damaged or belongs to another training.
    #[error("The state of the training cannot be read ({0}); start the training anew")]
    State(String),
    /// What is to be predicted is not there.
    #[error("The area to predict is not inside the image; choose one that is")]
    Area,
    /// No threshold of a decision.
    #[error(
        "A threshold lies between 0 and 1, without them, and {0} does not; 0.5 takes the likelier \
         class"
    )]
    Threshold(f64),
    /// A threshold for a model that has not two classes.
    #[error(
        "A threshold decides between two classes, and the model has {0}; leave the threshold out"
    )]
    ThresholdOf(usize),
    /// Blocks of an unfinished prediction lie beside the file.
    #[error(
        "A prediction into this file was begun before; go on with it (--resume), or remove what \
         there is of it: {0}"
    )]
    Unfinished(PathBuf),
    /// A prediction cannot go on since it was begun otherwise.
    #[error(
        "The prediction cannot go on: {what} not what it was begun with. Ask for the same again, \
         or remove what there is of it: {path}"
    )]
    OtherPrediction {
        /// What is different, with its verb: "the model is".
        what: &'static str,
        /// What there is.
        path: PathBuf,
    },
    /// Somebody else writes the same prediction.
    #[error("Another program predicts into this file just now; wait for it: {0}")]
    PredictedElsewhere(PathBuf),
    /// Finished blocks could not be kept or read.
    #[error(
        "The finished blocks cannot be kept ({source}); check that the disk has space and the \
         folder is writable: {path}"
    )]
    Blocks {
        /// Their file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The wanted device cannot be used.
    #[error("{0}")]
    Device(String),
    /// The loss is no number any more.
    #[error(
        "The training diverged in epoch {epoch}, step {step} (the loss is no number); the best \
         model so far is kept. Lower the learning rate and try again"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: u32,
        /// Step in the epoch, from 1.
        step: u32,
    },
    /// Numbers could not be read back from the device.
    #[error("The device stopped answering ({0}); train on the CPU or use smaller patches")]
    DeviceLost(String),
}

impl TrainError {
    /// Whether the same training may work another time: the disk refused, or somebody else was at
    /// work in the folder.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. }
                | Self::Write(_)
                | Self::Folder { .. }
                | Self::Log { .. }
                | Self::InUse(_)
                | Self::Preflight { may_pass: true, .. }
        )
    }
}
