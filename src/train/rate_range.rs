use serde::{Deserialize, Serialize};

use super::TrainError;

/// A search for a learning rate (Smith 2017): the rate rises evenly in its logarithm while a few
/// steps are trained, and the losses tell where learning is fastest and where it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateRange {
    /// The rate of the first step, above 0.
    pub from: f64,
    /// The rate of the last step, above `from`.
    pub to: f64,
    /// Steps in all.
    pub steps: u32,
}

impl Default for RateRange {
    fn default() -> Self {
        Self {
            from: 1e-6,
            to: 1.0,
            steps: 100,
        }
    }
}

/// What the losses of a [`RateRange`] say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateVerdict {
    /// The losses, smoothed, up to where they broke away.
    pub smoothed: Vec<f64>,
    /// The rate at which the smoothed loss falls most steeply.
    pub steepest: f64,
    /// A tenth of the rate at which the smoothed loss is least.
    pub tenth_of_least: f64,
}

impl RateVerdict {
    /// The smaller of the two.
    pub const fn suggestion(&self) -> f64 {
        self.steepest.min(self.tenth_of_least)
    }
}

/// A search is a short thing.
const MOST_STEPS: u32 = 10_000;
/// How much of the mean of the steps before stays in the mean.
const MEMORY: f64 = 0.9;
/// A loss this many times the least is not worth going on from.
const BROKEN: f64 = 4.0;
/// The first steps have hardly a mean; a slope there says nothing.
const SETTLING: usize = 5;

impl RateRange {
    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names what it must be.
    pub fn check(&self) -> Result<(), TrainError> {
        let is_rising = self.from > 0.0 && self.from < self.to && self.to.is_finite();
        if is_rising && (1..=MOST_STEPS).contains(&self.steps) {
            return Ok(());
        }
        Err(TrainError::Recipe(format!(
            "a search for a learning rate rises from above 0 in 1 to {MOST_STEPS} steps, not from \
             {} to {} in {}",
            self.from, self.to, self.steps
        )))
    }

    /// The rate of `step` (from 0).
    pub fn rate(&self, step: u32) -> f64 {
        let last = self.steps.saturating_sub(1).max(1);
        let done = (f64::from(step) / f64::from(last)).min(1.0);
        self.from * (self.to / self.from).powf(done)
    }

    /// Whether a test whose losses so far are `losses` has seen enough: the smoothed loss is no
    /// number or far above the least.
    pub fn is_over(&self, losses: &[f64]) -> bool {
        losses.len() >= self.steps as usize || smoothed(losses).len() < losses.len()
    }

    /// Reads the losses of the steps in order; `None` when too few came before they broke away,
    /// or none of them fell.
    pub fn judge(&self, losses: &[f64]) -> Option<RateVerdict> {
        let smoothed = smoothed(losses);
        let least = (0..smoothed.len()).min_by(|&a, &b| smoothed[a].total_cmp(&smoothed[b]))?;
        // Rates are evenly spaced in their logarithm, so a slope is a difference of neighbors.
        let slope = |at: usize| smoothed[at + 1] - smoothed[at - 1];
        let steepest = (SETTLING..smoothed.len().saturating_sub(1))
            .min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        (slope(steepest) < 0.0).then(|| RateVerdict {
            steepest: self.rate(steepest as u32),
            tenth_of_least: self.rate(least as u32) / 10.0,
            smoothed,
        })
    }
}

/// Running means of `losses`, each freed of the weight of the nothing before the first; they end
/// before the first that is no number or more than [`BROKEN`] times the least.
fn smoothed(losses: &[f64]) -> Vec<f64> {
    let (mut mean, mut weight, mut least) = (0.0, 0.0, f64::INFINITY);
    let mut means = Vec::with_capacity(losses.len());
    for loss in losses {
        mean = MEMORY * mean + (1.0 - MEMORY) * loss;
        weight = MEMORY * weight + (1.0 - MEMORY);
        let value = mean / weight;
        if !value.is_finite() || (means.len() > SETTLING && value > BROKEN * least) {
            break;
        }
        least = least.min(value);
        means.push(value);
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: RateRange = RateRange {
        from: 1e-5,
        to: 1.0,
        steps: 51,
    };

    #[test]
    fn rates_are_evenly_spaced_in_their_logarithm() {
        for (step, expected) in [(0, 1e-5), (10, 1e-4), (40, 0.1), (50, 1.0), (99, 1.0)] {
            assert!((RANGE.rate(step) / expected - 1.0).abs() < 1e-9, "{step}");
        }
    }

    #[test]
    fn means_by_hand() {
        let means = smoothed(&[1.0, 3.0]);
        assert_eq!(means[0], 1.0);
        assert!((means[1] - (0.09 + 0.3) / 0.19).abs() < 1e-12);
    }

    /// Flat, then a fall about step 25, then a break at step 45.
    fn losses() -> Vec<f64> {
        let loss = |step: u32| {
            let fall = 1.0 / (1.0 + (-(f64::from(step) - 25.0) / 2.0).exp());
            2.0 - 1.5 * fall + if step >= 45 { 1e3 } else { 0.0 }
        };
        (0..51).map(loss).collect()
    }

    #[test]
    fn the_steepest_fall_and_a_tenth_of_the_least() {
        let verdict = RANGE.judge(&losses()).expect("a verdict");
        assert_eq!(verdict.smoothed.len(), 45);
        // The mean lags a few steps behind the fall at 25, which is a rate of 10^-2.5.
        assert!(
            (24.0..34.0).contains(&((verdict.steepest.log10() + 5.0) * 10.0)),
            "{verdict:?}"
        );
        assert!((verdict.tenth_of_least / (RANGE.rate(44) / 10.0) - 1.0).abs() < 1e-9);
        assert_eq!(
            verdict.suggestion(),
            verdict.steepest.min(verdict.tenth_of_least)
        );
    }

    #[test]
    fn it_is_over_when_the_loss_breaks_or_the_steps_end() {
        let losses = losses();
        assert!(!RANGE.is_over(&losses[..45]));
        assert!(RANGE.is_over(&losses[..46]));
        assert!(RANGE.is_over(&[1.0; 51]));
        assert!(RANGE.is_over(&[1.0, f64::NAN]));
    }

    #[test]
    fn without_a_fall_there_is_no_verdict() {
        assert_eq!(RANGE.judge(&[]), None);
        assert_eq!(RANGE.judge(&[1.0; 3]), None);
        assert_eq!(RANGE.judge(&[1.0; 40]), None);
        assert_eq!(RANGE.judge(&[f64::NAN; 40]), None);
        let rising: Vec<f64> = (0..40).map(|n| 1.0 + f64::from(n) * 0.01).collect();
        assert_eq!(RANGE.judge(&rising), None);
    }
}
