//! Chunks as they are stored, for a file that takes them over.

use rayon::prelude::*;

use super::directory::Directory;
use super::grid::ChunkAt;
use super::page::{Compression, Page};
use super::source::{TiffSource, check_inside, chunks_of, for_each_run};
use super::tag;
use crate::geom::PixelRect;
use crate::raster::error::{Fault, ReadError};
use crate::raster::limits::{product_within, zeroed};
use crate::raster::read_at::ReadAt;
use crate::raster::source::Layout;
use crate::raster::writer::DirectoryBuilder;

/// The most bytes that are read at once.
const MAX_RECT_BYTES: u64 = 1 << 30;

impl TiffSource {
    /// The image's own directory, checked.
    pub(in crate::raster) fn image_page(&self) -> &Page {
        self.base_page()
    }

    /// What GDAL wrote about the bands, as XML.
    pub(in crate::raster) fn notes(&self) -> Option<String> {
        let text = self
            .image_directory()
            .text(self.image_bytes(), tag::GDAL_METADATA);
        // What cannot be read is no part of the pixels.
        text.ok().flatten()
    }

    /// Whether the image has a mask.
    pub(in crate::raster) fn has_mask(&self) -> bool {
        self.mask_page().is_some()
    }

    /// The side of the image's tiles where they can stand in another file as they are.
    ///
    /// Numbers of more than a byte depend on the byte order of the file.
    pub(in crate::raster) fn copied_tile(&self) -> Option<u32> {
        let page = self.base_page();
        let is_whole = page.grid.chunk_bands == page.bands && page.ycbcr.is_none();
        let is_plain = page.bits == 8
            || (page.bits == page.sample.bits() && page.bits > 8 && !page.order.is_foreign());
        match page.grid.layout {
            Layout::Tiles { width, height }
                if is_whole && is_plain && width == height && width.is_multiple_of(16) =>
            {
                Some(width)
            }
            _ => None,
        }
    }

    /// What `read` reads of the image, its faults told as errors about the file.
    pub(in crate::raster) fn rows_of<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        read(self).map_err(|fault| fault.on_read(self.path()))
    }

    /// The bytes of a tile as they are stored; `None` for one that was never written.
    ///
    /// # Errors
    /// When the file cannot be read or is shorter than it claims.
    pub(in crate::raster) fn copied(
        &self,
        col: u32,
        row: u32,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        self.rows_of(|source| source.stored_tile(col, row))
    }

    /// Tells `directory` how the image's own tiles are stored.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::raster) fn tell_tiles(
        &self,
        directory: &mut DirectoryBuilder,
    ) -> Result<(), ReadError> {
        self.rows_of(|source| source.describe_tiles(directory))
    }

    fn stored_tile(&self, col: u32, row: u32) -> Result<Option<Vec<u8>>, Fault> {
        let at = ChunkAt { col, row, plane: 0 };
        let Some((offset, count)) = self.base_page().grid.place(at) else {
            return Ok(None);
        };
        let bytes = self.image_bytes();
        if offset.saturating_add(count) > bytes.len() {
            return Err(Fault::damaged("a tile reaches behind the end of the file"));
        }
        let mut tile = zeroed(count as usize)?;
        bytes.read_exact_at(&mut tile, offset)?;
        Ok(Some(tile))
    }

    /// Bytes of a stored tile, 0 for one that was never written.
    pub(in crate::raster) fn stored_len(&self, col: u32, row: u32) -> u64 {
        let at = ChunkAt { col, row, plane: 0 };
        let place = self.base_page().grid.place(at);
        place.map_or(0, |(_, count)| count)
    }

    /// Whether nothing within `rect` was ever written.
    pub(in crate::raster) fn has_nothing(&self, rect: PixelRect) -> bool {
        let grid = &self.base_page().grid;
        let page = self.base_page();
        let planes = if page.grid.chunk_bands < page.bands {
            page.bands
        } else {
            1
        };
        chunks_of(page, rect).all(|(col, row)| {
            let mut places = (0..planes).map(|plane| ChunkAt { col, row, plane });
            places.all(|at| grid.place(at).is_none())
        })
    }

    /// The samples of `rect` with their bands interleaved, unpacked to whole bytes.
    pub(in crate::raster) fn interleaved(&self, rect: PixelRect) -> Result<Vec<u8>, Fault> {
        let page = self.base_page();
        check_inside(rect, page.size)?;
        let sample_bytes = usize::from(page.sample.bits().div_ceil(8));
        let pixel_bytes = sample_bytes * usize::from(page.bands);
        let factors = [rect.num_pixels(), pixel_bytes as u64];
        let len = product_within(&factors, MAX_RECT_BYTES, "A part")? as usize;
        let planes = if page.grid.chunk_bands < page.bands {
            page.bands
        } else {
            1
        };
        let places = (0..planes).flat_map(|plane| {
            chunks_of(page, rect).map(move |(col, row)| ChunkAt { col, row, plane })
        });
        let places: Vec<ChunkAt> = places.collect();
        if let [at] = places[..]
            && self.is_all_of(at, rect)
        {
            return self.fresh_chunk(at);
        }
        let chunks = places.par_iter().map(|&at| self.fresh_chunk(at));
        let chunks: Vec<Vec<u8>> = chunks.collect::<Result<_, _>>()?;
        let mut out = zeroed(len)?;
        let chunk_pixel = sample_bytes * usize::from(page.grid.chunk_bands);
        for (at, chunk) in places.iter().zip(&chunks) {
            let first = usize::from(at.plane) * sample_bytes;
            for_each_run(page, (at.col, at.row), rect, |from, to, count| {
                let from = &chunk[from * chunk_pixel..][..count * chunk_pixel];
                let to = &mut out[to * pixel_bytes..][..count * pixel_bytes];
                if chunk_pixel == pixel_bytes {
                    to.copy_from_slice(from);
                    return;
                }
                let pixels = to.chunks_exact_mut(pixel_bytes);
                for (to, from) in pixels.zip(from.chunks_exact(chunk_pixel)) {
                    to[first..first + chunk_pixel].copy_from_slice(from);
                }
            });
        }
        Ok(out)
    }

    fn is_all_of(&self, at: ChunkAt, rect: PixelRect) -> bool {
        let page = self.base_page();
        let chunk = page.grid.chunk;
        let rows = page.grid.rows_of(at.row, page.size);
        let whole = PixelRect::new(
            at.col * chunk.width,
            at.row * chunk.height,
            chunk.width,
            rows,
        );
        whole == rect && page.grid.chunk_bands == page.bands
    }

    fn describe_tiles(&self, directory: &mut DirectoryBuilder) -> Result<(), Fault> {
        const SHORTS: [u16; 8] = [
            tag::BITS_PER_SAMPLE,
            tag::COMPRESSION,
            tag::PHOTOMETRIC,
            tag::FILL_ORDER,
            tag::PREDICTOR,
            tag::EXTRA_SAMPLES,
            tag::SAMPLE_FORMAT,
            tag::YCBCR_SUBSAMPLING,
        ];
        let (bytes, stored) = (self.image_bytes(), self.image_directory());
        for tag in SHORTS {
            let values = stored.numbers(bytes, tag, 1 << 16)?;
            if !values.is_empty() {
                let values = values.iter().map(|&value| value as u16);
                directory.shorts(tag, &values.collect::<Vec<_>>());
            }
        }
        if let Compression::Lerc(_) = self.base_page().compression {
            let values = stored.numbers(bytes, tag::LERC_PARAMETERS, 2)?;
            directory.longs(tag::LERC_PARAMETERS, &values);
        }
        for tag in [tag::YCBCR_COEFFICIENTS, tag::REFERENCE_BLACK_WHITE] {
            directory.fractions(tag, &stored.floats(bytes, tag, 6)?);
        }
        if let Some(tables) = stored.bytes(bytes, tag::JPEG_TABLES, 1 << 16)? {
            directory.bytes(tag::JPEG_TABLES, tables);
        }
        let map = color_map(bytes, stored)?;
        if !map.is_empty() {
            directory.shorts(tag::COLOR_MAP, &map);
        }
        Ok(())
    }
}

fn color_map(bytes: &dyn ReadAt, stored: &Directory) -> Result<Vec<u16>, Fault> {
    let map = stored.numbers(bytes, tag::COLOR_MAP, 3 * 256)?;
    Ok(map.iter().map(|&value| value as u16).collect())
}
