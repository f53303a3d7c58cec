use std::path::PathBuf;

use super::grouped;
use crate::disk::ReplaceError;
use crate::geom::ImageSize;
use crate::raster::{OpenError, ReadError, WriteError};

/// Something about a mask or its classes could not be done; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// A flood fill reached its limit.
    #[error(
        "The area is larger than {} pixels; nothing was filled. \
         Close the gap it leaks through, or raise the limit",
        grouped(*max_pixels)
    )]
    FillTooLarge {
        /// The limit.
        max_pixels: u64,
    },

    /// A flood fill was stopped.
    #[error("The fill was stopped; nothing was filled")]
    FillCancelled,

    /// A position is not in the mask.
    #[error("Position {x}, {y} is outside the mask of {size} pixels; choose one inside")]
    OutsideMask {
        /// Column.
        x: u32,
        /// Row.
        y: u32,
        /// Extent of the mask.
        size: ImageSize,
    },
    /// The image's pixels did not come.
    #[error("The image cannot be read here ({reason}); nothing was selected. Check its file")]
    UnreadablePixels {
        /// What is wrong.
        reason: String,
    },
    /// Stored bytes are not an edit.
    #[error("The stored edit is damaged ({reason}); it cannot be undone or redone any more")]
    DamagedEdit {
        /// What is wrong.
        reason: &'static str,
    },

    /// A class table breaks a rule.
    #[error("The class table is not valid: {reason}")]
    ClassTable {
        /// What is wrong and what to do.
        reason: String,
    },

    /// A `classes.toml` cannot be used.
    #[error("Could not use the class table ({reason}). Correct the file or choose another: {path}")]
    ClassFile {
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),

    /// An image cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),

    /// The pixels of an image cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),

    /// A `GeoTIFF` cannot be written.
    #[error(transparent)]
    WriteTiff(#[from] WriteError),

    /// A mask does not fit its image.
    #[error(
        "The mask has {found} pixels but the image has {expected}. \
         Choose the mask that belongs to this image: {path}"
    )]
    Size {
        /// Extent of the mask file.
        found: ImageSize,
        /// Extent of the image.
        expected: ImageSize,
        /// The mask file.
        path: PathBuf,
    },

    /// A file is sound, but it holds no mask.
    #[error("The mask cannot be used: {reason}: {path}")]
    NotAMask {
        /// What is wrong and what to do.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// A mask file cannot be read whole.
    #[error("The mask cannot be used: {reason}: {path}")]
    MaskFile {
        /// What is wrong and what to do.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// A mask cannot be said in the chosen kind of file.
    #[error("The mask cannot be saved so: {reason}, or save class indices: {path}")]
    Unwritable {
        /// What is in the way and what to do.
        reason: String,
        /// The file that was to be written.
        path: PathBuf,
    },

    /// A written file is not what was to be written.
    #[error(
        "The saved mask did not read back ({reason}); the old file is untouched. \
         Save to another disk and check this one: {path}"
    )]
    Unverified {
        /// What differs.
        reason: String,
        /// The file that was to be written.
        path: PathBuf,
    },

    /// No such encoding.
    #[error("Mask encoding \"{text}\" is unknown; use auto, index, binary or rgb")]
    UnknownEncoding {
        /// What was asked for.
        text: String,
    },
}

impl MaskError {
    /// Whether the file may well be something else than a mask of the image, rather than a damaged
    /// one.
    pub const fn is_of_no_mask(&self) -> bool {
        matches!(
            self,
            Self::NotAMask { .. } | Self::Size { .. } | Self::Read(ReadError::NoIndices { .. })
        )
    }
}
