//! Class maps: class tables, the sparse mask, brushes and fills, edits and their history, mask files.
//!
//! A mask pixel changes only inside a transaction ([`Stroke`]) or by [`Mask::apply`]. This layer
//! knows no window and no project; of threads only what works on whole masks knows, and leaves them to
//! rayon.

mod bits;
mod brush;
mod builder;
mod class;
mod class_file;
mod cleanup;
mod codec;
mod delta;
mod edit;
mod edit_bytes;
mod error;
mod fill;
mod history;
mod lab;
mod levels;
mod mask;
mod outline;
mod palette;
mod pieces;
mod polygon;
mod replace;
mod runs;
mod selection;
mod slic;
mod span;
mod stroke;
mod superpixel;
mod tile;
mod tile_bytes;
mod tile_table;
mod vector;
mod wand;
mod wand_block;

pub use brush::{Brush, BrushShape, Ink, Paint, PaintOver};
pub use builder::MaskBuilder;
pub use class::{Class, ClassTable, Rgb};
pub use cleanup::{Cleanup, Control, MAX_CLEANUP_RADIUS, clean_up};
pub use codec::{Encoding, LoadedMask, SaveAs, load_mask, save_mask};
pub use edit::{ClassChange, DirtyRects, Edit, EditKind};
pub use error::MaskError;
pub use fill::FillLimits;
pub use history::{History, KeptHistory, StateMark};
pub use levels::{MaskLevels, rect_at_level};
pub use mask::{Mask, UNLABELED};
pub use palette::default_color;
pub use selection::Selection;
pub use span::Span;
pub use stroke::Stroke;
pub use superpixel::Superpixels;
pub use tile::{MASK_TILE_SIZE, MaskTile, TilePixels};
pub use vector::{
    Region, Shape, VectorError, VectorLayer, polygonize, rasterize, read_geojson, write_geojson,
};
pub use wand::{ReadPixels, Wand, wand};
