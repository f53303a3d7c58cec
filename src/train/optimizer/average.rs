use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::parameters::{Path, flat};

/// The running mean of all of a network's numbers (weights, and the running means of its norms)
/// by path.
#[derive(Clone, Debug, Default)]
pub(super) struct Average {
    pub(super) means: BTreeMap<String, Tensor<1>>,
}

impl Average {
    /// Begins with `network` as it is.
    pub(super) fn new<M: Module>(network: &M) -> Self {
        let mut average = Self::default();
        average.hear(network, 0.0);
        average
    }

    /// Hears the network after a step; `keep` of the mean stays.
    pub(super) fn hear<M: Module>(&mut self, network: &M, keep: f64) {
        let mut walk = Hear {
            path: Path::default(),
            means: &mut self.means,
            keep,
        };
        // The norms' running means are brought up to date only by this.
        network.valid().visit(&mut walk);
    }

    /// `network` without gradients and with the means in place of its numbers.
    pub(super) fn put_into<M: Module>(&self, network: &M) -> M {
        let mut walk = Put {
            path: Path::default(),
            means: &self.means,
        };
        network.valid().map(&mut walk)
    }
}

/// How much of the mean stays after `steps` steps when `most` is wanted.
pub(super) fn kept(most: f64, steps: u64) -> f64 {
    let steps = steps as f64;
    most.min((1.0 + steps) / (10.0 + steps))
}

struct Hear<'a> {
    path: Path,
    means: &'a mut BTreeMap<String, Tensor<1>>,
    keep: f64,
}

impl ModuleVisitor for Hear<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (path, new) = (self.path.text(), flat(param.val()));
        let mean = match self.means.remove(&path) {
            // So that what stays is its own mean, to the last bit.
            Some(mean) => mean.clone() + (new - mean) * (1.0 - self.keep),
            None => new,
        };
        self.means.insert(path, mean);
    }
}

struct Put<'a> {
    path: Path,
    means: &'a BTreeMap<String, Tensor<1>>,
}

impl ModuleMapper for Put<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(mean) = self.means.get(&self.path.text()) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let mean = mean.clone().to_device(&tensor.device());
        Param::from_mapped_value(id, mean.reshape(tensor.dims()), mapper)
    }
}
