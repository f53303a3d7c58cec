use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::{Project, ProjectError};
use crate::disk::{folder_of, move_into_place};

/// Pages copied at a time; nobody else writes, so a backup takes as long as it takes.
const PAGES: i32 = 1_024;

/// What became of a damaged project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Where the damaged file is now; nothing in it was touched.
    pub set_aside: PathBuf,
    /// Whether the last good copy took its place; else the project begins anew.
    pub from_backup: bool,
}

/// The last good copy of a project.
pub fn backup_path(project: &Path) -> PathBuf {
    with_ending(project, ".bak")
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// A name for what is damaged of the project at `path` that nothing has yet.
pub(super) fn free_name(path: &Path) -> PathBuf {
    (1..10_000)
        .map(|number| with_ending(path, &format!(".damaged-{number}")))
        .find(|free| !free.exists() && !with_ending(free, "-wal").exists())
        .unwrap_or_else(|| with_ending(path, ".damaged"))
}

/// Sets a damaged project aside, with its journal, and puts a copy of the last good one in its
/// place when there is one.
///
/// # Errors
/// When the disk refuses; the damaged file is then where it was or set aside, never gone.
pub fn recover(path: &Path) -> Result<Recovered, ProjectError> {
    let refused = |source| ProjectError::Io {
        source,
        path: path.to_owned(),
    };
    let set_aside = free_name(path);
    fs::rename(path, &set_aside).map_err(refused)?;
    for journal in ["-wal", "-shm", "-steps"] {
        let from = with_ending(path, journal);
        if from.exists() {
            fs::rename(from, with_ending(&set_aside, journal)).map_err(refused)?;
        }
    }
    let backup = backup_path(path);
    let from_backup = backup.exists() && Project::open_read_only(&backup).is_ok();
    if from_backup {
        let draft = with_ending(path, ".restored");
        fs::copy(&backup, &draft).map_err(refused)?;
        fs::File::open(&draft)
            .and_then(|file| file.sync_all())
            .map_err(refused)?;
        move_into_place(&draft, path).map_err(refused)?;
    }
    Ok(Recovered {
        set_aside,
        from_backup,
    })
}

impl Project {
    /// Writes the last good copy beside the project, whole or not at all, while it stays open.
    ///
    /// # Errors
    /// When the disk refuses; the copy before is then untouched.
    pub fn back_up(&self) -> Result<(), ProjectError> {
        let target = backup_path(&self.path);
        let refused = |source| ProjectError::Io {
            source,
            path: target.clone(),
        };
        let room = tempfile::Builder::new()
            .prefix(".orthobrush-")
            .tempdir_in(folder_of(&self.path))
            .map_err(refused)?;
        let draft = room.path().join("copy");
        let mut copy = Connection::open(&draft)?;
        Backup::new(&self.db, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
        copy.close().map_err(|(_, source)| source)?;
        fs::File::open(&draft)
            .and_then(|file| file.sync_all())
            .map_err(refused)?;
        move_into_place(&draft, &target).map_err(refused)
    }

    /// Ends the work with everything in the one file: no journal beside it stays.
    ///
    /// # Errors
    /// When the disk refuses; the journal then stays and is taken in at the next start.
    pub fn close(self) -> Result<(), ProjectError> {
        self.db.close().map_err(|(_, source)| source)?;
        self.tally.remove();
        Ok(())
    }
}
