//! Which bands of images become the channels of a network, and how their samples become bytes.
//!
//! An image of any number of channels is read as a stack of RGBA8 pictures of three channels each,
//! so that everything behind knows colors only; samples of more than 8 bits are brought to bytes by
//! ranges that were measured once over the training ground.

mod choice;
mod facts;
mod picture;
mod range;
mod reading;

pub use choice::Bands;
pub use facts::BandFacts;
pub(super) use facts::ImageFacts;
pub(super) use range::measured_ranges;
pub use reading::{BandReading, ChannelKind};

/// The most channels that a network reads.
const MOST_CHANNELS: usize = 64;
/// Channels of a picture.
pub(super) const PICTURE_CHANNELS: usize = 3;
