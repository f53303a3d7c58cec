use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder_of;

/// The hidden folder beside a file that holds its old versions.
const FOLDER: &str = ".orthobrush-versions";

/// Where the version of `path` before the last `age` saves lies; 1 is the newest.
pub fn version_path(path: &Path, age: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{age}"));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    folder_of(path).join(FOLDER).join(name)
}

/// Keeps the file at `path` as its newest old version before it is replaced, and at most `count` of
/// them. Does nothing when there is no file yet.
///
/// The file stays in place: until something is renamed over it, both names mean the same bytes.
///
/// # Errors
/// When the disk refuses; the file itself is then untouched.
pub fn keep_version(path: &Path, count: u32) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder_of(&version_path(path, 1)))?;
    for age in (1..count).rev() {
        let from = version_path(path, age);
        if from.exists() {
            fs::rename(from, version_path(path, age + 1))?;
        }
    }
    let newest = version_path(path, 1);
    if newest.exists() {
        fs::remove_file(&newest)?;
    }
    // Some file systems know no second names.
    fs::hard_link(path, &newest).or_else(|_| fs::copy(path, &newest).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    #[test]
    fn the_last_three_are_kept_newest_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("label.tif");
        keep_version(&path, 3).expect("nothing to keep");
        for save in 0_u8..6 {
            keep_version(&path, 3).expect("kept");
            replace_file(&path, &[save]).expect("written");
        }
        let read = |age| fs::read(version_path(&path, age)).expect("a version");
        assert_eq!([read(1), read(2), read(3)], [[4], [3], [2]]);
        assert!(!version_path(&path, 4).exists());
        assert_eq!(fs::read(&path).expect("the file"), [5]);
    }
}
