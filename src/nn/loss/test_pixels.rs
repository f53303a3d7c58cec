//! Small batches for the tests of the losses.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Logits by image, class, row and column, and labels by image, row and column.
#[derive(Clone, Debug, serde::Deserialize)]
pub(super) struct Pixels {
    pub(super) shape: [usize; 4],
    pub(super) logits: Vec<f32>,
    pub(super) labels: Vec<i32>,
}

impl Pixels {
    /// One row of pixels; logits by class.
    pub(super) fn row<const W: usize>(logits: &[[f32; W]], labels: &[i32; W]) -> Self {
        Self {
            shape: [1, logits.len(), 1, W],
            logits: logits.concat(),
            labels: labels.to_vec(),
        }
    }

    /// Two images of three classes, some pixels ignored.
    pub(super) fn sample() -> Self {
        let logits = (0..2 * 3 * 12).map(|n| ((n * 37) % 29) as f32 * 0.13 - 1.7);
        Self {
            shape: [2, 3, 3, 4],
            logits: logits.collect(),
            labels: (0..24).map(|n| [0, 2, 1, 255, 2, 0, 7][n % 7]).collect(),
        }
    }

    /// The same with nothing to learn.
    pub(super) fn without_labels(mut self) -> Self {
        self.labels.fill(255);
        self
    }

    /// The same with the rows of each image in another order.
    pub(super) fn rows_turned(mut self) -> Self {
        let [_, _, height, width] = self.shape;
        for image in self.logits.chunks_exact_mut(height * width) {
            image.rotate_left(width);
        }
        for image in self.labels.chunks_exact_mut(height * width) {
            image.rotate_left(width);
        }
        self
    }

    /// The logits, tracked, and the labels.
    pub(super) fn tensors(&self) -> (Tensor<4>, Tensor<3, Int>) {
        let device = Device::flex().autodiff();
        let logits = TensorData::new(self.logits.clone(), self.shape);
        let [batch, _, height, width] = self.shape;
        let labels = TensorData::new(self.labels.clone(), [batch, height, width]);
        (
            Tensor::from_data(logits, &device).require_grad(),
            Tensor::from_data(labels, &device.inner()),
        )
    }

    #[expect(clippy::unused_self, reason = "reads well beside the other tensors")]
    pub(super) fn vector(&self, numbers: &[f32]) -> Tensor<1> {
        Tensor::from_data(
            TensorData::new(numbers.to_vec(), [numbers.len()]),
            &Device::flex(),
        )
    }

    /// The gradient of `loss` by the logits.
    pub(super) fn gradient(
        &self,
        loss: impl Fn(Tensor<4>, Tensor<3, Int>) -> Tensor<1>,
    ) -> Vec<f32> {
        let (logits, labels) = self.tensors();
        let grads = loss(logits.clone(), labels).backward();
        let gradient = logits.grad(&grads).expect("a gradient");
        gradient.try_into_vec_as().expect("numbers")
    }

    /// Whether a pixel's label is below the number of classes, at the place of a logit.
    pub(super) fn is_labelled_at(&self, logit: usize) -> bool {
        let [_, num_classes, height, width] = self.shape;
        let area = height * width;
        let pixel = logit / (num_classes * area) * area + logit % area;
        (0..num_classes as i32).contains(&self.labels[pixel])
    }
}

pub(super) fn number(tensor: Tensor<1>) -> f64 {
    let number: f32 = tensor.into_scalar();
    f64::from(number)
}

#[track_caller]
pub(super) fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let far = (found - expected).abs();
    assert!(far <= tolerance, "{found} is not {expected}");
}
