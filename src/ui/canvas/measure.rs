use egui::{Align2, Color32, FontId, Painter, vec2};

use super::CanvasFrame;
use crate::geom::{Camera, ImagePoint};
use crate::session::Session;
use crate::ui::text;
use crate::ui::view::View;

/// Says how long the way along the points is, and how large the ground that they enclose.
pub fn paint(
    painter: &Painter,
    frame: CanvasFrame,
    camera: &Camera,
    points: &[ImagePoint],
    session: &Session,
    view: &View,
) {
    let mut points: Vec<ImagePoint> = points.iter().copied().chain(view.pointer_at).collect();
    // The pointer rests on the last one after a click.
    points.dedup();
    let Some(&last) = points.last() else { return };
    let meters = session.image().and_then(|image| image.pixel_meters);
    let measured = Measured::of(&points, meters);
    let at = frame.points_from_image(camera, last) + vec2(14.0, 14.0);
    let font = FontId::proportional(13.0);
    let text = painter.layout_no_wrap(measured.text(), font, Color32::from_gray(235));
    let place = Align2::LEFT_TOP.anchor_size(at, text.size());
    painter.rect_filled(place.expand(4.0), 4.0, Color32::from_black_alpha(190));
    painter.galley(place.min, text, Color32::WHITE);
}

/// Length, and area where there is any, in meters where the image lies on a map, else in pixels.
#[derive(Debug, PartialEq)]
struct Measured {
    length: f64,
    area: Option<f64>,
    unit: &'static str,
}

impl Measured {
    /// `meters` are the width and height of a pixel on the ground.
    fn of(points: &[ImagePoint], meters: Option<[f64; 2]>) -> Self {
        let [width, height] = meters.unwrap_or([1.0; 2]);
        let place = |at: &ImagePoint| (at.x * width, at.y * height);
        let places: Vec<(f64, f64)> = points.iter().map(place).collect();
        let steps = places.windows(2);
        let next = places.iter().cycle().skip(1);
        // The shoelace formula.
        let twice: f64 = places
            .iter()
            .zip(next)
            .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
            .sum();
        Self {
            length: steps
                .map(|step| (step[1].0 - step[0].0).hypot(step[1].1 - step[0].1))
                .sum(),
            area: (points.len() > 2).then_some(twice.abs() / 2.0),
            unit: if meters.is_some() { "m" } else { "px" },
        }
    }

    fn text(&self) -> String {
        let unit = self.unit;
        let length = match self.length {
            long if unit == "m" && long >= 10_000.0 => format!("{:.2} km", long / 1_000.0),
            length => format!("{length:.1} {unit}"),
        };
        let area = match self.area {
            None => return length,
            Some(large) if unit == "m" && large >= 100_000.0 => {
                format!("{:.2} ha", large / 10_000.0)
            }
            Some(large) if large >= 1_000.0 => {
                format!("{} {unit}²", text::grouped(large.round() as u64))
            }
            Some(area) => format!("{area:.1} {unit}²"),
        };
        format!("{length}\narea {area}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_and_its_ground_are_measured() {
        let points = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0)].map(|(x, y)| ImagePoint::new(x, y));
        let on_screen = Measured::of(&points, None);
        assert_eq!((on_screen.length, on_screen.area), (7.0, Some(6.0)));
        let on_map = Measured::of(&points, Some([0.5; 2]));
        assert_eq!((on_map.length, on_map.area), (3.5, Some(1.5)));
        assert_eq!(on_map.text(), "3.5 m\narea 1.5 m²");
        let wide = Measured::of(&points, Some([100.0; 2]));
        assert_eq!(wide.text(), "700.0 m\narea 60,000 m²");
        let line = Measured::of(&points[..2], Some([0.5; 2]));
        assert_eq!(line.text(), "2.0 m", "a line encloses nothing");
        assert_eq!(Measured::of(&[], None).length, 0.0);
    }
}
