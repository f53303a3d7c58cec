//! A network of one weight and one bias for the tests of the optimizers.

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

/// The numbers that `tests/reference/optimizers.py` begins with.
#[derive(serde::Deserialize)]
pub(super) struct Problem {
    /// Inputs of two batches of four rows of two, one after the other.
    inputs: Vec<f32>,
    /// What should come out: rows of three.
    targets: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Module, Debug)]
pub(super) struct Line {
    pub(super) weight: Param<Tensor<2>>,
    pub(super) bias: Param<Tensor<1>>,
}

impl Problem {
    /// A network on the CPU that can be trained.
    pub(super) fn network(&self) -> Line {
        let device = Device::flex().autodiff();
        let weight = TensorData::new(self.weight.clone(), [2, 3]);
        let bias = TensorData::new(self.bias.clone(), [3]);
        Line {
            weight: Param::from_data(weight, &device),
            bias: Param::from_data(bias, &device),
        }
    }

    /// Gradients of the mean squared error on batch `n` (of two, in turn).
    pub(super) fn gradients(&self, network: &Line, n: usize) -> Gradients {
        let device = Device::flex().autodiff();
        let part = |numbers: &[f32], columns: usize| {
            let start = n % 2 * 4 * columns;
            let rows = numbers[start..start + 4 * columns].to_vec();
            Tensor::<2>::from_data(TensorData::new(rows, [4, columns]), &device)
        };
        let found = part(&self.inputs, 2).matmul(network.weight.val());
        let found = found + network.bias.val().unsqueeze::<2>();
        (found - part(&self.targets, 3)).square().mean().backward()
    }
}

impl Line {
    /// The weight by row, then the bias.
    pub(super) fn numbers(&self) -> Vec<f32> {
        let weight: Vec<f32> = self.weight.val().try_into_vec_as().expect("numbers");
        let bias: Vec<f32> = self.bias.val().try_into_vec_as().expect("numbers");
        [weight, bias].concat()
    }

    /// The same numbers as in another process: nothing is shared, and names by chance differ.
    pub(super) fn rebuilt(&self) -> Self {
        let device = Device::flex().autodiff();
        Self {
            weight: Param::from_data(self.weight.val().into_data(), &device),
            bias: Param::from_data(self.bias.val().into_data(), &device),
        }
    }
}
