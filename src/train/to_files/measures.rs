use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};
use crate::train::Certainty;
use crate::train::block_file::BlockFile;

/// How sure a prediction is by each of [`Certainty::ALL`], block by block in a file without a name:
/// a measure that nobody looks at takes no memory.
pub struct KeptMeasures {
    folder: PathBuf,
    blocks: Mutex<Blocks>,
}

enum Blocks {
    /// Nothing was predicted yet.
    None,
    There(BlockFile),
    /// The disk refused; why.
    Refused(String),
}

impl KeptMeasures {
    /// Of a prediction that begins; the file is made with its first block, in `folder` (the
    /// network's own) or, where that refuses, among the temporary files.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            blocks: Mutex::new(Blocks::None),
        }
    }

    /// Keeps a block: a plane for each measure, 0 to 254; where one says 255, what was kept before
    /// stays. A disk that refuses costs the measures, not the prediction.
    pub(in crate::train) fn put(&self, rect: PixelRect, planes: &[Vec<u8>]) {
        let mut blocks = self.blocks();
        if matches!(*blocks, Blocks::None) {
            *blocks = match BlockFile::nameless(&self.folder, planes.len()) {
                Ok(file) => Blocks::There(file),
                Err(error) => Blocks::Refused(error.to_string()),
            };
        }
        if let Blocks::There(file) = &mut *blocks
            && let Err(error) = put_over(file, rect, planes)
        {
            *blocks = Blocks::Refused(error.to_string());
        }
    }

    /// What one measure says of the whole image of `size`, as far as it is predicted; 255 elsewhere.
    /// `goes_on` is asked between blocks; a mask that was given up is `None`.
    ///
    /// # Errors
    /// When the disk refuses, or refused before.
    pub fn mask(
        &self,
        measure: Certainty,
        size: ImageSize,
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<Option<Mask>> {
        let plane = Certainty::ALL.iter().position(|&one| one == measure);
        let plane = plane.unwrap_or_default();
        let mut mask = Mask::new(size);
        let rects = match &*self.blocks() {
            Blocks::There(file) => file.known(),
            Blocks::None => return Ok(Some(mask)),
            Blocks::Refused(why) => return Err(gone(why)),
        };
        for rect in rects {
            if !goes_on() {
                return Ok(None);
            }
            // Between two blocks the prediction may keep another one.
            let values = match &*self.blocks() {
                Blocks::There(file) => file.read(rect, plane)?,
                Blocks::None => None,
                Blocks::Refused(why) => return Err(gone(why)),
            };
            if let Some(values) = values {
                mask.lay_over_rect(rect, values);
            }
        }
        Ok(Some(mask))
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeptMeasures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptMeasures")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn gone(why: &str) -> io::Error {
    io::Error::other(format!(
        "The other measures of this prediction could not be kept on the disk ({why}); make room \
         and predict again"
    ))
}

fn put_over(file: &mut BlockFile, rect: PixelRect, planes: &[Vec<u8>]) -> io::Result<()> {
    let mut merged = Vec::new();
    for (number, plane) in planes.iter().enumerate() {
        merged.push(match file.read(rect, number)? {
            Some(mut old) => {
                for (old, &new) in old.iter_mut().zip(plane) {
                    if new != UNLABELED {
                        *old = new;
                    }
                }
                Cow::Owned(old)
            }
            None => Cow::Borrowed(plane),
        });
    }
    let merged: Vec<&[u8]> = merged.iter().map(|plane| plane.as_slice()).collect();
    file.put(rect, &merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize::new(300, 40);

    /// A block of which the measures say `value`, `value` + 1 and `value` + 2 from its column
    /// `from` on, and nothing before.
    fn block(rect: PixelRect, value: u8, from: u32) -> [Vec<u8>; 3] {
        [0, 1, 2].map(|more| {
            let say = |at: u32| {
                if at % rect.width < from {
                    UNLABELED
                } else {
                    value + more
                }
            };
            (0..rect.num_pixels() as u32).map(say).collect()
        })
    }

    fn at(kept: &KeptMeasures, measure: Certainty, columns: [u32; 4]) -> [u8; 4] {
        let mask = kept.mask(measure, SIZE, &|| true).expect("read");
        let mask = mask.expect("nobody stopped it");
        columns.map(|x| mask.get(x, 7))
    }

    #[test]
    fn each_measure_comes_back_and_unasked_ground_keeps_what_it_had() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptMeasures::new(folder.path());
        assert_eq!(at(&kept, Certainty::Margin, [0, 1, 2, 3]), [UNLABELED; 4]);
        let (one, beside) = (
            PixelRect::new(0, 0, 200, 40),
            PixelRect::new(150, 0, 150, 40),
        );
        kept.put(one, &block(one, 10, 0));
        kept.put(one, &block(one, 50, 20));
        kept.put(beside, &block(beside, 90, 100));
        let columns = [5, 30, 180, 270];
        let expected = [10, 50, 50, 90];
        for (more, measure) in (0..).zip(Certainty::ALL) {
            assert_eq!(
                at(&kept, measure, columns),
                expected.map(|value| value + more)
            );
        }
        let stopped = kept.mask(Certainty::Entropy, SIZE, &|| false);
        assert_eq!(stopped.expect("read"), None);
        if cfg!(unix) {
            let left = std::fs::read_dir(folder.path()).expect("a folder");
            assert_eq!(left.count(), 0, "the file has no name");
        }
    }
}
