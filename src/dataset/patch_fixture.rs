//! What tests of patches are made of.

use std::sync::Arc;

use super::parts::PartRule;
use super::scene::tests::Painted;
use super::{Augment, Bands, Ground, PatchConfig, PixelSize, RareClasses, Scene};
use crate::geom::{ImageSize, PixelRect};
use crate::label::Mask;

/// Of the ground of [`halves`].
pub(super) const SIZE: ImageSize = ImageSize {
    width: 300,
    height: 260,
};

/// Patches of 32 pixels and two classes as they are.
pub(super) fn config() -> PatchConfig {
    PatchConfig {
        seed: 4,
        side: 32,
        num_classes: 2,
        augment: Augment::None,
        parts: PartRule::default(),
        keep: None,
        rare: RareClasses::default(),
        pixel_size: PixelSize::Auto,
        bands: Bands::Color,
    }
}

/// Ground of one image in the colors of `paint` with the labels of `mask`.
pub(super) fn painted(paint: fn(u32, u32) -> [u8; 4], mask: Mask) -> Ground {
    let image = Painted::new(mask.size(), paint);
    let scene = Scene::tiled("painted".to_owned(), image, mask, 1 << 22);
    Ground::Image(Arc::new(scene))
}

/// Ground whose left half is class 0 and its right half class 1.
pub(super) fn halves(paint: fn(u32, u32) -> [u8; 4]) -> Ground {
    let mut mask = Mask::filled(SIZE, 0);
    mask.set_rect(PixelRect::new(150, 0, 150, 260), &vec![1; 150 * 260]);
    painted(paint, mask)
}
