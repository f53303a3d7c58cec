use std::ops::Range;

use crate::geom::PixelRect;

/// How many entries a node has.
const FAN: usize = 16;

/// Finds which of many rectangles touch one, without a look at all of them.
///
/// A packed tree: rectangles in the order of a curve that keeps neighbors together, above them the
/// bounds of each sixteen, of each sixteen of these, and so on.
#[derive(Debug)]
pub(super) struct PlaceIndex {
    /// The rectangles with their numbers, in the order of the curve.
    entries: Vec<(PixelRect, u32)>,
    /// Bounds of each [`FAN`] entries of the row before; the last has at most so many.
    rows: Vec<Vec<PixelRect>>,
}

impl PlaceIndex {
    /// An index of rectangles by their number, empty ones left out.
    pub(super) fn new(rects: impl Iterator<Item = PixelRect>) -> Self {
        let numbered = rects.zip(0..).filter(|(rect, _)| !rect.is_empty());
        let mut entries: Vec<(PixelRect, u32)> = numbered.collect();
        entries.sort_by_cached_key(|(rect, _)| curve_place(*rect));
        let mut rows = Vec::new();
        let mut row: Vec<PixelRect> = entries.chunks(FAN).map(bounds_of_entries).collect();
        while row.len() > FAN {
            let above = row.chunks(FAN).map(bounds).collect();
            rows.push(std::mem::replace(&mut row, above));
        }
        rows.push(row);
        Self { entries, rows }
    }

    /// The numbers of the rectangles that share a pixel with `rect`, rising.
    pub(super) fn touching(&self, rect: PixelRect) -> Vec<u32> {
        let touches = |other: &PixelRect| !other.intersect(rect).is_empty();
        let mut found: Vec<usize> = match self.rows.last() {
            Some(top) => (0..top.len()).filter(|&at| touches(&top[at])).collect(),
            None => return Vec::new(),
        };
        for row in self.rows.iter().rev().skip(1) {
            let below = found.iter().flat_map(|&at| children(at, row.len()));
            found = below.filter(|&at| touches(&row[at])).collect();
        }
        let entries = found
            .iter()
            .flat_map(|&at| &self.entries[children(at, self.entries.len())]);
        let hits = entries.filter(|(place, _)| touches(place));
        let mut numbers: Vec<u32> = hits.map(|&(_, number)| number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether any of the rectangles shares a pixel with `rect`.
    pub(super) fn has_any(&self, rect: PixelRect) -> bool {
        let top = self.rows.last().map_or(0, Vec::len);
        self.has_any_of(0..top, self.rows.len(), rect)
    }

    /// Whether one below these bounds of the row under `height` does; of the entries where that is 0.
    fn has_any_of(&self, mut places: Range<usize>, height: usize, rect: PixelRect) -> bool {
        let touches = |other: &PixelRect| !other.intersect(rect).is_empty();
        let Some(row) = height.checked_sub(1) else {
            return self.entries[places].iter().any(|(place, _)| touches(place));
        };
        let len_below = match row.checked_sub(1) {
            Some(below) => self.rows[below].len(),
            None => self.entries.len(),
        };
        places.any(|at| {
            touches(&self.rows[row][at]) && self.has_any_of(children(at, len_below), row, rect)
        })
    }
}

fn children(at: usize, len: usize) -> Range<usize> {
    (at * FAN).min(len)..((at + 1) * FAN).min(len)
}

fn bounds(rects: &[PixelRect]) -> PixelRect {
    let empty = PixelRect::new(0, 0, 0, 0);
    let united = rects.iter().copied().reduce(PixelRect::union);
    united.unwrap_or(empty)
}

fn bounds_of_entries(entries: &[(PixelRect, u32)]) -> PixelRect {
    let rects: Vec<PixelRect> = entries.iter().map(|(rect, _)| *rect).collect();
    bounds(&rects)
}

/// The place of a rectangle's middle along a Z-shaped curve.
fn curve_place(rect: PixelRect) -> u64 {
    let middle = |from: u32, len: u32| from + len / 2;
    spread(middle(rect.x, rect.width)) | (spread(middle(rect.y, rect.height)) << 1)
}

/// The bits of a number with a zero between any two.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | (bits << 16)) & 0x0000_FFFF_0000_FFFF;
    bits = (bits | (bits << 8)) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | (bits << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    bits = (bits | (bits << 2)) & 0x3333_3333_3333_3333;
    (bits | (bits << 1)) & 0x5555_5555_5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_finds_what_a_look_at_all_finds() {
        let rects: Vec<PixelRect> = (0..1_500_u32)
            .map(|at| {
                let (x, y) = (at * 7_919 % 5_003, at * 104_729 % 4_001);
                let side = if at % 97 == 0 { 900 } else { at % 61 };
                PixelRect::new(x, y, side, side / 2 + at % 3)
            })
            .collect();
        let index = PlaceIndex::new(rects.iter().copied());
        for at in 0..200_u32 {
            let asked = PixelRect::new(at * 31 % 5_000, at * 57 % 4_000, at * 3 % 400, at + 1);
            let hits = (0..).zip(&rects).filter(|(_, rect)| {
                let shared = rect.intersect(asked);
                !shared.is_empty()
            });
            let expected: Vec<u32> = hits.map(|(number, _)| number).collect();
            assert_eq!(index.has_any(asked), !expected.is_empty(), "{asked:?}");
            assert_eq!(index.touching(asked), expected, "{asked:?}");
        }
    }

    #[test]
    fn nothing_lies_in_an_empty_index() {
        let index = PlaceIndex::new(std::iter::empty());
        assert!(index.touching(PixelRect::new(0, 0, 9, 9)).is_empty());
        assert!(!index.has_any(PixelRect::new(0, 0, 9, 9)));
    }
}
