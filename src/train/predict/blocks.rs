use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blend::Predicted;
use super::kept::StoreLock;
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};
use crate::train::Certainty;
use crate::train::block_file::BlockFile;

/// Planes of a block: its classes, and by each measure how sure they are.
pub(super) const PLANES: usize = 1 + Certainty::ALL.len();

/// The finished blocks of a prediction, on the disk: a measure that nobody looks at takes no memory.
/// They lie in a [`BlockStore`](super::BlockStore), those of each ground in a file of their own; what
/// it does not take lies in a file without a name.
#[derive(Debug)]
pub struct KeptBlocks {
    folder: PathBuf,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    /// Of stores, the one that grows last; each has pixels that the others lack.
    stored: Vec<Stored>,
    nameless: Option<BlockFile>,
    /// The disk refused to keep a block; why.
    refused: Option<String>,
}

#[derive(Debug)]
struct Stored {
    file: BlockFile,
    /// The checksum of the ground that alone its blocks are of; `None` is rectangles.
    ground: Option<u32>,
}

impl KeptBlocks {
    /// Of a prediction that begins; a file without a name is made when it is needed, in `folder`
    /// (the network's own) or, where that refuses, among the temporary files.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: Mutex::default(),
        }
    }

    /// Has the blocks of a store's `file` as well, which are of the ground of this checksum alone
    /// or, without one, of rectangles.
    pub(super) fn take_in(&self, file: BlockFile, ground: Option<u32>) {
        let known = file.known();
        let is_in = |old: &Stored| old.ground == ground && old.file.known().is_subset(&known);
        let mut files = self.files();
        files.stored.retain(|old| !is_in(old));
        files.stored.push(Stored { file, ground });
    }

    /// A finished block: of the store's file that was taken in last, else of that without a name.
    pub(super) fn finished_block(&self, rect: PixelRect) -> io::Result<Predicted> {
        let files = self.files();
        let last = files.stored.last().map(|last| &last.file);
        let plane = |at| -> io::Result<Vec<u8>> {
            for file in last.into_iter().chain(&files.nameless) {
                if let Some(plane) = file.read(rect, at)? {
                    return Ok(plane);
                }
            }
            Err(io::Error::other("a finished block is gone"))
        };
        Ok(Predicted {
            classes: plane(0)?,
            sure: (1..PLANES).map(plane).collect::<io::Result<_>>()?,
        })
    }

    /// Keeps a block that was measured in all ways: in the store whose `lock` is held, as long as
    /// that takes any. A disk that refuses both costs the measures, not the prediction.
    ///
    /// # Errors
    /// When the store takes no more; its lock is let go of.
    pub(super) fn put(
        &self,
        rect: PixelRect,
        block: &Predicted,
        lock: &mut Option<StoreLock>,
    ) -> io::Result<()> {
        let sure = block.sure.iter().map(Vec::as_slice);
        let planes: Vec<&[u8]> = std::iter::once(&*block.classes).chain(sure).collect();
        let mut files = self.files();
        let mut stored = Ok(());
        if let (Some(lock), Some(last)) = (&*lock, files.stored.last_mut()) {
            stored = lock.put(&mut last.file, rect, &planes);
            if stored.is_ok() {
                return stored;
            }
        }
        *lock = None;
        if let Err(error) = files.put_nameless(&self.folder, rect, &planes) {
            files.refused = Some(error.to_string());
        }
        stored
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
        let place = Certainty::ALL.iter().position(|&one| one == measure);
        let plane = 1 + place.unwrap_or_default();
        let mut mask = Mask::new(size);
        let mut rects = self.known()?;
        rects.retain(|rect| rect.intersect(size.bounds()) == *rect);
        for rect in rects {
            if !goes_on() {
                return Ok(None);
            }
            // Between two blocks the prediction may keep another one.
            let read = self.files().read(rect, plane)?;
            for values in read {
                mask.lay_over_rect(rect, values);
            }
        }
        Ok(Some(mask))
    }

    /// All blocks that are there.
    fn known(&self) -> io::Result<HashSet<PixelRect>> {
        let files = self.files();
        match &files.refused {
            Some(why) => Err(io::Error::other(format!(
                "The other measures of this prediction could not be kept on the disk ({why}); \
                 make room and predict again"
            ))),
            None => Ok(files.all().flat_map(BlockFile::known).collect()),
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn all(&self) -> impl Iterator<Item = &BlockFile> {
        let stored = self.stored.iter().map(|stored| &stored.file);
        stored.chain(&self.nameless)
    }

    /// A plane of the block `rect` from each file that has it; one model says the same in all.
    fn read(&self, rect: PixelRect, plane: usize) -> io::Result<Vec<Vec<u8>>> {
        let read = self.all().map(|file| file.read(rect, plane));
        read.filter_map(io::Result::transpose).collect()
    }

    /// Keeps a block in the file without a name; where it says 255, what was kept before stays.
    fn put_nameless(&mut self, folder: &Path, rect: PixelRect, planes: &[&[u8]]) -> io::Result<()> {
        let file = match &mut self.nameless {
            Some(file) => file,
            none => none.insert(BlockFile::nameless(folder, PLANES)?),
        };
        let mut merged = Vec::new();
        for (number, &plane) in planes.iter().enumerate() {
            let mut now = plane.to_vec();
            let old = file.read(rect, number)?.into_iter().flatten();
            for (now, old) in now.iter_mut().zip(old) {
                if *now == UNLABELED {
                    *now = old;
                }
            }
            merged.push(now);
        }
        let merged: Vec<&[u8]> = merged.iter().map(Vec::as_slice).collect();
        file.put(rect, &merged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize::new(300, 40);

    /// A block whose class is `value`, and of which the measures say `value`, `value` + 1 and
    /// `value` + 2 from its column `from` on, and nothing before.
    fn block(rect: PixelRect, value: u8, from: u32) -> Predicted {
        let plane = |more: u8| {
            let say = |at: u32| {
                if at % rect.width < from {
                    UNLABELED
                } else {
                    value + more
                }
            };
            (0..rect.num_pixels() as u32).map(say).collect()
        };
        Predicted {
            classes: plane(0),
            sure: [0, 1, 2].map(plane).to_vec(),
        }
    }

    fn put(kept: &KeptBlocks, rect: PixelRect, block: &Predicted) {
        kept.put(rect, block, &mut None).expect("no store refuses");
    }

    fn at(kept: &KeptBlocks, measure: Certainty, columns: [u32; 4]) -> [u8; 4] {
        let mask = kept.mask(measure, SIZE, &|| true).expect("read");
        let mask = mask.expect("nobody stopped it");
        columns.map(|x| mask.get(x, 7))
    }

    #[test]
    fn each_measure_comes_back_and_unasked_ground_keeps_what_it_had() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptBlocks::new(folder.path());
        assert_eq!(at(&kept, Certainty::Margin, [0, 1, 2, 3]), [UNLABELED; 4]);
        let (one, beside) = (
            PixelRect::new(0, 0, 200, 40),
            PixelRect::new(150, 0, 150, 40),
        );
        put(&kept, one, &block(one, 10, 0));
        put(&kept, one, &block(one, 50, 20));
        put(&kept, beside, &block(beside, 90, 100));
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
    /// A store's file of these blocks.
    fn stored(path: &Path, blocks: &[(PixelRect, Predicted)]) -> BlockFile {
        let mut file = BlockFile::open(path, PLANES).expect("a file");
        for (rect, block) in blocks {
            let planes: Vec<&[u8]> = std::iter::once(&block.classes)
                .chain(&block.sure)
                .map(Vec::as_slice)
                .collect();
            file.put(*rect, &planes).expect("written");
        }
        file
    }

    #[test]
    fn measures_are_read_from_all_files_that_have_blocks() {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let rects = [0, 100, 200].map(|x| PixelRect::new(x, 0, 100, 40));
        let [one, two, three] = [(0, 10), (1, 50), (2, 90)].map(|(place, value)| {
            let rect: PixelRect = rects[place];
            (rect, block(rect, value, 0))
        });
        let kept = KeptBlocks::new(folder.path());
        put(&kept, one.0, &one.1);
        kept.take_in(stored(&first, &[two]), None);
        let class = |at: usize| kept.finished_block(rects[at]).map(|block| block.classes[0]);
        assert_eq!(class(1).expect("in the store"), 50);
        assert_eq!(class(0).expect("in the file without a name"), 10);
        assert!(class(2).is_err(), "nobody has it");
        let columns = [5, 105, 205, 295];
        assert_eq!(
            at(&kept, Certainty::ALL[0], columns),
            [10, 50, UNLABELED, UNLABELED]
        );
        // Removed meanwhile, and begun anew: what is open stays, as it is nowhere else.
        std::fs::remove_file(&first).expect("removed");
        kept.take_in(stored(&second, &[three]), None);
        assert_eq!(at(&kept, Certainty::ALL[0], columns), [10, 50, 90, 90]);
        kept.take_in(BlockFile::open(&second, PLANES).expect("a file"), None);
        assert_eq!(kept.files().stored.len(), 2, "the same file is there once");
    }

    #[test]
    fn parts_of_a_block_on_other_ground_are_read_from_all_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let rect = PixelRect::new(0, 0, 100, 40);
        let kept = KeptBlocks::new(folder.path());
        for (name, from, ground) in [("right", 60, 7), ("middle", 30, 8)] {
            let file = stored(&folder.path().join(name), &[(rect, block(rect, 50, from))]);
            kept.take_in(file, Some(ground));
        }
        let right = folder.path().join("right");
        let right = BlockFile::look(&right, PLANES).expect("a file");
        kept.take_in(right, Some(7));
        assert_eq!(kept.files().stored.len(), 2, "one of each ground");
        let columns = [5, 35, 65, 205];
        assert_eq!(
            at(&kept, Certainty::ALL[0], columns),
            [UNLABELED, 50, 50, UNLABELED]
        );
    }
}
