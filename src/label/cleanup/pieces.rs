use super::super::sets::Sets;
use super::super::tile::SIDE;

/// Pixels of one part of a tile that are joined by sides and have one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) key: u8,
    pub(super) num_pixels: u32,
}

/// The pieces of a part of a tile, and which of them each pixel belongs to.
///
/// Equal keys give equal labels each time, so that labels need not be kept to be used again. There
/// are at most as many pieces as a tile has pixels, so that a label takes 16 bits.
pub(super) struct Pieces {
    pub(super) pieces: Vec<Piece>,
    /// One label a pixel, row by row.
    pub(super) labels: Vec<u16>,
}

/// Neighbors of one key in a row.
struct Run {
    start: usize,
    end: usize,
    key: u8,
}

impl Pieces {
    /// Labels the pixels of `keys`, rows of `width`: runs of each row are joined to those above
    /// (Rosenfeld and Pfaltz 1966), and each set is numbered where it is met first.
    pub(super) fn new(keys: &[u8], width: usize) -> Self {
        debug_assert!(keys.len() <= SIDE * SIDE, "labels of 16 bits");
        let mut runs = Vec::new();
        let mut sets = Sets::default();
        let (mut above, mut row) = (0..0, 0);
        for line in keys.chunks_exact(width) {
            let first = runs.len();
            let mut start = row;
            for stretch in line.chunk_by(|a, b| a == b) {
                let end = start + stretch.len();
                runs.push(Run {
                    start,
                    end,
                    key: stretch[0],
                });
                sets.add_one();
                start = end;
            }
            join_rows(&runs, above, first..runs.len(), width, &mut sets);
            above = first..runs.len();
            row += width;
        }
        Self::from_runs(&runs, &sets.into_roots(), keys.len())
    }

    fn from_runs(runs: &[Run], roots: &[u32], num_pixels: usize) -> Self {
        let mut pieces = Vec::<Piece>::new();
        let mut label_of_run = Vec::<u16>::with_capacity(runs.len());
        let mut labels = vec![0; num_pixels];
        for (index, (run, &root)) in runs.iter().zip(roots).enumerate() {
            let label = if root as usize == index {
                pieces.push(Piece {
                    key: run.key,
                    num_pixels: 0,
                });
                (pieces.len() - 1) as u16
            } else {
                label_of_run[root as usize]
            };
            label_of_run.push(label);
            pieces[usize::from(label)].num_pixels += (run.end - run.start) as u32;
            labels[run.start..run.end].fill(label);
        }
        Self { pieces, labels }
    }
}

/// Joins runs of one row to those of the row above that they touch and whose key they share.
fn join_rows(
    runs: &[Run],
    above: std::ops::Range<usize>,
    below: std::ops::Range<usize>,
    width: usize,
    sets: &mut Sets,
) {
    let (mut a, mut b) = (above.start, below.start);
    while a < above.end && b < below.end {
        let (upper, lower) = (&runs[a], &runs[b]);
        if upper.key == lower.key {
            sets.join(a as u32, b as u32);
        }
        // Both rows are covered without gaps, so the runs at (a, b) always touch.
        let (upper_end, lower_end) = (upper.end + width, lower.end);
        a += usize::from(upper_end <= lower_end);
        b += usize::from(lower_end <= upper_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_that_meet_below_are_one_piece() {
        let keys = [
            1, 0, 1, 0, 2, //
            1, 0, 1, 0, 2, //
            1, 1, 1, 2, 0,
        ];
        let pieces = Pieces::new(&keys, 5);
        let sizes: Vec<_> = pieces
            .pieces
            .iter()
            .map(|p| (p.key, p.num_pixels))
            .collect();
        assert_eq!(sizes, [(1, 7), (0, 2), (0, 2), (2, 2), (2, 1), (0, 1)]);
        assert_eq!(pieces.labels, [0, 1, 0, 2, 3, 0, 1, 0, 2, 3, 0, 0, 0, 4, 5]);
    }

    #[test]
    fn a_checkerboard_has_as_many_pieces_as_labels() {
        let keys: Vec<u8> = (0..SIDE * SIDE)
            .map(|at| ((at / SIDE + at) % 2) as u8)
            .collect();
        let pieces = Pieces::new(&keys, SIDE);
        assert_eq!(pieces.pieces.len(), 65_536);
        assert_eq!(pieces.labels[65_535], 65_535);
    }
}
