use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::geom::PixelRect;

/// Pieces of ground that are remembered; a file with more is broken through and through.
const MOST_PIECES: usize = 4_096;

/// Ground of an image that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenGround {
    /// Where, in level-0 pixels.
    pub rect: PixelRect,
    /// Why, for the person.
    pub why: String,
}

/// The ground of an image that could not be read so far.
#[derive(Debug, Default)]
pub(super) struct BrokenList(Mutex<Vec<BrokenGround>>);

impl BrokenList {
    pub(super) fn add(&self, rect: PixelRect, why: String) {
        let mut known = self.lock();
        if known.len() < MOST_PIECES && known.iter().all(|piece| piece.rect != rect) {
            known.push(BrokenGround { rect, why });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn all(&self) -> Vec<BrokenGround> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<BrokenGround>> {
        // Whole pieces are pushed or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
