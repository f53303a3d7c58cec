//! Going on from a model with what a person corrected: what is learned from, what is held out for
//! a verdict, what earlier trainings learned from and is mixed in, and the verdict itself.
//!
//! Each fine-tuning is an ordinary run whose model names its parent, so that runs form a tree.

mod ahead;
mod ancestors;
mod family;
mod family_tree;
mod held_out;
mod image_print;
mod lineage;
mod model_ground;
mod noted_reads;
mod order;
mod pieces;
mod plan;
mod replay;
#[cfg(test)]
mod tests;
mod trained_ground;
mod verdict;
mod verdict_run;

pub use ancestors::{Ancestor, ancestors};
pub use family_tree::{Relative, family_tree};
pub use held_out::HeldOut;
pub(super) use image_print::{check_image_print, image_print, keep_image_print};
pub use lineage::{LearnedFrom, Lineage, Parent};
pub use model_ground::ModelGround;
pub use order::{FinetuneOptions, FinetuneOrder};
pub use replay::ReplaySources;
pub(super) use replay::{REPLAY_FILE, Replay, kept_replay};
pub use verdict::{
    Decision, Elsewhere, FEWEST_CELLS, Forgetting, Verdict, VerdictEvent, VerdictPlan, VerdictRow,
};
pub(super) use verdict_run::run as judge_finetuning;
