use std::sync::Arc;

use super::files::FileSet;
use super::{DatasetError, MirroredWindow, read_mirrored};
use crate::geom::{ImageSize, PixelRect, TileKey};
use crate::label::{Mask, UNLABELED};
use crate::raster::{Pyramid, ReadError, RgbaTile, TILE_SIZE, TileCache, TileSource};

/// What a training reads from.
#[derive(Debug)]
pub enum Ground {
    /// One image with its mask; part of it is held out.
    Image(Arc<Scene>),
    /// Many files with their masks; some of them are held out.
    Files(Box<FileSet>),
}

impl Ground {
    /// Number of scenes.
    pub fn num_scenes(&self) -> usize {
        match self {
            Self::Image(_) => 1,
            Self::Files(files) => files.len(),
        }
    }

    /// Scene `index`, from memory or from its files.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn scene(&self, index: usize) -> Result<Arc<Scene>, DatasetError> {
        match self {
            Self::Image(scene) => Ok(Arc::clone(scene)),
            Self::Files(files) => files.scene(index),
        }
    }

    /// Opens the image of scene `index` and decodes a block of it, as a training will do.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn try_scene(&self, index: usize) -> Result<(), DatasetError> {
        match self {
            Self::Image(scene) => {
                let block = PixelRect::new(0, 0, TRIED, TRIED);
                scene.read_rgba(block.intersect(scene.size().bounds()))?;
                Ok(())
            }
            Self::Files(files) => files.try_image(index),
        }
    }
}

/// Columns and rows of what is decoded to see whether an image can be read.
pub(super) const TRIED: u32 = 64;

/// One image with its mask, readable at any place from any thread.
pub struct Scene {
    name: String,
    size: ImageSize,
    pixels: Pixels,
    mask: Mask,
}

enum Pixels {
    /// Decoded tile by tile through a cache.
    Tiled(Pyramid),
    /// Decoded whole.
    Whole(Vec<u8>),
}

impl Scene {
    /// A scene whose pixels stay in the file; `cache_bytes` bounds what is kept decoded.
    ///
    /// `mask` must have the image's extent.
    pub fn tiled(
        name: String,
        source: Arc<dyn TileSource>,
        mask: Mask,
        cache_bytes: usize,
    ) -> Self {
        let size = source.info().size;
        let pyramid = Pyramid::new(source, Arc::new(TileCache::new(cache_bytes)));
        Self {
            name,
            size,
            pixels: Pixels::Tiled(pyramid),
            mask,
        }
    }

    /// A scene decoded whole.
    ///
    /// # Errors
    /// When the file does not decode.
    pub fn whole(name: String, source: &dyn TileSource, mask: Mask) -> Result<Self, ReadError> {
        let size = source.info().size;
        let pixels = Pixels::Whole(source.read_rgba(0, size.bounds())?);
        Ok(Self {
            name,
            size,
            pixels,
            mask,
        })
    }

    /// What the user calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Extent of image and mask.
    pub const fn size(&self) -> ImageSize {
        self.size
    }

    /// The labels, frozen when the scene was made.
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// Bytes that the scene keeps in memory, its tile cache not counted.
    pub fn bytes_used(&self) -> usize {
        let pixels = match &self.pixels {
            Pixels::Tiled(_) => 0,
            Pixels::Whole(pixels) => pixels.len(),
        };
        pixels + self.mask.bytes_used()
    }

    /// RGBA8 of `rect`, which must be inside the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_rgba(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let mut pixels = vec![0; rect.num_pixels() as usize * 4];
        match &self.pixels {
            Pixels::Whole(whole) => copy_rows(whole, self.size.bounds(), rect, &mut pixels),
            Pixels::Tiled(pyramid) => {
                for key in pyramid_tiles(rect) {
                    let tile = pyramid.tile(key)?;
                    copy_rows(&tile.pixels, ground_of(key, &tile), rect, &mut pixels);
                }
            }
        }
        Ok(pixels)
    }

    /// RGBA8 of `window`, mirrored at the edges of the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_window(&self, window: MirroredWindow) -> Result<Vec<u8>, ReadError> {
        read_mirrored(window, self.size, |rect| self.read_rgba(rect))
    }

    /// Labels of `window` within `allowed`; [`UNLABELED`] elsewhere.
    pub fn read_labels(&self, window: MirroredWindow, allowed: PixelRect) -> Vec<u8> {
        let side = window.side as usize;
        let mut labels = vec![UNLABELED; side * side];
        let rect = window.inside(self.size).intersect(allowed);
        if rect.is_empty() {
            return labels;
        }
        let found = self.mask.read_rect(rect);
        let left = (i64::from(rect.x) - window.x) as usize;
        let top = (i64::from(rect.y) - window.y) as usize;
        for (row, found) in found.chunks_exact(rect.width as usize).enumerate() {
            labels[(top + row) * side + left..][..found.len()].copy_from_slice(found);
        }
        labels
    }
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The level-0 tiles under `rect`.
fn pyramid_tiles(rect: PixelRect) -> impl Iterator<Item = TileKey> {
    let cols = rect.x / TILE_SIZE..rect.right().div_ceil(TILE_SIZE);
    let rows = rect.y / TILE_SIZE..rect.bottom().div_ceil(TILE_SIZE);
    rows.flat_map(move |row| cols.clone().map(move |col| TileKey::new(0, col, row)))
}

const fn ground_of(key: TileKey, tile: &RgbaTile) -> PixelRect {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::raster::{Layout, RasterInfo, SampleType};

    /// An image in memory: red is the column, green the row (both modulo 256), blue and alpha
    /// fixed by a rule.
    pub(in super::super) struct Painted {
        info: RasterInfo,
        paint: fn(u32, u32) -> [u8; 4],
    }

    impl Painted {
        pub(in super::super) fn new(size: ImageSize, paint: fn(u32, u32) -> [u8; 4]) -> Arc<Self> {
            let info = RasterInfo {
                size,
                bands: 4,
                sample: SampleType::U8,
                compression: "none".to_owned(),
                layout: Layout::Whole,
                level_sizes: vec![size],
                georef: None,
                nodata: None,
                palette: None,
                has_alpha: true,
                format: "test",
            };
            Arc::new(Self { info, paint })
        }
    }

    impl TileSource for Painted {
        fn info(&self) -> &RasterInfo {
            &self.info
        }

        fn read_rgba(&self, _stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
            let row = |y| (rect.x..rect.right()).flat_map(move |x| (self.paint)(x, y));
            Ok((rect.y..rect.bottom()).flat_map(row).collect())
        }

        fn read_index(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
            Ok(vec![0; rect.num_pixels() as usize])
        }

        fn block_size(&self, _stored: usize) -> ImageSize {
            ImageSize::new(64, 64)
        }
    }

    fn coordinates(x: u32, y: u32) -> [u8; 4] {
        [x as u8, y as u8, (x / 256) as u8, 255]
    }

    #[test]
    fn tiled_and_whole_scenes_read_alike() {
        let size = ImageSize::new(700, 600);
        let source = Painted::new(size, coordinates);
        let mask = Mask::new(size);
        let whole = Scene::whole("whole".to_owned(), &*source, mask.clone()).expect("pixels");
        let tiled = Scene::tiled("tiled".to_owned(), source, mask, 1 << 20);
        for window in [(500, 500), (-20, 580), (680, -3)] {
            let window = MirroredWindow {
                x: window.0,
                y: window.1,
                side: 32,
            };
            assert_eq!(
                whole.read_window(window).expect("pixels"),
                tiled.read_window(window).expect("pixels")
            );
        }
        let at = tiled
            .read_rgba(PixelRect::new(511, 511, 2, 2))
            .expect("pixels");
        assert_eq!(at[..8], [255, 255, 1, 255, 0, 255, 2, 255]);
    }

    #[test]
    fn labels_outside_what_is_allowed_are_unlabelled() {
        let size = ImageSize::new(4, 4);
        let source = Painted::new(size, coordinates);
        let scene = Scene::tiled("s".to_owned(), source, Mask::filled(size, 7), 1 << 20);
        let window = MirroredWindow {
            x: -1,
            y: 2,
            side: 3,
        };
        let labels = scene.read_labels(window, PixelRect::new(0, 0, 1, 9));
        assert_eq!(labels, [255, 7, 255, 255, 7, 255, 255, 255, 255]);
        assert_eq!(
            scene.read_labels(window, PixelRect::new(3, 3, 1, 1)),
            [255; 9]
        );
    }
}
