//! Cloud Optimized GeoTIFF from any raster: tiles, overviews, masks and the place on the map, the
//! smallest overview first, so that a reader over a network finds all it needs at the start.
//!
//! Tiles of the source are taken over as they are wherever that is possible, so that only overviews
//! are packed anew. Memory holds one row of tiles of each level.

mod build;
mod edges;
mod file;
mod halving;
mod input;
mod numbers;
mod spool;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::error::{OpenError, ReadError};
use super::writer::WriteError;
use build::{Build, Parts};
use input::Input;

/// Quality of overviews that only a viewer reads.
const OVERVIEW_QUALITY: u8 = 90;
/// Side of their tiles: that of the viewer's own.
const OVERVIEW_TILE: u32 = 512;

/// How tiles are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// As those of the source; where that codec is only read here, by Deflate.
    #[default]
    AsSource,
    /// Not at all.
    None,
    /// LZW.
    Lzw,
    /// Deflate.
    Deflate,
    /// ZSTD.
    Zstd,
    /// JPEG, for grey and for colors of 8 bits.
    Jpeg,
}

/// How a Cloud Optimized GeoTIFF is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CogOptions {
    /// The codec.
    pub packing: Packing,
    /// Quality of JPEG, 1 to 100.
    pub quality: Option<u8>,
    /// Side of a tile in pixels, a multiple of 16 from 64 to 4096; that of the source, else 512.
    pub tile: Option<u32>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CogReport {
    /// Levels, the image itself included.
    pub levels: usize,
    /// Side of a tile in pixels.
    pub tile: u32,
    /// Whether tiles of the source were taken over as they are.
    pub is_copied: bool,
    /// Bytes of the file.
    pub bytes: u64,
}

/// A pyramid cannot be written; what was at its path is untouched.
#[derive(Debug, thiserror::Error)]
pub enum CogError {
    /// The source cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A part of the source cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file is to have another format's name.
    #[error("An image with overviews is a TIFF; give it a name that ends in .tif: {0}")]
    Ending(PathBuf),
    /// Somebody said so.
    #[error("Cancelled; nothing was written")]
    Cancelled,
}

/// Writes `input` with overviews to `out`, whole or not at all. `goes_on` is told the share that is
/// done, 0 to 1, and says whether to go on.
///
/// Colors of 8 bits are averaged in linear light, indices by the most frequent one, other numbers as
/// they are; nodata, opacity and masks are taken into account.
///
/// # Errors
/// [`CogError`] when `out` has not the ending of a TIFF, an option says nothing of it, the source
/// cannot be read, the disk refuses, or `goes_on` says no.
pub fn write_cog(
    input: &Path,
    out: &Path,
    options: &CogOptions,
    goes_on: &(dyn Fn(f64) -> bool + Sync),
) -> Result<CogReport, CogError> {
    let is_tiff = |ending: &OsStr| {
        ["tif", "tiff"]
            .iter()
            .any(|tiff| ending.eq_ignore_ascii_case(tiff))
    };
    if !out.extension().is_some_and(is_tiff) {
        return Err(CogError::Ending(out.to_owned()));
    }
    let input = Input::open(input)?;
    let mut build = Build::new(&input, out, options, Parts::All)?;
    build.run(goes_on)?;
    build.finish()
}

/// Writes the overviews of `input` alone, as a file beside it (`.ovr`) would hold them: for looking
/// at, so colors are packed with a little loss.
///
/// # Errors
/// As [`write_cog`].
pub(super) fn write_overviews(
    input: &Path,
    out: &Path,
    goes_on: &(dyn Fn(f64) -> bool + Sync),
) -> Result<CogReport, CogError> {
    let input = Input::open(input)?;
    let packing = input.packing_of_overviews();
    let options = CogOptions {
        packing,
        quality: (packing == Packing::Jpeg).then_some(OVERVIEW_QUALITY),
        tile: Some(OVERVIEW_TILE),
    };
    let mut build = Build::new(&input, out, &options, Parts::Overviews)?;
    build.run(goes_on)?;
    build.finish()
}
