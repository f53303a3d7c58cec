use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::gpu::padded_row;
use super::{Gpu, GpuError, PaneDraw};
use crate::geom::ImageSize;

/// A software adapter may need long for a large picture; a lost device needs forever.
const READ_BACK_TIMEOUT: Duration = Duration::from_mins(1);

/// A picture that is drawn without a window and read back.
#[derive(Debug)]
pub struct Offscreen {
    gpu: Gpu,
    texture: wgpu::Texture,
    size: ImageSize,
}

impl Offscreen {
    /// A picture of `size` pixels on `gpu`.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] when the device draws none of this size.
    pub fn new(gpu: &Gpu, size: ImageSize) -> Result<Self, GpuError> {
        gpu.check_picture(size)?;
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("picture"),
            size: extent(size),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: gpu.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        Ok(Self {
            gpu: gpu.clone(),
            texture,
            size,
        })
    }

    /// Draws `panes` side by side, each in its own part (left, width) of the picture's columns, over
    /// `background` (RGBA), and reads the picture back: RGBA8, row by row.
    ///
    /// # Errors
    /// [`GpuError::ReadBack`] when the device fails or takes longer than a minute.
    pub fn picture(
        &self,
        panes: &[(u32, u32, PaneDraw)],
        background: [u8; 4],
    ) -> Result<Vec<u8>, GpuError> {
        self.picture_with(background, |pass| {
            for (left, width, draw) in panes {
                let (left, width, height) = (*left as f32, *width as f32, self.size.height as f32);
                pass.set_viewport(left, 0.0, width, height, 0.0, 1.0);
                pass.set_scissor_rect(left as u32, 0, width as u32, self.size.height);
                draw.draw(pass);
            }
        })
    }

    /// Lets `draw` fill one pass over `background` and reads the picture back: RGBA8, row by row.
    ///
    /// # Errors
    /// [`GpuError::ReadBack`] when the device fails or takes longer than a minute.
    pub fn picture_with(
        &self,
        background: [u8; 4],
        draw: impl FnOnce(&mut wgpu::RenderPass<'static>),
    ) -> Result<Vec<u8>, GpuError> {
        let view = self
            .texture
            .create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let [r, g, b, a] = background.map(|value| f64::from(value) / 255.0);
        let mut pass = encoder
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("picture"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    resolve_target: None,
                    depth_slice: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a }),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            })
            .forget_lifetime();
        draw(&mut pass);
        drop(pass);
        self.gpu.queue.submit([encoder.finish()]);
        self.read_back()
    }

    fn read_back(&self) -> Result<Vec<u8>, GpuError> {
        let row_bytes = self.size.width as usize * 4;
        let padded = padded_row(self.size.width) as usize;
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read back"),
            size: (padded * self.size.height as usize) as u64,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(padded as u32),
                    rows_per_image: None,
                },
            },
            extent(self.size),
        );
        let submission = self.gpu.queue.submit([encoder.finish()]);
        let (sender, receiver) = sync_channel(1);
        buffer
            .slice(..)
            .map_async(wgpu::MapMode::Read, move |mapped| {
                // The other end waits below and cannot be gone.
                drop(sender.send(mapped));
            });
        let wait = wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: Some(READ_BACK_TIMEOUT),
        };
        self.gpu
            .device
            .poll(wait)
            .map_err(|error| GpuError::ReadBack(error.to_string()))?;
        receiver
            .recv()
            .map_err(|error| GpuError::ReadBack(error.to_string()))?
            .map_err(|error| GpuError::ReadBack(error.to_string()))?;
        let mapped = buffer
            .slice(..)
            .get_mapped_range()
            .map_err(|error| GpuError::ReadBack(error.to_string()))?;
        let rows = mapped
            .chunks_exact(padded)
            .flat_map(|row| &row[..row_bytes]);
        Ok(rows.copied().collect())
    }
}

const fn extent(size: ImageSize) -> wgpu::Extent3d {
    wgpu::Extent3d {
        width: size.width,
        height: size.height,
        depth_or_array_layers: 1,
    }
}
