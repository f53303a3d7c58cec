use std::io;
use std::path::PathBuf;

use crate::disk::ReplaceError;
use crate::label::MaskError;

/// Labels of another program could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The disk does not give the file.
    #[error("Could not read the file ({source}). Check that the file is there: {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The file is not what it should be.
    #[error("The file cannot be used: {reason}. Correct the file or choose another: {path}")]
    Malformed {
        /// What is wrong and where.
        reason: String,
        /// The file.
        path: PathBuf,
    },

    /// Tiles cannot be cut as asked.
    #[error("The tiles cannot be cut: {reason}")]
    TilePlan {
        /// What is wrong and what to do.
        reason: String,
    },

    /// The image's pixels did not come.
    #[error(
        "The image cannot be read for a tile ({reason}). Check its file and disk; tile: {path}"
    )]
    UnreadablePixels {
        /// What is wrong.
        reason: String,
        /// The tile that was to be written.
        path: PathBuf,
    },

    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),

    /// A mask or class table could not be written.
    #[error(transparent)]
    Mask(#[from] MaskError),
}
