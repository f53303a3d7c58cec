use std::sync::Arc;

use serde_json::{Map, Value};

/// More attributes than this, over all shapes of a file, would not fit into memory.
pub(super) const MAX_ATTRIBUTES: u64 = 100_000_000;

/// What a shape covers, in the file's coordinates, easting (or x, or longitude) first.
#[derive(Clone, Debug, PartialEq)]
pub enum Geometry {
    /// Rings, of which what is inside an odd number belongs to it: an outer ring, then its holes;
    /// in shapefiles also several outer rings. The last point is joined to the first and does not
    /// repeat it; each ring has at least three points.
    Polygon(Vec<Vec<[f64; 2]>>),
    /// Two points or more, joined one after the other.
    Line(Vec<[f64; 2]>),
}

/// One polygon or line of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Where it is.
    pub geometry: Geometry,
    /// The feature of the file that it is of, counted from 1.
    pub feature: u64,
    /// The attributes of the feature it belongs to; the parts of one feature share them.
    pub properties: Arc<Map<String, Value>>,
}

/// The coordinate system of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crs {
    /// A code of the EPSG registry.
    Epsg(u32),
    /// A PROJ string such as `+proj=tmerc +lat_0=0 …`, for systems without a code.
    Proj(String),
    /// Well-known text that names no code and is not understood here.
    Wkt(String),
}

impl std::fmt::Display for Crs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Epsg(code) => write!(f, "EPSG:{code}"),
            Self::Proj(text) => f.write_str(text),
            Self::Wkt(text) => {
                let name = text.split('"').nth(1).unwrap_or(text);
                write!(f, "“{}”", name.chars().take(80).collect::<String>())
            }
        }
    }
}

/// The polygons and lines of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorLayer {
    /// Every polygon and line, in the order of the file; the parts of one feature follow each
    /// other.
    pub shapes: Vec<Shape>,
    /// How many features the file has.
    pub features: u64,
    /// How many of them are left out since they are neither polygons nor lines: points,
    /// collections of geometries, curves, and features without a geometry.
    pub skipped: u64,
    /// The coordinate system that the file names.
    pub crs: Option<Crs>,
}

impl VectorLayer {
    /// The EPSG code of the coordinate system, when the file names one.
    pub const fn epsg(&self) -> Option<u32> {
        match self.crs {
            Some(Crs::Epsg(code)) => Some(code),
            _ => None,
        }
    }

    /// `[min_x, min_y, max_x, max_y]` of all points, in the file's coordinates; `None` when there is
    /// no point.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        let points = self.shapes.iter().flat_map(|shape| shape.geometry.points());
        points.fold(None, |bounds, &[x, y]| {
            let [left, bottom, right, top] = bounds.unwrap_or([x, y, x, y]);
            Some([left.min(x), bottom.min(y), right.max(x), top.max(y)])
        })
    }

    /// Adds the parts of one feature; without parts it counts as left out.
    pub(super) fn add(&mut self, parts: Vec<Geometry>, properties: Map<String, Value>) {
        if parts.is_empty() {
            self.skipped += 1;
        }
        self.features += 1;
        let (properties, feature) = (Arc::new(properties), self.features);
        self.shapes.extend(parts.into_iter().map(|geometry| Shape {
            geometry,
            feature,
            properties: Arc::clone(&properties),
        }));
    }
}

impl Geometry {
    /// Every point, in order.
    pub fn points(&self) -> impl Iterator<Item = &[f64; 2]> {
        let (rings, line) = match self {
            Self::Polygon(rings) => (rings.as_slice(), [].as_slice()),
            Self::Line(line) => ([].as_slice(), line.as_slice()),
        };
        rings.iter().flatten().chain(line)
    }

    /// The geometry with each point moved; `None` when a point cannot be moved.
    pub(super) fn try_map(
        &self,
        mut moved: impl FnMut([f64; 2]) -> Option<[f64; 2]>,
    ) -> Option<Self> {
        let mut each = |line: &Vec<[f64; 2]>| line.iter().map(|&at| moved(at)).collect();
        Some(match self {
            Self::Polygon(rings) => Self::Polygon(rings.iter().map(each).collect::<Option<_>>()?),
            Self::Line(line) => Self::Line(each(line)?),
        })
    }
}

/// The ring without its repeated end; `None` when fewer than three points are left.
pub(super) fn ring_of(mut points: Vec<[f64; 2]>) -> Option<Vec<[f64; 2]>> {
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    (points.len() >= 3).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_all_points() {
        let mut layer = VectorLayer::default();
        assert_eq!(layer.bounds(), None);
        layer.add(
            vec![
                Geometry::Line(vec![[1.0, 5.0], [3.0, -2.0]]),
                Geometry::Polygon(vec![vec![[0.0, 0.0], [9.0, 0.0], [0.0, 1.0]]]),
            ],
            Map::new(),
        );
        layer.add(Vec::new(), Map::new());
        assert_eq!(layer.bounds(), Some([0.0, -2.0, 9.0, 5.0]));
        assert_eq!((layer.shapes.len(), layer.skipped), (2, 1));
    }

    #[test]
    fn a_ring_has_three_points_and_no_repeated_end() {
        let [a, b, c] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        assert_eq!(ring_of(vec![a, b, c, a]), Some(vec![a, b, c]));
        assert_eq!(ring_of(vec![a, b, c]), Some(vec![a, b, c]));
        assert_eq!(ring_of(vec![a, b, a]), None);
        assert_eq!(ring_of(Vec::new()), None);
    }
}
