//! Runs as people look at them: folders of plain files, read by jobs whenever they change.

mod command;
mod export;
mod look;
mod samples;
mod shelf;

pub use command::RunsCommand;
pub use look::RunStatus;
pub use samples::RunSamples;
pub use shelf::{RunEntry, Runs};

pub(super) use shelf::RunsReport;
