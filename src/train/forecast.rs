use std::fmt;

use serde::{Deserialize, Serialize};

use super::memory::in_words;

/// What a training will take, measured on some of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The most main memory that the program held so far, in bytes; `None` where the system does
    /// not say.
    pub bytes: Option<u64>,
    /// What a step was thought to take of the device's memory, in bytes.
    pub estimated_bytes: u64,
    /// Time of a step.
    pub seconds_per_step: f64,
    /// How much of it was waiting for images.
    pub data_seconds_per_step: f64,
    /// Time until the last epoch ends, or until the time limit.
    pub seconds_left: f64,
    /// How many steps were measured.
    pub steps: u32,
}

/// Steps that are measured, where an epoch has as many.
const MEASURED: u32 = 10;
/// The first step alone may be slower than all others.
const FEWEST: u32 = 2;
/// A look at held-out patches takes this share of a step with as many, about: it has no way back.
const SHARE_OF_A_LOOK: f64 = 0.35;

/// Measures the first steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    wanted: u32,
    steps: u32,
    data: f64,
    compute: f64,
}

/// What is still to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) steps: u64,
    /// Looks at a batch of held-out patches.
    pub(super) looks: u64,
    /// Time of a look, where it was measured.
    pub(super) seconds_per_look: Option<f64>,
    /// Seconds until the time limit.
    pub(super) limit: f64,
}

impl Measured {
    /// Nothing heard yet. Ten steps are measured, or as many as an epoch has, but two at least.
    pub(super) fn new(steps_per_epoch: u32) -> Self {
        Self {
            wanted: steps_per_epoch.clamp(FEWEST, MEASURED),
            steps: 0,
            data: 0.0,
            compute: 0.0,
        }
    }

    /// Hears the times of a step; whether enough were heard, which is once.
    pub(super) fn hear(&mut self, data_seconds: f64, compute_seconds: f64) -> bool {
        if self.steps == self.wanted {
            return false;
        }
        self.steps += 1;
        self.data += data_seconds;
        self.compute += compute_seconds;
        self.steps == self.wanted
    }

    /// What follows for the rest.
    pub(super) fn forecast(&self, left: Left, bytes: Option<u64>, estimated: u64) -> Forecast {
        let steps = f64::from(self.steps.max(1));
        let seconds_per_step = (self.data + self.compute) / steps;
        let of_look = left
            .seconds_per_look
            .unwrap_or(SHARE_OF_A_LOOK * self.compute / steps);
        let rest = left.steps as f64 * seconds_per_step + left.looks as f64 * of_look;
        Forecast {
            bytes,
            estimated_bytes: estimated,
            seconds_per_step,
            data_seconds_per_step: self.data / steps,
            seconds_left: rest.min(left.limit).max(0.0),
            steps: self.steps,
        }
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "About {} to go at most: {:.2} s a step, {:.2} s of it waiting for images (measured \
             on {} steps)",
            span_in_words(self.seconds_left),
            self.seconds_per_step,
            self.data_seconds_per_step,
            self.steps
        )?;
        let estimated = in_words(self.estimated_bytes);
        match self.bytes {
            Some(bytes) => write!(
                f,
                "; {} of memory used at most so far, {estimated} expected for a step",
                in_words(bytes)
            ),
            None => write!(f, "; {estimated} of memory expected for a step"),
        }
    }
}

/// A time as people say it before it has passed.
pub(super) fn span_in_words(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0..2 => format!("{} s", seconds.round() as u64),
        2..100 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_steps_make_one_forecast() {
        let mut measured = Measured::new(50);
        let heard: Vec<bool> = (0..15).map(|_| measured.hear(0.5, 1.5)).collect();
        assert_eq!(heard.iter().position(|is_enough| *is_enough), Some(9));
        assert_eq!(heard.iter().filter(|is_enough| **is_enough).count(), 1);
        let left = Left {
            steps: 90,
            looks: 10,
            seconds_per_look: Some(2.0),
            limit: f64::INFINITY,
        };
        let forecast = measured.forecast(left, Some(3 << 30), 1 << 30);
        assert_eq!(
            (forecast.seconds_per_step, forecast.seconds_left),
            (2.0, 200.0)
        );
        assert_eq!(
            forecast.to_string(),
            "About 3 min to go at most: 2.00 s a step, 0.50 s of it waiting for images (measured on \
             10 steps); 3.0 GiB of memory used at most so far, 1.0 GiB expected for a step"
        );
        let short = Left {
            limit: 60.0,
            ..left
        };
        assert_eq!(measured.forecast(short, None, 0).seconds_left, 60.0);
        let unknown = Left {
            seconds_per_look: None,
            ..left
        };
        let seconds = measured.forecast(unknown, None, 0).seconds_left;
        assert!((seconds - (180.0 + 10.0 * 0.525)).abs() < 1e-9);
    }

    #[test]
    fn short_epochs_are_measured_as_they_are() {
        for (steps_per_epoch, expected) in [(1, 2), (2, 2), (6, 6), (10, 10), (11, 10)] {
            let mut measured = Measured::new(steps_per_epoch);
            let heard: Vec<bool> = (0..15).map(|_| measured.hear(0.5, 0.5)).collect();
            assert_eq!(heard.iter().filter(|is_enough| **is_enough).count(), 1);
            assert!(heard[expected - 1], "{steps_per_epoch}");
            let left = Left {
                steps: 4,
                looks: 0,
                seconds_per_look: None,
                limit: f64::INFINITY,
            };
            let forecast = measured.forecast(left, None, 0);
            assert_eq!(forecast.steps as usize, expected);
            assert_eq!(forecast.seconds_left, 4.0);
        }
    }

    #[test]
    fn times_have_two_units_at_most() {
        let cases = [(0.0, "0 s"), (80.0, "80 s"), (600.0, "10 min")];
        for (seconds, words) in cases {
            assert_eq!(span_in_words(seconds), words);
        }
        assert_eq!(span_in_words(36_000.0 + 120.0), "10 h 02 min");
    }
}
