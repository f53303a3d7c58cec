//! The canvases: one camera, one to three panes, tools under the pointer.

mod broken;
mod contents;
mod coverage;
mod curtain;
mod header;
mod input;
mod instant;
mod measure;
mod navigator;
mod overlay;
mod panes;
mod remembered;
mod scene;
mod vectors;

pub use contents::{PaneContent, PaneContents};
pub use input::{Gesture, shape_command};
pub use panes::{PaneLayout, panes_ui};
pub use remembered::RememberedPanes;
pub use vectors::COLORS as OVERLAY_COLORS;

use crate::geom::{Camera, ImagePoint, ScreenPoint, ScreenSize};

/// One canvas on the screen: where it is and how large in physical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanvasFrame {
    /// Where it is, in points.
    pub rect: egui::Rect,
    /// Physical pixels a point.
    pub pixels_per_point: f32,
}

impl CanvasFrame {
    /// Extent in physical pixels, rounded as the renderer rounds a callback's viewport.
    pub fn size(&self) -> ScreenSize {
        let edge = |points: f32| f64::from((points * self.pixels_per_point).round());
        ScreenSize::new(
            edge(self.rect.right()) - edge(self.rect.left()),
            edge(self.rect.bottom()) - edge(self.rect.top()),
        )
    }

    /// `camera` as it is on this canvas: on whole screen pixels.
    pub fn aligned(&self, camera: Option<Camera>) -> Option<Camera> {
        camera.map(|camera| camera.aligned(self.size()))
    }

    /// A position in points as physical pixels of this canvas.
    pub fn screen_from_points(&self, at: egui::Pos2) -> ScreenPoint {
        let from_corner = (at - self.rect.min) * self.pixels_per_point;
        ScreenPoint::new(f64::from(from_corner.x), f64::from(from_corner.y))
    }

    /// A position in physical pixels of this canvas as points of the window.
    pub fn points_from_screen(&self, at: ScreenPoint) -> egui::Pos2 {
        let from_corner = egui::vec2(at.x as f32, at.y as f32) / self.pixels_per_point;
        self.rect.min + from_corner
    }

    /// The image position under a position in points.
    pub fn image_from_points(&self, camera: &crate::geom::Camera, at: egui::Pos2) -> ImagePoint {
        camera.image_from_screen(self.size(), self.screen_from_points(at))
    }

    /// Where an image position is, in points of the window.
    pub fn points_from_image(&self, camera: &crate::geom::Camera, at: ImagePoint) -> egui::Pos2 {
        self.points_from_screen(camera.screen_from_image(self.size(), at))
    }
}
