//! Writes tiled GeoTIFF files of any size with little memory, whole or not at all.

mod directory;
mod encode;
mod geo;
mod meaning;
mod options;
#[cfg(test)]
mod round_trip;
mod rows;
mod tiff_writer;

pub(super) use directory::{DirectoryBuilder, Form};
pub(super) use encode::TileCodec;
pub(super) use geo::write_georef;
pub use meaning::BandMeaning;
pub use options::{Compression, Overviews, PixelKind, TiffOptions, WriteError};
pub(super) use rows::{LevelRows, full_tile};
pub use tiff_writer::TiffWriter;
