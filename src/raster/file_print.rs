use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::open::Opened;
use super::read_at::{FileBytes, ReadAt as _};

/// Bytes at both ends of a file that tell it from another of the same name, size and time.
const PRINT_BYTES: u64 = 64 << 10;

/// An image's file, and those that its pixels come from, as they were: tells them from others and
/// from what they are after a change. As a text it can be part of a file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePrint {
    place: String,
    state: String,
}

impl FilePrint {
    /// The image at `path` as it is now.
    ///
    /// # Errors
    /// When it, or what it is made of, cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let opened = Opened::open(path).map_err(io::Error::other)?;
        Self::with(path, &opened.other_files())
    }

    /// The same where it is known that pixels come from `others` too.
    pub(super) fn with(path: &Path, others: &[PathBuf]) -> io::Result<Self> {
        let whole = fs::canonicalize(path)?;
        let data = fs::metadata(&whole)?;
        let time = data
            .modified()?
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let bytes = FileBytes::open(&whole)?;
        let mut end = vec![0; PRINT_BYTES.min(bytes.len()) as usize];
        bytes.read_exact_at(&mut end, 0)?;
        let mut content = crc32c::crc32c(&end);
        let behind = bytes.len() - end.len() as u64;
        bytes.read_exact_at(&mut end, behind)?;
        content = crc32c::crc32c_append(content, &end);
        for other in others {
            content = crc32c::crc32c_append(content, state_of(other).as_bytes());
        }
        let (len, nanos) = (data.len(), time.as_nanos());
        Ok(Self {
            place: place_of(&whole),
            state: format!("{content:08x}-{len:x}-{nanos:x}"),
        })
    }

    /// How the texts of all prints begin that are of the image at this path, whatever it was.
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for FilePrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.place, self.state)
    }
}

/// The same for the image at `path`, without links.
pub(super) fn place_of(path: &Path) -> String {
    format!(
        "{:08x}",
        crc32c::crc32c(path.as_os_str().as_encoded_bytes())
    )
}

/// Path, size and time of a file, or that there is none.
fn state_of(path: &Path) -> String {
    let data = fs::metadata(path).ok();
    let state = data.map(|data| (data.len(), data.modified().ok()));
    format!("{} {state:?}", path.display())
}
