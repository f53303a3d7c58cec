use std::fmt;

use serde::{Deserialize, Serialize};

use super::memory::in_words;

/// What a training will take, measured on some of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The most main memory that the program held so far, in bytes; `None` where the system does
    /// not say.
    pub bytes: Option<u64>,
    /// How much of it was taken for the measured steps; `None` where the system does not say, or
    /// the program had held as much before.
    pub step_bytes: Option<u64>,
    /// What a step was thought to take of the device's memory, in bytes.
    pub estimated_bytes: u64,
    /// Time of a step.
    pub seconds_per_step: f64,
    /// How much of it was waiting for images.
    pub data_seconds_per_step: f64,
    /// Time of computing once what an encoder that holds still sees; 0 where that is not kept.
    pub encoding_seconds: f64,
    /// Time until the last epoch ends, or until the time limit.
    pub seconds_left: f64,
    /// What comes once frozen stages of the encoder learn, too, where they will.
    pub unfreezing: Option<Unfreezing>,
    /// How many steps were measured.
    pub steps: u32,
}

/// The epochs in which frozen stages of the encoder learn, too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfreezing {
    /// The first of them.
    pub epoch: u32,
    /// Time of all of them, which is part of what is left, and of a step; `None` where steps of
    /// theirs were not tried.
    pub seconds: Option<[f64; 2]>,
}

/// Steps that are measured, where an epoch has as many.
const MEASURED: u32 = 10;
/// No more of a training's time is spent on measuring before it begins...
const SHARE_AHEAD: f64 = 0.05;
/// ...but for two steps that take no more seconds than this.
const SECONDS_AHEAD: f64 = 5.0;
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
    /// What comes after these steps and looks.
    pub(super) unfreezing: Option<Unfreezing>,
    /// Time of a look, where it was measured.
    pub(super) seconds_per_look: Option<f64>,
    /// Seconds of encoding what is kept from then on.
    pub(super) encoding: f64,
    /// Seconds until the time limit.
    pub(super) limit: f64,
}

/// What is known of main memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// The most that the program held so far.
    pub(super) peak: Option<u64>,
    /// How much of it the measured steps took.
    pub(super) rise: Option<u64>,
    /// What a step was thought to take of the device's memory.
    pub(super) estimated: u64,
}

/// How long a training is at most; no step of one that nobody waits to have measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    pub(super) steps: u64,
    /// Seconds until the time limit.
    pub(super) limit: f64,
}

impl Length {
    /// Whether steps besides the first may be measured before it begins.
    pub(super) const fn is_measured_ahead(self) -> bool {
        self.steps > 0
    }

    /// How many steps besides the first are measured before it begins, when one takes about
    /// `seconds`.
    pub(super) fn steps_ahead(self, seconds: f64) -> u32 {
        if !self.is_measured_ahead() {
            return 0;
        }
        let seconds = seconds.max(1e-9);
        let whole = (self.steps as f64 * seconds).min(self.limit);
        let steps = ((SHARE_AHEAD * whole / seconds) as u32).min(MEASURED);
        let are_short = f64::from(FEWEST) * seconds <= SECONDS_AHEAD.min(self.limit);
        if are_short { steps.max(FEWEST) } else { steps }
    }
}

impl Forecast {
    /// Whether as many steps were measured as behind the first of an epoch of so many are, so that
    /// nothing is to be said again.
    pub(super) fn is_sure(&self, steps_per_epoch: u32) -> bool {
        self.steps >= steps_per_epoch.saturating_sub(1).clamp(FEWEST, MEASURED)
    }
}

impl Measured {
    /// Nothing heard yet, to be measured on so many steps; never enough on 0.
    pub(super) const fn of(wanted: u32) -> Self {
        Self {
            wanted,
            steps: 0,
            data: 0.0,
            compute: 0.0,
        }
    }

    /// Nothing heard yet. Ten steps are measured, or as many as an epoch has, but two at least.
    pub(super) fn within(steps_per_epoch: u32) -> Self {
        Self::of(steps_per_epoch.clamp(FEWEST, MEASURED))
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
    pub(super) fn forecast(&self, left: Left, held: Held) -> Forecast {
        let steps = f64::from(self.steps.max(1));
        let seconds_per_step = (self.data + self.compute) / steps;
        let of_look = left
            .seconds_per_look
            .unwrap_or(SHARE_OF_A_LOOK * self.compute / steps);
        let of_steps = left.steps as f64 * seconds_per_step;
        let later = (left.unfreezing).and_then(|unfreezing| unfreezing.seconds);
        let later = later.map_or(0.0, |[seconds, _]| seconds);
        let rest = of_steps + left.looks as f64 * of_look + left.encoding + later;
        Forecast {
            bytes: held.peak,
            step_bytes: held.rise,
            estimated_bytes: held.estimated,
            seconds_per_step,
            data_seconds_per_step: self.data / steps,
            encoding_seconds: left.encoding,
            seconds_left: rest.min(left.limit).max(0.0),
            unfreezing: left.unfreezing,
            steps: self.steps,
        }
    }
}

impl Unfreezing {
    /// The first epoch, and the times, where they are known.
    fn known(self) -> Option<(u32, [f64; 2])> {
        Some((self.epoch, self.seconds?))
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = span_in_words(self.seconds_left);
        if let Some(Unfreezing {
            epoch,
            seconds: None,
        }) = self.unfreezing
        {
            write!(
                f,
                "About {left} to go until epoch {epoch}, from which on the encoder learns as well \
                 and steps take longer"
            )?;
        } else {
            write!(f, "About {left} to go at most")?;
        }
        write!(
            f,
            ": {:.2} s a step, {:.2} s of it waiting for images (measured on {} step{})",
            self.seconds_per_step,
            self.data_seconds_per_step,
            self.steps,
            if self.steps == 1 { "" } else { "s" }
        )?;
        if self.encoding_seconds > 0.0 {
            let encoding = span_in_words(self.encoding_seconds);
            write!(f, ", and {encoding} once for what the encoder sees")?;
        }
        if let Some((epoch, [seconds, step])) = self.unfreezing.and_then(Unfreezing::known) {
            let seconds = span_in_words(seconds);
            write!(
                f,
                ", and {seconds} from epoch {epoch} on, where the encoder learns as well ({step:.2} \
                 s a step)"
            )?;
        }
        f.write_str("; ")?;
        if let Some(bytes) = self.bytes {
            write!(f, "{} of memory used at most so far, ", in_words(bytes))?;
        }
        if let Some(bytes) = self.step_bytes {
            write!(f, "{} of it for these steps, ", in_words(bytes))?;
        }
        let estimated = in_words(self.estimated_bytes);
        match self.bytes {
            Some(_) => write!(f, "{estimated} expected for a step"),
            None => write!(f, "{estimated} of memory expected for a step"),
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
        let mut measured = Measured::within(50);
        let heard: Vec<bool> = (0..15).map(|_| measured.hear(0.5, 1.5)).collect();
        assert_eq!(heard.iter().position(|is_enough| *is_enough), Some(9));
        assert_eq!(heard.iter().filter(|is_enough| **is_enough).count(), 1);
        let left = Left {
            steps: 90,
            looks: 10,
            unfreezing: None,
            seconds_per_look: Some(2.0),
            encoding: 0.0,
            limit: f64::INFINITY,
        };
        let held = Held {
            peak: Some(3 << 30),
            rise: None,
            estimated: 1 << 30,
        };
        let forecast = measured.forecast(left, held);
        assert_eq!(
            (forecast.seconds_per_step, forecast.seconds_left),
            (2.0, 200.0)
        );
        assert_eq!(
            forecast.to_string(),
            "About 3 min to go at most: 2.00 s a step, 0.50 s of it waiting for images (measured on \
             10 steps); 3.0 GiB of memory used at most so far, 1.0 GiB expected for a step"
        );
        let encoded = Left {
            encoding: 160.0,
            ..left
        };
        let held = Held {
            rise: Some(2 << 30),
            ..held
        };
        let forecast = measured.forecast(encoded, held);
        assert_eq!(forecast.seconds_left, 360.0);
        assert_eq!(
            forecast.to_string(),
            "About 6 min to go at most: 2.00 s a step, 0.50 s of it waiting for images (measured on \
             10 steps), and 3 min once for what the encoder sees; 3.0 GiB of memory used at most \
             so far, 2.0 GiB of it for these steps, 1.0 GiB expected for a step"
        );
        let held = Held::default();
        let short = Left {
            limit: 60.0,
            ..left
        };
        assert_eq!(measured.forecast(short, held).seconds_left, 60.0);
        let unknown = Left {
            seconds_per_look: None,
            ..left
        };
        let seconds = measured.forecast(unknown, held).seconds_left;
        assert!((seconds - (180.0 + 10.0 * 0.525)).abs() < 1e-9);
    }

    #[test]
    fn what_comes_once_stages_unfreeze_is_added() {
        let mut measured = Measured::of(2);
        measured.hear(0.0, 1.0);
        measured.hear(0.0, 1.0);
        let forecast = |seconds| {
            let left = Left {
                steps: 100,
                looks: 0,
                unfreezing: Some(Unfreezing { epoch: 6, seconds }),
                seconds_per_look: None,
                encoding: 0.0,
                limit: f64::INFINITY,
            };
            measured.forecast(left, Held::default())
        };
        let known = forecast(Some([600.0, 4.0]));
        assert_eq!(known.seconds_left, 700.0);
        let words = "About 12 min to go at most: 1.00 s a step, 0.00 s of it waiting for images \
                     (measured on 2 steps), and 10 min from epoch 6 on, where the encoder learns \
                     as well (4.00 s a step); ";
        assert!(known.to_string().starts_with(words), "{known}");
        let unknown = forecast(None);
        assert_eq!(unknown.seconds_left, 100.0);
        let words = "About 2 min to go until epoch 6, from which on the encoder learns as well and \
                     steps take longer: 1.00 s a step";
        assert!(unknown.to_string().starts_with(words), "{unknown}");
    }

    #[test]
    fn short_epochs_are_measured_as_they_are() {
        for (steps_per_epoch, expected) in [(1, 2), (2, 2), (6, 6), (10, 10), (11, 10)] {
            let mut measured = Measured::within(steps_per_epoch);
            let heard: Vec<bool> = (0..15).map(|_| measured.hear(0.5, 0.5)).collect();
            assert_eq!(heard.iter().filter(|is_enough| **is_enough).count(), 1);
            assert!(heard[expected - 1], "{steps_per_epoch}");
            let left = Left {
                steps: 4,
                looks: 0,
                unfreezing: None,
                seconds_per_look: None,
                encoding: 0.0,
                limit: f64::INFINITY,
            };
            let forecast = measured.forecast(left, Held::default());
            assert_eq!(forecast.steps as usize, expected);
            assert_eq!(forecast.seconds_left, 4.0);
        }
    }

    #[test]
    fn a_twentieth_of_a_training_is_measured_ahead_at_most() {
        let ahead = |steps, limit, seconds| Length { steps, limit }.steps_ahead(seconds);
        let none = f64::INFINITY;
        // (steps, time limit, time of a step, steps that are measured)
        let cases = [
            (0, none, 1.0, 0),
            (12, none, 1.0, 2),
            (12, none, 60.0, 0),
            (60, none, 60.0, 3),
            (199, none, 1.0, 9),
            (200, none, 1.0, 10),
            (1_000_000, none, 60.0, 10),
            (700, 3600.0, 30.0, 6),
            (700, 3600.0, 200.0, 0),
            (700, -5.0, 1.0, 0),
            (700, none, 0.0, 10),
        ];
        for (steps, limit, seconds, expected) in cases {
            assert_eq!(ahead(steps, limit, seconds), expected, "{steps} {seconds}");
        }
        let mut measured = Measured::of(0);
        assert!(!measured.hear(1.0, 1.0));
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
