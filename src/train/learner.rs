use std::ops::Range;

use burn::module::Module as _;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::{images_on, labels_on, number, numbers};
use super::checkpoint::fresh_network;
use super::{TrainError, TrainPlan};
use crate::dataset::Batch;
use crate::metrics::Confusion;
use crate::nn::{Network, Overlap, cross_entropy, dice_loss, write_weights};

/// The network in training and all tensors that go with it.
pub(super) struct Learner {
    network: Network,
    optimizer: ModuleOptimizer,
    class_weights: Vec<f32>,
    /// Share of the overlap loss.
    dice: f64,
    device: Device,
}

/// What the held-out ground says.
pub(super) struct Validation {
    pub(super) loss: f64,
    pub(super) confusion: Confusion,
}

impl Learner {
    pub(super) fn new(plan: &TrainPlan, device: &Device) -> Result<Self, TrainError> {
        let device = device.clone().autodiff();
        let recipe = &plan.recipe;
        let class_weights = plan.class_weights();
        let network = match &plan.start_from {
            // A saved network gives true odds; this training works with weighted ones.
            Some(start) => start
                .network(&device)?
                .with_logits_shifted(&logarithms(&class_weights, 1.0))?,
            None => fresh_network(
                &recipe.model,
                plan.classes.num_classes(),
                recipe.seed,
                &device,
            ),
        };
        let optimizer = AdamWConfig::new()
            .with_beta_2(0.99)
            .with_epsilon(1e-8)
            .with_weight_decay(recipe.weight_decay)
            .init();
        Ok(Self {
            network,
            optimizer,
            class_weights,
            dice: recipe.dice,
            device,
        })
    }

    /// Learns from `batch` at `rate` and gives its loss from before. Nothing is learned from a
    /// loss that is no number.
    pub(super) fn step(&mut self, batch: Batch, rate: f64) -> Result<f64, TrainError> {
        let labels = labels_on(&self.plain_device(), &batch);
        let images = images_on(&self.device, batch.images, batch.len, batch.side);
        let logits = self.network.forward(images);
        let mut loss = cross_entropy(logits.clone(), labels.clone(), self.weights_tensor()).mean();
        if self.dice > 0.0 {
            loss = loss + Overlap::new(logits, labels).loss() * self.dice;
        }
        // Reading the loss each step bounds the work in flight and surfaces a lost device here.
        let value = number(loss.clone())?;
        if value.is_finite() {
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        }
        Ok(value)
    }

    /// Loss (as in training) and confusion (of the network as it is saved) over all held-out
    /// patches; `check` is called before each batch.
    pub(super) fn validate<E: From<TrainError>>(
        &self,
        plan: &TrainPlan,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Validation, E> {
        let network = self.network.valid();
        let device = self.plain_device();
        let true_odds = logarithms(&self.class_weights, -1.0);
        let shape = [1, true_odds.len(), 1, 1];
        let true_odds = Tensor::<4>::from_data(TensorData::new(true_odds, shape), &device);
        let mut confusion = Confusion::new(plan.classes.num_classes());
        let mut sums = LossSums::new(plan.classes.num_classes());
        for range in chunks(plan.patches.num_validation(), plan.recipe.batch) {
            check()?;
            let batch = plan
                .patches
                .validation_batch(range)
                .map_err(TrainError::from)?;
            let labels = labels_on(&device, &batch);
            let images = images_on(&device, batch.images, batch.len, batch.side);
            let logits = network.forward(images);
            let predicted = (logits.clone() + true_odds.clone())
                .argmax(1)
                .reshape([batch.labels.len()]);
            let loss = cross_entropy(logits.clone(), labels.clone(), self.weights_tensor());
            sums.cross_entropy += number(loss.weighted_sum)?;
            sums.weight += number(loss.weight)?;
            if self.dice > 0.0 {
                sums.add_overlap(Overlap::new(logits, labels))?;
            }
            let predicted = numbers(predicted.float())?;
            let predicted: Vec<u8> = predicted.into_iter().map(|class| class as u8).collect();
            confusion.add(&batch.labels, &predicted);
        }
        let loss = sums.loss(self.dice);
        Ok(Validation { loss, confusion })
    }

    /// The weights as the bytes of a safetensors file, for a network that gives true odds: one
    /// that learned with class weights w gives odds of w times the true ones, so ln w is taken
    /// off its logits.
    pub(super) fn weights(&self) -> Result<Vec<u8>, TrainError> {
        let shift = logarithms(&self.class_weights, -1.0);
        let network = self.network.valid().with_logits_shifted(&shift)?;
        Ok(write_weights(&network)?)
    }

    fn plain_device(&self) -> Device {
        self.device.clone().inner()
    }

    fn weights_tensor(&self) -> Tensor<1> {
        let data = TensorData::new(self.class_weights.clone(), [self.class_weights.len()]);
        Tensor::from_data(data, &self.plain_device())
    }
}

/// The parts of a loss, summed over a whole set outside the device.
struct LossSums {
    cross_entropy: f64,
    weight: f64,
    shared: Vec<f64>,
    predicted: Vec<f64>,
    labelled: Vec<f64>,
}

impl LossSums {
    fn new(num_classes: usize) -> Self {
        let none = vec![0.0; num_classes];
        Self {
            cross_entropy: 0.0,
            weight: 0.0,
            shared: none.clone(),
            predicted: none.clone(),
            labelled: none,
        }
    }

    fn add_overlap(&mut self, overlap: Overlap) -> Result<(), TrainError> {
        let parts = [
            (&mut self.shared, overlap.shared),
            (&mut self.predicted, overlap.predicted),
            (&mut self.labelled, overlap.labelled),
        ];
        for (sums, part) in parts {
            for (sum, value) in sums.iter_mut().zip(numbers(part)?) {
                *sum += f64::from(value);
            }
        }
        Ok(())
    }

    /// No number when nothing was labelled.
    fn loss(&self, dice: f64) -> f64 {
        let overlap = dice_loss(&self.shared, &self.predicted, &self.labelled);
        self.cross_entropy / self.weight + if dice > 0.0 { dice * overlap } else { 0.0 }
    }
}

/// `sign` times the natural logarithm of each weight.
fn logarithms(class_weights: &[f32], sign: f32) -> Vec<f32> {
    class_weights
        .iter()
        .map(|weight| sign * weight.ln())
        .collect()
}

/// 0 to `len` in ranges of `size`, the last one shorter.
fn chunks(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(size)
        .map(move |start| start..(start + size).min(len))
}
