use std::fs;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// After so many bytes the disk is asked to keep up, so that the last flush is short.
const FLUSH_EVERY_BYTES: u64 = 32 << 20;

/// A file that grows under another name until it is whole.
///
/// The same promise as [`crate::disk::replace_with`], for what is written over many calls.
#[derive(Debug)]
pub(super) struct PendingFile {
    path: PathBuf,
    temporary: NamedTempFile,
    len: u64,
    flushed_at: u64,
}

impl PendingFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        let temporary = NamedTempFile::with_prefix_in(".orthobrush-", folder)?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            len: 0,
            flushed_at: 0,
        })
    }

    /// Bytes so far.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temporary.as_file_mut().write_all(bytes)?;
        self.len += bytes.len() as u64;
        if self.len - self.flushed_at >= FLUSH_EVERY_BYTES {
            self.temporary.as_file().sync_data()?;
            self.flushed_at = self.len;
        }
        Ok(())
    }

    /// Replaces the file at the path by this one, whose first bytes become `head`.
    pub(super) fn commit(mut self, head: &[u8]) -> io::Result<()> {
        self.temporary.as_file_mut().seek(SeekFrom::Start(0))?;
        self.temporary.as_file_mut().write_all(head)?;
        keep_permissions(&self.path, self.temporary.as_file())?;
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file gets the usual permissions instead of a temporary file's private ones; a replaced
/// file keeps its own.
#[cfg(unix)]
fn keep_permissions(path: &Path, temporary: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(_) => 0o644,
    };
    temporary.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_permissions(_: &Path, _: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
