use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::Span;

/// See [`Schedule::Constant`](super::Schedule::Constant).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// Steps of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
}

/// See [`Schedule::Step`](super::Schedule::Step); `PyTorch`'s `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Steps {
    /// Steps of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
    /// Epochs between two falls.
    pub every_epochs: u32,
    /// What the rate is multiplied by.
    pub factor: f64,
}

/// See [`Schedule::Exponential`](super::Schedule::Exponential); Keras's `ExponentialDecay` with
/// `decay_steps` of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    /// Steps of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
    /// What is left of the rate after an epoch.
    pub factor_per_epoch: f64,
}

/// See [`Schedule::Cosine`](super::Schedule::Cosine); with restarts `PyTorch`'s
/// `CosineAnnealingWarmRestarts` (Loshchilov and Hutter 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Steps of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
    /// Where it ends, as a share of the full rate.
    pub floor: f64,
    /// Epochs of the first fall, counted from the end of the warm-up; 0: a single fall that
    /// ends with the last step.
    pub restart_epochs: u32,
    /// How many times longer each fall is than the one before (`T_mult`).
    pub restart_factor: f64,
}

/// See [`Schedule::Polynomial`](super::Schedule::Polynomial); `PyTorch`'s `PolynomialLR` and, with
/// a power of 0.9, `DeepLab`'s "poly".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Steps of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<u64>,
    /// The power of the share of the time that is left.
    pub power: f64,
    /// Where it would end one step after the last, as a share of the full rate.
    pub floor: f64,
}

/// See [`Schedule::OneCycle`](super::Schedule::OneCycle); `PyTorch`'s `OneCycleLR` (Smith 2018)
/// without its momentum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// Share of the steps that the rate rises for.
    pub rise: f64,
    /// Where it begins, as a share of the full rate.
    pub first: f64,
    /// Where it ends, as a share of the full rate.
    pub last: f64,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            warm_up: None,
            every_epochs: 10,
            factor: 0.1,
        }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            warm_up: None,
            factor_per_epoch: 0.9,
        }
    }
}

impl Default for Cosine {
    fn default() -> Self {
        Self {
            warm_up: None,
            floor: 0.01,
            restart_epochs: 0,
            restart_factor: 1.0,
        }
    }
}

impl Default for Polynomial {
    fn default() -> Self {
        Self {
            warm_up: None,
            power: 0.9,
            floor: 0.0,
        }
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            rise: 0.3,
            first: 1.0 / 25.0,
            last: 1.0 / 25e4,
        }
    }
}

/// A step that is past the warm-up.
pub(super) struct Progress {
    pub(super) step: u64,
    /// Steps of the warm-up.
    pub(super) warm_up: u64,
    pub(super) span: Span,
}

impl Progress {
    /// Steps of the schedule proper.
    const fn steps(&self) -> u64 {
        self.span.steps.saturating_sub(self.warm_up)
    }

    /// 0 at the end of the warm-up, 1 at the last step.
    fn to_last_step(&self) -> f64 {
        let last = self.steps().saturating_sub(1).max(1);
        ((self.step - self.warm_up) as f64 / last as f64).min(1.0)
    }
}

/// From `from` at 0 to `to` at 1 along half a cosine.
fn half_cosine(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * done).cos())
}

impl Steps {
    pub(super) fn factor(&self, done: &Progress) -> f64 {
        let falls = done.span.epochs(done.step) / f64::from(self.every_epochs.max(1));
        self.factor.powf(falls.floor())
    }
}

impl Exponential {
    pub(super) fn factor(&self, done: &Progress) -> f64 {
        self.factor_per_epoch.powf(done.span.epochs(done.step))
    }
}

impl Cosine {
    pub(super) fn factor(&self, done: &Progress) -> f64 {
        if self.restart_epochs == 0 {
            return half_cosine(1.0, self.floor, done.to_last_step());
        }
        let epochs = done.span.epochs(done.step - done.warm_up);
        half_cosine(1.0, self.floor, self.share_of_fall(epochs))
    }

    /// How much of the running fall is over, from 0 to below 1, `epochs` after the first began.
    fn share_of_fall(&self, epochs: f64) -> f64 {
        let first = f64::from(self.restart_epochs);
        let growth = self.restart_factor.max(1.0);
        if growth == 1.0 {
            return (epochs / first).fract();
        }
        // The n-th fall begins at first × (growth^n - 1) / (growth - 1).
        let started = |n: f64| first * (growth.powf(n) - 1.0) / (growth - 1.0);
        let n = (1.0 + epochs / first * (growth - 1.0)).log(growth).floor();
        // The logarithm may be off by a rounding at the very start of a fall.
        let n = if started(n + 1.0) <= epochs {
            n + 1.0
        } else {
            n
        };
        ((epochs - started(n)) / (first * growth.powf(n))).clamp(0.0, 1.0)
    }
}

impl Polynomial {
    pub(super) fn factor(&self, done: &Progress) -> f64 {
        let past = (done.step - done.warm_up) as f64 / done.steps().max(1) as f64;
        let left = (1.0 - past).max(0.0);
        self.floor + (1.0 - self.floor) * left.powf(self.power)
    }
}

impl OneCycle {
    pub(super) fn factor(&self, done: &Progress) -> f64 {
        let at = done.to_last_step();
        if at < self.rise {
            return half_cosine(self.first, 1.0, at / self.rise);
        }
        half_cosine(
            1.0,
            self.last,
            (at - self.rise) / (1.0 - self.rise).max(1e-9),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Progress {
        Progress {
            step,
            warm_up: 0,
            span: Span {
                steps: 120,
                steps_per_epoch: 10,
            },
        }
    }

    #[track_caller]
    fn check(factor: impl Fn(&Progress) -> f64, expected: &[(u64, f64)]) {
        for &(step, expected) in expected {
            let found = factor(&at(step));
            assert!(
                (found - expected).abs() < 1e-12,
                "{step}: {found} is not {expected}"
            );
        }
    }

    #[test]
    fn steps_fall_at_the_epoch() {
        let steps = Steps {
            every_epochs: 3,
            factor: 0.5,
            ..Steps::default()
        };
        let expected = [
            (0, 1.0),
            (29, 1.0),
            (30, 0.5),
            (59, 0.5),
            (60, 0.25),
            (119, 0.125),
        ];
        check(|done| steps.factor(done), &expected);
    }

    #[test]
    fn the_exponential_has_its_factor_after_an_epoch() {
        let exponential = Exponential {
            factor_per_epoch: 0.25,
            ..Exponential::default()
        };
        let expected = [(0, 1.0), (5, 0.5), (10, 0.25), (20, 0.0625)];
        check(|done| exponential.factor(done), &expected);
    }

    #[test]
    fn the_cosine_begins_anew() {
        let cosine = Cosine {
            floor: 0.0,
            restart_epochs: 2,
            ..Cosine::default()
        };
        let expected = [(0, 1.0), (10, 0.5), (20, 1.0), (30, 0.5), (40, 1.0)];
        check(|done| cosine.factor(done), &expected);
    }

    #[test]
    fn falls_grow_by_their_factor() {
        let cosine = Cosine {
            floor: 0.2,
            restart_epochs: 1,
            restart_factor: 2.0,
            ..Cosine::default()
        };
        // Falls of 1, 2, 4 epochs begin at 0, 10, 30 and 70.
        let expected = [
            (5, 0.6),
            (10, 1.0),
            (20, 0.6),
            (30, 1.0),
            (50, 0.6),
            (70, 1.0),
        ];
        check(|done| cosine.factor(done), &expected);
        let thirds = Cosine {
            restart_factor: 3.0,
            ..cosine
        };
        check(
            |done| thirds.factor(done),
            &[(10, 1.0), (25, 0.6), (40, 1.0)],
        );
    }

    #[test]
    fn the_polynomial_is_a_power_of_what_is_left() {
        let polynomial = Polynomial {
            power: 2.0,
            floor: 0.1,
            ..Polynomial::default()
        };
        let expected = [(0, 1.0), (60, 0.1 + 0.9 * 0.25), (120, 0.1), (500, 0.1)];
        check(|done| polynomial.factor(done), &expected);
    }

    #[test]
    fn one_cycle_rises_then_falls() {
        let cycle = OneCycle {
            rise: 0.25,
            first: 0.04,
            last: 0.0,
        };
        // 119 steps lie between the first and the last.
        let rising = 0.04 + 0.96 * 0.5 * (1.0 - (PI * 10.0 / 29.75).cos());
        let falling = 0.5 * (1.0 + (PI * (60.0 - 29.75) / 89.25).cos());
        check(
            |done| cycle.factor(done),
            &[(0, 0.04), (10, rising), (60, falling), (119, 0.0)],
        );
    }
}
