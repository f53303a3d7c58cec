//! Predicts an image block by block: overlapping windows on one grid, blended where they touch.
//!
//! A block's pixels depend on no other block, so any order, and any part, gives the same ones.

mod blend;
mod blocks;
mod ground;
mod kept;
mod plan;
mod predictor;
mod read_back;
#[cfg(test)]
mod stories;

pub(super) use blend::{Predicted, greatest};
pub use blocks::KeptBlocks;
pub use ground::DoneBlocks;
pub use kept::{BlockStore, KeptPrediction};
pub use plan::{BlockOrder, PredictPlan};
pub(super) use predictor::{Predictor, run};
