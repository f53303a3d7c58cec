//! Confusion counts and every score that comes from them; the window and training share them.
//!
//! Pure: masks in, numbers out. This layer knows no files and no networks.

mod confusion;
mod kappa;
mod per_tile;
mod scores;

pub use confusion::Confusion;
pub use kappa::{ClassKappa, Kappa};
pub use per_tile::TileConfusion;
pub use scores::{ClassScores, Scores};
