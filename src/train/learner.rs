mod statistics;
mod teacher;

use std::ops::Range;

use burn::module::Module as _;
use burn::tensor::{Device, Int, Tensor};

use statistics::network_with_statistics;
use teacher::Lessons;

use super::batch::{images_on, labels_on, number, numbers, pieces};
use super::checkpoint::fresh_network;
use super::features::KeptFeatures;
use super::{Optimizer, TrainError, TrainPlan};
use crate::dataset::{Batch, hash};
use crate::metrics::Confusion;
use crate::nn::{Loss, LossTotal, ModelConfig, Network, NormKind, read_weights, write_weights};

/// The network in training and all tensors that go with it.
pub(super) struct Learner {
    network: Network,
    optimizer: Optimizer,
    loss: Loss,
    /// Weight of the loss of a second head.
    auxiliary_weight: f64,
    class_weights: Vec<f32>,
    /// Stages of the encoder that hold still.
    frozen_stages: usize,
    /// Where dropout's random numbers come from; `None` without dropout.
    dropout_seed: Option<u64>,
    /// What stages that hold still see, where that is kept.
    kept: Option<KeptFeatures>,
    /// Ground without labels.
    lessons: Option<Lessons>,
    device: Device,
    /// Patches that are computed at once.
    piece: usize,
}

/// What the held-out ground says.
pub(super) struct Validation {
    pub(super) loss: f64,
    pub(super) confusion: Confusion,
    /// Some patches, to be looked at.
    pub(super) looked_at: Vec<LookedAt>,
}

/// A held-out patch with what is there and what is predicted.
pub(super) struct LookedAt {
    /// Normalised, channels × side × side.
    pub(super) image: Vec<f32>,
    pub(super) labels: Vec<u8>,
    pub(super) predicted: Vec<u8>,
}

/// Why a network with kept features answers them.
const PARTED: &str = "features are kept of networks that can be parted alone";

/// Logits and the labels that they should have.
type Answer = ((Tensor<4>, Option<Tensor<4>>), Tensor<3, Int>);

/// Some held-out patches with what a network says of them.
struct HeldOut {
    /// Their labels; its images are left out.
    batch: Batch,
    logits: Tensor<4>,
    /// The images of those that are to be looked at.
    pictures: Vec<Vec<f32>>,
}

/// A learner written down: the network as it trains, and what the optimizer remembers.
pub(super) struct LearnerState {
    pub(super) network: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
}

impl Learner {
    /// Ready to train on `device`. The first `kept_stages` stages of the encoder hold still and
    /// what they see is kept.
    ///
    /// # Errors
    /// When the loss or the optimizer does not fit the classes or the network.
    pub(super) fn new(
        plan: &TrainPlan,
        device: &Device,
        kept_stages: usize,
    ) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        let mut device = device.clone().autodiff();
        if recipe.gradient_checkpointing {
            device = device.gradient_checkpointing();
        }
        let num_classes = plan.classes.num_classes();
        let class_weights = plan.class_weights();
        recipe.loss.check(num_classes)?;
        let model = plan.model_holding(kept_stages);
        let network = match &plan.start_from {
            // A saved network gives true odds; this training works with weighted ones.
            Some(start) => start
                .network_as(&model, &device)?
                .with_logits_shifted(&logarithms(&class_weights, 1.0))?,
            None if model.norm == NormKind::FrozenBatch && plan.resumed.is_none() => {
                network_with_statistics(plan, &model, &device)?
            }
            None => fresh_network(&model, num_classes, recipe.seed, &device),
        };
        Ok(Self {
            optimizer: Optimizer::new(
                &recipe.optimizer,
                &recipe.updates.for_network(!model.is_plain_unet()),
                &network,
            )?,
            kept: match kept_stages {
                0 => None,
                stages => KeptFeatures::new(plan, stages, &network),
            },
            network,
            frozen_stages: model.frozen_stages,
            loss: recipe.loss.clone(),
            auxiliary_weight: recipe.model.auxiliary_weight,
            class_weights,
            dropout_seed: recipe.model.leaves_out().then_some(recipe.seed),
            lessons: Lessons::of(plan),
            device,
            piece: recipe.batch,
        })
    }

    /// Computes at most `piece` patches at once; the gradients of a step are those of its whole
    /// batch all the same.
    pub(super) fn in_pieces_of(mut self, piece: usize) -> Self {
        self.piece = piece.max(1);
        self
    }

    /// Patches that are computed at once.
    pub(super) const fn piece(&self) -> usize {
        self.piece
    }

    /// Stages of the encoder that hold still.
    pub(super) const fn frozen_stages(&self) -> usize {
        self.frozen_stages
    }

    /// Lets the stages of the encoder that hold still learn from here on, without memories of the
    /// optimizer; what was kept of them goes. The weights stay, to the last bit.
    pub(super) fn unfreeze(&mut self, plan: &TrainPlan) -> Result<(), TrainError> {
        self.kept = None;
        self.frozen_stages = 0;
        let model = ModelConfig {
            frozen_stages: 0,
            ..plan.recipe.model.clone()
        };
        let weights = write_weights(&self.network.valid())?;
        let (num_classes, seed) = (plan.classes.num_classes(), plan.recipe.seed);
        self.network = fresh_network(&model, num_classes, seed, &self.device);
        Ok(read_weights(&mut self.network, weights)?)
    }

    /// Goes on where another learner of the same plan was.
    pub(super) fn resume(&mut self, state: LearnerState) -> Result<(), TrainError> {
        read_weights(&mut self.network, state.network)?;
        self.optimizer.load_state(&state.optimizer, &self.device)
    }

    /// All that another learner needs to go on, to the last bit.
    pub(super) fn state(&self) -> Result<LearnerState, TrainError> {
        Ok(LearnerState {
            network: write_weights(&self.network.valid())?,
            optimizer: self.optimizer.state_bytes()?,
        })
    }

    /// Learns from the batch of `step` (from 0) at `rate` and gives its loss from before. Nothing is
    /// learned from a loss that is no number.
    pub(super) fn step(&mut self, batch: Batch, step: u64, rate: f64) -> Result<f64, TrainError> {
        let (batch, unlabeled) = self.parted(batch);
        let pieces = pieces(batch, self.piece);
        let pieces = pieces.into_iter().map(|piece| (piece.len, piece));
        self.step_in_pieces(
            (step, rate),
            (pieces.collect(), unlabeled),
            |learner, piece| {
                let labels = labels_on(&learner.plain_device(), &piece);
                let images = images_on(&learner.device, piece.images, piece.len, piece.side);
                Ok((learner.network.forward_deeply(images), labels))
            },
        )
    }

    /// The same from the patches that `plan` has for `step`: as they are kept, or else read now.
    pub(super) fn step_at(
        &mut self,
        plan: &TrainPlan,
        step: u64,
        rate: f64,
    ) -> Result<f64, TrainError> {
        let recipe = &plan.recipe;
        let Some(mut kept) = self.kept.take() else {
            let per_epoch = u64::from(recipe.steps_per_epoch);
            let (epoch, at) = (1 + step / per_epoch, step % per_epoch);
            return self.step(plan.step_batch(epoch as u32, at as u32)?, step, rate);
        };
        let (batch, piece) = (recipe.batch as u64, self.piece as u64);
        let pieces = (0..batch).step_by(self.piece).map(|first| {
            let draws = first..(first + piece).min(batch);
            let len = (draws.end - draws.start) as usize;
            (len, step * batch + draws.start..step * batch + draws.end)
        });
        let loss = self.step_in_pieces((step, rate), (pieces.collect(), None), |learner, draws| {
            let network = learner.network.valid();
            let seen = kept.drawn(plan, &network, draws, &learner.device)?;
            let labels = labels_on(&learner.plain_device(), &seen.batch);
            let logits = (learner.network).decode_deeply(seen.features, kept.stages());
            Ok((logits.expect(PARTED), labels))
        });
        self.kept = Some(kept);
        loss
    }

    /// Learns from pieces of a batch, each with its number of patches, by what `answer` says of
    /// them, which are logits and labels; and from patches without labels.
    fn step_in_pieces<P>(
        &mut self,
        (step, rate): (u64, f64),
        (pieces, unlabeled): (Vec<(usize, P)>, Option<Batch>),
        mut answer: impl FnMut(&Self, P) -> Result<Answer, TrainError>,
    ) -> Result<f64, TrainError> {
        if let Some(seed) = self.dropout_seed {
            // A training that goes on must drop what it would have dropped.
            self.plain_device().seed(hash(&[seed, step]));
        }
        let num_patches: usize = pieces.iter().map(|(len, _)| len).sum();
        let mut value = 0.0;
        for (len, piece) in pieces {
            let share = len as f64 / num_patches as f64;
            let answer = answer(self, piece)?;
            value += share * self.learn_from(answer, share)?;
            if !value.is_finite() {
                return Ok(value);
            }
        }
        if let Some(batch) = unlabeled {
            self.learn_unlabeled(batch, step)?;
        }
        self.optimizer.batch_is_gathered();
        if self.optimizer.is_due() {
            self.network = self.optimizer.step(self.network.clone(), rate);
        }
        Ok(value)
    }

    /// Gathers `share` of the gradients of a piece of a batch and gives its loss.
    ///
    /// The loss of a second head is learned from and not told.
    fn learn_from(&mut self, (logits, labels): Answer, share: f64) -> Result<f64, TrainError> {
        let (logits, second) = logits;
        let of_second = second.map(|logits| {
            let loss = self
                .loss
                .value(logits, labels.clone(), &self.class_weights)?;
            Ok::<_, TrainError>(loss * self.auxiliary_weight)
        });
        let of_second = of_second.transpose()?;
        let loss = self.loss.value(logits, labels, &self.class_weights)?;
        // Reading the loss each step bounds the work in flight and surfaces a lost device here.
        let value = number(loss.clone())?;
        if value.is_finite() {
            let loss = match of_second {
                Some(of_second) => loss + of_second,
                None => loss,
            };
            self.optimizer
                .gather(&self.network, (loss * share).backward());
        }
        Ok(value)
    }

    /// Loss (as in training) and confusion (of the network as it is saved) over `num_patches`
    /// held-out patches of `plan`; those at `shown` are to be looked at. `next` is called before
    /// each batch and gives it, or none where the learner takes it from what it keeps, or reads it.
    pub(super) fn validate<E: From<TrainError>>(
        &mut self,
        plan: &TrainPlan,
        (num_patches, shown): (usize, &[usize]),
        mut next: impl FnMut() -> Result<Option<Batch>, E>,
    ) -> Result<Validation, E> {
        let network = self.optimizer.averaged(&self.network);
        let device = self.plain_device();
        let true_odds = self.true_odds();
        let mut confusion = Confusion::new(self.class_weights.len());
        let mut looked_at = Vec::new();
        let mut total = LossTotal::new(&self.loss, &self.class_weights);
        let mut first = 0;
        while first < num_patches {
            let next = next()?;
            let len = next.as_ref().map_or(self.piece, |batch| batch.len.max(1));
            let range = first..(first + len).min(num_patches);
            first = range.end;
            let shown = (shown.iter().copied()).filter(|at| range.contains(at));
            let shown: Vec<usize> = shown.map(|at| at - range.start).collect();
            let HeldOut {
                batch,
                logits,
                pictures,
            } = match next {
                Some(batch) => self.answer(&network, batch, &shown),
                None => self.answer_at(plan, &network, range, &shown)?,
            };
            let labels = labels_on(&device, &batch);
            let area = batch.side * batch.side;
            let predicted = (logits.clone() + true_odds.clone())
                .argmax(1)
                .reshape([batch.labels.len()]);
            total.add(logits, labels).map_err(TrainError::from)?;
            let predicted = numbers(predicted.float())?;
            let predicted: Vec<u8> = predicted.into_iter().map(|class| class as u8).collect();
            confusion.add(&batch.labels, &predicted);
            let patches = shown.into_iter().zip(pictures);
            looked_at.extend(patches.map(|(at, image)| LookedAt {
                image,
                labels: batch.labels[at * area..][..area].to_vec(),
                predicted: predicted[at * area..][..area].to_vec(),
            }));
        }
        // No number when nothing was labelled.
        let loss = total.value().unwrap_or(f64::NAN);
        Ok(Validation {
            loss,
            confusion,
            looked_at,
        })
    }

    /// What `network`, which is the learning one or its mean, says of held-out patches; those at
    /// `shown` are to be looked at.
    fn answer(&self, network: &Network, mut batch: Batch, shown: &[usize]) -> HeldOut {
        let numbers = batch.images.len() / batch.len.max(1);
        let picture = |&at: &usize| batch.images[at * numbers..][..numbers].to_vec();
        let pictures = shown.iter().map(picture).collect();
        let images = std::mem::take(&mut batch.images);
        let images = images_on(&self.plain_device(), images, batch.len, batch.side);
        HeldOut {
            logits: network.forward(images),
            batch,
            pictures,
        }
    }

    /// The same of the held-out patches of `range`: as they are kept, or else read now.
    fn answer_at(
        &mut self,
        plan: &TrainPlan,
        network: &Network,
        range: Range<usize>,
        shown: &[usize],
    ) -> Result<HeldOut, TrainError> {
        let device = self.plain_device();
        let Some(kept) = &mut self.kept else {
            let batch = plan.patches.validation_batch(range)?;
            return Ok(self.answer(network, batch, shown));
        };
        let picture = |&at: &usize| {
            let at = range.start + at;
            Ok(plan.patches.validation_batch(at..at + 1)?.images)
        };
        let pictures = shown.iter().map(picture);
        let pictures = pictures.collect::<Result<_, TrainError>>()?;
        let seen = kept.held_out(plan, network, range, &device)?;
        let logits = network.decode(seen.features, kept.stages());
        Ok(HeldOut {
            logits: logits.expect(PARTED),
            batch: seen.batch,
            pictures,
        })
    }

    /// What is kept of stages that hold still.
    pub(super) const fn kept(&self) -> Option<&KeptFeatures> {
        self.kept.as_ref()
    }

    /// Seconds that it took so far to compute what is kept; steps are without it from then on.
    pub(super) fn seconds_encoding(&self) -> f64 {
        self.kept
            .as_ref()
            .map_or(0.0, KeptFeatures::seconds_encoding)
    }

    /// The weights as the bytes of a safetensors file, for a network that gives true odds: one
    /// that learned with class weights w gives odds of w times the true ones, so ln w is taken
    /// off its logits.
    pub(super) fn weights(&self) -> Result<Vec<u8>, TrainError> {
        let shift = logarithms(&self.class_weights, -1.0);
        let network = self.optimizer.averaged(&self.network);
        Ok(write_weights(&network.with_logits_shifted(&shift)?)?)
    }

    fn plain_device(&self) -> Device {
        self.device.clone().inner()
    }
}

/// `sign` times the natural logarithm of each weight.
fn logarithms(class_weights: &[f32], sign: f32) -> Vec<f32> {
    class_weights
        .iter()
        .map(|weight| sign * weight.ln())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::test_world::{plan, recipe};
    use super::super::{Preset, Recipe};
    use super::*;

    #[test]
    fn a_rate_for_the_encoder_means_nothing_to_a_network_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let updates = Preset::Balanced.recipe().updates;
        assert!((updates.factor("encoder.stages.0") - 0.1).abs() < 1e-12);
        let recipe = Recipe {
            updates,
            ..recipe()
        };
        assert!(recipe.model.is_plain_unet());
        let plan = plan(recipe, &folder.path().join("run"));
        assert!(Learner::new(&plan, &Device::flex(), 0).is_ok());
    }
}
