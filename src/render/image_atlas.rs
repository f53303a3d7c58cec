use super::pipelines::{QuadInstance, clip_corners, texel_corners};
use super::slots::Slots;
use super::{Gpu, SourceId};
use crate::geom::{Camera, ImageSize, PixelRect, PyramidShape, ScreenSize, TileKey, TileQuad};
use crate::raster::{RgbaTile, TILE_SIZE};

const TILE_BYTES: usize = (TILE_SIZE * TILE_SIZE * 4) as usize;
/// What every device offers (wgpu's default limit).
const MAX_LAYERS: usize = 256;

/// What can lie in one layer: a tile, or the quick first picture of a whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Held {
    Tile(TileKey),
    Sketch,
}

/// Image tiles on the graphics card: one texture array, a layer a tile, bounded in bytes.
#[derive(Debug)]
pub struct ImageAtlas {
    texture: wgpu::Texture,
    pub bind_group: wgpu::BindGroup,
    slots: Slots<(SourceId, Held)>,
    /// Valid extent of the tile in each layer, in texels.
    extents: Vec<ImageSize>,
}

impl ImageAtlas {
    /// An empty atlas of at most `budget_bytes`.
    pub fn new(gpu: &Gpu, layout: &wgpu::BindGroupLayout, budget_bytes: usize) -> Self {
        let layers = (budget_bytes / TILE_BYTES).clamp(4, MAX_LAYERS);
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("image tiles"),
            size: wgpu::Extent3d {
                width: TILE_SIZE,
                height: TILE_SIZE,
                depth_or_array_layers: layers as u32,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2Array),
            ..Default::default()
        });
        let sampler = gpu.device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("image tiles"),
            layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::TextureView(&view),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::Sampler(&sampler),
                },
            ],
        });
        let extents = vec![ImageSize::default(); layers];
        Self {
            texture,
            bind_group,
            slots: Slots::new(layers),
            extents,
        }
    }

    pub const fn begin_frame(&mut self) {
        self.slots.begin_frame();
    }

    /// How many tiles one frame can draw from.
    pub const fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    pub fn contains(&self, source: SourceId, key: TileKey) -> bool {
        self.slots.contains((source, Held::Tile(key)))
    }

    pub fn forget(&mut self, source: SourceId) {
        self.slots.forget(|(owner, _)| owner == source);
    }

    /// Puts a tile on the card. Does nothing when this frame draws from all layers.
    pub fn upload(&mut self, gpu: &Gpu, source: SourceId, key: TileKey, tile: &RgbaTile) {
        self.upload_held(gpu, (source, Held::Tile(key)), tile);
    }

    /// Puts the quick first picture of an image on the card.
    pub fn upload_sketch(&mut self, gpu: &Gpu, source: SourceId, sketch: &RgbaTile) {
        self.upload_held(gpu, (source, Held::Sketch), sketch);
    }

    fn upload_held(&mut self, gpu: &Gpu, held: (SourceId, Held), tile: &RgbaTile) {
        let Some(layer) = self.slots.claim(held) else {
            return;
        };
        self.extents[layer] = tile.size;
        gpu.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin: wgpu::Origin3d {
                    x: 0,
                    y: 0,
                    z: layer as u32,
                },
                aspect: wgpu::TextureAspect::All,
            },
            &tile.pixels,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(tile.size.width * 4),
                rows_per_image: None,
            },
            wgpu::Extent3d {
                width: tile.size.width,
                height: tile.size.height,
                depth_or_array_layers: 1,
            },
        );
    }

    /// The quad of a resident tile; `None` when it is not there any more.
    pub fn quad(
        &mut self,
        source: SourceId,
        quad: TileQuad,
        camera: &Camera,
        canvas: ScreenSize,
    ) -> Option<QuadInstance> {
        let key = quad.source;
        let layer = self.slots.touch((source, Held::Tile(key)))?;
        let shows_pixels = key.level == 0 && camera.scale >= 1.0;
        Some(QuadInstance {
            clip: clip_corners(camera, canvas, quad.ground),
            texels: texel_corners(key.level, key.col, key.row, TILE_SIZE, quad.ground),
            slot: self.slot(layer, u32::from(shows_pixels)),
        })
    }

    /// The quad of the quick first picture, drawn under everything until the root tile is there.
    pub fn sketch_quad(
        &mut self,
        source: SourceId,
        shape: &PyramidShape,
        camera: &Camera,
        canvas: ScreenSize,
    ) -> Option<QuadInstance> {
        if self.contains(source, shape.root()) {
            return None;
        }
        let layer = self.slots.touch((source, Held::Sketch))?;
        let extent = self.extents[layer];
        let whole: PixelRect = shape.size().bounds();
        Some(QuadInstance {
            clip: clip_corners(camera, canvas, whole),
            texels: [0.0, 0.0, extent.width as f32, extent.height as f32],
            slot: self.slot(layer, 0),
        })
    }

    fn slot(&self, layer: usize, shows_pixels: u32) -> [u32; 4] {
        let extent = self.extents[layer];
        [layer as u32, extent.width, extent.height, shows_pixels]
    }
}
