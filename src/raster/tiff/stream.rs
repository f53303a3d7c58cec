//! A packed strip that is too large to unpack at once, unpacked row by row from its start.
//!
//! Such strips are cut into chunks that are not stored as such. What lies below is reached through
//! what lies above, so that readers go downwards where they can.

use std::io::{BufReader, Read, Result as IoResult};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::bufread::ZlibDecoder;

use super::chunk::Chunk;
use super::codec::{fill, xz_stream, zstd_frame};
use super::page::{Compression, Page};
use super::source::ChunkKey;
use crate::raster::error::Fault;
use crate::raster::lzw;
use crate::raster::read_at::ReadAt;

/// Places in strips from which readers go on. A second reader elsewhere must not send the first back
/// to the start.
const MOST_CURSORS: usize = 3;
/// Packed bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// Strips that are being unpacked, the one that was used last behind.
#[derive(Default)]
pub(super) struct Streams(Mutex<Vec<Cursor>>);

/// A place in a strip.
struct Cursor {
    /// The first of its chunks that was not read yet.
    next: ChunkKey,
    rest: Rest,
}

enum Rest {
    Packed(Box<dyn Read + Send>),
    /// Why nothing that follows can be read.
    Lost(String),
}

impl Streams {
    /// Reads chunk `key` of `page`, whose strip begins at `bytes`; each chunk that is unpacked on the
    /// way is told as well. `known` may have it since another thread unpacked it.
    pub(super) fn read(
        &self,
        key: ChunkKey,
        (page, bytes): (&Page, &Arc<dyn ReadAt>),
        known: impl Fn() -> Option<Arc<Chunk>>,
        tell: impl Fn(ChunkKey, &Arc<Chunk>),
    ) -> Result<Arc<Chunk>, Fault> {
        let mut cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chunk) = known() {
            return Ok(chunk);
        }
        let mut cursor = match take_nearest(&mut cursors, key) {
            Some(cursor) => cursor,
            None => Cursor::at_start(key, page, bytes)?,
        };
        let read = cursor.go_on_to(key, page, tell);
        if cursors.len() == MOST_CURSORS {
            cursors.remove(0);
        }
        cursors.push(cursor);
        read
    }
}

/// The cursor that is nearest above `key`.
fn take_nearest(cursors: &mut Vec<Cursor>, key: ChunkKey) -> Option<Cursor> {
    let is_above = |cursor: &Cursor| {
        let (level, kind, at) = cursor.next;
        (level, kind, at.plane) == (key.0, key.1, key.2.plane) && at.row <= key.2.row
    };
    let above = cursors.iter().enumerate();
    let above = above.filter(|(_, cursor)| is_above(cursor));
    let (place, _) = above.max_by_key(|(_, cursor)| cursor.next.2.row)?;
    Some(cursors.remove(place))
}

impl Cursor {
    fn at_start(key: ChunkKey, page: &Page, bytes: &Arc<dyn ReadAt>) -> Result<Self, Fault> {
        let (level, kind, at) = key;
        let Some((offset, count)) = page.grid.place(at) else {
            return Err(Fault::Outside);
        };
        let section = Section {
            bytes: Arc::clone(bytes),
            at: offset,
            end: offset.saturating_add(count).min(bytes.len()),
        };
        let packed = BufReader::with_capacity(READ_BYTES, section);
        let rest: Box<dyn Read + Send> = match page.compression {
            Compression::Deflate => Box::new(ZlibDecoder::new(packed)),
            Compression::Lzw => Box::new(lzw::Unpacker::new(packed)?),
            Compression::Zstd => Box::new(zstd_frame(packed)?),
            Compression::Lzma => Box::new(xz_stream(packed)?),
            _ => return Err(Fault::Outside),
        };
        Ok(Self {
            next: (level, kind, super::grid::ChunkAt { row: 0, ..at }),
            rest: Rest::Packed(rest),
        })
    }

    fn go_on_to(
        &mut self,
        key: ChunkKey,
        page: &Page,
        tell: impl Fn(ChunkKey, &Arc<Chunk>),
    ) -> Result<Arc<Chunk>, Fault> {
        loop {
            let packed = match &mut self.rest {
                Rest::Packed(packed) => packed,
                Rest::Lost(why) => return Err(Fault::damaged(why.clone())),
            };
            let at = self.next;
            let rows = page.grid.rows_of(at.2.row, page.size) as usize;
            match unpack_rows(packed, page, rows) {
                Ok(chunk) => {
                    let chunk = Arc::new(chunk);
                    self.next.2.row += 1;
                    tell(at, &chunk);
                    if at == key {
                        return Ok(chunk);
                    }
                }
                Err(Fault::Io(error)) => self.rest = Rest::Lost(error.to_string()),
                Err(Fault::Damaged(why)) => self.rest = Rest::Lost(why),
                Err(fault) => return Err(fault),
            }
        }
    }
}

fn unpack_rows(packed: &mut dyn Read, page: &Page, rows: usize) -> Result<Chunk, Fault> {
    let mut stored = crate::raster::limits::zeroed(page.stored_bytes(rows))?;
    fill(packed, &mut stored, page.compression.name())?;
    let bytes = page.whole_numbers(stored, rows)?;
    Ok(Chunk { bytes })
}

/// Bytes of a file from `at` to `end`.
struct Section {
    bytes: Arc<dyn ReadAt>,
    at: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        self.bytes.read_exact_at(&mut buffer[..count], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::geom::PixelRect;
    use crate::raster::source::{Layout, TileSource as _};
    use crate::raster::tiff::TiffSource;
    use crate::raster::tiff::made::{LZMA, Made, ZSTD, sample};

    /// One strip of 18 MiB.
    fn made(compression: u16) -> Made {
        Made {
            width: 2_600,
            height: 2_400,
            compression,
            rows: 2_400,
            ..Made::default()
        }
    }

    fn check(source: &TiffSource, y: u32) {
        let rect = PixelRect::new(1_700, y, 40, 30);
        let rgba = source.read_rgba(0, rect).unwrap();
        for (at, pixel) in rgba.chunks_exact(4).enumerate() {
            let (x, y) = (1_700 + at % 40, y as usize + at / 40);
            assert_eq!(pixel[..3], [0, 1, 2].map(|band| sample(x, y, band)));
        }
    }

    #[test]
    fn any_rows_of_a_long_strip_are_read_in_any_order() {
        let kinds = [
            (5, false),
            (8, false),
            (8, true),
            (LZMA, false),
            (ZSTD, false),
        ];
        for (compression, is_planar) in kinds {
            let made = Made {
                is_planar,
                ..made(compression)
            };
            let source = TiffSource::read(Box::new(made.file()), Path::new("a.tif")).unwrap();
            assert_eq!(source.info().layout, Layout::Strips { rows: 2_400 });
            // A band alone is small enough to be unpacked at once.
            assert_eq!(source.is_sequential(), !is_planar, "{compression}");
            for y in [0, 900, 2_370, 300, 1_200, 5] {
                check(&source, y);
            }
        }
    }

    #[test]
    fn what_lies_above_a_break_is_read() {
        let mut file = made(8).file();
        // The directory is behind the pixels, which are bent in their middle.
        let middle = file.len() / 2;
        file[middle..middle + 64].fill(0xFF);
        let source = TiffSource::read(Box::new(file), Path::new("a.tif")).unwrap();
        check(&source, 300);
        let below = PixelRect::new(0, 2_300, 9, 9);
        let why = source.read_rgba(0, below).unwrap_err().to_string();
        assert!(why.contains("Deflate"), "{why}");
        assert_eq!(source.read_rgba(0, below).unwrap_err().to_string(), why);
        check(&source, 10);
    }
}
