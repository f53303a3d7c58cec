use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};

use super::{App, AppConfig};
use crate::geom::ImageSize;
use crate::render::{Gpu, Offscreen};
use crate::session::{Command, LayerKind};
use crate::ui::PaneLayout;

/// An image that is not shown whole by then is not going to be.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(5);
/// Frames after everything is there: layout settles, toasts and animations come to rest.
const LAST_FRAMES: usize = 4;
const BACKGROUND: [u8; 4] = [30, 30, 30, 255];

/// What the window shows when it is drawn without a display.
#[derive(Clone, Debug)]
pub struct Screenshot {
    /// The image or folder; the welcome screen without.
    pub open: Option<PathBuf>,
    /// A label to open.
    pub label: Option<PathBuf>,
    /// A prediction to open.
    pub prediction: Option<PathBuf>,
    /// How many panes there are.
    pub layout: PaneLayout,
    /// Extent of the window in pixels.
    pub size: ImageSize,
}

impl Screenshot {
    /// Draws the whole window: RGBA8, row by row.
    ///
    /// # Errors
    /// When a file cannot be opened, there is no graphics device, or the picture is not complete
    /// after two minutes.
    pub fn take(&self) -> anyhow::Result<Vec<u8>> {
        let gpu = Gpu::headless()?;
        let ctx = egui::Context::default();
        let config = AppConfig {
            open: self.open.clone(),
            ..AppConfig::default()
        };
        let mut stage = Stage {
            app: App::new(&ctx, Some(gpu.clone()), config),
            renderer: Renderer::new(
                gpu.raw().0,
                gpu.target_format(),
                RendererOptions::PREDICTABLE,
            ),
            ctx,
            gpu,
            size: self.size,
            began: Instant::now(),
        };
        stage.app.view_mut().layout = self.layout;
        stage.settle()?;
        let masks = [
            (LayerKind::Label, &self.label),
            (LayerKind::Prediction, &self.prediction),
        ];
        for (layer, path) in masks {
            if let Some(path) = path.clone() {
                stage.app.perform(vec![Command::OpenMask { layer, path }]);
                stage.settle()?;
            }
        }
        (0..LAST_FRAMES).for_each(|_| drop(stage.frame()));
        stage.picture()
    }
}

/// A window without a display.
struct Stage {
    app: App,
    renderer: Renderer,
    ctx: egui::Context,
    gpu: Gpu,
    size: ImageSize,
    began: Instant,
}

impl Stage {
    /// Draws frames until nothing is loading any more.
    fn settle(&mut self) -> anyhow::Result<()> {
        let mut quiet_frames = 0;
        while quiet_frames < 2 {
            drop(self.frame());
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

    fn frame(&mut self) -> egui::FullOutput {
        let extent = egui::vec2(self.size.width as f32, self.size.height as f32);
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, extent)),
            time: Some(self.began.elapsed().as_secs_f64()),
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

    fn picture(&mut self) -> anyhow::Result<Vec<u8>> {
        let output = self.frame();
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
        Ok(Offscreen::new(&self.gpu, self.size).picture_with(BACKGROUND, draw)?)
    }
}
