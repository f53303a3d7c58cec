use serde::{Deserialize, Serialize};

use crate::train::TrainError;

/// When trials are cut: after some epochs only the better share goes on, and the epochs until the
/// next cut grow as the share shrinks, so that each part of the search costs about the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Halving {
    /// Epochs before the first cut.
    pub first_epochs: u32,
    /// The share that goes on at each cut; epochs grow by its inverse. 1: nothing is cut.
    pub keep: f64,
}

impl Default for Halving {
    fn default() -> Self {
        Self {
            first_epochs: 3,
            keep: 0.34,
        }
    }
}

/// A part of a search between two cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// How many trials are in it.
    pub trials: usize,
    /// The epoch that they are trained to.
    pub until: u32,
}

impl Halving {
    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Search`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        let wrong = |why: String| Err(TrainError::Search(why));
        if self.first_epochs == 0 {
            return wrong("halving.first_epochs is 0, it must be 1 or more".to_owned());
        }
        if !(0.01..=1.0).contains(&self.keep) {
            return wrong(format!(
                "halving.keep is {}, it must be in 0.01 to 1",
                self.keep
            ));
        }
        Ok(())
    }

    /// The parts of a search of so many trials whose whole training has `epochs`. In the last one
    /// trainings are whole; a trial that is left alone goes there at once.
    pub fn rungs(&self, trials: usize, epochs: u32) -> Vec<Rung> {
        let mut rungs: Vec<Rung> = Vec::new();
        let (mut left, mut wanted) = (trials, f64::from(self.first_epochs));
        loop {
            let before = rungs.last().map_or(0, |rung| rung.until);
            let until = match (left, self.keep) {
                (0 | 1, _) | (_, 1.0) => epochs,
                _ => (wanted.round() as u32).max(before + 1).min(epochs),
            };
            rungs.push(Rung {
                trials: left,
                until,
            });
            if until >= epochs {
                return rungs;
            }
            let share = (left as f64 * self.keep).round() as usize;
            left = share.clamp(1, left - 1);
            wanted /= self.keep;
        }
    }
}

/// The epochs of all parts together.
pub(super) fn epochs_of(rungs: &[Rung]) -> u64 {
    let mut before = 0;
    let mut sum = 0;
    for rung in rungs {
        sum += rung.trials as u64 * u64::from(rung.until.saturating_sub(before));
        before = rung.until;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rungs(halving: Halving, (trials, epochs): (usize, u32), expected: &[(usize, u32)]) {
        halving.check().expect("it works");
        let found = halving.rungs(trials, epochs);
        let found: Vec<_> = found.iter().map(|rung| (rung.trials, rung.until)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn trials_shrink_as_epochs_grow() {
        let usual = Halving::default();
        check_rungs(usual, (12, 30), &[(12, 3), (4, 9), (1, 30)]);
        check_rungs(usual, (81, 30), &[(81, 3), (28, 9), (10, 26), (3, 30)]);
        check_rungs(usual, (1, 30), &[(1, 30)]);
        check_rungs(usual, (5, 2), &[(5, 2)]);
        let half = Halving {
            first_epochs: 1,
            keep: 0.5,
        };
        check_rungs(half, (8, 8), &[(8, 1), (4, 2), (2, 4), (1, 8)]);
        let whole = Halving { keep: 1.0, ..half };
        check_rungs(whole, (8, 8), &[(8, 8)]);
        // Nearly all go on, and still each part has an epoch and loses a trial.
        let slow = Halving { keep: 0.99, ..half };
        check_rungs(slow, (3, 9), &[(3, 1), (2, 2), (1, 9)]);
    }

    #[test]
    fn epochs_are_counted_once() {
        let rungs = Halving::default().rungs(12, 30);
        assert_eq!(epochs_of(&rungs), 12 * 3 + 4 * 6 + 21);
        assert_eq!(epochs_of(&[]), 0);
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (first_epochs, keep) in [(0, 0.5), (1, 0.0), (1, 1.5), (1, f64::NAN)] {
            let halving = Halving { first_epochs, keep };
            assert!(halving.check().is_err(), "{halving:?}");
        }
    }
}
