//! One pixel size for a whole run: what it is, and how images and labels of another size are read
//! in its grid.

mod grid_scale;
mod pixel_size;
mod run_pixels;
#[cfg(test)]
mod stories;
mod taps;

pub use grid_scale::GridScale;
pub use pixel_size::PixelSize;
pub use run_pixels::{RunPixels, image_meters, scale_for_model};
