use std::io;
use std::path::Path;

use super::ground::DoneBlocks;
use crate::geom::{ImageSize, PixelRect};
use crate::label::Mask;
use crate::train::block_file::BlockFile;
use crate::train::{Certainty, KeptMeasures};

/// Classes, and by each measure how sure they are.
pub(super) const PLANES: usize = 1 + Certainty::ALL.len();

/// Blocks of predictions that are read back from the disk.
pub(super) struct ReadBlocks {
    /// Classes, and how sure they are by the usual measure.
    pub masks: [Mask; 2],
    /// How sure they are by all measures.
    pub measures: KeptMeasures,
    pub done: DoneBlocks,
}

impl ReadBlocks {
    /// None yet, of an image of `size` that the model of `run` predicted.
    pub fn new(size: ImageSize, run: &Path) -> Self {
        Self {
            masks: [(); 2].map(|()| Mask::new(size)),
            measures: KeptMeasures::new(run),
            done: DoneBlocks::default(),
        }
    }

    /// Lays the blocks in `folder` over what is there, which were predicted on the ground of this
    /// checksum alone or, without one, on rectangles; how many. What cannot be read is left out.
    pub fn add(&mut self, folder: &Path, ground: Option<u32>) -> u64 {
        let Ok(blocks) = BlockFile::look(&folder.join("blocks"), PLANES) else {
            return 0;
        };
        let bounds = self.masks[0].size().bounds();
        let mut all = Certainty::ALL.iter();
        let usual = all.position(|&one| one == Certainty::default());
        let mut count = 0;
        for rect in blocks.known() {
            if rect.intersect(bounds) == rect
                && let Ok((classes, mut sure)) = planes_of(&blocks, rect)
            {
                self.measures.put(rect, &sure);
                self.done.note(rect, ground, &classes);
                self.masks[0].lay_over_rect(rect, classes);
                self.masks[1].lay_over_rect(rect, sure.swap_remove(usual.unwrap_or_default()));
                count += 1;
            }
        }
        count
    }
}

/// Classes of a block and by each measure how sure they are, by row.
///
/// # Errors
/// When it is not there or cannot be read.
pub(super) fn planes_of(
    blocks: &BlockFile,
    rect: PixelRect,
) -> io::Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let gone = || io::Error::other("a finished block is gone");
    let plane = |at| blocks.read(rect, at)?.ok_or_else(gone);
    let sure = (1..PLANES).map(plane).collect::<io::Result<_>>()?;
    Ok((plane(0)?, sure))
}
