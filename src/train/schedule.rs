use serde::{Deserialize, Serialize};

/// How the learning rate changes from step to step; a plateau may lower it further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Falls along half a cosine to a hundredth by the last step.
    #[default]
    Cosine,
    /// Stays.
    Constant,
}

/// Where the cosine ends, as a share of the full rate.
const LAST_SHARE: f64 = 0.01;
/// One in this many steps, but not more than [`MOST_WARM_UP`], warms up.
const WARM_UP_SHARE: u64 = 20;
const MOST_WARM_UP: u64 = 100;

impl Schedule {
    /// The factor on the learning rate at `step` (from 0) of `steps` in all: a straight warm-up,
    /// then the schedule.
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let warm_up = (steps / WARM_UP_SHARE).min(MOST_WARM_UP);
        if step < warm_up {
            return (step + 1) as f64 / (warm_up + 1) as f64;
        }
        match self {
            Self::Constant => 1.0,
            Self::Cosine => {
                let span = (steps - warm_up).saturating_sub(1).max(1);
                let done = ((step - warm_up) as f64 / span as f64).min(1.0);
                let height = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
                LAST_SHARE + (1.0 - LAST_SHARE) * height
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warms_up_then_falls() {
        let factor = |step| Schedule::Cosine.factor(step, 100);
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
    fn a_constant_rate_stays_after_the_warm_up() {
        let factors: Vec<f64> = (0..40)
            .map(|step| Schedule::Constant.factor(step, 40))
            .collect();
        assert_eq!(factors[..3], [1.0 / 3.0, 2.0 / 3.0, 1.0]);
        assert!(
            factors[2..]
                .iter()
                .all(|&factor| (factor - 1.0).abs() < 1e-12)
        );
    }

    #[test]
    fn a_single_step_has_the_full_rate() {
        assert!((Schedule::Cosine.factor(0, 1) - 1.0).abs() < 1e-12);
    }
}
