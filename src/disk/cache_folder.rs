use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::free_bytes;

/// Bytes that stay free on the disk.
const LEFT_FREE: u64 = 1 << 30;
/// No file is written for so long.
const LONGEST_WRITING: Duration = Duration::from_hours(24);
/// What unfinished files are called by [`super::PendingFile`].
const DRAFT: &str = ".orthobrush-";

/// A folder of files that can be made again, all with one ending, of a bounded number of bytes: what
/// was not used longest goes first. Any file may be deleted at any time, and processes may share it.
/// The time of a file says when it was used; nothing but the order in which files go depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFolder {
    path: PathBuf,
    ending: &'static str,
    budget_bytes: u64,
}

impl CacheFolder {
    /// Files named `*.ending` in the folder `path`, which need not be there yet.
    pub fn new(path: &Path, ending: &'static str, budget_bytes: u64) -> Self {
        Self {
            path: path.to_owned(),
            ending,
            budget_bytes,
        }
    }

    /// The one called `name` among this user's caches; `None` on a machine without a home folder.
    pub fn usual(name: &str, ending: &'static str, budget_bytes: u64) -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "orthobrush")?;
        Some(Self::new(
            &folders.cache_dir().join(name),
            ending,
            budget_bytes,
        ))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file called `name`, without the ending, is or would be.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{}", self.ending))
    }

    /// Whether a new file of so many bytes is within the bound and [leaves room](Self::leaves_room).
    pub fn has_room(&self, bytes: u64) -> bool {
        bytes <= self.budget_bytes && self.leaves_room(bytes)
    }

    /// Whether the disk has a GiB left besides so many bytes, as far as it says.
    pub fn leaves_room(&self, bytes: u64) -> bool {
        let needed = bytes.saturating_add(LEFT_FREE);
        free_bytes(&self.path).is_none_or(|free| free >= needed)
    }

    /// Files whose names begin so.
    pub fn named(&self, beginning: &str) -> impl Iterator<Item = PathBuf> {
        let files = self.files().into_iter().map(|(path, ..)| path);
        files.filter(move |path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with(beginning)
        })
    }

    /// `path` was used at `now`; whether it is there.
    pub fn used(&self, path: &Path, now: SystemTime) -> bool {
        let Ok(file) = File::options().write(true).open(path) else {
            return false;
        };
        if let Err(error) = file.set_modified(now) {
            tracing::debug!("{error}: {}", self.path.display());
        }
        true
    }

    /// After `kept` was written at `now`: removes what was not used longest, but not `kept`, until
    /// all fit, and what was left by processes that were killed while they wrote.
    pub fn make_room(&self, kept: &Path, now: SystemTime) {
        self.used(kept, now);
        let mut files = self.files();
        files.sort_by_key(|(_, used, _)| *used);
        let mut bytes: u64 = files.iter().map(|(.., len)| len).sum();
        for (path, _, len) in files.iter().filter(|(path, ..)| path != kept) {
            if bytes <= self.budget_bytes {
                break;
            }
            // One that is open elsewhere may stay on some systems; the next time gets it.
            if fs::remove_file(path).is_ok() {
                bytes -= len;
            }
        }
        self.drop_drafts(now);
    }

    /// Bytes of all files.
    pub fn bytes_used(&self) -> u64 {
        self.files().iter().map(|(.., len)| len).sum()
    }

    fn drop_drafts(&self, now: SystemTime) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let is_draft = entry.file_name().to_string_lossy().starts_with(DRAFT);
            let written = entry.metadata().and_then(|data| data.modified());
            let age = written
                .ok()
                .and_then(|written| now.duration_since(written).ok());
            if is_draft && age.is_some_and(|age| age > LONGEST_WRITING) {
                // Whoever may not remove it leaves it to the next.
                drop(fs::remove_file(entry.path()));
            }
        }
    }

    /// Paths, times and lengths.
    fn files(&self) -> Vec<(PathBuf, SystemTime, u64)> {
        let ending = format!(".{}", self.ending);
        let file = |entry: fs::DirEntry| {
            let path = entry.path();
            let is_ours = path.to_string_lossy().ends_with(&ending);
            let data = entry.metadata().ok()?;
            let is_file = is_ours && data.is_file();
            is_file.then_some((path, data.modified().ok()?, data.len()))
        };
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(file).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::disk::replace_file;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = CacheFolder::new(folder.path(), "kept.bin", 250);
        let files = ["a", "b", "c"].map(|name| cache.file(name));
        let other = folder.path().join("notes.txt");
        replace_file(&other, &[0; 1000]).expect("written");
        for (seconds, file) in (1..).zip(&files[..2]) {
            assert!(cache.has_room(100) && !cache.used(file, at(seconds)));
            replace_file(file, &[1; 100]).expect("written");
            cache.make_room(file, at(seconds));
        }
        assert!(cache.used(&files[0], at(5)));
        replace_file(&files[2], &[1; 100]).expect("written");
        cache.make_room(&files[2], at(6));
        let left = files.each_ref().map(|file| file.is_file());
        assert_eq!(left, [true, false, true]);
        assert_eq!(cache.bytes_used(), 200);
        assert_eq!(cache.named("c").collect::<Vec<_>>(), [files[2].clone()]);
        assert!(other.is_file(), "another's file");
        assert!(!cache.has_room(251));
    }

    #[test]
    fn drafts_are_left_alone_while_somebody_may_still_write_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = CacheFolder::new(folder.path(), "bin", 1);
        let (file, draft) = (cache.file("a"), folder.path().join(".orthobrush-left"));
        replace_file(&file, &[1; 100]).expect("written");
        File::create(&draft)
            .and_then(|draft| draft.set_modified(UNIX_EPOCH))
            .expect("a draft");
        cache.make_room(&file, UNIX_EPOCH + LONGEST_WRITING);
        assert!(draft.is_file());
        cache.make_room(&file, UNIX_EPOCH + LONGEST_WRITING * 2);
        assert!(!draft.exists() && file.is_file());
    }
}
