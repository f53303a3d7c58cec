use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::disk::PendingFile;

/// Bytes that are copied at once.
const COPY_BYTES: usize = 4 << 20;

/// Packed tiles of one level, in order, until their place in the file is known.
pub(super) struct Spool {
    file: BufWriter<File>,
    len: u64,
    /// Bytes of each tile, 0 for those that are left out.
    counts: Vec<u64>,
}

impl Spool {
    /// Empty, in a file without a name in `folder`.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(COPY_BYTES, tempfile::tempfile_in(folder)?),
            len: 0,
            counts: Vec::new(),
        })
    }

    /// Adds the next tile; an empty one is left out.
    pub(super) fn push(&mut self, tile: &[u8]) -> io::Result<()> {
        self.file.write_all(tile)?;
        self.len += tile.len() as u64;
        self.counts.push(tile.len() as u64);
        Ok(())
    }

    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Appends all tiles to `to`.
    pub(super) fn copy_to(&mut self, to: &mut PendingFile) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            to.append(&buffer[..count])?;
        }
    }
}
