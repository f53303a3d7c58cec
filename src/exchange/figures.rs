use super::place::Place;
use super::{ExchangeError, VectorLayer};
use crate::geom::{Georef, ImageSize};
use crate::label::Figure;

/// The polygons and lines of a layer where they lie on an image.
#[derive(Clone, Debug)]
pub struct PlacedFigures {
    /// In level-0 pixels; lines have no width. Those that do not reach the image are left out.
    pub figures: Vec<Figure>,
    /// What was assumed, as sentences for the user.
    pub notes: Vec<String>,
}

/// Brings the polygons and lines of a layer to the pixels of an image, to be looked at.
///
/// # Errors
/// [`ExchangeError`] when there is no way from the layer's coordinates to the image.
pub fn place_figures(
    layer: &VectorLayer,
    size: ImageSize,
    georef: Option<&Georef>,
) -> Result<PlacedFigures, ExchangeError> {
    let mut notes = Vec::new();
    let place = Place::new(layer, size, georef, &mut notes)?;
    let shapes = layer.shapes.iter();
    let figures: Vec<Figure> = shapes
        .filter_map(|shape| place.figure(&shape.geometry, 0.0))
        .filter(|figure| place.reaches(figure))
        .collect();
    Ok(PlacedFigures { figures, notes })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exchange::{Crs, Geometry, Shape};
    use crate::geom::ImagePoint;

    #[test]
    fn shapes_come_to_pixels_and_those_elsewhere_stay_away() {
        let shape = |geometry| Shape {
            geometry,
            feature: 1,
            properties: Arc::default(),
        };
        let layer = VectorLayer {
            crs: Some(Crs::Epsg(2180)),
            features: 2,
            skipped: 0,
            shapes: vec![
                shape(Geometry::Line(vec![
                    [500_001.0, 249_999.0],
                    [500_002.0, 249_998.0],
                ])),
                shape(Geometry::Line(vec![
                    [900_000.0, 249_999.0],
                    [900_002.0, 249_998.0],
                ])),
            ],
        };
        let georef = Georef::north_up(500_000.0, 250_000.0, 0.5, Some(2180));
        let size = ImageSize::new(100, 100);
        let placed = place_figures(&layer, size, Some(&georef)).expect("a place");
        let [Figure::Line { points, .. }] = &placed.figures[..] else {
            panic!("{placed:?}");
        };
        assert_eq!(
            points,
            &[ImagePoint::new(2.0, 2.0), ImagePoint::new(4.0, 4.0)]
        );
        assert!(placed.notes.is_empty());
    }
}
