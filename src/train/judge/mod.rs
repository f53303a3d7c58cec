//! Judging a run that has ended: its best network predicts the held-out ground the way the Predict
//! button does, and what comes out is compared with the labels at their own size.
//!
//! Nothing here happens by itself. Each judging of a part is counted in its file.

mod ground;
mod plan;
mod run;
mod tally;
#[cfg(test)]
mod tests;
mod thumbnail;

pub(super) use ground::{PartGround, Unit};
pub use plan::{JudgeEvent, JudgePlan};
pub(super) use run::{choosing_for, predicted_unit, run};
pub(super) use thumbnail::thumbnail_path;
