use std::path::PathBuf;
use std::sync::Arc;

use super::bands::ImageFacts;
use super::pictures::{Pixels, tiled_pictures, whole_pictures};
use super::{
    BandFacts, BandReading, DatasetError, GridScale, MirroredWindow, image_meters, read_mirrored,
};
use crate::geom::{ImageSize, PixelRect};
use crate::label::{Mask, UNLABELED};
use crate::raster::{ReadError, TileSource, open_raster};

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
    bands: BandFacts,
    origin: Origin,
    /// Its channels three by three, at least one picture.
    pictures: Vec<Pixels>,
    mask: Mask,
}

/// Where the samples of an image come from.
enum Origin {
    Source(Arc<dyn TileSource>),
    File(PathBuf),
    /// Nobody can ask for more than was decoded.
    Decoded,
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
        Self::tiled_as(&BandReading::default(), name, source, mask, cache_bytes)
    }

    /// As [`Self::tiled`] with bands read as `reading` says, which the image must have.
    pub fn tiled_as(
        reading: &BandReading,
        name: String,
        source: Arc<dyn TileSource>,
        mask: Mask,
        cache_bytes: usize,
    ) -> Self {
        let pictures = tiled_pictures(reading, &source, cache_bytes);
        let own = Own::new(&*source, pictures, mask);
        let origin = Origin::Source(source);
        Self::of(name, Own { origin, ..own })
    }

    /// A scene decoded whole.
    ///
    /// # Errors
    /// When the file does not decode.
    pub fn whole(name: String, source: &dyn TileSource, mask: Mask) -> Result<Self, ReadError> {
        let pictures = vec![Pixels::Whole(
            source.read_rgba(0, source.info().size.bounds())?,
        )];
        Ok(Self::of(name, Own::new(source, pictures, mask)))
    }

    /// The image at `path`, open as `source`, decoded whole with bands read as `reading` says.
    pub(super) fn whole_as(
        reading: &BandReading,
        name: String,
        (path, source): (PathBuf, &Arc<dyn TileSource>),
        mask: Mask,
    ) -> Result<Self, ReadError> {
        let pictures = whole_pictures(reading, source)?;
        let own = Own::new(&**source, pictures, mask);
        let origin = Origin::File(path);
        Ok(Self::of(name, Own { origin, ..own }))
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

    /// The same image and mask with bands read as `reading` says.
    pub(super) fn read_as(&self, reading: &BandReading) -> Result<Self, DatasetError> {
        let source = self.source()?;
        let (pictures, origin) = match &self.own.origin {
            Origin::Source(source) => (
                tiled_pictures(reading, source, self.cache_bytes()),
                Origin::Source(Arc::clone(source)),
            ),
            Origin::File(path) => (
                whole_pictures(reading, &source)?,
                Origin::File(path.clone()),
            ),
            Origin::Decoded => (whole_pictures(reading, &source)?, Origin::Decoded),
        };
        let own = Own::new(&*source, pictures, self.own.mask.clone());
        Ok(Self::of(self.name.clone(), Own { origin, ..own }).scaled(self.scale))
    }

    /// The image, opened again where it was decoded whole.
    ///
    /// # Errors
    /// When it cannot be opened, or only its colors are known.
    pub fn source(&self) -> Result<Arc<dyn TileSource>, DatasetError> {
        match &self.own.origin {
            Origin::Source(source) => Ok(Arc::clone(source)),
            Origin::File(path) => Ok(open_raster(path)?),
            Origin::Decoded => Err(DatasetError::Bands(format!(
                "The image is known by its colors alone; use bands = \"color\": {}",
                self.name
            ))),
        }
    }

    /// What the image's header says.
    pub(super) fn facts(&self) -> ImageFacts {
        ImageFacts {
            name: self.name.clone(),
            meters: self.own.meters,
            bands: self.own.bands.clone(),
        }
    }

    fn cache_bytes(&self) -> usize {
        self.own.pictures.iter().map(Pixels::cache_bytes).sum()
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
        let decoded = self.own.pictures.iter().map(|picture| match picture {
            Pixels::Tiled(..) => 0,
            Pixels::Whole(pixels) => pixels.len(),
        });
        let pixels: usize = decoded.sum();
        let scaled = if self.scale.is_own() {
            0
        } else {
            self.mask.bytes_used()
        };
        pixels + self.own.mask.bytes_used() + scaled
    }

    /// Pictures of three channels each that the image is read as.
    pub fn num_pictures(&self) -> usize {
        self.own.pictures.len()
    }

    /// RGBA8 of `rect` of the first picture, which must be inside the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_rgba(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.read_picture(0, rect)
    }

    /// RGBA8 of `rect` of one of the pictures; `rect` must be inside the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub(super) fn read_picture(&self, at: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        let size = self.own.size;
        self.scale
            .colors(rect, size, |rect| self.own.pictures[at].read(rect, size))
    }

    /// RGBA8 of `rect` of the image's own pixels, which must be inside the image: the first
    /// picture. Alpha is the same in all.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_image(&self, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.own.pictures[0].read(rect, self.own.size)
    }

    /// RGBA8 of `window` of all pictures, one after another, mirrored at the edges of the image.
    ///
    /// # Errors
    /// When a tile does not decode.
    pub fn read_window(&self, window: MirroredWindow) -> Result<Vec<u8>, ReadError> {
        let read = |at| read_mirrored(window, self.size, |rect| self.read_picture(at, rect));
        let mut pixels = read(0)?;
        for at in 1..self.num_pictures() {
            pixels.extend(read(at)?);
        }
        Ok(pixels)
    }

    /// RGBA8 of `window` as people see the image, whatever a network reads of it.
    ///
    /// # Errors
    /// When the image cannot be opened again, or a tile does not decode.
    pub(super) fn read_shown(&self, window: MirroredWindow) -> Result<Vec<u8>, DatasetError> {
        let source = self.source()?;
        let shown = |rect| source.read_rgba(0, rect);
        let own = self.own.size;
        let pixels = read_mirrored(window, self.size, |rect| {
            self.scale.colors(rect, own, shown)
        });
        Ok(pixels?)
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

impl Own {
    /// The image of `source`, read as `pictures`.
    fn new(source: &dyn TileSource, pictures: Vec<Pixels>, mask: Mask) -> Self {
        Self {
            size: source.info().size,
            meters: image_meters(source.info()),
            bands: BandFacts::of(source),
            origin: Origin::Decoded,
            pictures,
            mask,
        }
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
                orientation: crate::raster::Orientation::default(),
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
