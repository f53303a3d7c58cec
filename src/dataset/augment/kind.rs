use crate::dataset::Rng;

/// The kinds that draw numbers. Each has a stream of its own, so that turning one on or off leaves
/// what the others draw as it was.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Kind {
    Turn,
    Rotation,
    Scale,
    Shift,
    Shear,
    Elastic,
    Shadow,
    Gamma,
    Contrast,
    Brightness,
    Saturation,
    Hue,
    Blur,
    Noise,
    Jpeg,
    Cutout,
}

impl Kind {
    /// The kind's stream for the patch with `seed`.
    pub(super) fn rng(self, seed: u64) -> Rng {
        Rng::of(&[seed, self as u64])
    }
}
