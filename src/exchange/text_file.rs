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
        let (most, unit) = if max_bytes < 1 << 20 {
            (max_bytes >> 10, "KiB")
        } else {
            (max_bytes >> 20, "MiB")
        };
        let reason = format!("it is larger than {most} {unit}");
        return Err(io::Error::other(reason));
    }
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

/// The text of a file of at most `max_bytes`: UTF-16 where a byte order mark says so, else UTF-8. What
/// is neither is replaced by signs, and marks are dropped.
///
/// # Errors
/// When the system refuses, or the file is longer.
pub fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    Ok(text_of(&read_bytes(path, max_bytes)?))
}

/// The first line of a text, as [`read_text`] understands it; `max_bytes` of the file are read.
///
/// # Errors
/// When the system refuses.
pub fn read_first_line(path: &Path, max_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    open_file(path)?.take(max_bytes).read_to_end(&mut bytes)?;
    let text = text_of(&bytes);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn text_of(bytes: &[u8]) -> String {
    let wide = |units: &[u8], of_bytes: fn([u8; 2]) -> u16| {
        let (units, _) = units.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| of_bytes(*unit)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, units @ ..] => wide(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => wide(units, u16::from_be_bytes),
        bytes => {
            let text = String::from_utf8_lossy(bytes);
            text.trim_start_matches('\u{feff}').to_owned()
        }
    }
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

    #[test]
    fn texts_of_other_widths_are_understood() {
        for bytes in [
            &b"\xff\xfea\x005\x00"[..],
            b"\xfe\xff\x00a\x005",
            b"\xef\xbb\xbfa5",
            b"a5",
        ] {
            assert_eq!(text_of(bytes), "a5");
        }
    }

    #[test]
    fn a_first_line_needs_no_whole_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        crate::disk::replace_file(&path, b"\xef\xbb\xbfid,z\r\na,3\r\n").expect("written");
        assert_eq!(read_first_line(&path, 10).expect("there"), "id,z");
        assert_eq!(read_text(&path, 99).expect("short"), "id,z\r\na,3\r\n");
        assert!(read_text(&path, 10).is_err());
    }
}
