//! Where things are: points, rectangles, tiles, cameras and map coordinates.
//!
//! Every coordinate carries its space in its type. Image space is level-0 pixels with the origin at
//! the outer corner of the upper-left pixel and y pointing down, so the centre of pixel (i, j) is
//! (i + 0.5, j + 0.5). Screen space is physical pixels of one canvas. This layer knows no files, no
//! pixels and no window.

mod camera;
mod georef;
mod plan;
mod pyramid_shape;
mod rect;
mod space;
mod tile;

pub use camera::{Camera, MAX_SCALE};
pub use georef::{GeoKeys, Georef, shown_system};
pub use plan::{TilePlan, TileQuad, plan_tiles};
pub use pyramid_shape::PyramidShape;
pub use rect::PixelRect;
pub use space::{ImagePoint, ImageRect, ImageSize, ScreenPoint, ScreenRect, ScreenSize};
pub use tile::TileKey;
