//! Ground that looks like other ground.
//!
//! What the pretrained encoder sees of a whole image is computed once and kept as one short vector
//! for each cell of a grid; a question is then a product of numbers, answered at once.

mod index;
mod order;
mod rank;
mod store;

pub use index::FeatureIndex;
pub(super) use order::run;
pub use order::{KeptLooks, SimilarEvent, SimilarOrder};
pub use rank::Alike;
pub use store::FeatureStore;
