//! Ctrl+C: work stops at its next safe place and leaves nothing half done. Whoever presses it again
//! ends the program at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell expects of a program that Ctrl+C ended.
const INTERRUPTED: i32 = 130;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl+C was pressed. From the first question on it no longer ends the program by itself.
pub fn is_asked() -> bool {
    static LISTENS: OnceLock<bool> = OnceLock::new();
    // Where the system refuses, Ctrl+C ends the program as it always did.
    LISTENS.get_or_init(|| ctrlc::set_handler(asked).is_ok());
    IS_ASKED.load(Ordering::Relaxed)
}

fn asked() {
    if IS_ASKED.swap(true, Ordering::Relaxed) {
        std::process::exit(INTERRUPTED);
    }
    eprintln!("Stopping; Ctrl+C again ends the program at once");
}
