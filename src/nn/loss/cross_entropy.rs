use burn::tensor::{Int, Tensor};

use super::compared::{Compared, sum_by_class};

/// The label that is never learned from.
pub const IGNORE: u8 = 255;

/// A loss as a fraction, so that parts of a set can be joined exactly.
#[derive(Clone, Debug)]
pub struct PixelLoss {
    /// Sum over labelled pixels of class weight × the pixel's loss, one element.
    pub weighted_sum: Tensor<1>,
    /// Sum of the class weights of those pixels, one element.
    pub weight: Tensor<1>,
}

impl PixelLoss {
    /// The weighted mean; 0 where no pixel counts.
    pub fn mean(self) -> Tensor<1> {
        self.weighted_sum / self.weight.clamp_min(1e-6)
    }
}

/// Cross-entropy of `logits` `[N, C, H, W]` against `labels` `[N, H, W]`; `class_weights` `[C]`
/// may hold zeros.
pub fn cross_entropy(
    logits: Tensor<4>,
    labels: Tensor<3, Int>,
    class_weights: Tensor<1>,
) -> PixelLoss {
    let [_, num_classes, _, _] = logits.dims();
    let weights = class_weights.reshape([1, num_classes, 1, 1]);
    smoothed_cross_entropy(&Compared::new(logits, labels), weights, 0.0)
}

/// Cross-entropy against labels of which `smoothing` is spread evenly over all classes (Szegedy
/// et al. 2016); `weights` are `[1, C, 1, 1]`.
///
/// A weight counts wherever its class is in the spread label, but the mean is over the weights
/// of the labels as they were, as `PyTorch` has it.
pub(super) fn smoothed_cross_entropy(
    compared: &Compared,
    weights: Tensor<4>,
    smoothing: f64,
) -> PixelLoss {
    let weighted = compared.truth.clone() * weights.clone();
    let wanted = if smoothing > 0.0 {
        let everywhere = compared.labelled.clone() * weights;
        let share = smoothing / compared.num_classes() as f64;
        weighted.clone() * (1.0 - smoothing) + everywhere * share
    } else {
        weighted.clone()
    };
    PixelLoss {
        weighted_sum: sum_by_class(compared.log_p.clone() * wanted).sum().neg(),
        weight: sum_by_class(weighted).sum(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    /// Two classes, one row of pixels; logits by class.
    fn loss_of(logits: [[f32; 3]; 2], labels: [i64; 3], weights: [f32; 2]) -> (f32, Vec<f32>) {
        let device = Device::flex().autodiff();
        let flat: Vec<f32> = logits.concat();
        let logits =
            Tensor::<4>::from_data(TensorData::new(flat, [1, 2, 1, 3]), &device).require_grad();
        let labels = Tensor::from_data(TensorData::new(labels.to_vec(), [1, 1, 3]), &device);
        let weights = Tensor::from_data(TensorData::new(weights.to_vec(), [2]), &device);
        let loss = cross_entropy(logits.clone(), labels, weights).mean();
        let grads = loss.backward();
        let grad = logits.grad(&grads).expect("a gradient");
        (loss.into_scalar(), grad.try_into_vec_as().expect("numbers"))
    }

    #[track_caller]
    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        let (loss, grad) = loss_of([[0.0; 3]; 2], [0, 1, 0], [1.0, 1.0]);
        assert_near(&[loss], &[2f32.ln()]);
        // (softmax - one-hot) / 3
        let sixth = 1.0 / 6.0;
        assert_near(&grad, &[-sixth, sixth, -sixth, sixth, -sixth, sixth]);
    }

    #[test]
    fn ignored_pixels_cost_and_teach_nothing() {
        let (loss, grad) = loss_of(
            [[0.0, 50.0, 9.0], [0.0, -50.0, 3.0]],
            [0, 255, 255],
            [1.0, 1.0],
        );
        assert_near(&[loss], &[2f32.ln()]);
        assert_near(&grad, &[-0.5, 0.0, 0.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn a_patch_without_labels_costs_nothing() {
        let (loss, grad) = loss_of([[1.0; 3], [2.0; 3]], [255; 3], [1.0, 1.0]);
        assert_near(&[loss], &[0.0]);
        assert_near(&grad, &[0.0; 6]);
    }

    #[test]
    fn a_class_of_weight_zero_is_as_if_ignored() {
        let (loss, grad) = loss_of([[0.0; 3], [0.0; 3]], [1, 0, 1], [0.0, 2.0]);
        assert_near(&[loss], &[2f32.ln()]);
        assert_near(&grad, &[0.25, 0.0, 0.25, -0.25, 0.0, -0.25]);
    }

    #[test]
    fn sure_and_wrong_is_finite() {
        let (loss, grad) = loss_of([[1e4; 3], [-1e4; 3]], [1; 3], [1.0, 1.0]);
        assert_near(&[loss / 2e4], &[1.0]);
        assert!(grad.iter().all(|g| g.is_finite()));
    }
}
