//! Flood fill: the pixels that are joined to one by sides and have its class.
//!
//! Tiles are filled by themselves, on rayon's threads, 256 pixels of a row at once; what comes out
//! at their sides goes into their neighbors in the next wave, until nothing comes out anymore.

mod cover;
mod line;
mod paint;
mod region;

pub use region::FillLimits;
