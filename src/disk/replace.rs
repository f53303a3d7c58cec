use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::PendingFile;

/// A file could not be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error(
    "Could not write the file ({source}); the old one is untouched. \
     Check that the disk has space and the folder is writable: {path}"
)]
pub struct ReplaceError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Replaces the file at `path` by `bytes`, whole or not at all.
///
/// # Errors
/// [`ReplaceError`] when the disk refuses; the old file is then untouched.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ReplaceError> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Replaces the file at `path` by what `write` writes, whole or not at all.
///
/// A temporary file in the same folder is written, flushed to the disk and renamed over the old
/// one; then the folder is flushed, so that the name survives a power cut as well.
///
/// # Errors
/// [`ReplaceError`] when `write` or the disk fails; the old file is then untouched.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<(), ReplaceError> {
    replace(path, write).map_err(|source| ReplaceError {
        path: path.to_owned(),
        source,
    })
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut pending = PendingFile::create(path)?;
    let mut writer = BufWriter::with_capacity(1 << 20, pending.file_mut());
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    pending.commit()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        replace_file(&path, b"old").expect("written");
        let failed = replace_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(
            failed
                .expect_err("must fail")
                .to_string()
                .contains("the disk is full")
        );
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_missing_folder_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/mask.png");
        replace_file(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("written"), b"new");
    }
}
