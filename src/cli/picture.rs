use std::cell::RefCell;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rayon::prelude::*;

use super::args::RenderArgs;
use super::say::refuse_to_overwrite;
use crate::disk::{MemoryBudget, replace_with};
use crate::geom::{Camera, ImagePoint, ImageSize, PixelRect, ScreenSize, TileKey};
use crate::label::{ClassTable, Encoding, Mask, MaskLevels, load_mask};
use crate::raster::{
    BrokenGround, Look, Pyramid, Shading, ShownBands, TileCache, TileSource, open_raster,
};
use crate::render::{
    Gpu, ImageTiles, MaskView, Offscreen, PaneDraw, PaneScene, Renderer, SourceId, palette,
};

/// What is behind an image: the viewer's own grey.
const BACKGROUND: [u8; 4] = [38, 38, 38, 255];
/// Columns between panes.
const GAP: u32 = 4;
const OPACITY: f32 = 0.55;
const BACKGROUND_OPACITY: f32 = 0.15;

/// Draws an image with its masks into a PNG: original, label and prediction side by side, as far as
/// they are given.
pub fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let inputs = [
        Some(&args.path),
        args.label.as_ref(),
        args.prediction.as_ref(),
    ];
    check_png(&args.out, inputs.into_iter().flatten().map(AsRef::as_ref))?;
    let source = open_raster(&args.path)?;
    let size = source.info().size;
    check_bands(args.look.bands, &*source)?;
    let is_outside = |rect: &PixelRect| rect.intersect(size.bounds()).is_empty();
    anyhow::ensure!(
        !args.rect.as_ref().is_some_and(is_outside),
        "The rectangle is outside of the image, which is of {size} pixels: {}",
        args.path.display()
    );
    let masks = [&args.label, &args.prediction].into_iter().flatten();
    let masks: Result<Vec<_>, _> = masks
        .map(|path| load_mask(path, Some(size), Encoding::Auto, None))
        .collect();
    let masks = masks?;
    let mut picture = Picture::open(&args.path, &args.look.look())?;
    for loaded in masks {
        picture.add_mask(loaded.mask, loaded.classes);
    }
    picture.save(args.rect, args.size, &args.out)?;
    say!("{}", args.out.display());
    Ok(())
}

/// Refuses bands that the image cannot show.
fn check_bands(asked: Option<ShownBands>, source: &dyn TileSource) -> anyhow::Result<()> {
    let Some(asked) = asked else { return Ok(()) };
    let shown = source.tile_bands();
    anyhow::ensure!(
        !shown.is_empty(),
        "The colors of the image are those of a table, so there are no bands to choose; leave \
         --bands out"
    );
    if let Some(band) = asked.bands().into_iter().find(|band| !shown.contains(band)) {
        let list: Vec<String> = shown.iter().map(|band| (band + 1).to_string()).collect();
        let list = list.join(", ");
        anyhow::bail!(
            "The image has no band {} to show; choose of {list}",
            u32::from(band) + 1
        );
    }
    Ok(())
}

/// An image and masks that are drawn side by side.
pub struct Picture {
    pyramid: Pyramid,
    shading: Shading,
    renderer: Renderer,
    masks: Vec<(Mask, ClassTable)>,
}

impl Picture {
    /// Opens the image, to be shown with `look`, and a headless graphics device.
    ///
    /// # Errors
    /// When the image cannot be read or there is no graphics device.
    pub fn open(path: &Path, look: &Look) -> anyhow::Result<Self> {
        let budget = MemoryBudget::default();
        let source = open_raster(path)?;
        let colors = source.color_bands();
        let cache = Arc::new(TileCache::new(budget.tile_cache_bytes));
        let pyramid = Pyramid::of_samples(source, cache);
        let other = pyramid.holding(&look.shown_bands(&colors).bands());
        let pyramid = other.unwrap_or(pyramid);
        pyramid.look_around()?;
        let values = pyramid
            .statistics()
            .context("Nothing is known of the image's values")?;
        let shading = look.shading(values, &colors);
        let mut renderer = Renderer::new(Gpu::headless()?, budget.gpu_tile_bytes);
        renderer.pick_bands(SourceId(0), shading.picks);
        Ok(Self {
            pyramid,
            shading,
            renderer,
            masks: Vec::new(),
        })
    }

    /// Extent of the image.
    pub fn size(&self) -> ImageSize {
        self.pyramid.shape().size()
    }

    /// Adds a pane with this mask.
    pub fn add_mask(&mut self, mask: Mask, classes: ClassTable) {
        self.masks.push((mask, classes));
    }

    /// Draws `rect` (all of the image without) into a PNG of `size` pixels in all.
    ///
    /// # Errors
    /// When the picture is too large for the device, tiles cannot be read, the device fails or the
    /// disk refuses. Where a part of `rect` cannot be read the rest is drawn before that is said.
    pub fn save(
        &mut self,
        rect: Option<PixelRect>,
        size: ImageSize,
        out: &Path,
    ) -> anyhow::Result<()> {
        let offscreen = Offscreen::new(self.renderer.gpu(), size)?;
        let rect = rect.unwrap_or_else(|| self.size().bounds());
        let count = self.masks.len() as u32 + 1;
        let width = size.width.saturating_sub(GAP * (count - 1)) / count;
        anyhow::ensure!(
            width > 0,
            "{} columns are too few for {count} panes",
            size.width
        );
        let canvas = ScreenSize::new(f64::from(width), f64::from(size.height));
        let camera = showing(rect, canvas);
        let mut panes = Vec::new();
        self.renderer.begin_frame();
        for place in 0..count {
            let mask = place.checked_sub(1).map(|mask| mask as usize);
            panes.push((
                place * (width + GAP),
                width,
                self.pane(canvas, camera, mask)?,
            ));
        }
        let pixels = offscreen.picture(&panes, BACKGROUND)?;
        write_png(out, size, &pixels)?;
        self.tell_holes(rect)
    }

    /// Fails where ground of `rect` could not be read.
    fn tell_holes(&self, rect: PixelRect) -> anyhow::Result<()> {
        let holes = self.pyramid.broken();
        let mut holes = holes.iter();
        let is_seen = |hole: &&BrokenGround| !hole.rect.intersect(rect).is_empty();
        match holes.find(is_seen) {
            None => Ok(()),
            Some(hole) => anyhow::bail!(
                "The picture was written with holes, since not all of the image can be read: {}",
                hole.why
            ),
        }
    }

    /// Loads tiles until the pane misses none.
    ///
    /// All panes belong to one frame, since they are drawn in one pass.
    fn pane(
        &mut self,
        canvas: ScreenSize,
        camera: Camera,
        mask: Option<usize>,
    ) -> anyhow::Result<PaneDraw> {
        let source = SourceId(0);
        loop {
            let (draw, wants) = self.prepare(canvas, camera, mask);
            if wants.is_empty() {
                return Ok(draw);
            }
            // The view's own tiles only: the root stands in while a window waits, and nobody does.
            let finest = wants.iter().map(|key| key.level).min();
            let tiles: Result<Vec<_>, _> = wants
                .par_iter()
                .filter(|key| Some(key.level) == finest)
                .map(|&key| Ok((key, self.pyramid.tile(key)?)))
                .collect();
            let tiles = tiles.map_err(|error: crate::raster::ReadError| anyhow::anyhow!(error))?;
            for (key, tile) in tiles {
                self.renderer.upload_image(source, key, &tile);
            }
        }
    }

    fn prepare(
        &mut self,
        canvas: ScreenSize,
        camera: Camera,
        mask: Option<usize>,
    ) -> (PaneDraw, Vec<TileKey>) {
        let image = Some(ImageTiles {
            source: SourceId(0),
            shape: self.pyramid.shape(),
            shading: self.shading,
        });
        let shown = mask.and_then(|place| Some((place, self.masks.get(place)?)));
        let Some((place, (mask, classes))) = shown else {
            return self.renderer.prepare(&PaneScene {
                canvas,
                camera,
                image,
                masks: Vec::new(),
                comparison: None,
            });
        };
        let levels = RefCell::new(MaskLevels::new(mask.size()));
        let tile = |key: TileKey| levels.borrow_mut().tile(mask, key);
        let source = SourceId(1 + place as u64);
        let view = MaskView {
            source,
            size: mask.size(),
            tile: &tile,
            palette: palette(classes, OPACITY, BACKGROUND_OPACITY, |_| true),
            look: crate::render::MaskLook::Fill,
        };
        self.renderer.prepare(&PaneScene {
            canvas,
            camera,
            image,
            masks: vec![view],
            comparison: None,
        })
    }
}

/// The camera that shows all of `rect`, as large as the canvas allows.
fn showing(rect: PixelRect, canvas: ScreenSize) -> Camera {
    let (width, height) = (f64::from(rect.width), f64::from(rect.height));
    let center = ImagePoint::new(
        f64::from(rect.x) + width / 2.0,
        f64::from(rect.y) + height / 2.0,
    );
    Camera {
        center,
        scale: (canvas.width / width).min(canvas.height / height),
    }
}

/// Refuses a picture that would replace one of `inputs`, or that no PNG is named after.
///
/// # Errors
/// What is wrong with `out`, and what to do.
pub fn check_png<'a>(out: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> anyhow::Result<()> {
    let ending = out.extension();
    anyhow::ensure!(
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case("png")),
        "A picture is written as a PNG; give it a name that ends in .png: {}",
        out.display()
    );
    refuse_to_overwrite(out, inputs)
}

/// Writes RGBA8 pixels as a PNG, whole or not at all.
///
/// # Errors
/// When the disk refuses.
pub fn write_png(path: &Path, size: ImageSize, pixels: &[u8]) -> anyhow::Result<()> {
    let encode = |file: &mut BufWriter<&mut File>| {
        let mut encoder = png::Encoder::new(file, size.width, size.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        Ok(writer.finish()?)
    };
    replace_with(path, encode).with_context(|| "The picture could not be saved")
}
