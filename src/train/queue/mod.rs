//! Many trainings one after the other: folds, repeats with other seeds, other recipes.
//!
//! A queue is a folder with one run folder a trial and `queue.json`, which says what is to be done
//! and what came of it. Whatever stopped it, it goes on from there: what is done is left alone,
//! what was begun goes on where it was, what failed is noted and tried again. Where a trial's folder
//! holds another run, nothing is done.

mod event;
mod ledger;
mod plan;
mod run;
mod stage;
mod table;
#[cfg(test)]
mod tests;
mod trial;

pub use event::{QueueEvent, QueueReport, TrialEnd};
pub use plan::QueuePlan;
pub(super) use run::{run, work};
pub use table::QueueTable;
pub use trial::Trial;
