use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::train::TrainPlan;

/// Where the time of an epoch went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::train) struct Spent {
    /// In all.
    pub(in crate::train) total: f64,
    /// Waiting for images to be decoded and varied.
    pub(in crate::train) data: f64,
    /// Computing on the device.
    pub(in crate::train) compute: f64,
}

/// Tells the time of day. This layer has none of its own: whoever starts a training lends it.
pub type WallClock = fn() -> SystemTime;

impl TrainPlan {
    /// Notes in the run folder when the training began, by `clock`.
    #[must_use]
    pub const fn timed(mut self, clock: Option<WallClock>) -> Self {
        self.clock = clock;
        self
    }
}

/// Measures the time that a training works; pauses do not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    /// Seconds of work before this part of the training.
    before: f64,
    paused: Duration,
}

impl Clock {
    /// Goes on from `before` seconds.
    pub(super) fn from(before: f64) -> Self {
        Self {
            began: Instant::now(),
            before,
            paused: Duration::ZERO,
        }
    }

    /// Seconds of work so far.
    pub(super) fn seconds(&self) -> f64 {
        let worked = self.began.elapsed().saturating_sub(self.paused);
        self.before + worked.as_secs_f64()
    }

    /// Takes a pause out of the time.
    pub(super) fn leave_out(&mut self, pause: Duration) {
        self.paused += pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_no_work() {
        let mut clock = Clock::from(5.0);
        clock.leave_out(Duration::from_hours(1));
        // An hour was never worked, so nothing is left of this part.
        assert_eq!(clock.seconds(), 5.0);
    }
}
