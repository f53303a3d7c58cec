use std::io;
use std::path::{Path, PathBuf};

/// A raster cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("Could not read the file ({source}). Check that it exists and may be read: {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder that holds no tiles.
    #[error("This is a folder, and an image file is wanted. Name one of the files in it: {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing in the file.
    #[error("The file is empty (0 bytes). Use another copy of it: {path}")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Neither TIFF nor JPEG 2000 nor PNG nor JPEG nor WebP, nor a mosaic of such.
    #[error(
        "This is neither a TIFF nor a JPEG 2000, PNG, JPEG or WebP image, nor a VRT of such. \
         Convert it with `gdal_translate INPUT OUTPUT.tif`: {path}"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The header contradicts itself or the file.
    #[error("The file is damaged ({reason}). Use another copy of it: {path}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file names another one that lies where nothing is read from.
    #[error(
        "The file refers to {what}, which is not read for safety. Move that file into the folder of \
         the VRT (or below it) and write the VRT anew, or make one file of all with \
         `gdal_translate IN.vrt OUT.tif -co TILED=YES`: {name} in {path}"
    )]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// What kind of a place is meant.
        what: &'static str,
        /// The other file, as it is named.
        name: String,
    },
    /// The file is sound, but its codec or its arrangement is not read here.
    #[error("{what} cannot be read here. Convert the file with `{advice}`: {path}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The codec or arrangement.
        what: String,
        /// A command line that makes a file that can be read.
        advice: &'static str,
    },
}

/// Pixels of an open raster cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("Could not read the file ({source}). Check that the disk is still there: {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the image does not decode.
    #[error("A part of the image is damaged ({reason}). Use another copy of the file: {path}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A part of the image is sound, but its codec or its arrangement is not read here.
    #[error("{what} cannot be read here. Convert the file with `{advice}`: {path}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The codec or arrangement.
        what: String,
        /// A command line that makes a file that can be read.
        advice: &'static str,
    },
    /// A file of a mosaic cannot be used.
    #[error(
        "A file of the mosaic cannot be used ({reason}). Put a sound copy of it there, or take it out \
         of the mosaic: {path}"
    )]
    Part {
        /// The file of the mosaic.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Indices were asked of an image with wide samples.
    #[error(
        "The image has {sample} samples, so it holds no class indices. Use a mask with 8 bits: {path}"
    )]
    NoIndices {
        /// The file.
        path: PathBuf,
        /// Name of the sample type.
        sample: &'static str,
    },
    /// A rectangle or a level that the image does not have.
    #[error("The program asked for pixels outside of the image; please report this: {path}")]
    Outside {
        /// The file.
        path: PathBuf,
    },
}

/// What went wrong inside a reader, before it is known for whom.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Damaged(String),
    Unsupported { what: String, advice: &'static str },
    NoIndices(&'static str),
    Outside,
}

/// Makes any TIFF that GDAL reads one that is read here.
pub(super) const RECODE: &str =
    "gdal_translate -co TILED=YES -co COMPRESS=DEFLATE -co BIGTIFF=IF_SAFER INPUT OUTPUT.tif";

/// As [`RECODE`], for a JPEG of which GDAL has to keep more than it does unasked.
pub(super) const RECODE_SCANS: &str = "gdal_translate --config GDAL_ALLOW_LARGE_LIBJPEG_MEM_ALLOC \
     YES -co TILED=YES -co COMPRESS=DEFLATE -co BIGTIFF=IF_SAFER INPUT OUTPUT.tif";

/// As [`RECODE`], for complex numbers, of which only the real parts can be shown.
pub(super) const RECODE_COMPLEX: &str = "gdal_translate -ot Float32 -co TILED=YES -co \
     COMPRESS=DEFLATE -co BIGTIFF=IF_SAFER INPUT OUTPUT.tif";

impl Fault {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            advice: RECODE,
        }
    }

    /// The same with where the damage is.
    pub(super) fn within(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Damaged(reason) => Self::Damaged(format!("{place}: {reason}")),
            other => other,
        }
    }

    pub(super) fn on_open(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => OpenError::Io { path, source },
            Self::Damaged(reason) => OpenError::Damaged { path, reason },
            Self::Unsupported { what, advice } => OpenError::Unsupported { path, what, advice },
            Self::NoIndices(_) | Self::Outside => OpenError::Damaged {
                path,
                reason: "it has no pixels".to_owned(),
            },
        }
    }

    pub(super) fn on_read(self, path: &Path) -> ReadError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => ReadError::Io { path, source },
            Self::Damaged(reason) => ReadError::Damaged { path, reason },
            Self::Unsupported { what, advice } => ReadError::Unsupported { path, what, advice },
            Self::NoIndices(sample) => ReadError::NoIndices { path, sample },
            Self::Outside => ReadError::Outside { path },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            return Self::damaged("it ends before its data does");
        }
        Self::Io(source)
    }
}
