//! Finds what two parts of a data set, or two data sets, share and should not: the same files or pixels, copies,
//! common ground, neighboring frames and tiles.
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
mod report;
#[cfg(test)]
mod stories;
mod thumb;
mod trace;
mod turn;
mod vote;

pub use between::{LeakSet, find_leaks_between};
pub(super) use equal_files::alike_files;
pub use find::{LeakHooks, LeakLimits, LeakSample, find_leaks};
pub use report::{Leak, LeakExample, LeakKind, LeakReport};
pub use trace::pixel_fingerprint;
