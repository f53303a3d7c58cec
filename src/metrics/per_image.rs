use serde::{Deserialize, Serialize};

use super::Confusion;
use super::ratio::{Mean, ratio};

/// Scores of each image by itself, then the mean over images: a small image weighs as much as a
/// large one.
///
/// The mean IoU of one image goes over the classes that occur in its truth, in its prediction on
/// labeled ground, or in both; a class that was seen where none is has IoU 0 there, and a class
/// that is in neither is left out. (Other programs count such a class as 1, which makes scores
/// grow with the number of classes that do not occur.) Images without a labeled pixel are left
/// out.
#[derive(Clone, Debug, PartialEq)]
pub struct PerImage {
    background: Option<u8>,
    images: u64,
    left_out: u64,
    mean_iou: Mean,
    mean_iou_without_background: Mean,
    pixel_accuracy: Mean,
    lowest: Option<f64>,
    per_class: Vec<Mean>,
}

/// What [`PerImage`] found; the field names are those of the JSON reports.
///
/// Ratios go from 0 to 1 and are `None` where there is no image for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerImageScores {
    /// Images with labeled pixels.
    pub images: u64,
    /// Images without; they are in none of the numbers.
    pub left_out: u64,
    /// Mean over the images of their mean IoU.
    pub per_image_mean_iou: Option<f64>,
    /// The same without the background; images that hold and show nothing else are left out.
    pub per_image_mean_iou_without_background: Option<f64>,
    /// Mean over the images of their pixel accuracy.
    pub per_image_pixel_accuracy: Option<f64>,
    /// The mean IoU of the image that has the lowest.
    pub lowest_mean_iou: Option<f64>,
    /// By class index: mean of the class's IoU over the images that hold or show it.
    pub per_class_iou: Vec<Option<f64>>,
}

impl PerImage {
    /// No images yet, for confusions of `num_classes` classes; `background` is that of the class
    /// table.
    pub fn new(num_classes: usize, background: Option<u8>) -> Self {
        Self {
            background,
            images: 0,
            left_out: 0,
            mean_iou: Mean::default(),
            mean_iou_without_background: Mean::default(),
            pixel_accuracy: Mean::default(),
            lowest: None,
            per_class: vec![Mean::default(); Confusion::new(num_classes).num_classes()],
        }
    }

    /// Counts one image.
    ///
    /// # Panics
    /// When it is counted in another number of classes.
    pub fn add(&mut self, image: &Confusion) {
        assert_eq!(
            image.num_classes(),
            self.per_class.len(),
            "counts of the same classes"
        );
        if image.pixels() == 0 {
            self.left_out += 1;
            return;
        }
        self.images += 1;
        let ious: Vec<Option<f64>> = (0..self.per_class.len())
            .map(|class| image.binary(class).iou())
            .collect();
        for (mean, iou) in self.per_class.iter_mut().zip(&ious) {
            mean.add(*iou);
        }
        let mean_iou = ious.iter().copied().collect::<Mean>().value();
        self.mean_iou.add(mean_iou);
        self.lowest = least(self.lowest, mean_iou);
        self.pixel_accuracy
            .add(ratio(image.correct(), image.pixels()));
        if let Some(background) = self.background.map(usize::from) {
            let others = ious.iter().enumerate();
            let others = others.filter(|(class, _)| *class != background);
            let mean: Mean = others.map(|(_, iou)| *iou).collect();
            self.mean_iou_without_background.add(mean.value());
        }
    }

    /// Adds the images of another count.
    ///
    /// # Panics
    /// When the numbers of classes or the backgrounds differ.
    pub fn merge(&mut self, other: &Self) {
        let classes = |counted: &Self| (counted.per_class.len(), counted.background);
        assert_eq!(classes(self), classes(other), "counts of the same classes");
        self.images += other.images;
        self.left_out += other.left_out;
        self.mean_iou.merge(other.mean_iou);
        self.mean_iou_without_background
            .merge(other.mean_iou_without_background);
        self.pixel_accuracy.merge(other.pixel_accuracy);
        self.lowest = least(self.lowest, other.lowest);
        for (ours, theirs) in self.per_class.iter_mut().zip(&other.per_class) {
            ours.merge(*theirs);
        }
    }

    /// The means over the images so far.
    pub fn scores(&self) -> PerImageScores {
        PerImageScores {
            images: self.images,
            left_out: self.left_out,
            per_image_mean_iou: self.mean_iou.value(),
            per_image_mean_iou_without_background: self.mean_iou_without_background.value(),
            per_image_pixel_accuracy: self.pixel_accuracy.value(),
            lowest_mean_iou: self.lowest,
            per_class_iou: self.per_class.iter().map(|mean| mean.value()).collect(),
        }
    }
}

fn least(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(truth: &[u8], prediction: &[u8]) -> Confusion {
        let mut counts = Confusion::new(3);
        counts.add(truth, prediction);
        counts
    }

    #[test]
    fn images_weigh_alike_and_false_classes_are_zero() {
        let mut counted = PerImage::new(3, Some(0));
        // IoU 2/3 and 1/2; class 2 is in neither.
        counted.add(&image(&[0, 0, 1, 1], &[0, 0, 0, 1]));
        // IoU 3/4 and, of class 2, 0.
        counted.add(&image(&[0, 0, 0, 0, 255], &[0, 0, 0, 2, 1]));
        counted.add(&image(&[255], &[1]));
        let scores = counted.scores();
        assert_eq!((scores.images, scores.left_out), (2, 1));
        let (first, second) = (f64::midpoint(2.0 / 3.0, 0.5), 0.375);
        assert_eq!(
            scores.per_image_mean_iou,
            Some(f64::midpoint(first, second))
        );
        assert_eq!(scores.per_image_mean_iou_without_background, Some(0.25));
        assert_eq!(scores.per_image_pixel_accuracy, Some(0.75));
        assert_eq!(scores.lowest_mean_iou, Some(0.375));
        assert_eq!(scores.per_class_iou[1..], [Some(0.5), Some(0.0)]);
    }

    #[test]
    fn merging_counts_the_images_of_both() {
        let images = [
            image(&[0, 1], &[0, 0]),
            image(&[1, 1], &[1, 2]),
            image(&[255], &[0]),
        ];
        let (mut all, mut one, mut rest) = (
            PerImage::new(3, None),
            PerImage::new(3, None),
            PerImage::new(3, None),
        );
        one.add(&images[0]);
        for image in &images[1..] {
            rest.add(image);
        }
        for image in &images {
            all.add(image);
        }
        one.merge(&rest);
        assert_eq!(one, all);
        assert_eq!(all.scores().per_image_mean_iou_without_background, None);
    }
}
