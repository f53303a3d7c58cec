//! Finds what two parts of a data set, two data sets, or two parts of one image share and should
//! not: the same files or pixels, copies, common ground, neighboring frames and tiles.
//!
//! Each image is read once and remembered as a few hundred bytes: a number for its exact pixels, a
//! thumbnail, and landmarks, places that its content alone chooses. It knows no networks and no
//! labels; what it says is a matter of images and their names.

mod affordable;
mod between;
mod blur;
mod copies;
mod equal_files;
mod find;
mod ground;
mod landmark;
mod names;
mod overlap;
mod repeats;
mod report;
mod shown_twice;
#[cfg(test)]
mod stories;
mod thumb;
mod trace;
mod turn;
mod vote;

pub use between::{LeakSet, find_leaks_between};
pub(super) use equal_files::alike_files;
pub use find::{LeakHooks, LeakLimits, LeakSample, find_leaks};
pub use repeats::{LeakBlocks, find_repeats};
pub use report::{Leak, LeakExample, LeakKind, LeakReport};
pub use trace::pixel_fingerprint;
