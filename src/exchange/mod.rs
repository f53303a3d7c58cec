//! Labels from and for other programs: polygons of class regions and polygons as classes.
//!
//! This layer knows formats. What pixels and classes are is `label`'s subject.

mod chains;
mod error;
mod geojson_read;
mod geojson_write;
mod open;
mod polygonize;
mod rows;
mod sweep;
#[cfg(test)]
mod test_masks;

pub use error::VectorError;
pub use geojson_read::{Shape, VectorLayer, read_geojson};
pub use geojson_write::write_geojson;
pub use polygonize::{Region, polygonize};
