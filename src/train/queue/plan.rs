use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Trial;
use super::ledger::Ledger;
use crate::train::data::check_name;
use crate::train::{TrainData, TrainError, WallClock};

/// A queue that can start.
#[derive(Clone, Debug)]
pub struct QueuePlan {
    folder: PathBuf,
    trials: Vec<Trial>,
    pub(super) cache_bytes: usize,
    /// Whether a trial that may work another time ends the queue where it fails.
    pub(super) is_strict: bool,
    /// Tells when a trial begins.
    pub(super) clock: Option<WallClock>,
}

impl QueuePlan {
    /// Does `trials` in their order in `folder`, which may hold some of them already; at most
    /// about `cache_bytes` of decoded images are kept.
    ///
    /// # Errors
    /// When there is no trial, one does not work, two have one name, or a path is no text.
    pub fn new(
        folder: PathBuf,
        trials: Vec<Trial>,
        cache_bytes: usize,
    ) -> Result<Self, TrainError> {
        check_name(&folder)?;
        let mut names = BTreeSet::new();
        for trial in &trials {
            check_name(&trial.data)?;
            trial.check()?;
            if !names.insert(trial.name.to_lowercase()) {
                return Err(TrainError::Queue(format!(
                    "Two trials are called {}; give each its own name",
                    trial.name
                )));
            }
        }
        if trials.is_empty() {
            return Err(TrainError::Queue("There is nothing to train".to_owned()));
        }
        Ok(Self {
            folder,
            trials,
            cache_bytes,
            is_strict: false,
            clock: None,
        })
    }

    /// Notes in each run folder when its training began, by `clock`.
    #[must_use]
    pub const fn timed(mut self, clock: Option<WallClock>) -> Self {
        self.clock = clock;
        self
    }

    /// The queue that was begun in `folder`.
    ///
    /// # Errors
    /// When there is none, or its file is damaged.
    pub fn begun(folder: PathBuf, cache_bytes: usize) -> Result<Self, TrainError> {
        let trials = Ledger::read(&folder)?.trials;
        Self::new(folder, trials, cache_bytes)
    }

    /// Ends where a trial fails that may work another time, such as on a full disk, instead of
    /// going on without it: for who compares the trials with each other.
    #[must_use]
    pub(in crate::train) const fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Whether the trials that its folder lists are all done.
    pub fn is_over(&self) -> bool {
        let ledger = Ledger::read(&self.folder);
        ledger.is_ok_and(|ledger| ledger.num_done() >= self.trials.len())
    }

    /// The folder that holds the run folders.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The trials in their order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// What a trial learns from: an image with its label, and what was corrected of a data set, are
    /// kept beside the queue.
    pub(super) fn data_of(&self, trial: &Trial) -> TrainData {
        let kept = TrainData::of_run(&self.folder).ok();
        let kept = kept.filter(|data| data.is_at(&trial.data));
        kept.unwrap_or_else(|| TrainData::folder(trial.data.clone()))
    }

    /// Where the run of a trial lies.
    pub fn run_of(&self, trial: &Trial) -> PathBuf {
        self.folder.join(&trial.name)
    }
}
