use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// After so many bytes the disk is asked to keep up, so that the last flush is short.
const FLUSH_EVERY_BYTES: u64 = 32 << 20;

/// A file that grows under another name in the same folder until it is whole.
///
/// Dropped before [`PendingFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct PendingFile {
    path: PathBuf,
    temporary: NamedTempFile,
    len: u64,
    flushed_at: u64,
}

impl PendingFile {
    /// An empty file that is to be at `path`, whose folder is made if needed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            let why = "a folder has this name";
            return Err(io::Error::new(io::ErrorKind::IsADirectory, why));
        }
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

    /// Bytes appended so far.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was appended yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts bytes anywhere into a file whose length was set, from any thread.
    ///
    /// # Errors
    /// When the disk refuses.
    #[cfg(unix)]
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self.temporary.as_file(), bytes, offset)
    }

    /// Puts bytes anywhere into a file whose length was set, from any thread.
    ///
    /// # Errors
    /// When the disk refuses.
    #[cfg(windows)]
    pub fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt as _;
        while !bytes.is_empty() {
            let count = self.temporary.as_file().seek_write(bytes, offset)?;
            bytes = &bytes[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// Adds to the end.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temporary.as_file_mut().write_all(bytes)?;
        self.len += bytes.len() as u64;
        if self.len - self.flushed_at >= FLUSH_EVERY_BYTES {
            self.temporary.as_file().sync_data()?;
            self.flushed_at = self.len;
        }
        Ok(())
    }

    /// The file itself, for those who do not only append.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Where it is until then, for libraries that open files themselves.
    pub fn draft_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Replaces the file at the path by this one: flushes it, renames it, and flushes the folder,
    /// so that the name survives a power cut as well.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then untouched.
    pub fn commit(self) -> io::Result<()> {
        keep_permissions(&self.path, self.temporary.as_file())?;
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        sync_folder(folder_of(&self.path))
    }
}

/// Renames a finished and flushed `draft` over the file at `path`, which keeps its permissions, and
/// flushes the folder.
///
/// # Errors
/// When the disk refuses; the old file is then untouched.
pub fn move_into_place(draft: &Path, path: &Path) -> io::Result<()> {
    if let Ok(old) = fs::metadata(path) {
        fs::set_permissions(draft, old.permissions())?;
    }
    fs::rename(draft, path)?;
    sync_folder(folder_of(path))
}

/// The folder that holds the file at `path`, `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file gets the usual permissions instead of a temporary file's private ones; a replaced
/// file keeps its own.
#[cfg(unix)]
fn keep_permissions(path: &Path, temporary: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(_) => 0o644,
    };
    temporary.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_permissions(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
