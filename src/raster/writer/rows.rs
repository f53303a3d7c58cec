use rayon::prelude::*;

use super::options::Overviews;
use crate::geom::ImageSize;
use crate::raster::shrink::{RowPair, average_opaque, average_rgba, most_frequent};

/// The rows of one level that have not become tiles yet: at most one row of tiles.
pub(in crate::raster) struct LevelRows {
    pub(in crate::raster) size: ImageSize,
    pub(in crate::raster) offsets: Vec<u64>,
    pub(in crate::raster) counts: Vec<u64>,
    bands: usize,
    tile: u32,
    rows_done: u32,
    pixels: Vec<u8>,
}

impl LevelRows {
    pub(in crate::raster) const fn new(size: ImageSize, bands: usize, tile: u32) -> Self {
        Self {
            size,
            offsets: Vec::new(),
            counts: Vec::new(),
            bands,
            tile,
            rows_done: 0,
            pixels: Vec::new(),
        }
    }

    /// Bytes of one row.
    pub(in crate::raster) const fn row_len(&self) -> usize {
        self.size.width as usize * self.bands
    }

    fn rows_waiting(&self) -> u32 {
        (self.pixels.len() / self.row_len()) as u32
    }

    /// Whether a row of tiles is complete, be it because the image ends.
    pub(in crate::raster) fn is_full(&self) -> bool {
        let waiting = self.rows_waiting();
        waiting > 0 && (waiting == self.tile || self.rows_done + waiting == self.size.height)
    }

    /// Takes as many of `rows` as belong to the waiting row of tiles; returns the rest.
    pub(in crate::raster) fn take<'a>(&mut self, rows: &'a [u8]) -> &'a [u8] {
        let left = (self.tile - self.rows_waiting()).min(self.size.height - self.rows_done);
        let (now, later) = rows.split_at((left as usize * self.row_len()).min(rows.len()));
        self.pixels.extend_from_slice(now);
        later
    }

    /// The waiting pixels of tile column `col`, filled up to a full tile with the last ones.
    pub(in crate::raster) fn tile_pixels(&self, col: u32) -> Vec<u8> {
        let side = self.tile as usize;
        let left = (col * self.tile) as usize * self.bands;
        let len = (side * self.bands).min(self.row_len() - left);
        let rows = self.pixels.chunks_exact(self.row_len());
        full_tile(rows.map(|row| &row[left..left + len]), self.bands, side)
    }

    /// The rows that have not become tiles yet.
    pub(in crate::raster) fn waiting(&self) -> &[u8] {
        &self.pixels
    }

    /// Number of tile columns.
    pub(in crate::raster) const fn cols(&self) -> u32 {
        self.size.width.div_ceil(self.tile)
    }

    /// The waiting rows at half the size, which are those of the next level.
    pub(in crate::raster) fn halved(&self, overviews: Overviews) -> Vec<u8> {
        let (row_len, bands) = (self.row_len(), self.bands);
        let half_len = self.size.width.div_ceil(2) as usize * bands;
        let mut out = vec![0; half_len * self.rows_waiting().div_ceil(2) as usize];
        out.par_chunks_exact_mut(half_len)
            .zip(self.pixels.par_chunks(2 * row_len))
            .for_each(|(out, pair)| {
                let (top, bottom) = pair.split_at(row_len);
                let rows = RowPair {
                    top,
                    bottom: if bottom.is_empty() { top } else { bottom },
                };
                match (overviews, bands) {
                    (Overviews::Mode { void }, _) => most_frequent(rows, Some(void), out),
                    (_, 1) => average_opaque::<1>(rows, out),
                    (_, 3) => average_opaque::<3>(rows, out),
                    _ => average_rgba(rows, out),
                }
            });
        out
    }

    /// Forgets the waiting rows, which are tiles now.
    pub(in crate::raster) fn advance(&mut self) {
        self.rows_done += self.rows_waiting();
        self.pixels.clear();
    }
}

/// Rows of pixels of `bytes` bytes each, filled up to a tile of `side` × `side` with the last ones.
pub(in crate::raster) fn full_tile<'a>(
    rows: impl Iterator<Item = &'a [u8]>,
    bytes: usize,
    side: usize,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(side * side * bytes);
    for row in rows {
        out.extend_from_slice(row);
        let last = &row[row.len() - bytes..];
        (row.len() / bytes..side).for_each(|_| out.extend_from_slice(last));
    }
    let last_row = out.len() - side * bytes;
    while out.len() < side * side * bytes {
        out.extend_from_within(last_row..last_row + side * bytes);
    }
    out
}
