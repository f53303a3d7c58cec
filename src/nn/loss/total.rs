use burn::tensor::{Int, Tensor};

use super::compared::Compared;
use super::cross_entropy::smoothed_cross_entropy;
use super::focal::focal_of;
use super::lovasz::lovasz_of;
use super::overlap::{Overlap, OverlapSums};
use super::{Loss, LossError, LossTerm, PixelLoss};

/// A [`Loss`] over many batches of which none is kept.
///
/// Terms that are means over pixels and terms that are fractions of pooled sums (Dice, Jaccard)
/// come out as if all batches had been one. Lovász sorts the pixels of a batch and cannot be
/// pooled: it is the mean of its values on the batches, by their labelled pixels.
#[derive(Clone, Debug)]
pub struct LossTotal {
    loss: Loss,
    class_weights: Vec<f32>,
    /// Numbers that add up, term by term; see [`Part`].
    sums: Vec<Vec<f64>>,
    /// Labelled pixels so far.
    num_pixels: f64,
}

impl LossTotal {
    /// Nothing added yet. There is one class weight for each class, as in [`Loss::value`].
    pub fn new(loss: &Loss, class_weights: &[f32]) -> Self {
        Self {
            loss: loss.clone(),
            class_weights: class_weights.to_vec(),
            sums: vec![Vec::new(); loss.0.len()],
            num_pixels: 0.0,
        }
    }

    /// Adds a batch: `logits` `[N, C, H, W]`, `labels` `[N, H, W]`. One reading from the device,
    /// and those of Lovász.
    ///
    /// # Errors
    /// When the class weights do not fit or the device has failed.
    pub fn add(&mut self, logits: Tensor<4>, labels: Tensor<3, Int>) -> Result<(), LossError> {
        let compared = Compared::new(logits.without_autodiff(), labels);
        let num_pixels = compared.labelled.clone().sum_dim(3).sum_dim(2).sum();
        let mut parts = vec![num_pixels.clone()];
        for term in &self.loss.0 {
            parts.extend(sums_of(term, &compared, &self.class_weights, &num_pixels)?);
        }
        let lengths: Vec<usize> = parts.iter().map(|part| part.dims()[0]).collect();
        let numbers: Vec<f32> = (Tensor::cat(parts, 0).try_into_vec_as())
            .map_err(|error| LossError::Unreadable(error.to_string()))?;
        let mut numbers = numbers.into_iter().map(f64::from);
        self.num_pixels += numbers.next().unwrap_or_default();
        let mut lengths = lengths.into_iter().skip(1);
        for (term, sums) in self.loss.0.iter().zip(&mut self.sums) {
            let length = lengths.by_ref().take(num_parts(term)).sum();
            sums.resize(length, 0.0);
            for (sum, number) in sums.iter_mut().zip(numbers.by_ref()) {
                *sum += number;
            }
        }
        Ok(())
    }

    /// The loss of all that was added; `None` when no pixel had a class.
    pub fn value(&self) -> Option<f64> {
        if self.num_pixels == 0.0 {
            return None;
        }
        let terms = self.loss.0.iter().zip(&self.sums);
        Some(
            terms
                .map(|(term, sums)| term.weight() * value_of(term, sums))
                .sum(),
        )
    }
}

/// Numbers of one batch that add up over batches: numerator and denominator of a mean, or the
/// three sums of an overlap by class.
type Part = Tensor<1>;

/// How many parts [`sums_of`] gives for `term`.
const fn num_parts(term: &LossTerm) -> usize {
    match term {
        LossTerm::Dice { .. } | LossTerm::Jaccard { .. } => 3,
        _ => 2,
    }
}

fn sums_of(
    term: &LossTerm,
    compared: &Compared,
    class_weights: &[f32],
    num_pixels: &Tensor<1>,
) -> Result<Vec<Part>, LossError> {
    let fraction = |loss: PixelLoss| vec![loss.weighted_sum, loss.weight];
    Ok(match *term {
        LossTerm::CrossEntropy { smoothing, .. }
        | LossTerm::BinaryCrossEntropy { smoothing, .. } => {
            let weights = compared.by_class(class_weights)?;
            fraction(smoothed_cross_entropy(compared, weights, smoothing))
        }
        LossTerm::Focal { gamma, .. } => {
            fraction(focal_of(compared, compared.by_class(class_weights)?, gamma))
        }
        LossTerm::Dice { .. } | LossTerm::Jaccard { .. } => {
            let overlap = Overlap::of(compared);
            vec![overlap.shared, overlap.predicted, overlap.labelled]
        }
        LossTerm::Lovasz { .. } => {
            vec![
                lovasz_of(compared)? * num_pixels.clone(),
                num_pixels.clone(),
            ]
        }
    })
}

/// The value of a term whose sums over all batches are `sums`, without its weight.
fn value_of(term: &LossTerm, sums: &[f64]) -> f64 {
    let overlap = || {
        let num_classes = sums.len() / 3;
        let (shared, rest) = sums.split_at(num_classes);
        let (predicted, labelled) = rest.split_at(num_classes);
        OverlapSums {
            shared,
            predicted,
            labelled,
        }
    };
    match *term {
        LossTerm::Dice { smooth, .. } => overlap().dice(smooth),
        LossTerm::Jaccard { smooth, .. } => overlap().jaccard(smooth),
        _ => sums[0] / sums[1].max(1e-6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_pixels::{Pixels, assert_near, number};
    use super::*;

    const WEIGHTS: [f32; 3] = [1.0, 0.5, 2.0];

    fn poolable() -> Loss {
        let (weight, smooth) = (0.7, 1.0);
        Loss(vec![
            LossTerm::CrossEntropy {
                weight: 1.0,
                smoothing: 0.1,
            },
            LossTerm::Focal { weight, gamma: 2.0 },
            LossTerm::Dice { weight, smooth },
            LossTerm::Jaccard {
                weight: 0.3,
                smooth: 0.0,
            },
        ])
    }

    #[test]
    fn images_one_by_one_come_to_what_they_are_as_one_batch() {
        let (loss, pixels) = (poolable(), Pixels::sample());
        let (logits, labels) = pixels.tensors();
        let whole = number(
            loss.value(logits.clone(), labels.clone(), &WEIGHTS)
                .expect("a loss"),
        );
        let mut total = LossTotal::new(&loss, &WEIGHTS);
        for (logits, labels) in logits.split(1, 0).into_iter().zip(labels.split(1, 0)) {
            total.add(logits, labels).expect("a sum");
        }
        assert_near(total.value().expect("a value"), whole, 1e-6);
    }

    #[test]
    fn lovasz_is_a_mean_by_labelled_pixels() {
        let loss = Loss(vec![LossTerm::Lovasz { weight: 2.0 }]);
        let batches = [
            Pixels::row(&[[40.0; 2], [-40.0; 2]], &[0, 255]),
            Pixels::row(&[[40.0; 3], [-40.0; 3]], &[1, 1, 1]),
        ];
        let mut total = LossTotal::new(&loss, &[1.0; 2]);
        for pixels in batches {
            let (logits, labels) = pixels.tensors();
            total.add(logits, labels).expect("a sum");
        }
        // 0 for one pixel, 1 for three.
        assert_near(total.value().expect("a value"), 2.0 * 0.75, 1e-6);
    }

    #[test]
    fn without_labels_there_is_no_value() {
        let mut total = LossTotal::new(&poolable(), &WEIGHTS);
        assert_eq!(total.value(), None);
        let (logits, labels) = Pixels::sample().without_labels().tensors();
        total.add(logits, labels).expect("a sum");
        assert_eq!(total.value(), None);
    }
}
