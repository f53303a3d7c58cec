use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor};

/// How far predicted and true pixels of each class overlap, as sums `[C]` that can be joined over
/// the parts of a set.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// Probability of a class, summed over the pixels that are of it.
    pub shared: Tensor<1>,
    /// Probability of a class, summed over all labelled pixels.
    pub predicted: Tensor<1>,
    /// Number of pixels of a class.
    pub labelled: Tensor<1>,
}

/// Keeps tiny classes from dividing by nothing.
const SMOOTH: f64 = 1.0;

impl Overlap {
    /// Measures `logits` `[N, C, H, W]` against `labels` `[N, H, W]`; labels from C on (255 is
    /// one) count nothing and have no gradient.
    pub fn new(logits: Tensor<4>, labels: Tensor<3, Int>) -> Self {
        let [batch, num_classes, height, width] = logits.dims();
        let device = labels.device();
        let classes = Tensor::<1, Int>::arange(0..num_classes as i64, &device);
        let classes = classes.reshape([1, num_classes, 1, 1]);
        let truth = labels
            .reshape([batch, 1, height, width])
            .equal(classes)
            .float();
        let is_labelled = truth.clone().sum_dim(1);
        let probability = softmax(logits, 1) * is_labelled;
        Self {
            shared: by_class(probability.clone() * truth.clone()),
            predicted: by_class(probability),
            labelled: by_class(truth),
        }
    }

    /// The soft Dice loss (Milletari et al. 2016): 1 - 2 |A ∩ B| / (|A| + |B|), averaged over the
    /// classes that have truth; 0 where none has.
    pub fn loss(self) -> Tensor<1> {
        let occurs = self.labelled.clone().greater_elem(0.0).float();
        let both = self.predicted + self.labelled + SMOOTH;
        let loss = (self.shared * 2.0 + SMOOTH) / both;
        let loss = (loss.neg() + 1.0) * occurs.clone();
        loss.sum() / occurs.sum().clamp_min(1.0)
    }
}

/// Sums rows, then images, then the batch; see [`cross_entropy`](super::cross_entropy).
fn by_class(x: Tensor<4>) -> Tensor<1> {
    let num_classes = x.dims()[1];
    x.sum_dim(3).sum_dim(2).sum_dim(0).reshape([num_classes])
}

/// [`Overlap::loss`] of sums that were joined outside the device.
pub fn dice_loss(shared: &[f64], predicted: &[f64], labelled: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0_f64);
    for ((shared, predicted), labelled) in shared.iter().zip(predicted).zip(labelled) {
        if *labelled > 0.0 {
            sum += 1.0 - (2.0 * shared + SMOOTH) / (predicted + labelled + SMOOTH);
            count += 1.0;
        }
    }
    sum / count.max(1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn measured(logits: [[f32; 4]; 2], labels: [i64; 4]) -> (Overlap, Tensor<4>) {
        let device = Device::flex().autodiff();
        let data = TensorData::new(logits.concat(), [1, 2, 1, 4]);
        let logits = Tensor::<4>::from_data(data, &device).require_grad();
        let labels = TensorData::new(labels.to_vec(), [1, 1, 4]);
        let overlap = Overlap::new(logits.clone(), Tensor::from_data(labels, &device));
        (overlap, logits)
    }

    fn numbers(tensor: Tensor<1>) -> Vec<f64> {
        let numbers: Vec<f32> = tensor.try_into_vec_as().expect("numbers");
        numbers.into_iter().map(f64::from).collect()
    }

    #[test]
    fn even_odds_by_hand() {
        let (overlap, _) = measured([[0.0; 4]; 2], [0, 1, 0, 255]);
        assert_eq!(numbers(overlap.shared.clone()), [1.0, 0.5]);
        assert_eq!(numbers(overlap.predicted.clone()), [1.5, 1.5]);
        assert_eq!(numbers(overlap.labelled.clone()), [2.0, 1.0]);
        // 1 - 3 / 4.5 and 1 - 2 / 3.5.
        let expected = f64::midpoint(1.0 / 3.0, 1.5 / 3.5);
        assert!((dice_loss(&[1.0, 0.5], &[1.5, 1.5], &[2.0, 1.0]) - expected).abs() < 1e-12);
        assert!((numbers(overlap.loss())[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn what_is_right_costs_nothing_and_absent_classes_do_not_count() {
        let (overlap, _) = measured([[50.0; 4], [-50.0; 4]], [0, 0, 255, 0]);
        assert!(numbers(overlap.loss())[0].abs() < 1e-6);
        let (overlap, _) = measured([[0.0; 4]; 2], [255; 4]);
        assert!(numbers(overlap.loss())[0].abs() < 1e-6);
    }

    #[test]
    fn ignored_pixels_have_no_gradient() {
        let (overlap, logits) = measured([[0.3; 4], [0.1; 4]], [0, 1, 255, 7]);
        let grads = overlap.loss().backward();
        let grad = logits.grad(&grads).expect("a gradient").reshape([8]);
        let grad = numbers(grad);
        assert!(
            [2, 3, 6, 7].iter().all(|&at| grad[at].abs() < 1e-12),
            "{grad:?}"
        );
        assert!(
            [0, 1, 4, 5].iter().all(|&at| grad[at].abs() > 1e-3),
            "{grad:?}"
        );
    }
}
