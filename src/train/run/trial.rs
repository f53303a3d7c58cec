use std::sync::Arc;
use std::time::Instant;

use super::Halt;
use super::feed::{Feed, Place};
use super::outside::Outside;
use super::training::{feed_for, held_memory, left_of, next_of, seconds_to_limit};
use crate::geom::ImageSize;
use crate::train::device::ChosenDevice;
use crate::train::features::KeptFeatures;
use crate::train::forecast::{Left, Length, Measured};
use crate::train::learner::{Learner, LookedAt};
use crate::train::memory::MemoryBefore;
use crate::train::{Forecast, Patch, TrainError, TrainEvent, TrainPlan, rgba_of, strip_png};

/// What trying the network has shown.
pub(super) struct Tried {
    pub(super) needs: Needs,
    /// Time of a look at a batch of held-out patches.
    pub(super) seconds_per_look: f64,
    /// What the training will take, where that is measured before it begins.
    pub(super) forecast: Option<Forecast>,
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

/// A step, or some more that are measured, and a look at held-out ground, on a network of its own.
/// What that computes goes, and every step draws its random numbers anew from its own number, so
/// the training does not differ by it.
pub(super) fn try_network(
    plan: &Arc<TrainPlan>,
    chosen: &ChosenDevice,
    piece: usize,
    outside: &mut Outside<'_>,
) -> Result<Tried, Halt> {
    let before = MemoryBefore::now();
    let learner = tried_learner(plan, chosen)?.in_pieces_of(piece);
    let mut rehearsal = Rehearsal::new(plan, learner, outside)?;
    let measured = rehearsal.measured(outside)?;
    let Rehearsal {
        mut learner, feed, ..
    } = rehearsal;
    // Nothing loads beside the look.
    drop(feed);
    let looked_at = plan.patches.num_validation().min(piece);
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
    let forecast = measured.map(|measured| {
        let [encoding, _] = (learner.kept()).map_or([0.0; 2], KeptFeatures::seconds_to_encode);
        let left = Left {
            seconds_per_look: Some(seconds_per_look),
            encoding,
            limit: seconds_to_limit(plan, outside),
            ..left_of(plan, &learner, (1, 0))
        };
        measured.forecast(left, held_memory(plan, &learner, before))
    });
    let state = learner.state()?;
    let needs = Needs {
        weights: learner.weights()?,
        state: (state.network.len() + state.optimizer.len()) as u64,
        pictures: picture_bytes(plan, &validation.looked_at),
        features: learner.kept().map_or(0, KeptFeatures::bytes_on_disk),
    };
    Ok(Tried {
        needs,
        seconds_per_look,
        forecast,
    })
}

/// The first steps of a training, on a learner that is thrown away.
struct Rehearsal<'a> {
    plan: &'a Arc<TrainPlan>,
    learner: Learner,
    /// Batches as the training will have them, where steps are measured.
    feed: Option<Feed>,
    length: Length,
}

/// Steps of kept features are measured on those of so many steps, which are encoded once.
const ENCODED_STEPS: u64 = 2;

impl<'a> Rehearsal<'a> {
    fn new(
        plan: &'a Arc<TrainPlan>,
        learner: Learner,
        outside: &Outside<'_>,
    ) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        let epochs = plan
            .until
            .map_or(recipe.epochs, |until| until.min(recipe.epochs));
        // Who goes on from a model waits for a better one, and its epochs are short.
        let steps = match &plan.start_from {
            Some(_) => 0,
            None => u64::from(epochs) * u64::from(recipe.steps_per_epoch),
        };
        let length = Length {
            steps,
            limit: seconds_to_limit(plan, outside),
        };
        let place = Place { epoch: 1, step: 0 };
        let feed = if length.is_measured_ahead() {
            feed_for(plan, place, &learner)?
        } else {
            None
        };
        Ok(Self {
            plan,
            learner,
            feed,
            length,
        })
    }

    /// Takes a first step, which may be slower than all others, and measures those after it, where
    /// the training is long enough.
    fn measured(&mut self, outside: &mut Outside<'_>) -> Result<Option<Measured>, Halt> {
        let (loss, [data, compute]) = self.step(0, outside)?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch: 1, step: 1 }.into());
        }
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
                return Ok(Some(measured));
            }
            if !loss.is_finite() {
                // Whether the training comes to that, it says itself.
                break;
            }
        }
        Ok(None)
    }

    /// The loss of a step, and the seconds that it waited for images and computed, encoding of what
    /// is kept left out.
    fn step(&mut self, step: u64, outside: &mut Outside<'_>) -> Result<(f64, [f64; 2]), Halt> {
        let (plan, recipe) = (self.plan, &self.plan.recipe);
        let (batch, data) = next_of(&mut self.feed, outside)?;
        #[cfg(test)]
        if let Some(fault) = plan.fault {
            fault(step, self.learner.piece());
        }
        let rate = recipe.learning_rate * recipe.schedule.factor(step, recipe.span());
        let (began, encoding) = (Instant::now(), self.learner.seconds_encoding());
        let loss = match batch {
            Some(batch) => self.learner.step(batch, step, rate)?,
            None => self.learner.step_at(plan, step % ENCODED_STEPS, rate)?,
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
