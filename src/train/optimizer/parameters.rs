use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Where a walk through a network is, in the names of its parts.
#[derive(Debug, Default)]
pub(super) struct Path(Vec<String>);

impl Path {
    pub(super) fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    /// The names with dots between them, as in a weights file.
    pub(super) fn text(&self) -> String {
        self.0.join(".")
    }
}

/// Numbers of each parameter of `network` (trained or running) by its path.
pub(super) fn lengths<M: Module>(network: &M) -> BTreeMap<String, usize> {
    let mut walk = Lengths::default();
    network.visit(&mut walk);
    walk.lengths
}

#[derive(Default)]
struct Lengths {
    path: Path,
    lengths: BTreeMap<String, usize>,
}

impl ModuleVisitor for Lengths {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let length = param.dims().iter().product();
        self.lengths.insert(self.path.text(), length);
    }
}

/// `tensor` as one axis.
pub(super) fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let length: usize = tensor.dims().iter().product();
    tensor.reshape([length])
}
