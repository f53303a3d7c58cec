//! Which samples a network learns from, which choose it and which judge it.
//!
//! A [`PartRule`] and a plain list of samples give an [`Assignment`]; nothing here reads pixels, and
//! the answer depends on names, contents and a seed, never on the order of the files or the machine.

mod assign;
mod blocks;
mod folds;
mod group;
mod judge;
mod known;
mod lists;
mod name;
mod part;
mod rule;
mod share;
mod strata;
mod units;

pub use crate::exchange::Part;
pub use assign::assign_parts;
pub use blocks::{BlockChoice, BlockParts, PartBlock, block_parts};
pub use group::GroupBy;
pub use judge::cut_for_judging;
pub use lists::PartLists;
pub use name::{FrameName, TileName, TilePlace, frame_name, grid_corner, name_stem, tile_name};
pub use part::{AssignedSample, Assignment, SampleId};
pub use rule::{FoldUnit, ListFiles, PartRule, PartWay, Shares, Twins};
pub use strata::Strata;
