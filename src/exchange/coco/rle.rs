use std::collections::BTreeSet;

use super::super::Region;
use crate::geom::ImageSize;

/// Lengths of runs of pixels that are outside and inside by turns, outside first, column by column.
///
/// The sum is the number of the image's pixels; pixel (x, y) is number x · height + y.
#[derive(Debug, Default)]
struct Counts {
    lengths: Vec<u64>,
    /// The number of the pixel behind the last run.
    end: u64,
}

impl Counts {
    /// Takes pixels inside, which lie behind all that came before.
    fn add(&mut self, start: u64, len: u64) {
        match self.lengths.last_mut() {
            Some(last) if start == self.end => *last += len,
            _ => self.lengths.extend([start - self.end, len]),
        }
        self.end = start + len;
    }
}

/// The run lengths of a region of an image of `size`.
///
/// An edge along a row separates inside from outside in each column it spans, so the runs of a
/// column lie between pairs of such edges.
pub(super) fn counts_of(region: &Region, size: ImageSize) -> Vec<u64> {
    let height = u64::from(size.height);
    let mut counts = Counts::default();
    let mut open = BTreeSet::new();
    let events = row_edge_ends(region);
    let mut next = events.iter().copied().peekable();
    while let Some(&(x, _)) = next.peek() {
        while let Some((_, y)) = next.next_if(|&(other, _)| other == x) {
            // An edge that ends where another begins goes on.
            if !open.remove(&y) {
                open.insert(y);
            }
        }
        let end = next.peek().map_or(x, |&(x, _)| x);
        let ys: Vec<u64> = open.iter().copied().map(u64::from).collect();
        for column in u64::from(x)..u64::from(end) {
            for pair in ys.chunks_exact(2) {
                counts.add(column * height + pair[0], pair[1] - pair[0]);
            }
        }
    }
    let rest = size.num_pixels() - counts.end;
    if rest > 0 || counts.lengths.is_empty() {
        counts.lengths.push(rest);
    }
    counts.lengths
}

/// Both ends (x, y) of every edge along a row, by columns.
fn row_edge_ends(region: &Region) -> Vec<(u32, u32)> {
    let mut ends = Vec::new();
    for ring in &region.rings {
        let next = ring.iter().cycle().skip(1);
        let along_row = ring.iter().zip(next).filter(|(a, b)| a.1 == b.1);
        ends.extend(along_row.flat_map(|(&a, &b)| [a, b]));
    }
    ends.sort_unstable();
    ends
}

/// Run lengths as the string of pycocotools (`rleToString` in `maskApi.c`): from the fourth one on
/// the difference to the last but one, in groups of five bits, the lowest first, each as a
/// character from `0` on; bit 5 says that more follow, bit 4 of the last one is the sign.
pub(super) fn compressed(counts: &[u64]) -> String {
    let mut text = String::new();
    for (index, &count) in counts.iter().enumerate() {
        let mut value = count as i64;
        if index > 2 {
            value -= counts[index - 2] as i64;
        }
        loop {
            let group = (value & 0x1f) as u8;
            value >>= 5;
            let is_last = value == if group & 0x10 == 0 { 0 } else { -1 };
            text.push(char::from(b'0' + (group | if is_last { 0 } else { 0x20 })));
            if is_last {
                break;
            }
        }
    }
    text
}

/// The run lengths of such a string, or what is wrong with it.
pub(super) fn decompressed(text: &str) -> Result<Vec<u64>, &'static str> {
    /// Twelve groups hold all numbers of pixels, and shifts stay within 64 bits.
    const MOST_GROUPS: u32 = 12;
    let mut counts: Vec<u64> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(mut byte) = bytes.next() {
        let (mut value, mut groups) = (0_i64, 0);
        loop {
            let group = byte.wrapping_sub(b'0');
            if group > 0x3f {
                return Err("its run lengths have a character that does not belong there");
            }
            value |= i64::from(group & 0x1f) << (5 * groups);
            groups += 1;
            if group & 0x20 == 0 {
                if group & 0x10 != 0 {
                    value |= -1 << (5 * groups);
                }
                break;
            }
            byte = bytes.next().ok_or("its run lengths end too early")?;
            if groups == MOST_GROUPS {
                return Err("it has a run length that is too large");
            }
        }
        if counts.len() > 2 {
            let before = counts[counts.len() - 2] as i64;
            value = value.checked_add(before).unwrap_or(-1);
        }
        counts.push(u64::try_from(value).map_err(|_negative| "it has a negative run length")?);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ring_of_pixels_in_a_small_image_is_counted_by_hand() {
        // A ring of eight pixels around one, in columns 1 to 3 and rows 0 to 2 of 5 × 4 pixels.
        let region = Region {
            class: 0,
            pixels: 8,
            rings: vec![
                vec![(1, 0), (1, 3), (4, 3), (4, 0)],
                vec![(2, 1), (3, 1), (3, 2), (2, 2)],
            ],
        };
        let counts = counts_of(&region, ImageSize::new(5, 4));
        assert_eq!(counts, [4, 3, 1, 1, 1, 1, 1, 3, 5]);
        // Full columns are one run.
        let whole = Region {
            class: 0,
            pixels: 6,
            rings: vec![vec![(0, 0), (0, 2), (3, 2), (3, 0)]],
        };
        assert_eq!(counts_of(&whole, ImageSize::new(3, 2)), [0, 6]);
    }

    #[test]
    fn strings_are_those_of_pycocotools() {
        for (counts, text) in EXAMPLES {
            assert_eq!(compressed(counts), *text);
            assert_eq!(decompressed(text).as_deref(), Ok(*counts));
        }
    }

    /// `mask.encode` of pycocotools for the ring above, for one pixel, for an image that is all
    /// inside, and for bars.
    const EXAMPLES: &[(&[u64], &str)] = &[
        (&[4, 3, 1, 1, 1, 1, 1, 3, 5], "431N00024"),
        (&[3_307, 1, 116_692], "[W31dna3"),
        (&[0, 120_000], "0PVe3"),
        (
            &[50_100, 50, 950, 50, 1_880, 870, 946_105, 1, 199_994],
            "dm`1b1fm00Rm0di0QSjl0kTOQ\\WYO",
        ),
    ];

    #[test]
    fn damaged_strings_are_told() {
        for (text, expected) in [
            ("o", "too early"),
            ("5 ", "character"),
            ("5é", "character"),
            ("oooooooooooooooooo0", "too large"),
            ("O", "negative"),
        ] {
            let reason = decompressed(text).expect_err("damaged");
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn strings_give_back_their_counts(counts in prop::collection::vec(
            prop_oneof![0_u64..40, 0_u64..1 << 40], 0..30,
        )) {
            prop_assert_eq!(decompressed(&compressed(&counts)), Ok(counts));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[0-o]{0,40}|.{0,20}") {
            let _either_is_fine = decompressed(&text);
        }
    }
}
