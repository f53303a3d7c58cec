//! An image and its mask cut into files of one size, in training, validation and test ground.

mod plan;
mod png_tile;
mod room;
mod shapes;
mod split;
mod write;

pub use plan::{Edge, MAX_TILE_SIDE, Tile, TilePlan};
pub use shapes::TileShapes;
pub use split::{Part, SplitTiles, TileShares, split_tiles};
pub use write::{TileReport, TileWork, write_tiles};
