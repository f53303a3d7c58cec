//! A data set before it is learned from: what was recognized, what is in it, what is wrong.

mod classes;
mod contact;
mod correct;
mod correct_names;
mod correct_values;
mod facts;
mod page;
mod problems;

pub use contact::ContactSheet;
pub use correct::Correction;
pub use page::{data_ui, look_at};
