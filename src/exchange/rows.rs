use crate::label::{MASK_TILE_SIZE, Mask, MaskTile};

const SIDE: usize = MASK_TILE_SIZE as usize;
use crate::geom::PixelRect;

/// The class of pixels that no polygon is made of, inside the area and outside.
pub(super) const NOTHING: u16 = 256;

/// Where pixels of another class start in a row.
///
/// A row is a list of these from left to right. The first one is [`NOTHING`] and stands for all
/// that lies left of the area, the last one is [`NOTHING`] and stands for all that lies right of
/// it; neighbors always differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Level-0 column.
    pub(super) x: u32,
    /// 0 to 255, or [`NOTHING`].
    pub(super) class: u16,
}

/// Reads the rows of an area as runs of one class.
pub(super) struct RowReader<'a> {
    mask: &'a Mask,
    /// Inside the mask, not empty.
    area: PixelRect,
    class_of: [u16; 256],
}

impl<'a> RowReader<'a> {
    /// The rows of `area`, which is not empty and inside the mask; classes that `keep` refuses are
    /// read as [`NOTHING`].
    pub(super) fn new(mask: &'a Mask, area: PixelRect, keep: &dyn Fn(u8) -> bool) -> Self {
        let class_of = std::array::from_fn(|class| {
            if keep(class as u8) {
                class as u16
            } else {
                NOTHING
            }
        });
        Self {
            mask,
            area,
            class_of,
        }
    }

    /// Puts the runs of row `y` (level-0 pixels) in place of what `row` holds.
    pub(super) fn read(&self, y: u32, row: &mut Vec<Start>) {
        clear_row(row, self.area.x);
        let first = self.area.x / MASK_TILE_SIZE;
        let last = (self.area.right() - 1) / MASK_TILE_SIZE;
        for col in first..=last {
            let ground = self.mask.tile_rect(col, y / MASK_TILE_SIZE);
            let x = ground.x.max(self.area.x);
            match self.mask.tile(col, y / MASK_TILE_SIZE) {
                MaskTile::Uniform(class) => self.add(row, x, *class),
                MaskTile::Pixels(pixels) => {
                    let line = (y - ground.y) as usize * SIDE;
                    let end = ground.right().min(self.area.right());
                    let from = line + (x - ground.x) as usize;
                    self.add_line(row, x, &pixels[from..line + (end - ground.x) as usize]);
                }
            }
        }
        push(row, self.area.right(), NOTHING);
    }

    fn add_line(&self, row: &mut Vec<Start>, mut x: u32, mut line: &[u8]) {
        while let Some(&class) = line.first() {
            self.add(row, x, class);
            let length = run_length(line, class);
            x += length as u32;
            line = &line[length..];
        }
    }

    fn add(&self, row: &mut Vec<Start>, x: u32, class: u8) {
        push(row, x, self.class_of[usize::from(class)]);
    }
}

/// Makes `row` one without any pixel of an area that starts at column `x`.
pub(super) fn clear_row(row: &mut Vec<Start>, x: u32) {
    row.clear();
    row.push(Start { x, class: NOTHING });
}

fn push(row: &mut Vec<Start>, x: u32, class: u16) {
    if row.last().is_none_or(|last| last.class != class) {
        row.push(Start { x, class });
    }
}

/// How many classes at the front of `line` are `class`; eight at once, since most runs are long.
fn run_length(line: &[u8], class: u8) -> usize {
    let eight = u64::from_le_bytes([class; 8]);
    let (chunks, rest) = line.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let unlike = u64::from_le_bytes(*chunk) ^ eight;
        if unlike != 0 {
            return index * 8 + unlike.trailing_zeros() as usize / 8;
        }
    }
    let like = rest.iter().take_while(|&&other| other == class).count();
    chunks.len() * 8 + like
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::ImageSize;

    #[test]
    fn runs_go_on_over_tiles_and_end_with_the_area() {
        let mut mask = Mask::filled(ImageSize::new(600, 2), 3);
        mask.set_rect(PixelRect::new(250, 1, 10, 1), &[5; 10]);
        let reader = RowReader::new(&mask, PixelRect::new(200, 0, 390, 2), &|_| true);
        let mut row = Vec::new();
        let mut starts = |y| {
            reader.read(y, &mut row);
            row.iter()
                .map(|start| (start.x, start.class))
                .collect::<Vec<_>>()
        };
        assert_eq!(starts(0), [(200, NOTHING), (200, 3), (590, NOTHING)]);
        assert_eq!(
            starts(1),
            [(200, NOTHING), (200, 3), (250, 5), (260, 3), (590, NOTHING)]
        );
    }

    #[test]
    fn classes_that_are_not_kept_are_nothing() {
        let mut mask = Mask::new(ImageSize::new(4, 1));
        mask.set_rect(mask.size().bounds(), &[255, 1, 255, 2]);
        let reader = RowReader::new(&mask, mask.size().bounds(), &|class| class == 1);
        let mut row = Vec::new();
        reader.read(0, &mut row);
        let starts: Vec<_> = row.iter().map(|start| (start.x, start.class)).collect();
        assert_eq!(starts, [(0, NOTHING), (1, 1), (2, NOTHING)]);
    }

    proptest! {
        #[test]
        fn a_run_is_as_long_as_counted(line in prop::collection::vec(0_u8..2, 1..60), same in 0_usize..50) {
            let line: Vec<u8> = vec![line[0]; same].into_iter().chain(line).collect();
            let counted = line.iter().take_while(|&&class| class == line[0]).count();
            prop_assert_eq!(run_length(&line, line[0]), counted);
        }
    }
}
