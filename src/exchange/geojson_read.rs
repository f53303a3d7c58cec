use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::vector::ring_of;
use super::whole_file::read_whole;
use super::{Crs, ExchangeError, Geometry, VectorLayer};

/// Reads the polygons and lines of a `GeoJSON` file (RFC 7946): a feature collection, a feature or
/// a geometry.
///
/// Coordinates are as in the file; which coordinate system they are in is told by
/// [`VectorLayer::crs`] where the file says so. Heights are left out.
///
/// # Errors
/// [`ExchangeError`] when the disk does not give the file, or it is not `GeoJSON`.
pub fn read_geojson(path: &Path) -> Result<VectorLayer, ExchangeError> {
    let text = read_whole(path)?;
    let malformed = |reason: String| ExchangeError::Malformed {
        reason,
        path: path.to_owned(),
    };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let document: Document = serde_json::from_slice(text)
        .map_err(|error| malformed(format!("the file is not GeoJSON: {error}")))?;
    document.into_layer().map_err(malformed)
}

/// The file: any of the three kinds of objects.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    features: Option<Vec<Feature>>,
    geometry: Option<Written>,
    properties: Option<Map<String, Value>>,
    coordinates: Option<Nested>,
    crs: Option<Value>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Option<Written>,
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Written {
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
                geometry: Some(Written {
                    kind: self.kind,
                    coordinates: self.coordinates,
                }),
                properties: None,
            }],
        };
        let mut layer = VectorLayer {
            crs: self.crs.as_ref().and_then(crs_of),
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
        let parts = match self.geometry {
            Some(geometry) => geometry.into_parts()?,
            None => Vec::new(),
        };
        layer.add(parts, self.properties.unwrap_or_default());
        Ok(())
    }
}

impl Written {
    /// None for other geometries.
    fn into_parts(self) -> Result<Vec<Geometry>, String> {
        const KINDS: [&str; 3] = ["Point", "MultiPoint", "GeometryCollection"];
        let coordinates = self.coordinates.unwrap_or(Nested::Empty);
        let parts: Vec<Option<Geometry>> = match self.kind.as_str() {
            "Polygon" => vec![coordinates.into_polygon()?],
            "MultiPolygon" => coordinates.each(Nested::into_polygon)?,
            "LineString" => vec![coordinates.into_line()?],
            "MultiLineString" => coordinates.each(Nested::into_line)?,
            kind if KINDS.contains(&kind) => Vec::new(),
            kind => return Err(format!("\"{kind}\" is not a type of geometry")),
        };
        Ok(parts.into_iter().flatten().collect())
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

    fn each<T>(self, part: impl FnMut(Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.into_list()?.into_iter().map(part).collect()
    }

    /// `None` for an empty one.
    fn into_polygon(self) -> Result<Option<Geometry>, String> {
        let rings = self.each(Self::into_ring)?;
        Ok((!rings.is_empty()).then_some(Geometry::Polygon(rings)))
    }

    /// The ring without its repeated end.
    fn into_ring(self) -> Result<Vec<[f64; 2]>, String> {
        let Self::Line(ring) = self else {
            return Err("a ring is not a list of positions".to_owned());
        };
        ring_of(ring).ok_or_else(|| "a ring has fewer than three different positions".to_owned())
    }

    /// `None` for an empty one.
    fn into_line(self) -> Result<Option<Geometry>, String> {
        match self {
            Self::Empty => Ok(None),
            Self::Line(line) if line.len() >= 2 => Ok(Some(Geometry::Line(line))),
            _ => Err("a line is not a list of two positions or more".to_owned()),
        }
    }
}

/// The system of a `crs` member such as `urn:ogc:def:crs:EPSG::2180`, `EPSG:2180` or
/// `urn:ogc:def:crs:OGC:1.3:CRS84`, which is EPSG:4326 with the longitude first.
fn crs_of(crs: &Value) -> Option<Crs> {
    let name = crs.pointer("/properties/name")?.as_str()?;
    let (_, code) = name.rsplit_once(':')?;
    if code == "CRS84" {
        return Some(Crs::Epsg(4326));
    }
    let is_epsg = name.contains("EPSG");
    is_epsg.then(|| code.parse().ok().map(Crs::Epsg)).flatten()
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
                (layer.shapes.len(), layer.skipped, layer.epsg()),
                (1, 0, None)
            );
            let Geometry::Polygon(rings) = &layer.shapes[0].geometry else {
                panic!("a polygon");
            };
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
            (layer.shapes.len(), layer.skipped, layer.epsg()),
            (3, 4, Some(2180))
        );
        assert_eq!(layer.shapes[1].properties["a"], 1);
        let line = Geometry::Line(vec![[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(layer.shapes[2].geometry, line);
    }

    #[test]
    fn multilines_are_taken_apart() {
        let text = "{\"type\":\"MultiLineString\",\"coordinates\":\
                    [[[0,0],[1,1]],[],[[2,2,9],[3,3,9],[2,2,9]]]}";
        let layer = read(text).expect("GeoJSON");
        let geometries: Vec<_> = layer.shapes.iter().map(|shape| &shape.geometry).collect();
        let expected = [
            Geometry::Line(vec![[0.0, 0.0], [1.0, 1.0]]),
            Geometry::Line(vec![[2.0, 2.0], [3.0, 3.0], [2.0, 2.0]]),
        ];
        assert_eq!(geometries, expected.iter().collect::<Vec<_>>());
        assert_eq!(layer.skipped, 0);
    }

    #[test]
    fn names_of_coordinate_systems_are_understood() {
        for (name, expected) in [
            ("urn:ogc:def:crs:EPSG::2180", Some(Crs::Epsg(2180))),
            ("EPSG:25833", Some(Crs::Epsg(25833))),
            ("urn:ogc:def:crs:OGC:1.3:CRS84", Some(Crs::Epsg(4326))),
            ("urn:ogc:def:crs:OGC::CRS27", None),
            ("EPSG:", None),
            ("", None),
        ] {
            let crs = serde_json::json!({"properties": {"name": name}});
            assert_eq!(crs_of(&crs), expected, "{name}");
        }
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
            (
                "{\"type\":\"LineString\",\"coordinates\":[[1,2]]}".to_owned(),
                "two positions",
            ),
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
}
