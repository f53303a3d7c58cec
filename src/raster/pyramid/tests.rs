use super::*;
use crate::raster::{Overviews, PixelKind, RasterInfo, SampleType, TiffOptions, TiffWriter};

/// An image of which each pixel is a function of its place, in blocks of a given size.
struct Made {
    info: RasterInfo,
    block: ImageSize,
    pixels_read: AtomicU64,
}

impl Made {
    fn new(size: ImageSize, block: ImageSize) -> Arc<Self> {
        let layout = Layout::Tiles {
            width: block.width,
            height: block.height,
        };
        let info = RasterInfo {
            size,
            bands: 3,
            sample: SampleType::U8,
            compression: String::new(),
            layout,
            level_sizes: vec![size],
            georef: None,
            nodata: None,
            palette: None,
            has_alpha: false,
            orientation: crate::raster::Orientation::default(),
            format: "TIFF",
        };
        Arc::new(Self {
            info,
            block,
            pixels_read: AtomicU64::new(0),
        })
    }
}

impl TileSource for Made {
    fn info(&self) -> &RasterInfo {
        &self.info
    }

    fn read_rgba(&self, _: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        self.pixels_read
            .fetch_add(rect.num_pixels(), Ordering::Relaxed);
        let pixel = |x: u32, y: u32| [(x / 16) as u8, (y / 16) as u8, ((x ^ y) & 0xFF) as u8, 255];
        let rows = rect.y..rect.bottom();
        let pixels = rows.flat_map(|y| (rect.x..rect.right()).map(move |x| pixel(x, y)));
        Ok(pixels.flatten().collect())
    }

    fn read_index(&self, _: PixelRect) -> Result<Vec<u8>, ReadError> {
        Ok(Vec::new())
    }

    fn block_size(&self, _: usize) -> ImageSize {
        self.block
    }
}

fn pyramid(source: &Arc<Made>) -> Pyramid {
    let source: Arc<dyn TileSource> = Arc::clone(source) as _;
    Pyramid::new(source, Arc::new(TileCache::new(64 << 20)))
}

#[test]
fn strips_and_tiles_make_the_same_pyramid() {
    let size = ImageSize::new(2_601, 1_537);
    let tiled = pyramid(&Made::new(size, ImageSize::new(256, 256)));
    let strips = pyramid(&Made::new(size, ImageSize::new(2_601, 8)));
    for level in (0..tiled.shape().num_levels()).rev() {
        let (cols, rows) = tiled.shape().grid(level);
        for (col, row) in (0..rows).flat_map(|row| (0..cols).map(move |col| (col, row))) {
            let key = TileKey::new(level, col, row);
            assert!(
                tiled.tile(key).unwrap() == strips.tile(key).unwrap(),
                "{key:?}"
            );
        }
    }
}

#[test]
fn a_root_over_strips_reads_every_pixel_once() {
    let size = ImageSize::new(4_000, 3_000);
    let source = Made::new(size, ImageSize::new(4_000, 1));
    let pyramid = pyramid(&source);
    let root = pyramid.tile(pyramid.shape().root()).unwrap();
    assert_eq!(root.size, ImageSize::new(500, 375));
    assert_eq!(
        source.pixels_read.load(Ordering::Relaxed),
        size.num_pixels()
    );
    // What was made on the way is there, and asking again reads nothing.
    pyramid.tile(TileKey::new(2, 1, 1)).unwrap();
    pyramid.tile(TileKey::new(1, 3, 2)).unwrap();
    assert_eq!(
        source.pixels_read.load(Ordering::Relaxed),
        size.num_pixels()
    );
}

#[test]
fn a_band_of_strips_is_read_once_for_all_its_tiles() {
    let source = Made::new(ImageSize::new(3_000, 1_000), ImageSize::new(3_000, 4));
    let pyramid = pyramid(&source);
    for col in [3, 0, 5, 1] {
        pyramid.tile(TileKey::new(0, col, 0)).unwrap();
    }
    assert_eq!(source.pixels_read.load(Ordering::Relaxed), 3_000 * 512);
}

#[test]
fn a_sketch_reads_little_and_looks_like_the_root() {
    let size = ImageSize::new(20_000, 16_000);
    for block in [ImageSize::new(256, 256), ImageSize::new(20_000, 1)] {
        let source = Made::new(size, block);
        let pyramid = pyramid(&source);
        assert!(pyramid.needs_sketch());
        let sketch = pyramid.sketch().unwrap();
        assert_eq!(sketch.size, size.at_level(pyramid.shape().root().level));
        assert!(source.pixels_read.load(Ordering::Relaxed) <= 13 << 20);
        // Red grows by one each 16 columns and wraps at 4,096; the middle column is 10,000.
        let middle = (sketch.size.height / 2 * sketch.size.width + sketch.size.width / 2) as usize;
        assert_eq!(sketch.bytes[middle * 4 + 3], 255);
    }
}

#[test]
fn stored_levels_are_used_and_may_differ_by_a_pixel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let size = ImageSize::new(1_100, 700);
    let options = TiffOptions::new(size, PixelKind::Rgb);
    assert_eq!(options.overviews, Overviews::Average);
    let mut writer = TiffWriter::create(&path, options).unwrap();
    (0..700).for_each(|y: u32| writer.write_rows(&vec![(y / 4) as u8; 3_300]).unwrap());
    writer.finish().unwrap();
    let source = crate::raster::open_raster(&path).unwrap();
    let pyramid = Pyramid::new(Arc::clone(&source), Arc::new(TileCache::new(1 << 24)));
    assert!(!pyramid.needs_sketch());
    let root = pyramid.tile(pyramid.shape().root()).unwrap();
    assert_eq!(root.size, ImageSize::new(275, 175));
    assert_eq!(
        root.bytes,
        source
            .read_rgba(2, ImageSize::new(275, 175).bounds())
            .unwrap()
    );

    let sizes = [size, ImageSize::new(549, 351)];
    assert_eq!(stored_level(&sizes, size.at_level(1)), Some(1));
    assert_eq!(stored_level(&sizes, size.at_level(2)), None);
}

/// Blocks of 256 pixels of which one cannot be read.
struct Holed(Arc<Made>);

impl TileSource for Holed {
    fn info(&self) -> &RasterInfo {
        self.0.info()
    }

    fn read_rgba(&self, stored: usize, rect: PixelRect) -> Result<Vec<u8>, ReadError> {
        if !rect
            .intersect(PixelRect::new(512, 256, 256, 256))
            .is_empty()
        {
            return Err(ReadError::Damaged {
                path: "holed.tif".into(),
                reason: "a hole".to_owned(),
            });
        }
        self.0.read_rgba(stored, rect)
    }

    fn read_index(&self, _: PixelRect) -> Result<Vec<u8>, ReadError> {
        Ok(Vec::new())
    }

    fn block_size(&self, stored: usize) -> ImageSize {
        self.0.block_size(stored)
    }
}

#[test]
fn a_broken_block_is_a_hole_for_who_looks_and_an_error_for_who_computes() {
    let made = Made::new(ImageSize::new(2_000, 1_500), ImageSize::new(256, 256));
    let source: Arc<dyn TileSource> = Arc::new(Holed(made));
    let cache = Arc::new(TileCache::new(64 << 20));
    let computing = Pyramid::new(Arc::clone(&source), Arc::clone(&cache));
    let looking = Pyramid::of_samples(source, cache);
    let root = looking.shape().root();
    assert!(computing.tile(root).is_err());
    assert!(computing.broken().is_empty());

    let tile = looking.tile(root).unwrap();
    // The root is a quarter of the image.
    let opacity = |x: usize, y: usize| tile.bytes[(y * 500 + x) * 4 + 3];
    assert_eq!(
        [opacity(160, 96), opacity(100, 96), opacity(160, 40)],
        [0, 255, 255]
    );
    let broken = looking.broken();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].rect, PixelRect::new(512, 256, 256, 256));
    assert!(broken[0].why.contains("a hole"));
    assert!(looking.look_around().is_ok());
}

#[test]
fn coarse_tiles_are_shown_before_they_are_whole() {
    let size = ImageSize::new(4_400, 4_200);
    for block in [ImageSize::new(256, 256), ImageSize::new(4_400, 8)] {
        let source = Made::new(size, block);
        let pyramid = pyramid(&source);
        let root = pyramid.shape().root();
        let shown = std::sync::Mutex::new(Vec::new());
        let show = |key, tile| shown.lock().unwrap().push((key, tile));
        // Without a blurred picture there is nothing to fill gaps with.
        let key = TileKey::new(root.level - 1, 0, 0);
        pyramid.tile_in_steps(key, Some(&show)).unwrap();
        assert!(shown.lock().unwrap().is_empty());
        let sketch = pyramid.look_around().unwrap();
        let whole = pyramid.tile_in_steps(root, Some(&show)).unwrap();
        let shown = shown.into_inner().unwrap();
        assert!(shown.len() > 3, "{}", shown.len());
        let unlike = |tile: &Tile| {
            let pairs = tile.bytes.iter().zip(&whole.bytes);
            pairs.filter(|(one, other)| one != other).count()
        };
        let mut before = unlike(&sketch);
        for (key, tile) in &shown {
            assert_eq!((*key, tile.size), (root, whole.size));
            assert!(unlike(tile) <= before);
            before = unlike(tile);
        }
        assert!(before * 4 < unlike(&sketch));
    }
}
