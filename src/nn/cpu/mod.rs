//! Layers for the processor: what Burn's own do there, in less time and memory.
//!
//! Tensors elsewhere, of other types or of shapes that nothing here is for go to Burn. Sums are
//! made in an order that follows from the shapes alone: the number of threads changes no bit.
//!
//! - [`conv2d`], [`convolve`], [`double`]: convolutions, their slopes by hand.
//! - [`batch_normed`]: a batch norm with what follows it, one operation there and back.
//! - [`Activation`]: in place where nobody else has the numbers.

mod activation;
mod batch_norm;
#[cfg(test)]
mod bypass;
mod conv;
mod correlate;
mod depthwise;
mod doubling;
mod kernel;
mod norm;
mod ops;
mod scratch;
mod simd;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod test_numbers;
mod weight_slope;
mod window;

pub use activation::Activation;
pub use conv::{conv2d, convolve, double};
pub use norm::batch_normed;
pub use simd::simd_bits;
