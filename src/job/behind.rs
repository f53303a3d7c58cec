use std::io;

use rayon::{ThreadPool, ThreadPoolBuilder};
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// Of 0 to 99, where 50 is usual: a niceness of about 10.
const LOW_PRIORITY: u8 = 25;

/// Threads for computing that lies behind the window: the system gives the window a processor
/// whenever it wants one.
///
/// # Errors
/// When the system has no more threads.
pub fn pool_behind(name: &'static str) -> io::Result<ThreadPool> {
    let pool = ThreadPoolBuilder::new()
        .thread_name(move |at| format!("{name}-{at}"))
        .start_handler(|_| {
            let low = ThreadPriorityValue::try_from(LOW_PRIORITY).unwrap_or_default();
            let low = ThreadPriority::Crossplatform(low);
            if let Err(error) = set_current_thread_priority(low) {
                tracing::debug!("computing stays at the usual priority: {error:?}");
            }
        })
        .build();
    pool.map_err(io::Error::other)
}
