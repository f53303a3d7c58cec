use std::sync::Arc;

use super::files::FileSet;
use super::{
    DatasetError, GridScale, MirroredWindow, PixelSize, RunPixels, Watch, image_meters,
    read_mirrored,
};
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

    /// The same ground read with pixels of one size, how large they are, and what the user should
    /// know. Reads the headers of all images unless they are read as they are.
    ///
    /// # Errors
    /// When an image cannot be opened, its pixels are of a size beyond reason, or `watch` says stop.
    pub fn in_pixels(
        self,
        choice: PixelSize,
        watch: &Watch<'_>,
    ) -> Result<(Self, RunPixels), DatasetError> {
        match self {
            Self::Image(scene) => {
                let run = RunPixels::of(choice, &[(scene.name.clone(), scene.own.meters)])?;
                let scene = match run.scales[0] {
                    own if own == scene.scale => scene,
                    scale => Arc::new(scene.scaled(scale)),
                };
                Ok((Self::Image(scene), run))
            }
            Self::Files(mut files) => {
                let run = files.read_in_pixels(choice, watch)?;
                Ok((Self::Files(files), run))
            }
        }
    }
}

/// Columns and rows of what is decoded to see whether an image can be read.
pub(super) const TRIED: u32 = 64;

/// One image with its mask, readable at any place from any thread.
///
/// All places are pixels of the run's grid, and the mask lies on it, where nothing else is said; the
/// image's own grid may be another one.
pub struct Scene {
    name: String,
    size: ImageSize,
    mask: Mask,
    scale: GridScale,
    own: Arc<Own>,
}

/// The image in its own grid, with its mask.
struct Own {
    size: ImageSize,
    meters: Option<f64>,
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
        let (size, meters) = (source.info().size, image_meters(source.info()));
        let pyramid = Pyramid::new(source, Arc::new(TileCache::new(cache_bytes)));
        Self::of(
            name,
            Own {
                size,
                meters,
                pixels: Pixels::Tiled(pyramid),
                mask,
            },
        )
    }

    /// A scene decoded whole.
    ///
    /// # Errors
    /// When the file does not decode.
    pub fn whole(name: String, source: &dyn TileSource, mask: Mask) -> Result<Self, ReadError> {
        let (size, meters) = (source.info().size, image_meters(source.info()));
        let pixels = Pixels::Whole(source.read_rgba(0, size.bounds())?);
        Ok(Self::of(
            name,
            Own {
                size,
                meters,
                pixels,
                mask,
            },
        ))
    }

    fn of(name: String, own: Own) -> Self {
        Self {
            name,
            size: own.size,
            mask: own.mask.clone(),
            scale: GridScale::OWN,
            own: Arc::new(own),
        }
    }

    /// The same image and mask, read in another grid.
    #[must_use]
    pub fn scaled(&self, scale: GridScale) -> Self {
        Self {
            name: self.name.clone(),
            size: scale.size(self.own.size),
            mask: scale.labels(&self.own.mask),
            scale,
            own: Arc::clone(&self.own),
        }
    }

    /// How the image's own grid becomes the run's.
    pub const fn scale(&self) -> GridScale {
        self.scale
    }

    /// Extent in the image's own pixels.
    pub fn image_size(&self) -> ImageSize {
        self.own.size
    }

    /// Meters along a side of the image's own pixels, when it says so.
    pub fn image_meters(&self) -> Option<f64> {
        self.own.meters
    }

    /// The labels on the image's own grid.
    pub fn image_mask(&self) -> &Mask {
        &self.own.mask
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
        let pixels = match &self.own.pixels {
            Pixels::Tiled(_) => 0,
            Pixels::Whole(pixels) => pixels.len(),
        };
        let scaled = if self.scale.is_own() {
            0
        } else {
            self.mask.bytes_used()
        };
        pixels + self.own.mask.bytes_used() + scaled
    }

    /// RGBA8 of `rect`, which must be inside the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_rgba(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let size = self.own.size;
        self.scale.colors(rect, size, |rect| self.read_image(rect))
    }

    /// RGBA8 of `rect` of the image's own pixels, which must be inside the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_image(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let mut pixels = vec![0; rect.num_pixels() as usize * 4];
        match &self.own.pixels {
            Pixels::Whole(whole) => copy_rows(whole, self.own.size.bounds(), rect, &mut pixels),
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

    #[test]
    fn a_scene_of_smaller_pixels_is_read_in_the_runs_grid() {
        let size = ImageSize::new(700, 600);
        let mut mask = Mask::filled(size, 1);
        mask.set_rect(PixelRect::new(0, 0, 100, 600), &vec![2; 60_000]);
        let scene = Scene::tiled(
            "s".to_owned(),
            Painted::new(size, coordinates),
            mask,
            1 << 20,
        );
        let half = scene.scaled(GridScale::new(2.0).expect("a scale"));
        assert_eq!(
            (half.size(), half.image_size()),
            (ImageSize::new(350, 300), size)
        );
        let pixel = half
            .read_rgba(PixelRect::new(20, 30, 1, 1))
            .expect("pixels");
        // The mean of columns 40 and 41, rounded up.
        assert_eq!(pixel, [41, 61, 0, 255]);
        assert_eq!(half.mask().read_rect(PixelRect::new(49, 0, 2, 1)), [2, 1]);
        assert_eq!(half.image_mask().size(), size);
        let own = half.scaled(GridScale::OWN);
        let rect = PixelRect::new(250, 250, 20, 20);
        assert_eq!(own.read_rgba(rect).ok(), scene.read_rgba(rect).ok());
    }
}
