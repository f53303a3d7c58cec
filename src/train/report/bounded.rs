use std::io::{self, Read as _};
use std::path::Path;

use crate::disk::open_file;

/// The bytes of the file at `path`.
///
/// # Errors
/// When it cannot be read or is longer than `most` bytes; then no more than that was read.
pub(in crate::train) fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open_file(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if read as u64 > most {
        let why = format!("it is larger than {most} bytes, which no run writes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn a_file_may_be_as_long_as_the_limit_and_no_longer() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        replace_file(&path, b"1234").expect("written");
        assert_eq!(read_bounded(&path, 4).expect("fits"), b"1234");
        assert!(read_bounded(&path, 3).is_err());
        assert!(read_bounded(folder.path(), 3).is_err());
    }
}
