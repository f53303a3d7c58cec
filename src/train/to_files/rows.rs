use std::collections::HashMap;
use std::io;

use crate::geom::PixelRect;
use crate::label::UNLABELED;
use crate::train::block_file::BlockFile;

/// One plane of finished blocks read as whole rows, holding one row of blocks.
pub(super) struct PlaneRows<'a> {
    file: &'a BlockFile,
    blocks: &'a [PixelRect],
    plane: usize,
    held: HashMap<PixelRect, Vec<u8>>,
}

impl<'a> PlaneRows<'a> {
    /// Reads plane `plane` of `blocks`, all of which are in `file`.
    pub(super) fn new(file: &'a BlockFile, blocks: &'a [PixelRect], plane: usize) -> Self {
        Self {
            file,
            blocks,
            plane,
            held: HashMap::new(),
        }
    }

    /// The bytes of `rect`, by row; [`UNLABELED`] where there is no block.
    pub(super) fn read(&mut self, rect: PixelRect) -> io::Result<Vec<u8>> {
        let mut rows = vec![UNLABELED; rect.num_pixels() as usize];
        self.held
            .retain(|block, _| !block.intersect(rect).is_empty());
        for &block in self.blocks {
            let part = block.intersect(rect);
            if part.is_empty() {
                continue;
            }
            if !self.held.contains_key(&block) {
                let gone = || io::Error::other("a finished block is gone");
                let pixels = self.file.read(block, self.plane)?.ok_or_else(gone)?;
                self.held.insert(block, pixels);
            }
            copy(&self.held[&block], block, &mut rows, rect, part);
        }
        Ok(rows)
    }
}

/// Copies `part` from the pixels of `block` to those of `rect`.
fn copy(from: &[u8], block: PixelRect, to: &mut [u8], rect: PixelRect, part: PixelRect) {
    let width = part.width as usize;
    let start =
        |of: PixelRect, y: u32| (y - of.y) as usize * of.width as usize + (part.x - of.x) as usize;
    for y in part.y..part.bottom() {
        to[start(rect, y)..][..width].copy_from_slice(&from[start(block, y)..][..width]);
    }
}
