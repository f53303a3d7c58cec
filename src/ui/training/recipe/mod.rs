//! A recipe as a form: every field with a line of help, what differs from the preset, and how
//! patches are varied.

mod augment;
mod bands;
mod best_class;
mod choice;
mod encoder_rates;
#[cfg(test)]
mod every_path;
mod field;
mod fields;
mod ground_fields;
mod keep;
mod learner_fields;
mod loss;
mod more;
mod page;
mod part_fields;
mod parted;
mod parts;
mod preview;
mod rate;
mod row;
mod tree;

pub use more::Draft;
pub use page::recipe_page_ui;
pub use parted::{ask_parts, counts_ui};
pub use parts::take_list;
pub use preview::PatchPreview;
