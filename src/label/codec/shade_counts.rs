use std::collections::HashMap;

use super::super::MaskError;
use super::rows::RowReader;
use super::shades::Shade;

/// Colors of a file that are told apart: 24 MB at most. Lossy compression makes some ten thousand.
const MOST_LISTED: usize = 1 << 18;

/// Shades that [`Evidence`](super::meaning::Evidence) takes for a list, as a mask can number them.
const MOST_NUMBERED: usize = 256;

/// How often a shade occurs in a file, and where first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) pixels: u64,
    pub(super) at: (u32, u32),
}

/// The shades of a mask file.
pub(super) struct ShadeCounts {
    listed: HashMap<Shade, Occurrence>,
    /// Pixels of shades past the most that are listed.
    pub(super) unlisted: u64,
}

impl ShadeCounts {
    /// Reads all of the file.
    pub(super) fn read(reader: &mut RowReader) -> Result<Self, MaskError> {
        let mut counts = Self {
            listed: HashMap::new(),
            unlisted: 0,
        };
        // Numbers are counted at their place, as hashing each of a grainy file's takes long.
        let mut numbers: Vec<Option<Occurrence>> = vec![None; 1 << 16];
        while let Some((ground, pixels)) = reader.next_band()? {
            for (place, num_pixels) in runs(&pixels, reader.form.bytes()) {
                let bytes = place * reader.form.bytes()..(place + 1) * reader.form.bytes();
                let shade = Shade::of(&pixels[bytes], reader.form);
                let (x, y) = (place as u32 % ground.width, place as u32 / ground.width);
                let run = Occurrence {
                    pixels: num_pixels as u64,
                    at: (ground.x + x, ground.y + y),
                };
                counts.add(&mut numbers, shade, run);
            }
        }
        let number = |(number, occurrence): (usize, Option<Occurrence>)| {
            Some((Shade::Number(number as u16), occurrence?))
        };
        counts
            .listed
            .extend(numbers.into_iter().enumerate().filter_map(number));
        Ok(counts)
    }

    fn add(&mut self, numbers: &mut [Option<Occurrence>], shade: Shade, run: Occurrence) {
        let first = Occurrence { pixels: 0, ..run };
        match shade {
            Shade::Number(number) => {
                numbers[usize::from(number)].get_or_insert(first).pixels += run.pixels;
            }
            shade if self.listed.len() < MOST_LISTED || self.listed.contains_key(&shade) => {
                self.listed.entry(shade).or_insert(first).pixels += run.pixels;
            }
            _ => self.unlisted += run.pixels,
        }
    }

    /// The shades with how often they occur, most frequent first, then by number or color.
    pub(super) fn by_frequency(&self) -> Vec<(Shade, Occurrence)> {
        let mut all: Vec<_> = self
            .listed
            .iter()
            .map(|(&shade, &found)| (shade, found))
            .collect();
        all.sort_unstable_by_key(|&(shade, found)| (std::cmp::Reverse(found.pixels), shade));
        all
    }

    /// Every shade in order; `None` when they are too many for a mask to number.
    pub(super) fn occurring(&self) -> Option<Vec<Shade>> {
        let mut shades: Vec<Shade> = self.listed.keys().copied().collect();
        shades.sort_unstable();
        (self.unlisted == 0 && shades.len() <= MOST_NUMBERED).then_some(shades)
    }

    /// How many shades are told apart, transparency not counted.
    pub(super) fn num_opaque(&self) -> usize {
        self.listed.len() - usize::from(self.listed.contains_key(&Shade::Clear))
    }
}

/// Where equal pixels begin and how many follow each other, both in pixels.
fn runs(pixels: &[u8], bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (at, first) = (start, pixels.get(start * bytes..(start + 1) * bytes)?);
        let rest = pixels[at * bytes..].chunks_exact(bytes);
        let length = rest.take_while(|pixel| *pixel == first).count();
        start += length;
        Some((at, length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbors_are_one_run() {
        let found = |pixels: &[u8], bytes| runs(pixels, bytes).collect::<Vec<_>>();
        assert_eq!(found(&[4, 4, 5, 4], 1), [(0, 2), (2, 1), (3, 1)]);
        assert_eq!(found(&[4, 4, 5, 4], 2), [(0, 1), (1, 1)]);
        assert_eq!(found(&[], 1), []);
    }
}
