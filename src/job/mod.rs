//! How work leaves the interface thread: a named thread, a bounded channel, a cancel token, a panic
//! fence and a way to wake the window.
//!
//! A job owns its inputs and talks only by events. This layer knows no window: waking is a closure.

mod behind;
mod cancel;
mod pause;
mod spawn;
mod told;

pub use behind::pool_behind;
pub use cancel::CancelToken;
pub use pause::PauseToken;
pub use spawn::{Cancelled, Job, JobContext, JobEvent, Waker, fenced, spawn};
pub use told::told;
