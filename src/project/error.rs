use std::path::PathBuf;

/// A project file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Some of its content is not what was written.
    #[error("The project file is damaged ({what}): {}", path.display())]
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
    #[error("{}", refusal(source))]
    Sqlite {
        /// What was said.
        #[from]
        source: rusqlite::Error,
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

/// What SQLite said, in the words of people who never heard of it.
fn refusal(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let why = match error.sqlite_error_code() {
        Some(DiskFull) => "the disk is full; free some space",
        Some(ReadOnly | PermissionDenied) => "the folder cannot be written",
        Some(SystemIoFailure) => "the disk refused; check that it is full or was taken away",
        Some(CannotOpen) => {
            return "The project file cannot be opened; check that it and its folder are there"
                .to_owned();
        }
        Some(DatabaseBusy) => "another program holds it; close that one",
        _ => return format!("The project file refused ({error})"),
    };
    format!("The project file could not be written: {why}")
}

impl ProjectError {
    /// Whether the file's content is broken, as opposed to a disk that refuses at the moment.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source } => matches!(
                source.sqlite_error_code(),
                Some(DatabaseCorrupt | NotADatabase)
            ),
            _ => false,
        }
    }

    /// Whether the folder may not be written at all, so that another place has to do.
    pub fn is_read_only_place(&self) -> bool {
        use rusqlite::ErrorCode;
        use std::io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Io { source, .. } => {
                matches!(
                    source.kind(),
                    NotFound | PermissionDenied | ReadOnlyFilesystem
                )
            }
            Self::Sqlite { source } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen)
            ),
            _ => false,
        }
    }
}
