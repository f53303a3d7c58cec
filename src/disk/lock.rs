use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// A lock file that is held as long as this lives, and that the system lets go when the process
/// ends in whatever way.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    file: File,
}

impl FileLock {
    /// Takes the lock at `path`, waiting for at most `patience`; `None` when somebody else has it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn acquire(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let began = Instant::now();
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(path, &file) => {
                    let path = path.to_owned();
                    return Ok(Some(Self { path, file }));
                }
                // Its last owner removed it between our opening and locking it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if began.elapsed() >= patience => return Ok(None),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Removed while it is still held: whoever waits for it notices and makes a new one.
        drop(std::fs::remove_file(&self.path));
        drop(self.file.unlock());
    }
}

/// Whether the open file is the one that the path names now.
#[cfg(unix)]
fn is_at(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(named), Ok(open)) = (std::fs::metadata(path), file.metadata()) else {
        return false;
    };
    (named.dev(), named.ino()) == (open.dev(), open.ino())
}

#[cfg(not(unix))]
fn is_at(_: &Path, _: &File) -> bool {
    // An open file cannot be removed there.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_again_after_the_first_let_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".ortho.lock");
        let take =
            || FileLock::acquire(&path, Duration::ZERO).expect("a folder that can be written");
        let first = take().expect("free");
        assert!(take().is_none());
        drop(first);
        assert!(!path.exists());
        assert!(take().is_some());
    }
}
