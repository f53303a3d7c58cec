use std::fs;
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use burn::tensor::f16;

use super::index::{CHANNELS, FeatureIndex};
use crate::disk::{CacheFolder, open_file, replace_with};
use crate::geom::ImageSize;
use crate::nn::Lite0;
use crate::raster::FilePrint;

/// What a file begins with; another number at its end for other ways to compute features.
const MAGIC: [u8; 8] = *b"OBlooks1";
const ENDING: &str = "features";
/// Bytes that are read or written at once.
const PIECE: usize = 1 << 20;

/// What whole images look like, in a folder of the user's, so that an image is looked at once: found
/// again by path, size, time and content of the image and by the encoder's weights.
///
/// A file is eight letters, the weights' checksum, width, height, channels, all features (16 bits each),
/// and a crc32c of the image's print and all that; little-endian, else numbers of 32 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureStore {
    folder: CacheFolder,
}

impl FeatureStore {
    /// Keeps at most `budget_bytes` in `folder`, which is made when the first file is.
    pub fn new(folder: &Path, budget_bytes: u64) -> Self {
        Self {
            folder: CacheFolder::new(folder, ENDING, budget_bytes),
        }
    }

    /// In this user's folder for caches; `None` on a machine without a home folder.
    pub fn usual(budget_bytes: u64) -> Option<Self> {
        let folder = CacheFolder::usual("features", ENDING, budget_bytes)?;
        Some(Self { folder })
    }

    /// What the image of this print and size looks like, the youngest at `now`; `None` when that is
    /// not kept, or not whole. What the image looked like before it changed is removed.
    pub(super) fn find(
        &self,
        print: &FilePrint,
        size: ImageSize,
        now: SystemTime,
    ) -> Option<FeatureIndex> {
        let path = self.folder.file(&print.to_string());
        for old in self.folder.named(print.place()) {
            if old != path {
                // Whoever may not remove it leaves it to the next.
                drop(fs::remove_file(old));
            }
        }
        let index = read(&path, print, size).ok()??;
        self.folder.used(&path, now);
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
        if !self.folder.has_room(index.bytes_used() as u64) {
            return Ok(());
        }
        fs::create_dir_all(self.folder.path())?;
        let path = self.folder.file(&print.to_string());
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
        self.folder.make_room(&path, now);
        Ok(())
    }
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
        assert_eq!(store.folder.bytes_used(), BYTES);
        assert_eq!(store.find(&changed, SIZE, at(3)), None);
        assert_eq!(store.folder.bytes_used(), 0, "the old one is removed");
    }

    #[test]
    fn torn_damaged_and_foreign_files_are_never_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FeatureStore::new(&folder.path().join("kept"), 1 << 20);
        let print = painted(&folder.path().join("a.png"), 10);
        let other = painted(&folder.path().join("b.png"), 10);
        store.keep(&print, &seen(1.0), at(1)).expect("kept");
        let path = store.folder.file(&print.to_string());
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
        replace_file(&store.folder.file(&other.to_string()), &whole).expect("written");
        assert_eq!(store.find(&other, SIZE, at(2)), None, "of another image");
        replace_file(&path, &whole).expect("written");
        assert!(store.find(&print, SIZE, at(2)).is_some());
    }

    #[test]
    fn what_does_not_fit_is_not_kept_and_what_is_asked_for_stays() {
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
