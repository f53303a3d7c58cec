//! What is kept: one SQLite file with the labels, every finished edit, the undo history, classes
//! and the state of each image.
//!
//! A call that returned is on the disk: neither a killed process nor a power cut loses it. This
//! layer knows no threads and no session; whoever calls it brings the clock.

mod classes;
mod elsewhere;
mod error;
mod images;
mod layers;
mod load;
mod pack;
mod pack_files;
mod pack_places;
mod places;
mod recovery;
mod schema;
mod steps;
mod store;
mod tally;
#[cfg(test)]
mod tests;

pub use classes::KeptClasses;
pub use elsewhere::TheirLabel;
pub use error::ProjectError;
pub use images::KeptImage;
pub use layers::{KeptStep, KeptTile, LayerKey, SourceFile};
pub use load::KeptLayer;
pub use pack::{PackProgress, Packed, pack};
pub use places::Bookmark;
pub use recovery::{Recovered, backup_path, recover};
pub use steps::OlderSteps;
pub use store::{Project, project_path};
pub use tally::MissingSteps;
