use egui::{Color32, Painter, Pos2, Shape, Stroke};

use super::CanvasFrame;
use crate::geom::Camera;
use crate::session::{Outline, Session};

/// Shorter steps of a line are left out, in points.
const SEEN_STEP: f32 = 1.5;
/// Smaller shapes become a dot, in points.
const SEEN_SHAPE: f64 = 2.0;
/// More points than this are not drawn in a frame.
const MOST_POINTS: usize = 200_000;
/// One color for each overlay in turn, apart from each other also for the color-blind.
pub const COLORS: [Color32; 6] = [
    Color32::from_rgb(240, 228, 66),
    Color32::from_rgb(86, 180, 233),
    Color32::from_rgb(230, 159, 0),
    Color32::from_rgb(204, 121, 167),
    Color32::from_rgb(0, 200, 150),
    Color32::from_rgb(235, 110, 60),
];

/// Draws the polygons and lines that lie over the image and change no pixel.
pub fn paint(painter: &Painter, frame: CanvasFrame, camera: &Camera, session: &Session) {
    let seen = camera.visible_image_rect(frame.size());
    let pixel = f64::from(frame.pixels_per_point) / camera.scale;
    let mut left = MOST_POINTS;
    for (place, overlay) in session.overlays().iter().enumerate() {
        if !overlay.is_visible {
            continue;
        }
        let color = COLORS[place % COLORS.len()];
        for outline in &*overlay.outlines {
            let [x0, y0, x1, y1] = outline.bounds;
            let is_seen =
                x1 >= seen.min.x && x0 <= seen.max.x && y1 >= seen.min.y && y0 <= seen.max.y;
            if !is_seen || left == 0 {
                continue;
            }
            let is_dot = (x1 - x0).max(y1 - y0) < SEEN_SHAPE * pixel;
            let points = if is_dot {
                let at = frame.points_from_image(camera, outline.points[0]);
                vec![at, at + egui::vec2(1.0, 0.0)]
            } else {
                seen_points(outline, frame, camera)
            };
            left = left.saturating_sub(points.len());
            painter.add(Shape::line(
                points.clone(),
                Stroke::new(3.0, Color32::from_black_alpha(150)),
            ));
            painter.add(Shape::line(points, Stroke::new(1.5, color)));
        }
    }
}

fn seen_points(outline: &Outline, frame: CanvasFrame, camera: &Camera) -> Vec<Pos2> {
    let points = outline.points.iter();
    let mut points: Vec<Pos2> = points
        .map(|&at| frame.points_from_image(camera, at))
        .collect();
    let last = points.pop();
    points.dedup_by(|next, kept| next.distance(*kept) < SEEN_STEP);
    points.extend(last);
    points
}
