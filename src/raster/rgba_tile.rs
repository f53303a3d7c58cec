use std::fmt;

use super::shrink::{RowPair, average_rgba};
use crate::geom::ImageSize;

/// The pixels of one tile.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbaTile {
    /// Extent: [`super::TILE_SIZE`] squared, or less at the right and bottom edges of the image.
    pub size: ImageSize,
    /// RGBA8, row by row, gamma-encoded (sRGB), alpha not multiplied in.
    pub pixels: Vec<u8>,
}

impl RgbaTile {
    /// A transparent tile of `size`.
    pub fn blank(size: ImageSize) -> Self {
        Self {
            size,
            pixels: vec![0; size.num_pixels() as usize * 4],
        }
    }

    /// Bytes of one row.
    pub(super) const fn row_len(&self) -> usize {
        self.size.width as usize * 4
    }

    /// Puts the halved `child` at `at` (pixels of this tile).
    pub(super) fn draw_halved(&mut self, child: &Self, at: (u32, u32)) {
        let (child_row, row) = (child.row_len(), self.row_len());
        let width = child
            .size
            .width
            .div_ceil(2)
            .min(self.size.width.saturating_sub(at.0)) as usize;
        let rows = child
            .size
            .height
            .div_ceil(2)
            .min(self.size.height.saturating_sub(at.1));
        for y in 0..rows as usize {
            let top = &child.pixels[2 * y * child_row..][..child_row];
            let bottom = child
                .pixels
                .get((2 * y + 1) * child_row..)
                .unwrap_or_default();
            let bottom = bottom.get(..child_row).unwrap_or(top);
            let start = (at.1 as usize + y) * row + at.0 as usize * 4;
            average_rgba(
                RowPair { top, bottom },
                &mut self.pixels[start..start + width * 4],
            );
        }
    }

    /// The same pixels as a tile of `size`; missing last rows and columns repeat those before.
    pub(super) fn extended(&self, size: ImageSize) -> Self {
        let mut out = Self::blank(size);
        if self.size.is_empty() {
            return out;
        }
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        for ((x, y), pixel) in places.zip(out.pixels.chunks_exact_mut(4)) {
            let (x, y) = (x.min(self.size.width - 1), y.min(self.size.height - 1));
            let from = y as usize * self.row_len() + x as usize * 4;
            pixel.copy_from_slice(&self.pixels[from..from + 4]);
        }
        out
    }
}

impl fmt::Debug for RgbaTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbaTile({})", self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_row_and_column_repeat_those_before() {
        let small = RgbaTile {
            size: ImageSize::new(1, 1),
            pixels: vec![1, 2, 3, 255],
        };
        assert_eq!(
            small.extended(ImageSize::new(2, 2)).pixels,
            [1, 2, 3, 255].repeat(4)
        );
    }

    #[test]
    fn a_halved_child_lands_in_its_quarter() {
        let mut parent = RgbaTile::blank(ImageSize::new(3, 2));
        let child = RgbaTile {
            size: ImageSize::new(3, 3),
            pixels: [9, 9, 9, 255].repeat(9),
        };
        parent.draw_halved(&child, (1, 0));
        let is_drawn: Vec<bool> = parent
            .pixels
            .chunks_exact(4)
            .map(|pixel| pixel[3] > 0)
            .collect();
        assert_eq!(is_drawn, [false, true, true, false, true, true]);
    }
}
