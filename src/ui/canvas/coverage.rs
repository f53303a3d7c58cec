use egui::{Align2, Color32, FontId, Painter, Rect, Stroke, StrokeKind, Vec2, pos2, vec2};

use super::CanvasFrame;
use crate::geom::{Camera, ImagePoint, PixelRect};
use crate::label::CellState;
use crate::session::{LayerKind, Session};
use crate::ui::theme;

/// Smaller cells than this, in points, are not drawn one by one.
const SMALLEST_CELL: f32 = 6.0;
/// Names are written into cells of which so much is seen, in points.
const ROOM_FOR_WORDS: Vec2 = vec2(90.0, 28.0);

/// Draws the coverage grid: which cells are done, which need review, and notes. Words stand where
/// they are seen: in the corner of a cell, or where the pane begins, or its header ends, which
/// covers so many points.
pub fn paint(
    painter: &Painter,
    frame: CanvasFrame,
    camera: &Camera,
    session: &Session,
    header: f32,
) {
    let Some(image) = session.image() else { return };
    let coverage = session.coverage();
    let seen = camera.visible_pixels(frame.size(), image.size());
    let side = f64::from(crate::label::CELL_SIDE) * camera.scale;
    if (side as f32) / frame.pixels_per_point < SMALLEST_CELL {
        return;
    }
    let room = Rect::from_min_max(frame.rect.min + vec2(0.0, header), frame.rect.max);
    let label = session.layer(LayerKind::Label).map(|layer| &layer.mask);
    for key in coverage.cells_in(seen) {
        let rect = rect_of(frame, camera, coverage.rect(key));
        let state = coverage.state(key, label);
        let color = color_of(state);
        if matches!(state, CellState::Done | CellState::NeedsReview) {
            painter.rect_filled(rect, 0.0, color.gamma_multiply(0.16));
        }
        let inner = rect.shrink(1.0);
        painter.rect_stroke(
            inner,
            0.0,
            Stroke::new(2.5, Color32::from_black_alpha(150)),
            StrokeKind::Inside,
        );
        painter.rect_stroke(inner, 0.0, Stroke::new(1.2, color), StrokeKind::Inside);
        let seen = rect.intersect(room);
        if (seen.size() - ROOM_FOR_WORDS).min_elem() > 0.0 {
            words(painter, seen, state, coverage.note(key));
        } else if !coverage.note(key).is_empty() {
            painter.circle_filled(rect.center(), 2.5, theme::WARNING);
        }
    }
}

fn words(painter: &Painter, seen: Rect, state: CellState, note: &str) {
    let text = match note {
        "" => state.word().to_owned(),
        note => format!("{}: {note}", state.word()),
    };
    let room = seen.width() - 20.0;
    let mut layout = egui::text::LayoutJob::simple_singleline(
        text,
        FontId::proportional(12.0),
        Color32::from_gray(235),
    );
    layout.wrap = egui::text::TextWrapping::truncate_at_width(room);
    let text = painter.layout_job(layout);
    let place = Align2::LEFT_TOP.anchor_size(seen.min + vec2(8.0, 7.0), text.size());
    painter.rect_filled(place.expand(3.0), 3.0, Color32::from_black_alpha(170));
    painter.galley(place.min, text, Color32::WHITE);
}

fn color_of(state: CellState) -> Color32 {
    match state {
        CellState::Empty => Color32::from_gray(140),
        CellState::InWork => Color32::from_gray(230),
        CellState::Done => theme::GOOD,
        CellState::NeedsReview => theme::WARNING,
    }
}

fn rect_of(frame: CanvasFrame, camera: &Camera, cell: PixelRect) -> Rect {
    let corner = |x: u32, y: u32| {
        let at = ImagePoint::new(f64::from(x), f64::from(y));
        frame.points_from_image(camera, at)
    };
    let (min, max) = (corner(cell.x, cell.y), corner(cell.right(), cell.bottom()));
    Rect::from_min_max(pos2(min.x, min.y), pos2(max.x, max.y))
}
