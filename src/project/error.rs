use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A project file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Some of its content is not what was written.
    #[error(
        "The project file is damaged ({what}); its last good copy, if there is one, ends in .bak: \
         {}", path.display()
    )]
    Damaged {
        /// What is wrong.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("This file is not an Orthobrush project; choose another name: {}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program wrote it.
    #[error(
        "The project file has version {found} and this program reads up to {known}; \
         install a newer Orthobrush: {}", path.display()
    )]
    Newer {
        /// The file's version.
        found: i32,
        /// What this program knows.
        known: i32,
        /// The file.
        path: PathBuf,
    },
    /// The disk or the database refused.
    #[error("{}{}", refusal(source), named(path.as_deref()))]
    Sqlite {
        /// What was said.
        source: rusqlite::Error,
        /// The file, where it is known.
        path: Option<PathBuf>,
    },
    /// A folder that is to be filled has something in it.
    #[error("The folder is not empty; choose a new one: {}", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be copied into a folder; nothing of the folder is left.
    #[error(
        "The file could not be copied ({source}). Check that it can be read and that the disk it \
         goes to has space: {}", path.display()
    )]
    Copy {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The work was stopped; nothing of it is left.
    #[error("Stopped on request")]
    Stopped,
    /// The disk refused.
    #[error("The project file could not be written ({source}): {}", path.display())]
    Io {
        /// What the system said.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
}

impl From<rusqlite::Error> for ProjectError {
    fn from(source: rusqlite::Error) -> Self {
        let path = None;
        Self::Sqlite { source, path }
    }
}

/// What SQLite said, in the words of people who never heard of it.
fn refusal(error: &rusqlite::Error) -> String {
    let code = error.sqlite_error_code();
    if let Some(what) = damage(code) {
        return format!(
            "The project file is damaged ({what}); its last good copy, if there is one, ends in .bak"
        );
    }
    let told = match code {
        Some(ErrorCode::DiskFull) => "could not be written: the disk is full; free some space",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "could not be written: it or its folder is read-only; allow writing there, or copy it \
             elsewhere with its images"
        }
        Some(ErrorCode::SystemIoFailure) => {
            "could not be read or written: the disk refused; check whether it is full or was taken \
             away"
        }
        Some(ErrorCode::CannotOpen) => {
            "cannot be opened; check that it is there and that its folder can be written"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "could not be used: another program holds it; close that one and try again"
        }
        _ => return format!("The project file refused ({error}); try again"),
    };
    format!("The project file {told}")
}

/// What is broken of a project whose pages do not fit together.
pub(super) const CONTRADICTION: &str = "its pages contradict each other";

/// What is broken of a file that SQLite refuses for what is in it.
pub(super) const fn damage(code: Option<ErrorCode>) -> Option<&'static str> {
    match code {
        Some(ErrorCode::NotADatabase) => {
            Some("it is no database: another file, or its beginning was overwritten")
        }
        Some(ErrorCode::DatabaseCorrupt) => Some(CONTRADICTION),
        _ => None,
    }
}

fn named(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!(": {}", path.display()))
}

impl ProjectError {
    /// The same with the file that it is about, where it names none.
    pub(super) fn about(self, path: &Path) -> Self {
        match self {
            Self::Sqlite { source, path: None } => Self::Sqlite {
                source,
                path: Some(path.to_owned()),
            },
            other => other,
        }
    }

    /// Whether the file's content is broken, as opposed to a disk that refuses at the moment.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source, .. } => damage(source.sqlite_error_code()).is_some(),
            _ => false,
        }
    }

    /// Whether the folder may not be written at all, so that another place has to do.
    pub fn is_read_only_place(&self) -> bool {
        use std::io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Io { source, .. } => {
                matches!(
                    source.kind(),
                    NotFound | PermissionDenied | ReadOnlyFilesystem
                )
            }
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen)
            ),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_the_database_says_is_told_in_plain_words_with_the_file() {
        for (code, words) in [
            (ffi::SQLITE_BUSY, "another program holds it; close that one"),
            (ffi::SQLITE_LOCKED, "another program holds it"),
            (ffi::SQLITE_READONLY, "is read-only; allow writing there"),
            (ffi::SQLITE_CANTOPEN, "check that it is there"),
            (ffi::SQLITE_NOTADB, "it is no database"),
            (
                ffi::SQLITE_CORRUPT,
                "contradict each other); its last good copy",
            ),
            (ffi::SQLITE_FULL, "the disk is full; free some space"),
        ] {
            let raw = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let error = ProjectError::from(raw).about(Path::new("a.orthobrush"));
            let told = error.to_string();
            assert!(told.contains(words), "{told}");
            assert!(told.starts_with("The project file "), "{told}");
            assert!(told.ends_with(": a.orthobrush"), "{told}");
        }
    }
}
