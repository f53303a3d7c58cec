//! Simpler borders for regions of pixels, the same on both sides of each border.
//!
//! Borders are cut into arcs where three or more regions meet. Each arc is simplified once and
//! both its regions take it, so no gap and no overlap can arise between them. Arcs that would
//! meet others get corners back until none do.

mod arcs;
mod corners;
mod crossing;
mod generalize;
mod grid;
mod overlap;
mod shorten;
mod small;
mod square;
mod untangle;

pub use generalize::{Generalize, generalize, generalize_mask};
