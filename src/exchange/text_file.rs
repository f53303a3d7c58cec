use std::io::{self, Read as _};
use std::path::Path;

use super::ExchangeError;
use crate::disk::open_file;

/// The bytes of a file without a byte order mark, which must not be longer than `max_bytes`.
///
/// # Errors
/// [`ExchangeError::Unreadable`].
pub(super) fn read_limited(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ExchangeError> {
    read_bytes(path, max_bytes).map_err(|source| ExchangeError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// As [`read_limited`], with the error of the system.
pub(super) fn read_bytes(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let mut bytes = Vec::new();
    open_file(path)?
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let reason = format!("it is larger than {} KiB", max_bytes >> 10);
        return Err(io::Error::other(reason));
    }
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_dropped_and_long_files_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        crate::disk::replace_file(&path, b"\xef\xbb\xbfabc").expect("written");
        assert_eq!(read_limited(&path, 6).expect("short"), b"abc");
        let error = read_limited(&path, 5).expect_err("long").to_string();
        assert!(error.contains("larger than"), "{error}");
        assert!(read_limited(&path.join("none"), 5).is_err());
    }
}
