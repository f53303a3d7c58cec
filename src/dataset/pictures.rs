use std::sync::Arc;

use super::BandReading;
use crate::geom::{ImageSize, PixelRect, TileKey};
use crate::raster::{Pyramid, ReadError, TILE_SIZE, Tile, TileCache, TileSource};

/// The pixels of three channels of an image as RGBA8.
pub(super) enum Pixels {
    /// Decoded tile by tile through a cache of so many bytes.
    Tiled(Box<Pyramid>, usize),
    /// Decoded whole.
    Whole(Vec<u8>),
}

impl Pixels {
    /// RGBA8 of `rect` of an image of `size`.
    pub(super) fn read(&self, rect: PixelRect, size: ImageSize) -> Result<Vec<u8>, ReadError> {
        let mut pixels = vec![0; rect.num_pixels() as usize * 4];
        match self {
            Self::Whole(whole) => copy_rows(whole, size.bounds(), rect, &mut pixels),
            Self::Tiled(pyramid, _) => {
                for key in pyramid_tiles(rect) {
                    let tile = pyramid.tile(key)?;
                    copy_rows(&tile.bytes, ground_of(key, &tile), rect, &mut pixels);
                }
            }
        }
        Ok(pixels)
    }

    /// Bytes of tiles that are kept decoded.
    pub(super) const fn cache_bytes(&self) -> usize {
        match self {
            Self::Tiled(_, bytes) => *bytes,
            Self::Whole(_) => 0,
        }
    }
}

/// The pictures of an image that stay in its file; together they keep `cache_bytes` decoded.
pub(super) fn tiled_pictures(
    reading: &BandReading,
    source: &Arc<dyn TileSource>,
    cache_bytes: usize,
) -> Vec<Pixels> {
    let pictures = reading.pictures(source);
    let bytes = cache_bytes / pictures.len();
    let tiled = |picture| {
        let cache = Arc::new(TileCache::new(bytes));
        Pixels::Tiled(Box::new(Pyramid::new(picture, cache)), bytes)
    };
    pictures.into_iter().map(tiled).collect()
}

/// The pictures of an image, decoded.
pub(super) fn whole_pictures(
    reading: &BandReading,
    source: &Arc<dyn TileSource>,
) -> Result<Vec<Pixels>, ReadError> {
    let bounds = source.info().size.bounds();
    let pictures = reading.pictures(source).into_iter();
    pictures
        .map(|picture| picture.read_rgba(0, bounds).map(Pixels::Whole))
        .collect()
}

/// The level-0 tiles under `rect`.
fn pyramid_tiles(rect: PixelRect) -> impl Iterator<Item = TileKey> {
    let cols = rect.x / TILE_SIZE..rect.right().div_ceil(TILE_SIZE);
    let rows = rect.y / TILE_SIZE..rect.bottom().div_ceil(TILE_SIZE);
    rows.flat_map(move |row| cols.clone().map(move |col| TileKey::new(0, col, row)))
}

const fn ground_of(key: TileKey, tile: &Tile) -> PixelRect {
    PixelRect::new(
        key.col * TILE_SIZE,
        key.row * TILE_SIZE,
        tile.size.width,
        tile.size.height,
    )
}

/// Copies what `source` (RGBA8 of `source_rect`) holds of `rect` to `target` (RGBA8 of `rect`).
fn copy_rows(source: &[u8], source_rect: PixelRect, rect: PixelRect, target: &mut [u8]) {
    let shared = source_rect.intersect(rect);
    let start = |of: PixelRect, y: u32| {
        ((y - of.y) as usize * of.width as usize + (shared.x - of.x) as usize) * 4
    };
    let length = shared.width as usize * 4;
    for y in shared.y..shared.bottom() {
        let from = start(source_rect, y);
        target[start(rect, y)..][..length].copy_from_slice(&source[from..from + length]);
    }
}
