use std::io;
use std::path::PathBuf;

use super::Crs;
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

    /// The file's name says no form that can be written.
    #[error("Give the file the ending {endings}: {path}")]
    Ending {
        /// Those that can be.
        endings: &'static str,
        /// The file.
        path: PathBuf,
    },

    /// A layer has to be named, or the named one is not there.
    #[error("{reason}; name one of its layers ({layers}): {path}")]
    Layer {
        /// Why none was taken.
        reason: String,
        /// The names, separated by commas.
        layers: String,
        /// The file.
        path: PathBuf,
    },

    /// The polygons cannot be brought into the image's coordinate system.
    #[error(
        "The polygons are in {from} and the image in {to}, and {reason}. Bring them there first, \
         for example with: ogr2ogr -t_srs {to} moved.gpkg FILE"
    )]
    Reprojection {
        /// The coordinate system of the polygons.
        from: Crs,
        /// The coordinate system of the image.
        to: Crs,
        /// Why it cannot be done here.
        reason: String,
    },

    /// The image's place is of no use.
    #[error("The image's georeference maps it onto a line; correct it, or take another image")]
    Georeference,

    /// Nothing says what the classes are.
    #[error(
        "No polygon has the attribute “{attribute}”; name the one that says the class. The file \
         has: {found}"
    )]
    Attribute {
        /// The one that was looked for.
        attribute: String,
        /// Those that there are, separated by commas.
        found: String,
    },

    /// A number is no index of a class.
    #[error(
        "Feature {feature} has {value} as its “{attribute}”, and classes have the numbers 0 to 254; \
         correct it, or choose the attribute that says the class"
    )]
    NoIndex {
        /// The feature in the file, counted from 1.
        feature: u64,
        /// The attribute.
        attribute: String,
        /// Its value.
        value: i64,
    },

    /// A value stands for a class that there is not.
    #[error(
        "The value “{value}” stands for class {class}, which the class table does not have; add \
         the class, or choose another"
    )]
    UnknownClass {
        /// The attribute's value.
        value: String,
        /// The index it stands for.
        class: u8,
    },

    /// Tiles cannot be cut as asked.
    #[error("The tiles cannot be cut: {reason}")]
    TilePlan {
        /// What is wrong and what to do.
        reason: String,
    },

    /// A mask file does not lie on the image as decided.
    #[error("The mask cannot be laid onto the image: {reason}: {path}")]
    Unaligned {
        /// Why, and what to do.
        reason: String,
        /// The mask file.
        path: PathBuf,
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

    /// The steps of a history did not come.
    #[error("The changes could not be listed: {source}")]
    Steps {
        /// What whoever hands them over said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] ReplaceError),

    /// A mask or class table could not be written.
    #[error(transparent)]
    Mask(#[from] MaskError),
}
