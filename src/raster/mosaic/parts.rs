use std::hash::Hash;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::raster::cache::ByteLru;
use crate::raster::error::ReadError;
use crate::raster::source::{Layout, TileSource};

/// The most files that are open at once.
const MOST_OPEN: usize = 64;
/// Memory of what is known not to be there.
const BYTES_OF_NOTHING: usize = 1_024;
/// Bytes of decoded pixels that a file of tiles or strips keeps.
pub(in crate::raster) const PART_CACHE_BYTES: usize = 16 << 20;

/// Why a file of a mosaic cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

impl From<Broken> for ReadError {
    fn from(Broken { path, reason }: Broken) -> Self {
        Self::Part { path, reason }
    }
}

/// A file, `None` where it may be missing and is.
type Found = Result<Option<Arc<dyn TileSource>>, Broken>;

/// Files that are opened when somebody reads them; those used last stay open, up to a number of
/// bytes of what they keep in memory.
pub(super) struct OpenParts<K> {
    kept: Mutex<ByteLru<K, Arc<OnceLock<Found>>>>,
    /// What a file counts at least, so that there are never too many.
    least_bytes: usize,
}

impl<K: Copy + Eq + Hash> OpenParts<K> {
    /// Keeps files whose pixels take `budget_bytes` together.
    pub(super) fn new(budget_bytes: usize) -> Self {
        Self {
            kept: Mutex::new(ByteLru::new(budget_bytes)),
            least_bytes: budget_bytes / MOST_OPEN,
        }
    }

    /// The file of `key`, opened by `open` where it is not open; one thread opens it, others wait.
    pub(super) fn get(&self, key: K, open: impl FnOnce() -> Found) -> Found {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(&key).unwrap_or_else(|| {
                let slot = Arc::default();
                kept.put(key, Arc::clone(&slot), self.least_bytes);
                slot
            })
        };
        let mut is_new = false;
        let found = slot.get_or_init(|| {
            is_new = true;
            open()
        });
        if is_new {
            let bytes = match found {
                Ok(Some(source)) => memory_of(&**source).max(self.least_bytes),
                _ => BYTES_OF_NOTHING,
            };
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.put(key, Arc::clone(&slot), bytes);
        }
        found.clone()
    }
}

/// Bytes that an open file may keep.
fn memory_of(source: &dyn TileSource) -> usize {
    let info = source.info();
    let pixel_bytes = u64::from(info.bands) * u64::from(info.sample.bits().div_ceil(8));
    let decoded = info.size.num_pixels().saturating_mul(pixel_bytes);
    let decoded = usize::try_from(decoded).unwrap_or(usize::MAX / 4);
    match info.layout {
        Layout::Whole => decoded.min(usize::MAX / 4),
        Layout::Tiles { .. } | Layout::Strips { .. } => decoded.min(PART_CACHE_BYTES),
    }
}
