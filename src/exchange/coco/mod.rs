//! COCO instances (cocodataset.org, data format 1): regions of many images in one JSON file.
//!
//! Coordinates are pixel corners with y down, so that (0, 0) is the outer corner of the upper-left
//! pixel, as everywhere in this program. Run lengths go down the columns.

mod categories;
mod document;
mod paint;
mod read;
mod rle;
mod write;

pub use read::{CocoFile, CocoMask, read_coco};
pub use write::{CocoForm, CocoImage, CocoWriter};
