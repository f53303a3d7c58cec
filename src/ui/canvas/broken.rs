use egui::{Align, Align2, Area, Frame, Id, Order, Painter, Rect, Stroke, Ui, pos2, vec2};

use super::CanvasFrame;
use crate::geom::{Camera, ImagePoint};
use crate::raster::BrokenGround;
use crate::session::Session;
use crate::ui::theme;
use crate::ui::view::View;

/// From one line of the hatching to the next, in points.
const HATCH: f32 = 9.0;
/// From the pointer to what is told, in points.
const BESIDE_POINTER: f32 = 14.0;
/// Smaller pieces are filled.
const SMALLEST_HATCHED: f32 = 6.0;

/// Hatches ground that cannot be read, and says why where the pointer is.
pub fn paint(ui: &Ui, frame: CanvasFrame, camera: &Camera, session: &Session, view: &View) {
    let Some(image) = session
        .image()
        .filter(|image| image.pyramid.num_broken() > 0)
    else {
        return;
    };
    let painter = ui
        .painter()
        .with_clip_rect(frame.rect.intersect(ui.clip_rect()));
    for piece in image.pyramid.broken() {
        let corner = |x: u32, y: u32| {
            frame.points_from_image(camera, ImagePoint::new(f64::from(x), f64::from(y)))
        };
        let (x, y) = (piece.rect.x, piece.rect.y);
        let rect = Rect::from_two_pos(
            corner(x, y),
            corner(piece.rect.right(), piece.rect.bottom()),
        );
        hatch(&painter, rect);
        let pixel = view.pointer_at.and_then(|at| at.pixel_in(image.size()));
        if pixel.is_some_and(|(x, y)| piece.rect.contains(x, y))
            && ui.rect_contains_pointer(frame.rect)
        {
            told(ui, &piece);
        }
    }
}

fn hatch(painter: &Painter, rect: Rect) {
    let seen = rect.intersect(painter.clip_rect());
    if !seen.is_positive() {
        return;
    }
    let ink = theme::ERROR.gamma_multiply(0.55);
    painter.rect_filled(seen, 0.0, theme::ERROR.gamma_multiply(0.12));
    if rect.width().min(rect.height()) < SMALLEST_HATCHED {
        painter.rect_filled(seen, 0.0, ink);
        return;
    }
    let painter = painter.with_clip_rect(seen);
    // Lines go through whole steps of the screen, so that neighbors join.
    let first = ((seen.left() + seen.top()) / HATCH).floor() as i32;
    let last = ((seen.right() + seen.bottom()) / HATCH).ceil() as i32;
    for line in first..=last {
        let sum = line as f32 * HATCH;
        let ends = [
            pos2(sum - seen.top(), seen.top()),
            pos2(sum - seen.bottom(), seen.bottom()),
        ];
        painter.line_segment(ends, Stroke::new(1.0, ink));
    }
}

/// Below messages, and towards the middle of the window, so that it neither hides them nor lies under
/// the pointer.
fn told(ui: &Ui, piece: &BrokenGround) {
    let Some(at) = ui.ctx().pointer_hover_pos() else {
        return;
    };
    let middle = ui.ctx().content_rect().center();
    let away = |is_beyond: bool| {
        if is_beyond {
            (Align::Max, -BESIDE_POINTER)
        } else {
            (Align::Min, BESIDE_POINTER)
        }
    };
    let (x, y) = (away(at.x > middle.x), away(at.y > middle.y));
    Area::new(Id::unique("broken ground"))
        .order(Order::Middle)
        .interactable(false)
        .pivot(Align2([x.0, y.0]))
        .fixed_pos(at + vec2(x.1, y.1))
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style()).show(ui, |ui| {
                ui.set_max_width(ui.spacing().tooltip_width);
                ui.label("This ground cannot be read");
                ui.weak(&piece.why);
            });
        });
}
