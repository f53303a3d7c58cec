use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor};

use super::average::{Average, kept};
use super::gradients::{Gathered, Scale};
use super::parameters::{Path, flat, lengths};
use super::rule::{Move, Slot};
use super::updates::without_variants;
use super::{Decays, OptimizerConfig, RateGroup, UpdateConfig};
use crate::train::TrainError;

/// Changes the weights of a network by its gradients.
///
/// `accumulate` takes the gradients of a batch; once [`Optimizer::is_due`], `step` uses them.
#[derive(Clone, Debug)]
pub struct Optimizer {
    pub(super) rule: OptimizerConfig,
    pub(super) updates: UpdateConfig,
    /// Numbers of each parameter by its path.
    pub(super) lengths: BTreeMap<String, usize>,
    pub(super) slots: BTreeMap<String, Slot>,
    pub(super) gathered: Gathered,
    pub(super) average: Option<Average>,
    /// Steps done.
    pub(super) steps: u64,
}

impl Optimizer {
    /// An optimizer that remembers nothing yet.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] when a number does not work or a group has no parameter.
    pub fn new<M: Module>(
        rule: &OptimizerConfig,
        updates: &UpdateConfig,
        network: &M,
    ) -> Result<Self, TrainError> {
        rule.check()?;
        let mut optimizer = Self {
            rule: *rule,
            updates: UpdateConfig::default(),
            lengths: lengths(network),
            slots: BTreeMap::new(),
            gathered: Gathered::default(),
            average: updates.ema.map(|_| Average::new(network)),
            steps: 0,
        };
        optimizer.set_groups(&updates.groups)?;
        updates.check()?;
        optimizer.updates = updates.clone();
        Ok(optimizer)
    }

    /// Gives parts of the network other rates from the next batch on, as when an encoder is
    /// thawed; a part that was frozen begins without memories or goes on with those it had.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] when a factor does not work or a group has no parameter.
    pub fn set_groups(&mut self, groups: &[RateGroup]) -> Result<(), TrainError> {
        let is_empty = |group: &&RateGroup| !self.lengths.keys().any(|path| group.holds(path));
        if let Some(group) = groups.iter().find(is_empty) {
            let names = self.parts();
            return Err(TrainError::Recipe(format!(
                "updates.groups names {:?}, but the network's parts are {}",
                group.prefix,
                names.join(", ")
            )));
        }
        let updates = UpdateConfig {
            groups: groups.to_vec(),
            ..self.updates.clone()
        };
        updates.check()?;
        self.updates = updates;
        Ok(())
    }

    /// First names of the network's paths.
    fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = (self.lengths.keys())
            .filter_map(|path| Some(without_variants(path).split('.').next()?.to_owned()))
            .collect();
        parts.dedup();
        parts
    }

    /// Takes the gradients of a batch's loss by the weights of `network`.
    pub fn accumulate<M: Module>(&mut self, network: &M, gradients: Gradients) {
        self.gather(network, gradients);
        self.batch_is_gathered();
    }

    /// Takes the gradients of a piece of a batch; the loss of each piece is its share of the
    /// batch's loss. [`Optimizer::batch_is_gathered`] follows the last piece.
    pub fn gather<M: Module>(&mut self, network: &M, gradients: Gradients) {
        self.gathered.add(network, gradients, &self.updates);
    }

    /// The pieces gathered since the last batch are a batch.
    pub const fn batch_is_gathered(&mut self) {
        self.gathered.num_batches += 1;
    }

    /// Whether as many batches are gathered as one step is made of.
    pub const fn is_due(&self) -> bool {
        self.gathered.num_batches >= self.updates.accumulate
    }

    /// Steps done.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// `network` after a step at the learning rate `rate` along the mean of the gradients that
    /// were gathered, however many; as it was when there were none.
    pub fn step<M: Module>(&mut self, network: M, rate: f64) -> M {
        if self.gathered.num_batches == 0 {
            return network;
        }
        let scale = self.gathered.scale(&network, &self.updates);
        let mut walk = Step {
            path: Path::default(),
            rule: &self.rule,
            updates: &self.updates,
            sums: std::mem::take(&mut self.gathered).sums,
            slots: &mut self.slots,
            scale,
            rate,
        };
        let network = network.map(&mut walk);
        self.steps += 1;
        if let (Some(average), Some(most)) = (&mut self.average, self.updates.ema) {
            average.hear(&network, kept(most, self.steps));
        }
        network
    }

    /// `network` with the running means of its weights, for validation and saving; without
    /// gradients, and with its own weights where no means are kept.
    pub fn averaged<M: Module>(&self, network: &M) -> M {
        match &self.average {
            Some(average) => average.put_into(network),
            None => network.valid(),
        }
    }
}

/// The walk through a network that changes its weights.
struct Step<'a> {
    path: Path,
    rule: &'a OptimizerConfig,
    updates: &'a UpdateConfig,
    sums: BTreeMap<String, Tensor<1>>,
    slots: &'a mut BTreeMap<String, Slot>,
    scale: Option<Scale>,
    rate: f64,
}

impl Step<'_> {
    fn moved<const D: usize>(
        &mut self,
        path: String,
        weight: Tensor<D>,
        gradient: Tensor<1>,
    ) -> Tensor<D> {
        let shape = weight.dims();
        let gradient = match &self.scale {
            Some(scale) => scale.apply(gradient),
            None => gradient,
        };
        let step = Move {
            weight: flat(weight),
            gradient,
            rate: self.rate * self.updates.factor(&path),
            decays: self.updates.decays == Decays::All || D > 1,
        };
        let slot = self.slots.entry(path).or_default();
        self.rule.moved(step, slot).reshape(shape)
    }
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.text();
        let Some(gradient) = self.sums.remove(&path) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let is_learned = tensor.is_require_grad();
        let checkpointing = tensor.gradient_checkpointing_strategy();
        let moved = self.moved(path, tensor.without_autodiff(), gradient);
        // A tensor made anew has none of the old one's ties to the tape.
        let mut moved = Tensor::from_inner(moved);
        if let Some(strategy) = checkpointing {
            moved = moved.with_gradient_checkpointing_strategy(strategy);
        }
        Param::from_mapped_value(id, moved.set_require_grad(is_learned), mapper)
    }
}
