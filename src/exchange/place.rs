use super::{Crs, ExchangeError, Geometry, Reprojection, VectorLayer, pixel_meters};
use crate::geom::{Georef, ImagePoint, ImageSize};
use crate::label::Figure;

/// The way from a layer's coordinates to the pixels of an image.
pub(super) struct Place<'a> {
    reprojection: Option<Reprojection>,
    georef: Option<&'a Georef>,
    size: ImageSize,
    pixels_per_meter: f64,
}

impl<'a> Place<'a> {
    /// The way; what is assumed on it is added to the notes.
    ///
    /// # Errors
    /// [`ExchangeError`] when there is none.
    pub(super) fn new(
        layer: &VectorLayer,
        size: ImageSize,
        georef: Option<&'a Georef>,
        notes: &mut Vec<String>,
    ) -> Result<Self, ExchangeError> {
        if georef.is_some_and(|georef| georef.image_from_map((0.0, 0.0)).is_none()) {
            return Err(ExchangeError::Georeference);
        }
        let to = georef.and_then(|georef| georef.epsg).map(Crs::Epsg);
        let from = match &layer.crs {
            Some(crs) => Some(crs.clone()),
            None => assumed(layer, size, georef, notes),
        };
        let reprojection = match (&from, &to) {
            (Some(from), Some(to)) => Reprojection::new(from, to)?,
            (Some(from), None) => {
                let taken = if georef.is_some() {
                    "the image's"
                } else {
                    "pixels"
                };
                notes.push(format!(
                    "The image does not say its coordinate system; the coordinates, which are in \
                     {from}, were taken for {taken}"
                ));
                None
            }
            _ => None,
        };
        notes.extend(
            reprojection
                .iter()
                .filter_map(Reprojection::note)
                .map(str::to_owned),
        );
        let pixels_per_meter =
            georef.map_or(1.0, |georef| pixels_per_meter(georef, size, layer, notes));
        Ok(Self {
            reprojection,
            georef,
            size,
            pixels_per_meter,
        })
    }

    /// The geometry in pixels; lines get this width in meters. `None` when a point has no place in
    /// the image's coordinate system.
    pub(super) fn figure(&self, geometry: &Geometry, width: f64) -> Option<Figure> {
        let moved = match &self.reprojection {
            Some(way) => &geometry.try_map(|at| way.point(at))?,
            None => geometry,
        };
        let pixels = |line: &Vec<[f64; 2]>| -> Option<Vec<ImagePoint>> {
            line.iter().map(|&at| self.pixel(at)).collect()
        };
        Some(match moved {
            Geometry::Polygon(rings) => {
                Figure::Area(rings.iter().map(pixels).collect::<Option<_>>()?)
            }
            Geometry::Line(line) => Figure::Line {
                points: pixels(line)?,
                width_px: width * self.pixels_per_meter,
            },
        })
    }

    fn pixel(&self, [x, y]: [f64; 2]) -> Option<ImagePoint> {
        match self.georef {
            Some(georef) => georef.image_from_map((x, y)),
            None => (x.is_finite() && y.is_finite()).then_some(ImagePoint::new(x, y)),
        }
    }

    /// Whether the rectangle around a figure meets the image.
    pub(super) fn reaches(&self, figure: &Figure) -> bool {
        let (points, margin): (Vec<&ImagePoint>, f64) = match figure {
            Figure::Area(rings) => (rings.iter().flatten().collect(), 0.0),
            Figure::Line { points, width_px } => (points.iter().collect(), width_px / 2.0),
        };
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        points.iter().any(|at| at.x + margin >= 0.0)
            && points.iter().any(|at| at.y + margin >= 0.0)
            && points.iter().any(|at| at.x - margin <= width)
            && points.iter().any(|at| at.y - margin <= height)
    }
}

/// The system of a layer that names none: degrees, as RFC 7946 asks of `GeoJSON`, when all numbers
/// can be degrees and none of them lies on the image as they are; otherwise the image's.
fn assumed(
    layer: &VectorLayer,
    size: ImageSize,
    georef: Option<&Georef>,
    notes: &mut Vec<String>,
) -> Option<Crs> {
    let georef = georef?;
    georef.epsg?;
    let [left, bottom, right, top] = layer.bounds()?;
    let are_degrees = left >= -180.0 && right <= 180.0 && bottom >= -90.0 && top <= 90.0;
    let image = georef.bounds(size);
    let meets = left <= image[2] && right >= image[0] && bottom <= image[3] && top >= image[1];
    if meets || !are_degrees {
        return None;
    }
    notes.push(
        "The polygons do not say their coordinate system and were taken for degrees (EPSG:4326)"
            .to_owned(),
    );
    Some(Crs::Epsg(4326))
}

/// At the image's middle, as the mean of both directions.
fn pixels_per_meter(
    georef: &Georef,
    size: ImageSize,
    layer: &VectorLayer,
    notes: &mut Vec<String>,
) -> f64 {
    let [width, height] = pixel_meters(size, Some(georef)).unwrap_or([1.0; 2]);
    let has_lines = || {
        let mut shapes = layer.shapes.iter();
        shapes.any(|shape| matches!(shape.geometry, Geometry::Line(_)))
    };
    if (width / height - 1.0).abs() > 0.02 && has_lines() {
        notes.push(format!(
            "Pixels are {width:.3} m wide and {height:.3} m high; lines were drawn with the mean"
        ));
    }
    1.0 / (width * height).sqrt()
}
