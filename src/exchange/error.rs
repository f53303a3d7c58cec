use std::io;
use std::path::PathBuf;

/// A file of polygons could not be read.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The disk does not give the file.
    #[error("Could not read the polygons ({source}). Check that the file is there: {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The file is not what it should be.
    #[error("The polygons cannot be used: {reason}. Correct the file or choose another: {path}")]
    Malformed {
        /// What is wrong and where.
        reason: String,
        /// The file.
        path: PathBuf,
    },
}
