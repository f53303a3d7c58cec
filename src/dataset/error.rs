use std::io;
use std::path::PathBuf;

use crate::geom::ImageSize;
use crate::label::MaskError;
use crate::raster::{OpenError, ReadError};

/// Why a training set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A folder could not be listed.
    #[error("Cannot list the folder ({source}); check that it exists and may be read: {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has no images, no masks, or none that belong together.
    #[error("{what}; expected images/ with masks/ or groundtruth/, matched by file name: {path}")]
    NoPairs {
        /// What is missing.
        what: String,
        /// The folder that was searched.
        path: PathBuf,
    },
    /// An image could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Pixels could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A mask could not be read.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// Image and mask do not lie on one grid.
    #[error(
        "The mask has {mask} pixels but its image has {image}; export the mask on the image's \
         grid: {path}"
    )]
    SizeDiffers {
        /// Extent of the image, in words.
        image: String,
        /// Extent of the mask, in words.
        mask: String,
        /// The mask.
        path: PathBuf,
    },
    /// A mask holds a class that the table does not have.
    #[error(
        "A mask holds class {class}, but the class table ends at {last}; add the class or fix the \
         mask: {scene}"
    )]
    UnknownClass {
        /// The value in the mask.
        class: u8,
        /// The highest class of the table.
        last: usize,
        /// The image or mask it was found in.
        scene: String,
    },
    /// A folder is a collection.
    #[error("The folder holds several data sets; choose one of {names}: {path}")]
    Several {
        /// Their folders.
        names: String,
        /// The folder.
        path: PathBuf,
    },
    /// A list of samples could not be read.
    #[error(
        "Cannot read the list of samples ({why}); check that it exists and may be read: {path}"
    )]
    List {
        /// What is wrong.
        why: String,
        /// The list file.
        path: PathBuf,
    },
    /// An image without a mask was asked for its mask.
    #[error("The image has no mask; label it, or leave it out of the training: {path}")]
    NoMask {
        /// The image.
        path: PathBuf,
    },
    /// Run lengths of a table cannot be a mask.
    #[error("The run lengths of \"{name}\" cannot be used: {reason}: {path}")]
    Runs {
        /// The image's name in the table.
        name: String,
        /// What is wrong and what to do.
        reason: String,
        /// The table.
        path: PathBuf,
    },
    /// What a person says of a data set does not fit it.
    #[error("{0}")]
    Correction(String),
    /// A variation of patches that makes no sense or cannot be done.
    #[error("{0}")]
    Augment(String),
    /// Pixels of one size cannot be read as those of another.
    #[error("{0}")]
    PixelSize(String),
    /// Images do not have the bands that are asked for.
    #[error("{0}")]
    Bands(String),
    /// Somebody asked to stop.
    #[error("Stopped on request")]
    Stopped,
    /// Nothing is labelled, or too little to hold some of it out.
    #[error("{0}")]
    TooLittle(String),
}

impl DatasetError {
    /// The complaint about an image and a mask of different extents.
    pub(super) fn size_differs(image: ImageSize, mask: ImageSize, path: PathBuf) -> Self {
        let words = |size: ImageSize| format!("{} × {}", size.width, size.height);
        Self::SizeDiffers {
            image: words(image),
            mask: words(mask),
            path,
        }
    }
}
