use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A shared flag that asks work to rest until it may go on.
#[derive(Clone, Debug, Default)]
pub struct PauseToken(Arc<AtomicBool>);

impl PauseToken {
    /// Asks the work to rest at its next convenient moment.
    pub fn pause(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Lets the work go on.
    pub fn go_on(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether the work is to rest.
    pub fn is_paused(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
