//! Ground chosen by the image's own colors: the magic wand, superpixels and objects from hints.

mod bits;
mod blur;
mod clicks;
mod hint;
mod lab;
mod maxflow;
mod object;
mod object_color;
mod object_edge;
mod object_regions;
mod object_shape;
mod pieces;
mod region_graph;
mod slic;
mod superpixel;
mod wand;
mod wand_block;

pub use clicks::{clicks_to_iou, intersection_over_union};
pub use hint::{Hint, Side};
pub use object::ObjectFinder;
pub use superpixel::Superpixels;
pub use wand::{ReadPixels, Wand, wand};
