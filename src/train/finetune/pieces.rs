use crate::geom::PixelRect;
use crate::metrics::Confusion;

/// Whether two squares of ground share a border, a corner or more.
pub(super) fn touch(one: PixelRect, other: PixelRect) -> bool {
    !one.grown(1).intersect(other).is_empty()
}

/// Ground that hangs together, and what two models say of it. What lies side by side errs alike, so
/// an interval is drawn from whole pieces.
#[derive(Debug)]
pub(super) struct Piece {
    image: usize,
    blocks: Vec<PixelRect>,
    both: [Confusion; 2],
}

impl Piece {
    /// A block of the image of this number.
    pub(super) fn new(image: usize, block: PixelRect, both: [Confusion; 2]) -> Self {
        let blocks = vec![block];
        Self {
            image,
            blocks,
            both,
        }
    }

    /// What both models say of it.
    pub(super) fn both(&self) -> &[Confusion; 2] {
        &self.both
    }

    /// `pieces` and `new`, which becomes one with those that it touches.
    pub(super) fn added(pieces: Vec<Self>, new: Self) -> Vec<Self> {
        let (touching, mut apart): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| piece.touches(&new));
        apart.push(touching.into_iter().fold(new, Self::joined));
        apart
    }

    fn touches(&self, other: &Self) -> bool {
        let mut pairs = (self.blocks.iter())
            .flat_map(|&block| other.blocks.iter().map(move |&next| (block, next)));
        self.image == other.image && pairs.any(|(block, next)| touch(block, next))
    }

    fn joined(mut self, other: Self) -> Self {
        self.blocks.extend(other.blocks);
        for (sum, counts) in self.both.iter_mut().zip(&other.both) {
            sum.merge(counts);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(image: usize, col: u32, row: u32) -> Piece {
        let mut counts = Confusion::new(2);
        counts.add_many(1, 1, 10);
        let block = PixelRect::new(col * 256, row * 256, 256, 256);
        Piece::new(image, block, [counts.clone(), counts])
    }

    #[test]
    fn what_touches_is_one_piece_however_it_came() {
        // The last one joins the first three; what lies alike in another image does not.
        let blocks = [
            (0, 0, 0),
            (0, 2, 0),
            (0, 2, 2),
            (0, 9, 9),
            (1, 1, 1),
            (0, 1, 1),
        ];
        let pieces = blocks
            .into_iter()
            .fold(Vec::new(), |pieces, (image, col, row)| {
                Piece::added(pieces, piece(image, col, row))
            });
        let mut pixels: Vec<u64> = (pieces.iter()).map(|at| at.both()[1].pixels()).collect();
        pixels.sort_unstable();
        assert_eq!(pixels, [10, 10, 40]);
    }
}
