use super::{MASK_TILE_SIZE, Mask};
use crate::geom::{ImageSize, PixelRect};

/// Fills a mask from rows, top to bottom, in memory of 256 rows beside the mask itself.
#[derive(Clone, Debug)]
pub struct MaskBuilder {
    mask: Mask,
    next_row: u32,
    pending: Vec<u8>,
}

impl MaskBuilder {
    /// A builder of a mask of `size`; rows that never come stay unlabeled.
    pub fn new(size: ImageSize) -> Self {
        Self {
            mask: Mask::new(size),
            next_row: 0,
            pending: Vec::new(),
        }
    }

    /// Takes the next whole rows, one class a pixel; rows below the mask are left out.
    ///
    /// # Panics
    /// When `rows` is not a whole number of rows.
    pub fn push_rows(&mut self, rows: &[u8]) {
        let width = self.mask.size().width as usize;
        if width == 0 {
            return;
        }
        assert_eq!(rows.len() % width, 0, "whole rows");
        for row in rows.chunks_exact(width) {
            self.pending.extend_from_slice(row);
            if self.pending.len() == width * MASK_TILE_SIZE as usize {
                self.flush();
            }
        }
    }

    /// The mask.
    pub fn finish(mut self) -> Mask {
        self.flush();
        self.mask
    }

    fn flush(&mut self) {
        let width = self.mask.size().width;
        if self.pending.is_empty() {
            return;
        }
        let height = (self.pending.len() / width as usize) as u32;
        self.mask.set_rect(
            PixelRect::new(0, self.next_row, width, height),
            &self.pending,
        );
        self.next_row = self.next_row.saturating_add(height);
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_land_in_order_however_they_come() {
        let size = ImageSize::new(3, 600);
        let classes: Vec<u8> = (0..1_800).map(|n| (n / 3 % 250) as u8).collect();
        let mut builder = MaskBuilder::new(size);
        builder.push_rows(&classes[..3 * 7]);
        builder.push_rows(&classes[3 * 7..3 * 500]);
        builder.push_rows(&classes[3 * 500..]);
        builder.push_rows(&[9, 9, 9]);
        assert_eq!(builder.finish().read_rect(size.bounds()), classes);
    }
}
