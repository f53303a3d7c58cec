use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Fault, OpenError};
use super::jp2::Jp2Source;
use super::mosaic::{Mosaic, Nesting, TilePyramid, is_vrt, open_vrt};
use super::plain::{PlainKind, PlainSource};
use super::read_at::{FileBytes, ReadAt as _};
use super::source::TileSource;
use super::tiff::TiffSource;
use super::turned::Turned;

/// Endings of the files that images and masks come in, in lower case.
pub const RASTER_EXTENSIONS: [&str; 9] = [
    "tif", "tiff", "jp2", "j2k", "jpx", "png", "jpg", "jpeg", "webp",
];

/// Bytes that tell what a file is; a VRT may begin with a comment.
const HEAD_BYTES: usize = 1_024;

/// Whether a file's name ends like a raster's.
pub fn has_raster_ending(path: &Path) -> bool {
    let known = |ending: &std::ffi::OsStr| {
        let mut all = RASTER_EXTENSIONS.iter();
        all.any(|known| ending.eq_ignore_ascii_case(known))
    };
    path.extension().is_some_and(known)
}

/// Opens a TIFF, JPEG 2000, PNG, JPEG, WebP or VRT file, told apart by content, not by name, or a
/// folder of tiles. Reads only the header.
///
/// A picture that its header says to be turned is shown upright, unless it has a place on the map,
/// which speaks of pixels as they are stored.
///
/// # Errors
/// [`OpenError`] when the file cannot be read, is damaged, or uses a codec that is not read here.
pub fn open_raster(path: &Path) -> Result<Arc<dyn TileSource>, OpenError> {
    Ok(upright(Opened::open(path)?.into_source()))
}

/// Where overviews of an image are kept whose pixels come, besides from its own file, from those that
/// the function given names.
pub(super) type KeptOverviews<'a> = &'a dyn Fn(&dyn Fn() -> Vec<PathBuf>) -> Option<PathBuf>;

/// As [`open_raster`], with overviews from elsewhere; no value depends on them.
///
/// # Errors
/// As [`open_raster`].
pub(super) fn open_with_overviews(
    path: &Path,
    kept: KeptOverviews<'_>,
) -> Result<Arc<dyn TileSource>, OpenError> {
    let opened = Opened::open_within(path, &Nesting::default(), kept)?;
    Ok(upright(opened.into_source()))
}

/// The files of which the pixels of a mosaic come, those of mosaics within it too. Those of any other
/// image are its own, so there is none; nor is there where none can be told.
pub fn files_beneath(path: &Path) -> Vec<PathBuf> {
    let is_mosaic = opened(path)
        .is_ok_and(|bytes| head_of(&bytes, path).is_ok_and(|(head, len)| is_vrt(&head[..len])));
    let mosaic = is_mosaic.then(|| Opened::open(path)).and_then(Result::ok);
    mosaic.map_or_else(Vec::new, |mosaic| mosaic.other_files())
}

fn upright(source: Arc<dyn TileSource>) -> Arc<dyn TileSource> {
    let info = source.info();
    let is_turned = !info.orientation.is_upright() && info.georef.is_none();
    if is_turned {
        Arc::new(Turned::new(source))
    } else {
        source
    }
}

/// As [`open_raster`], with rows and columns as they are stored.
///
/// # Errors
/// As [`open_raster`].
pub fn open_stored(path: &Path) -> Result<Arc<dyn TileSource>, OpenError> {
    Opened::open(path).map(Opened::into_source)
}

/// A file by the reader that it has.
pub(super) enum Opened {
    Tiff(Arc<TiffSource>),
    Jp2(Arc<Jp2Source>),
    Plain(Arc<PlainSource>),
    Mosaic(Arc<Mosaic>),
    Tiles(Arc<TilePyramid>),
}

impl Opened {
    /// Opens a file with rows and columns as they are stored.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_within(path, &Nesting::default(), &|_| None)
    }

    /// Opens a file that may be a part of mosaics, with more overviews out of another file.
    pub(super) fn open_within(
        path: &Path,
        nesting: &Nesting,
        kept: KeptOverviews<'_>,
    ) -> Result<Self, OpenError> {
        if path.is_dir()
            && let Some(tiles) = TilePyramid::open(path)
        {
            return Ok(Self::Tiles(Arc::new(tiles?)));
        }
        let bytes = opened(path)?;
        let (head, len) = head_of(&bytes, path)?;
        let magic = *head.first_chunk::<12>().unwrap_or(&[0; 12]);
        match magic {
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
                let overviews = kept(&Vec::new);
                let tiff = TiffSource::open(bytes, path, overviews.as_deref())?;
                Ok(Self::Tiff(Arc::new(match nesting.cache_bytes() {
                    Some(most) => tiff.keeping(most),
                    None => tiff,
                })))
            }
            [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
                Ok(Self::Jp2(Arc::new(Jp2Source::open(Box::new(bytes), path)?)))
            }
            _ if is_vrt(&head[..len]) => {
                let mosaic = open_vrt(path, nesting)?;
                let overviews = kept(&|| mosaic.all_files());
                Ok(Self::Mosaic(Arc::new(match overviews {
                    Some(overviews) => mosaic.with_overviews(&overviews),
                    None => mosaic,
                })))
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

    /// The files of which its pixels come besides its own.
    pub(super) fn other_files(&self) -> Vec<PathBuf> {
        match self {
            Self::Mosaic(mosaic) => mosaic.all_files(),
            Self::Tiff(_) | Self::Jp2(_) | Self::Plain(_) | Self::Tiles(_) => Vec::new(),
        }
    }

    /// The reader, whatever it is.
    pub(super) fn into_source(self) -> Arc<dyn TileSource> {
        match self {
            Self::Tiff(source) => source,
            Self::Jp2(source) => source,
            Self::Plain(source) => source,
            Self::Mosaic(source) => source,
            Self::Tiles(source) => source,
        }
    }
}

/// The bytes of a file that has some.
fn opened(path: &Path) -> Result<FileBytes, OpenError> {
    let path_of = || path.to_owned();
    match FileBytes::open(path) {
        Ok(bytes) if bytes.len() == 0 => Err(OpenError::Empty { path: path_of() }),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            Err(OpenError::Folder { path: path_of() })
        }
        Err(source) => Err(OpenError::Io {
            path: path_of(),
            source,
        }),
    }
}

/// The first bytes of a file, and how many of them it has.
fn head_of(bytes: &FileBytes, path: &Path) -> Result<([u8; HEAD_BYTES], usize), OpenError> {
    let mut head = [0; HEAD_BYTES];
    let len = bytes.len().min(HEAD_BYTES as u64) as usize;
    bytes
        .read_exact_at(&mut head[..len], 0)
        .map_err(|error| Fault::from(error).on_open(path))?;
    Ok((head, len))
}

/// The name of a format that is not read here but that `gdal_translate` converts.
fn known_format(magic: [u8; 12], path: &Path) -> Option<&'static str> {
    match &magic {
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'B', b'M', ..] => Some("BMP"),
        [b'm', b's', b'i', b'd', ..] => Some("MrSID"),
        [0x89, b'H', b'D', b'F', ..] => Some("HDF5"),
        [b'E', b'H', b'F', b'A', ..] => Some("Erdas Imagine"),
        // Nothing at the start of these tells them apart from other files.
        _ => path
            .extension()
            .filter(|ending| ending.eq_ignore_ascii_case("ecw"))
            .map(|_| "ECW"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::MadeBands;

    #[track_caller]
    fn refusal(path: &Path) -> String {
        let refused = open_raster(path).err();
        refused.expect("no image").to_string()
    }

    #[test]
    fn folders_and_empty_files_are_called_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = refusal(folder.path());
        assert!(told.starts_with("This is a folder"), "{told}");
        let path = folder.path().join("empty.tif");
        crate::disk::replace_file(&path, b"").expect("written");
        let told = refusal(&path);
        assert!(told.starts_with("The file is empty"), "{told}");
        let told = refusal(&folder.path().join("none.tif"));
        assert!(told.starts_with("Could not read"), "{told}");
    }

    #[test]
    fn complex_numbers_are_refused_with_what_makes_them_real() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("radar.tif");
        let radar = MadeBands {
            format: 5,
            ..MadeBands::new(8, 8, 1, 32)
        };
        crate::disk::replace_file(&path, &radar.file(|x, _, _| f64::from(x))).expect("written");
        let told = refusal(&path);
        assert!(told.contains("imaginary part"), "{told}");
        assert!(told.contains("gdal_translate -ot Float32"), "{told}");
    }
}
