//! Ctrl+C: work stops at its next safe place and leaves nothing half done. Whoever presses it again
//! ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGINT;
use signal_hook::flag::{register, register_conditional_shutdown};

/// What a shell expects of a program that Ctrl+C ended.
const INTERRUPTED: i32 = 130;

/// Whether Ctrl+C was pressed. From the first question on it no longer ends the program by itself.
pub fn is_asked() -> bool {
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    ASKED.get_or_init(listen).load(Ordering::Relaxed)
}

fn listen() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    // In this order: the second time it is known already that it was asked. Where the system refuses,
    // Ctrl+C ends the program as it always did.
    let second = register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&asked));
    drop(second.and_then(|_| register(SIGINT, Arc::clone(&asked))));
    asked
}
