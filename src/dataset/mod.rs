//! What a training reads: data sets on disk, recognized and inspected; held-out ground, patches,
//! augmentation and statistics.
//!
//! Everything is a function of the files and a seed; nothing here knows tensors, networks or
//! windows, and no two threads can make an answer differ.

mod augment;
mod bands;
mod cells;
mod discover;
mod error;
mod files;
mod ground;
mod inspect;
mod keep;
mod layout;
pub mod leaks;
mod mask_notes;
pub mod parts;
mod patch;
mod patch_bands;
#[cfg(test)]
mod patch_fixture;
mod patch_preview;
mod patch_unlabeled;
mod pictures;
mod rare;
mod rng;
mod scale;
mod scan;
mod scene;
mod set_leaks;
mod set_parts;
mod shown;
mod sites;
mod split;
mod split_blocks;
mod split_files;
mod split_given;
mod split_leaks;
mod stats;
mod void_edges;
mod voids;
mod watch;
mod window;

pub use crate::exchange::Part;
pub use augment::{
    Augment, Augmentation, Border, Chance, Cutout, CutoutLabels, Elastic, PREVIEWED, PatchView,
    Shadow, Vary, preview,
};
pub use bands::{BandFacts, BandReading, Bands, ChannelKind};
pub use discover::{
    Corrections, Discovery, Layout, LayoutKind, MaskEncoding, MaskSource, OffPalette, Sample,
    SideTable, discover, discover_corrected,
};
pub use error::DatasetError;
pub use files::FileSet;
pub use ground::Ground;
pub use inspect::{
    ChannelStatistics, ClassCount, DepthCount, InspectOptions, Inspection, Majority, PartCount,
    PixelSizeCount, Problem, ProblemKind, Severity, SizeCount, inspect,
};
pub use keep::{ClassChoice, Counted, KeepRule, PatchFilter};
pub use layout::{IMAGE_FOLDERS, MASK_FOLDERS, Pair, find_pairs};
pub use patch::{Batch, PatchConfig, PatchSource};
pub use rare::RareClasses;
pub use rng::{Rng, hash};
pub use scale::{GridScale, PixelSize, RunPixels, image_meters, scale_for_model};
pub use scene::Scene;
pub use set_parts::SetParts;
pub use split::{Split, SplitKind, SplitReport};
pub use stats::{ClassBalance, Normalization, class_weights};
pub use watch::Watch;
pub use window::{MirroredWindow, read_mirrored};
