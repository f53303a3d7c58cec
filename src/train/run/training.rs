use std::sync::Arc;
use std::time::Instant;

use super::Halt;
use super::feed::{Feed, Place};
use super::outside::Outside;
use super::preflight::Trial;
use crate::dataset::Batch;
use crate::train::features::KeptFeatures;
use crate::train::forecast::{Held, Left, Measured};
use crate::train::learner::{Learner, Validation};
use crate::train::memory::{MemoryBefore, peak_bytes};
use crate::train::resume::Progress;
use crate::train::{Forecast, StepLoss, StopReason, TrainError, TrainEvent, TrainPlan, Unfreezing};

/// A training at work.
pub(super) struct Training<'a, 'o> {
    pub(super) plan: &'a Arc<TrainPlan>,
    pub(super) outside: &'a mut Outside<'o>,
    pub(super) learner: Learner,
    pub(super) progress: Progress,
    /// Batches that are loaded ahead; `None` where features of patches are kept instead.
    pub(super) feed: Option<Feed>,
    /// The steps that are not in `steps.csv` yet.
    pub(super) steps: Vec<StepLoss>,
    /// When the state was written last.
    pub(super) kept: Instant,
    /// Seconds of work before the running epoch, or before this part of it.
    pub(super) epoch_began: f64,
    /// What the model cost that the training began with, where it is known.
    pub(super) start_cost: Option<f64>,
    trial: Trial,
    measured: Measured,
}

impl<'a, 'o> Training<'a, 'o> {
    /// Goes on from `progress`, which `learner` is at.
    pub(super) fn new(
        plan: &'a Arc<TrainPlan>,
        (learner, progress, trial): (Learner, Progress, Trial),
        outside: &'a mut Outside<'o>,
    ) -> Result<Self, TrainError> {
        let place = Place {
            epoch: progress.epoch,
            step: progress.step_in_epoch,
        };
        let measured = if trial.has_forecast {
            Measured::of(0)
        } else {
            Measured::within(plan.recipe.steps_per_epoch)
        };
        Ok(Self {
            feed: feed_for(plan, place, &learner)?,
            steps: Vec::new(),
            kept: Instant::now(),
            epoch_began: outside.clock.seconds(),
            plan,
            outside,
            learner,
            progress,
            start_cost: None,
            trial,
            measured,
        })
    }

    /// Trains until there is a reason to end.
    pub(super) fn epochs(&mut self) -> Result<StopReason, Halt> {
        self.explain()?;
        self.judge_start()?;
        loop {
            if let Some(reason) = self.reason_to_end() {
                return Ok(reason);
            }
            self.unfreeze()?;
            self.epoch_began = self.outside.clock.seconds();
            let train_loss = self.train_epoch()?;
            let validation = self.validate()?;
            let row = self.row(train_loss, &validation);
            self.write_strips(&validation)?;
            self.judge(row, &validation.confusion)?;
            self.keep_state()?;
        }
    }

    /// Says which part of the network learns.
    fn explain(&mut self) -> Result<(), Halt> {
        let (plan, progress) = (self.plan, &self.progress);
        let was_frozen = plan.model_holding(progress.kept_stages).frozen_stages > 0;
        let note = if was_frozen && plan.recipe.is_unfrozen(progress.epoch) {
            Some(plan.unfrozen_note())
        } else {
            plan.features_note(self.learner.kept())
        };
        if let Some(note) = note {
            self.outside.tell(TrainEvent::Explained(note))?;
        }
        Ok(())
    }

    /// Lets frozen stages of the encoder learn, too, once the recipe says so: just as a training
    /// that goes on from the state before this epoch would. From here on patches are loaded ahead,
    /// and steps are measured anew.
    fn unfreeze(&mut self) -> Result<(), Halt> {
        let (plan, epoch) = (self.plan, self.progress.epoch);
        if self.learner.frozen_stages() == 0 || !plan.recipe.is_unfrozen(epoch) {
            return Ok(());
        }
        self.learner.unfreeze(plan)?;
        if self.feed.is_none() {
            let step = self.progress.step_in_epoch;
            self.feed = feed_for(plan, Place { epoch, step }, &self.learner)?;
        }
        self.trial.seconds_per_look = None;
        self.measured = Measured::within(plan.recipe.steps_per_epoch);
        self.explain()
    }

    /// Why no other epoch follows, between two epochs; one that was begun is brought to its end.
    fn reason_to_end(&self) -> Option<StopReason> {
        let (recipe, progress) = (&self.plan.recipe, &self.progress);
        if progress.epoch > recipe.epochs {
            return Some(StopReason::AllEpochs);
        }
        if progress.step_in_epoch > 0 {
            return None;
        }
        if progress.stop.is_over() {
            let patience = recipe.stop_patience;
            return Some(StopReason::NoProgress { patience });
        }
        let minutes = recipe.time_limit_minutes;
        if progress.epoch > 1 && self.seconds_to_limit() <= 0.0 {
            return Some(StopReason::TimeLimit { minutes });
        }
        let epoch = self.plan.until.filter(|&until| progress.epoch > until)?;
        Some(StopReason::FarEnough { epoch })
    }

    /// Seconds of work until the time limit; infinite without one.
    fn seconds_to_limit(&self) -> f64 {
        seconds_to_limit(self.plan, self.outside)
    }

    /// The mean loss of the epoch's steps; there are fewer when the time is over.
    fn train_epoch(&mut self) -> Result<f64, Halt> {
        let steps = self.plan.recipe.steps_per_epoch;
        while self.progress.step_in_epoch < steps {
            if self.outside.is_paused() {
                // A pause may last until the power is gone.
                self.keep_state()?;
            }
            self.outside.look_up()?;
            self.one_step()?;
            if self.kept.elapsed().as_secs_f64() >= self.plan.recipe.state_seconds() {
                self.keep_state()?;
            }
            if self.seconds_to_limit() <= 0.0 && self.progress.step_in_epoch < steps {
                self.go_to_held_out_ground()?;
                break;
            }
        }
        Ok(self.progress.loss_sum / f64::from(self.progress.step_in_epoch))
    }

    /// Leaves out the steps that are left of the epoch.
    fn go_to_held_out_ground(&mut self) -> Result<(), TrainError> {
        let place = Place {
            epoch: self.progress.epoch,
            step: self.plan.recipe.steps_per_epoch,
        };
        self.feed = feed_for(self.plan, place, &self.learner)?;
        Ok(())
    }

    fn one_step(&mut self) -> Result<(), Halt> {
        let (batch, data_seconds) = self.next_batch()?;
        let rate = self.rate(self.progress.step);
        #[cfg(test)]
        if let Some(fault) = self.plan.fault {
            fault(self.progress.step, self.learner.piece());
        }
        let (began, encoding) = (Instant::now(), self.learner.seconds_encoding());
        let loss = match batch {
            Some(batch) => self.learner.step(batch, self.progress.step, rate)?,
            None => (self.learner).step_at(self.plan, self.progress.step, rate)?,
        };
        let compute_seconds = began.elapsed().as_secs_f64();
        let progress = &mut self.progress;
        let (epoch, step) = (progress.epoch, progress.step_in_epoch + 1);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch, step }.into());
        }
        progress.step += 1;
        progress.step_in_epoch = step;
        progress.loss_sum += loss;
        self.steps.push(StepLoss {
            step: progress.step,
            loss: loss as f32,
            seconds: Some([data_seconds as f32, compute_seconds as f32]),
            lr: Some(rate as f32),
        });
        progress.spent.data += data_seconds;
        progress.spent.compute += compute_seconds;
        self.outside.mention(TrainEvent::Step {
            epoch,
            step,
            steps: self.plan.recipe.steps_per_epoch,
            loss,
            data_seconds,
            compute_seconds,
        });
        let encoding = self.learner.seconds_encoding() - encoding;
        if (self.measured).hear(data_seconds, (compute_seconds - encoding).max(0.0)) {
            let forecast = self.forecast();
            self.outside.tell(TrainEvent::Forecast(forecast))?;
        }
        Ok(())
    }

    fn forecast(&self) -> Forecast {
        let (plan, learner, progress) = (self.plan, &self.learner, &self.progress);
        let left = left_of(plan, learner, (progress.epoch, progress.step));
        let left = Left {
            seconds_per_look: self.trial.seconds_per_look,
            limit: self.seconds_to_limit(),
            unfreezing: left
                .unfreezing
                .map(|later| self.trial.unfreezing.unwrap_or(later)),
            ..left
        };
        self.measured
            .forecast(left, held_memory(plan, learner, None))
    }

    /// The next batch, if batches are loaded, and the seconds that it was waited for.
    fn next_batch(&mut self) -> Result<(Option<Batch>, f64), Halt> {
        next_of(&mut self.feed, self.outside)
    }

    pub(super) fn validate(&mut self) -> Result<Validation, Halt> {
        let (feed, outside) = (&mut self.feed, &mut self.outside);
        let (mut waited, mut computed, mut began) = (0.0, 0.0, Instant::now());
        let next = || {
            computed += began.elapsed().as_secs_f64();
            outside.look_up()?;
            let (batch, seconds) = next_of(feed, outside)?;
            waited += seconds;
            began = Instant::now();
            Ok::<_, Halt>(batch)
        };
        let num_patches = self.plan.patches.num_validation();
        let shown = self.plan.patches.shown();
        let validation = (self.learner).validate(self.plan, (num_patches, shown), next)?;
        self.progress.spent.data += waited;
        self.progress.spent.compute += computed + began.elapsed().as_secs_f64();
        Ok(validation)
    }

    /// The learning rate of a step, from 0.
    pub(super) fn rate(&self, step: u64) -> f64 {
        let recipe = &self.plan.recipe;
        recipe.learning_rate * self.progress.share * recipe.schedule.factor(step, recipe.span())
    }
}

/// Seconds of work until the time limit; infinite without one.
pub(super) fn seconds_to_limit(plan: &TrainPlan, outside: &Outside<'_>) -> f64 {
    match plan.recipe.time_limit_minutes {
        0.0 => f64::INFINITY,
        minutes => minutes * 60.0 - outside.clock.seconds(),
    }
}

/// What `learner` has still to do in the running epoch and those after it, up to where frozen
/// stages learn, too, when so many steps are done; without a time limit.
pub(super) fn left_of(plan: &TrainPlan, learner: &Learner, (epoch, step): (u32, u64)) -> Left {
    let recipe = &plan.recipe;
    let last = if learner.frozen_stages() == 0 {
        recipe.epochs
    } else {
        recipe.last_of_phase(epoch)
    };
    let epochs = u64::from((last + 1).saturating_sub(epoch));
    let looks = plan.patches.num_validation().div_ceil(learner.piece());
    let [_, encoding] = (learner.kept()).map_or([0.0; 2], KeptFeatures::seconds_to_encode);
    Left {
        steps: recipe.steps_up_to(last).saturating_sub(step),
        looks: epochs * looks as u64,
        unfreezing: (last < recipe.epochs).then(|| Unfreezing {
            epoch: last + 1,
            seconds: None,
        }),
        seconds_per_look: None,
        encoding,
        limit: f64::INFINITY,
    }
}

/// What is known of the memory that steps of `learner` take, and what was held `before` them; where
/// stages unfreeze, steps after that.
pub(super) fn held_memory(
    plan: &TrainPlan,
    learner: &Learner,
    before: Option<MemoryBefore>,
) -> Held {
    let (kept, peak) = (learner.kept().map_or(0, KeptFeatures::stages), peak_bytes());
    let patches = learner.piece().min(plan.recipe.batch);
    let unfrozen = plan.recipe.unfrozen();
    let largest = unfrozen.unwrap_or_else(|| plan.recipe_holding(kept));
    Held {
        peak,
        rise: before
            .zip(peak)
            .and_then(|(before, peak)| before.rise_to(peak)),
        estimated: largest.bytes_of(patches),
    }
}

/// The batches from `place` on, for a learner that keeps no features.
pub(super) fn feed_for(
    plan: &Arc<TrainPlan>,
    place: Place,
    learner: &Learner,
) -> Result<Option<Feed>, TrainError> {
    if learner.kept().is_some() {
        return Ok(None);
    }
    Feed::start(plan, place, learner.piece(), num_threads()).map(Some)
}

/// The next batch of `feed` and the seconds that it was waited for.
pub(super) fn next_of(
    feed: &mut Option<Feed>,
    outside: &mut Outside<'_>,
) -> Result<(Option<Batch>, f64), Halt> {
    let Some(feed) = feed else {
        return Ok((None, 0.0));
    };
    let (batch, seconds) = outside.timed(|outside| feed.next(|| outside.look_up()));
    Ok((Some(batch?), seconds))
}

/// Threads that load: one for each processor, since they work while the device is busy.
fn num_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
