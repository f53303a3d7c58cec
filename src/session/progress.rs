use super::{QueueState, TrainingPhase, TrainingState, TrialPhase};

impl TrainingState {
    /// How much of the running epoch is done, 0 to 1.
    pub(super) fn share_of_epoch(&self) -> f64 {
        match self.phase {
            TrainingPhase::Running { step, steps, .. } => f64::from(step) / f64::from(steps.max(1)),
            _ => 0.0,
        }
    }

    /// How much of the training is done, 0 to 1.
    fn share(&self) -> f64 {
        let epochs = self
            .recipe
            .as_ref()
            .map_or(1, |recipe| recipe.epochs.max(1));
        match self.phase {
            TrainingPhase::Running { epoch, .. } => {
                (f64::from(epoch) - 1.0 + self.share_of_epoch()) / f64::from(epochs)
            }
            _ => 0.0,
        }
    }
}

impl QueueState {
    /// How much of the queue is done, 0 to 1.
    pub(super) fn share(&self, training: &TrainingState) -> f32 {
        let over = self.trials.iter();
        let over = over.filter(|trial| matches!(trial.phase, TrialPhase::Ended(_)));
        let done = over.count() as f64 + training.share();
        (done / self.trials.len().max(1) as f64).min(1.0) as f32
    }
}

impl TrialPhase {
    /// Whether the trial is trained or judged now.
    pub const fn is_running(&self) -> bool {
        matches!(self, Self::Training | Self::Judging { .. })
    }
}
