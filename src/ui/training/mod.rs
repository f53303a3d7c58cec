//! The training area: runs with their curves, classes, confusion and pictures, and runs compared.

mod actions;
mod area;
mod bar;
mod chart;
mod chart_sheet;
mod chart_words;
mod class_table;
mod compare;
mod confusion;
mod curves;
mod data;
mod header;
mod judging;
mod list;
mod look;
mod marks;
mod picture;
mod preparing;
mod recipe;
mod samples;
mod scores;
mod search;

pub use actions::perform;
pub use area::{Page, TrainingArea, training_ui};
pub use bar::{pause_ui, room_ui};
pub use class_table::{figure_help, swatch_ui};
pub use confusion::{MatrixNumbers, confusion_ui};
pub use data::{Correction, look_at};
pub use recipe::{Draft, take_list};
pub use search::{entries_ui, has_trials, sheet_ui};
