use std::collections::HashSet;

use super::JobId;
use crate::geom::{ImageSize, PixelRect};
use crate::label::Mask;
use crate::metrics::{Counts, TileConfusion, TileCounts};

/// More tiles than this are counted again in the background instead of at once.
pub(super) const MOST_AT_ONCE: usize = 2_048;

/// Counts of `N` masks, which are of `P`, kept up with every change of them.
#[derive(Debug)]
pub(super) struct Followed<P, C, const N: usize> {
    pub of: Option<P>,
    pub counts: Option<TileCounts<C, N>>,
    pub job: Option<JobId>,
    /// Columns and rows of the tiles that changed since the counts were right.
    dirty: HashSet<(u32, u32)>,
    /// Another one whenever numbers may be others.
    pub version: u64,
}

/// What brings counts up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// They are, or a job counts.
    Nothing,
    /// All is counted by a job.
    Anew,
    /// Tiles that changed are counted.
    Changes,
}

impl<P, C, const N: usize> Default for Followed<P, C, N> {
    fn default() -> Self {
        Self {
            of: None,
            counts: None,
            job: None,
            dirty: HashSet::new(),
            version: 0,
        }
    }
}

impl<P: PartialEq, C: Counts<N>, const N: usize> Followed<P, C, N> {
    /// Pixels of one of the masks changed, which have this size.
    pub fn note(&mut self, dirty: &[PixelRect], size: ImageSize) {
        if self.of.is_some() {
            let inside = dirty.iter().map(|rect| rect.intersect(size.bounds()));
            self.dirty.extend(inside.flat_map(TileConfusion::tiles_in));
        }
    }

    /// A job ended, whatever came of it.
    pub fn ended(&mut self, id: JobId) {
        self.job = self.job.filter(|job| *job != id);
    }

    /// What is to be done where `now` is what can be counted.
    pub fn next(&self, now: Option<&P>) -> Next {
        let is_counted = self.dirty.is_empty() || self.job.is_some();
        if now != self.of.as_ref() || (!is_counted && self.dirty.len() > MOST_AT_ONCE) {
            Next::Anew
        } else if is_counted {
            Next::Nothing
        } else {
            Next::Changes
        }
    }

    /// Forgets what was counted; the job that counted it, which is to be stopped.
    pub fn begin(&mut self, of: Option<P>) -> Option<JobId> {
        let old = std::mem::take(self);
        (self.of, self.version) = (of, old.version + 1);
        old.job
    }

    /// A job counted all of `of`, if that is still what is wanted. What changed meanwhile is not in it.
    pub fn counted(&mut self, of: &P, counts: TileCounts<C, N>) {
        if self.of.as_ref() == Some(of) {
            (self.counts, self.job) = (Some(counts), None);
            self.version += 1;
        }
    }

    /// Counts the tiles that changed. Whether there were counts to be brought up to date.
    pub fn count_changes(&mut self, masks: [&Mask; N]) -> bool {
        let Some(counts) = &mut self.counts else {
            return false;
        };
        let dirty: Vec<_> = self.dirty.drain().collect();
        counts.update(masks, &dirty);
        self.version += 1;
        true
    }

    /// The second mask is another one from now on, and bare: `now` is counted without a look at any
    /// pixel. Whether there were counts to tell it from.
    pub fn count_as_unpredicted(&mut self, now: P) -> bool {
        let Some(counts) = &self.counts else {
            return false;
        };
        let counts = counts.unpredicted();
        (self.of, self.counts) = (Some(now), Some(counts));
        self.version += 1;
        true
    }

    /// Whether the counts claim to be those of the masks as they are now.
    pub fn is_current(&self) -> bool {
        self.dirty.is_empty()
    }
}
