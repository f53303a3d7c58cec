//! Answers from a few scribbles, while there is no model yet.
//!
//! What the pretrained encoder sees at several scales is computed once for each tile and kept, up to
//! a bound, as soon as ground is shown, scribbles or not; a linear head on it is learned anew from
//! all scribbles whenever there are more. What the head says is a function of image and scribbles
//! alone: neither the view nor what was asked before changes a pixel of it. Of scribbles in too many
//! tiles those of each class that are nearest to the middle of the view count, and answers of other
//! ones are made anew.

mod descent;
mod head;
mod mind;
mod scribbles;
mod seen;
mod sight;
mod store;
#[cfg(test)]
mod tests;
mod texture;

pub(super) use mind::run;
pub use mind::{InstantEvent, InstantMind, InstantOrder, InstantOutcome, InstantReport};
pub use sight::Sight;
