use egui::{Align2, Color32, FontId, Painter, Pos2, Stroke, Ui, pos2, vec2};

use super::input::Gesture;
use super::{CanvasFrame, PaneContent};
use crate::geom::{Camera, ImagePoint};
use crate::label::{BrushShape, CheckPoint, Hint, Side};
use crate::session::{Session, Tool};
use crate::ui::theme;
use crate::ui::view::View;

const DARK: Color32 = Color32::from_black_alpha(190);
const LIGHT: Color32 = Color32::from_rgba_premultiplied(230, 230, 230, 230);
/// Shorter steps of an outline are left out, in points.
const SEEN_STEP: f32 = 0.8;
/// Length of the ticks that lead to a marked pixel, in points.
const TICK: f32 = 14.0;
/// Widest scale bar, in points.
const SCALE_BAR: f64 = 140.0;

/// Draws what lies over the picture: held-out ground, the polygon so far, the footprint, the
/// crosshair and the scale bar. Lines are dark and light, so that they show on any ground.
pub fn paint(ui: &Ui, content: PaneContent, frame: CanvasFrame, session: &Session, view: &View) {
    let Some(camera) = frame.aligned(view.camera) else {
        return;
    };
    let painter = ui.painter();
    super::broken::paint(ui, frame, &camera, session, view);
    super::vectors::paint(painter, frame, &camera, session);
    if view.shows_held_out {
        held_out(painter, frame, &camera, session);
    }
    if view.shows_coverage {
        let header = super::header::height(content);
        super::coverage::paint(painter, frame, &camera, session, header);
    }
    // The place that a walk is at would tell what the map says at a point that is checked.
    if let Some((_, point)) = session.checked_point() {
        marked_pixel(painter, frame, &camera, point);
    } else if let Some(current) = session.review().and_then(|review| review.current()) {
        selection(painter, frame, &camera, &current.rings);
    }
    if let Gesture::Outlining(corners) = &view.gesture {
        if session.tool() == Tool::Line {
            ribbon(painter, frame, &camera, corners, session, view);
        }
        outline(painter, frame, &camera, corners, view.pointer_at);
        if session.tool() == Tool::Ruler {
            super::measure::paint(painter, frame, &camera, corners, session, view);
        }
    }
    if let Gesture::Drawing(drawing) = &view.gesture {
        let mut corners = drawing.corners();
        corners.extend(corners.first().copied());
        selection(painter, frame, &camera, &[corners]);
    }
    if let (Tool::Superpixel, Some(at)) = (session.tool(), view.pointer_at)
        && let Some(patches) = session.superpixels_under_brush(at)
    {
        selection(painter, frame, &camera, &patches.outline());
    }
    for hint in session.object_hints() {
        hint_ui(painter, frame, &camera, hint);
    }
    if let Some(selected) = session.selected() {
        selection(painter, frame, &camera, &selected.outline);
    }
    if let Some(at) = view.pointer_at {
        pointer(painter, frame, &camera, at, session);
    }
    scale_bar(painter, frame, &camera, session);
}

fn held_out(painter: &Painter, frame: CanvasFrame, camera: &Camera, session: &Session) {
    let [choosing, judging] = session.held_out_ground();
    let choosing = choosing
        .iter()
        .map(|block| (block, theme::CURVE_VALIDATION));
    let judging = judging.iter().map(|block| (block, theme::ACCENT));
    for (block, color) in choosing.chain(judging) {
        let corner =
            |x, y| frame.points_from_image(camera, ImagePoint::new(f64::from(x), f64::from(y)));
        let rect = egui::Rect::from_two_pos(
            corner(block.x, block.y),
            corner(block.right(), block.bottom()),
        );
        let outside = egui::StrokeKind::Inside;
        painter.rect_stroke(rect, 0.0, Stroke::new(3.0, DARK), outside);
        painter.rect_stroke(rect, 0.0, Stroke::new(1.5, color), outside);
    }
}

fn outline(
    painter: &Painter,
    frame: CanvasFrame,
    camera: &Camera,
    corners: &[ImagePoint],
    pointer: Option<ImagePoint>,
) {
    let points: Vec<Pos2> = corners
        .iter()
        .copied()
        .chain(pointer)
        .map(|corner| frame.points_from_image(camera, corner))
        .collect();
    two_tone(painter, |stroke| egui::Shape::line(points.clone(), stroke));
    for &corner in &points[..corners.len()] {
        painter.circle_filled(corner, 4.0, DARK);
        painter.circle_filled(corner, 2.5, LIGHT);
    }
}

/// The ground that a line will cover.
fn ribbon(
    painter: &Painter,
    frame: CanvasFrame,
    camera: &Camera,
    corners: &[ImagePoint],
    session: &Session,
    view: &View,
) {
    let width = (session.brush_diameter() * camera.scale) as f32 / frame.pixels_per_point;
    let class = session.classes().get(session.active_class());
    let color = class.map_or(LIGHT, |class| theme::class_color(class.color));
    let ends = corners.iter().copied().chain(view.pointer_at);
    let points: Vec<Pos2> = ends.map(|at| frame.points_from_image(camera, at)).collect();
    let stroke = Stroke::new(width, color.gamma_multiply(0.45));
    for pair in points.windows(2) {
        painter.line_segment([pair[0], pair[1]], stroke);
    }
}

/// A place where somebody said that an object is, or is not.
fn hint_ui(painter: &Painter, frame: CanvasFrame, camera: &Camera, hint: &Hint) {
    let color = match hint.side {
        Side::For => theme::GOOD,
        Side::Against => theme::ERROR,
    };
    let points = hint
        .points
        .iter()
        .map(|&at| frame.points_from_image(camera, at));
    let points: Vec<Pos2> = points.collect();
    if let [at] = points[..] {
        painter.circle_filled(at, 5.0, DARK);
        painter.circle_filled(at, 3.5, color);
    } else {
        painter.line(points.clone(), Stroke::new(4.0, DARK));
        painter.line(points, Stroke::new(2.0, color));
    }
}

/// A frame around a pixel with a gap, and ticks that lead to it from all sides.
fn marked_pixel(painter: &Painter, frame: CanvasFrame, camera: &Camera, point: CheckPoint) {
    let corner = |x: u32, y: u32| {
        let at = ImagePoint::new(f64::from(x), f64::from(y));
        frame.points_from_image(camera, at)
    };
    let pixel =
        egui::Rect::from_two_pos(corner(point.x, point.y), corner(point.x + 1, point.y + 1));
    let seen = egui::Rect::from_center_size(pixel.center(), pixel.size().max(vec2(9.0, 9.0)));
    let corners = [
        seen.left_top(),
        seen.right_top(),
        seen.right_bottom(),
        seen.left_bottom(),
    ];
    two_tone(painter, |stroke| {
        egui::Shape::closed_line(corners.to_vec(), stroke)
    });
    for (from, to) in [
        (seen.center_top(), vec2(0.0, -TICK)),
        (seen.center_bottom(), vec2(0.0, TICK)),
        (seen.left_center(), vec2(-TICK, 0.0)),
        (seen.right_center(), vec2(TICK, 0.0)),
    ] {
        let ends = [from + to * 0.3, from + to];
        two_tone(painter, |stroke| egui::Shape::line_segment(ends, stroke));
    }
}

fn selection(painter: &Painter, frame: CanvasFrame, camera: &Camera, rings: &[Vec<ImagePoint>]) {
    for ring in rings {
        let mut points: Vec<Pos2> = ring
            .iter()
            .map(|&corner| frame.points_from_image(camera, corner))
            .collect();
        // Steps of single pixels seen from afar cost time to draw and cannot be seen.
        points.dedup_by(|next, last| next.distance(*last) < SEEN_STEP);
        let bounds = egui::Rect::from_points(&points);
        if bounds.intersects(frame.rect) {
            two_tone(painter, |stroke| {
                egui::Shape::closed_line(points.clone(), stroke)
            });
        }
    }
}

fn pointer(
    painter: &Painter,
    frame: CanvasFrame,
    camera: &Camera,
    at: ImagePoint,
    session: &Session,
) {
    let center = frame.points_from_image(camera, at);
    if matches!(
        session.tool(),
        Tool::Brush | Tool::Eraser | Tool::Superpixel
    ) {
        let radius = session.brush_diameter() / 2.0 * camera.scale;
        let radius = (radius as f32 / frame.pixels_per_point).max(1.5);
        two_tone(painter, |stroke| match session.brush_shape() {
            BrushShape::Round => egui::Shape::circle_stroke(center, radius, stroke),
            BrushShape::Square => egui::Shape::rect_stroke(
                egui::Rect::from_center_size(center, vec2(radius, radius) * 2.0),
                0.0,
                stroke,
                egui::StrokeKind::Middle,
            ),
        });
        if radius > 6.0 {
            two_tone(painter, |stroke| {
                egui::Shape::line_segment([center, center], stroke)
            });
            painter.circle_filled(center, 1.5, LIGHT);
        }
    } else {
        let arm = 9.0;
        for offset in [vec2(arm, 0.0), vec2(0.0, arm)] {
            let ends = [center - offset, center + offset];
            two_tone(painter, |stroke| egui::Shape::line_segment(ends, stroke));
        }
    }
}

fn two_tone(painter: &Painter, shape: impl Fn(Stroke) -> egui::Shape) {
    painter.add(shape(Stroke::new(3.0, DARK)));
    painter.add(shape(Stroke::new(1.25, LIGHT)));
}

fn scale_bar(painter: &Painter, frame: CanvasFrame, camera: &Camera, session: &Session) {
    let Some(image) = session.image() else { return };
    let (unit, per_pixel) = match image.pixel_meters {
        Some([width, _]) => ("m", width),
        None => ("px", 1.0),
    };
    let units_per_point = f64::from(frame.pixels_per_point) / camera.scale * per_pixel;
    let length = round_length(SCALE_BAR * units_per_point);
    let width = (length / units_per_point) as f32;
    let start = frame.rect.left_bottom() + vec2(12.0, -14.0);
    let line = vec![
        start + vec2(0.0, -5.0),
        start,
        start + vec2(width, 0.0),
        start + vec2(width, -5.0),
    ];
    two_tone(painter, |stroke| egui::Shape::line(line.clone(), stroke));
    let text = if unit == "m" && length >= 1000.0 {
        format!("{} km", length / 1000.0)
    } else {
        format!("{length} {unit}")
    };
    let at = pos2(start.x + width / 2.0, start.y - 3.0);
    let font = FontId::proportional(11.0);
    painter.text(
        at + vec2(0.8, 0.8),
        Align2::CENTER_BOTTOM,
        &text,
        font.clone(),
        DARK,
    );
    painter.text(at, Align2::CENTER_BOTTOM, &text, font, Color32::WHITE);
}

/// The largest 1, 2 or 5 times a power of ten that is at most `length`.
fn round_length(length: f64) -> f64 {
    let power = 10.0_f64.powf(length.log10().floor());
    let lead = [5.0, 2.0, 1.0]
        .into_iter()
        .find(|lead| lead * power <= length);
    lead.unwrap_or(1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_bars_have_round_lengths() {
        let lengths = [7.3, 140.0, 499.0, 0.31].map(round_length);
        assert_eq!(lengths[..3], [5.0, 100.0, 200.0]);
        assert!((lengths[3] - 0.2).abs() < 1e-12);
    }
}
