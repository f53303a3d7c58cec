//! Many images as one: VRT files of GDAL, adjoining files on one grid, and folders of tiles.
//!
//! Files are opened when somebody reads them and only from the mosaic's own folder or below it.
//! One that is missing or broken makes an error of what is read of it, not of the rest.

mod compose;
mod direct;
mod index;
mod inside;
mod join;
mod kept;
#[cfg(test)]
mod made;
mod nesting;
mod parts;
mod place;
mod source;
mod stack;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_kept;
#[cfg(test)]
mod tests_of_bounds;
#[cfg(test)]
mod tests_of_files;
mod text;
mod tile_folder;
mod vrt;
mod vrt_bands;
mod xyz;

pub use join::{MosaicError, MosaicReport, mosaic_of, write_mosaic};
pub(super) use nesting::Nesting;
pub(super) use source::Mosaic;
pub use stack::write_stack;
pub(super) use vrt::{is_vrt, open_vrt};
pub(super) use xyz::TilePyramid;
pub use xyz::is_tile_folder;
