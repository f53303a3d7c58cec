use wgpu::util::DeviceExt as _;

use super::Gpu;
use super::pipelines::Pipelines;
use crate::raster::{Ramp, Shading};

/// 256 colors.
type Colors = [[u8; 4]; 256];

/// Two masks in each kind of pane, and one change of colors before the old ones go.
const PALETTES_KEPT: usize = 12;
/// One image in each kind of pane.
const SHADINGS_KEPT: usize = 4;

/// Small tables on the card that stay from frame to frame, those used last at the end.
#[derive(Debug, Default)]
pub struct Tables {
    palettes: Vec<(Colors, wgpu::BindGroup)>,
    shadings: Vec<(Shading, wgpu::BindGroup)>,
}

impl Tables {
    /// The bindings of these colors: those of an earlier frame unless the colors are new.
    pub fn palette(
        &mut self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        colors: &Colors,
    ) -> wgpu::BindGroup {
        kept(&mut self.palettes, PALETTES_KEPT, *colors, || {
            let view = table(gpu, colors);
            let binding = wgpu::BindingResource::TextureView(&view);
            bind_group(gpu, &pipelines.palette_layout, [binding])
        })
    }

    /// The bindings of what becomes of an image's numbers.
    pub fn shading(
        &mut self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        shading: Shading,
    ) -> wgpu::BindGroup {
        kept(&mut self.shadings, SHADINGS_KEPT, shading, || {
            let ramp = shading.ramp.unwrap_or(Ramp::Grey);
            let view = table(gpu, &ramp.colors());
            let has_ramp = if shading.ramp.is_some() { 1.0 } else { 0.0 };
            let four = |[a, b, c]: [f32; 3]| [a, b, c, 0.0];
            let rest = [shading.exponent, has_ramp, 0.0, 0.0];
            let numbers = [four(shading.low), four(shading.factor), rest];
            let buffer = gpu
                .device
                .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                    label: Some("shading"),
                    contents: bytemuck::cast_slice(&numbers),
                    usage: wgpu::BufferUsages::UNIFORM,
                });
            let view = wgpu::BindingResource::TextureView(&view);
            let bindings = [buffer.as_entire_binding(), view];
            bind_group(gpu, &pipelines.shading_layout, bindings)
        })
    }
}

/// What `known` holds for `key`, which is then the youngest; made where it does not.
fn kept<K: PartialEq>(
    known: &mut Vec<(K, wgpu::BindGroup)>,
    most: usize,
    key: K,
    make: impl FnOnce() -> wgpu::BindGroup,
) -> wgpu::BindGroup {
    let entry = match known.iter().position(|(known, _)| *known == key) {
        Some(place) => known.remove(place),
        None => (key, make()),
    };
    if known.len() == most {
        known.remove(0);
    }
    let bind_group = entry.1.clone();
    known.push(entry);
    bind_group
}

fn bind_group<const N: usize>(
    gpu: &Gpu,
    layout: &wgpu::BindGroupLayout,
    bindings: [wgpu::BindingResource<'_>; N],
) -> wgpu::BindGroup {
    let entries: Vec<_> = (0..)
        .zip(bindings)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout,
        entries: &entries,
    })
}

/// A texture of 256 × 1 colors.
fn table(gpu: &Gpu, colors: &Colors) -> wgpu::TextureView {
    let size = wgpu::Extent3d {
        width: 256,
        height: 1,
        depth_or_array_layers: 1,
    };
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("colors"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    gpu.queue.write_texture(
        texture.as_image_copy(),
        colors.as_flattened(),
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(256 * 4),
            rows_per_image: None,
        },
        size,
    );
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}
