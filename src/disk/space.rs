use std::path::Path;

/// Bytes that the disk under `path` has for this user, or the disk under the nearest folder that
/// exists; `None` when the system does not say.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let known = std::path::absolute(path).ok()?;
    let folder = known.ancestors().find(|folder| folder.is_dir())?;
    let stats = rustix::fs::statvfs(folder).ok()?;
    stats.f_bavail.checked_mul(stats.f_frsize)
}

/// Bytes that the disk under `path` has: not known on this system.
#[cfg(not(unix))]
pub const fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_yet_to_be_made_lies_on_the_disk_of_its_parent() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(free_bytes(&folder.path().join("a/b")).expect("a disk") > 0);
    }
}
