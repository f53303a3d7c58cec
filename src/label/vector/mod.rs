//! Class regions as polygons and polygons as classes: exact tracing of a mask, scan conversion
//! back into one, and `GeoJSON` files of both.

mod chains;
mod error;
mod open;
mod polygonize;
mod rasterize;
mod read;
mod rows;
mod sweep;
#[cfg(test)]
mod test_masks;
mod write;

pub use error::VectorError;
pub use polygonize::{Region, polygonize};
pub use rasterize::rasterize;
pub use read::{Shape, VectorLayer, read_geojson};
pub use write::write_geojson;
