use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::TrainError;
use crate::disk::FileLock;

/// Name of the lock file in the folder of a run, a queue or a search. One that a killed process
/// left behind locks nothing.
const LOCK_FILE: &str = ".lock";

/// Makes `folder` and keeps others from training into it as long as what comes back is held;
/// `None` on a disk that knows no locks.
///
/// # Errors
/// [`TrainError::InUse`] when somebody else trains into it, or the disk refuses.
pub(super) fn taken(folder: &Path) -> Result<Option<FileLock>, TrainError> {
    let failed = |source| TrainError::Folder {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    match FileLock::acquire(&folder.join(LOCK_FILE), Duration::ZERO) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(TrainError::InUse(folder.to_owned())),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_what_a_killed_process_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("runs").join("one");
        let lock = taken(&run).expect("free");
        let error = taken(&run).expect_err("taken").to_string();
        assert!(error.contains("Another Orthobrush"), "{error}");
        taken(folder.path()).expect("the folder around it is free");
        drop(lock);
        crate::disk::replace_file(&run.join(LOCK_FILE), b"").expect("written");
        taken(&run).expect("free again");
    }
}
