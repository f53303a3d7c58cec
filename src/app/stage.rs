use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};

use super::{App, AppConfig};
use crate::geom::ImageSize;
use crate::render::{Gpu, Offscreen};

/// An image that is not shown whole by then is not going to be.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(1);
const BACKGROUND: [u8; 4] = [30, 30, 30, 255];

/// A window without a display, for screenshots and benchmarks.
pub struct Stage {
    app: App,
    renderer: Renderer,
    ctx: egui::Context,
    gpu: Gpu,
    size: ImageSize,
    began: Instant,
    /// What a person does in the next frame.
    events: Vec<egui::Event>,
}

impl Stage {
    /// A window of `size` pixels on `gpu` that opens `path`, if any, with its first frame.
    pub fn new(gpu: Gpu, path: Option<PathBuf>, size: ImageSize) -> Self {
        let ctx = egui::Context::default();
        let config = AppConfig {
            open: path,
            ..AppConfig::default()
        };
        Self {
            app: App::new(&ctx, Some(gpu.clone()), config),
            renderer: Renderer::new(
                gpu.raw().0,
                gpu.target_format(),
                RendererOptions::PREDICTABLE,
            ),
            ctx,
            gpu,
            size,
            began: Instant::now(),
            events: Vec::new(),
        }
    }

    /// What runs in the window.
    pub const fn app_mut(&mut self) -> &mut App {
        &mut self.app
    }

    /// Runs frames until nothing is loading any more.
    ///
    /// # Errors
    /// When something cannot be opened, or the picture is not complete after two minutes.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let mut quiet_frames = 0;
        while quiet_frames < 2 {
            drop(self.layout());
            if let Some(why) = self.app.take_failure() {
                bail!(why);
            }
            quiet_frames = if self.app.is_settled() {
                quiet_frames + 1
            } else {
                0
            };
            if self.began.elapsed() > LONGEST_WAIT {
                bail!("The window did not finish loading within two minutes");
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Runs one frame up to the triangles that a graphics card would be given.
    pub fn frame(&mut self) -> usize {
        let output = self.layout();
        let scale = self.ctx.pixels_per_point();
        self.ctx.tessellate(output.shapes, scale).len()
    }

    /// Scrolls down what is in the middle of the window by some points in the next frame.
    pub fn scroll(&mut self, points: f32) {
        let middle = egui::pos2(self.size.width as f32, self.size.height as f32) * 0.5;
        self.events.push(egui::Event::PointerMoved(middle));
        self.events.push(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -points),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
    }

    /// Hands what waits for the graphics card over, so that it does not pile up.
    pub fn flush(&self) {
        let (device, queue) = self.gpu.raw();
        queue.submit([]);
        if let Err(error) = device.poll(wgpu::PollType::Poll) {
            tracing::warn!("the graphics card does not answer: {error}");
        }
    }

    fn layout(&mut self) -> egui::FullOutput {
        let extent = egui::vec2(self.size.width as f32, self.size.height as f32);
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, extent)),
            time: Some(self.began.elapsed().as_secs_f64()),
            events: std::mem::take(&mut self.events),
            ..Default::default()
        };
        let ctx = self.ctx.clone();
        self.app.update(&ctx);
        let mut output = ctx.run_ui(input, |ui| self.app.layout(ui));
        self.take_textures(&mut output.textures_delta);
        output
    }

    fn take_textures(&mut self, delta: &mut egui::TexturesDelta) {
        let (device, queue) = self.gpu.raw();
        for (id, images) in std::mem::take(&mut delta.set) {
            for image in images {
                self.renderer.update_texture(device, queue, id, &image);
            }
        }
        for id in std::mem::take(&mut delta.free) {
            self.renderer.free_texture(&id);
        }
    }

    /// Draws the whole window: RGBA8, row by row.
    ///
    /// # Errors
    /// When the graphics device fails.
    pub fn picture(&mut self) -> anyhow::Result<Vec<u8>> {
        let output = self.layout();
        let screen = ScreenDescriptor {
            size_in_pixels: [self.size.width, self.size.height],
            pixels_per_point: self.ctx.pixels_per_point(),
        };
        let shapes = self.ctx.tessellate(output.shapes, screen.pixels_per_point);
        let (device, queue) = self.gpu.raw();
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut buffers =
            self.renderer
                .update_buffers(device, queue, &mut encoder, &shapes, &screen);
        buffers.push(encoder.finish());
        queue.submit(buffers);
        let draw = |pass: &mut wgpu::RenderPass<'static>| {
            self.renderer.render(pass, &shapes, &screen);
        };
        Ok(Offscreen::new(&self.gpu, self.size)?.picture_with(BACKGROUND, draw)?)
    }
}
