use serde::{Deserialize, Serialize};

use super::PixelRect;

/// A position in level-0 image pixels; (0, 0) is the outer corner of the upper-left pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImagePoint {
    /// To the right, in level-0 pixels.
    pub x: f64,
    /// Downwards, in level-0 pixels.
    pub y: f64,
}

impl ImagePoint {
    /// A point from its coordinates in level-0 pixels.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The pixel that holds this point, `None` outside `size`.
    pub fn pixel_in(self, size: ImageSize) -> Option<(u32, u32)> {
        let inside = self.x >= 0.0
            && self.y >= 0.0
            && self.x < f64::from(size.width)
            && self.y < f64::from(size.height);
        inside.then_some((self.x as u32, self.y as u32))
    }

    /// Distance to `other` in level-0 pixels.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Extent of an image in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageSize {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl ImageSize {
    /// A size from columns and rows.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub fn num_pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The rectangle that covers the whole image.
    pub const fn bounds(self) -> PixelRect {
        PixelRect::new(0, 0, self.width, self.height)
    }

    /// The size at pyramid level `level`: ceil(w / 2^level) × ceil(h / 2^level).
    pub fn at_level(self, level: u8) -> Self {
        let shrink = |side: u32| (u64::from(side).div_ceil(1 << level.min(32))).max(1) as u32;
        Self::new(shrink(self.width), shrink(self.height))
    }

    /// Whether there is no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

impl std::fmt::Display for ImageSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

/// A rectangle in level-0 image pixels with fractional corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageRect {
    /// Upper-left corner.
    pub min: ImagePoint,
    /// Lower-right corner.
    pub max: ImagePoint,
}

impl ImageRect {
    /// The pixels of an image of `size` that this rectangle touches.
    pub fn pixels_in(self, size: ImageSize) -> PixelRect {
        let clamp = |value: f64, side: u32| value.clamp(0.0, f64::from(side));
        let (left, top) = (
            clamp(self.min.x.floor(), size.width),
            clamp(self.min.y.floor(), size.height),
        );
        let (right, bottom) = (
            clamp(self.max.x.ceil(), size.width),
            clamp(self.max.y.ceil(), size.height),
        );
        PixelRect::new(
            left as u32,
            top as u32,
            (right - left).max(0.0) as u32,
            (bottom - top).max(0.0) as u32,
        )
    }
}

/// A position in physical pixels of one canvas; (0, 0) is the canvas's upper-left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScreenPoint {
    /// To the right, in physical pixels.
    pub x: f64,
    /// Downwards, in physical pixels.
    pub y: f64,
}

impl ScreenPoint {
    /// A point from its coordinates in physical pixels.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// Extent of a canvas in physical pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScreenSize {
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
}

impl ScreenSize {
    /// A size from columns and rows.
    pub const fn new(width: f64, height: f64) -> Self {
        Self { width, height }
    }
}

/// A rectangle in physical pixels of one canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScreenRect {
    /// Upper-left corner.
    pub min: ScreenPoint,
    /// Lower-right corner.
    pub max: ScreenPoint,
}
