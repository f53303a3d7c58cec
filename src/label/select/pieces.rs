use super::super::sets::Sets;
use super::lab::LabPixels;
use super::slic::NO_LABEL;

/// Splits labels into 4-connected pieces, joins pieces of fewer than `min_pixels` pixels to the
/// neighboring piece of the most similar mean color, and numbers what there is from zero in the
/// order of their first pixels; the number of pieces.
///
/// A piece that only nodata surrounds stays, however small.
pub(super) fn join_pieces(
    labels: &mut [u32],
    width: usize,
    lab: &LabPixels,
    min_pixels: usize,
) -> usize {
    let mut pieces = Pieces::of(labels, width, lab);
    // Pieces joined in one pass may still be too small, or have met no neighbor but each other.
    while pieces.join_small(labels, width, min_pixels) {}
    pieces.number(labels)
}

/// 4-connected pixels of one label.
#[derive(Clone, Copy, Default)]
struct Piece {
    /// Where its pixels are in the list of all pixels.
    first: usize,
    end: usize,
    /// Number of pixels and their summed colors; those of all joined pieces at the root.
    count: usize,
    color: [f64; 3],
}

/// All pieces; labels are piece numbers meanwhile.
struct Pieces {
    pieces: Vec<Piece>,
    /// Pixel indices, piece by piece.
    pixels: Vec<u32>,
    /// Which pieces have been joined.
    joined: Sets,
}

impl Pieces {
    fn of(labels: &mut [u32], width: usize, lab: &LabPixels) -> Self {
        let mut all = Self {
            pieces: Vec::new(),
            pixels: Vec::with_capacity(labels.len()),
            joined: Sets::default(),
        };
        let old = labels.to_vec();
        labels.fill(NO_LABEL);
        for start in 0..old.len() {
            if old[start] == NO_LABEL || labels[start] != NO_LABEL {
                continue;
            }
            let number = all.pieces.len() as u32;
            let first = all.pixels.len();
            labels[start] = number;
            all.pixels.push(start as u32);
            let (mut at, mut color) = (first, [0.0; 3]);
            // The list is the queue as well.
            while let Some(&index) = all.pixels.get(at) {
                at += 1;
                let index = index as usize;
                let sums = color.iter_mut().zip(lab.get(index));
                sums.for_each(|(sum, value)| *sum += f64::from(value));
                for next in sides(index, width, old.len()).into_iter().flatten() {
                    if old[next] == old[start] && labels[next] == NO_LABEL {
                        labels[next] = number;
                        all.pixels.push(next as u32);
                    }
                }
            }
            all.pieces.push(Piece {
                first,
                end: at,
                count: at - first,
                color,
            });
            all.joined.add_one();
        }
        all
    }

    /// Joins each piece that is too small to a neighbor; whether there was one to join.
    fn join_small(&mut self, labels: &[u32], width: usize, min_pixels: usize) -> bool {
        let mut is_changed = false;
        for number in 0..self.pieces.len() as u32 {
            let root = self.joined.root(number);
            if self.pieces[root as usize].count >= min_pixels {
                continue;
            }
            if let Some(other) = self.likest_neighbor(number, root, labels, width) {
                let kept = self.joined.join(root, other);
                let Piece { count, color, .. } = self.pieces[root.max(other) as usize];
                let target = &mut self.pieces[kept as usize];
                target.count += count;
                let sums = target.color.iter_mut().zip(color);
                sums.for_each(|(sum, value)| *sum += value);
                is_changed = true;
            }
        }
        is_changed
    }

    /// The piece most similar to `root` among those that touch the pixels of `number`.
    fn likest_neighbor(
        &mut self,
        number: u32,
        root: u32,
        labels: &[u32],
        width: usize,
    ) -> Option<u32> {
        let Piece { first, end, .. } = self.pieces[number as usize];
        let own = self.pieces[root as usize].mean();
        let mut best: Option<(f64, u32)> = None;
        for at in first..end {
            let index = self.pixels[at] as usize;
            for next in sides(index, width, labels.len()).into_iter().flatten() {
                if labels[next] == NO_LABEL || labels[next] == number {
                    continue;
                }
                let other = self.joined.root(labels[next]);
                if other == root || best.is_some_and(|(_, known)| known == other) {
                    continue;
                }
                let mean = self.pieces[other as usize].mean();
                let distance = own.iter().zip(mean).map(|(p, q)| (p - q) * (p - q)).sum();
                // Equally similar ones by number, so that the order of pixels does not matter.
                if best.is_none_or(|best| (distance, other) < best) {
                    best = Some((distance, other));
                }
            }
        }
        best.map(|(_, other)| other)
    }

    fn number(mut self, labels: &mut [u32]) -> usize {
        let mut numbers = vec![NO_LABEL; self.pieces.len()];
        let mut count = 0;
        // Pieces are in the order of their first pixels already.
        for piece in 0..self.pieces.len() as u32 {
            let root = self.joined.root(piece) as usize;
            if numbers[root] == NO_LABEL {
                numbers[root] = count;
                count += 1;
            }
            numbers[piece as usize] = numbers[root];
        }
        for label in labels.iter_mut().filter(|label| **label != NO_LABEL) {
            *label = numbers[*label as usize];
        }
        count as usize
    }
}

impl Piece {
    fn mean(&self) -> [f64; 3] {
        self.color.map(|sum| sum / self.count as f64)
    }
}

/// The pixels at the four sides of one.
fn sides(index: usize, width: usize, len: usize) -> [Option<usize>; 4] {
    let x = index % width;
    [
        (x > 0).then(|| index - 1),
        (x + 1 < width).then_some(index + 1),
        index.checked_sub(width),
        (index + width < len).then_some(index + width),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speck_goes_to_the_likest_neighbor_and_far_parts_are_told_apart() {
        // The label of each pixel and, as its color, the same number.
        let text = "0000111\n\
                    0200111\n\
                    0000111\n\
                    1111333\n\
                    1111333";
        let digits: Vec<u32> = text
            .chars()
            .filter_map(|digit| digit.to_digit(10))
            .collect();
        let grays = [
            [0, 0, 0, 255],
            [200, 200, 200, 255],
            [120, 0, 0, 255],
            [90, 90, 90, 255],
        ];
        let pixels: Vec<[u8; 4]> = digits.iter().map(|&digit| grays[digit as usize]).collect();
        let mut labels = digits;
        assert_eq!(join_pieces(&mut labels, 7, &LabPixels::of(&pixels), 2), 4);
        let rows: Vec<String> = labels
            .chunks(7)
            .map(|row| row.iter().map(u32::to_string).collect())
            .collect();
        assert_eq!(
            rows,
            ["0000111", "0000111", "0000111", "2222333", "2222333"]
        );
    }
}
