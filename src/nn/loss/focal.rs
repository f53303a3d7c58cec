use burn::tensor::{Int, Tensor};

use super::PixelLoss;
use super::compared::{Compared, sum_by_class};

/// The focal loss (Lin et al. 2017) of `logits` `[N, C, H, W]` against `labels` `[N, H, W]`:
/// -α (1 - p)^`gamma` ln p of the true class, where α are the `class_weights` `[C]`.
///
/// The mean is over the weights, so that a `gamma` of 0 is the cross-entropy.
pub fn focal(
    logits: Tensor<4>,
    labels: Tensor<3, Int>,
    class_weights: Tensor<1>,
    gamma: f64,
) -> PixelLoss {
    let [_, num_classes, _, _] = logits.dims();
    let weights = class_weights.reshape([1, num_classes, 1, 1]);
    focal_of(&Compared::new(logits, labels), weights, gamma)
}

/// [`focal`] with weights `[1, C, 1, 1]`.
pub(super) fn focal_of(compared: &Compared, weights: Tensor<4>, gamma: f64) -> PixelLoss {
    // A power below 1 has no slope at 0.
    const LEAST_MISS: f64 = 1e-6;
    let log_p = (compared.log_p.clone() * compared.truth.clone()).sum_dim(1);
    let weight = (compared.truth.clone() * weights).sum_dim(1);
    let missed = (log_p.clone().exp().neg() + 1.0).clamp_min(LEAST_MISS);
    let loss = missed.powf_scalar(gamma) * log_p.neg();
    PixelLoss {
        weighted_sum: sum_by_class(loss * weight.clone()),
        weight: sum_by_class(weight),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cross_entropy;
    use super::super::test_pixels::{Pixels, assert_near, number};
    use super::*;

    fn of(pixels: &Pixels, weights: &[f32], gamma: f64) -> f64 {
        let (logits, labels) = pixels.tensors();
        number(focal(logits, labels, pixels.vector(weights), gamma).mean())
    }

    #[test]
    fn even_odds_by_hand() {
        let pixels = Pixels::row(&[[0.0; 3], [0.0; 3]], &[0, 1, 255]);
        // (1 - 1/2)^2 ln 2.
        assert_near(of(&pixels, &[1.0, 1.0], 2.0), 0.25 * 2f64.ln(), 1e-6);
        // Weights alone change nothing where all pixels cost the same.
        assert_near(of(&pixels, &[3.0, 0.5], 2.0), 0.25 * 2f64.ln(), 1e-6);
    }

    #[test]
    fn what_is_easy_costs_less() {
        // Odds of 3 to 1 for the right class, then for the wrong one.
        let pixels = Pixels::row(&[[3f32.ln(); 2], [0.0; 2]], &[0, 1]);
        let expected = f64::midpoint(0.0625 * (4.0 / 3f64).ln(), 0.5625 * 4f64.ln());
        assert_near(of(&pixels, &[1.0, 1.0], 2.0), expected, 1e-6);
    }

    #[test]
    fn a_gamma_of_zero_is_the_cross_entropy() {
        let pixels = Pixels::sample();
        let weights = [1.0, 0.5, 2.0];
        let (logits, labels) = pixels.tensors();
        let expected = cross_entropy(logits, labels, pixels.vector(&weights)).mean();
        assert_near(of(&pixels, &weights, 0.0), number(expected), 1e-6);
    }

    #[test]
    fn a_sure_and_right_answer_has_a_finite_gradient() {
        for gamma in [0.5, 1.0, 2.0] {
            let pixels = Pixels::row(&[[60.0; 2], [-60.0; 2]], &[0, 255]);
            let gradient = pixels.gradient(|logits, labels| {
                focal(logits, labels, pixels.vector(&[1.0, 1.0]), gamma).mean()
            });
            assert!(gradient.iter().all(|g| g.abs() < 1e-6), "{gradient:?}");
        }
    }
}
