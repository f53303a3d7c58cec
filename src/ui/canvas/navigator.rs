use egui::{Color32, Rect, Sense, Stroke, StrokeKind, Ui, vec2};

use super::{CanvasFrame, PaneContent, scene};
use crate::geom::{Camera, ImagePoint};
use crate::session::Session;
use crate::ui::view::View;

/// Longest side of the small picture, in points.
const SIDE: f32 = 190.0;
/// Space between it and the canvas's edge, in points.
const MARGIN: f32 = 12.0;

/// The whole image in a corner, with the frame of what is seen; a click or a drag goes there.
pub fn navigator_ui(ui: &mut Ui, canvas: CanvasFrame, session: &Session, view: &mut View) {
    let (Some(image), Some(camera)) = (session.image(), view.camera) else {
        return;
    };
    let size = image.size();
    let (width, height) = (size.width as f32, size.height as f32);
    let scale = SIDE / width.max(height).max(1.0);
    let corner = canvas.rect.right_bottom() - vec2(MARGIN, MARGIN);
    let extent = vec2((width * scale).max(8.0), (height * scale).max(8.0));
    let rect = Rect::from_min_max(corner - extent, corner);
    if !canvas.rect.contains_rect(rect) || canvas.rect.width() < 2.0 * extent.x {
        return;
    }
    let frame = CanvasFrame { rect, ..canvas };
    view.covered.push(rect);
    let whole = Camera::fitting(size, frame.size());
    view.camera = Some(whole);
    scene::paint(ui, PaneContent::Original, frame, session, view);
    view.camera = Some(camera);
    let response = ui.interact(
        rect,
        ui.scope_id().with("navigator"),
        Sense::click_and_drag(),
    );
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Image, true, "Navigator: click to go there")
    });
    if let Some(at) = response.interact_pointer_pos() {
        view.go_to(frame.image_from_points(&whole, at), None);
    }
    let seen = camera.visible_image_rect(canvas.size());
    let point = |at: ImagePoint| frame.points_from_image(&whole, at);
    let seen = Rect::from_two_pos(point(seen.min), point(seen.max)).intersect(rect);
    frames(ui, rect, seen);
}

/// The picture's border, and the frame of what is seen: never so small that it cannot be seen.
fn frames(ui: &Ui, picture: Rect, seen: Rect) {
    let seen = Rect::from_center_size(seen.center(), seen.size().max(vec2(6.0, 6.0)));
    let dark = Stroke::new(3.0, Color32::from_black_alpha(180));
    let (outside, middle) = (StrokeKind::Outside, StrokeKind::Middle);
    let painter = ui.painter();
    painter.rect_stroke(picture, 2.0, dark, outside);
    painter.rect_stroke(
        picture,
        2.0,
        Stroke::new(1.0, Color32::from_gray(200)),
        outside,
    );
    painter.rect_stroke(seen, 0.0, dark, middle);
    painter.rect_stroke(
        seen,
        0.0,
        Stroke::new(1.5, crate::ui::theme::ACCENT),
        middle,
    );
}
