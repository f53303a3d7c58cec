//! What a training makes small, as functions of logits `[N, C, H, W]` and labels `[N, H, W]`.
//!
//! Labels from C on ([`IGNORE`] is one) cost and teach nothing in any of them, and no axis is ever
//! indexed by a label, because the indexing kernels of graphics cards do not check.

mod compared;
mod cross_entropy;
mod error;
mod focal;
mod lovasz;
mod overlap;
mod term;
#[cfg(test)]
mod test_pixels;
#[cfg(test)]
mod tests;
mod total;

pub use cross_entropy::{IGNORE, PixelLoss, cross_entropy};
pub use error::LossError;
pub use focal::focal;
pub use lovasz::lovasz_softmax;
pub use overlap::{Overlap, dice_loss};
pub use term::{Loss, LossTerm};
pub use total::LossTotal;
