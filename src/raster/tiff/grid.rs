use super::directory::Directory;
use super::page::Compression;
use super::tag;
use super::ycbcr::YCbCr;
use crate::geom::ImageSize;
use crate::raster::error::Fault;
use crate::raster::limits::{MAX_CHUNK_BYTES, MAX_CHUNKS, product_within};
use crate::raster::read_at::ReadAt;
use crate::raster::source::Layout;

/// An uncompressed strip above this size is read in pieces.
const CHOP_ABOVE_BYTES: u64 = 1 << 20;
const CHOPPED_BYTES: u64 = 1 << 18;
/// A packed strip above this size is unpacked row by row.
const STREAM_ABOVE_BYTES: u64 = 16 << 20;
const STREAMED_BYTES: u64 = 2 << 20;

/// Where the chunks (tiles or strips) of one page are.
#[derive(Debug)]
pub struct ChunkGrid {
    /// How the file is cut.
    pub layout: Layout,
    /// Extent of a chunk; the last strip may have fewer rows.
    pub chunk: ImageSize,
    /// Chunks side by side.
    pub cols: u32,
    /// Chunks one above the other.
    pub rows: u32,
    /// Bands within one chunk: all of them, or one.
    pub chunk_bands: u16,
    /// Whether the chunks are no more than rows of one strip that is unpacked from its start.
    is_stream: bool,
    offsets: Vec<u64>,
    counts: Vec<u64>,
}

/// Which chunk: column, row, and the band where each band has chunks of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkAt {
    pub col: u32,
    pub row: u32,
    pub plane: u16,
}

/// What the extent of a chunk follows from.
pub struct Cut<'a> {
    pub size: ImageSize,
    pub bands: u16,
    /// Bits of a sample in the file.
    pub bits: u16,
    pub compression: Compression,
    pub ycbcr: Option<&'a YCbCr>,
    /// Whether the lowest bit of a byte is the first.
    pub is_reversed: bool,
}

impl Cut<'_> {
    /// Bytes of a row of samples in a chunk, as it is stored.
    fn row_bytes(&self, width: u32, chunk_bands: u16) -> u64 {
        let samples = u64::from(width) * u64::from(chunk_bands);
        (samples * u64::from(self.bits)).div_ceil(8)
    }

    /// Whether a strip can be read from any of its rows on.
    fn can_be_chopped(&self) -> bool {
        self.compression == Compression::None && self.ycbcr.is_none()
    }

    /// Whether a strip can be unpacked row by row.
    fn can_be_streamed(&self) -> bool {
        let is_stream = matches!(
            self.compression,
            Compression::Deflate | Compression::Lzw | Compression::Zstd | Compression::Lzma
        );
        is_stream && self.ycbcr.is_none() && !self.is_reversed
    }
}

impl ChunkGrid {
    /// Reads the places of all chunks; the chunk's own size and their number are checked first.
    pub fn read(bytes: &dyn ReadAt, directory: &Directory, cut: &Cut<'_>) -> Result<Self, Fault> {
        let (size, bands) = (cut.size, cut.bands);
        let layout = read_layout(bytes, directory, size)?;
        let planar = directory
            .number(bytes, tag::PLANAR_CONFIGURATION)?
            .unwrap_or(1);
        let (planes, chunk_bands) = if planar == 2 { (bands, 1) } else { (1, bands) };
        let chunk = match layout {
            Layout::Tiles { width, height } => ImageSize::new(width, height),
            Layout::Strips { rows } => ImageSize::new(size.width, rows),
            Layout::Whole => size,
        };
        let cols = size.width.div_ceil(chunk.width);
        let rows = size.height.div_ceil(chunk.height);
        let total = [u64::from(cols), u64::from(rows), u64::from(planes)];
        let total = total
            .iter()
            .try_fold(1_u64, |total, &factor| total.checked_mul(factor));
        let total = total.filter(|&total| total <= MAX_CHUNKS);
        let total = total.ok_or_else(|| Fault::unsupported("A TIFF with more than 2^24 chunks"))?;
        let mut grid = Self {
            layout,
            chunk,
            cols,
            rows,
            chunk_bands,
            is_stream: false,
            offsets: Vec::new(),
            counts: Vec::new(),
        };
        grid.read_places(bytes, directory, total)?;
        let row_bytes = cut.row_bytes(chunk.width, chunk_bands);
        if cut.can_be_chopped() {
            grid.chop_strip(row_bytes, size);
        }
        let strip_bytes = row_bytes.saturating_mul(u64::from(grid.chunk.height));
        grid.complete_counts(bytes.len(), strip_bytes, cut.compression);
        if cut.can_be_streamed() {
            grid.stream_strip(row_bytes, size);
        }
        grid.check_chunk_bytes(cut.bits)?;
        Ok(grid)
    }

    fn read_places(
        &mut self,
        bytes: &dyn ReadAt,
        directory: &Directory,
        total: u64,
    ) -> Result<(), Fault> {
        let (offsets, counts) = if directory.has(tag::TILE_OFFSETS) {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        self.offsets = directory.numbers(bytes, offsets, total)?;
        self.counts = directory.numbers(bytes, counts, total)?;
        if self.offsets.is_empty() {
            return Err(Fault::damaged("it does not say where its pixels are"));
        }
        let stored = self.offsets.iter().filter(|&&offset| offset != 0).count() as u64;
        if stored > bytes.len() {
            return Err(Fault::damaged("it claims more chunks than it has bytes"));
        }
        // Chunks that are not listed count as never written.
        self.offsets.resize(total as usize, 0);
        Ok(())
    }

    /// Cuts one large uncompressed strip into many, so that a window of it can be read alone.
    fn chop_strip(&mut self, row_bytes: u64, size: ImageSize) {
        let is_one_strip = matches!(self.layout, Layout::Strips { .. }) && self.rows == 1;
        let strip_bytes = row_bytes.saturating_mul(u64::from(size.height));
        if !is_one_strip || strip_bytes <= CHOP_ABOVE_BYTES || self.offsets.contains(&0) {
            return;
        }
        let rows = (CHOPPED_BYTES / row_bytes.max(1)).clamp(1, u64::from(size.height)) as u32;
        let pieces = size.height.div_ceil(rows);
        if u64::from(pieces) * self.offsets.len() as u64 > MAX_CHUNKS {
            return;
        }
        let step = u64::from(rows).saturating_mul(row_bytes);
        let starts = std::mem::take(&mut self.offsets);
        for start in starts {
            let piece = |index| start.saturating_add(u64::from(index).saturating_mul(step));
            self.offsets.extend((0..pieces).map(piece));
        }
        self.counts.clear();
        self.chunk.height = rows;
        self.rows = pieces;
    }

    /// Cuts one large packed strip into rows that are unpacked one after the other.
    fn stream_strip(&mut self, row_bytes: u64, size: ImageSize) {
        let is_one_strip = matches!(self.layout, Layout::Strips { .. }) && self.rows == 1;
        let strip_bytes = row_bytes.saturating_mul(u64::from(size.height));
        if !is_one_strip || strip_bytes <= STREAM_ABOVE_BYTES {
            return;
        }
        let rows = (STREAMED_BYTES / row_bytes.max(1)).clamp(1, u64::from(size.height)) as u32;
        self.is_stream = true;
        self.chunk.height = rows;
        self.rows = size.height.div_ceil(rows);
    }

    /// Whether chunks can only be reached through those above them.
    pub const fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Whether a chunk that was written can only be reached through those above it.
    pub fn is_streamed(&self, at: ChunkAt) -> bool {
        self.is_stream && self.place(at).is_some()
    }

    fn check_chunk_bytes(&self, bits: u16) -> Result<(), Fault> {
        let sample_bytes = u64::from(bits.div_ceil(8).next_power_of_two());
        let factors = [
            u64::from(self.chunk.width),
            u64::from(self.chunk.height),
            u64::from(self.chunk_bands),
            sample_bytes,
        ];
        product_within(&factors, MAX_CHUNK_BYTES, "A TIFF with chunks").map(drop)
    }

    /// Makes up for byte counts that are missing or all zero.
    fn complete_counts(&mut self, file_len: u64, chunk_bytes: u64, compression: Compression) {
        let is_missing = self.counts.iter().all(|&count| count == 0);
        if !is_missing {
            self.counts.resize(self.offsets.len(), 0);
            return;
        }
        // A codec finds its own end; twice the plain size is more than any of them needs.
        let most = if compression == Compression::None {
            chunk_bytes
        } else {
            chunk_bytes.saturating_mul(2).saturating_add(1 << 16)
        };
        let count = |&offset: &u64| match offset {
            0 => 0,
            offset => file_len.saturating_sub(offset).min(most),
        };
        self.counts = self.offsets.iter().map(count).collect();
    }

    /// Rows of the chunks in chunk row `row`: a strip ends with the image, a tile does not.
    pub fn rows_of(&self, row: u32, size: ImageSize) -> u32 {
        match self.layout {
            Layout::Tiles { .. } => self.chunk.height,
            _ => self.chunk.height.min(size.height - row * self.chunk.height),
        }
    }

    /// Offset and length in the file, of a streamed chunk those of the strip; `None` for a chunk that
    /// was never written.
    pub fn place(&self, at: ChunkAt) -> Option<(u64, u64)> {
        if self.is_stream {
            return self.stored_at(usize::from(at.plane));
        }
        let plane_len = u64::from(self.cols) * u64::from(self.rows);
        let in_plane = u64::from(at.row) * u64::from(self.cols) + u64::from(at.col);
        self.stored_at((u64::from(at.plane) * plane_len + in_plane) as usize)
    }

    fn stored_at(&self, index: usize) -> Option<(u64, u64)> {
        let (offset, count) = (*self.offsets.get(index)?, *self.counts.get(index)?);
        (offset != 0 && count != 0).then_some((offset, count))
    }
}

fn read_layout(
    bytes: &dyn ReadAt,
    directory: &Directory,
    size: ImageSize,
) -> Result<Layout, Fault> {
    let width = directory.number(bytes, tag::TILE_WIDTH)?;
    let height = directory.number(bytes, tag::TILE_LENGTH)?;
    if let (Some(width), Some(height)) = (width, height) {
        let checked = |side: u64| u32::try_from(side).ok().filter(|&side| side > 0);
        let (Some(width), Some(height)) = (checked(width), checked(height)) else {
            return Err(Fault::damaged(format!(
                "it claims tiles of {width} × {height} pixels"
            )));
        };
        return Ok(Layout::Tiles { width, height });
    }
    let rows = directory
        .number(bytes, tag::ROWS_PER_STRIP)?
        .filter(|&rows| rows > 0);
    let rows = rows.unwrap_or(u64::MAX).min(u64::from(size.height));
    Ok(Layout::Strips { rows: rows as u32 })
}
