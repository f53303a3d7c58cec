//! How gradients become weights: the rules, what is done to gradients before and to weights after,
//! and a state that is written down and read back to the last bit.
//!
//! State belongs to a parameter's path in its network, not to an identity made by chance, so that
//! it fits a network that was built anew.

mod average;
mod config;
mod flat_file;
mod gradients;
mod parameters;
mod rule;
mod state;
mod step;
#[cfg(test)]
mod test_line;
#[cfg(test)]
mod tests;
mod updates;

pub use config::{Adam, AdamW, OptimizerConfig, RmsProp, Sgd};
pub use step::Optimizer;
pub(in crate::train) use updates::ENCODER;
pub use updates::{Decays, RateGroup, UpdateConfig};
