use std::borrow::Cow;

use super::image_atlas::{ImageAtlas, Upload};
use super::mask_atlas::MaskAtlas;
use super::pipelines::{Pipelines, QuadInstance, instance_buffer};
use super::tables::Tables;
use super::{ComparisonView, Gpu, MaskView, PaneDraw, PaneScene};
use crate::geom::{ImageSize, PixelRect, PyramidShape, TileKey, plan_tiles};
use crate::label::MASK_TILE_SIZE as TILE_SIDE;
use crate::raster::{Depth, Shading, Tile};

/// Whose tiles they are: one number for each image or mask layer that was ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u64);

/// An image as the renderer sees it: a number and a shape. Its tiles come by
/// [`Renderer::upload_image`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageTiles {
    /// Whose tiles they are on the card.
    pub source: SourceId,
    /// Levels and tiles.
    pub shape: PyramidShape,
    /// What becomes of their numbers.
    pub shading: Shading,
}

/// Draws panes from the tiles on the card, and says which tiles are missing.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    pipelines: Pipelines,
    images: ImageAtlas,
    masks: MaskAtlas,
    tables: Tables,
    image_bytes: usize,
    /// The bands that tiles show, where they are not the first three.
    picks: Option<(SourceId, [u16; 3])>,
}

/// Share of the card's budget that image tiles get, in quarters; masks get the rest.
const IMAGE_QUARTERS: usize = 3;
/// Two masks (label and prediction) may be shown at once.
const MASKS_AT_ONCE: usize = 2;

impl Renderer {
    /// A renderer whose tiles take at most `budget_bytes` on the card.
    pub fn new(gpu: Gpu, budget_bytes: usize) -> Self {
        let pipelines = Pipelines::new(&gpu);
        let image_bytes = budget_bytes / 4 * IMAGE_QUARTERS;
        let images = ImageAtlas::new(&gpu, &pipelines.image_layout, image_bytes, Depth::Byte);
        let masks = MaskAtlas::new(&gpu, &pipelines.pages_layout, budget_bytes - image_bytes);
        Self {
            gpu,
            pipelines,
            images,
            masks,
            tables: Tables::default(),
            image_bytes,
            picks: None,
        }
    }

    /// The device it draws with.
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Starts a frame; what is drawn from now on stays on the card until the next.
    pub const fn begin_frame(&mut self) {
        self.images.begin_frame();
        self.masks.begin_frame();
    }

    /// Says which bands of `source` are shown from now on; whether others were shown before. Tiles
    /// that are there stand in until they are uploaded again.
    pub fn pick_bands(&mut self, source: SourceId, picks: [u16; 3]) -> bool {
        let before = self.picks_of(source);
        self.picks = Some((source, picks));
        if before != picks {
            self.images.outdate(source);
        }
        before != picks
    }

    /// Says that tiles of `source` hold other bands from now on. Those that are there stand in until
    /// they are uploaded again.
    pub fn outdate(&mut self, source: SourceId) {
        self.images.outdate(source);
    }

    fn picks_of(&self, source: SourceId) -> [u16; 3] {
        let own = self.picks.filter(|(owner, _)| *owner == source);
        own.map_or(Shading::PLAIN.picks, |(_, picks)| picks)
    }

    /// Puts an image tile on the card.
    pub fn upload_image(&mut self, source: SourceId, key: TileKey, tile: &Tile) {
        let bytes = self.made_ready(source, tile);
        let upload = Upload {
            size: tile.size,
            bytes: &bytes,
        };
        self.images.upload(&self.gpu, (source, key), upload);
    }

    /// Puts an image tile on the card that stands in until it is whole.
    pub fn upload_draft(&mut self, source: SourceId, key: TileKey, tile: &Tile) {
        self.upload_image(source, key, tile);
        self.images.await_again(source, key);
    }

    /// Puts the quick first picture of an image on the card; it stands in until the root is there.
    pub fn upload_sketch(&mut self, source: SourceId, sketch: &Tile) {
        let bytes = self.made_ready(source, sketch);
        let upload = Upload {
            size: sketch.size,
            bytes: &bytes,
        };
        self.images.upload_sketch(&self.gpu, source, upload);
    }

    /// The shown bands of a tile, and an atlas that can hold them: one image is open at a time.
    fn made_ready<'t>(&mut self, source: SourceId, tile: &'t Tile) -> Cow<'t, [u8]> {
        let depth = tile.format.depth;
        if self.images.depth() != depth {
            let layout = &self.pipelines.image_layout;
            self.images = ImageAtlas::new(&self.gpu, layout, self.image_bytes, depth);
        }
        tile.picked(self.picks_of(source))
    }

    /// Notes that pixels of a mask changed (level 0), so that they are uploaded again when drawn.
    pub fn mask_changed(&mut self, source: SourceId, size: ImageSize, changed: PixelRect) {
        if !changed.is_empty() {
            self.masks
                .invalidate(source, &PyramidShape::new(size, TILE_SIDE), changed);
        }
    }

    /// Frees everything of an image or a mask that is no longer shown.
    pub fn forget(&mut self, source: SourceId) {
        self.images.forget(source);
        self.masks.forget(source);
    }

    /// Prepares one canvas and says which image tiles it misses, most wanted first.
    pub fn prepare(&mut self, scene: &PaneScene<'_>) -> (PaneDraw, Vec<TileKey>) {
        let (quads, want) = match &scene.image {
            Some(image) => self.image_quads(scene, image),
            None => (Vec::new(), Vec::new()),
        };
        let shading = scene.image.as_ref().map(|image| image.shading);
        let image = instance_buffer(&self.gpu, &quads)
            .zip(shading)
            .map(|(buffer, shading)| {
                let shading = self.tables.shading(&self.gpu, &self.pipelines, shading);
                (self.images.bind_group.clone(), shading, buffer)
            });
        let masks = scene
            .masks
            .iter()
            .filter_map(|mask| self.mask_draw(scene, mask))
            .collect();
        let comparison = scene.comparison.as_ref();
        let comparison = comparison.and_then(|masks| self.comparison_draw(scene, masks));
        (
            PaneDraw {
                pipelines: self.pipelines.clone(),
                image,
                masks,
                comparison,
            },
            want,
        )
    }

    fn image_quads(
        &mut self,
        scene: &PaneScene<'_>,
        image: &ImageTiles,
    ) -> (Vec<QuadInstance>, Vec<TileKey>) {
        let (camera, canvas) = (&scene.camera, scene.canvas);
        // One place less than there is: the root stays as the stand-in for everything.
        let level = image
            .shape
            .level_for_view(camera, canvas, self.images.capacity() - 1);
        let is_resident = |key| self.images.contains(image.source, key);
        let plan = plan_tiles(&image.shape, camera, canvas, level, is_resident);
        let mut quads = Vec::with_capacity(plan.draw.len() + 1);
        quads.extend(
            self.images
                .sketch_quad(image.source, &image.shape, camera, canvas),
        );
        let mut want = plan.want;
        let drawn = plan.draw.iter().map(|quad| quad.source);
        let renewed = drawn
            .filter(|key| key.level == level)
            .chain([image.shape.root()]);
        want.extend(renewed.filter(|&key| self.images.is_stale(image.source, key)));
        for quad in plan.draw {
            quads.extend(self.images.quad(image.source, quad, camera, canvas));
        }
        (quads, want)
    }

    fn mask_draw(
        &mut self,
        scene: &PaneScene<'_>,
        mask: &MaskView<'_>,
    ) -> Option<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)> {
        let max_tiles = self.masks.capacity() / MASKS_AT_ONCE;
        let quads = self
            .masks
            .quads(&self.gpu, mask, &scene.camera, scene.canvas, max_tiles);
        let buffer = instance_buffer(&self.gpu, &quads)?;
        Some((
            self.masks.bind_group.clone(),
            self.tables
                .palette(&self.gpu, &self.pipelines, &mask.palette),
            buffer,
        ))
    }

    fn comparison_draw(
        &mut self,
        scene: &PaneScene<'_>,
        masks: &ComparisonView<'_>,
    ) -> Option<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)> {
        let max_tiles = self.masks.capacity() / MASKS_AT_ONCE;
        let (camera, canvas) = (&scene.camera, scene.canvas);
        let quads = self
            .masks
            .comparison_quads(&self.gpu, masks, camera, canvas, max_tiles);
        let buffer = instance_buffer(&self.gpu, &quads)?;
        Some((
            self.masks.bind_group.clone(),
            self.tables
                .palette(&self.gpu, &self.pipelines, &masks.colors.palette()),
            buffer,
        ))
    }
}
