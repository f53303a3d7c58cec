//! Ground chosen by the image's own colors: the magic wand and superpixels.

mod bits;
mod lab;
mod pieces;
mod slic;
mod superpixel;
mod wand;
mod wand_block;

pub use superpixel::Superpixels;
pub use wand::{ReadPixels, Wand, wand};
