//! Searches and cross-validations: what is put together, what runs, and what it came to.

mod axes;
mod folds;
mod page;
mod plan;
mod sheet;
mod table;

pub use page::{has_trials, trials_ui};
pub use sheet::{SearchSheet, entries_ui, sheet_ui};
