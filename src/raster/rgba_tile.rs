use std::fmt;

use crate::geom::ImageSize;

/// A picture.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbaTile {
    /// Extent.
    pub size: ImageSize,
    /// RGBA8, row by row, gamma-encoded (sRGB), alpha not multiplied in.
    pub pixels: Vec<u8>,
}

impl RgbaTile {
    /// A transparent picture of `size`.
    pub fn blank(size: ImageSize) -> Self {
        Self {
            size,
            pixels: vec![0; size.num_pixels() as usize * 4],
        }
    }
}

impl fmt::Debug for RgbaTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbaTile({})", self.size)
    }
}
