use egui_wgpu::{Callback, CallbackResources, CallbackTrait};

use super::pipelines::{ComparisonInstance, MaskInstance, Pipelines, QuadInstance};
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
    /// Where two masks agree, over everything else.
    pub comparison: Option<ComparisonView<'a>>,
}

/// Two masks of one size, and what of their agreement is shown.
pub struct ComparisonView<'a> {
    /// What is taken for true.
    pub truth: MaskTiles<'a>,
    /// What is held against it.
    pub predicted: MaskTiles<'a>,
    /// Extent of both at level 0.
    pub size: ImageSize,
    /// Which of its pixels are looked at.
    pub looked: Looked,
    /// Straight-alpha colors of the verdicts.
    pub colors: VerdictColors,
}

/// Which pixels of two masks are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    /// All: whether both have the same class.
    #[default]
    All,
    /// Those that have this class in either.
    Class(u8),
    /// Those that have the one class in the truth and the other in the prediction.
    Pair {
        /// The class in the truth.
        truth: u8,
        /// The class in the prediction.
        predicted: u8,
    },
}

/// The tiles of a mask.
#[derive(Clone, Copy)]
pub struct MaskTiles<'a> {
    /// Whose tiles they are on the card.
    pub source: SourceId,
    /// The tile of a key, derived when it is not there yet.
    pub tile: &'a dyn Fn(TileKey) -> MaskTile,
}

/// A straight-alpha color for each way in which truth and prediction go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictColors {
    /// Both have the same class, or neither has the one that is looked at.
    pub agreed: [u8; 4],
    /// Both have the class that is looked at, or the one of a pair of equal classes: true positive.
    pub found: [u8; 4],
    /// The prediction alone has it: false positive.
    pub invented: [u8; 4],
    /// The truth alone has it: false negative.
    pub missed: [u8; 4],
    /// They have different classes, and none is looked at, or just this pair of them.
    pub different: [u8; 4],
}

impl VerdictColors {
    /// As the shader looks them up.
    pub(super) fn palette(&self) -> [[u8; 4]; 256] {
        let mut colors = [[0; 4]; 256];
        let own = [
            self.agreed,
            self.found,
            self.invented,
            self.missed,
            self.different,
        ];
        colors[..own.len()].copy_from_slice(&own);
        colors
    }
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
    pub(super) image: Option<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)>,
    pub(super) masks: Vec<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)>,
    pub(super) comparison: Option<(wgpu::BindGroup, wgpu::BindGroup, wgpu::Buffer)>,
}

impl PaneDraw {
    /// Draws into the pass's current viewport.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some((tiles, shading, quads)) = &self.image {
            pass.set_pipeline(&self.pipelines.image);
            pass.set_bind_group(0, tiles, &[]);
            pass.set_bind_group(1, shading, &[]);
            draw_quads(pass, quads, size_of::<QuadInstance>());
        }
        for (pages, palette, quads) in &self.masks {
            pass.set_pipeline(&self.pipelines.mask);
            pass.set_bind_group(0, pages, &[]);
            pass.set_bind_group(1, palette, &[]);
            draw_quads(pass, quads, size_of::<MaskInstance>());
        }
        if let Some((pages, palette, quads)) = &self.comparison {
            pass.set_pipeline(&self.pipelines.comparison);
            pass.set_bind_group(0, pages, &[]);
            pass.set_bind_group(1, palette, &[]);
            draw_quads(pass, quads, size_of::<ComparisonInstance>());
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
