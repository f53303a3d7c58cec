use super::image_atlas::ImageAtlas;
use super::mask_atlas::MaskAtlas;
use super::pipelines::{Pipelines, QuadInstance, instance_buffer};
use super::{ComparisonView, Gpu, MaskView, PaneDraw, PaneScene};
use crate::geom::{ImageSize, PixelRect, PyramidShape, TileKey, plan_tiles};
use crate::label::MASK_TILE_SIZE as TILE_SIDE;
use crate::raster::RgbaTile;

/// Whose tiles they are: one number for each image or mask layer that was ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u64);

/// An image as the renderer sees it: a number and a shape. Its tiles come by
/// [`Renderer::upload_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageTiles {
    /// Whose tiles they are on the card.
    pub source: SourceId,
    /// Levels and tiles.
    pub shape: PyramidShape,
}

/// Draws panes from the tiles on the card, and says which tiles are missing.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    pipelines: Pipelines,
    images: ImageAtlas,
    masks: MaskAtlas,
    /// Class colors on the card, those used last at the end.
    palettes: Vec<(Colors, wgpu::BindGroup)>,
}

type Colors = [[u8; 4]; 256];

/// Two masks in each kind of pane, and one change of colors before the old ones go.
const PALETTES_KEPT: usize = 12;

/// Share of the card's budget that image tiles get, in quarters; masks get the rest.
const IMAGE_QUARTERS: usize = 3;
/// Two masks (label and prediction) may be shown at once.
const MASKS_AT_ONCE: usize = 2;

impl Renderer {
    /// A renderer whose tiles take at most `budget_bytes` on the card.
    pub fn new(gpu: Gpu, budget_bytes: usize) -> Self {
        let pipelines = Pipelines::new(&gpu);
        let image_bytes = budget_bytes / 4 * IMAGE_QUARTERS;
        let images = ImageAtlas::new(&gpu, &pipelines.image_layout, image_bytes);
        let masks = MaskAtlas::new(&gpu, &pipelines.pages_layout, budget_bytes - image_bytes);
        Self {
            gpu,
            pipelines,
            images,
            masks,
            palettes: Vec::new(),
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

    /// Puts an image tile on the card.
    pub fn upload_image(&mut self, source: SourceId, key: TileKey, tile: &RgbaTile) {
        self.images.upload(&self.gpu, source, key, tile);
    }

    /// Puts the quick first picture of an image on the card; it stands in until the root is there.
    pub fn upload_sketch(&mut self, source: SourceId, sketch: &RgbaTile) {
        self.images.upload_sketch(&self.gpu, source, sketch);
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
        let image = instance_buffer(&self.gpu, &quads)
            .map(|buffer| (self.images.bind_group.clone(), buffer));
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
        for quad in plan.draw {
            quads.extend(self.images.quad(image.source, quad, camera, canvas));
        }
        (quads, plan.want)
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
            self.palette(&mask.palette),
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
            self.palette(&masks.colors.palette()),
            buffer,
        ))
    }

    /// The bindings of these colors: those of an earlier frame unless the colors are new.
    fn palette(&mut self, colors: &Colors) -> wgpu::BindGroup {
        let known = self.palettes.iter().position(|(known, _)| known == colors);
        let palette = match known {
            Some(place) => self.palettes.remove(place),
            None => (*colors, self.new_palette(colors)),
        };
        if self.palettes.len() == PALETTES_KEPT {
            self.palettes.remove(0);
        }
        let bind_group = palette.1.clone();
        self.palettes.push(palette);
        bind_group
    }

    fn new_palette(&self, colors: &Colors) -> wgpu::BindGroup {
        let size = wgpu::Extent3d {
            width: 256,
            height: 1,
            depth_or_array_layers: 1,
        };
        let texture = self.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("class colors"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        self.gpu.queue.write_texture(
            texture.as_image_copy(),
            colors.as_flattened(),
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(256 * 4),
                rows_per_image: None,
            },
            size,
        );
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.gpu
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("class colors"),
                layout: &self.pipelines.palette_layout,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::TextureView(&view),
                }],
            })
    }
}
