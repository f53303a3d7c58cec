use burn::tensor::{Int, Tensor};

use super::compared::{Compared, sum_by_class};

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
pub(super) const SMOOTH: f64 = 1.0;

impl Overlap {
    /// Measures `logits` `[N, C, H, W]` against `labels` `[N, H, W]`.
    pub fn new(logits: Tensor<4>, labels: Tensor<3, Int>) -> Self {
        Self::of(&Compared::new(logits, labels))
    }

    pub(super) fn of(compared: &Compared) -> Self {
        let probability = compared.p() * compared.labelled.clone();
        let truth = compared.truth.clone();
        Self {
            shared: sum_by_class(probability.clone() * truth.clone()),
            predicted: sum_by_class(probability),
            labelled: sum_by_class(truth),
        }
    }

    /// [`Overlap::dice`] with the usual smoothing of 1.
    pub fn loss(self) -> Tensor<1> {
        self.dice(SMOOTH)
    }

    /// The soft Dice loss (Milletari et al. 2016): 1 - 2 |A ∩ B| / (|A| + |B|), averaged over the
    /// classes that have truth; 0 where none has. `smooth` is added above and below.
    pub fn dice(self, smooth: f64) -> Tensor<1> {
        let both = self.predicted + self.labelled.clone();
        mean_miss(self.shared * 2.0, both, self.labelled, smooth)
    }

    /// The soft Jaccard loss (Rahman and Wang 2016): 1 - |A ∩ B| / |A ∪ B|, averaged as
    /// [`Overlap::dice`] is.
    pub fn jaccard(self, smooth: f64) -> Tensor<1> {
        let either = self.predicted + self.labelled.clone() - self.shared.clone();
        mean_miss(self.shared, either, self.labelled, smooth)
    }
}

/// 1 - `part` / `whole`, averaged over the classes that are `labelled`.
fn mean_miss(part: Tensor<1>, whole: Tensor<1>, labelled: Tensor<1>, smooth: f64) -> Tensor<1> {
    let occurs = labelled.greater_elem(0.0).float();
    // A class without truth and probability has nothing to divide by; its share is dropped.
    let whole = (whole + smooth).clamp_min(f64::from(f32::MIN_POSITIVE));
    let miss = ((part + smooth) / whole).neg() + 1.0;
    (miss * occurs.clone()).sum() / occurs.sum().clamp_min(1.0)
}

/// The sums of an [`Overlap`] by class, joined outside the device over many batches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OverlapSums<'a> {
    pub(super) shared: &'a [f64],
    pub(super) predicted: &'a [f64],
    pub(super) labelled: &'a [f64],
}

impl OverlapSums<'_> {
    pub(super) fn dice(&self, smooth: f64) -> f64 {
        self.mean_of(|shared, both| 1.0 - (2.0 * shared + smooth) / (both + smooth))
    }

    pub(super) fn jaccard(&self, smooth: f64) -> f64 {
        self.mean_of(|shared, both| 1.0 - (shared + smooth) / (both - shared + smooth))
    }

    /// The mean over the classes with truth of a function of |A ∩ B| and |A| + |B|.
    fn mean_of(&self, miss: impl Fn(f64, f64) -> f64) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0_f64);
        let classes = self.shared.iter().zip(self.predicted).zip(self.labelled);
        for ((shared, predicted), labelled) in classes.filter(|(_, labelled)| **labelled > 0.0) {
            sum += miss(*shared, predicted + labelled);
            count += 1.0;
        }
        sum / count.max(1.0)
    }
}

/// [`Overlap::loss`] of sums that were joined outside the device.
pub fn dice_loss(shared: &[f64], predicted: &[f64], labelled: &[f64]) -> f64 {
    let sums = OverlapSums {
        shared,
        predicted,
        labelled,
    };
    sums.dice(SMOOTH)
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
    fn the_jaccard_loss_by_hand() {
        let (overlap, _) = measured([[0.0; 4]; 2], [0, 1, 0, 255]);
        // 1 - 2 / (1.5 + 2 - 1 + 1) and 1 - 1.5 / (1.5 + 1 - 0.5 + 1).
        let expected = f64::midpoint(1.5 / 3.5, 1.5 / 3.0);
        let sums = OverlapSums {
            shared: &[1.0, 0.5],
            predicted: &[1.5, 1.5],
            labelled: &[2.0, 1.0],
        };
        assert!((sums.jaccard(1.0) - expected).abs() < 1e-12);
        assert!((numbers(overlap.jaccard(1.0))[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn without_smoothing_an_absent_class_still_does_not_count() {
        let (overlap, _) = measured([[0.0; 4]; 2], [255; 4]);
        assert_eq!(numbers(overlap.clone().dice(0.0)), [0.0]);
        assert_eq!(numbers(overlap.jaccard(0.0)), [0.0]);
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
