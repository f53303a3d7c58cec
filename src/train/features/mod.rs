//! What an encoder that holds still sees in a patch never changes, so it is computed once and kept:
//! in memory up to a bound, beyond that in a file that ends with the training.
//!
//! Training then draws from a fixed pool of patches, each varied once; which patch is which follows
//! from the recipe's numbers alone, so a training that goes on computes the same pool again.

mod config;
mod holding;
mod kept;
mod pace;
mod packed;
mod pool;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unfreezing;

pub use config::{FeatureConfig, KeepFeatures, Precision};
pub(super) use kept::KeptFeatures;
