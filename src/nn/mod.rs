//! Networks, losses and weights, so that the training loop reads like a method section.
//!
//! This layer knows tensors only: no files but weight bytes, no images, no classes by name, no
//! randomness of its own (whoever builds a network hands in the numbers to start from).

mod cross_entropy;
mod dice;
mod double_conv;
mod encoder;
mod family;
mod layers;
mod memory;
mod model;
mod network;
mod norm;
mod padding;
mod pool;
mod resize;
#[cfg(test)]
mod test_network;
mod weight_count;
mod weights;

pub use cross_entropy::{IGNORE, PixelLoss, cross_entropy};
pub use dice::{Overlap, dice_loss};
pub use encoder::EncoderKind;
pub use family::Family;
pub use model::{DecoderUp, ModelConfig};
pub use network::Network;
pub use norm::NormKind;
pub use resize::{resize_bilinear, resize_matrix};
pub use weights::{WeightsError, read_weights, write_weights};
