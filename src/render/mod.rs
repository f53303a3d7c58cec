//! Pixels on a graphics card: tile atlases, palettes, pipelines and draw lists.
//!
//! The only layer that names wgpu. It is told which tiles exist and what a pane shows; it knows
//! neither the session nor widgets. All targets are gamma-space 8-bit, so that a picture at 1:1 has
//! the file's bytes.

mod frame_stats;
mod gpu;
mod image_atlas;
mod mask_atlas;
mod offscreen;
mod pane;
mod pipelines;
mod renderer;
mod slots;
mod tables;

pub use frame_stats::FrameStats;
pub use gpu::{AdapterSummary, Gpu, GpuError, list_adapters};
pub use offscreen::Offscreen;
pub use pane::{
    ComparisonView, Looked, MaskLook, MaskTiles, MaskView, PaneDraw, PaneScene, VerdictColors,
    paint_callback, palette,
};
pub use renderer::{ImageTiles, Renderer, SourceId};
