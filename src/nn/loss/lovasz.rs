use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;

use super::LossError;
use super::compared::{Compared, sum_by_class};

/// A pixel's place and its truth share 32 bits when they are sorted.
const MOST_PIXELS: usize = 1 << 31;

/// The Lovász-softmax loss (Berman et al. 2018) of `logits` `[N, C, H, W]` against `labels`
/// `[N, H, W]`: the convex extension of 1 - `IoU`, over the whole batch, averaged over the
/// classes that have truth; 0 where none has.
///
/// # Errors
/// When the device has failed: the errors of the pixels are sorted outside it.
pub fn lovasz_softmax(logits: Tensor<4>, labels: Tensor<3, Int>) -> Result<Tensor<1>, LossError> {
    lovasz_of(&Compared::new(logits, labels))
}

/// [`lovasz_softmax`] of what was compared already.
///
/// The error of a pixel is 1 - p in its class and p in the others. How much each error counts
/// follows from their order and is a constant of the gradient, so no device has to sort: the
/// loss is linear in p with coefficients found here.
pub(super) fn lovasz_of(compared: &Compared) -> Result<Tensor<1>, LossError> {
    let [batch, num_classes, height, width] = compared.truth.dims();
    let p = compared.p();
    let area = height * width;
    if batch * area > MOST_PIXELS {
        let reason = format!("Lovász sorts at most {MOST_PIXELS} pixels; use smaller batches");
        return Err(LossError::Unusable(reason));
    }
    let planes = Planes {
        p: read(p.clone().without_autodiff())?,
        truth: read(compared.truth.clone().without_autodiff())?,
        labelled: read(compared.labelled.clone().without_autodiff())?,
        batch,
        num_classes,
        area,
    };
    let by_class: Vec<Option<Vec<f32>>> = (0..num_classes)
        .into_par_iter()
        .map(|class| planes.shares(class))
        .collect();
    let num_present = by_class.iter().flatten().count().max(1) as f32;
    let mut slopes = vec![0.0; batch * num_classes * area];
    let mut at_zero = 0.0_f64;
    for (class, shares) in by_class.iter().enumerate() {
        let Some(shares) = shares else { continue };
        for (image, shares) in shares.chunks_exact(area).enumerate() {
            let start = planes.plane(image, class);
            for (at, share) in shares.iter().enumerate() {
                let share = share / num_present;
                let is_true = planes.truth[start + at] > 0.5;
                slopes[start + at] = if is_true { -share } else { share };
                at_zero += if is_true { f64::from(share) } else { 0.0 };
            }
        }
    }
    let slopes = TensorData::new(slopes, [batch, num_classes, height, width]);
    let slopes = Tensor::<4>::from_data(slopes, &compared.truth.device());
    Ok(sum_by_class(p * slopes).sum() + at_zero)
}

fn read(tensor: Tensor<4>) -> Result<Vec<f32>, LossError> {
    tensor
        .try_into_vec_as()
        .map_err(|error| LossError::Unreadable(error.to_string()))
}

/// A batch outside the device, by image, class, row and column.
struct Planes {
    p: Vec<f32>,
    truth: Vec<f32>,
    /// By image, row and column.
    labelled: Vec<f32>,
    batch: usize,
    num_classes: usize,
    /// Pixels of an image.
    area: usize,
}

impl Planes {
    fn plane(&self, image: usize, class: usize) -> usize {
        (image * self.num_classes + class) * self.area
    }

    /// How much the error of each pixel (by image, row and column) counts in the loss of `class`;
    /// `None` when no pixel is of it.
    fn shares(&self, class: usize) -> Option<Vec<f32>> {
        let mut order = Vec::new();
        let mut left = 0_u64;
        for image in 0..self.batch {
            let start = self.plane(image, class);
            for at in 0..self.area {
                let pixel = image * self.area + at;
                if self.labelled[pixel] > 0.5 {
                    let is_true = self.truth[start + at] > 0.5;
                    let p = self.p[start + at];
                    left += u64::from(is_true);
                    order.push(sort_key(if is_true { 1.0 - p } else { p }, pixel, is_true));
                }
            }
        }
        if left == 0 {
            return None;
        }
        order.sort_unstable();
        Some(jaccard_steps(&order, left, self.batch * self.area))
    }
}

/// Sorts by falling error, then by pixel, so that ties are settled the same everywhere.
fn sort_key(error: f32, pixel: usize, is_true: bool) -> u64 {
    // The bits of numbers from 0 on are in the order of the numbers.
    (u64::from(!error.max(0.0).to_bits()) << 32) | ((pixel as u64) << 1) | u64::from(is_true)
}

/// What each pixel adds to the Jaccard loss when the pixels of `order` are got wrong one after
/// another; `left` pixels are true.
fn jaccard_steps(order: &[u64], mut left: u64, num_pixels: usize) -> Vec<f32> {
    let mut steps = vec![0.0; num_pixels];
    let mut union = left;
    let mut before = 0.0;
    for key in order {
        if key & 1 == 1 {
            left -= 1;
        } else {
            union += 1;
        }
        let loss = 1.0 - left as f64 / union as f64;
        steps[(*key as u32 >> 1) as usize] = (loss - before) as f32;
        before = loss;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::test_pixels::{Pixels, assert_near, number};
    use super::*;

    fn of(pixels: &Pixels) -> f64 {
        let (logits, labels) = pixels.tensors();
        number(lovasz_softmax(logits, labels).expect("a loss"))
    }

    /// Two logits for a probability of `p` for class 1.
    fn odds<const N: usize>(p: [f32; N]) -> [[f32; N]; 2] {
        [[0.0; N], p.map(|p| (p / (1.0 - p)).ln())]
    }

    #[test]
    fn three_pixels_by_hand() {
        // Class 1 is true at pixel 0 (error 0.4), errors of the others 0.7 and 0.1.
        // Falling: 0.7 (false): 1 - 1/2; 0.4 (true): 1 - 0/2; 0.1 (false): stays 1.
        let one = 0.5 * 0.7 + 0.5 * 0.4;
        // Class 0 is true at pixels 1 and 2, with the same errors: 0.7 (true): 1 - 1/2;
        // 0.4 (false): 1 - 1/3; 0.1 (true): 1 - 0/3.
        let zero = 0.5 * 0.7 + (2.0 / 3.0 - 0.5) * 0.4 + (1.0 / 3.0) * 0.1;
        let pixels = Pixels::row(&odds([0.6, 0.7, 0.1]), &[1, 0, 0]);
        assert_near(of(&pixels), f64::midpoint(one, zero), 1e-6);
    }

    #[test]
    fn only_classes_with_truth_count() {
        // Class 0 alone: 0.7 then 0.1, each true: 1/2 of each.
        let pixels = Pixels::row(&odds([0.9, 0.7, 0.1]), &[255, 0, 0]);
        assert_near(of(&pixels), f64::midpoint(0.7, 0.1), 1e-6);
    }

    #[test]
    fn hard_answers_cost_one_minus_their_iou() {
        let logits = [[40.0, 40.0, -40.0, -40.0], [-40.0, -40.0, 40.0, 40.0]];
        let pixels = Pixels::row(&logits, &[0, 1, 1, 1]);
        // IoU of class 0 is 1/2, of class 1 2/3.
        assert_near(of(&pixels), f64::midpoint(0.5, 1.0 / 3.0), 1e-6);
    }
}
