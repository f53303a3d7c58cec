//! Writes tiled GeoTIFF files of any size with little memory, whole or not at all.

mod directory;
mod encode;
mod geo;
mod options;
mod pending;
mod rows;
mod tiff_writer;

pub use options::{Compression, Overviews, PixelKind, TiffOptions, WriteError};
pub use tiff_writer::TiffWriter;
