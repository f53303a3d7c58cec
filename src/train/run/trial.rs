use std::sync::Arc;
use std::time::Instant;

use super::Halt;
use super::feed::{Feed, Place};
use super::outside::Outside;
use super::training::{feed_for, held_memory, left_of, next_of, seconds_to_limit};
use crate::geom::ImageSize;
use crate::train::device::ChosenDevice;
use crate::train::features::KeptFeatures;
use crate::train::forecast::{Held, Left, Length, Measured};
use crate::train::learner::{Learner, LookedAt};
use crate::train::memory::MemoryBefore;
use crate::train::{
    Forecast, Patch, TrainError, TrainEvent, TrainPlan, Unfreezing, rgba_of, strip_png,
};

/// What trying the network has shown.
pub(super) struct Tried {
    pub(super) needs: Needs,
    /// Time of a look at a batch of held-out patches.
    pub(super) seconds_per_look: f64,
    /// What comes once frozen stages learn, too, where they will.
    pub(super) unfreezing: Option<Unfreezing>,
    /// What the training will take.
    pub(super) forecast: Forecast,
}

/// What the run will write.
pub(super) struct Needs {
    pub(super) weights: Vec<u8>,
    /// Bytes of the state that a training goes on from.
    pub(super) state: u64,
    /// Bytes of an epoch's pictures.
    pub(super) pictures: u64,
    /// Bytes of kept features that memory does not hold.
    pub(super) features: u64,
}

/// A learner as it will begin.
pub(super) fn tried_learner(
    plan: &TrainPlan,
    chosen: &ChosenDevice,
) -> Result<Learner, TrainError> {
    Learner::new(plan, &chosen.device, plan.kept_stages(chosen.is_cpu()))
}

/// A step, or some more that are measured, and a look at held-out ground, on a network of its own;
/// where frozen stages will learn later, the same once more with these. What that computes goes,
/// and every step draws its random numbers anew from its own number, so the training does not differ
/// by it.
pub(super) fn try_network(
    plan: &Arc<TrainPlan>,
    chosen: &ChosenDevice,
    piece: usize,
    outside: &mut Outside<'_>,
) -> Result<Tried, Halt> {
    let before = MemoryBefore::now();
    let learner = tried_learner(plan, chosen)?.in_pieces_of(piece);
    let begun = Rehearsal::new(plan, (learner, 1), outside)?.played(outside)?;
    let (mut learner, mut left) = (begun.learner, begun.left);
    let features = learner.kept().map_or(0, KeptFeatures::bytes_on_disk);
    if let Some(Unfreezing { epoch, .. }) = left.unfreezing {
        learner.unfreeze(plan)?;
        let later = Rehearsal::new(plan, (learner, epoch), outside)?.played(outside)?;
        let measured = later.measured.unwrap_or(later.first);
        let forecast = measured.forecast(later.left, Held::default());
        let seconds = Some([forecast.seconds_left, forecast.seconds_per_step]);
        left.unfreezing = Some(Unfreezing { epoch, seconds });
        learner = later.learner;
    }
    left.limit = seconds_to_limit(plan, outside);
    let held = held_memory(plan, &learner, before);
    let state = learner.state()?;
    let needs = Needs {
        weights: learner.weights()?,
        state: (state.network.len() + state.optimizer.len()) as u64,
        pictures: picture_bytes(plan, &begun.looked_at),
        features,
    };
    // The first step alone may be slower than all others, but says more than nothing.
    let measured = begun.measured.unwrap_or(begun.first);
    Ok(Tried {
        needs,
        seconds_per_look: begun.seconds_per_look,
        unfreezing: left.unfreezing,
        forecast: measured.forecast(left, held),
    })
}

/// The first steps of a training, or of its part in which frozen stages learn, too, on a learner
/// that is thrown away.
struct Rehearsal<'a> {
    plan: &'a Arc<TrainPlan>,
    learner: Learner,
    /// The epoch that it begins with.
    epoch: u32,
    /// Batches as the training will have them, where steps are measured.
    feed: Option<Feed>,
    length: Length,
}

/// What a rehearsal has shown.
struct Rehearsed {
    learner: Learner,
    /// The first step alone.
    first: Measured,
    /// Those after it, where they are measured.
    measured: Option<Measured>,
    /// What is to be done from there on; without a time limit.
    left: Left,
    seconds_per_look: f64,
    looked_at: Vec<LookedAt>,
}

/// Steps of kept features are measured on those of so many steps, which are encoded once.
const ENCODED_STEPS: u64 = 2;

impl<'a> Rehearsal<'a> {
    fn new(
        plan: &'a Arc<TrainPlan>,
        (learner, epoch): (Learner, u32),
        outside: &Outside<'_>,
    ) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        let last = plan
            .until
            .map_or(recipe.epochs, |until| until.min(recipe.epochs));
        // Who goes on from a model waits for a better one, and its epochs are short.
        let steps = match &plan.start_from {
            Some(_) => 0,
            None => recipe
                .steps_up_to(last)
                .saturating_sub(recipe.steps_up_to(epoch - 1)),
        };
        let length = Length {
            steps,
            limit: seconds_to_limit(plan, outside),
        };
        let place = Place { epoch, step: 0 };
        let feed = if length.is_measured_ahead() {
            feed_for(plan, place, &learner)?
        } else {
            None
        };
        Ok(Self {
            plan,
            learner,
            epoch,
            feed,
            length,
        })
    }

    /// Takes its steps and a look at held-out ground.
    fn played(mut self, outside: &mut Outside<'_>) -> Result<Rehearsed, Halt> {
        let (first, measured) = self.measured(outside)?;
        let (plan, mut learner) = (self.plan, self.learner);
        // Nothing loads beside the look.
        drop(self.feed);
        let looked_at = plan.patches.num_validation().min(learner.piece());
        let mut batch = None;
        if learner.kept().is_some() {
            // Only a first look computes what is kept.
            learner.validate(plan, (looked_at, &[]), || Ok::<_, TrainError>(None))?;
        } else {
            let read = plan.patches.validation_batch(0..looked_at);
            batch = Some(read.map_err(TrainError::from)?);
        }
        let began = Instant::now();
        let next = || Ok::<_, TrainError>(batch.take());
        let validation = learner.validate(plan, (looked_at, &[]), next)?;
        let seconds_per_look = began.elapsed().as_secs_f64();
        let [encoding, _] = (learner.kept()).map_or([0.0; 2], KeptFeatures::seconds_to_encode);
        let steps_before = plan.recipe.steps_up_to(self.epoch - 1);
        let left = Left {
            seconds_per_look: Some(seconds_per_look),
            encoding,
            ..left_of(plan, &learner, (self.epoch, steps_before))
        };
        Ok(Rehearsed {
            learner,
            first,
            measured,
            left,
            seconds_per_look,
            looked_at: validation.looked_at,
        })
    }

    /// Takes a first step, which may be slower than all others, and measures those after it, where
    /// the training is long enough.
    fn measured(
        &mut self,
        outside: &mut Outside<'_>,
    ) -> Result<(Measured, Option<Measured>), Halt> {
        let (loss, [data, compute]) = self.step(0, outside)?;
        if !loss.is_finite() {
            let (epoch, step) = (self.epoch, 1);
            return Err(TrainError::Diverged { epoch, step }.into());
        }
        let mut first = Measured::of(1);
        first.hear(data, compute);
        // Held-out ground comes behind the epoch's last step.
        let others = self.plan.recipe.steps_per_epoch - 1;
        let wanted = self.length.steps_ahead(data + compute).min(others);
        let mut measured = Measured::of(wanted);
        for step in 1..=wanted {
            outside.look_up()?;
            outside.mention(TrainEvent::Trying {
                what: "Measuring the first steps",
                done: u64::from(step) - 1,
                total: wanted.into(),
            });
            let (loss, [data, compute]) = self.step(step.into(), outside)?;
            if measured.hear(data, compute) {
                return Ok((first, Some(measured)));
            }
            if !loss.is_finite() {
                // Whether the training comes to that, it says itself.
                break;
            }
        }
        Ok((first, None))
    }

    /// The loss of a step, from 0, and the seconds that it waited for images and computed, encoding
    /// of what is kept left out.
    fn step(&mut self, at: u64, outside: &mut Outside<'_>) -> Result<(f64, [f64; 2]), Halt> {
        let (plan, recipe) = (self.plan, &self.plan.recipe);
        let step = recipe.steps_up_to(self.epoch - 1) + at;
        let (batch, data) = next_of(&mut self.feed, outside)?;
        #[cfg(test)]
        if let Some(fault) = plan.fault {
            fault(step, self.learner.piece());
        }
        let rate = recipe.learning_rate * recipe.schedule.factor(step, recipe.span());
        let (began, encoding) = (Instant::now(), self.learner.seconds_encoding());
        let loss = match batch {
            Some(batch) => self.learner.step(batch, step, rate)?,
            None => self.learner.step_at(plan, at % ENCODED_STEPS, rate)?,
        };
        let encoding = self.learner.seconds_encoding() - encoding;
        let compute = (began.elapsed().as_secs_f64() - encoding).max(0.0);
        Ok((loss, [data, compute]))
    }
}

fn picture_bytes(plan: &TrainPlan, looked_at: &[LookedAt]) -> u64 {
    let bytes = |looked_at: &LookedAt| {
        let rgba = rgba_of(&looked_at.image, plan.patches.normalization());
        let patch = Patch {
            size: ImageSize::new(plan.recipe.patch, plan.recipe.patch),
            image: &rgba,
            labels: &looked_at.labels,
            prediction: &looked_at.predicted,
        };
        strip_png(&patch, &plan.classes).map_or(0, |png| png.len() as u64)
    };
    looked_at.iter().map(bytes).sum()
}
