use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::DatasetError;

/// How a long look at files talks to its caller.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Whether to stop.
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told the share of the work that is done, 0 to 1, from any thread.
    pub progress: &'a (dyn Fn(f64) + Sync),
}

impl Watch<'static> {
    /// Nobody waits and nobody stops it.
    pub const NOBODY: Self = Self {
        is_cancelled: &|| false,
        progress: &|_| (),
    };
}

impl Watch<'_> {
    /// Does `work`, which is the share from `start` to `end` of the whole.
    pub fn during<R>(&self, (start, end): (f64, f64), work: impl FnOnce(&Watch<'_>) -> R) -> R {
        let progress = |share: f64| (self.progress)(start + (end - start) * share);
        work(&Watch {
            is_cancelled: self.is_cancelled,
            progress: &progress,
        })
    }
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// What `read` makes of each of 0 to `len`, in parallel, with a word after each.
///
/// # Errors
/// What `read` says, or [`DatasetError::Stopped`].
pub(super) fn counted<R: Send>(
    watch: &Watch<'_>,
    len: usize,
    read: impl Fn(usize) -> Result<R, DatasetError> + Sync,
) -> Result<Vec<R>, DatasetError> {
    let done = AtomicUsize::new(0);
    let each = |at: usize| {
        if (watch.is_cancelled)() {
            return Err(DatasetError::Stopped);
        }
        let found = read(at)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (watch.progress)(done as f64 / len as f64);
        Ok(found)
    };
    (0..len).into_par_iter().map(each).collect()
}
