use serde::{Deserialize, Serialize};

/// Which number decides which checkpoint is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// The smallest validation loss.
    #[default]
    ValLoss,
    /// The greatest mean `IoU`.
    MeanIou,
}

impl BestBy {
    /// The number to make small.
    pub fn cost(self, val_loss: f64, mean_iou: Option<f64>) -> f64 {
        match self {
            Self::ValLoss => val_loss,
            Self::MeanIou => mean_iou.map_or(f64::NAN, |iou| -iou),
        }
    }
}

/// Remembers the smallest cost, as Keras's `ModelCheckpoint(save_best_only=True)` counts.
#[derive(Clone, Debug, Default)]
pub struct KeepBest {
    best: Option<f64>,
}

impl KeepBest {
    /// Whether `cost` is smaller than all before; no number is never the best.
    pub fn judge(&mut self, cost: f64) -> bool {
        let is_best = !cost.is_nan() && self.best.is_none_or(|best| cost < best);
        if is_best {
            self.best = Some(cost);
        }
        is_best
    }
}

/// Lowers the rate after epochs without progress, as Keras's `ReduceLROnPlateau` counts.
#[derive(Clone, Debug)]
pub struct PlateauDecay {
    patience: u32,
    factor: f64,
    best: f64,
    waited: u32,
    share: f64,
}

/// Progress is a cost this much smaller (Keras's `min_delta`).
const LEAST_PROGRESS: f64 = 1e-4;

impl PlateauDecay {
    /// Multiplies the rate by `factor` after `patience` epochs without progress; a patience of 0
    /// never does.
    pub const fn new(patience: u32, factor: f64) -> Self {
        Self {
            patience,
            factor,
            best: f64::INFINITY,
            waited: 0,
            share: 1.0,
        }
    }

    /// Hears an epoch's cost and gives the share of the full rate for the next one.
    pub fn judge(&mut self, cost: f64) -> f64 {
        if cost < self.best - LEAST_PROGRESS {
            self.best = cost;
            self.waited = 0;
        } else {
            self.waited += 1;
            if self.patience > 0 && self.waited >= self.patience {
                self.share *= self.factor;
                self.waited = 0;
            }
        }
        self.share
    }
}

/// Ends a training after epochs without progress, as Keras's `EarlyStopping` counts.
#[derive(Clone, Debug)]
pub struct EarlyStop {
    patience: u32,
    best: f64,
    waited: u32,
}

impl EarlyStop {
    /// Ends after `patience` epochs without progress; a patience of 0 never does.
    pub const fn new(patience: u32) -> Self {
        Self {
            patience,
            best: f64::INFINITY,
            waited: 0,
        }
    }

    /// Hears an epoch's cost; whether it was the last epoch.
    pub fn judge(&mut self, cost: f64) -> bool {
        if cost < self.best {
            self.best = cost;
            self.waited = 0;
            return false;
        }
        self.waited += 1;
        self.patience > 0 && self.waited >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_shares(patience: u32, costs: &[f64], expected: &[f64]) {
        let mut plateau = PlateauDecay::new(patience, 0.5);
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

    #[test]
    fn the_best_may_be_the_greatest_iou() {
        let mut keep = KeepBest::default();
        let ious = [Some(0.5), None, Some(0.6), Some(0.55)];
        let verdicts = ious.map(|iou| keep.judge(BestBy::MeanIou.cost(1.0, iou)));
        assert_eq!(verdicts, [true, false, true, false]);
    }
}
