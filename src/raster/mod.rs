//! Pixels from files: GeoTIFF, JPEG 2000, PNG, JPEG, WebP and mosaics of such, a pyramid over them
//! that is made on demand, and a writer for tiled GeoTIFF.
//!
//! Headers are checked before anything is allocated, and no file can make this layer panic. It
//! knows neither classes nor windows, and it never changes a file that it reads.

mod beside;
mod broken;
mod cache;
mod checksum;
mod cog;
mod draft;
mod error;
mod file_print;
mod halves;
mod jp2;
mod jpeg_file;
mod layers;
mod limits;
mod loader;
mod look;
mod lzw;
mod mosaic;
#[cfg(test)]
mod mutated;
mod open;
mod overviews;
mod plain;
mod png_file;
mod pyramid;
mod read_at;
mod rgba_tile;
mod shrink;
mod sketch;
mod source;
mod statistics;
mod stretch;
mod sweep;
mod tiff;
mod tile;
mod turned;
mod webp_file;
mod writer;

pub use broken::BrokenGround;
pub use cache::TileCache;
pub use checksum::checksum;
pub use cog::{CogError, CogOptions, CogReport, Packing, write_cog};
pub use error::{OpenError, ReadError};
pub use file_print::FilePrint;
pub use limits::MAX_WHOLE_BYTES;
pub use loader::{Loaded, Loader};
pub use look::{Contrast, GAMMAS, Look, Ramp, Shading, ShownBands};
pub use mosaic::{MosaicError, MosaicReport, is_tile_folder, mosaic_of, write_mosaic, write_stack};
pub use open::{RASTER_EXTENSIONS, files_beneath, has_raster_ending, open_raster, open_stored};
pub use overviews::{OverviewError, OverviewStore};
pub use pyramid::{Pyramid, TILE_SIZE};
pub use rgba_tile::RgbaTile;
pub use source::{BandSamples, Layout, RasterInfo, SampleType, TileSamples, TileSource};
pub use statistics::{BandValues, Statistics};
#[cfg(test)]
pub(crate) use tiff::MadeBands;
pub use tile::{Depth, Tile, TileFormat};
pub use turned::Orientation;
pub use writer::{
    BandMeaning, Compression, Overviews, PixelKind, TiffOptions, TiffWriter, WriteError,
};
