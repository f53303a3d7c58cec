//! Networks, losses and weights, so that the training loop reads like a method section.
//!
//! This layer knows tensors only: no files but weight bytes, no images, no classes by name, no
//! randomness of its own (whoever builds a network hands in the numbers to start from).

mod cpu;
mod double_conv;
mod encoder;
mod family;
mod features;
mod heap;
mod layers;
mod loss;
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

pub use cpu::simd_bits;
pub use encoder::{EncoderKind, FrozenLite0, Lite0, Norms};
pub use family::{Family, Network};
pub use features::{Features, NUM_LEVELS};
pub use heap::{KeptMemory, share_one_heap};
pub use loss::{
    IGNORE, Loss, LossError, LossTerm, LossTotal, Overlap, PixelLoss, cross_entropy, dice_loss,
    focal, lovasz_softmax,
};
pub use model::{DecoderUp, ModelConfig};
pub use norm::NormKind;
pub use resize::{resize_bilinear, resize_matrix};
pub use weights::{WeightsError, read_weights, write_weights};
