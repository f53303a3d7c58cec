//! Confusion counts and every score that comes from them; the window and training share them.
//!
//! Pure: masks in, numbers out. This layer knows no files and no networks.

mod area;
mod binary;
mod bootstrap;
mod comparison;
mod confusion;
mod definition;
mod distance;
mod kappa;
mod kept_tiles;
mod per_image;
mod per_tile;
mod presence;
mod ranking;
mod ratio;
#[cfg(test)]
mod reference;
mod relaxed;
mod salt;
mod scores;
mod thresholds;
mod tiled_ground;

pub use area::{AreaEstimates, CheckedStratum, ClassArea, Margined};
pub use binary::BinaryCounts;
pub use bootstrap::{Estimate, PairedGain, paired_gain};
pub use comparison::{
    ClassChange, ComparedPredictions, PredictionComparison, TileComparison, TruthComparison,
};
pub use confusion::Confusion;
pub use definition::{Definition, Figure, POOLED_OR_PER_IMAGE};
pub use kappa::{ClassKappa, Kappa};
pub use kept_tiles::{PartConfusion, PartCounts, PartFact};
pub use per_image::{PerImage, PerImageScores};
pub use per_tile::{Counts, TileConfusion, TileCounts};
pub use presence::{Evidence, Presence, PresenceScores};
pub use ranking::{ProbabilityHistogram, Threshold};
pub use relaxed::{DEFAULT_RADIUS_PX, MAX_RADIUS_PX, RelaxedCounts};
pub use salt::{NUM_THRESHOLDS, SaltPrecision};
pub use scores::{ClassScores, Scores};
pub use thresholds::{RankingScores, TwoClassRanking};
pub use tiled_ground::TiledGround;
