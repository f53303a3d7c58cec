use bytemuck::{Pod, Zeroable};
use wgpu::util::DeviceExt as _;

use super::Gpu;
use crate::geom::{Camera, ImagePoint, PixelRect, ScreenSize};

/// One rectangle to draw, as all shaders read it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct QuadInstance {
    /// Left, top, right, bottom in clip space.
    pub clip: [f32; 4],
    /// Left, top, right, bottom in texels of the tile.
    pub texels: [f32; 4],
    /// Where the tile lies in its atlas; the meaning is the shader's.
    pub slot: [u32; 4],
}

/// One tile of a mask to draw, with the tiles around it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct MaskInstance {
    /// The tile itself.
    pub quad: QuadInstance,
    /// The slots of the tiles at its left, right, above and below.
    pub around: [[u32; 4]; 4],
}

/// One tile of two masks to compare.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct ComparisonInstance {
    /// The tile of the truth.
    pub truth: QuadInstance,
    /// Where the prediction's tile lies.
    pub predicted: [u32; 4],
    /// The class that is looked at, or 256 for all; the prediction's where a pair is looked at, or
    /// 256; two numbers of nothing.
    pub chosen: [u32; 4],
}

const QUAD: [wgpu::VertexAttribute; 3] =
    wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Uint32x4];
const MASK: [wgpu::VertexAttribute; 7] = wgpu::vertex_attr_array![
    0 => Float32x4, 1 => Float32x4, 2 => Uint32x4,
    3 => Uint32x4, 4 => Uint32x4, 5 => Uint32x4, 6 => Uint32x4
];

const COMPARISON: [wgpu::VertexAttribute; 5] = wgpu::vertex_attr_array![
    0 => Float32x4, 1 => Float32x4, 2 => Uint32x4, 3 => Uint32x4, 4 => Uint32x4
];

/// Clip-space corners of `ground` (level-0 pixels), computed in f64 so that nothing jitters far
/// from the origin.
pub fn clip_corners(camera: &Camera, canvas: ScreenSize, ground: PixelRect) -> [f32; 4] {
    let corner = |x: u32, y: u32| {
        let at = camera.screen_from_image(canvas, ImagePoint::new(f64::from(x), f64::from(y)));
        (
            2.0 * at.x / canvas.width - 1.0,
            1.0 - 2.0 * at.y / canvas.height,
        )
    };
    let (left, top) = corner(ground.x, ground.y);
    let (right, bottom) = corner(ground.right(), ground.bottom());
    [left as f32, top as f32, right as f32, bottom as f32]
}

/// The texels of a tile at (`col`, `row`) of `level`, with sides of `side`, that show `ground`.
pub fn texel_corners(level: u8, col: u32, row: u32, side: u32, ground: PixelRect) -> [f32; 4] {
    let texel = |at: u32, tile: u32| {
        let origin = (u64::from(tile) * u64::from(side)) << level;
        ((f64::from(at) - origin as f64) / (1_u64 << level) as f64) as f32
    };
    [
        texel(ground.x, col),
        texel(ground.y, row),
        texel(ground.right(), col),
        texel(ground.bottom(), row),
    ]
}

/// The compiled shaders and the layouts of what they read.
#[derive(Clone, Debug)]
pub struct Pipelines {
    pub image: wgpu::RenderPipeline,
    pub mask: wgpu::RenderPipeline,
    pub comparison: wgpu::RenderPipeline,
    pub image_layout: wgpu::BindGroupLayout,
    pub shading_layout: wgpu::BindGroupLayout,
    pub pages_layout: wgpu::BindGroupLayout,
    pub palette_layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    /// Compiles the shaders for pictures of `gpu`'s target format.
    pub fn new(gpu: &Gpu) -> Self {
        let image_layout = layout(
            gpu,
            &[
                array_of(wgpu::TextureSampleType::Float { filterable: true }),
                sampler(),
            ],
        );
        let table = texture(
            wgpu::TextureSampleType::Float { filterable: false },
            wgpu::TextureViewDimension::D2,
        );
        let shading_layout = layout(gpu, &[UNIFORM, table]);
        let pages_layout = layout(gpu, &[array_of(wgpu::TextureSampleType::Uint)]);
        let palette_layout = layout(gpu, &[table]);
        let image = pipeline(
            gpu,
            include_str!("../../shaders/tile.wgsl"),
            &[Some(&image_layout), Some(&shading_layout)],
            &QUAD,
        );
        let mask = pipeline(
            gpu,
            include_str!("../../shaders/mask.wgsl"),
            &[Some(&pages_layout), Some(&palette_layout)],
            &MASK,
        );
        let comparison = pipeline(
            gpu,
            include_str!("../../shaders/comparison.wgsl"),
            &[Some(&pages_layout), Some(&palette_layout)],
            &COMPARISON,
        );
        Self {
            image,
            mask,
            comparison,
            image_layout,
            shading_layout,
            pages_layout,
            palette_layout,
        }
    }
}

/// A vertex buffer holding `instances`; `None` when there are none.
pub fn instance_buffer<I: Pod>(gpu: &Gpu, instances: &[I]) -> Option<wgpu::Buffer> {
    (!instances.is_empty()).then(|| {
        gpu.device
            .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("tile quads"),
                contents: bytemuck::cast_slice(instances),
                usage: wgpu::BufferUsages::VERTEX,
            })
    })
}

const UNIFORM: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Uniform,
    has_dynamic_offset: false,
    min_binding_size: None,
};

const fn texture(
    sample_type: wgpu::TextureSampleType,
    view_dimension: wgpu::TextureViewDimension,
) -> wgpu::BindingType {
    wgpu::BindingType::Texture {
        sample_type,
        view_dimension,
        multisampled: false,
    }
}

const fn array_of(sample_type: wgpu::TextureSampleType) -> wgpu::BindingType {
    texture(sample_type, wgpu::TextureViewDimension::D2Array)
}

const fn sampler() -> wgpu::BindingType {
    wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)
}

fn layout(gpu: &Gpu, bindings: &[wgpu::BindingType]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = (0..)
        .zip(bindings)
        .map(|(binding, &ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty,
            count: None,
        })
        .collect();
    gpu.device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        })
}

fn pipeline(
    gpu: &Gpu,
    source: &str,
    layouts: &[Option<&wgpu::BindGroupLayout>],
    instance: &[wgpu::VertexAttribute],
) -> wgpu::RenderPipeline {
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
    let layout = gpu
        .device
        .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: layouts,
            immediate_size: 0,
        });
    gpu.device
        .create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: None,
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vs_main"),
                buffers: &[Some(wgpu::VertexBufferLayout {
                    // Each attribute is four numbers of four bytes.
                    array_stride: 16 * instance.len() as u64,
                    step_mode: wgpu::VertexStepMode::Instance,
                    attributes: instance,
                })],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            },
            primitive: wgpu::PrimitiveState {
                topology: wgpu::PrimitiveTopology::TriangleStrip,
                ..Default::default()
            },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fs_main"),
                targets: &[Some(wgpu::ColorTargetState {
                    format: gpu.target_format,
                    blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                    write_mask: wgpu::ColorWrites::ALL,
                })],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            }),
            multiview_mask: None,
            cache: None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_shows_its_own_piece() {
        // Level-0 tile (3, 1) of 512 px is the lower right quarter of its parent (1, 0).
        let ground = PixelRect::new(1_536, 512, 512, 512);
        assert_eq!(
            texel_corners(1, 1, 0, 512, ground),
            [256.0, 256.0, 512.0, 512.0]
        );
        assert_eq!(
            texel_corners(0, 3, 1, 512, ground),
            [0.0, 0.0, 512.0, 512.0]
        );
    }

    #[test]
    fn the_visible_rectangle_fills_clip_space() {
        let camera = Camera {
            center: ImagePoint::new(50.0, 40.0),
            scale: 2.0,
        };
        let canvas = ScreenSize::new(200.0, 160.0);
        let corners = clip_corners(&camera, canvas, PixelRect::new(0, 0, 100, 80));
        assert_eq!(corners, [-1.0, 1.0, 1.0, -1.0]);
    }
}
