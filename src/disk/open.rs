use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens a file for reading. Folders, and pipes and devices, which may never say anything or never
/// end, are refused before they are opened.
///
/// # Errors
/// When it is none, or the system refuses.
pub fn open_file(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?.file_type();
    let refused = if kind.is_dir() {
        Some((io::ErrorKind::IsADirectory, "it is a folder"))
    } else if kind.is_file() {
        None
    } else {
        let what = "it is a pipe or a device, no plain file";
        Some((io::ErrorKind::InvalidInput, what))
    };
    match refused {
        Some((kind, why)) => Err(io::Error::new(kind, why)),
        None => File::open(path),
    }
}

/// Whether two paths lead to one file that is there.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path| fs::canonicalize(path).ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn one_file_has_many_paths() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        replace_file(&path, b"a").expect("written");
        let around = folder.path().join(".").join("a");
        assert!(is_same_file(&path, &around));
        assert!(!is_same_file(&path, &folder.path().join("b")));
        assert!(!is_same_file(
            &folder.path().join("b"),
            &folder.path().join("b")
        ));
    }

    #[test]
    fn folders_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = open_file(folder.path()).expect_err("a folder");
        assert_eq!(error.to_string(), "it is a folder");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_are_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        assert!(open_file(&pipe).is_err());
    }
}
