//! A training from its first look at the device to its report: the loop and what happens around its
//! steps.

mod clock;
mod epoch_end;
mod feed;
mod log_line;
mod outside;
mod preflight;
mod start;
#[cfg(test)]
mod tests;
mod training;
mod trial;

pub(super) use clock::Spent;
pub use clock::WallClock;
pub(super) use log_line::elapsed;
pub(super) use start::run;

use super::TrainError;
use crate::job::Cancelled;

/// Why the loop left early.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error(transparent)]
    Stopped(#[from] Cancelled),
    #[error(transparent)]
    Failed(#[from] TrainError),
}

impl Halt {
    /// What it was itself, so that whoever asked to stop is told so.
    fn into_cause(self) -> anyhow::Error {
        match self {
            Self::Stopped(cancelled) => cancelled.into(),
            Self::Failed(error) => error.into(),
        }
    }
}
