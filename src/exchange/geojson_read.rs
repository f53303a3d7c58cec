use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::ExchangeError;
use crate::geom::{Georef, ImagePoint};

/// A file is read whole before it is understood, so a larger one is refused.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// One polygon of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// The outer ring, then its holes, in the file's coordinates, easting (or x) first. The last
    /// point is joined to the first and does not repeat it; each ring has at least three points.
    pub rings: Vec<Vec<[f64; 2]>>,
    /// The properties of the feature it belongs to.
    pub properties: Map<String, Value>,
}

/// The polygons of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorLayer {
    /// Every polygon, in the order of the file; those of one multipolygon follow each other.
    pub shapes: Vec<Shape>,
    /// How many features are left out since they are no polygons: points, lines, collections of
    /// geometries and features without a geometry.
    pub skipped: u64,
    /// The EPSG code that the file's `crs` member names.
    pub epsg: Option<u32>,
}

impl Shape {
    /// The rings in level-0 pixels; without a georeference the file's coordinates are taken for
    /// pixels. `None` when the georeference maps the image onto a line.
    pub fn image_rings(&self, georef: Option<&Georef>) -> Option<Vec<Vec<ImagePoint>>> {
        let (origin, [a, b, d, e]) = match georef {
            Some(georef) => {
                let [_, _, c, _, _, f] = georef.map_from_image;
                ([c, f], inverse(georef)?)
            }
            None => ([0.0; 2], [1.0, 0.0, 0.0, 1.0]),
        };
        let point = |&[x, y]: &[f64; 2]| {
            let (x, y) = (x - origin[0], y - origin[1]);
            ImagePoint::new(a * x + b * y, d * x + e * y)
        };
        let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(point).collect();
        Some(self.rings.iter().map(ring).collect())
    }
}

/// `[a, b, d, e]` of the inverse of a georeference without its offsets (Cramer's rule); `None` when
/// there is none.
fn inverse(georef: &Georef) -> Option<[f64; 4]> {
    let [a, b, _, d, e, _] = georef.map_from_image;
    let determinant = a * e - b * d;
    let inverse = [e, -b, -d, a].map(|part| part / determinant);
    inverse
        .iter()
        .all(|part| part.is_finite())
        .then_some(inverse)
}

/// Reads the polygons of a `GeoJSON` file (RFC 7946): a feature collection, a feature or a
/// geometry.
///
/// Coordinates are as in the file; which coordinate system they are in is told by
/// [`VectorLayer::epsg`] where the file says so. Heights are left out.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file, or it is not `GeoJSON`.
pub fn read_geojson(path: &Path) -> Result<VectorLayer, ExchangeError> {
    let text = read_limited(path).map_err(|source| ExchangeError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let malformed = |reason: String| ExchangeError::Malformed {
        reason,
        path: path.to_owned(),
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let document: Document = serde_json::from_slice(text)
        .map_err(|error| malformed(format!("the file is not GeoJSON: {error}")))?;
    document.into_layer().map_err(malformed)
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 4 GiB"));
    }
    Ok(text)
}

/// The file: any of the three kinds of objects.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    features: Option<Vec<Feature>>,
    geometry: Option<Geometry>,
    properties: Option<Map<String, Value>>,
    coordinates: Option<Nested>,
    crs: Option<Value>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Option<Geometry>,
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Geometry {
    #[serde(rename = "type")]
    kind: String,
    coordinates: Option<Nested>,
}

/// Coordinates at any depth; positions of one line lie side by side, since files have millions.
enum Nested {
    Empty,
    Number(f64),
    Position([f64; 2]),
    Line(Vec<[f64; 2]>),
    List(Vec<Nested>),
}

impl Document {
    fn into_layer(self) -> Result<VectorLayer, String> {
        let features = match self.kind.as_str() {
            "FeatureCollection" => self
                .features
                .ok_or("the feature collection has no \"features\"")?,
            "Feature" => vec![Feature {
                geometry: self.geometry,
                properties: self.properties,
            }],
            _ => vec![Feature {
                geometry: Some(Geometry {
                    kind: self.kind,
                    coordinates: self.coordinates,
                }),
                properties: None,
            }],
        };
        let mut layer = VectorLayer {
            epsg: self.crs.as_ref().and_then(epsg_of),
            ..VectorLayer::default()
        };
        for (index, feature) in features.into_iter().enumerate() {
            feature
                .add_to(&mut layer)
                .map_err(|reason| format!("feature {}: {reason}", index + 1))?;
        }
        Ok(layer)
    }
}

impl Feature {
    fn add_to(self, layer: &mut VectorLayer) -> Result<(), String> {
        let properties = self.properties.unwrap_or_default();
        let polygons = match self.geometry {
            Some(geometry) => geometry.into_polygons()?,
            None => Vec::new(),
        };
        if polygons.is_empty() {
            layer.skipped += 1;
        }
        let shape = |rings| Shape {
            rings,
            properties: properties.clone(),
        };
        layer.shapes.extend(polygons.into_iter().map(shape));
        Ok(())
    }
}

type Polygon = Vec<Vec<[f64; 2]>>;

impl Geometry {
    /// None for other geometries.
    fn into_polygons(self) -> Result<Vec<Polygon>, String> {
        const KINDS: [&str; 5] = [
            "Point",
            "MultiPoint",
            "LineString",
            "MultiLineString",
            "GeometryCollection",
        ];
        let polygons = match self.kind.as_str() {
            "Polygon" => vec![self.coordinates.unwrap_or(Nested::Empty)],
            "MultiPolygon" => self.coordinates.unwrap_or(Nested::Empty).into_list()?,
            kind if KINDS.contains(&kind) => Vec::new(),
            kind => return Err(format!("\"{kind}\" is not a type of geometry")),
        };
        let mut found = Vec::new();
        for polygon in polygons {
            let rings = polygon.into_list()?.into_iter().map(Nested::into_ring);
            let rings = rings.collect::<Result<Polygon, String>>()?;
            if !rings.is_empty() {
                found.push(rings);
            }
        }
        Ok(found)
    }
}

impl Nested {
    fn into_list(self) -> Result<Vec<Self>, String> {
        match self {
            Self::List(list) => Ok(list),
            Self::Empty => Ok(Vec::new()),
            _ => Err("the coordinates are not nested as the type of geometry asks".to_owned()),
        }
    }

    /// The ring without its repeated end.
    fn into_ring(self) -> Result<Vec<[f64; 2]>, String> {
        let Self::Line(mut ring) = self else {
            return Err("a ring is not a list of positions".to_owned());
        };
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 {
            return Err("a ring has fewer than three different positions".to_owned());
        }
        Ok(ring)
    }
}

/// The code of a `crs` member such as `urn:ogc:def:crs:EPSG::2180` or `EPSG:2180`.
fn epsg_of(crs: &Value) -> Option<u32> {
    let name = crs.pointer("/properties/name")?.as_str()?;
    let (_, code) = name.rsplit_once(':').filter(|_| name.contains("EPSG"))?;
    code.parse().ok()
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor)
    }
}

struct NestedVisitor;

impl<'de> Visitor<'de> for NestedVisitor {
    type Value = Nested;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers or lists of coordinates")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Nested, E> {
        Ok(Nested::Number(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Nested, E> {
        Ok(Nested::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Nested, E> {
        Ok(Nested::Number(value as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Nested, A::Error> {
        let uneven = || de::Error::custom("numbers and lists are mixed in the coordinates");
        match seq.next_element::<Nested>()? {
            None => Ok(Nested::Empty),
            Some(Nested::Number(x)) => {
                let y = seq.next_element::<f64>()?;
                let y = y.ok_or_else(|| de::Error::custom("a position has one number only"))?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Nested::Position([x, y]))
            }
            Some(Nested::Position(first)) => {
                let mut line = vec![first];
                while let Some(next) = seq.next_element::<Nested>()? {
                    let Nested::Position(position) = next else {
                        return Err(uneven());
                    };
                    line.push(position);
                }
                line.shrink_to_fit();
                Ok(Nested::Line(line))
            }
            Some(first) => {
                let mut list = vec![first];
                while let Some(next) = seq.next_element::<Nested>()? {
                    if matches!(next, Nested::Number(_) | Nested::Position(_)) {
                        return Err(uneven());
                    }
                    list.push(next);
                }
                Ok(Nested::List(list))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::replace_file;

    fn read(text: &str) -> Result<VectorLayer, ExchangeError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shapes.geojson");
        replace_file(&path, text.as_bytes()).expect("written");
        read_geojson(&path)
    }

    const SQUARE: &str = "[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[2,1],[2,2.5],[1,1]]]";

    #[test]
    fn polygons_are_found_in_any_kind_of_file() {
        let polygon = format!("{{\"coordinates\":{SQUARE},\"type\":\"Polygon\"}}");
        let feature = format!(
            "{{\"type\":\"Feature\",\"geometry\":{polygon},\"properties\":{{\"class\":3}}}}"
        );
        let collection =
            format!("\u{feff}{{\"features\":[{feature}],\"type\":\"FeatureCollection\"}}");
        for text in [polygon, feature, collection] {
            let layer = read(&text).expect("GeoJSON");
            assert_eq!(
                (layer.shapes.len(), layer.skipped, layer.epsg),
                (1, 0, None)
            );
            let rings = &layer.shapes[0].rings;
            assert_eq!(rings[0], [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]);
            assert_eq!(rings[1], [[1.0, 1.0], [2.0, 1.0], [2.0, 2.5]]);
        }
    }

    #[test]
    fn multipolygons_are_taken_apart_and_others_counted() {
        let geometries = [
            format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{SQUARE},{SQUARE}]}}"),
            "{\"type\":\"Point\",\"coordinates\":[1,2,3]}".to_owned(),
            "{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}".to_owned(),
            "{\"type\":\"GeometryCollection\",\"geometries\":[]}".to_owned(),
            "{\"type\":\"Polygon\",\"coordinates\":[]}".to_owned(),
            "null".to_owned(),
        ];
        let features: Vec<String> = geometries
            .iter()
            .map(|text| {
                format!("{{\"type\":\"Feature\",\"properties\":{{\"a\":1}},\"geometry\":{text}}}")
            })
            .collect();
        let crs = "{\"type\":\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::2180\"}}";
        let layer = read(&format!(
            "{{\"type\":\"FeatureCollection\",\"crs\":{crs},\"features\":[{}]}}",
            features.join(",")
        ))
        .expect("GeoJSON");
        assert_eq!(
            (layer.shapes.len(), layer.skipped, layer.epsg),
            (2, 5, Some(2180))
        );
        assert_eq!(layer.shapes[1].properties["a"], 1);
    }

    #[test]
    fn malformed_files_say_what_is_wrong_and_where() {
        let polygon =
            |coordinates: &str| format!("{{\"type\":\"Polygon\",\"coordinates\":{coordinates}}}");
        for (text, expected) in [
            (String::new(), "not GeoJSON"),
            ("[1, 2]".to_owned(), "line 1"),
            ("{\"type\":\"FeatureCollection\"}".to_owned(), "features"),
            ("{\"type\":\"Topology\"}".to_owned(), "Topology"),
            (
                polygon("[[[0,0],[1,1],[0,0]]]"),
                "feature 1: a ring has fewer",
            ),
            (polygon("[[0,0],[1,1],[2,0]]"), "nested"),
            (polygon("[[[0,0],1,[2,0]]]"), "mixed"),
            (polygon("[[[0],[1,1],[2,0]]]"), "one number"),
            (polygon("[[[0,null],[1,1],[2,0]]]"), "null"),
            (polygon("[[[0,1e999],[1,1],[2,0]]]"), "number out of range"),
            (polygon(&"[".repeat(100_000)), "recursion"),
        ] {
            let error = read(&text).expect_err("malformed").to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains("shapes.geojson"), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_told_by_name() {
        let error = read_geojson(Path::new("/nowhere/a.geojson")).expect_err("missing");
        assert!(error.to_string().contains("/nowhere/a.geojson"), "{error}");
    }

    #[test]
    fn map_coordinates_become_pixels() {
        let mut georef = Georef::north_up(500_000.0, 250_000.0, 0.25, None);
        georef.map_from_image[1] = 0.1;
        let at = ImagePoint::new(40.0, 12.0);
        let (x, y) = georef.map_from_image(at);
        let shape = Shape {
            rings: vec![vec![[x, y]]],
            properties: Map::new(),
        };
        let found = shape.image_rings(Some(&georef)).expect("invertible")[0][0];
        assert!(found.distance(at) < 1e-6, "{found:?}");
        assert_eq!(shape.image_rings(None).expect("as it is")[0][0].x, x);
        georef.map_from_image = [0.0; 6];
        assert_eq!(shape.image_rings(Some(&georef)), None);
    }
}
