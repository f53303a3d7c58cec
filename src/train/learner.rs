use std::ops::Range;

use burn::module::Module as _;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::{images_on, labels_on, number, numbers};
use super::checkpoint::fresh_network;
use super::{TrainError, TrainPlan};
use crate::dataset::Batch;
use crate::metrics::Confusion;
use crate::nn::{UNet, cross_entropy, write_weights};

/// The network in training and all tensors that go with it.
pub(super) struct Learner {
    network: UNet,
    optimizer: ModuleOptimizer,
    class_weights: Vec<f32>,
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
        let network = match &plan.start_from {
            Some(start) => start.network(&device)?,
            None => fresh_network(
                &recipe.model,
                plan.classes.num_classes(),
                recipe.seed,
                &device,
            ),
        };
        let optimizer = AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(recipe.weight_decay)
            .init();
        Ok(Self {
            network,
            optimizer,
            class_weights: plan.class_weights(),
            device,
        })
    }

    /// Learns from `batch` at `rate` and gives its loss from before. Nothing is learned from a
    /// loss that is no number.
    pub(super) fn step(&mut self, batch: Batch, rate: f64) -> Result<f64, TrainError> {
        let labels = labels_on(&self.plain_device(), &batch);
        let images = images_on(&self.device, batch.images, batch.len, batch.side);
        let logits = self.network.forward(images);
        let loss = cross_entropy(logits, labels, self.weights_tensor()).mean();
        // Reading the loss each step bounds the work in flight and surfaces a lost device here.
        let value = number(loss.clone())?;
        if value.is_finite() {
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        }
        Ok(value)
    }

    /// Loss and confusion over all held-out patches; `check` is called before each batch.
    pub(super) fn validate<E: From<TrainError>>(
        &self,
        plan: &TrainPlan,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Validation, E> {
        let network = self.network.valid();
        let device = self.plain_device();
        let mut confusion = Confusion::new(plan.classes.num_classes());
        let (mut loss_sum, mut weight_sum) = (0.0, 0.0);
        for range in chunks(plan.patches.num_validation(), plan.recipe.batch) {
            check()?;
            let batch = plan
                .patches
                .validation_batch(range)
                .map_err(TrainError::from)?;
            let labels = labels_on(&device, &batch);
            let images = images_on(&device, batch.images, batch.len, batch.side);
            let logits = network.forward(images);
            let predicted = logits.clone().argmax(1).reshape([batch.labels.len()]);
            let loss = cross_entropy(logits, labels, self.weights_tensor());
            loss_sum += number(loss.weighted_sum)?;
            weight_sum += number(loss.weight)?;
            let predicted = numbers(predicted.float())?;
            let predicted: Vec<u8> = predicted.into_iter().map(|class| class as u8).collect();
            confusion.add(&batch.labels, &predicted);
        }
        let loss = if weight_sum > 0.0 {
            loss_sum / weight_sum
        } else {
            f64::NAN
        };
        Ok(Validation { loss, confusion })
    }

    /// The weights as the bytes of a safetensors file.
    pub(super) fn weights(&self) -> Result<Vec<u8>, TrainError> {
        Ok(write_weights(&self.network.valid())?)
    }

    fn plain_device(&self) -> Device {
        self.device.clone().inner()
    }

    fn weights_tensor(&self) -> Tensor<1> {
        let data = TensorData::new(self.class_weights.clone(), [self.class_weights.len()]);
        Tensor::from_data(data, &self.plain_device())
    }
}

/// 0 to `len` in ranges of `size`, the last one shorter.
fn chunks(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(size)
        .map(move |start| start..(start + size).min(len))
}
