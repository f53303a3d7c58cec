//! Makes a landscape from a seed, so that the program can be tried, tested and shown without data.
//!
//! A pixel is a pure function of the seed and its place. Features lie in cells that are made when a
//! block of pixels needs them, so an image of any size is painted band by band. This layer knows
//! how to write what it made, and nothing of training or windows.

mod band;
mod canvas;
mod field;
#[cfg(test)]
mod learnability;
mod noise;
mod paint_ground;
mod paint_road;
mod paint_tree;
mod paint_village;
mod plane;
mod road;
mod village;
mod water;
mod wood;
mod world;
mod write;

pub use band::{Band, paint_band};
pub use world::World;
pub use write::{SampleConfig, SampleError, SamplePaths, write_sample};
