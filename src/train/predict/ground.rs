//! Predictions of ground that is no rectangle: which of their blocks are finished, and the ground as
//! a file.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::{fs, io};

use crate::disk::replace_file;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, MaskTile, UNLABELED};

/// Blocks of a prediction that are finished.
#[derive(Clone, Debug, Default)]
pub struct DoneBlocks {
    /// Those that have all of their pixels.
    whole: HashSet<PixelRect>,
    /// Those that have them on some ground alone, by its checksum.
    in_part: HashMap<u32, HashSet<PixelRect>>,
}

impl DoneBlocks {
    /// Notes a block with these classes, predicted on the ground of this checksum alone or, without
    /// one, on a rectangle.
    pub fn note(&mut self, rect: PixelRect, ground: Option<u32>, classes: &[u8]) {
        let blocks = match ground {
            Some(sum) if classes.contains(&UNLABELED) => self.in_part.entry(sum).or_default(),
            _ => &mut self.whole,
        };
        blocks.insert(rect);
    }

    /// The blocks that need not be predicted again on the ground of this checksum or, without one,
    /// on a rectangle.
    pub fn known(&self, ground: Option<u32>) -> HashSet<PixelRect> {
        let in_part = ground.and_then(|sum| self.in_part.get(&sum));
        let all = self.whole.iter().chain(in_part.into_iter().flatten());
        all.copied().collect()
    }
}

/// Writes the tiles of `ground` that are not empty: column, row, number of bytes (32 bits each,
/// little-endian), and the tile's bytes.
pub(super) fn save_ground(path: &Path, ground: &Mask) -> io::Result<()> {
    let mut bytes = Vec::new();
    let is_empty = |tile: &MaskTile| tile.uniform_class() == Some(UNLABELED);
    for (col, row, tile) in ground.tiles().filter(|(.., tile)| !is_empty(tile)) {
        let tile = tile.to_bytes();
        let head = [col, row, tile.len() as u32].map(u32::to_le_bytes);
        bytes.extend(head.concat());
        bytes.extend(tile);
    }
    replace_file(path, &bytes).map_err(io::Error::other)
}

/// The ground of an image of `size` that was written; `None` when its checksum is another one.
pub(super) fn load_ground(path: &Path, size: ImageSize, sum: u32) -> Option<Mask> {
    let bytes = fs::read(path).ok()?;
    let (mut rest, mut ground) = (&bytes[..], Mask::new(size));
    while !rest.is_empty() {
        let (head, behind) = rest.split_at_checked(12)?;
        let number = |at: usize| Some(u32::from_le_bytes(head[at..at + 4].try_into().ok()?));
        let (tile, behind) = behind.split_at_checked(number(8)? as usize)?;
        ground.put_tile(number(0)?, number(4)?, MaskTile::from_bytes(tile)?);
        rest = behind;
    }
    (ground.checksum() == sum).then_some(ground)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_block_are_known_on_their_own_ground_alone() {
        let [one, other] = [0, 1].map(|at| PixelRect::new(at * 4, 0, 4, 1));
        let mut done = DoneBlocks::default();
        done.note(one, Some(7), &[0, 1, UNLABELED, 2]);
        assert_eq!(done.known(Some(7)), HashSet::from([one]));
        assert_eq!(done.known(Some(8)), HashSet::new());
        assert_eq!(done.known(None), HashSet::new());
        done.note(other, Some(7), &[0, 1, 1, 2]);
        assert_eq!(done.known(Some(7)), HashSet::from([one, other]));
        assert_eq!(done.known(None), HashSet::from([other]));
        // Ground without data is finished, too.
        done.note(one, None, &[UNLABELED; 4]);
        assert_eq!(done.known(Some(8)), HashSet::from([one, other]));
    }

    #[test]
    fn a_ground_comes_back_from_its_file_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, size) = (folder.path().join("ground"), ImageSize::new(700, 600));
        let mut ground = Mask::new(size);
        ground.fill_rect(PixelRect::new(200, 250, 400, 350), 0);
        save_ground(&path, &ground).expect("written");
        let sum = ground.checksum();
        assert_eq!(load_ground(&path, size, sum), Some(ground));
        assert_eq!(load_ground(&path, size, sum ^ 1), None);
        let whole = fs::read(&path).expect("a file");
        for cut in (0..whole.len()).step_by(97) {
            replace_file(&path, &whole[..cut]).expect("written");
            assert_eq!(load_ground(&path, size, sum), None, "{cut}");
        }
    }
}
