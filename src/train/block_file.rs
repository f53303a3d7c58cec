use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;

use crate::geom::PixelRect;

/// What each record begins with.
const MAGIC: [u8; 4] = *b"OBk1";
/// No block of ours has more pixels.
const MOST_PIXELS: u64 = 1 << 22;
/// After so many bytes the disk is asked to keep up.
const FLUSH_EVERY_BYTES: u64 = 32 << 20;
/// Blocks are read twice at most, so speed is worth more than size.
const LEVEL: u32 = 3;

/// Finished blocks, one record after another, in a file that only grows.
///
/// A record is [`MAGIC`], the block's place (x, y, width, height), the packed length of each plane,
/// a crc32c of all that and of what follows, and the planes; numbers have 32 bits, little-endian.
/// A record that was not written whole ends what is read, and is cut off.
#[derive(Debug)]
pub(super) struct BlockFile {
    file: File,
    num_planes: usize,
    len: u64,
    flushed_at: u64,
    places: HashMap<PixelRect, Place>,
}

/// Where the planes of a block lie.
#[derive(Debug)]
struct Place {
    start: u64,
    lens: Vec<u32>,
}

impl BlockFile {
    /// The blocks of `num_planes` planes each at `path`, which is made when it is missing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn open(path: &Path, num_planes: usize) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        let kept = Self::of(file, num_planes)?;
        kept.file.set_len(kept.len)?;
        Ok(kept)
    }

    /// The blocks of `num_planes` planes each that are at `path` now, for reading alone: somebody
    /// else may be adding some.
    ///
    /// # Errors
    /// When there is no such file, or the disk refuses.
    pub(super) fn look(path: &Path, num_planes: usize) -> io::Result<Self> {
        Self::of(File::open(path)?, num_planes)
    }

    /// No blocks yet, in a file without a name that the system removes when nobody uses it any more:
    /// in `folder`, or among the temporary ones where that refuses.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn nameless(folder: &Path, num_planes: usize) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder).or_else(|_| tempfile::tempfile())?;
        Self::of(file, num_planes)
    }

    fn of(mut file: File, num_planes: usize) -> io::Result<Self> {
        let (mut places, mut len) = (HashMap::new(), 0);
        let end = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 20, &mut file);
        while let Some((rect, place)) = next_record(&mut reader, num_planes, len, end)? {
            len = place.start + place.lens.iter().map(|len| u64::from(*len)).sum::<u64>();
            places.insert(rect, place);
        }
        Ok(Self {
            file,
            num_planes,
            len,
            flushed_at: len,
            places,
        })
    }

    /// The blocks that are there.
    pub(super) fn known(&self) -> HashSet<PixelRect> {
        self.places.keys().copied().collect()
    }

    /// How long the file is.
    pub(super) const fn num_bytes(&self) -> u64 {
        self.len
    }

    /// Adds a block.
    ///
    /// # Errors
    /// When the disk refuses; the block is then not there.
    pub(super) fn put(&mut self, rect: PixelRect, planes: &[&[u8]]) -> io::Result<()> {
        debug_assert_eq!(planes.len(), self.num_planes);
        let packed: io::Result<Vec<Vec<u8>>> = planes.par_iter().map(|plane| pack(plane)).collect();
        let packed = packed?;
        let lens: Vec<u32> = packed.iter().map(|plane| plane.len() as u32).collect();
        let head = head_of(rect, &lens);
        let mut sum = crc32c::crc32c(&head);
        for plane in &packed {
            sum = crc32c::crc32c_append(sum, plane);
        }
        let record = [&head[..], &sum.to_le_bytes(), &packed.concat()].concat();
        self.file.seek(SeekFrom::Start(self.len))?;
        self.file.write_all(&record)?;
        let start = self.len + head.len() as u64 + 4;
        self.len += record.len() as u64;
        self.places.insert(rect, Place { start, lens });
        if self.len - self.flushed_at >= FLUSH_EVERY_BYTES {
            self.file.sync_data()?;
            self.flushed_at = self.len;
        }
        Ok(())
    }

    /// A plane of the block `rect`, by row; `None` when that block is not there.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn read(&self, rect: PixelRect, plane: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(place) = self.places.get(&rect) else {
            return Ok(None);
        };
        let before: u64 = place.lens[..plane].iter().map(|len| u64::from(*len)).sum();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(place.start + before))?;
        let packed = file.take(u64::from(place.lens[plane]));
        let mut bytes = Vec::with_capacity(rect.num_pixels() as usize);
        // One byte more than there may be tells that there is too much.
        let most = rect.num_pixels() + 1;
        ZlibDecoder::new(packed)
            .take(most)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 != rect.num_pixels() {
            return Err(io::Error::other(
                "a block has not as many pixels as it says",
            ));
        }
        Ok(Some(bytes))
    }
}

/// The record at `at` of a file of `end` bytes; `None` when there is none that is whole.
fn next_record(
    reader: &mut impl Read,
    num_planes: usize,
    at: u64,
    end: u64,
) -> io::Result<Option<(PixelRect, Place)>> {
    let mut head = vec![0; MAGIC.len() + 4 * (4 + num_planes)];
    let room = (end - at).saturating_sub(head.len() as u64 + 4);
    if room == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut head)?;
    let mut sum = [0; 4];
    reader.read_exact(&mut sum)?;
    let numbers: Vec<u32> = head[MAGIC.len()..]
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let (place, lens) = numbers.split_at(4);
    let rect = PixelRect::new(place[0], place[1], place[2], place[3]);
    let pixels = u64::from(rect.width) * u64::from(rect.height);
    let payload: u64 = lens.iter().map(|len| u64::from(*len)).sum();
    let is_sane = head.starts_with(&MAGIC)
        && (1..=MOST_PIXELS).contains(&pixels)
        && payload <= room
        && payload <= num_planes as u64 * 2 * (pixels + 1_024);
    if !is_sane {
        return Ok(None);
    }
    let mut packed = vec![0; payload as usize];
    reader.read_exact(&mut packed)?;
    let found = crc32c::crc32c_append(crc32c::crc32c(&head), &packed);
    if found != u32::from_le_bytes(sum) {
        return Ok(None);
    }
    let (start, lens) = (at + head.len() as u64 + 4, lens.to_vec());
    Ok(Some((rect, Place { start, lens })))
}

fn head_of(rect: PixelRect, lens: &[u32]) -> Vec<u8> {
    let place = [rect.x, rect.y, rect.width, rect.height];
    let numbers = place.iter().chain(lens).flat_map(|one| one.to_le_bytes());
    MAGIC.into_iter().chain(numbers).collect()
}

fn pack(plane: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(plane)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(at: u32) -> PixelRect {
        PixelRect::new(at * 40, 16, 40, 30)
    }

    fn planes(at: u32) -> [Vec<u8>; 2] {
        let plane = |step: u32| (0..1_200).map(|n| (n * step + at) as u8 / 9).collect();
        [plane(1), plane(7)]
    }

    fn filled(path: &Path, blocks: u32) {
        let mut file = BlockFile::open(path, 2).expect("a file");
        for at in 0..blocks {
            let [one, two] = planes(at);
            file.put(rect(at), &[&one, &two]).expect("written");
        }
    }

    #[track_caller]
    fn check(path: &Path, blocks: u32) {
        let file = BlockFile::open(path, 2).expect("a file");
        let expected: HashSet<PixelRect> = (0..blocks).map(rect).collect();
        assert_eq!(file.known(), expected);
        for at in 0..blocks {
            for (number, plane) in planes(at).into_iter().enumerate() {
                assert_eq!(file.read(rect(at), number).expect("read"), Some(plane));
            }
        }
        assert_eq!(file.read(rect(99), 0).expect("read"), None);
    }

    #[test]
    fn blocks_come_back_and_more_can_be_added() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        filled(&path, 3);
        check(&path, 3);
        filled(&path, 5);
        check(&path, 5);
    }

    #[test]
    fn a_file_that_was_cut_anywhere_keeps_its_whole_blocks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        filled(&path, 3);
        let whole = std::fs::read(&path).expect("a file");
        let ends: Vec<usize> = (1..=3)
            .map(|blocks| {
                drop(std::fs::remove_file(&path));
                filled(&path, blocks);
                std::fs::read(&path).expect("a file").len()
            })
            .collect();
        for cut in (0..=whole.len()).step_by(7).chain(ends.clone()) {
            crate::disk::replace_file(&path, &whole[..cut]).expect("written");
            let blocks = ends.iter().filter(|end| **end <= cut).count();
            let looked = BlockFile::look(&path, 2).expect("a file");
            assert_eq!(looked.known().len(), blocks);
            assert_eq!(std::fs::metadata(&path).expect("a file").len(), cut as u64);
            check(&path, blocks as u32);
        }
    }

    #[test]
    fn damage_ends_what_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        filled(&path, 1);
        let first = std::fs::read(&path).expect("a file").len();
        filled(&path, 2);
        let whole = std::fs::read(&path).expect("a file");
        for at in first..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            crate::disk::replace_file(&path, &bytes).expect("written");
            check(&path, 1);
        }
    }
}
