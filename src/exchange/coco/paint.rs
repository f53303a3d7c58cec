use std::collections::BTreeMap;

use crate::geom::{ImageSize, PixelRect};
use crate::label::{MASK_TILE_SIZE, Mask, MaskTile};

/// Gives the pixels inside run lengths that go down the columns of the mask a class.
///
/// The lengths are of pixels outside and inside by turns. What they lack at the end is outside.
///
/// # Errors
/// Why they are not of an image of the mask's size; nothing has changed then.
pub(super) fn paint_counts(mask: &mut Mask, counts: &[u64], class: u8) -> Result<(), &'static str> {
    let size = mask.size();
    let sum = counts
        .iter()
        .try_fold(0_u64, |sum, &count| sum.checked_add(count));
    if sum.is_none_or(|sum| sum > size.num_pixels()) {
        return Err("its run lengths are more than the image has pixels");
    }
    let mut painter = Painter {
        mask,
        class,
        tile_col: 0,
        parts: BTreeMap::new(),
    };
    let mut at = 0;
    for (index, &count) in counts.iter().enumerate() {
        if index % 2 == 1 && count > 0 {
            for rect in rects_of(at, at + count, size) {
                painter.add(rect);
            }
        }
        at += count;
    }
    painter.flush();
    Ok(())
}

/// The pixels `start..end`, counted down the columns: the end of a column, whole columns, and the
/// start of a column, from left to right.
fn rects_of(start: u64, end: u64, size: ImageSize) -> impl Iterator<Item = PixelRect> {
    let height = u64::from(size.height);
    let place = |at: u64| ((at / height) as u32, (at % height) as u32);
    let ((first, top), (last, bottom)) = (place(start), place(end));
    let rects = if first == last {
        vec![PixelRect::new(first, top, 1, bottom - top)]
    } else {
        let whole = first + u32::from(top > 0);
        vec![
            PixelRect::new(first, top, whole - first, size.height - top),
            PixelRect::new(whole, 0, last - whole, size.height),
            PixelRect::new(last, 0, 1, bottom),
        ]
    };
    rects.into_iter().filter(|rect| !rect.is_empty())
}

/// Paints rectangles that come from left to right, each tile of the mask once for each class.
struct Painter<'a> {
    mask: &'a mut Mask,
    class: u8,
    /// The column of tiles that is waiting.
    tile_col: u32,
    /// What is to be painted there, by row of tiles.
    parts: BTreeMap<u32, Vec<PixelRect>>,
}

impl Painter<'_> {
    fn add(&mut self, rect: PixelRect) {
        let tiles = |from: u32, to: u32| from / MASK_TILE_SIZE..=(to - 1) / MASK_TILE_SIZE;
        for col in tiles(rect.x, rect.right()) {
            if col != self.tile_col {
                self.flush();
                self.tile_col = col;
            }
            for row in tiles(rect.y, rect.bottom()) {
                let part = rect.intersect(self.mask.tile_rect(col, row));
                self.parts.entry(row).or_default().push(part);
            }
        }
    }

    fn flush(&mut self) {
        for (row, parts) in std::mem::take(&mut self.parts) {
            let ground = self.mask.tile_rect(self.tile_col, row);
            if parts.contains(&ground) {
                let whole = MaskTile::Uniform(self.class);
                self.mask.put_tile(self.tile_col, row, whole);
                continue;
            }
            let mut classes = self.mask.read_rect(ground);
            for part in parts {
                for y in part.y..part.bottom() {
                    let line = ((y - ground.y) * ground.width + part.x - ground.x) as usize;
                    classes[line..line + part.width as usize].fill(self.class);
                }
            }
            self.mask.set_rect(ground, &classes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pixels_are_counted_down_the_columns(
            (width, height) in (1_u32..600, 1_u32..600),
            lengths in prop::collection::vec(prop_oneof![0_u64..9, 0_u64..90_000], 0..9),
        ) {
            let mut mask = Mask::filled(ImageSize::new(width, height), 3);
            let mut flat = vec![3_u8; (width * height) as usize];
            let mut at = 0;
            for (index, &length) in lengths.iter().enumerate() {
                for pixel in (at..at + length).filter(|_| index % 2 == 1) {
                    if let Some(pixel) = flat.get_mut(pixel as usize) {
                        *pixel = 8;
                    }
                }
                at += length;
            }
            let painted = paint_counts(&mut mask, &lengths, 8);
            prop_assert_eq!(painted.is_ok(), at <= u64::from(width * height));
            if painted.is_ok() {
                let rows = mask.read_rect(mask.size().bounds());
                let is_same = |(x, y)| rows[y * width as usize + x] == flat[x * height as usize + y];
                let mut all = (0..height as usize).flat_map(|y| (0..width as usize).map(move |x| (x, y)));
                prop_assert!(all.all(is_same));
            }
        }
    }

    #[test]
    fn sums_that_overflow_are_refused() {
        let mut mask = Mask::new(ImageSize::new(3, 3));
        assert!(paint_counts(&mut mask, &[u64::MAX, 1], 1).is_err());
        let mut none = Mask::new(ImageSize::new(0, 0));
        assert!(paint_counts(&mut none, &[0, 0], 1).is_ok());
    }

    #[test]
    fn a_huge_image_that_is_all_inside_takes_no_room() {
        let size = ImageSize::new(100_000, 100_000);
        let mut mask = Mask::new(size);
        paint_counts(&mut mask, &[5, size.num_pixels() - 5], 1).expect("fits");
        assert_eq!(mask.histogram()[1], size.num_pixels() - 5);
        assert!(mask.bytes_used() < 64 << 20);
    }
}
