//! The published experiments: what each trains, at a small and at its full size, and the page that
//! is written from its runs.
//!
//! What differs between them is data (`assets/experiments/*.toml`); a page comes from the files of
//! the runs alone, so it can be written anew at any time.

mod cell;
mod page;
mod pictures;
mod spec;
mod tables;
#[cfg(test)]
mod tests;
mod trials;
mod twin;

pub use cell::{Cell, CellResult};
pub use page::{ExperimentPage, PageReport};
pub use spec::{Experiment, ExperimentSpec, RunSize};
pub use trials::ExperimentChoice;
