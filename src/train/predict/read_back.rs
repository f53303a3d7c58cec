use std::path::Path;

use super::blocks::{KeptBlocks, PLANES};
use super::ground::DoneBlocks;
use crate::geom::ImageSize;
use crate::label::Mask;
use crate::train::block_file::BlockFile;
use crate::train::{Certainty, DecisionThreshold};

/// Blocks of predictions that are read back from the disk.
pub(super) struct ReadBlocks {
    /// Classes, and how sure they are by the usual measure.
    pub masks: [Mask; 2],
    /// The same with all measures, where they lie.
    pub on_disk: KeptBlocks,
    pub done: DoneBlocks,
    threshold: DecisionThreshold,
}

impl ReadBlocks {
    /// None yet, of an image of `size` that the model of `run` predicted at this threshold.
    pub fn new(size: ImageSize, run: &Path, threshold: DecisionThreshold) -> Self {
        Self {
            masks: [(); 2].map(|()| Mask::new(size)),
            on_disk: KeptBlocks::new(run),
            done: DoneBlocks::default(),
            threshold,
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
        let usual = 1 + usual.unwrap_or_default();
        let mut count = 0;
        for rect in blocks.known() {
            let planes = [0, usual].map(|plane| blocks.read(rect, plane));
            if rect.intersect(bounds) == rect
                && let [Ok(Some(mut classes)), Ok(Some(sure))] = planes
            {
                self.threshold.decide(&mut classes, &sure);
                self.done.note(rect, ground, &classes);
                self.masks[0].lay_over_rect(rect, classes);
                self.masks[1].lay_over_rect(rect, sure);
                count += 1;
            }
        }
        self.on_disk.take_in(blocks, ground);
        count
    }
}
