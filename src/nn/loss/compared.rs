use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::LossError;

/// What all losses of one batch begin with, so that it is made once for any number of terms.
#[derive(Clone)]
pub(super) struct Compared {
    /// Logarithms of the class probabilities, `[N, C, H, W]`.
    pub(super) log_p: Tensor<4>,
    /// 1 at the class of a pixel and 0 elsewhere, `[N, C, H, W]`; all 0 where it is ignored.
    pub(super) truth: Tensor<4>,
    /// 1 where a pixel has a class, 0 where it is ignored, `[N, 1, H, W]`.
    pub(super) labelled: Tensor<4>,
}

impl Compared {
    pub(super) fn new(logits: Tensor<4>, labels: Tensor<3, Int>) -> Self {
        let [batch, num_classes, height, width] = logits.dims();
        // What is true has no gradient, so it stays off the tape.
        let device = logits.device().inner();
        let classes = Tensor::<1, Int>::arange(0..num_classes as i64, &device);
        let truth = labels
            .reshape([batch, 1, height, width])
            .equal(classes.reshape([1, num_classes, 1, 1]))
            .float();
        Self {
            log_p: log_softmax(logits, 1),
            labelled: truth.clone().sum_dim(1),
            truth,
        }
    }

    pub(super) fn num_classes(&self) -> usize {
        self.truth.dims()[1]
    }

    /// Class probabilities, `[N, C, H, W]`.
    pub(super) fn p(&self) -> Tensor<4> {
        self.log_p.clone().exp()
    }

    /// `weights` by class beside this batch, `[1, C, 1, 1]`.
    ///
    /// # Errors
    /// When there is not one weight for each class, or a weight is no number or below 0.
    pub(super) fn by_class(&self, weights: &[f32]) -> Result<Tensor<4>, LossError> {
        let num_classes = self.num_classes();
        let is_usable = |weight: &f32| weight.is_finite() && *weight >= 0.0;
        if weights.len() != num_classes || !weights.iter().all(is_usable) {
            return Err(LossError::Unusable(format!(
                "the class weights are {weights:?}, there must be {num_classes} numbers from 0 on"
            )));
        }
        let data = TensorData::new(weights.to_vec(), [1, num_classes, 1, 1]);
        Ok(Tensor::from_data(data, &self.truth.device()))
    }
}

/// Sums rows, then images, then the batch, one number a class: long single sums are not
/// reproducible on the CPU and not right on some software adapters.
pub(super) fn sum_by_class(x: Tensor<4>) -> Tensor<1> {
    let num_classes = x.dims()[1];
    x.sum_dim(3).sum_dim(2).sum_dim(0).reshape([num_classes])
}
