//! Finds what two parts of a data set, two data sets, or two parts of one image share and should
//! not: the same files or pixels, copies, common ground, neighboring frames and tiles. And it tells
//! images that are put together of cells, whose blocks are no parts to hold out.
//!
//! Each image is read once and remembered as some kilobytes: a number for its exact pixels, a
//! thumbnail, and places that its content alone chooses, described in two ways: landmarks, which
//! find small overlaps at one scale and by quarter turns, and keypoints, which find what was turned
//! by any angle and resized to 0.5 to 2 times, as augmentation does. It knows no networks and no
//! labels; what it says is a matter of images and their names.

mod affordable;
mod augmented;
#[cfg(test)]
mod augmented_stories;
mod between;
mod blur;
mod copies;
mod equal_files;
mod find;
mod ground;
mod index;
mod keypoint;
mod landmark;
mod names;
mod overlap;
mod patchwork;
mod places;
mod repeats;
mod report;
mod seam_grid;
mod seams;
mod shown_twice;
mod shrink;
mod spots;
#[cfg(test)]
mod stories;
mod thumb;
mod trace;
mod turn;
mod vote;
mod warp;

pub use between::{LeakSet, find_leaks_between};
pub(super) use equal_files::alike_files;
pub use find::{LeakHooks, LeakLimits, LeakSample, find_leaks};
pub use patchwork::Patchwork;
pub(super) use patchwork::PatchworkFinder;
pub use repeats::{LeakBlocks, find_repeats};
pub use report::{Leak, LeakExample, LeakKind, LeakReport};
pub use trace::pixel_fingerprint;
