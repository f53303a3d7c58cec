use std::io::{self, Read as _};
use std::path::Path;

use super::ExchangeError;
use crate::disk::open_file;

/// A file is read whole before it is understood, so a larger one is refused.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// All bytes of a file of at most 4 GiB.
///
/// # Errors
/// [`ExchangeError::Unreadable`] when the disk does not give it or it is larger.
pub(super) fn read_whole(path: &Path) -> Result<Vec<u8>, ExchangeError> {
    read_limited(path).map_err(|source| ExchangeError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// All bytes of the file beside `path` that has this ending, in small or capital letters; `None`
/// when there is none.
///
/// # Errors
/// As for [`read_whole`].
pub(super) fn read_beside(path: &Path, ending: &str) -> Result<Option<Vec<u8>>, ExchangeError> {
    let endings = [ending.to_owned(), ending.to_ascii_uppercase()];
    let paths = endings.map(|ending| path.with_extension(ending));
    let found = paths.iter().find(|path| path.exists());
    found.map(|path| read_whole(path)).transpose()
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 4 GiB"));
    }
    Ok(bytes)
}
