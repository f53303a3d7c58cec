use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::cog::{CogError, write_overviews};
use super::error::OpenError;
use super::file_print::{FilePrint, place_of};
use super::open::{Opened, open_with_overviews};
use super::source::TileSource;
use crate::disk::{CacheFolder, FileLock};
use crate::job::pool_behind;

/// How long one asks again for what another process makes.
const PATIENCE: Duration = Duration::from_millis(200);
const ENDING: &str = "ovr.tif";

/// Overviews cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum OverviewError {
    /// The folder or a file in it refuses.
    #[error(
        "Overviews cannot be kept in {path} ({source}); the image can be looked at all the same"
    )]
    Io {
        /// Which place.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk is nearly full.
    #[error("Overviews are not kept: {path} has less than 1 GB free besides what they need")]
    NoRoom {
        /// Which place.
        path: PathBuf,
    },
    /// The image cannot be read, or its overviews not be written.
    #[error(transparent)]
    Build(#[from] CogError),
}

/// Overviews of images that have none, in a folder of the user's: made once, found again by path,
/// size, time and content of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverviewStore {
    folder: CacheFolder,
}

impl OverviewStore {
    /// Keeps at most `budget_bytes` in `folder`, which is made when the first file is.
    pub fn new(folder: &Path, budget_bytes: u64) -> Self {
        Self {
            folder: CacheFolder::new(folder, ENDING, budget_bytes),
        }
    }

    /// In this user's folder for caches; `None` on a machine without a home folder.
    pub fn usual(budget_bytes: u64) -> Option<Self> {
        let folder = CacheFolder::usual("overviews", ENDING, budget_bytes)?;
        Some(Self { folder })
    }

    /// Opens an image with its overviews where they are kept, which are the youngest at `now`; no
    /// value depends on them.
    ///
    /// # Errors
    /// As [`super::open_raster`].
    pub fn open(&self, image: &Path, now: SystemTime) -> Result<Arc<dyn TileSource>, OpenError> {
        open_with_overviews(image, &|others| self.find(image, others, now))
    }

    /// The overviews of `image`, whose pixels come from `others` too.
    fn find(
        &self,
        image: &Path,
        others: &dyn Fn() -> Vec<PathBuf>,
        now: SystemTime,
    ) -> Option<PathBuf> {
        let named = place_of(&fs::canonicalize(image).ok()?);
        // Other files are asked only where there may be something.
        self.folder.named(&named).next()?;
        let path = self.place(image, &others()).ok()?;
        self.folder.used(&path, now).then_some(path)
    }

    /// Makes overviews of `image` on threads of low priority, unless they are there or another
    /// process makes them, which is waited for. `goes_on` is told the share that is done, 0 to 1,
    /// and says whether to go on.
    ///
    /// # Errors
    /// [`OverviewError`] when the image cannot be read, the disk refuses or is nearly full, or
    /// `goes_on` says no. Nothing is left then.
    pub fn make(
        &self,
        image: &Path,
        now: SystemTime,
        goes_on: &(dyn Fn(f64) -> bool + Sync),
    ) -> Result<PathBuf, OverviewError> {
        let refused = |source| OverviewError::Io {
            path: self.folder.path().to_owned(),
            source,
        };
        fs::create_dir_all(self.folder.path()).map_err(refused)?;
        let opened = Opened::open(image).map_err(CogError::Open)?;
        let others = opened.other_files();
        let path = self.place(image, &others).map_err(refused)?;
        let lock = path.with_extension("lock");
        let _turn = loop {
            if let Some(turn) = FileLock::acquire(&lock, PATIENCE).map_err(refused)? {
                break turn;
            }
            if !goes_on(0.0) {
                return Err(CogError::Cancelled.into());
            }
        };
        if path.is_file() {
            return Ok(path);
        }
        let lens = [image]
            .into_iter()
            .chain(others.iter().map(PathBuf::as_path));
        let lens = lens.filter_map(|path| fs::metadata(path).ok());
        let len: u64 = lens.map(|data| data.len()).sum();
        // Packed anew twice, in parts and as a whole, an image's overviews take less than itself.
        if !self.folder.leaves_room(len) {
            let path = self.folder.path().to_owned();
            return Err(OverviewError::NoRoom { path });
        }
        let pool = pool_behind("overviews").map_err(refused)?;
        pool.install(|| write_overviews(image, &path, goes_on))?;
        self.folder.make_room(&path, now);
        Ok(path)
    }

    /// Bytes of all files.
    pub fn bytes_used(&self) -> u64 {
        self.folder.bytes_used()
    }

    /// Where the overviews of `image` are, whose pixels come from `others` too, all as they are now.
    fn place(&self, image: &Path, others: &[PathBuf]) -> io::Result<PathBuf> {
        let print = FilePrint::with(image, others)?;
        Ok(self.folder.file(&print.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::geom::{ImageSize, PixelRect};
    use crate::raster::tiff::MadeBands;
    use crate::raster::{
        Overviews, PixelKind, Pyramid, TiffOptions, TiffWriter, TileCache, open_raster,
    };

    const NOW: SystemTime = UNIX_EPOCH;

    fn write_image(path: &Path, size: ImageSize, seed: u32) {
        let options = TiffOptions {
            overviews: Overviews::None,
            ..TiffOptions::new(size, PixelKind::Rgb)
        };
        let mut writer = TiffWriter::create(path, options).unwrap();
        for y in 0..size.height {
            let pixel = |x: u32| [(x / 16) as u8, (y / 16) as u8, (seed % 256) as u8];
            let row: Vec<u8> = (0..size.width).flat_map(pixel).collect();
            writer.write_rows(&row).unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn made_overviews_are_found_and_look_like_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let (image, store) = (folder.path().join("a.tif"), folder.path().join("cache"));
        write_image(&image, ImageSize::new(2_100, 1_300), 7);
        let store = OverviewStore::new(&store, 1 << 30);
        assert_eq!(store.find(&image, &Vec::new, NOW), None);
        let made = store.make(&image, NOW, &|_| true).unwrap();
        assert_eq!(store.find(&image, &Vec::new, NOW), Some(made.clone()));

        let cache = || Arc::new(TileCache::new(1 << 26));
        let plain = Pyramid::new(open_raster(&image).unwrap(), cache());
        let source = store.open(&image, NOW).unwrap();
        assert_eq!(source.info().level_sizes.len(), 4);
        let quick = Pyramid::new(source, cache());
        assert!(plain.needs_sketch() && !quick.needs_sketch());
        let root = plain.shape().root();
        let (one, other) = (plain.tile(root).unwrap(), quick.tile(root).unwrap());
        let differences = one.bytes.iter().zip(&other.bytes);
        let most = differences.map(|(one, other)| one.abs_diff(*other)).max();
        assert!(most <= Some(6), "{most:?}");

        // Another content of the same name is another image.
        write_image(&image, ImageSize::new(2_100, 1_300), 8);
        assert_eq!(store.find(&image, &Vec::new, NOW), None);
    }

    #[test]
    fn no_value_depends_on_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let store = OverviewStore::new(&folder.path().join("cache"), 1 << 30);
        for bits in [16, 32] {
            let image = folder.path().join(format!("{bits}.tif"));
            // Single bright pixels, which averages do not have.
            let value = |x: u32, y: u32, _| f64::from(if (x * y) % 97 == 1 { 40_000 } else { x });
            let made = MadeBands::new(1_300, 1_100, 1, bits);
            crate::disk::replace_file(&image, &made.file(value)).unwrap();
            let plain = open_raster(&image).unwrap();
            store.make(&image, NOW, &|_| true).unwrap();
            let quick = store.open(&image, NOW).unwrap();
            assert!(quick.info().level_sizes.len() > plain.info().level_sizes.len());
            let samples = [&plain, &quick].map(|source| source.tile_samples(&[0]).unwrap());
            assert_eq!(samples[0], samples[1]);
            let rect = PixelRect::new(700, 500, 64, 64);
            let shown = [&plain, &quick].map(|source| source.read_rgba(0, rect).unwrap());
            assert_eq!(shown[0], shown[1]);
        }
    }

    #[test]
    fn the_oldest_go_first_and_a_stop_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let store = OverviewStore::new(&cache, 1);
        let images = [1, 2].map(|seed| {
            let image = folder.path().join(format!("{seed}.tif"));
            write_image(&image, ImageSize::new(1_100, 700), seed);
            image
        });
        let first = store.make(&images[0], NOW, &|_| true).unwrap();
        assert!(first.is_file());
        let later = NOW + Duration::from_secs(9);
        let second = store.make(&images[1], later, &|_| true).unwrap();
        assert!(!first.exists() && second.is_file());
        assert_eq!(store.bytes_used(), fs::metadata(&second).unwrap().len());

        let stopped = store.make(&images[0], NOW, &|_| false);
        assert!(matches!(
            stopped,
            Err(OverviewError::Build(CogError::Cancelled))
        ));
        let left = fs::read_dir(&cache).unwrap().count();
        assert_eq!(left, 1, "only the finished file is there");
    }
}
