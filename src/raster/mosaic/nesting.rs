use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inside::Access;
use super::parts::{Broken, OpenParts, PART_CACHE_BYTES};
use crate::raster::error::{Fault, OpenError, ReadError};
use crate::raster::open::Opened;
use crate::raster::source::TileSource;

/// How deep mosaics may lie in each other.
const DEEPEST: usize = 8;
/// Bytes of what open files of a mosaic keep in memory; each mosaic within it has an eighth.
const OPEN_BYTES: usize = 512 << 20;
/// Pixels that mosaics within a mosaic may read for each that is asked of it: so many that each of
/// eight in each other may read sixteen.
const MOST_NESTED: u64 = 128;
/// So many pixels are asked of a band at least, as the bound takes it.
const LEAST_ASKED: u64 = 1 << 15;
/// What a read of a file costs at least, and what opening one does, in pixels that are read meanwhile.
const READ_COST: u64 = 32;
const OPEN_COST: u64 = 1 << 10;

thread_local! {
    /// Pixels that mosaics within the mosaic that this thread reads may still read.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// A read of an outermost mosaic. A thread may begin another one meanwhile, while it waits for what
/// other threads decode.
pub(super) struct Reading {
    left_before: u64,
}

impl Drop for Reading {
    fn drop(&mut self) {
        LEFT.set(self.left_before);
    }
}

/// The mosaics around one.
#[derive(Clone, Debug, Default)]
pub(in crate::raster) struct Nesting {
    around: Vec<PathBuf>,
}

impl Nesting {
    /// As seen from within the mosaic at `path`.
    ///
    /// # Errors
    /// When that mosaic lies within itself, or too deep.
    pub(super) fn within(&self, path: &Path) -> Result<Self, Fault> {
        let path = std::fs::canonicalize(path)?;
        if self.around.contains(&path) {
            return Err(Fault::damaged("it is a part of itself"));
        }
        if self.around.len() >= DEEPEST {
            return Err(Fault::damaged(format!(
                "mosaics lie more than {DEEPEST} deep in each other"
            )));
        }
        let mut around = self.around.clone();
        around.push(path);
        Ok(Self { around })
    }

    /// Whether files that are opened here are parts of a mosaic.
    pub(in crate::raster) fn is_within(&self) -> bool {
        !self.around.is_empty()
    }

    /// Bytes that a file may keep of what it decodes, where that is bounded.
    pub(in crate::raster) fn cache_bytes(&self) -> Option<usize> {
        self.is_within().then_some(PART_CACHE_BYTES)
    }
}

/// The files of a mosaic, opened when they are read.
pub(super) struct PartFiles {
    paths: Vec<PathBuf>,
    access: Access,
    /// As seen from within the mosaic.
    nesting: Nesting,
    open: OpenParts<u32>,
}

impl PartFiles {
    pub(super) fn new(paths: Vec<PathBuf>, access: Access, nesting: Nesting) -> Self {
        let halvings = 3 * nesting.around.len().saturating_sub(1).min(6);
        Self {
            paths,
            access,
            nesting,
            open: OpenParts::new(OPEN_BYTES >> halvings),
        }
    }

    /// Where they are, by number.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// As seen from within the mosaic.
    pub(super) const fn nesting(&self) -> &Nesting {
        &self.nesting
    }

    /// Whether the mosaic is no part of another one.
    pub(super) fn is_outermost(&self) -> bool {
        self.nesting.around.len() <= 1
    }

    /// Begins a read of so many pixels, those of each band counted, which goes on while what is
    /// returned lives. A mosaic within another one reads for that.
    pub(super) fn begin_read(&self, pixels: u64, bands: usize) -> Option<Reading> {
        let asked = pixels.max(LEAST_ASKED).saturating_mul(bands as u64);
        let most = asked.saturating_mul(MOST_NESTED);
        self.is_outermost().then(|| Reading {
            left_before: LEFT.replace(most),
        })
    }

    /// Counts pixels of a file that a mosaic within another one reads.
    ///
    /// # Errors
    /// [`ReadError::Part`] when that are too many for what is asked of the outermost one.
    pub(super) fn count(&self, file: u32, pixels: u64) -> Result<(), ReadError> {
        if self.is_outermost() {
            return Ok(());
        }
        let left = LEFT.get().checked_sub(pixels.max(READ_COST));
        LEFT.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(self.broken(file, "mosaics within mosaics lay too much over each other")),
        }
    }

    /// What to say of a file that cannot be used.
    pub(super) fn broken(&self, file: u32, reason: impl Into<String>) -> ReadError {
        let path = self.paths.get(file as usize);
        ReadError::Part {
            path: path.cloned().unwrap_or_default(),
            reason: reason.into(),
        }
    }

    /// The file of a number.
    pub(super) fn source(&self, file: u32) -> Result<Arc<dyn TileSource>, ReadError> {
        let path = self.paths.get(file as usize);
        let path = path.ok_or_else(|| self.broken(file, "the mosaic has no such file"))?;
        let mut is_new = false;
        let found = self.open.get(file, || {
            is_new = true;
            self.open_file(path).map(Some)
        })?;
        if is_new {
            self.count(file, OPEN_COST)?;
        }
        found.ok_or_else(|| self.broken(file, "it is not there"))
    }

    fn open_file(&self, path: &Path) -> Result<Arc<dyn TileSource>, Broken> {
        let broken = |reason| Broken {
            path: path.to_owned(),
            reason,
        };
        let real = self.access.follow(path).map_err(broken)?;
        let opened = Opened::open_within(&real, &self.nesting, &|_| None);
        let opened = opened.map_err(|error| broken(reason_of(error)))?;
        Ok(opened.into_source())
    }
}

/// Why a file cannot be opened, without its name.
pub(super) fn reason_of(error: OpenError) -> String {
    match error {
        OpenError::Io { source, .. } => source.to_string(),
        OpenError::Folder { .. } => "it is a folder".to_owned(),
        OpenError::Empty { .. } => "it is empty".to_owned(),
        OpenError::UnknownFormat { .. } => "it is no image that is read here".to_owned(),
        OpenError::Damaged { reason, .. } => format!("it is damaged: {reason}"),
        OpenError::Unsupported { what, .. } => format!("{what} cannot be read here"),
        OpenError::Elsewhere { what, .. } => format!("it refers to {what}"),
    }
}
