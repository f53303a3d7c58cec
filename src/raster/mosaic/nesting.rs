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
/// The most files that mosaics within a mosaic may be asked for at one read.
const MOST_NESTED_READS: u32 = 1 << 20;

thread_local! {
    /// What mosaics within the mosaic that this thread reads were asked for so far.
    static NESTED_READS: Cell<u32> = const { Cell::new(0) };
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

    /// Begins a read of the mosaic.
    pub(super) fn begin_read(&self) {
        if self.is_outermost() {
            NESTED_READS.set(0);
        }
    }

    /// The file of a number.
    pub(super) fn source(&self, file: u32) -> Result<Arc<dyn TileSource>, ReadError> {
        let path = self.paths.get(file as usize).ok_or_else(|| Broken {
            path: PathBuf::new(),
            reason: "the mosaic has no such file".to_owned(),
        })?;
        if !self.is_outermost() {
            let count = NESTED_READS.get().saturating_add(1);
            NESTED_READS.set(count);
            if count > MOST_NESTED_READS {
                let reason = "mosaics within mosaics lay too much over each other".to_owned();
                return Err(Broken {
                    path: path.clone(),
                    reason,
                }
                .into());
            }
        }
        let found = self.open.get(file, || self.open_file(path).map(Some))?;
        found.ok_or_else(|| {
            let reason = "it is not there".to_owned();
            Broken {
                path: path.clone(),
                reason,
            }
            .into()
        })
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
        OpenError::UnknownFormat { .. } => "it is no image that is read here".to_owned(),
        OpenError::Damaged { reason, .. } => format!("it is damaged: {reason}"),
        OpenError::Unsupported { what, .. } => format!("{what} cannot be read here"),
        OpenError::Elsewhere { what, .. } => format!("it refers to {what}"),
    }
}
