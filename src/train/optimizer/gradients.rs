use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::UpdateConfig;
use super::parameters::{Path, flat};

/// Gradients of some batches, added up by the path of the parameter.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) sums: BTreeMap<String, Tensor<1>>,
    /// Batches in the sums.
    pub(super) num_batches: u32,
}

impl Gathered {
    /// Adds gradients of `network`, of a batch or of a piece of one; frozen parameters have none.
    pub(super) fn add<M: Module>(
        &mut self,
        network: &M,
        gradients: Gradients,
        config: &UpdateConfig,
    ) {
        let mut walk = Gather {
            path: Path::default(),
            gradients,
            config,
            sums: &mut self.sums,
        };
        network.visit(&mut walk);
    }

    /// What the sums are multiplied by to be the mean of the batches, shortened to the norm that
    /// the configuration allows; `None` where that is 1.
    pub(super) fn scale<M: Module>(&self, network: &M, config: &UpdateConfig) -> Option<Scale> {
        let share = 1.0 / f64::from(self.num_batches.max(1));
        let Some(most) = config.clip_norm else {
            return (self.num_batches > 1).then_some(Scale::Known(share));
        };
        let mut walk = Squares {
            path: Path::default(),
            sums: &self.sums,
            total: None,
        };
        network.visit(&mut walk);
        let norm = walk.total?.sqrt() * share;
        // As PyTorch's clip_grad_norm_ has it.
        let shortened = (norm + 1e-6).recip() * most;
        Some(Scale::OnDevice(Box::new(shortened.clamp_max(1.0) * share)))
    }
}

/// A factor on all gradients.
#[derive(Clone, Debug)]
pub(super) enum Scale {
    /// A number.
    Known(f64),
    /// One element that is not read back, so that the device need not be waited for.
    OnDevice(Box<Tensor<1>>),
}

impl Scale {
    pub(super) fn apply(&self, gradient: Tensor<1>) -> Tensor<1> {
        match self {
            Self::Known(factor) => gradient * *factor,
            Self::OnDevice(factor) => gradient * *factor.clone(),
        }
    }
}

struct Gather<'a> {
    path: Path,
    gradients: Gradients,
    config: &'a UpdateConfig,
    sums: &'a mut BTreeMap<String, Tensor<1>>,
}

impl ModuleVisitor for Gather<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Looking up the gradient of an untracked tensor panics.
        if !param.is_require_grad() {
            return;
        }
        let Some(gradient) = param.val().grad_remove(&mut self.gradients) else {
            return;
        };
        let path = self.path.text();
        if self.config.factor(&path) == 0.0 {
            return;
        }
        let gradient = flat(gradient);
        let sum = match self.sums.remove(&path) {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        self.sums.insert(path, sum);
    }
}

/// Adds up the squares of all gradients.
struct Squares<'a> {
    path: Path,
    sums: &'a BTreeMap<String, Tensor<1>>,
    total: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(sum) = self.sums.get(&self.path.text()) else {
            return;
        };
        // Axis by axis: some software adapters count only part of a long one.
        let mut squares = sum.clone().square().reshape(param.dims());
        for axis in (0..D).rev() {
            squares = squares.sum_dim(axis);
        }
        let squares = squares.reshape([1]);
        self.total = Some(match self.total.take() {
            Some(total) => total + squares,
            None => squares,
        });
    }
}
