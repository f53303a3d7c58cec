use std::path::Path;
use std::sync::Arc;

use super::error::{Fault, OpenError};
use super::jp2::Jp2Source;
use super::plain::{PlainKind, PlainSource};
use super::read_at::{FileBytes, ReadAt as _};
use super::source::TileSource;
use super::tiff::TiffSource;
use super::turned::Turned;

/// Opens a TIFF, JPEG 2000, PNG, JPEG or WebP file, told apart by content, not by name. Reads only the header.
///
/// A picture that its header says to be turned is shown upright, unless it has a place on the map,
/// which speaks of pixels as they are stored.
///
/// # Errors
/// [`OpenError`] when the file cannot be read, is damaged, or uses a codec that is not read here.
pub fn open_raster(path: &Path) -> Result<Arc<dyn TileSource>, OpenError> {
    let source = open_stored(path)?;
    let info = source.info();
    let is_turned = !info.orientation.is_upright() && info.georef.is_none();
    Ok(if is_turned {
        Arc::new(Turned::new(source))
    } else {
        source
    })
}

/// As [`open_raster`], with rows and columns as they are stored.
///
/// # Errors
/// As [`open_raster`].
pub fn open_stored(path: &Path) -> Result<Arc<dyn TileSource>, OpenError> {
    Ok(match Opened::open(path)? {
        Opened::Tiff(source) => source,
        Opened::Jp2(source) => source,
        Opened::Plain(source) => source,
    })
}

/// A file by the reader that it has.
pub(super) enum Opened {
    Tiff(Arc<TiffSource>),
    Jp2(Arc<Jp2Source>),
    Plain(Arc<PlainSource>),
}

impl Opened {
    /// Opens a file with rows and columns as they are stored.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let bytes = FileBytes::open(path).map_err(|source| OpenError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut magic = [0; 12];
        let len = bytes.len().min(12) as usize;
        bytes
            .read_exact_at(&mut magic[..len], 0)
            .map_err(|error| Fault::from(error).on_open(path))?;
        match magic {
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
                Ok(Self::Tiff(Arc::new(TiffSource::open(bytes, path)?)))
            }
            [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
                Ok(Self::Jp2(Arc::new(Jp2Source::open(Box::new(bytes), path)?)))
            }
            _ => match PlainKind::of(magic) {
                Some(kind) => Ok(Self::Plain(Arc::new(PlainSource::open(path, kind)?))),
                None => Err(match known_format(magic, path) {
                    Some(name) => Fault::unsupported(format!("The format {name}")).on_open(path),
                    None => OpenError::UnknownFormat {
                        path: path.to_owned(),
                    },
                }),
            },
        }
    }
}

/// The name of a format that is not read here but that `gdal_translate` converts.
fn known_format(magic: [u8; 12], path: &Path) -> Option<&'static str> {
    match &magic {
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'B', b'M', ..] => Some("BMP"),
        [b'm', b's', b'i', b'd', ..] => Some("MrSID"),
        [0x89, b'H', b'D', b'F', ..] => Some("HDF5"),
        [b'E', b'H', b'F', b'A', ..] => Some("Erdas Imagine"),
        [b'<', b'V', b'R', b'T', ..] => Some("VRT"),
        // Nothing at the start of these tells them apart from other files.
        _ => path
            .extension()
            .filter(|ending| ending.eq_ignore_ascii_case("ecw"))
            .map(|_| "ECW"),
    }
}
