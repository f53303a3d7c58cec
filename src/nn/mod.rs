//! Networks, losses and weights, so that the training loop reads like a method section.
//!
//! This layer knows tensors only: no files but weight bytes, no images, no classes by name, no
//! randomness of its own (whoever builds a network hands in the numbers to start from).

mod cross_entropy;
mod dice;
mod model;
mod resize;
mod unet;
mod weights;

pub use cross_entropy::{IGNORE, PixelLoss, cross_entropy};
pub use dice::{Overlap, dice_loss};
pub use model::{Family, ModelConfig};
pub use resize::{resize_bilinear, resize_matrix};
pub use unet::UNet;
pub use weights::{WeightsError, read_weights, write_weights};
