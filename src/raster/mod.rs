//! Pixels from files: GeoTIFF, JPEG 2000, PNG, JPEG and WebP, a pyramid over them that is made on
//! demand, and a writer for tiled GeoTIFF.
//!
//! Headers are checked before anything is allocated, and no file can make this layer panic. It
//! knows neither classes nor windows, and it never changes a file that it reads.

mod beside;
mod cache;
mod checksum;
mod cog;
mod error;
mod jp2;
mod jpeg_file;
mod limits;
mod loader;
mod open;
mod plain;
mod png_file;
mod pyramid;
mod read_at;
mod rgba_tile;
mod shrink;
mod sketch;
mod source;
mod stretch;
mod sweep;
mod tiff;
mod turned;
mod webp_file;
mod writer;

pub use cache::TileCache;
pub use checksum::checksum;
pub use cog::{CogError, CogOptions, CogReport, Packing, write_cog};
pub use error::{OpenError, ReadError};
pub use loader::{Loaded, Loader};
pub use open::{open_raster, open_stored};
pub use pyramid::{Pyramid, TILE_SIZE};
pub use rgba_tile::RgbaTile;
pub use source::{BandSamples, Layout, RasterInfo, SampleType, TileSource};
#[cfg(test)]
pub(crate) use tiff::MadeBands;
pub use turned::Orientation;
pub use writer::{Compression, Overviews, PixelKind, TiffOptions, TiffWriter, WriteError};
