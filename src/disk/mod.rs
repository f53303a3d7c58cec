//! How bytes reach a disk: files are replaced whole or not at all, and memory is counted in bytes.
//!
//! This layer knows neither pixels nor windows.

mod budget;
mod replace;

pub use budget::MemoryBudget;
pub use replace::{ReplaceError, replace_file, replace_with};
