use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::train::{JudgeEvent, Recipe, TrainEvent};

/// What a queue says.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueEvent {
    /// A trial begins, or goes on.
    Began {
        /// Its place, from 0.
        at: usize,
        /// Trials in all.
        total: usize,
        /// Its name.
        name: String,
        /// Its run folder.
        run: PathBuf,
        /// How it is trained.
        recipe: Box<Recipe>,
    },
    /// What the training of the trial that runs says.
    Training(Box<TrainEvent>),
    /// What the judging of the trial that runs says.
    Judging(JudgeEvent),
    /// Something the user should know about the trial that runs.
    Note(String),
    /// A trial is over.
    Ended {
        /// Its place, from 0.
        at: usize,
        /// Trials in all.
        total: usize,
        /// How it ended.
        end: TrialEnd,
    },
    /// All trials are over.
    Finished(QueueReport),
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum TrialEnd {
    /// Trained, and judged where that was asked for.
    Done,
    /// Something did not work.
    Failed {
        /// What, in a sentence for the user.
        why: String,
    },
}

/// What a queue came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueReport {
    /// Trials that were done now.
    pub done: usize,
    /// Trials that were done before.
    pub left_alone: usize,
    /// Trials that failed.
    pub failed: usize,
}
