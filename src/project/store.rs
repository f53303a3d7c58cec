use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{CONTRADICTION, damage};
use super::schema::{APPLICATION_ID, VERSION, create, make_durable, migrate};
use super::tally::{Tally, Verdict, compare, counted, set_journal_aside};
use super::{MissingSteps, ProjectError, backup_path};

/// How long a commit waits for another program that reads the file.
const BUSY: Duration = Duration::from_secs(5);

/// An open project file; the only one who writes it.
#[derive(Debug)]
pub struct Project {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    /// The version of its tables: an older one is only looked at.
    pub(super) version: i32,
    pub(super) tally: Tally,
    missing: Option<MissingSteps>,
}

/// Where the project of an image or a folder lies when it lies beside it: `STEM.orthobrush` beside
/// an image, `NAME.orthobrush` inside a folder.
pub fn project_path(opened: &Path) -> PathBuf {
    if opened.is_dir() {
        let name = opened.file_name().unwrap_or_default().to_string_lossy();
        let name = if name.is_empty() {
            "project".into()
        } else {
            name
        };
        return opened.join(format!("{name}.orthobrush"));
    }
    opened.with_extension("orthobrush")
}

impl Project {
    /// Opens the project at `path`; makes an empty one, and its folder, when there is none.
    ///
    /// # Errors
    /// [`ProjectError::Damaged`] when the file is broken (see [`super::recover`]), the other kinds
    /// when it is something else or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, ProjectError> {
        Self::opened(path).map_err(|error| error.about(path))
    }

    fn opened(path: &Path) -> Result<Self, ProjectError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(|source| ProjectError::Io {
                source,
                path: path.to_owned(),
            })?;
        }
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        let mut missing = None;
        match examine(&db, path)? {
            Found::Nothing => create(&mut db)?,
            Found::Project(version) => {
                missing = missing_steps(&db, path)?;
                migrate(&mut db, version)?;
            }
        }
        make_durable(&db)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut tally = Tally::beside(&path);
        if missing.is_some() {
            // Said once.
            tally.note(counted(&db)?);
        }
        Ok(Self {
            db,
            path,
            version: VERSION,
            tally,
            missing,
        })
    }

    /// Opens the project at `path` for looking only, beside another who writes it.
    ///
    /// # Errors
    /// As for [`Project::open`]; a missing file is an error.
    pub fn open_read_only(path: &Path) -> Result<Self, ProjectError> {
        Self::looked_at(path).map_err(|error| error.about(path))
    }

    fn looked_at(path: &Path) -> Result<Self, ProjectError> {
        if path.is_dir() {
            let path = path.to_owned();
            return Err(ProjectError::Foreign { path });
        }
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(BUSY)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match examine(&db, &path)? {
            Found::Nothing => Err(ProjectError::Foreign { path }),
            Found::Project(version) => Ok(Self {
                db,
                tally: Tally::beside(&path),
                path,
                version,
                missing: None,
            }),
        }
    }

    /// The project's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Steps that the disk lost since the project was written last.
    pub const fn missing(&self) -> Option<&MissingSteps> {
        self.missing.as_ref()
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> ProjectError {
        ProjectError::Damaged {
            what: what.into(),
            path: self.path.clone(),
        }
    }
}

/// What is missing of the project, before anything is written to it.
fn missing_steps(db: &Connection, path: &Path) -> Result<Option<MissingSteps>, ProjectError> {
    match compare(db, path)? {
        Verdict::Whole => Ok(None),
        Verdict::CopyHasMore(steps) => {
            // The journal is to be set aside as it is.
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            Err(ProjectError::Damaged {
                what: format!("the last {steps} steps are missing in its journal"),
                path: path.to_owned(),
            })
        }
        Verdict::Missing(steps) => Ok(Some(MissingSteps {
            steps,
            set_aside: set_journal_aside(path),
        })),
    }
}

enum Found {
    /// A new file, or one whose maker was killed before there was anything in it.
    Nothing,
    /// A whole one, with the version of its tables.
    Project(i32),
}

/// Refuses what is not a whole project of a version that is known.
fn examine(db: &Connection, path: &Path) -> Result<Found, ProjectError> {
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let id = pragma("application_id").map_err(|error| broken(error, path))?;
    let version = pragma("user_version")?;
    if id != APPLICATION_ID {
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(|error| broken(error, path))?;
        let path = path.to_owned();
        return match tables {
            // Its maker was killed at once, or somebody cut it off after it had been copied.
            0 if backup_path(&path).exists() => Err(ProjectError::Damaged {
                what: "it is empty".to_owned(),
                path,
            }),
            0 => Ok(Found::Nothing),
            _ => Err(ProjectError::Foreign { path }),
        };
    }
    if version > VERSION {
        return Err(ProjectError::Newer {
            found: version,
            known: VERSION,
            path: path.to_owned(),
        });
    }
    let verdict: String = db
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| broken(error, path))?;
    if verdict == "ok" {
        return Ok(Found::Project(version));
    }
    Err(ProjectError::Damaged {
        what: CONTRADICTION.to_owned(),
        path: path.to_owned(),
    })
}

/// Reading what was once written fails only where the file is broken.
fn broken(error: rusqlite::Error, path: &Path) -> ProjectError {
    match damage(error.sqlite_error_code()) {
        Some(what) => ProjectError::Damaged {
            what: what.to_owned(),
            path: path.to_owned(),
        },
        None => error.into(),
    }
}

/// crc32c of the numbers that name a row and of its data, so that a row in the wrong place is
/// noticed as well as a flipped bit.
pub(super) fn checksum(numbers: &[i64], data: &[u8]) -> u32 {
    let seed = numbers.iter().fold(0, |crc, number| {
        crc32c::crc32c_append(crc, &number.to_le_bytes())
    });
    crc32c::crc32c_append(seed, data)
}
