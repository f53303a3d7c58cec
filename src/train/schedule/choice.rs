use serde::{Deserialize, Serialize};

use super::curves::Progress;
use super::{Constant, Cosine, Exponential, OneCycle, Polynomial, Steps};
use crate::train::TrainError;

/// How long a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Steps in all.
    pub steps: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
}

impl Span {
    /// Epochs that have passed at `step` (from 0), with parts of one.
    pub(super) fn epochs(self, step: u64) -> f64 {
        step as f64 / self.steps_per_epoch.max(1) as f64
    }
}

/// How the learning rate changes from step to step; a plateau may lower it further.
///
/// In a recipe a word (`"cosine"`) or a table with `kind` and what differs from the defaults. All
/// but one-cycle begin with a straight warm-up: `warm_up` steps, or when that is left out one in
/// twenty, at most 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// Stays.
    Constant(Constant),
    /// Falls at once every few epochs.
    Step(Steps),
    /// Falls by the same share in equal times.
    Exponential(Exponential),
    /// Falls along half a cosine, once or again and again.
    Cosine(Cosine),
    /// Falls along a power of the time that is left.
    Polynomial(Polynomial),
    /// Rises and falls along half cosines.
    OneCycle(OneCycle),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine(Cosine::default())
    }
}

/// One in this many steps, but not more than [`MOST_WARM_UP`], warms up.
const WARM_UP_SHARE: u64 = 20;
const MOST_WARM_UP: u64 = 100;

impl Schedule {
    /// What the factor of a fall, or of an epoch, may be.
    pub const FALL: (f64, f64) = (1e-6, 1.0);
    /// What a share of the full rate, or of the steps, may be.
    pub const SHARE: (f64, f64) = (0.0, 1.0);
    /// What `power` may be.
    pub const POWER: (f64, f64) = (0.1, 10.0);
    /// What `restart_factor` may be.
    pub const RESTART_FACTOR: (f64, f64) = (1.0, 10.0);
    /// The most that a number of epochs may be.
    pub const MOST_EPOCHS: u64 = 100_000;

    /// The factor on the learning rate at `step` (from 0) of `span`.
    pub fn factor(&self, step: u64, span: Span) -> f64 {
        let warm_up = self.warm_up(span);
        if step < warm_up {
            return (step + 1) as f64 / (warm_up + 1) as f64;
        }
        let done = Progress {
            step,
            warm_up,
            span,
        };
        match self {
            Self::Constant(_) => 1.0,
            Self::Step(steps) => steps.factor(&done),
            Self::Exponential(exponential) => exponential.factor(&done),
            Self::Cosine(cosine) => cosine.factor(&done),
            Self::Polynomial(polynomial) => polynomial.factor(&done),
            Self::OneCycle(cycle) => cycle.factor(&done),
        }
    }

    fn warm_up(&self, span: Span) -> u64 {
        let chosen = match self {
            Self::Constant(Constant { warm_up })
            | Self::Step(Steps { warm_up, .. })
            | Self::Exponential(Exponential { warm_up, .. })
            | Self::Cosine(Cosine { warm_up, .. })
            | Self::Polynomial(Polynomial { warm_up, .. }) => *warm_up,
            Self::OneCycle(_) => Some(0),
        };
        chosen.unwrap_or((span.steps / WARM_UP_SHARE).min(MOST_WARM_UP))
    }

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        let most_epochs = Self::MOST_EPOCHS as f64;
        match self {
            Self::Constant(_) => Ok(()),
            Self::Step(steps) => {
                let epochs = steps.every_epochs.into();
                within("every_epochs", epochs, (1.0, most_epochs))?;
                within("factor", steps.factor, Self::FALL)
            }
            Self::Exponential(exponential) => {
                within("factor_per_epoch", exponential.factor_per_epoch, Self::FALL)
            }
            Self::Cosine(cosine) => {
                within("floor", cosine.floor, Self::SHARE)?;
                let epochs = cosine.restart_epochs.into();
                within("restart_epochs", epochs, (0.0, most_epochs))?;
                within(
                    "restart_factor",
                    cosine.restart_factor,
                    Self::RESTART_FACTOR,
                )
            }
            Self::Polynomial(polynomial) => {
                within("power", polynomial.power, Self::POWER)?;
                within("floor", polynomial.floor, Self::SHARE)
            }
            Self::OneCycle(cycle) => {
                within("rise", cycle.rise, Self::SHARE)?;
                within("first", cycle.first, Self::SHARE)?;
                within("last", cycle.last, Self::SHARE)
            }
        }
    }
}

fn within(field: &str, value: f64, (least, most): (f64, f64)) -> Result<(), TrainError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(TrainError::Recipe(format!(
        "schedule.{field} is {value}, it must be in {least} to {most}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        steps: 100,
        steps_per_epoch: 10,
    };

    #[test]
    fn the_usual_one_warms_up_then_falls() {
        let factor = |step| Schedule::default().factor(step, SPAN);
        assert_eq!(
            (0..5).map(factor).collect::<Vec<_>>(),
            [1.0, 2.0, 3.0, 4.0, 5.0].map(|n| n / 6.0)
        );
        assert!((factor(5) - 1.0).abs() < 1e-12);
        assert!((factor(52) - 0.505).abs() < 1e-2);
        assert!((factor(99) - 0.01).abs() < 1e-12);
        assert!((5..99).all(|step| factor(step) > factor(step + 1)));
    }

    #[test]
    fn a_single_step_has_the_full_rate() {
        let span = Span {
            steps: 1,
            steps_per_epoch: 1,
        };
        assert!((Schedule::default().factor(0, span) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_warm_up_may_be_chosen() {
        let first = |warm_up| Schedule::Constant(Constant { warm_up }).factor(0, SPAN);
        assert_eq!(
            [first(None), first(Some(0)), first(Some(1))],
            [1.0 / 6.0, 1.0, 0.5]
        );
    }

    #[test]
    fn every_factor_of_every_schedule_is_a_share() {
        let schedules = [
            Schedule::Constant(Constant::default()),
            Schedule::Step(Steps::default()),
            Schedule::Exponential(Exponential::default()),
            Schedule::Cosine(Cosine::default()),
            Schedule::Polynomial(Polynomial::default()),
            Schedule::OneCycle(OneCycle::default()),
        ];
        for schedule in schedules {
            schedule.check().expect("a working default");
            // A resumed training may go on past the end; no length divides by zero.
            for (steps, steps_per_epoch) in [(100, 10), (1, 1), (0, 0), (3, 7)] {
                let span = Span {
                    steps,
                    steps_per_epoch,
                };
                for step in 0..130 {
                    let factor = schedule.factor(step, span);
                    assert!(
                        (0.0..=1.0).contains(&factor),
                        "{schedule:?} {step} {factor}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let restart_factor = 0.5;
        let cosine = Schedule::Cosine(Cosine {
            restart_factor,
            ..Cosine::default()
        });
        let power = f64::NAN;
        let polynomial = Schedule::Polynomial(Polynomial {
            power,
            ..Polynomial::default()
        });
        for (schedule, word) in [(cosine, "restart_factor is 0.5"), (polynomial, "power")] {
            let error = schedule.check().expect_err("a refusal").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
