//! Judging a run that has ended: its best network predicts the held-out ground the way the Predict
//! button does, and what comes out is compared with the labels at their own size.
//!
//! Nothing here happens by itself, but for the validation part of two classes: it is judged before
//! the test part, which reads the threshold that it chooses. Each judging of a part is counted in its
//! file.

mod ground;
mod plan;
mod run;
mod tally;
#[cfg(test)]
mod tests;
mod thumbnail;

pub(super) use ground::{PartGround, Unit};
pub use plan::{JudgeEvent, JudgePlan};
#[cfg(test)]
use run::choosing_for;
pub(super) use run::{predicted_unit, run};
pub(super) use thumbnail::thumbnail_path;
