use std::path::PathBuf;

use crate::dataset::SplitReport;
use crate::train::{DeviceChoice, Judgement, RunRecord, ScoredOn, TrainError};

/// A judging that can start.
#[derive(Clone, Debug)]
pub struct JudgePlan {
    pub(super) run: PathBuf,
    pub(super) on: ScoredOn,
    pub(super) split: SplitReport,
    pub(super) device: DeviceChoice,
    pub(super) cache_bytes: usize,
}

/// What a judging says.
#[derive(Clone, Debug, PartialEq)]
pub enum JudgeEvent {
    /// The part was judged before, so often.
    JudgedBefore {
        /// The part.
        on: ScoredOn,
        /// Times.
        reads: u32,
    },
    /// How far it is; lost when the listener is behind.
    Progress {
        /// Images done.
        done: usize,
        /// Images in all.
        total: usize,
    },
    /// What went wrong that does not end it, in a sentence.
    Note(String),
    /// All images are done and the file is written.
    Finished(Box<Judgement>),
}

impl JudgePlan {
    /// Judges the best network of the run in `run` on one of its parts, with `cache_bytes` for
    /// decoded images, where its recipe computes.
    ///
    /// # Errors
    /// When there is no run, or it held no ground out for that part.
    pub fn new(run: PathBuf, on: ScoredOn, cache_bytes: usize) -> Result<Self, TrainError> {
        let record = RunRecord::load(&run)?;
        let none = || TrainError::NoPart {
            part: match on {
                ScoredOn::Validation => "validation",
                ScoredOn::Test => "test",
            },
            path: run.clone(),
        };
        let split = record.split.ok_or_else(none)?;
        let (files, blocks) = match on {
            ScoredOn::Validation => (&split.validation_files, &split.validation_blocks),
            ScoredOn::Test => (&split.test_files, &split.test_blocks),
        };
        if files.is_empty() && blocks.is_empty() {
            return Err(none());
        }
        Ok(Self {
            on,
            split,
            device: record
                .recipe
                .map(|recipe| recipe.device)
                .unwrap_or_default(),
            cache_bytes,
            run,
        })
    }

    /// Computes elsewhere than the training did.
    #[must_use]
    pub fn with_device(mut self, device: DeviceChoice) -> Self {
        self.device = device;
        self
    }
}
