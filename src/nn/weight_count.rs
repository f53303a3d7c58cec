use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// How many numbers of a network are learned. (Burn's own count has the running means and
/// deviations of the norms as well.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeightCount {
    /// Numbers.
    pub weights: usize,
    /// Tensors that hold them.
    pub tensors: usize,
    is_running: bool,
}

impl WeightCount {
    /// Counts what is learned in `module`.
    pub fn of<M: Module>(module: &M) -> Self {
        let mut count = Self::default();
        module.visit(&mut count);
        count
    }
}

impl ModuleVisitor for WeightCount {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.is_running {
            self.weights += param.lazy_shape().num_elements();
            self.tensors += 1;
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.is_running = name.starts_with("running_");
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.is_running = false;
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::BatchNormConfig;
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn running_numbers_are_not_learned() {
        let norm = BatchNormConfig::new(5).init(&Device::flex());
        let count = WeightCount::of(&norm);
        assert_eq!((count.weights, count.tensors), (10, 2));
        assert_eq!(norm.num_params(), 20);
    }
}
