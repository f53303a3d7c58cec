//! Masks from files and back: index and color-coded PNG, `GeoTIFF` with a color table, black and white.

mod load;
mod meaning;
mod rows;
mod save;
mod shades;
mod tally;
mod verify;

pub use load::{LoadedMask, load_mask};
pub use meaning::Encoding;
pub use save::{SaveAs, save_mask};
