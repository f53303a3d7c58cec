use egui_wgpu::{Callback, CallbackResources, CallbackTrait};

use super::pipelines::{MaskInstance, Pipelines, QuadInstance};
use super::renderer::{ImageTiles, SourceId};
use crate::geom::{Camera, ImageSize, ScreenSize, TileKey};
use crate::label::{ClassTable, MaskTile};

/// What one canvas shows.
pub struct PaneScene<'a> {
    /// Extent of the canvas in physical pixels.
    pub canvas: ScreenSize,
    /// Which part of the image it shows.
    pub camera: Camera,
    /// The image under everything, if any.
    pub image: Option<ImageTiles>,
    /// Masks over it, first drawn first.
    pub masks: Vec<MaskView<'a>>,
}

/// A mask as the renderer sees it: any tile of any level, and colors.
pub struct MaskView<'a> {
    /// Whose tiles they are on the card.
    pub source: SourceId,
    /// Extent of the mask at level 0.
    pub size: ImageSize,
    /// The tile of a key, derived when it is not there yet.
    pub tile: &'a dyn Fn(TileKey) -> MaskTile,
    /// Straight-alpha color of each class index; alpha is the layer's opacity, 0 hides.
    pub palette: [[u8; 4]; 256],
    /// Areas or outlines.
    pub look: MaskLook,
}

/// How a mask is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaskLook {
    /// Areas of color.
    #[default]
    Fill,
    /// Lines where two classes meet, each on its own side.
    Outline,
}

/// One canvas ready to be drawn: buffers and bindings, nothing to compute any more.
#[derive(Clone, Debug)]
pub struct PaneDraw {
    pub(super) pipelines: Pipelines,
    pub(super) image: Option<(wgpu::BindGroup, wgpu::Buffer)>,
    pub(super) masks: Vec<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)>,
}

impl PaneDraw {
    /// Draws into the pass's current viewport.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some((tiles, quads)) = &self.image {
            pass.set_pipeline(&self.pipelines.image);
            pass.set_bind_group(0, tiles, &[]);
            draw_quads(pass, quads, size_of::<QuadInstance>());
        }
        for (pages, palette, quads) in &self.masks {
            pass.set_pipeline(&self.pipelines.mask);
            pass.set_bind_group(0, pages, &[]);
            pass.set_bind_group(1, palette, &[]);
            draw_quads(pass, quads, size_of::<MaskInstance>());
        }
    }
}

fn draw_quads(pass: &mut wgpu::RenderPass<'_>, quads: &wgpu::Buffer, instance_bytes: usize) {
    let count = quads.size() / instance_bytes as u64;
    pass.set_vertex_buffer(0, quads.slice(..));
    pass.draw(0..4, 0..count as u32);
}

/// Wraps a prepared canvas as a shape of the window's own painting, at `rect` in points.
pub fn paint_callback(rect: egui::Rect, draw: PaneDraw) -> egui::Shape {
    Callback::new_paint_callback(rect, PaneCallback(draw)).into()
}

struct PaneCallback(PaneDraw);

impl CallbackTrait for PaneCallback {
    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        _resources: &CallbackResources,
    ) {
        self.0.draw(pass);
    }
}

/// The colors of a mask: class colors with `opacity`, background with `background_opacity`, what
/// `is_visible` denies and "unlabeled" clear.
pub fn palette(
    classes: &ClassTable,
    opacity: f32,
    background_opacity: f32,
    is_visible: impl Fn(u8) -> bool,
) -> [[u8; 4]; 256] {
    let mut colors = [[0; 4]; 256];
    for class in classes
        .classes()
        .iter()
        .filter(|class| is_visible(class.index))
    {
        let is_background = classes.background() == Some(class.index);
        let share = if is_background {
            background_opacity
        } else {
            opacity
        };
        let [r, g, b] = class.color;
        colors[usize::from(class.index)] = [r, g, b, (share * 255.0).round() as u8];
    }
    colors
}
