//! A recipe as a form: every field with a line of help, what differs from the preset, and how
//! patches are varied.

mod augment;
mod bands;
mod best_class;
mod field;
mod fields;
mod ground_fields;
mod keep;
mod learner_fields;
mod loss;
mod more;
mod page;
mod parts;
mod preview;
mod rate;
mod row;
mod tree;

pub use more::Draft;
pub use page::recipe_page_ui;
pub use preview::PatchPreview;
