//! What a training reads: pairs on disk, held-out ground, patches, augmentation and statistics.
//!
//! Everything is a function of the files and a seed; nothing here knows tensors, networks or
//! windows, and no two threads can make an answer differ.

mod augment;
mod cells;
mod error;
mod files;
mod ground;
mod keep;
mod layout;
pub mod leaks;
pub mod parts;
mod patch;
mod rng;
mod sites;
mod split;
mod stats;
mod window;

pub use augment::Augment;
pub use error::DatasetError;
pub use files::FileSet;
pub use ground::{Ground, Scene};
pub use keep::{Counted, PatchFilter};
pub use layout::{IMAGE_FOLDERS, MASK_FOLDERS, Pair, RASTER_EXTENSIONS, find_pairs};
pub use patch::{Batch, PatchConfig, PatchSource};
pub use rng::{Rng, hash};
pub use split::{Split, SplitKind, SplitReport};
pub use stats::{Normalization, class_weights};
pub use window::{MirroredWindow, read_mirrored};
