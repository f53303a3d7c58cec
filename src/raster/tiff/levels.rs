use std::path::Path;
use std::sync::Arc;

use super::directory::{Directories, Directory};
use super::page::{Page, Photometric};
use super::tag;
use crate::raster::error::Fault;
use crate::raster::read_at::{FileBytes, ReadAt};

/// A mask directory, by its `NewSubfileType`.
const IS_MASK: u64 = 4;
/// A directory of fewer pixels, by its `NewSubfileType`.
const IS_REDUCED: u64 = 1;

/// A file with its directories: the image itself, or one beside it.
pub(super) struct TiffFile {
    pub bytes: Arc<dyn ReadAt>,
    pub directories: Directories,
}

/// A checked directory and the file that it is of.
pub(super) struct FilePage {
    pub page: Page,
    /// Its place in the list of files.
    pub file: usize,
}

/// One stored level and the mask that belongs to it.
pub(super) struct Level {
    pub image: FilePage,
    pub mask: Option<FilePage>,
}

/// A file elsewhere that holds overviews of an image.
pub(super) fn overviews_at(path: &Path) -> Option<Beside> {
    Some((TiffFile::at(path)?, IS_REDUCED))
}

impl TiffFile {
    pub fn read(bytes: Arc<dyn ReadAt>) -> Result<Self, Fault> {
        let directories = Directories::read(&*bytes)?;
        Ok(Self { bytes, directories })
    }

    /// What is there but cannot be read must not hide the image.
    fn at(path: &Path) -> Option<Self> {
        path.is_file()
            .then(|| Self::read(Arc::new(FileBytes::open(path).ok()?)).ok())?
    }

    fn page(&self, directory: &Directory, file: usize) -> Option<FilePage> {
        let page = Page::read(&*self.bytes, directory).ok()?;
        Some(FilePage { page, file })
    }
}

/// A file whose directories belong to an image, and what they are where they do not say it.
pub(super) type Beside = (TiffFile, u64);

/// The files beside `image` that hold overviews (`.ovr`) and masks (`.msk`) of it.
pub(super) fn files_beside(image: &Path) -> Vec<Beside> {
    let found = [(".ovr", IS_REDUCED), (".msk", IS_MASK)].into_iter();
    let found = found.filter_map(|(ending, usual)| {
        let mut name = image.as_os_str().to_owned();
        name.push(ending);
        Some((TiffFile::at(Path::new(&name))?, usual))
    });
    found.collect()
}

/// The image, the overviews that fit it, and their masks, by falling size.
///
/// The image is the first directory of the first file; overviews are directories that say so, there,
/// below it, or in a file beside it.
pub(super) fn read_levels(
    image: TiffFile,
    beside: Vec<Beside>,
) -> Result<(Vec<TiffFile>, Vec<Level>), Fault> {
    let mut files = vec![image];
    let main = &files[0];
    let page = Page::read(&*main.bytes, &main.directories.all[0])?;
    let mut found = Found {
        levels: vec![Level {
            image: FilePage { page, file: 0 },
            mask: None,
        }],
        masks: Vec::new(),
    };
    let below = main.directories.below(&*main.bytes, 0);
    for directory in main.directories.all[1..].iter().chain(&below) {
        let kind = subfile_type(main, directory);
        if let (Some(kind), Some(page)) = (kind, main.page(directory, 0)) {
            found.add(page, kind);
        }
    }
    for (file, usual) in beside {
        for directory in &file.directories.all {
            let kind = subfile_type(&file, directory).unwrap_or(0) | usual;
            if let Some(page) = file.page(directory, files.len()) {
                found.add(page, kind);
            }
        }
        files.push(file);
    }
    Ok((files, found.sorted()))
}

struct Found {
    levels: Vec<Level>,
    masks: Vec<FilePage>,
}

impl Found {
    fn add(&mut self, found: FilePage, kind: u64) {
        let (page, image) = (&found.page, &self.levels[0].image.page);
        if kind & IS_MASK != 0 || page.photometric == Photometric::Mask {
            if page.sample.is_index() && page.bands == 1 {
                self.masks.push(found);
            }
            return;
        }
        let is_known = (self.levels.iter()).any(|level| level.image.page.size == page.size);
        if kind & IS_REDUCED != 0 && is_overview(page, image) && !is_known {
            self.levels.push(Level {
                image: found,
                mask: None,
            });
        }
    }

    fn sorted(mut self) -> Vec<Level> {
        let pixels = |level: &Level| level.image.page.size.num_pixels();
        self.levels
            .sort_by_key(|level| std::cmp::Reverse(pixels(level)));
        for mask in self.masks {
            let its = |level: &&mut Level| level.image.page.size == mask.page.size;
            let level = self.levels.iter_mut().find(its);
            if let Some(level) = level.filter(|level| level.mask.is_none()) {
                level.mask = Some(mask);
            }
        }
        if self.levels[0].mask.is_some() {
            // An overview without the mask would show what the mask hides.
            self.levels.retain(|level| level.mask.is_some());
        }
        self.levels
    }
}

fn subfile_type(file: &TiffFile, directory: &Directory) -> Option<u64> {
    directory
        .number(&*file.bytes, tag::NEW_SUBFILE_TYPE)
        .ok()
        .flatten()
        .filter(|&kind| kind != 0)
}

fn is_overview(page: &Page, image: &Page) -> bool {
    // Overviews of few bits may be bytes.
    let is_alike =
        page.sample == image.sample || (page.sample.is_index() && image.sample.is_index());
    page.bands == image.bands
        && is_alike
        && page.size.width <= image.size.width
        && page.size.height <= image.size.height
        && page.size != image.size
}
