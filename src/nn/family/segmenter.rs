use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::Auxiliary;
use crate::nn::encoder::Encoder;
use crate::nn::features::Features;

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

    /// The same with those of the second head, if there is one, which learns along.
    fn logits_deeply(&self, images: Tensor<4>) -> (Tensor<4>, Option<Tensor<4>>) {
        (self.logits(images), None)
    }

    /// Encoder and decoder, where they can be parted.
    fn parted(&self) -> Option<&dyn Parted> {
        None
    }
}

/// A family that looks with one of the encoders and decides with a decoder of its own.
pub trait Parted {
    /// What looks at the images.
    fn encoder(&self) -> &Encoder;

    /// As [`Segmenter::head`].
    fn head(&self) -> &Conv2d;

    /// As [`Segmenter::head_mut`].
    fn head_mut(&mut self) -> &mut Conv2d;

    /// The encoder's levels that the decoder reads, in rising order.
    fn levels(&self) -> Vec<usize>;

    /// Class logits `[N, classes, H, W]` of the maps of [`Parted::levels`] for images of H × W.
    fn decode(&self, features: Features) -> Tensor<4>;

    /// The second head, if there is one.
    fn auxiliary(&self) -> Option<&Auxiliary> {
        None
    }

    /// [`Parted::decode`] with the logits of the second head.
    fn decode_deeply(&self, features: Features) -> (Tensor<4>, Option<Tensor<4>>) {
        let second = self.auxiliary().map(|head| head.logits(&features));
        (self.decode(features), second)
    }
}

impl<P: Parted> Segmenter for P {
    fn stride(&self) -> usize {
        self.encoder().stride()
    }

    fn logits(&self, images: Tensor<4>) -> Tensor<4> {
        self.decode(self.encoder().features(images))
    }

    fn logits_deeply(&self, images: Tensor<4>) -> (Tensor<4>, Option<Tensor<4>>) {
        self.decode_deeply(self.encoder().features(images))
    }

    fn head(&self) -> &Conv2d {
        Parted::head(self)
    }

    fn head_mut(&mut self) -> &mut Conv2d {
        Parted::head_mut(self)
    }

    fn parted(&self) -> Option<&dyn Parted> {
        Some(self)
    }
}
