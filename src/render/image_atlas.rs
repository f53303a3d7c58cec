use std::collections::HashSet;

use super::pipelines::{QuadInstance, clip_corners, texel_corners};
use super::slots::Slots;
use super::{Gpu, SourceId};
use crate::geom::{Camera, ImageSize, PixelRect, PyramidShape, ScreenSize, TileKey, TileQuad};
use crate::raster::{Depth, TILE_SIZE};

/// What every device offers (wgpu's default limit).
const MAX_LAYERS: usize = 256;

/// What can lie in one layer: a tile, or the quick first picture of a whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Held {
    Tile(TileKey),
    Sketch,
}

/// Pixels on their way to the card.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    pub size: ImageSize,
    pub bytes: &'a [u8],
}

/// Bytes of a pixel on the card.
const fn texel_bytes(depth: Depth) -> u32 {
    match depth {
        Depth::Byte => 4,
        Depth::Half => 8,
    }
}

/// Image tiles on the graphics card: one texture array, a layer a tile, bounded in bytes.
#[derive(Debug)]
pub struct ImageAtlas {
    depth: Depth,
    texture: wgpu::Texture,
    pub bind_group: wgpu::BindGroup,
    slots: Slots<(SourceId, Held)>,
    /// Valid extent of the tile in each layer, in texels.
    extents: Vec<ImageSize>,
    /// Tiles that show other bands than are wanted now, or are not whole; they stand in until the new
    /// ones are there.
    stale: HashSet<(SourceId, TileKey)>,
}

impl ImageAtlas {
    /// An empty atlas of at most `budget_bytes` for numbers of one depth.
    pub fn new(
        gpu: &Gpu,
        layout: &wgpu::BindGroupLayout,
        budget_bytes: usize,
        depth: Depth,
    ) -> Self {
        let tile_bytes = (TILE_SIZE * TILE_SIZE) as usize * texel_bytes(depth) as usize;
        let layers = (budget_bytes / tile_bytes).clamp(4, MAX_LAYERS);
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
            format: match depth {
                Depth::Byte => wgpu::TextureFormat::Rgba8Unorm,
                Depth::Half => wgpu::TextureFormat::Rgba16Float,
            },
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
            depth,
            texture,
            bind_group,
            slots: Slots::new(layers),
            extents,
            stale: HashSet::new(),
        }
    }

    /// What the tiles are made of.
    pub const fn depth(&self) -> Depth {
        self.depth
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
        self.stale.retain(|(owner, _)| *owner != source);
    }

    /// Notes that tiles of `source` show other bands than are wanted now.
    pub fn outdate(&mut self, source: SourceId) {
        let tiles = self.slots.keys().filter_map(|(owner, held)| match held {
            Held::Tile(key) if owner == source => Some((owner, key)),
            _ => None,
        });
        self.stale.extend(tiles);
    }

    /// Notes that a tile only stands in.
    pub fn await_again(&mut self, source: SourceId, key: TileKey) {
        self.stale.insert((source, key));
    }

    /// Whether a tile is there but only stands in.
    pub fn is_stale(&self, source: SourceId, key: TileKey) -> bool {
        self.stale.contains(&(source, key))
    }

    /// Puts a tile on the card: four numbers of the atlas's depth for each pixel, row by row. Does
    /// nothing when this frame draws from all layers.
    pub fn upload(&mut self, gpu: &Gpu, (source, key): (SourceId, TileKey), tile: Upload<'_>) {
        self.stale.remove(&(source, key));
        self.upload_held(gpu, (source, Held::Tile(key)), tile);
    }

    /// Puts the quick first picture of an image on the card.
    pub fn upload_sketch(&mut self, gpu: &Gpu, source: SourceId, sketch: Upload<'_>) {
        self.upload_held(gpu, (source, Held::Sketch), sketch);
    }

    fn upload_held(&mut self, gpu: &Gpu, held: (SourceId, Held), tile: Upload<'_>) {
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
            tile.bytes,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(tile.size.width * texel_bytes(self.depth)),
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
