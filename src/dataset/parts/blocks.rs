use serde::{Deserialize, Serialize};

use super::folds::folds_of;
use super::{Part, Shares};
use crate::dataset::{DatasetError, hash};
use crate::geom::{ImageSize, PixelRect};

/// Training keeps a block's side over this away from blocks of other parts.
const MARGIN_SHARE: u32 = 4;
/// Most blocks of one image; more would only cost memory.
const MOST_BLOCKS: u64 = 4_000_000;

/// A block of an image and what it is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartBlock {
    /// The ground, in image pixels, cut at the image's edge.
    pub rect: PixelRect,
    /// Its part.
    pub part: Part,
}

/// The blocks of one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockParts {
    /// Side of a whole block in pixels.
    pub side: u32,
    /// Distance in pixels that training patches keep from blocks of other parts.
    pub margin: u32,
    /// All blocks with labels, by row.
    pub blocks: Vec<PartBlock>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl BlockParts {
    /// Ground that no training patch may touch.
    pub fn blocked(&self) -> Vec<PixelRect> {
        let held = self.blocks.iter().filter(|block| block.part != Part::Train);
        held.map(|block| block.rect.grown(self.margin)).collect()
    }
}

/// How the blocks of an image become parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BlockChoice {
    /// Each part gets its share of the blocks, held-out parts at least one.
    Shares(Shares),
    /// One of `folds` portions validates.
    Fold {
        /// Number of portions.
        folds: u32,
        /// The portion that validates, from 0.
        fold: u32,
    },
}

/// Cuts an image of `size` into blocks of `side` and gives each block that `is_labelled` a part.
///
/// The blocks with the smallest `hash(seed, column, row)` validate, as in a split of two parts; the
/// next ones test.
///
/// # Errors
/// When the blocks are too small for the image, the shares are no numbers, or no block is left to
/// train with.
pub fn block_parts(
    size: ImageSize,
    side: u32,
    choice: BlockChoice,
    seed: u64,
    is_labelled: impl Fn(PixelRect) -> bool,
) -> Result<BlockParts, DatasetError> {
    let side = side.max(1);
    let (cols, rows) = (size.width.div_ceil(side), size.height.div_ceil(side));
    if u64::from(cols) * u64::from(rows) > MOST_BLOCKS {
        return Err(DatasetError::TooLittle(format!(
            "Blocks of {side} pixels are too small for an image of {} × {}; use larger blocks",
            size.width, size.height
        )));
    }
    let rect = |(col, row): (u32, u32)| {
        PixelRect::new(col * side, row * side, side, side).intersect(size.bounds())
    };
    let mut order: Vec<(u32, u32)> = (0..rows)
        .flat_map(|row| (0..cols).map(move |col| (col, row)))
        .filter(|&at| is_labelled(rect(at)))
        .collect();
    order.sort_by_key(|&(col, row)| (hash(&[seed, u64::from(col), u64::from(row)]), row, col));
    let (parts, notes) = match choice {
        BlockChoice::Shares(shares) => shared(order.len(), &shares)?,
        BlockChoice::Fold { folds, fold } => {
            let folds = folds_of(&vec![1; order.len()], folds, fold)?;
            let part = |its: u32| {
                if its == fold {
                    Part::Validation
                } else {
                    Part::Train
                }
            };
            (folds.into_iter().map(part).collect(), Vec::new())
        }
    };
    let mut blocks: Vec<PartBlock> = order
        .into_iter()
        .zip(parts)
        .map(|(at, part)| PartBlock {
            rect: rect(at),
            part,
        })
        .collect();
    blocks.sort_by_key(|block| (block.rect.y, block.rect.x));
    Ok(BlockParts {
        side,
        margin: side / MARGIN_SHARE,
        blocks,
        notes,
    })
}

/// The parts of `count` blocks in the order of their hashes.
fn shared(count: usize, shares: &Shares) -> Result<(Vec<Part>, Vec<String>), DatasetError> {
    let [_, validation, test] = shares.normal().map_err(DatasetError::TooLittle)?;
    let wanted = |share: f64| match (share * count as f64).round() as usize {
        0 if share > 0.0 => 1,
        wanted => wanted,
    };
    let (validation, test) = (wanted(validation), wanted(test));
    if validation + test >= count {
        return Err(DatasetError::TooLittle(format!(
            "{count} blocks with labels are too few for the parts; use smaller blocks or label \
             more ground"
        )));
    }
    let mut parts = vec![Part::Train; count];
    parts[..validation].fill(Part::Validation);
    parts[validation..validation + test].fill(Part::Test);
    let notes =
        (validation == 0).then(|| "The validation part is empty: its share is 0".to_owned());
    Ok((parts, notes.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: BlockChoice = BlockChoice::Shares(Shares {
        train: 80.0,
        validation: 10.0,
        test: 10.0,
    });

    fn count(found: &BlockParts, part: Part) -> usize {
        found
            .blocks
            .iter()
            .filter(|block| block.part == part)
            .count()
    }

    #[test]
    fn blocks_become_three_parts_and_validation_does_not_depend_on_test() {
        let size = ImageSize::new(512 * 8, 512 * 5 - 12);
        let found = block_parts(size, 512, THREE, 7, |_| true).expect("blocks");
        let counts = Part::ALL.map(|part| count(&found, part));
        assert_eq!((counts, found.margin), ([32, 4, 4], 128));
        assert_eq!(
            found.blocks[39].rect,
            PixelRect::new(512 * 7, 2048, 512, 500)
        );
        assert_eq!(found.blocked().len(), 8);
        let two = BlockChoice::Shares(Shares::default());
        let two = block_parts(size, 512, two, 7, |_| true).expect("blocks");
        let validates = |block: &&PartBlock| block.part == Part::Validation;
        let three: Vec<_> = found.blocks.iter().filter(validates).collect();
        assert_eq!(
            two.blocks.iter().filter(validates).collect::<Vec<_>>(),
            three
        );
    }

    #[test]
    fn every_block_validates_in_one_fold() {
        let size = ImageSize::new(500, 300);
        let mut validated = std::collections::BTreeMap::new();
        for fold in 0..3 {
            let choice = BlockChoice::Fold { folds: 3, fold };
            let found = block_parts(size, 100, choice, 1, |rect| rect.x > 0).expect("blocks");
            assert_eq!(found.blocks.len(), 12);
            for block in found
                .blocks
                .iter()
                .filter(|block| block.part == Part::Validation)
            {
                *validated.entry((block.rect.x, block.rect.y)).or_insert(0) += 1;
            }
        }
        assert!(validated.len() == 12 && validated.values().all(|&times| times == 1));
    }

    #[test]
    fn too_few_or_too_many_blocks_are_refused() {
        let size = ImageSize::new(1000, 500);
        assert!(block_parts(size, 512, THREE, 1, |_| true).is_err());
        assert!(block_parts(size, 512, THREE, 1, |_| false).is_err());
        let vast = ImageSize::new(u32::MAX, u32::MAX);
        assert!(block_parts(vast, 0, THREE, 1, |_| true).is_err());
    }
}
