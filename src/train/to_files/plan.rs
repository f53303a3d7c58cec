use std::path::{Path, PathBuf};

use crate::geom::PixelRect;
use crate::train::{
    Certainty, DecisionThreshold, DeviceChoice, Flips, PredictReport, SavedModel, TrainError,
};

/// One image and where its prediction goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileTask {
    /// The image.
    pub image: PathBuf,
    /// The mask to write: `.tif`, or `.png`, for which the whole mask is held in memory.
    pub out: PathBuf,
    /// For each measure of the plan the file that says how sure the network is.
    pub sure: Vec<PathBuf>,
    /// What is predicted, in pixels of the image; all of it when there is nothing.
    pub areas: Vec<PixelRect>,
}

impl FileTask {
    /// The mask and the files that say how sure the network is.
    pub fn written(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.out).chain(&self.sure)
    }
}

/// What happens to a prediction that was begun, or done, before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfBegun {
    /// One that is unfinished is refused; a finished one is replaced.
    #[default]
    Refuse,
    /// It goes on; what is finished is left as it is.
    GoOn,
}

/// Predictions of images into files, with one model.
#[derive(Clone, Debug)]
pub struct FilesPlan {
    pub(super) model: SavedModel,
    pub(super) device: DeviceChoice,
    pub(super) flips: Flips,
    pub(super) threshold: DecisionThreshold,
    pub(super) measures: Vec<Certainty>,
    pub(super) if_begun: IfBegun,
    pub(super) replaces: bool,
    pub(super) tasks: Vec<FileTask>,
}

impl FilesPlan {
    /// Predicts with the model in `model`: a run folder or one checkpoint's folder.
    ///
    /// # Errors
    /// When the model cannot be read.
    pub fn new(
        model: &Path,
        device: DeviceChoice,
        tasks: Vec<FileTask>,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            model: SavedModel::load(model)?,
            device,
            flips: Flips::None,
            threshold: DecisionThreshold::default(),
            measures: Vec::new(),
            if_begun: IfBegun::Refuse,
            replaces: false,
            tasks,
        })
    }

    /// Looks at mirror images of each window as well.
    #[must_use]
    pub const fn flipped(mut self, flips: Flips) -> Self {
        self.flips = flips;
        self
    }

    /// Predicts the second of two classes from this probability on.
    ///
    /// # Errors
    /// When the model has not two classes.
    pub fn decided_at(mut self, threshold: DecisionThreshold) -> Result<Self, TrainError> {
        let num_classes = self.model.card().num_classes;
        if threshold.of_classes(num_classes) != threshold {
            return Err(TrainError::ThresholdOf(num_classes));
        }
        self.threshold = threshold;
        Ok(self)
    }

    /// Says in these ways how sure the network is; each task names a file for each.
    #[must_use]
    pub fn measured_by(mut self, measures: &[Certainty]) -> Self {
        self.measures = measures.to_vec();
        self
    }

    /// Says what happens to what was begun before.
    #[must_use]
    pub const fn if_begun(mut self, if_begun: IfBegun) -> Self {
        self.if_begun = if_begun;
        self
    }

    /// Says whether one that goes on replaces what is there and is not of the same prediction,
    /// which is refused otherwise.
    #[must_use]
    pub const fn replacing(mut self, replaces: bool) -> Self {
        self.replaces = replaces;
        self
    }

    /// The measures that are written, and behind them that which the threshold decides by.
    pub(super) fn looked_by(&self) -> Vec<Certainty> {
        let mut measures = self.measures.clone();
        if !self.threshold.is_half() && !measures.contains(&Certainty::Probability) {
            measures.push(Certainty::Probability);
        }
        measures
    }

    /// The model.
    pub const fn model(&self) -> &SavedModel {
        &self.model
    }
}

/// What predictions into files say. `at` counts the tasks from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum FilesEvent {
    /// Where it computes and why there.
    DeviceChosen {
        /// The device's name.
        name: String,
        /// A sentence for the user.
        reason: String,
    },
    /// An image is begun, or gone on with.
    Began {
        /// The task.
        at: usize,
        /// Blocks that were finished before.
        kept_blocks: u64,
        /// Blocks in all.
        total_blocks: u64,
        /// Where blocks are kept until all are finished.
        part: PathBuf,
        /// What the user should know.
        notes: Vec<String>,
    },
    /// How far it is; lost when the listener is behind.
    Progress {
        /// The task.
        at: usize,
        /// Blocks done.
        done_blocks: u64,
        /// Blocks in all.
        total_blocks: u64,
    },
    /// A task is over; the next one follows.
    Ended {
        /// The task.
        at: usize,
        /// How.
        end: FileEnd,
    },
}

/// How the prediction of an image ended.
#[derive(Clone, Debug, PartialEq)]
pub enum FileEnd {
    /// Its files are written.
    Done(PredictReport),
    /// They were written before, by the same prediction.
    DoneBefore,
    /// What failed, why, and what to do.
    Failed(String),
}
