use std::ops::Range;

use super::field::Tint;
use super::noise::pixel_hash;
use super::plane::{Bounds, Vec2};

pub(super) const BACKGROUND: u8 = 0;
pub(super) const BUILDING: u8 = 1;
pub(super) const WOODLAND: u8 = 2;
pub(super) const WATER: u8 = 3;
pub(super) const ROAD: u8 = 4;
pub(super) const UNLABELED: u8 = 255;

/// Direction in which shadows fall, about north-northwest: the sun stands in the south-southeast.
pub(super) const SHADOW: Vec2 = Vec2::new(-0.42, -0.91);

/// A block of pixels while it is painted, with one pixel more on each side for the lens blur.
#[derive(Debug)]
pub(super) struct Canvas {
    /// World position of the first pixel.
    pub x0: i32,
    pub y0: i32,
    pub width: usize,
    pub height: usize,
    pub color: Vec<Tint>,
    /// The true class.
    pub truth: Vec<u8>,
    /// The class that a hasty person would have drawn.
    pub hasty: Vec<u8>,
    /// Distance to the shore, negative in the water.
    pub shore: Vec<f32>,
}

impl Canvas {
    pub fn new(x0: i32, y0: i32, width: usize, height: usize) -> Self {
        let count = width * height;
        Self {
            x0,
            y0,
            width,
            height,
            color: vec![[0.0; 3]; count],
            truth: vec![BACKGROUND; count],
            hasty: vec![BACKGROUND; count],
            shore: vec![0.0; count],
        }
    }

    pub fn bounds(&self) -> Bounds {
        let min = Vec2::new(self.x0 as f32, self.y0 as f32);
        let max = min + Vec2::new(self.width as f32, self.height as f32);
        Bounds { min, max }
    }

    /// World pixel of the pixel at `index`.
    pub fn pixel(&self, index: usize) -> (i32, i32) {
        (
            self.x0 + (index % self.width) as i32,
            self.y0 + (index / self.width) as i32,
        )
    }

    fn columns(&self, bounds: &Bounds) -> (Range<usize>, Range<usize>) {
        let cut = |low: f32, high: f32, origin: i32, side: usize| {
            let low = (low.floor() as i32 - origin).clamp(0, side as i32) as usize;
            let high = (high.ceil() as i32 - origin).clamp(0, side as i32) as usize;
            low..high.max(low)
        };
        let xs = cut(bounds.min.x, bounds.max.x, self.x0, self.width);
        let ys = cut(bounds.min.y, bounds.max.y, self.y0, self.height);
        (xs, ys)
    }

    /// Calls `paint` with the canvas, the index and the center of each pixel in `bounds`.
    pub fn each_in(&mut self, bounds: &Bounds, mut paint: impl FnMut(&mut Self, usize, Vec2)) {
        let (xs, ys) = self.columns(bounds);
        for y in ys {
            let center_y = (self.y0 + y as i32) as f32 + 0.5;
            for x in xs.clone() {
                let center = Vec2::new((self.x0 + x as i32) as f32 + 0.5, center_y);
                paint(self, y * self.width + x, center);
            }
        }
    }

    /// Calls `paint` with the canvas, the index and the world position of every pixel.
    pub fn each_pixel(&mut self, mut paint: impl FnMut(&mut Self, usize, (i32, i32))) {
        let mut index = 0;
        for y in self.y0..self.y0 + self.height as i32 {
            for x in self.x0..self.x0 + self.width as i32 {
                paint(self, index, (x, y));
                index += 1;
            }
        }
    }

    /// Mixes `tint` into a pixel.
    pub fn blend(&mut self, index: usize, tint: Tint, share: f32) {
        blend(&mut self.color[index], tint, share);
    }

    /// Takes away light; shadows are a little blue.
    pub fn darken(&mut self, index: usize, share: f32) {
        let color = &mut self.color[index];
        color[0] *= 1.0 - 0.62 * share;
        color[1] *= 1.0 - 0.59 * share;
        color[2] *= 1.0 - 0.50 * share;
    }
}

pub(super) fn blend(color: &mut Tint, tint: Tint, share: f32) {
    for (channel, wanted) in color.iter_mut().zip(tint) {
        *channel += (wanted - *channel) * share;
    }
}

pub(super) fn scaled(tint: Tint, by: f32) -> Tint {
    tint.map(|c| c * by)
}

/// `tint` with `by` added to each channel.
pub(super) fn raised(tint: Tint, by: f32) -> Tint {
    tint.map(|c| c + by)
}

/// Grain of one pixel in [-1, 1].
pub(super) fn speck(seed: u32, x: i32, y: i32) -> f32 {
    pixel_hash(seed, x, y) as f32 * (2.0 / 4_294_967_296.0) - 1.0
}
