use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::recovery::{backup_path, free_name, with_ending};

/// Steps that had been kept and are not in the project any more.
///
/// SQLite leaves out the rest of its journal from the first broken place on, as it must after a
/// power cut, and says nothing. So the number of kept steps is also written into a small file that
/// lies beside the project while it is open: one that names more than the project has tells that
/// the disk lost some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSteps {
    /// How many: strokes, and steps back and forth.
    pub steps: u64,
    /// A copy of the journal as it was found, when there was one.
    pub set_aside: Option<PathBuf>,
}

/// The file with the number of steps, made when the first is kept.
#[derive(Debug)]
pub(super) struct Tally {
    path: PathBuf,
    file: Option<File>,
}

impl Tally {
    /// That of the project at `project`.
    pub(super) fn beside(project: &Path) -> Self {
        Self {
            path: path_of(project),
            file: None,
        }
    }

    /// Notes that the project has `steps`. It is not forced onto the disk: after a power cut it may
    /// name fewer than there are, which says nothing, but never more.
    pub(super) fn note(&mut self, steps: u64) {
        if let Err(error) = self.write(steps) {
            tracing::debug!("the number of kept steps was not noted: {error}");
        }
    }

    fn write(&mut self, steps: u64) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut options = OpenOptions::new();
                let file = options.create(true).truncate(false).write(true);
                none.insert(file.open(&self.path)?)
            }
        };
        file.rewind()?;
        file.write_all(&sealed(steps))
    }

    /// Removes the file: the project is closed, with no journal that could be damaged.
    pub(super) fn remove(self) {
        drop(self.file);
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!("the number of kept steps stays beside the project: {error}");
        }
    }
}

/// Where the number of steps of the project at `project` is noted.
pub(super) fn path_of(project: &Path) -> PathBuf {
    with_ending(project, "-steps")
}

/// Counts one more step, in the transaction that keeps it, and gives the number.
pub(super) fn count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached(
        "INSERT INTO meta VALUES ('steps', '1') \
         ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 \
         RETURNING CAST(value AS INTEGER)",
    )?
    .query_row([], |row| row.get::<_, i64>(0))
    .map(|steps| steps as u64)
}

/// Steps that the project has.
pub(super) fn counted(db: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'steps'";
    let steps: Option<i64> = db.query_row(query, [], |row| row.get(0)).optional()?;
    Ok(steps.unwrap_or(0) as u64)
}

/// What came of comparing a project with its tally.
pub(super) enum Verdict {
    /// Nothing is missing.
    Whole,
    /// The last good copy has more than the project.
    CopyHasMore(u64),
    /// So much is gone for good.
    Missing(u64),
}

/// Compares what `db` at `project` has with what was noted.
pub(super) fn compare(db: &Connection, project: &Path) -> rusqlite::Result<Verdict> {
    let noted = fs::read(path_of(project)).ok();
    let Some(noted) = noted.and_then(|bytes| unsealed(&bytes)) else {
        return Ok(Verdict::Whole);
    };
    let found = counted(db)?;
    if noted <= found {
        return Ok(Verdict::Whole);
    }
    let missing = noted - found;
    let backup = backup_path(project);
    let in_copy = backup.exists().then(|| Connection::open(&backup));
    let in_copy = in_copy.and_then(|copy| counted(&copy.ok()?).ok());
    Ok(match in_copy {
        Some(in_copy) if in_copy > found => Verdict::CopyHasMore(missing),
        _ => Verdict::Missing(missing),
    })
}

/// Copies the journal of `project` beside it before anything is written to it.
pub(super) fn set_journal_aside(project: &Path) -> Option<PathBuf> {
    let journal = with_ending(project, "-wal");
    let aside = with_ending(&free_name(project), "-wal");
    let bytes = fs::metadata(&journal).ok()?.len();
    (bytes > 0).then(|| fs::copy(&journal, &aside).ok())??;
    Some(aside)
}

/// The number with its check, so that a torn one is not believed.
fn sealed(steps: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&steps.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..8]);
    bytes[8..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn unsealed(bytes: &[u8]) -> Option<u64> {
    let number = bytes.first_chunk().copied().map(u64::from_le_bytes)?;
    (bytes == sealed(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Painter;
    use super::super::{Project, recover};
    use super::*;
    use crate::geom::PixelRect;

    const KEPT: [&str; 3] = ["", "-wal", "-steps"];

    /// Three strokes with a good copy after the first `copied`, and the files as a power cut leaves
    /// them, with the journal changed.
    fn after_a_power_cut(copied: usize, damage: fn(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.orthobrush");
        let mut painter = Painter::new(&path, &folder.path().join("a.tif"));
        for number in 0..3 {
            painter.paint(PixelRect::new(number * 50, 0, 40, 40), number as u8);
            if number as usize + 1 == copied {
                painter.project.back_up().expect("a copy");
            }
        }
        let cut = tempfile::tempdir().expect("a folder");
        let there = cut.path().join("a.orthobrush");
        for ending in KEPT {
            let from = with_ending(&path, ending);
            fs::copy(from, with_ending(&there, ending)).expect("copied");
        }
        if copied > 0 {
            fs::copy(backup_path(&path), backup_path(&there)).expect("copied");
        }
        let journal = with_ending(&there, "-wal");
        let mut bytes = fs::read(&journal).expect("a journal");
        damage(&mut bytes);
        crate::disk::replace_file(&journal, &bytes).expect("written");
        (cut, there)
    }

    #[test]
    fn a_journal_that_lost_its_end_is_noticed_once() {
        let cuts: [fn(&mut Vec<u8>); 3] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            |bytes| {
                let near_the_end = bytes.len() - 5_000;
                bytes[near_the_end] ^= 4;
            },
            |bytes| bytes[40_000] ^= 1,
        ];
        for (number, damage) in cuts.into_iter().enumerate() {
            let (_folder, path) = after_a_power_cut(0, damage);
            let damaged = fs::read(with_ending(&path, "-wal")).expect("a journal");
            let project = Project::open(&path).expect("what is left");
            let missing = project.missing().expect("noticed").clone();
            assert!(missing.steps > 0, "{number}");
            let aside = fs::read(missing.set_aside.expect("kept")).expect("a journal");
            assert_eq!(aside, damaged);
            project.close().expect("closed");
            let again = Project::open(&path).expect("whole");
            assert_eq!(again.missing(), None);
        }
    }

    #[test]
    fn a_whole_journal_says_nothing() {
        let (_folder, path) = after_a_power_cut(1, |_| ());
        let project = Project::open(&path).expect("whole");
        assert_eq!(project.missing(), None);
        project.close().expect("closed");
        assert!(!path_of(&path).exists(), "nothing stays beside it");
    }

    #[test]
    fn a_copy_that_has_more_takes_the_place() {
        let (_folder, path) = after_a_power_cut(3, |bytes| bytes.truncate(40));
        let error = Project::open(&path).expect_err("noticed");
        assert!(error.is_damage(), "{error}");
        let recovered = recover(&path).expect("set aside");
        assert!(recovered.from_backup);
        let journal = fs::read(with_ending(&recovered.set_aside, "-wal"));
        assert_eq!(journal.expect("as it was").len(), 40);
        let project = Project::open(&path).expect("the copy");
        assert_eq!(project.missing(), None);
    }

    #[test]
    fn only_a_whole_number_is_believed() {
        for steps in [0, 1, u64::MAX] {
            let mut bytes = sealed(steps);
            assert_eq!(unsealed(&bytes), Some(steps));
            assert_eq!(unsealed(&bytes[..11]), None);
            bytes[3] ^= 1;
            assert_eq!(unsealed(&bytes), None);
        }
    }
}
