use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

/// What every family can do; the rest is written once, for [`Network`](crate::nn::Network).
pub trait Segmenter {
    /// Sides of the images it is given are multiples of this.
    fn stride(&self) -> usize;

    /// Class logits `[N, classes, H, W]` of normalised images `[N, in, H, W]`.
    fn logits(&self, images: Tensor<4>) -> Tensor<4>;

    /// The last layer, one output a class, that has a bias. What is added to its outputs is added
    /// to the logits.
    fn head(&self) -> &Conv2d;

    /// [`Segmenter::head`], to change it.
    fn head_mut(&mut self) -> &mut Conv2d;
}
