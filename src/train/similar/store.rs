use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use burn::tensor::f16;

use super::index::{CHANNELS, FeatureIndex};
use crate::disk::{free_bytes, open_file, replace_with};
use crate::geom::ImageSize;
use crate::nn::Lite0;
use crate::raster::FilePrint;

/// What a file begins with; another number at its end for other ways to compute features.
const MAGIC: [u8; 8] = *b"OBlooks1";
const ENDING: &str = "features";
/// Bytes that are read or written at once.
const PIECE: usize = 1 << 20;
/// Bytes that stay free on the disk.
const LEFT_FREE: u64 = 1 << 30;

/// What whole images look like, in a folder of the user's, so that an image is looked at once: found
/// again by path, size, time and content of the image and by the encoder's weights. What was not
/// used longest goes first. Any file of it may be deleted at any time.
///
/// A file is eight letters, the weights' checksum, width, height, channels, all features (16 bits each),
/// and a crc32c of the image's print and all that; little-endian, else numbers of 32 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureStore {
    folder: PathBuf,
    budget_bytes: u64,
}

impl FeatureStore {
    /// Keeps at most `budget_bytes` in `folder`, which is made when the first file is.
    pub fn new(folder: &Path, budget_bytes: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            budget_bytes,
        }
    }

    /// In this user's folder for caches; `None` on a machine without a home folder.
    pub fn usual(budget_bytes: u64) -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "orthobrush")?;
        Some(Self::new(
            &folders.cache_dir().join("features"),
            budget_bytes,
        ))
    }

    /// What the image of this print and size looks like, the youngest at `now`; `None` when that is
    /// not kept, or not whole. What the image looked like before it changed is removed.
    pub(super) fn find(
        &self,
        print: &FilePrint,
        size: ImageSize,
        now: SystemTime,
    ) -> Option<FeatureIndex> {
        let path = self.path_of(print);
        for (other, ..) in self.files() {
            let name = other.file_name().unwrap_or_default().to_string_lossy();
            if other != path && name.starts_with(print.place()) {
                remove(&other);
            }
        }
        let index = read(&path, print, size).ok()??;
        self.used(&path, now);
        Some(index)
    }

    /// Keeps what the image of this print looks like, unless the disk is nearly full.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn keep(
        &self,
        print: &FilePrint,
        index: &FeatureIndex,
        now: SystemTime,
    ) -> io::Result<()> {
        let bytes = index.bytes_used() as u64;
        fs::create_dir_all(&self.folder)?;
        let has_room = free_bytes(&self.folder).is_none_or(|free| free >= bytes + LEFT_FREE);
        if bytes > self.budget_bytes || !has_room {
            return Ok(());
        }
        let path = self.path_of(print);
        let head = head_of(index.size());
        replace_with(&path, |file| {
            let mut sum = sum_of(print, &head);
            file.write_all(&head)?;
            for piece in index.numbers().chunks(PIECE / 2) {
                let piece: Vec<u8> = piece.iter().flat_map(|one| one.to_le_bytes()).collect();
                sum = crc32c::crc32c_append(sum, &piece);
                file.write_all(&piece)?;
            }
            file.write_all(&sum.to_le_bytes())
        })
        .map_err(|error| error.source)?;
        self.used(&path, now);
        self.make_room(&path);
        Ok(())
    }

    fn path_of(&self, print: &FilePrint) -> PathBuf {
        self.folder.join(format!("{print}.{ENDING}"))
    }

    /// Only the order in which files go depends on it.
    fn used(&self, path: &Path, now: SystemTime) {
        let file = File::options().write(true).open(path);
        if let Err(error) = file.and_then(|file| file.set_modified(now)) {
            tracing::debug!("{error}: {}", self.folder.display());
        }
    }

    /// Removes those that were not used longest, but for `kept`, until all fit.
    fn make_room(&self, kept: &Path) {
        let mut files = self.files();
        files.sort_by_key(|(_, used, _)| *used);
        let mut bytes: u64 = files.iter().map(|(.., len)| len).sum();
        for (path, _, len) in files.iter().filter(|(path, ..)| path != kept) {
            if bytes <= self.budget_bytes {
                return;
            }
            remove(path);
            bytes -= len;
        }
    }

    /// Paths, times and lengths.
    fn files(&self) -> Vec<(PathBuf, SystemTime, u64)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let file = |entry: fs::DirEntry| {
            let path = entry.path();
            let is_ours = path.extension().is_some_and(|ending| ending == ENDING);
            let data = entry.metadata().ok().filter(|_| is_ours)?;
            Some((path, data.modified().ok()?, data.len()))
        };
        entries.filter_map(file).collect()
    }
}

/// Whoever may not remove it leaves it to the next.
fn remove(path: &Path) {
    drop(fs::remove_file(path));
}

fn head_of(size: ImageSize) -> Vec<u8> {
    let numbers = [
        Lite0::weights_checksum(),
        size.width,
        size.height,
        CHANNELS as u32,
    ];
    let numbers = numbers.into_iter().flat_map(u32::to_le_bytes);
    MAGIC.into_iter().chain(numbers).collect()
}

fn sum_of(print: &FilePrint, head: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(print.to_string().as_bytes()), head)
}

/// `None` when the file is another's, or not whole.
fn read(path: &Path, print: &FilePrint, size: ImageSize) -> io::Result<Option<FeatureIndex>> {
    let (head, count) = (head_of(size), FeatureIndex::num_numbers(size));
    let file = open_file(path)?;
    let whole = head.len() + 2 * count + size_of::<u32>();
    if file.metadata()?.len() != whole as u64 {
        return Ok(None);
    }
    let mut file = BufReader::with_capacity(PIECE, file);
    let mut found = vec![0; head.len()];
    file.read_exact(&mut found)?;
    if found != head {
        return Ok(None);
    }
    let (mut numbers, mut sum) = (Vec::with_capacity(count), sum_of(print, &head));
    while numbers.len() < count {
        let mut piece = vec![0; PIECE.min(2 * (count - numbers.len()))];
        file.read_exact(&mut piece)?;
        sum = crc32c::crc32c_append(sum, &piece);
        let (halves, _) = piece.as_chunks();
        numbers.extend(halves.iter().map(|&half| f16::from_le_bytes(half)));
    }
    let mut told = [0; 4];
    file.read_exact(&mut told)?;
    if u32::from_le_bytes(told) != sum {
        return Ok(None);
    }
    Ok(FeatureIndex::kept(size, numbers))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::disk::replace_file;

    const SIZE: ImageSize = ImageSize::new(160, 96);

    /// Bytes of the file of an image of [`SIZE`].
    const BYTES: u64 = 24 + 10 * 6 * 112 * 2 + 4;

    fn seen(shade: f32) -> FeatureIndex {
        let mut index = FeatureIndex::new(SIZE);
        index.note(SIZE.bounds(), |cell, sum| {
            for (at, number) in sum.iter_mut().enumerate() {
                *number = shade + ((cell.x + 3 * cell.y) as usize * at % 17) as f32;
            }
            1
        });
        index.finish();
        index
    }

    fn painted(path: &Path, shade: u8) -> FilePrint {
        let pixels = image::RgbImage::from_pixel(SIZE.width, SIZE.height, image::Rgb([shade; 3]));
        pixels.save(path).expect("written");
        FilePrint::of(path).expect("a print")
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_kept_comes_back_until_the_image_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FeatureStore::new(&folder.path().join("kept"), 1 << 20);
        let image = folder.path().join("a.png");
        let print = painted(&image, 10);
        assert_eq!(store.find(&print, SIZE, at(1)), None);
        store.keep(&print, &seen(1.0), at(1)).expect("kept");
        assert!(store.find(&print, SIZE, at(2)) == Some(seen(1.0)));
        assert_eq!(FilePrint::of(&image).expect("a print"), print);
        let other_size = ImageSize::new(96, 160);
        assert_eq!(store.find(&print, other_size, at(2)), None);

        let changed = painted(&image, 11);
        assert_ne!(changed, print);
        assert_eq!(store.files().len(), 1);
        assert_eq!(store.find(&changed, SIZE, at(3)), None);
        assert_eq!(store.files().len(), 0, "the old one is removed");
    }

    #[test]
    fn torn_damaged_and_foreign_files_are_never_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FeatureStore::new(&folder.path().join("kept"), 1 << 20);
        let print = painted(&folder.path().join("a.png"), 10);
        let other = painted(&folder.path().join("b.png"), 10);
        store.keep(&print, &seen(1.0), at(1)).expect("kept");
        let path = store.path_of(&print);
        let whole = fs::read(&path).expect("a file");
        assert_eq!(whole.len() as u64, BYTES);
        for cut in [0, 7, 24, 100, whole.len() - 1] {
            replace_file(&path, &whole[..cut]).expect("written");
            assert_eq!(store.find(&print, SIZE, at(2)), None, "cut at {cut}");
        }
        for place in [0, 9, 13, 23, 24, 5_000, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x20;
            replace_file(&path, &bytes).expect("written");
            assert_eq!(store.find(&print, SIZE, at(2)), None, "damage at {place}");
        }
        replace_file(&store.path_of(&other), &whole).expect("written");
        assert_eq!(store.find(&other, SIZE, at(2)), None, "of another image");
        replace_file(&path, &whole).expect("written");
        assert!(store.find(&print, SIZE, at(2)).is_some());
    }

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FeatureStore::new(&folder.path().join("kept"), 2 * BYTES);
        let prints = ["a.png", "b.png", "c.png"].map(|name| painted(&folder.path().join(name), 1));
        for (seconds, print) in (1..).zip(&prints[..2]) {
            store.keep(print, &seen(1.0), at(seconds)).expect("kept");
        }
        assert!(store.find(&prints[0], SIZE, at(5)).is_some());
        store.keep(&prints[2], &seen(1.0), at(6)).expect("kept");
        let left = prints.map(|print| store.find(&print, SIZE, at(7)).is_some());
        assert_eq!(left, [true, false, true]);
        let small = FeatureStore::new(&folder.path().join("small"), BYTES / 2);
        let print = painted(&folder.path().join("d.png"), 1);
        small.keep(&print, &seen(1.0), at(1)).expect("no error");
        assert_eq!(small.find(&print, SIZE, at(2)), None);
    }
}
