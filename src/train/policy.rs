use serde::{Deserialize, Serialize};

use super::TrainError;

/// Remembers the smallest cost, as Keras's `ModelCheckpoint(save_best_only=True)` counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeepBest {
    best: Option<f64>,
}

impl KeepBest {
    /// Whether `cost` is smaller than all before; no number is never the best.
    pub fn judge(&mut self, cost: f64) -> bool {
        let is_best = is_progress(cost, self.best);
        if is_best {
            self.best = Some(cost);
        }
        is_best
    }
}

/// When the rate falls because nothing gets better: Keras's `ReduceLROnPlateau`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// Epochs without progress after which the rate falls; 0: never.
    pub patience: u32,
    /// What the rate is multiplied by then.
    pub factor: f64,
    /// The rate below which it does not fall (Keras's `min_lr`).
    pub floor: f64,
    /// Progress is a cost smaller by more than this (Keras's `min_delta`).
    pub least_progress: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            patience: 10,
            factor: 0.1,
            floor: 0.0,
            least_progress: 1e-4,
        }
    }
}

impl Plateau {
    /// As the well-known notebooks on the TGS salt data have it.
    pub const SALT: Self = Self {
        patience: 5,
        factor: 0.1,
        floor: 1e-5,
        least_progress: 1e-4,
    };

    /// Says what does not work, if anything.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] names the field, what it may be and what it is.
    pub fn check(&self) -> Result<(), TrainError> {
        let fields = [
            ("factor", self.factor, 1e-6),
            ("floor", self.floor, 0.0),
            ("least_progress", self.least_progress, 0.0),
        ];
        for (field, value, least) in fields {
            if !(least..=1.0).contains(&value) {
                return Err(TrainError::Recipe(format!(
                    "plateau.{field} is {value}, it must be in {least} to 1"
                )));
            }
        }
        Ok(())
    }
}

/// Hears the cost of each epoch and lowers the rate as a [`Plateau`] says. It can be written down
/// and read back between epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauDecay {
    plateau: Plateau,
    /// The floor as a share of the full rate.
    least_share: f64,
    best: Option<f64>,
    waited: u32,
    share: f64,
}

impl PlateauDecay {
    /// Nothing heard yet; `full_rate` is what the shares are of.
    pub fn new(plateau: Plateau, full_rate: f64) -> Self {
        Self {
            plateau,
            least_share: (plateau.floor / full_rate).min(1.0),
            best: None,
            waited: 0,
            share: 1.0,
        }
    }

    /// Hears an epoch's cost and gives the share of the full rate for the next one.
    pub fn judge(&mut self, cost: f64) -> f64 {
        let limit = self.best.map(|best| best - self.plateau.least_progress);
        if is_progress(cost, limit) {
            self.best = Some(cost);
            self.waited = 0;
        } else {
            self.waited += 1;
            if self.plateau.patience > 0 && self.waited >= self.plateau.patience {
                self.share = (self.share * self.plateau.factor).max(self.least_share);
                self.waited = 0;
            }
        }
        self.share
    }
}

/// Whether `cost` is a number below `limit`, or the first number at all.
fn is_progress(cost: f64, limit: Option<f64>) -> bool {
    cost.is_finite() && limit.is_none_or(|limit| cost < limit)
}

/// Ends a training after epochs without progress, as Keras's `EarlyStopping` counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    patience: u32,
    best: Option<f64>,
    waited: u32,
}

impl EarlyStop {
    /// Ends after `patience` epochs without progress; a patience of 0 never does.
    pub const fn new(patience: u32) -> Self {
        Self {
            patience,
            best: None,
            waited: 0,
        }
    }

    /// Hears an epoch's cost; whether it was the last epoch.
    pub fn judge(&mut self, cost: f64) -> bool {
        if is_progress(cost, self.best) {
            self.best = Some(cost);
            self.waited = 0;
            return false;
        }
        self.waited += 1;
        self.is_over()
    }

    /// Whether the last epoch heard was the last.
    pub const fn is_over(&self) -> bool {
        self.patience > 0 && self.waited >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_shares(patience: u32, costs: &[f64], expected: &[f64]) {
        let plateau = Plateau {
            patience,
            factor: 0.5,
            ..Plateau::default()
        };
        let mut plateau = PlateauDecay::new(plateau, 1e-3);
        let shares: Vec<f64> = costs.iter().map(|&cost| plateau.judge(cost)).collect();
        assert_eq!(shares, expected);
    }

    #[test]
    fn the_rate_falls_once_per_plateau() {
        check_shares(
            2,
            &[0.9, 0.8, 0.8, 0.8, 0.8, 0.8],
            &[1.0, 1.0, 1.0, 0.5, 0.5, 0.25],
        );
        check_shares(2, &[0.9, 0.9, 0.8, 0.8, 0.8], &[1.0, 1.0, 1.0, 1.0, 0.5]);
    }

    #[test]
    fn progress_too_small_to_count_is_none() {
        check_shares(1, &[0.9, 0.89995, 0.8998], &[1.0, 0.5, 0.5]);
        check_shares(0, &[0.9; 4], &[1.0; 4]);
        check_shares(1, &[f64::NAN, f64::NAN], &[0.5, 0.25]);
    }

    #[test]
    fn the_rate_stops_falling_at_its_floor() {
        let mut plateau = PlateauDecay::new(Plateau::SALT, 1e-3);
        let shares: Vec<f64> = (0..16).map(|_| plateau.judge(0.5)).collect();
        assert_eq!([shares[4], shares[5], shares[9]], [1.0, 0.1, 0.1]);
        // 1e-3 × 0.1 × 0.1 is the floor itself.
        assert!((shares[10] - 0.01).abs() < 1e-12 && (shares[15] - 0.01).abs() < 1e-12);
        // A floor above the full rate raises nothing.
        let mut plateau = PlateauDecay::new(Plateau::SALT, 1e-6);
        assert!((0..16).all(|_| plateau.judge(0.5) == 1.0));
    }

    #[test]
    fn policies_go_on_where_they_were_written_down() {
        let costs = [0.9, f64::NAN, 0.8, 0.85, 0.8, 0.8, 0.8];
        let plateau = || {
            PlateauDecay::new(
                Plateau {
                    patience: 2,
                    ..Plateau::SALT
                },
                1e-3,
            )
        };
        for at in 0..costs.len() {
            let (mut whole, mut parted) = (plateau(), plateau());
            let (mut stop, mut stop_parted) = (EarlyStop::new(3), EarlyStop::new(3));
            let (mut keep, mut keep_parted) = (KeepBest::default(), KeepBest::default());
            for (epoch, cost) in costs.into_iter().enumerate() {
                if epoch == at {
                    parted = again(&parted);
                    stop_parted = again(&stop_parted);
                    keep_parted = again(&keep_parted);
                }
                assert_eq!(whole.judge(cost), parted.judge(cost));
                assert_eq!(stop.judge(cost), stop_parted.judge(cost));
                assert_eq!(keep.judge(cost), keep_parted.judge(cost));
            }
        }
    }

    fn again<T: Serialize + for<'de> Deserialize<'de>>(policy: &T) -> T {
        let text = serde_json::to_string(policy).expect("text");
        serde_json::from_str(&text).expect("the policy")
    }

    #[test]
    fn a_plateau_that_cannot_work_is_named() {
        Plateau::SALT.check().expect("a working preset");
        let plateau = Plateau {
            factor: 0.0,
            ..Plateau::default()
        };
        let error = plateau.check().expect_err("a refusal").to_string();
        assert!(error.contains("plateau.factor is 0"), "{error}");
    }

    #[track_caller]
    fn check_end(patience: u32, costs: &[f64], expected: Option<usize>) {
        let mut stop = EarlyStop::new(patience);
        assert_eq!(costs.iter().position(|&cost| stop.judge(cost)), expected);
    }

    #[test]
    fn it_ends_when_patience_does() {
        check_end(2, &[0.5, 0.6, 0.7, 0.8], Some(2));
        check_end(2, &[0.5, 0.6, 0.4, 0.5, 0.3], None);
        check_end(1, &[0.5, 0.5], Some(1));
        check_end(0, &[0.5; 9], None);
        check_end(2, &[0.5, f64::NAN, f64::NAN], Some(2));
    }

    #[test]
    fn a_nan_loss_is_never_the_best() {
        let mut keep = KeepBest::default();
        let verdicts = [f64::NAN, 0.5, 0.5, f64::NAN, 0.4].map(|cost| keep.judge(cost));
        assert_eq!(verdicts, [false, true, false, false, true]);
    }
}
