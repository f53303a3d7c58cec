use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::{images_on, labels_on, number, numbers, pieces};
use super::checkpoint::fresh_network;
use super::{Optimizer, TrainError, TrainPlan};
use crate::dataset::{Batch, hash};
use crate::metrics::Confusion;
use crate::nn::{Loss, LossTotal, Network, read_weights, write_weights};

/// The network in training and all tensors that go with it.
pub(super) struct Learner {
    network: Network,
    optimizer: Optimizer,
    loss: Loss,
    class_weights: Vec<f32>,
    /// Where dropout's random numbers come from; `None` without dropout.
    dropout_seed: Option<u64>,
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
    /// Normalised, 3 × side × side.
    pub(super) image: Vec<f32>,
    pub(super) labels: Vec<u8>,
    pub(super) predicted: Vec<u8>,
}

/// A learner written down: the network as it trains, and what the optimizer remembers.
pub(super) struct LearnerState {
    pub(super) network: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
}

impl Learner {
    pub(super) fn new(plan: &TrainPlan, device: &Device) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        let mut device = device.clone().autodiff();
        if recipe.gradient_checkpointing {
            device = device.gradient_checkpointing();
        }
        let num_classes = plan.classes.num_classes();
        let class_weights = plan.class_weights();
        recipe.loss.check(num_classes)?;
        let network = match &plan.start_from {
            // A saved network gives true odds; this training works with weighted ones.
            Some(start) => start
                .network(&device)?
                .with_logits_shifted(&logarithms(&class_weights, 1.0))?,
            None => fresh_network(&recipe.model, num_classes, recipe.seed, &device),
        };
        Ok(Self {
            optimizer: Optimizer::new(&recipe.optimizer, &recipe.updates, &network)?,
            network,
            loss: recipe.loss.clone(),
            class_weights,
            dropout_seed: (recipe.model.dropout > 0.0).then_some(recipe.seed),
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
        if let Some(seed) = self.dropout_seed {
            // A training that goes on must drop what it would have dropped.
            self.plain_device().seed(hash(&[seed, step]));
        }
        let num_patches = batch.len;
        let mut value = 0.0;
        for piece in pieces(batch, self.piece) {
            let share = piece.len as f64 / num_patches as f64;
            value += share * self.learn_from(piece, share)?;
            if !value.is_finite() {
                return Ok(value);
            }
        }
        self.optimizer.batch_is_gathered();
        if self.optimizer.is_due() {
            self.network = self.optimizer.step(self.network.clone(), rate);
        }
        Ok(value)
    }

    /// Gathers `share` of the gradients of a piece of a batch and gives its loss.
    fn learn_from(&mut self, piece: Batch, share: f64) -> Result<f64, TrainError> {
        let labels = labels_on(&self.plain_device(), &piece);
        let images = images_on(&self.device, piece.images, piece.len, piece.side);
        let logits = self.network.forward(images);
        let loss = self.loss.value(logits, labels, &self.class_weights)?;
        // Reading the loss each step bounds the work in flight and surfaces a lost device here.
        let value = number(loss.clone())?;
        if value.is_finite() {
            let loss = if share < 1.0 { loss * share } else { loss };
            self.optimizer.gather(&self.network, loss.backward());
        }
        Ok(value)
    }

    /// Loss (as in training) and confusion (of the network as it is saved) over `num_patches`
    /// held-out patches, which `next` gives in batches; those at `shown` are kept to be looked at.
    pub(super) fn validate<E: From<TrainError>>(
        &self,
        (num_patches, shown): (usize, &[usize]),
        mut next: impl FnMut() -> Result<Batch, E>,
    ) -> Result<Validation, E> {
        let network = self.optimizer.averaged(&self.network);
        let device = self.plain_device();
        let true_odds = logarithms(&self.class_weights, -1.0);
        let shape = [1, true_odds.len(), 1, 1];
        let true_odds = Tensor::<4>::from_data(TensorData::new(true_odds, shape), &device);
        let mut confusion = Confusion::new(self.class_weights.len());
        let mut looked_at = Vec::new();
        let mut total = LossTotal::new(&self.loss, &self.class_weights);
        let mut left = num_patches;
        let mut first = 0;
        while left > 0 {
            let batch = next()?;
            left = left.saturating_sub(batch.len.max(1));
            let range = first..first + batch.len;
            first = range.end;
            let shown: Vec<usize> = (shown.iter().filter(|at| range.contains(at)))
                .map(|at| at - range.start)
                .collect();
            let labels = labels_on(&device, &batch);
            let area = batch.side * batch.side;
            let image = |&at: &usize| batch.images[at * 3 * area..][..3 * area].to_vec();
            let pictures: Vec<Vec<f32>> = shown.iter().map(image).collect();
            let images = images_on(&device, batch.images, batch.len, batch.side);
            let logits = network.forward(images);
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
