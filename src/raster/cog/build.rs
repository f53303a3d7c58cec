use std::borrow::Cow;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::write::ZlibEncoder;
use rayon::prelude::*;

use super::edges::fill_hidden;
use super::file::{Plan, Trouble};
use super::halving::Rows;
use super::input::{Input, Shape};
use super::spool::Spool;
use super::{CogError, CogOptions, CogReport};
use crate::disk::{PendingFile, folder_of};
use crate::geom::{ImageSize, PixelRect};
use crate::raster::tiff::TiffSource;
use crate::raster::writer::{Compression, LevelRows, TileCodec, WriteError, full_tile};

/// Side of a tile where neither the options nor the source say one.
const USUAL_TILE: u32 = 512;
/// Sides of tiles that are written.
const TILE_SIDES: std::ops::RangeInclusive<u32> = 64..=4_096;

/// A file in the making.
pub(super) struct Build<'a> {
    pub(super) task: Task<'a>,
    /// Level by level what is packed and what waits for its row of tiles.
    pub(super) levels: Vec<Level>,
}

/// What is to be done, which threads share.
pub(super) struct Task<'a> {
    pub(super) input: &'a Input,
    pub(super) out: PathBuf,
    pub(super) shape: Shape,
    pub(super) codec: TileCodec,
    /// Whether the image's tiles are those of the source.
    pub(super) is_copied: bool,
    /// What of it is written.
    pub(super) parts: Parts,
    /// Whether a mask is written.
    pub(super) has_mask: bool,
    /// Whether a pixel of the image was hidden so far.
    hides: AtomicBool,
    /// Extents of the levels.
    pub(super) sizes: Vec<ImageSize>,
    /// Where each tile belongs in the file, where that is known before the first is read.
    pub(super) direct: Option<(Plan, PendingFile)>,
}

pub(super) struct Level {
    pub(super) size: ImageSize,
    /// Packed tiles; unused for an image whose tiles are copied.
    pub(super) tiles: Spool,
    /// Packed tiles of the mask.
    pub(super) masks: Option<Spool>,
    /// Rows of tiles that are packed.
    rows_packed: u32,
    waiting: LevelRows,
    waiting_mask: Option<LevelRows>,
}

/// What of an image is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// The image and its overviews.
    All,
    /// Overviews only.
    Overviews,
}

/// What becomes of a tile of the image.
struct Tile {
    packed: Vec<u8>,
    mask: Option<Vec<u8>>,
    half: Rows,
    half_width: usize,
}

impl<'a> Build<'a> {
    pub(super) fn new(
        input: &'a Input,
        out: &Path,
        options: &CogOptions,
        parts: Parts,
    ) -> Result<Self, CogError> {
        let shape = input.shape();
        let refused = |reason| {
            let path = out.to_owned();
            CogError::Write(WriteError::Options { path, reason })
        };
        let compression = input.compression(options, &shape).map_err(refused)?;
        let stored = input.tiff().and_then(TiffSource::copied_tile);
        let stored = stored.filter(|side| TILE_SIDES.contains(side));
        let tile = options.tile.or(stored).unwrap_or(USUAL_TILE);
        if !tile.is_multiple_of(16) || !TILE_SIDES.contains(&tile) {
            let reason = "the tile side must be a multiple of 16 from 64 to 4096";
            return Err(refused(reason));
        }
        let is_same = options.packing == super::Packing::AsSource && options.quality.is_none();
        let mut task = Task {
            input,
            out: out.to_owned(),
            codec: TileCodec {
                compression,
                bands: shape.bands,
                sample_bytes: shape.sample_bytes(),
                is_smooth: shape.is_smooth(),
                tile,
            },
            shape,
            // Without a codec there is nothing to gain, and tiles are at hand when they are halved.
            is_copied: is_same && stored == Some(tile) && compression != Compression::None,
            parts,
            has_mask: input.has_mask(),
            hides: AtomicBool::new(false),
            sizes: level_sizes(input.info().size, tile),
            direct: None,
        };
        let folder = std::fs::create_dir_all(folder_of(out));
        folder.map_err(|error| task.disk_error(error))?;
        let levels = task.sizes.iter().map(|&size| task.level(size));
        let levels = levels.collect::<Result<_, _>>()?;
        let plan = Plan::known(&task).map_err(|trouble| task.trouble(trouble))?;
        if let Some(plan) = plan {
            let file = PendingFile::create(out).and_then(|mut file| {
                file.file_mut().set_len(plan.end())?;
                Ok(file)
            });
            task.direct = Some((plan, file.map_err(|error| task.disk_error(error))?));
        }
        Ok(Self { task, levels })
    }

    /// Reads the image once and packs all levels. While a row of tiles is decoded, the one before is
    /// put away.
    pub(super) fn run(&mut self, goes_on: &(dyn Fn(f64) -> bool + Sync)) -> Result<(), CogError> {
        let rows = self.task.sizes[0].height.div_ceil(self.task.codec.tile);
        let mut decoded = Vec::new();
        for row in 0..=rows {
            if !goes_on(f64::from(row) / f64::from(rows + 1)) {
                return Err(CogError::Cancelled);
            }
            let (task, before) = (&self.task, std::mem::take(&mut decoded));
            let mut packer = Packer {
                task,
                levels: &mut self.levels,
            };
            let (next, taken) = rayon::join(
                || (row < rows).then(|| task.row_of_tiles(row)).transpose(),
                || packer.take(before),
            );
            taken?;
            decoded = next?.unwrap_or_default();
        }
        Ok(())
    }

    /// Puts the file together.
    pub(super) fn finish(mut self) -> Result<CogReport, CogError> {
        // That nothing is hidden needs no mask, unless the source has one.
        let hides = self.task.hides.load(Ordering::Relaxed);
        self.task.has_mask &= hides || self.task.input.tiff().is_some();
        let written = super::file::write(&mut self);
        let bytes = written.map_err(|trouble| self.task.trouble(trouble))?;
        Ok(CogReport {
            levels: self.levels.len(),
            tile: self.task.codec.tile,
            is_copied: self.task.is_copied,
            bytes,
        })
    }
}

impl Task<'_> {
    fn level(&self, size: ImageSize) -> Result<Level, CogError> {
        let spool = || Spool::new(folder_of(&self.out)).map_err(|error| self.disk_error(error));
        let (has_mask, tile) = (self.has_mask, self.codec.tile);
        Ok(Level {
            size,
            tiles: spool()?,
            masks: has_mask.then(spool).transpose()?,
            rows_packed: 0,
            waiting: LevelRows::new(size, self.shape.pixel_bytes(), tile),
            waiting_mask: has_mask.then(|| LevelRows::new(size, 1, tile)),
        })
    }

    fn trouble(&self, trouble: Trouble) -> CogError {
        match trouble {
            Trouble::Disk(source) => self.disk_error(source),
            Trouble::Read(error) => CogError::Read(error),
        }
    }

    /// Whether nothing was ever written where a tile of the image is.
    pub(super) fn is_unwritten(&self, col: u32, row: u32) -> bool {
        let side = self.codec.tile;
        let rect = PixelRect::new(col * side, row * side, side, side);
        let rect = rect.intersect(self.input.info().size.bounds());
        (self.input.tiff()).is_some_and(|source| source.has_nothing(rect))
    }

    /// Puts tile number `tile` of a level into its place, if that is known.
    fn put(&self, level: usize, tile: usize, pixels: &[u8]) -> Result<bool, CogError> {
        let Some((plan, file)) = &self.direct else {
            return Ok(false);
        };
        let written = file.write_at(pixels, plan.place(level, tile));
        written.map_err(|error| self.disk_error(error))?;
        Ok(true)
    }

    fn disk_error(&self, source: std::io::Error) -> CogError {
        disk_error(&self.out, source)
    }

    fn packing_error(&self, reason: String) -> CogError {
        CogError::Write(WriteError::Encode {
            path: self.out.clone(),
            reason,
        })
    }

    /// Packs and halves one tile of the image.
    fn tile(&self, rect: PixelRect, rows: &Rows) -> Result<Tile, CogError> {
        let (width, bytes) = (rect.width as usize, self.shape.pixel_bytes());
        let is_left_out = self.parts == Parts::Overviews;
        let hides = |shown: &Vec<u8>| shown.contains(&0);
        if rows.shown.as_ref().is_some_and(hides) {
            self.hides.store(true, Ordering::Relaxed);
        }
        let shown = rows.shown.as_ref().filter(|_| !is_left_out);
        let shown = shown.map(|shown| padded(shown, width, 1, self.codec.tile as usize));
        let packed = if self.is_copied || is_left_out {
            Vec::new()
        } else {
            let full = padded(&rows.pixels, width, bytes, self.codec.tile as usize);
            self.packed(rect, self.without_edges(full, shown.as_deref()))?
        };
        let mask = shown.map(|shown| pack_mask(&shown));
        let has_next = self.sizes.len() > 1;
        let half = if has_next {
            self.shape.halving.halve(rows, width, bytes)
        } else {
            Rows::default()
        };
        Ok(Tile {
            packed,
            mask: mask
                .transpose()
                .map_err(|reason| self.packing_error(reason))?,
            half,
            half_width: width.div_ceil(2),
        })
    }

    /// The stored bytes of a full tile of the image, which are none where it is put into its place at
    /// once, or where nothing was ever written.
    fn packed(&self, rect: PixelRect, full: Cow<'_, [u8]>) -> Result<Vec<u8>, CogError> {
        let side = self.codec.tile;
        let (col, row) = (rect.x / side, rect.y / side);
        if self.is_unwritten(col, row) {
            return Ok(Vec::new());
        }
        let number = (row * self.sizes[0].width.div_ceil(side) + col) as usize;
        if self.put(0, number, &full)? {
            return Ok(Vec::new());
        }
        let packed = self.codec.encode(full.into_owned());
        packed.map_err(|reason| self.packing_error(reason))
    }

    /// A full tile whose hidden pixels do no harm to those beside them.
    fn without_edges<'p>(&self, full: Cow<'p, [u8]>, shown: Option<&[u8]>) -> Cow<'p, [u8]> {
        match (self.codec.compression, shown) {
            (Compression::Jpeg { .. }, Some(shown)) => {
                let mut full = full.into_owned();
                fill_hidden(&mut full, shown, self.shape.bands, self.codec.tile as usize);
                Cow::Owned(full)
            }
            _ => full,
        }
    }

    /// Decodes, packs and halves a row of tiles of the image.
    fn row_of_tiles(&self, row: u32) -> Result<Vec<Tile>, CogError> {
        let (size, side) = (self.sizes[0], self.codec.tile);
        let top = row * side;
        let band = PixelRect::new(0, top, size.width, side).intersect(size.bounds());
        let read = |rect| self.input.rows(rect, &self.shape, self.has_mask);
        let whole = if self.input.is_tiled() {
            None
        } else {
            Some(read(band)?)
        };
        let columns: Vec<u32> = (0..size.width.div_ceil(side)).collect();
        let tiles = columns.into_par_iter().map(|col| {
            let rect = PixelRect::new(col * side, top, side, side).intersect(size.bounds());
            let pixels = match &whole {
                Some(whole) => cut(whole, band, rect, self.shape.pixel_bytes()),
                None => read(rect)?,
            };
            self.tile(rect, &pixels)
        });
        tiles.collect()
    }
}

/// Puts packed tiles away and passes their halves on.
struct Packer<'a, 't> {
    task: &'a Task<'t>,
    levels: &'a mut Vec<Level>,
}

impl Packer<'_, '_> {
    /// Keeps a row of tiles of the image and passes their halves on.
    fn take(&mut self, tiles: Vec<Tile>) -> Result<(), CogError> {
        if tiles.is_empty() {
            return Ok(());
        }
        let image = &mut self.levels[0];
        for tile in &tiles {
            let kept = if self.task.is_copied {
                Ok(())
            } else {
                image.tiles.push(&tile.packed)
            };
            let masks = image.masks.as_mut().zip(tile.mask.as_ref());
            let kept = kept.and_then(|()| masks.map_or(Ok(()), |(spool, mask)| spool.push(mask)));
            kept.map_err(|source| disk_error(&self.task.out, source))?;
        }
        if self.levels.len() == 1 {
            return Ok(());
        }
        let joined = joined(tiles, self.task.shape.pixel_bytes());
        self.push(1, &joined)
    }

    /// Adds whole rows to an overview; each full row of tiles is packed and halved.
    fn push(&mut self, at: usize, rows: &Rows) -> Result<(), CogError> {
        let (mut pixels, mut shown) = (&rows.pixels[..], rows.shown.as_deref());
        while !pixels.is_empty() {
            let level = &mut self.levels[at];
            pixels = level.waiting.take(pixels);
            if let (Some(rest), Some(waiting)) = (&mut shown, &mut level.waiting_mask) {
                *rest = waiting.take(rest);
            }
            if self.levels[at].waiting.is_full() {
                self.pack_row(at)?;
            }
        }
        Ok(())
    }

    fn pack_row(&mut self, at: usize) -> Result<(), CogError> {
        let level = &self.levels[at];
        let first = level.rows_packed as usize * level.waiting.cols() as usize;
        let columns = 0..level.waiting.cols();
        let tiles = columns.into_par_iter().map(|col| {
            let mask = level.waiting_mask.as_ref();
            let mask = mask.map(|mask| mask.tile_pixels(col));
            let full = Cow::Owned(level.waiting.tile_pixels(col));
            let full = self.task.without_edges(full, mask.as_deref()).into_owned();
            let tile = if self.task.put(at, first + col as usize, &full)? {
                Vec::new()
            } else {
                let tile = self.task.codec.encode(full);
                tile.map_err(|reason| self.task.packing_error(reason))?
            };
            let mask = mask.map(|mask| pack_mask(&mask)).transpose();
            Ok((
                tile,
                mask.map_err(|reason| self.task.packing_error(reason))?,
            ))
        });
        let tiles: Vec<(Vec<u8>, Option<Vec<u8>>)> = tiles.collect::<Result<_, CogError>>()?;
        let half = (at + 1 < self.levels.len()).then(|| {
            let rows = Rows {
                pixels: level.waiting.waiting().to_vec(),
                shown: level
                    .waiting_mask
                    .as_ref()
                    .map(|mask| mask.waiting().to_vec()),
            };
            let width = level.size.width as usize;
            self.task
                .shape
                .halving
                .halve(&rows, width, self.task.shape.pixel_bytes())
        });
        let level = &mut self.levels[at];
        for (tile, mask) in tiles {
            let kept = level.tiles.push(&tile);
            let masks = level.masks.as_mut().zip(mask);
            kept.and_then(|()| masks.map_or(Ok(()), |(spool, mask)| spool.push(&mask)))
                .map_err(|source| disk_error(&self.task.out, source))?;
        }
        level.rows_packed += 1;
        level.waiting.advance();
        if let Some(mask) = &mut level.waiting_mask {
            mask.advance();
        }
        half.map_or(Ok(()), |half| self.push(at + 1, &half))
    }
}

/// The image's extent, halved until one tile holds all.
fn level_sizes(size: ImageSize, tile: u32) -> Vec<ImageSize> {
    let mut sizes = vec![size];
    while sizes
        .last()
        .is_some_and(|last| last.width.max(last.height) > tile)
    {
        sizes.push(size.at_level(sizes.len() as u8));
    }
    sizes
}

fn disk_error(out: &Path, source: std::io::Error) -> CogError {
    CogError::Write(WriteError::Io {
        path: out.to_owned(),
        source,
    })
}

/// `rect` out of `band`, which is as wide as the image.
fn cut(whole: &Rows, band: PixelRect, rect: PixelRect, bytes: usize) -> Rows {
    let part = |all: &[u8], bytes: usize| -> Vec<u8> {
        let row_len = band.width as usize * bytes;
        let (left, len) = (rect.x as usize * bytes, rect.width as usize * bytes);
        let rows = all.chunks_exact(row_len);
        rows.flat_map(|row| &row[left..left + len])
            .copied()
            .collect()
    };
    Rows {
        pixels: part(&whole.pixels, bytes),
        shown: whole.shown.as_deref().map(|shown| part(shown, 1)),
    }
}

/// Pixels filled up to a full tile with the last ones.
fn padded(pixels: &[u8], width: usize, bytes: usize, side: usize) -> Cow<'_, [u8]> {
    if pixels.len() == side * side * bytes {
        return Cow::Borrowed(pixels);
    }
    Cow::Owned(full_tile(pixels.chunks_exact(width * bytes), bytes, side))
}

/// Halves that lie side by side as whole rows.
fn joined(tiles: Vec<Tile>, bytes: usize) -> Rows {
    let side_by_side = |parts: Vec<(&[u8], usize)>| -> Vec<u8> {
        let height = parts
            .first()
            .map_or(0, |(part, width)| part.len() / width.max(&1));
        let mut out = Vec::with_capacity(parts.iter().map(|(part, _)| part.len()).sum());
        for y in 0..height {
            for (part, width) in &parts {
                out.extend_from_slice(&part[y * width..][..*width]);
            }
        }
        out
    };
    let pixels = tiles
        .iter()
        .map(|tile| (&tile.half.pixels[..], tile.half_width * bytes));
    let pixels = side_by_side(pixels.collect());
    let shown = tiles
        .iter()
        .map(|tile| Some((tile.half.shown.as_deref()?, tile.half_width)));
    let shown: Option<Vec<(&[u8], usize)>> = shown.collect();
    Rows {
        pixels,
        shown: shown.map(side_by_side),
    }
}

/// A full tile of a mask, one bit a pixel.
fn pack_mask(shown: &[u8]) -> Result<Vec<u8>, String> {
    let bit = |(at, flag): (usize, &u8)| u8::from(*flag > 0) << (7 - at);
    let bits = shown
        .chunks(8)
        .map(|eight| eight.iter().enumerate().map(bit).sum());
    let bits: Vec<u8> = bits.collect();
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(&bits)
        .map_err(|error| error.to_string())?;
    encoder.finish().map_err(|error| error.to_string())
}
