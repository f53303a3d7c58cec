//! Encoders: from an image to maps of what is seen where, at five strides.
//!
//! To add one: a file here with a module that has `new`, `forward`, `channels` and `stride` as
//! [`Encoder`] has; a variant and a row of its table in `kind.rs`; a variant in `any.rs`.

mod any;
mod conv_norm;
mod kind;
mod lite0;
mod lite0_blocks;
#[cfg(test)]
mod lite0_reference;
mod lite0_weights;
mod plain;
mod resnet;

pub use any::Encoder;
pub use kind::EncoderKind;
pub use lite0::{FrozenLite0, Lite0, Norms};
