use std::collections::HashMap;

use super::pane::{ComparisonView, Looked, MaskLook, MaskTiles};
use super::pipelines::{
    ComparisonInstance, MaskInstance, QuadInstance, clip_corners, texel_corners,
};
use super::slots::Slots;
use super::{Gpu, MaskView, SourceId};
use crate::geom::{Camera, PixelRect, PyramidShape, ScreenSize, TileKey};
use crate::label::{MASK_TILE_SIZE as TILE_SIDE, MaskTile, rect_at_level};

/// Tiles along one side of a layer, so that few layers hold many tiles.
const TILES_PER_SIDE: u32 = 8;
const PAGE_SIDE: u32 = TILES_PER_SIDE * TILE_SIDE;
const PAGE_TILES: usize = (TILES_PER_SIDE * TILES_PER_SIDE) as usize;
const TILE_BYTES: usize = (TILE_SIDE * TILE_SIDE) as usize;
const MAX_PAGES: usize = 64;
/// What the shader takes as "look into the tile" instead of one class for all of it.
const NO_UNIFORM_CLASS: u32 = 256;
/// What the comparing shader takes as "whether both have the same class".
const ALL_CLASSES: u32 = 256;
/// What the shader takes as "there is no tile".
const BEYOND: [u32; 4] = [0, 0, 0, 257];
/// What the shader takes as "only where two classes meet".
const OUTLINE: u32 = 512;

/// Mask tiles on the graphics card, one byte a pixel, bounded in bytes.
///
/// Tiles of one class take no room: their class travels with the quad. After an edit only the
/// changed rectangle of a tile is written again.
#[derive(Debug)]
pub struct MaskAtlas {
    texture: wgpu::Texture,
    pub bind_group: wgpu::BindGroup,
    slots: Slots<(SourceId, TileKey)>,
    /// Changed texels of resident tiles that the card has not seen yet.
    stale: HashMap<(SourceId, TileKey), PixelRect>,
}

impl MaskAtlas {
    /// An empty atlas of at most `budget_bytes`.
    pub fn new(gpu: &Gpu, layout: &wgpu::BindGroupLayout, budget_bytes: usize) -> Self {
        let pages = (budget_bytes / (TILE_BYTES * PAGE_TILES)).clamp(1, MAX_PAGES);
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("mask tiles"),
            size: wgpu::Extent3d {
                width: PAGE_SIDE,
                height: PAGE_SIDE,
                depth_or_array_layers: pages as u32,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R8Uint,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2Array),
            ..Default::default()
        });
        let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mask tiles"),
            layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(&view),
            }],
        });
        let slots = Slots::new(pages * PAGE_TILES);
        Self {
            texture,
            bind_group,
            slots,
            stale: HashMap::new(),
        }
    }

    pub const fn begin_frame(&mut self) {
        self.slots.begin_frame();
    }

    /// How many tiles one frame can draw from.
    pub const fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    pub fn forget(&mut self, source: SourceId) {
        self.slots.forget(|(owner, _)| owner == source);
        self.stale.retain(|(owner, _), _| *owner != source);
    }

    /// Notes that the pixels of `changed` (level 0) differ from what the card holds, at every level.
    pub fn invalidate(&mut self, source: SourceId, shape: &PyramidShape, changed: PixelRect) {
        for level in 0..shape.num_levels() {
            let rect = rect_at_level(changed, level);
            let (first_col, last_col) = (rect.x / TILE_SIDE, (rect.right() - 1) / TILE_SIDE);
            let (first_row, last_row) = (rect.y / TILE_SIDE, (rect.bottom() - 1) / TILE_SIDE);
            for row in first_row..=last_row {
                for col in first_col..=last_col {
                    let key = TileKey::new(level, col, row);
                    if self.slots.contains((source, key)) {
                        let tile = shape.tile_rect(key);
                        let part = rect.intersect(tile);
                        let inside = PixelRect::new(
                            part.x - tile.x,
                            part.y - tile.y,
                            part.width,
                            part.height,
                        );
                        let stale = self.stale.entry((source, key)).or_default();
                        *stale = stale.union(inside);
                    }
                }
            }
        }
    }

    /// The tiles that draw a mask, uploading what the card lacks.
    pub fn quads(
        &mut self,
        gpu: &Gpu,
        view: &MaskView<'_>,
        camera: &Camera,
        canvas: ScreenSize,
        max_tiles: usize,
    ) -> Vec<MaskInstance> {
        let shape = PyramidShape::new(view.size, TILE_SIDE);
        let level = shape.level_for_view(camera, canvas, max_tiles);
        let visible = camera.visible_image_rect(canvas);
        let mut slots = HashMap::new();
        for key in shape.tiles_in(level, visible) {
            let tiles = MaskTiles {
                source: view.source,
                tile: view.tile,
            };
            let slot = self.slot(gpu, &tiles, key);
            slots.extend(slot.map(|slot| ((key.col, key.row), slot)));
        }
        let is_clear = |slot: &[u32; 4]| {
            let class = view.palette.get(slot[3] as usize);
            class.is_some_and(|color| color[3] == 0)
        };
        let flag = match view.look {
            MaskLook::Fill => 0,
            MaskLook::Outline => OUTLINE,
        };
        let shown = slots.iter().filter(|(_, slot)| !is_clear(slot));
        let instance = |(&(col, row), slot): (&(u32, u32), &[u32; 4])| {
            let key = TileKey::new(level, col, row);
            let ground = shape.ground(key);
            let [page, x, y, class] = *slot;
            let beside = |col: u32, row: u32| *slots.get(&(col, row)).unwrap_or(&BEYOND);
            MaskInstance {
                quad: QuadInstance {
                    clip: clip_corners(camera, canvas, ground),
                    texels: texel_corners(key.level, key.col, key.row, TILE_SIDE, ground),
                    slot: [page, x, y, class | flag],
                },
                around: [
                    beside(col.wrapping_sub(1), row),
                    beside(col + 1, row),
                    beside(col, row.wrapping_sub(1)),
                    beside(col, row + 1),
                ],
            }
        };
        shown.map(instance).collect()
    }

    /// The tiles that draw how two masks agree, uploading what the card lacks.
    pub fn comparison_quads(
        &mut self,
        gpu: &Gpu,
        view: &ComparisonView<'_>,
        camera: &Camera,
        canvas: ScreenSize,
        max_tiles: usize,
    ) -> Vec<ComparisonInstance> {
        let shape = PyramidShape::new(view.size, TILE_SIDE);
        let level = shape.level_for_view(camera, canvas, max_tiles);
        let visible = camera.visible_image_rect(canvas);
        let chosen = match view.looked {
            Looked::All => [ALL_CLASSES; 2],
            Looked::Class(class) => [u32::from(class), ALL_CLASSES],
            Looked::Pair { truth, predicted } => [truth, predicted].map(u32::from),
        };
        let mut quads = Vec::new();
        for key in shape.tiles_in(level, visible) {
            let truth = self.slot(gpu, &view.truth, key);
            let predicted = self.slot(gpu, &view.predicted, key);
            let (Some(truth), Some(predicted)) = (truth, predicted) else {
                continue;
            };
            let ground = shape.ground(key);
            quads.push(ComparisonInstance {
                truth: QuadInstance {
                    clip: clip_corners(camera, canvas, ground),
                    texels: texel_corners(key.level, key.col, key.row, TILE_SIDE, ground),
                    slot: truth,
                },
                predicted,
                chosen: [chosen[0], chosen[1], 0, 0],
            });
        }
        quads
    }

    /// Where the tile of `key` lies, after an upload if need be; `None` when there is no room.
    fn slot(&mut self, gpu: &Gpu, mask: &MaskTiles<'_>, key: TileKey) -> Option<[u32; 4]> {
        match (mask.tile)(key) {
            MaskTile::Uniform(class) => Some([0, 0, 0, u32::from(class)]),
            MaskTile::Pixels(pixels) => self.resident(gpu, mask.source, key, &pixels[..]),
        }
    }

    fn resident(
        &mut self,
        gpu: &Gpu,
        source: SourceId,
        key: TileKey,
        pixels: &[u8],
    ) -> Option<[u32; 4]> {
        let held = (source, key);
        let was_there = self.slots.contains(held);
        let place = self.slots.claim(held)?;
        let stale = self.stale.remove(&held);
        let whole = PixelRect::new(0, 0, TILE_SIDE, TILE_SIDE);
        let to_write = if was_there { stale } else { Some(whole) };
        let page = (place / PAGE_TILES) as u32;
        let within = (place % PAGE_TILES) as u32;
        let (x, y) = (
            within % TILES_PER_SIDE * TILE_SIDE,
            within / TILES_PER_SIDE * TILE_SIDE,
        );
        if let Some(rect) = to_write {
            let origin = wgpu::Origin3d {
                x: x + rect.x,
                y: y + rect.y,
                z: page,
            };
            self.write(gpu, origin, rect, pixels);
        }
        Some([page, x, y, NO_UNIFORM_CLASS])
    }

    fn write(&self, gpu: &Gpu, origin: wgpu::Origin3d, rect: PixelRect, pixels: &[u8]) {
        gpu.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin,
                aspect: wgpu::TextureAspect::All,
            },
            pixels,
            wgpu::TexelCopyBufferLayout {
                offset: u64::from(rect.y * TILE_SIDE + rect.x),
                bytes_per_row: Some(TILE_SIDE),
                rows_per_image: None,
            },
            wgpu::Extent3d {
                width: rect.width,
                height: rect.height,
                depth_or_array_layers: 1,
            },
        );
    }
}
