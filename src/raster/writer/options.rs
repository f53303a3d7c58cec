use std::io;
use std::path::PathBuf;

use super::meaning::BandMeaning;
use crate::geom::{Georef, ImageSize};
use crate::raster::limits::MAX_SIDE;

/// What the pixels of a written file are; rows are given in just this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PixelKind {
    /// Three bytes a pixel.
    Rgb,
    /// Four bytes a pixel, alpha not multiplied in.
    Rgba,
    /// One byte a pixel: a class, or a grey where there is no palette.
    Index {
        /// Color of each index, at most 256; missing ones are black.
        palette: Option<Vec<[u8; 3]>>,
    },
}

impl PixelKind {
    /// Bytes of a pixel.
    pub const fn bands(&self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
            Self::Index { .. } => 1,
        }
    }
}

/// How tiles are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Lossless; differences to the left neighbour for colors.
    Deflate,
    /// Lossless, less small than Deflate, and read by everything.
    Lzw,
    /// Lossless, as small as Deflate and several times as fast.
    Zstd,
    /// With loss; only for RGB and for greys without a palette.
    Jpeg {
        /// 1 to 100; 85 to 90 suits orthophotos.
        quality: u8,
    },
}

/// Which smaller copies of the image are written into the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overviews {
    /// None.
    None,
    /// Halved until one tile holds all: averages in linear light.
    Average,
    /// Halved until one tile holds all: the most frequent index.
    Mode {
        /// The index that stands only where all four pixels have it.
        void: u8,
    },
}

/// What a file will be.
#[derive(Clone, Debug, PartialEq)]
pub struct TiffOptions {
    /// Extent in pixels.
    pub size: ImageSize,
    /// What the pixels are.
    pub kind: PixelKind,
    /// Side of a tile in pixels: a multiple of 16 from 16 to 4096.
    pub tile: u32,
    /// How tiles are packed.
    pub compression: Compression,
    /// Where the image lies on the map.
    pub georef: Option<Georef>,
    /// The sample value that means "no data".
    pub nodata: Option<u8>,
    /// Which smaller copies are written too.
    pub overviews: Overviews,
    /// What the numbers of the only band stand for.
    pub meaning: Option<BandMeaning>,
}

impl TiffOptions {
    /// Deflate in 512-pixel tiles with fitting overviews and no georeference.
    pub fn new(size: ImageSize, kind: PixelKind) -> Self {
        let overviews = match kind {
            PixelKind::Index { .. } => Overviews::Mode { void: 255 },
            PixelKind::Rgb | PixelKind::Rgba => Overviews::Average,
        };
        let compression = Compression::Deflate;
        Self {
            size,
            kind,
            tile: 512,
            compression,
            georef: None,
            nodata: None,
            overviews,
            meaning: None,
        }
    }

    /// Why these options make no file, if they do not.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let side = u64::from(self.size.width.max(self.size.height));
        let has_palette = matches!(&self.kind, PixelKind::Index { palette: Some(_) });
        let is_jpeg = matches!(self.compression, Compression::Jpeg { .. });
        if self.size.is_empty() || side > MAX_SIDE {
            Some("its sides must be from 1 to 2147483647 pixels")
        } else if !self.tile.is_multiple_of(16) || !(16..=4_096).contains(&self.tile) {
            Some("the tile side must be a multiple of 16 from 16 to 4096")
        } else if is_jpeg && (has_palette || self.kind == PixelKind::Rgba) {
            Some("JPEG holds neither palettes nor transparency; use Deflate")
        } else if self.overviews == Overviews::Average && has_palette {
            Some("indices cannot be averaged; use the most frequent one")
        } else if matches!(self.overviews, Overviews::Mode { .. }) && self.kind.bands() > 1 {
            Some("colors have no most frequent value; use the average")
        } else {
            None
        }
    }

    /// Extents of all levels that are written, the image first.
    pub(super) fn level_sizes(&self) -> Vec<ImageSize> {
        let fits = |size: &ImageSize| size.width <= self.tile && size.height <= self.tile;
        let mut sizes = vec![self.size];
        while self.overviews != Overviews::None && !sizes.last().is_none_or(fits) {
            sizes.push(self.size.at_level(sizes.len() as u8));
        }
        sizes
    }
}

/// An image cannot be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk refused.
    #[error(
        "Could not write the image ({source}); the old file is untouched. \
         Check that the disk has space and the folder is writable: {path}"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such file.
    #[error("This image cannot be written: {reason}. Choose other export options: {path}")]
    Options {
        /// The file.
        path: PathBuf,
        /// What contradicts what.
        reason: &'static str,
    },
    /// The pixels do not fit the size that was announced.
    #[error("The program gave {given} of {expected} bytes of pixels; please report this: {path}")]
    Rows {
        /// The file.
        path: PathBuf,
        /// Bytes of all rows so far, or of rows that are not whole.
        given: u64,
        /// Bytes that belong there.
        expected: u64,
    },
    /// A tile could not be packed.
    #[error("Could not pack a tile ({reason}); please report this: {path}")]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the codec said.
        reason: String,
    },
}
