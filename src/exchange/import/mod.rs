//! Masks of other programs: what a file leaves open, what a person decided, and the way onto an
//! image's grid.

mod align;
mod alignment;
mod audit;
mod find_table;
mod ground;
mod load;
mod question;
#[cfg(test)]
mod test_files;

pub use align::align;
pub use alignment::Alignment;
pub use audit::{MaskAudit, audit_mask};
pub use find_table::find_table;
pub use ground::{ImageGround, PlaceRelation};
pub use load::load_mask_as;
pub use question::{Answer, Choice, Question};
